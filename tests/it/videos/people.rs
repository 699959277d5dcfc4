//! Accounts of people at Google: connected by OAuth, renewed by the host, each video in a project that is theirs.

use super::{
    ENDS, PRICE, ask, balance, connected, connector, ended, google, host, host_as, host_with, key_file, until,
};
use crate::broker::mails;
use crate::harness::{BOTH, Host, Person, client};
use crate::operating::{doctor, operator};
use orla::connectors::Memories;
use orla_vendors::vertex::{Fault, Mode, Project, Settings, Sim};
use reqwest::header::LOCATION;
use serde_json::{Value, json};

/// Has one project, `orla-demo`.
pub(super) const ORLA: &str = "orla@example.com";
/// Has two, `orla-films` and `orla-trials`.
const SEVERAL: &str = "several@example.com";
const NOBODY: &str = "empty@example.com";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Begins to connect an account; gives the URL of the consent page, and the browser's cookie.
async fn begin(person: &Person) -> (String, String) {
    let begun = person.get("/social/oauth/vertex/auth").await;
    let cookie = begun.cookie.clone().expect("a cookie that binds the browser");
    (begun.expect(200)["auth_url"].as_str().unwrap().to_owned(), cookie)
}

/// Comes back from the consent page; gives status and page of the callback.
async fn back(person: &Person, callback: impl reqwest::IntoUrl, cookie: String) -> (u16, String) {
    let answer = person.http.get(callback).header("cookie", cookie).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Consents as an account, and gives status and page of the callback.
async fn consent(sim: &Sim, person: &Person, account: &str) -> (u16, String) {
    let (url, cookie) = begin(person).await;
    back(person, sim.authorize(&url, account), cookie).await
}

/// A person who has connected a Google account and has credits for so many videos; and the connection.
pub(super) async fn signed_in(host: &Host, sim: &Sim, account: &str, videos: i64) -> (Person, Value) {
    let ada = host.person("ada").await;
    let (status, page) = consent(sim, &ada, account).await;
    assert_eq!(status, 200, "{page}");
    host.grant(ada.workspace, videos * PRICE).await;
    let connection = the_connection(&ada).await;
    assert_eq!((connection["handle"].as_str(), connection["state"].as_str()), (Some(account), Some("active")));
    (ada, connection)
}

async fn the_connection(ada: &Person) -> Value {
    let list = ada.get("/social/connections").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list:#}");
    list["items"][0].clone()
}

fn path(connection: &Value) -> String {
    format!("/social/connections/{}", connection["id"].as_str().unwrap())
}

fn lighthouse() -> Value {
    json!({"prompt": "A lighthouse"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_connects_on_googles_page_and_has_a_video_made_and_charged_once() {
    for backend in BOTH {
        let (host, sim) = host(backend, google()).await;
        let ada = host.person("ada").await;
        host.grant(ada.workspace, PRICE).await;
        let platforms = ada.get("/social/platforms").await.expect(200);
        let vertex = platforms["items"].as_array().unwrap().iter().find(|item| item["platform"] == "vertex").unwrap();
        assert_eq!((&vertex["auth"], &vertex["fields"][0]["name"]), (&json!("oauth2"), &json!("key_file")));
        // On the page itself, as a browser would.
        let (url, cookie) = begin(&ada).await;
        let page = client().get(&url).send().await.unwrap().text().await.unwrap();
        let (_, rest) = page.split_once("name=\"consent\" value=\"").unwrap();
        let (id, _) = rest.split_once('"').unwrap();
        let form = [("consent", id), ("account", ORLA), ("decision", "authorize")];
        let decided = client().post(format!("{}/o/oauth2/v2/auth", sim.origin())).form(&form).send().await.unwrap();
        let callback = decided.headers()[LOCATION].to_str().unwrap().to_owned();
        assert_eq!(back(&ada, &callback, cookie.clone()).await.0, 200);
        // Neither the state nor the code serves twice.
        assert_eq!(back(&ada, &callback, cookie).await.0, 409);
        let connection = the_connection(&ada).await;
        let told = ["vendor_id", "handle", "missing_scopes"].map(|name| connection[name].as_str().unwrap());
        assert_eq!(told, ["100000000000000000001", ORLA, ""]);
        assert_eq!((&connection["target_count"], &connection["ends_at"]), (&json!(1), &json!(null)), "{connection:#}");
        let done = ended(&ada, "first", &lighthouse()).await;
        assert_eq!(
            (done["state"].as_str(), done["target"].as_str()),
            (Some("completed"), Some("orla-demo")),
            "{done:#}"
        );
        assert_eq!((balance(&ada).await, sim.operations().len()), ((0, 0), 1));
        let test = ada.post(&format!("{}/test", path(&connection)), &json!({})).await.expect(200);
        assert_eq!((&test["works"], &test["token"]["renews"]), (&json!(true), &json!(true)), "{test:#}");
        // Who disconnects gives the grant back.
        ada.delete(&path(&connection)).await.expect(204);
        assert_eq!(sim.made().revocations, 1);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_ends_between_two_looks_is_renewed_by_the_host() {
    for backend in BOTH {
        let also = [("look_every_ms", "200")];
        let (host, sim) = host_with(backend, Settings { looks: 8, ..google() }, &also, Memories::Pooled).await;
        let (ada, _) = signed_in(&host, &sim, ORLA, 2).await;
        let id = ask(&ada, "long", &lighthouse()).await.expect(202)["id"].as_str().unwrap().to_owned();
        until(&ada, &id, |video| video["progress"]["percent"].is_number()).await;
        sim.expire_access_tokens();
        let made = until(&ada, &id, |video| ENDS.contains(&video["state"].as_str().unwrap())).await;
        assert_eq!((made["state"].as_str(), &made["fault"]), (Some("completed"), &json!(null)), "{made:#}");
        assert_eq!((sim.made().refreshes, sim.operations().len(), balance(&ada).await), (1, 1, (PRICE, 0)));
        // Before the beginning, too; and a refresh that fails in passing is tried again.
        sim.expire_access_tokens();
        sim.fault(Fault::on("POST", "/token", Mode::status(503)));
        assert_eq!(ended(&ada, "again", &lighthouse()).await["state"], "completed");
        assert_eq!((sim.made().refreshes, sim.operations().len(), balance(&ada).await), (2, 2, (0, 0)));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_is_taken_back_meanwhile_ends_the_connection_and_costs_nothing() {
    for backend in BOTH {
        let also = [("look_every_ms", "200")];
        let (host, sim) = host_with(backend, Settings { looks: 100, ..google() }, &also, Memories::Pooled).await;
        let (ada, connection) = signed_in(&host, &sim, ORLA, 2).await;
        let id = ask(&ada, "long", &lighthouse()).await.expect(202)["id"].as_str().unwrap().to_owned();
        until(&ada, &id, |video| video["progress"]["percent"].is_number()).await;
        assert_eq!(balance(&ada).await, (2 * PRICE, PRICE));
        sim.revoke(ORLA);
        let failed = until(&ada, &id, |video| ENDS.contains(&video["state"].as_str().unwrap())).await;
        assert_eq!(
            (failed["state"].as_str(), failed["fault"]["kind"].as_str()),
            (Some("failed"), Some("auth-expired"))
        );
        assert_eq!((&failed["receipt"]["credits_charged"], balance(&ada).await), (&json!(0), (2 * PRICE, 0)));
        let lost = the_connection(&ada).await;
        assert_eq!(lost["state"], "revoked", "{lost:#}");
        assert_eq!(lost["refresh_words"], "invalid_grant: Token has been expired or revoked.");
        host.check_books().await;
        let told = mails(host.data.path());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(ORLA) && told[0].contains("GET /social/oauth/vertex/auth"), "{}", told[0]);
        ask(&ada, "none", &lighthouse()).await.refused(409, "connection_revoked");
        // Whoever consents again has the same connection.
        sim.change(|settings| settings.looks = 1);
        assert_eq!(consent(&sim, &ada, ORLA).await.0, 200);
        let healed = the_connection(&ada).await;
        assert_eq!((&healed["id"], &healed["state"]), (&connection["id"], &json!("active")));
        assert_eq!(ended(&ada, "anew", &lighthouse()).await["state"], "completed");
        assert_eq!(balance(&ada).await, (PRICE, 0));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_projects_one_is_named_and_none_but_ones_own() {
    for backend in BOTH {
        let gone = Project { is_active: false, ..Project::new("orla-gone", "Gone") };
        let locked = Project { may_use: false, ..Project::new("orla-locked", "Locked") };
        let mut google = Settings { projects_a_page: 2, ..google() };
        google.people[1].projects.extend([gone, locked]);
        let (host, sim) = host(backend, google).await;
        let (ada, connection) = signed_in(&host, &sim, SEVERAL, 2).await;
        let targets = ada.get(&format!("{}/targets", path(&connection))).await.expect(200);
        let ids: Vec<&str> =
            targets["items"].as_array().unwrap().iter().map(|target| target["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["orla-films", "orla-trials", "orla-locked"], "{targets:#}");
        let unnamed = ask(&ada, "unnamed", &lighthouse()).await;
        let words = unnamed.body["detail"].as_str().unwrap().to_owned();
        assert!(words.contains("orla-films (project Films)") && words.contains("orla-trials"), "{words}");
        unnamed.refused(409, "ambiguous_target");
        for other in ["orla-demo", "orla-gone", "../x"] {
            let answer = ask(&ada, other, &json!({"prompt": "A lighthouse", "target": other})).await;
            assert_eq!(answer.body["field"], "target", "{}", answer.body);
            answer.refused(422, "invalid_input");
        }
        assert_eq!((balance(&ada).await, sim.operations().len()), ((2 * PRICE, 0), 0), "nothing was held or begun");
        // A project that she sees, and where Google lets her make nothing.
        let wish = json!({"prompt": "A lighthouse", "target": "orla-locked"});
        let failed = ended(&ada, "locked", &wish).await;
        assert_eq!(
            (failed["state"].as_str(), failed["fault"]["kind"].as_str()),
            (Some("failed"), Some("scope-missing"))
        );
        let words = failed["fault"]["message"].as_str().unwrap();
        assert!(words.contains("denied") && words.contains("Vertex AI User"), "{words}");
        assert_eq!((balance(&ada).await, sim.operations().len()), ((2 * PRICE, 0), 0));
        let done = ended(&ada, "named", &json!({"prompt": "A lighthouse", "target": "orla-trials"})).await;
        assert_eq!(
            (done["state"].as_str(), done["target"].as_str()),
            (Some("completed"), Some("orla-trials")),
            "{done:#}"
        );
        assert!(sim.operations()[0].name.starts_with("projects/orla-trials/"));
        // What she has chosen is where videos are made that name none.
        let chosen = json!({"targets": ["orla-films"]});
        ada.put(&format!("{}/targets", path(&connection)), &chosen).await.expect(200);
        assert_eq!(ended(&ada, "chosen", &lighthouse()).await["target"], "orla-films");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_permission_out_or_has_no_project_is_told_and_not_connected() {
    for backend in BOTH {
        let (host, sim) = host(backend, google()).await;
        let ada = host.person("ada").await;
        let (status, page) = consent(&sim, &ada, NOBODY).await;
        assert!(status != 200 && page.contains("no project in Google Cloud"), "{status} {page}");
        sim.change(|settings| settings.declined_scopes = vec![CLOUD_PLATFORM.to_owned()]);
        let (status, page) = consent(&sim, &ada, ORLA).await;
        assert!(status == 409 && page.contains(CLOUD_PLATFORM), "{status} {page}");
        let (url, cookie) = begin(&ada).await;
        let (status, page) = back(&ada, sim.deny(&url, ORLA), cookie).await;
        assert!(status == 409 && page.contains("did not agree"), "{status} {page}");
        sim.change(|settings| settings.declined_scopes.clear());
        // Google says itself what its operator has to enable.
        sim.fault(Fault::on("GET", "/v3/projects:search", Mode::status(403)));
        let (status, page) = consent(&sim, &ada, ORLA).await;
        assert!(status == 502 && page.contains("does not have permission"), "{status} {page}");
        assert_eq!(ada.get("/social/connections").await.expect(200)["items"], json!([]));
        ask(&ada, "none", &lighthouse()).await.refused(409, "not_connected");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_is_connected_beside_a_person_and_without_an_app() {
    for backend in BOTH {
        let (host, sim) = host(backend, google()).await;
        let ada = connected(&host, &sim, 3).await;
        let robot = the_connection(&ada).await;
        assert_eq!(
            (robot["vendor_id"].as_str(), &robot["target_count"]),
            (Some(sim.settings().account.as_str()), &json!(0))
        );
        assert_eq!(consent(&sim, &ada, ORLA).await.0, 200);
        let list = ada.get("/social/connections").await.expect(200);
        let (first, second) = (&list["items"][0], &list["items"][1]);
        assert_eq!((&first["id"], second["handle"].as_str()), (&robot["id"], Some(ORLA)));
        ask(&ada, "neither", &lighthouse()).await.refused(409, "ambiguous_target");
        // Each by its own way, after its access has ended.
        sim.expire_access_tokens();
        for (connection, target) in [(first, json!(null)), (second, json!("orla-demo"))] {
            let wish = json!({"prompt": "A lighthouse", "connection_id": connection["id"]});
            let done = ended(&ada, connection["id"].as_str().unwrap(), &wish).await;
            assert_eq!((done["state"].as_str(), &done["target"]), (Some("completed"), &target), "{done:#}");
        }
        let made = sim.made();
        assert_eq!((made.refreshes, made.tokens, sim.operations().len()), (1, 2, 2));
        let test = ada.post(&format!("{}/test", path(first)), &json!({})).await.expect(200);
        assert_eq!((&test["works"], &test["scopes"]), (&json!(null), &json!(null)), "nobody is asked: {test:#}");
        // The key again is the same connection, and gives nothing back at Google when it goes.
        ada.post("/social/connections/vertex", &json!({"fields": {"key_file": key_file(&sim)}})).await.expect(201);
        ada.delete(&path(first)).await.expect(204);
        assert_eq!((sim.made().revocations, the_connection(&ada).await["id"].clone()), (0, second["id"].clone()));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_that_an_account_was_connected_in_last_is_the_way_that_renews_it() {
    for backend in BOTH {
        // Somebody who is called as the service account is.
        let mut google = google();
        google.people[0].sub.clone_from(&google.account);
        let (host, sim) = host(backend, google).await;
        let ada = connected(&host, &sim, 2).await;
        let connection = the_connection(&ada).await;
        assert_eq!(consent(&sim, &ada, ORLA).await.0, 200);
        assert_eq!(the_connection(&ada).await["id"], connection["id"]);
        let tokens = sim.made().tokens;
        sim.expire_access_tokens();
        assert_eq!(ended(&ada, "by consent", &lighthouse()).await["target"], "orla-demo");
        assert_eq!((sim.made().refreshes, sim.made().tokens), (1, tokens));
        ada.post("/social/connections/vertex", &json!({"fields": {"key_file": key_file(&sim)}})).await.expect(201);
        sim.expire_access_tokens();
        assert_eq!(ended(&ada, "by key", &lighthouse()).await["target"], json!(null));
        assert_eq!((sim.made().refreshes, sim.made().tokens), (1, tokens + 2));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_app_at_google_service_accounts_are_connected_alone() {
    for backend in BOTH {
        let sim = Sim::start(google()).await;
        let connector = connector(&sim, &[]);
        let (host, sim) = host_as(backend, sim, connector, Memories::Pooled).await;
        let ada = connected(&host, &sim, 1).await;
        let refused = ada.get("/social/oauth/vertex/auth").await;
        assert!(refused.body["detail"].as_str().unwrap().contains("POST /social/connections/"), "{}", refused.body);
        refused.refused(503, "not_configured");
        assert_eq!(ended(&ada, "made", &lighthouse()).await["state"], "completed");
        let operator = operator(&host).await;
        let vertex = doctor::examined(&operator, "vertex", false).await;
        assert_eq!((&vertex["auth"], &vertex["missing_settings"]), (&json!("oauth2"), &json!([])), "{vertex:#}");
        let notes = doctor::sentences(&vertex, "note").concat();
        let wanted = [
            "service accounts only",
            "ORLA_CONNECTORS__VERTEX__CLIENT_ID and ORLA_CONNECTORS__VERTEX__CLIENT_SECRET",
            "/social/oauth/vertex/callback",
        ];
        assert!(wanted.iter().all(|wanted| notes.contains(wanted)), "{notes}");
        assert!(doctor::sentences(&vertex, "problem").is_empty(), "{vertex:#}");
        // A workspace brings an app of its own.
        let Settings { client_id, client_secret, .. } = sim.settings();
        let own = json!({"client_id": client_id, "client_secret": client_secret});
        ada.put("/social/apps/vertex", &own).await.expect(200);
        assert_eq!(consent(&sim, &ada, ORLA).await.0, 200);
        host.check_books().await;
    }
}
