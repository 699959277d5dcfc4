//! The doctor: what an operator has to enter where, and what a vendor says of the keys.

use super::operator;
use crate::harness::{BOTH, Fault, Host, Mode, Person, program, settings};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use orla::connectors::Memories;
use orla_vendors::x::Canned;
use serde_json::{Value, json};
use std::process::{Command, Output};
use url::Url;

const TOKEN: &str = "POST /2/oauth2/token";
const SECRET: &str = "orla-demo-secret";

/// What the doctor says of one connector.
pub(crate) async fn examined(operator: &Person, id: &str, live: bool) -> Value {
    let path = format!("/admin/connectors/doctor?id={id}&live={live}");
    let mut all = operator.get(&path).await.expect(200);
    assert_eq!(all.as_array().unwrap().len(), 1, "{all:#}");
    all[0].take()
}

/// The sentences of one weight.
pub(crate) fn sentences(examined: &Value, weight: &str) -> Vec<String> {
    let findings = examined["findings"].as_array().unwrap().iter();
    let its = findings.filter(|finding| finding["weight"] == weight);
    its.map(|finding| finding["sentence"].as_str().unwrap().to_owned()).collect()
}

/// The one problem that the doctor finds.
#[track_caller]
pub(crate) fn problem(examined: &Value) -> String {
    let problems = sentences(examined, "problem");
    assert_eq!(problems.len(), 1, "{examined:#}");
    problems[0].clone()
}

