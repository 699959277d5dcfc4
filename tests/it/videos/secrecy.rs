//! Of a service account's key, of what it signed and of what that gave, and of all that a person's consent gave, nothing lies open.

use super::people::{ORLA, signed_in};
use super::{KEY, ask, connected, ended, google, host_with, until};
use crate::canary::scan::{Canary, Scan};
use crate::harness::BOTH;
use crate::secrets::memory::Watched;
use crate::secrets::{contains, dump, log};
use orla::connectors::Memories;
use orla_vendors::vertex::{Fault, Mode};
use serde_json::json;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn neither_key_nor_token_is_in_logs_answers_the_database_or_a_guest() {
    let lines = log();
    for backend in BOTH {
        let watched = Watched::keeping();
        let memories = Memories::From(Arc::new(watched.clone()));
        let (host, sim) = host_with(backend, google(), &[], memories).await;
        let ada = connected(&host, &sim, 1).await;
        let wish = json!({"prompt": "CONTROL-PROMPT-OF-A-VIDEO-7f3a"});
        let id = ask(&ada, "k", &wish).await.expect(202)["id"].as_str().unwrap().to_owned();
        until(&ada, &id, |video| video["progress"]["percent"].is_number()).await;
        sim.expire_access_tokens();
        let done = until(&ada, &id, |video| video["state"] == "completed").await;
        let mut canaries: Vec<Canary> =
            KEY.lines().skip(1).take(3).map(|line| Canary::new("a line of the key", line)).collect();
        let secrets = sim.secrets();
        assert!(secrets.len() >= 4, "two assertions and two tokens");
        canaries.extend(secrets.iter().map(|secret| Canary::new("an assertion or a token", secret)));
        let scan = Scan::of(canaries);
        let connections = ada.get("/social/connections").await.expect(200).to_string();
        let shown = [done.to_string(), connections].concat();
        assert!(contains(&watched.kept(), "CONTROL-PROMPT-OF-A-VIDEO-7f3a"), "the guests' memories were looked at");
        scan.assert_none_in("the guests' memories", &watched.kept());
        scan.assert_none_in("the log", &lines.bytes());
        scan.assert_none_in("the database", &dump(&host).await);
        scan.assert_none_in("the answers", shown.as_bytes());
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_and_no_token_of_a_person_is_in_logs_answers_the_database_or_a_guest() {
    let lines = log();
    for backend in BOTH {
        let watched = Watched::keeping();
        let memories = Memories::From(Arc::new(watched.clone()));
        let (host, sim) = host_with(backend, google(), &[], memories).await;
        let (ada, connection) = signed_in(&host, &sim, ORLA, 2).await;
        let wish = json!({"prompt": "CONTROL-PROMPT-OF-A-PERSON-7f3a"});
        let id = ask(&ada, "k", &wish).await.expect(202)["id"].as_str().unwrap().to_owned();
        until(&ada, &id, |video| video["progress"]["percent"].is_number()).await;
        sim.expire_access_tokens();
        let done = until(&ada, &id, |video| video["state"] == "completed").await;
        // Google repeats the token in its refusal, and then honours none.
        sim.fault(Fault::on("POST", &sim.method("predictLongRunning"), Mode::EchoToken));
        let echoed = ended(&ada, "echo", &wish).await;
        sim.revoke(ORLA);
        let refused = ended(&ada, "refused", &wish).await;
        assert_eq!(refused["fault"]["kind"], "auth-expired", "{refused:#}");
        let secrets = sim.secrets();
        assert!(secrets.len() >= 6, "a code, a refresh token, and access and id tokens twice");
        let mut canaries: Vec<Canary> = secrets.iter().map(|secret| Canary::new("a code or token", secret)).collect();
        canaries.push(Canary::new("the app's secret", &sim.settings().client_secret));
        let scan = Scan::of(canaries);
        let connections = ada.get("/social/connections").await.expect(200);
        let shown = [connection, done, echoed, refused, connections].map(|answer| answer.to_string()).concat();
        assert!(contains(&watched.kept(), "CONTROL-PROMPT-OF-A-PERSON-7f3a"), "the guests' memories were looked at");
        scan.assert_none_in("the guests' memories", &watched.kept());
        scan.assert_none_in("the log", &lines.bytes());
        scan.assert_none_in("the database", &dump(&host).await);
        scan.assert_none_in("the answers", shown.as_bytes());
        host.check_books().await;
    }
}
