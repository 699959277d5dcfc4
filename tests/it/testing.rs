//! Trying a connection out: whether it works, whose it is, and what to do where it does not.

use crate::harness::{BOTH, Backend, Fault, Host, Mode, Person, Settings, settings};
use crate::operating::doctor::closed;
use orla::clock::Timestamp;
use orla::connectors::Memories;
use orla_vendors::x::{Canned, Kind};
use serde_json::{Value, json};

/// How every code and token begins.
const MARK: &str = "MARKED9E4D";
const ME: &str = "GET /2/users/me";

/// Tries a person's only connection out. No answer holds a secret.
pub(crate) async fn tested(person: &Person) -> Value {
    let list = person.get("/social/connections").await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap();
    let test = person.post(&format!("/social/connections/{id}/test"), &json!({})).await.expect(200);
    let text = test.to_string();
    assert!(!text.contains(MARK) && !text.contains("orla-demo-secret"), "{test:#}");
    test
}

async fn stage(backend: Backend) -> (Host, Person) {
    let settings = Settings { token_prefix: MARK.to_owned(), ..settings() };
    let host = Host::start_with(backend, settings, |_| Memories::Pooled).await;
    let ada = host.connected("ada", "twitter").await;
    (host, ada)
}

fn time(value: &Value) -> Timestamp {
    serde_json::from_value(value.clone()).unwrap()
}