/// An address of this machine at which nobody listens.
pub(crate) async fn closed() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_has_to_enter_is_told_to_the_letter() {
    for backend in BOTH {
        let host = Host::start_with(backend, settings(), |config| {
            config.connectors.get_mut("probe").unwrap().client_secret = None;
            config.connectors.get_mut("openai").unwrap().api_key = None;
            Memories::Pooled
        })
        .await;
        let operator = operator(&host).await;
        let x = examined(&operator, "x", false).await;
        assert_eq!(x["redirect_uris"], json!([format!("{}/social/oauth/twitter/callback", host.url)]));
        assert_eq!((&x["auth"], &x["state"], &x["serves_here"]), (&json!("oauth2"), &json!("enabled"), &json!(true)));
        assert!(x["release"].as_str().unwrap().starts_with("0."), "{x:#}");
        assert_eq!((&x["missing_settings"], &x["scopes"]["optional"]), (&json!([]), &json!([])));
        assert!(sentences(&x, "note")[0].contains("PUBLIC_URL") && sentences(&x, "problem").is_empty(), "{x:#}");
        // What a browser is sent away with is the same, to the letter.
        let ada = host.person("ada").await;
        let begun = ada.get("/social/oauth/twitter/auth").await.expect(200);
        let url: Url = begun["auth_url"].as_str().unwrap().parse().unwrap();
        let sent = |name: &str| url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
        assert_eq!(
            (&x["scopes"]["sent"], &x["redirect_uris"][0]),
            (&json!(sent("scope")), &json!(sent("redirect_uri")))
        );
        let probe = examined(&operator, "probe", true).await;
        assert_eq!(probe["missing_settings"], json!(["ORLA_CONNECTORS__PROBE__CLIENT_SECRET"]));
        let uri = format!("{}/social/oauth/probe/callback", host.url);
        let told = problem(&probe);
        assert!(told.contains(&uri) && told.contains("set ORLA_CONNECTORS__PROBE__CLIENT_SECRET."), "{told}");
        let openai = examined(&operator, "openai", true).await;
        assert_eq!(openai["missing_settings"], json!(["ORLA_CONNECTORS__OPENAI__API_KEY"]));
        assert_eq!((&openai["auth"], &openai["redirect_uris"]), (&json!("api_key"), &json!([])));
        assert_eq!(openai["keys_at"], "https://platform.openai.com/api-keys");
        let fields = examined(&operator, "fields", true).await;
        assert_eq!(
            (&fields["auth"], &fields["keys_at"]),
            (&json!("fields"), &json!("https://instances.example/tokens"))
        );
        assert_eq!(sentences(&fields, "fine"), ["fields is in order."]);
        operator.post("/admin/connectors/x/disable", &json!({})).await.expect(204);
        let x = examined(&operator, "x", true).await;
        assert!(sentences(&x, "note")[0].contains("orla connector enable x") && x["serves_here"] == false, "{x:#}");
        // Nobody was asked: there is nothing to ask with, or nobody wanted it.
        assert_eq!((host.sim.counts().get(TOKEN), host.openai.counts().len()), (None, 0));
        operator.get("/admin/connectors/doctor?live=perhaps").await.refused(400, "malformed_request");
        ada.get("/admin/connectors/doctor?live=true").await.refused(403, "forbidden");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_say_whether_the_keys_are_right() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let operator = operator(&host).await;
        let all = operator.get("/admin/connectors/doctor?live=true").await.expect(200);
        for (id, count) in [("x", 1), ("probe", 1), ("openai", 1), ("hook", 0)] {
            let one = all.as_array().unwrap().iter().find(|one| one["connector"] == id).unwrap();
            let taken = sentences(one, "fine").into_iter().filter(|told| told.contains("takes the keys")).count();
            assert_eq!((taken, sentences(one, "problem").len()), (count, 0), "{one:#}");
        }
        assert_eq!(host.openai.generations(), 0, "asking costs nothing");
        host.sim.change(|settings| settings.client_secret = "another-secret".to_owned());
        let told = problem(&examined(&operator, "x", true).await);
        assert!(told.contains("unauthorized_client: Missing valid authorization header"), "{told}");
        assert!(told.contains("ORLA_CONNECTORS__X__CLIENT_ID and ORLA_CONNECTORS__X__CLIENT_SECRET"), "{told}");
        host.openai.change(|settings| settings.api_key = "sk-another-key-than-before".to_owned());
        let told = problem(&examined(&operator, "openai", true).await);
        assert!(
            told.contains("Incorrect API key provided") && told.contains("ORLA_CONNECTORS__OPENAI__API_KEY"),
            "{told}"
        );
        host.sim.change(|settings| settings.client_secret = SECRET.to_owned());
        let words = json!({"error": "temporarily_unavailable", "error_description": "The bakery is closed."});
        let canned = Canned { status: 503, body: Some(words), ..Canned::default() };
        host.sim.fault(Fault::on("POST", "/2/oauth2/token", Mode::Status(canned)));
        let told = problem(&examined(&operator, "x", true).await);
        assert!(told.contains("temporarily_unavailable: The bakery is closed.") && told.contains("later"), "{told}");
        // A vendor that repeats what it was sent gives nothing away.
        let basic = STANDARD.encode(format!("orla-demo:{SECRET}"));
        let words = json!({"error": "invalid_client", "error_description": format!("{SECRET} by Basic {basic}?")});
        let canned = Canned { status: 400, body: Some(words), ..Canned::default() };
        host.sim.fault(Fault::on("POST", "/2/oauth2/token", Mode::Status(canned)));
        let told = problem(&examined(&operator, "x", true).await);
        assert!(told.contains("invalid_client: [redacted] by Basic [redacted]?"), "{told}");
        assert_eq!(examined(&operator, "x", true).await["findings"][1]["weight"], "fine");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_not_reached_is_told_from_wrong_keys() {
    for backend in BOTH {
        let nowhere = closed().await;
        let host = Host::start_with(backend, settings(), |config| {
            config.connectors.get_mut("x").unwrap().endpoints.insert("api".to_owned(), nowhere.clone());
            config.connectors.get_mut("openai").unwrap().endpoints.insert("api".to_owned(), nowhere.clone());
            let guarded = &mut config.connectors.get_mut("probe").unwrap().endpoints;
            guarded.insert("api".to_owned(), "http://no-such-host.invalid:1".to_owned());
            Memories::Pooled
        })
        .await;
        let operator = operator(&host).await;
        for id in ["x", "openai"] {
            let told = problem(&examined(&operator, id, true).await);
            assert!(told.contains("cannot be reached: nobody listens") && !told.contains(SECRET), "{told}");
        }
        let told = problem(&examined(&operator, "probe", true).await);
        assert!(told.contains("name cannot be found") && told.contains("DNS"), "{told}");
    }
}

/// The doctor's command with settings of its own, beside a host that runs.
async fn command(host: &Host, arguments: &[&str], set: &[(&str, &str)]) -> (bool, String) {
    let config = host.app.config();
    let mut command = Command::new(program());
    command.env_clear().args(["connector", "doctor"]).args(arguments);
    command.env("ORLA_DATA", &config.data).env("DATABASE_URL", config.database());
    command.env("PUBLIC_URL", "https://orla.example/");
    command.envs(set.iter().copied());
    let output: Output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let told = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(told).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_succeeds_where_all_is_well_and_fails_where_something_is_wrong() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let origin = host.sim.origin();
        let set = |secret: &'static str| {
            [
                ("ORLA_CONNECTORS__X__CLIENT_ID", "orla-demo"),
                ("ORLA_CONNECTORS__X__CLIENT_SECRET", secret),
                ("ORLA_CONNECTORS__X__ENDPOINTS__API", origin.as_str()),
            ]
        };
        let (well, told) = command(&host, &["x"], &set(SECRET)).await;
        assert!(well && told.contains("x is in order."), "{told}");
        assert!(told.contains("redirect URI  https://orla.example/social/oauth/twitter/callback\n"), "{told}");
        assert!(
            told.contains("scopes        tweet.read tweet.write users.read media.write offline.access\n"),
            "{told}"
        );
        assert_eq!(host.sim.counts().get(TOKEN), None);
        let (well, told) = command(&host, &["x", "--live"], &set(SECRET)).await;
        assert!(well && told.contains("takes the keys"), "{told}");
        // Wrong keys are seen by the vendor alone.
        let wrong = "a-secret-of-another-app";
        assert!(command(&host, &["x"], &set(wrong)).await.0);
        let (well, told) = command(&host, &["x", "--live"], &set(wrong)).await;
        assert!(!well && told.contains("Missing valid authorization header") && !told.contains(wrong), "{told}");
        let (well, told) = command(&host, &["x"], &set(SECRET)[1..]).await;
        assert!(!well && told.contains("missing       ORLA_CONNECTORS__X__CLIENT_ID\n"), "{told}");
    }
}