fn said(status: u16, words: &str) -> Mode {
    let body = json!({"title": "Trouble", "detail": words, "type": "about:blank", "status": status});
    Mode::Status(Canned { status, body: Some(body), ..Canned::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_works_says_whose_it_is_and_how_long_it_lasts() {
    for backend in BOTH {
        let (host, ada) = stage(backend).await;
        let before = host.sim.counts()[ME];
        let test = tested(&ada).await;
        assert_eq!(host.sim.counts()[ME], before + 1, "the network was asked");
        assert_eq!((&test["works"], &test["state"]), (&json!(true), &json!("active")), "{test:#}");
        let shown = json!({"vendor_id": "1800000000000000001", "handle": "orla_demo", "name": "Orla Demo"});
        assert_eq!(test["account"], shown);
        assert_eq!((&test["scopes"]["missing"], &test["scopes"]["missing_optional"]), (&json!([]), &json!([])));
        assert_eq!(test["scopes"]["granted"].as_array().unwrap().len(), 5);
        assert_eq!(
            (&test["token"]["renews"], &test["advice"], &test["fault"]),
            (&json!(true), &Value::Null, &Value::Null)
        );
        let [since, tested_at, expires_at] =
            [&test["since"], &test["tested_at"], &test["token"]["expires_at"]].map(time);
        assert!(since <= tested_at && tested_at < expires_at, "{test:#}");
        // A token that has ended is renewed on the way.
        host.sim.expire_access_tokens();
        let later = tested(&ada).await;
        assert_eq!(later["works"], true, "{later:#}");
        let [before, after] = [&test, &later].map(|test| time(&test["token"]["renewed_at"]));
        assert!(before < after, "{later:#}");
        // It is nobody else's, and there is no other.
        let list = ada.get("/social/connections").await.expect(200);
        let path = format!("/social/connections/{}/test", list["items"][0]["id"].as_str().unwrap());
        let mallory = host.connected("mallory", "twitter").await;
        let asked = host.sim.counts()[ME];
        mallory.post(&path, &json!({})).await.refused(404, "not_found");
        let other = format!("/social/connections/{}/test", uuid::Uuid::now_v7());
        ada.post(&other, &json!({})).await.refused(404, "not_found");
        assert_eq!(host.sim.counts()[ME], asked);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_connection_says_since_when_and_where_to_connect_it_again() {
    for backend in BOTH {
        let (host, ada) = stage(backend).await;
        host.sim.revoke_all();
        let test = tested(&ada).await;
        assert_eq!((&test["works"], &test["fault"]["kind"]), (&json!(false), &json!("auth-expired")), "{test:#}");
        let words = "invalid_grant: Value passed for the token was invalid";
        assert!(test["summary"].as_str().unwrap().contains(words), "{test:#}");
        assert!(test["reconnect"].as_str().unwrap().contains("GET /social/oauth/twitter/auth"), "{test:#}");
        assert!(test["advice"].as_str().unwrap().contains("Connect it again"), "{test:#}");
        let shown = ada.get("/social/connections").await.expect(200)["items"][0].clone();
        assert_eq!((&test["state"], &test["since"]), (&json!("revoked"), &shown["revoked_at"]));
        // What is known is not asked again.
        let before = host.sim.requests().len();
        let again = tested(&ada).await;
        assert_eq!(
            (&again["works"], &again["since"], host.sim.requests().len()),
            (&json!(false), &test["since"], before)
        );
        assert!(again["summary"].as_str().unwrap().contains(words), "{again:#}");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_in_passing_is_told_in_the_networks_words_and_changes_nothing() {
    for backend in BOTH {
        let (host, ada) = stage(backend).await;
        host.sim.fault(Fault::on("GET", "/2/users/me", said(500, "The bakery is closed.")).times(9));
        let test = tested(&ada).await;
        assert_eq!((&test["works"], &test["fault"]["kind"]), (&json!(false), &json!("vendor-down")), "{test:#}");
        assert_eq!((&test["fault"]["message"], &test["state"]), (&json!("The bakery is closed."), &json!("active")));
        assert!(test["advice"].as_str().unwrap().contains("test again"), "{test:#}");
        host.sim.clear_faults();
        let canned = Canned { status: 429, retry_after_s: Some(2), ..Canned::default() };
        host.sim.fault(Fault::on("GET", "/2/users/me", Mode::Status(canned)).times(9));
        let test = tested(&ada).await;
        assert_eq!(test["fault"]["kind"], "rate-limited", "{test:#}");
        assert_eq!(test["advice"], "Wait 2 seconds, then test again.");
        assert!(time(&test["again_at"]) > time(&test["tested_at"]), "{test:#}");
        host.sim.clear_faults();
        // The network is left alone for as long as it asked.
        tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
        assert_eq!(tested(&ada).await["works"], true);
        // The operator's keys are wrong, which only shows when a token is to be renewed.
        host.sim.change(|settings| settings.client_secret = "another-secret".to_owned());
        host.sim.expire_access_tokens();
        let test = tested(&ada).await;
        assert_eq!((&test["works"], &test["state"]), (&json!(false), &json!("active")), "{test:#}");
        assert!(test["summary"].as_str().unwrap().contains("Missing valid authorization header"), "{test:#}");
        assert!(test["advice"].as_str().unwrap().contains("ORLA_CONNECTORS__X__CLIENT_SECRET"), "{test:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_repeats_a_token_gives_it_away_to_nobody() {
    for backend in BOTH {
        let (host, ada) = stage(backend).await;
        let refresh = host.sim.tokens().into_iter().rfind(|issued| issued.kind == Kind::Refresh).unwrap().value;
        host.sim.expire_access_tokens();
        // The second time, it stands where long words are cut.
        let words = format!("What is {refresh}?{}{refresh}", " Hm.".repeat(50));
        let body = json!({"error": "invalid_grant", "error_description": words});
        let canned = Canned { status: 400, body: Some(body), ..Canned::default() };
        host.sim.fault(Fault::on("POST", "/2/oauth2/token", Mode::Status(canned)));
        let test = tested(&ada).await;
        assert!(test["summary"].as_str().unwrap().contains("invalid_grant: What is [redacted]?"), "{test:#}");
        let shown = ada.get("/social/connections").await.expect(200);
        assert!(shown["items"][0]["refresh_words"].as_str().unwrap().contains("[redacted]"), "{shown:#}");
        assert!(!shown.to_string().contains(MARK), "{shown:#}");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_out_of_reach_and_a_connector_that_does_not_serve_are_told() {
    for backend in BOTH {
        let (host, ada) = stage(backend).await;
        let mut config = host.app.config().clone();
        config.connectors.get_mut("x").unwrap().endpoints.insert("api".to_owned(), closed().await);
        let host = host.again_with(config).await;
        let ada = Person { url: host.url.clone(), ..ada };
        let test = tested(&ada).await;
        assert_eq!((&test["works"], &test["fault"]["kind"]), (&json!(false), &json!("vendor-down")), "{test:#}");
        assert!(test["summary"].as_str().unwrap().contains("could not be reached"), "{test:#}");
        assert_eq!(test["state"], "active");
        let operator = crate::operating::operator(&host).await;
        operator.post("/admin/connectors/x/disable", &json!({})).await.expect(204);
        let test = tested(&ada).await;
        assert_eq!((&test["works"], &test["fault"]), (&json!(false), &Value::Null), "{test:#}");
        assert!(test["advice"].as_str().unwrap().contains("orla connector doctor x"), "{test:#}");
    }
}
