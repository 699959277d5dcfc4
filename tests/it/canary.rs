//! Every kind of secret, used once through every connector, and then looked for wherever it must not be.

mod media;
mod recorder;
pub(crate) mod scan;
mod stage;
mod stripe;

use crate::harness::{BOTH, Backend, Host, PASSWORD, Person};
use crate::secrets::{Lines, contains};
use base64::Engine as _;
use orla::backup::MasterKey;
use orla::clock::Clock;
use orla::db::Tx;
use orla_vendors::{dropbox, facebook, mastodon, openai, webhook, x};
use reqwest::Method;
use scan::{Canary, Scan};
use serde_json::json;
use sqlx::AssertSqlSafe;
use stage::{CONTROL, PAGE, Stage, publish};
use std::path::Path;
use tokio::runtime::Runtime;
use tracing::Dispatch;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

const ANSWERS: &str = "the answers";

/// A runtime of its own, all of whose threads log everything there is, as JSON with its spans.
fn logging(lines: &Lines) -> (Runtime, tracing::dispatcher::DefaultGuard) {
    let lines = lines.clone();
    let layer = tracing_subscriber::fmt::layer().json().with_span_list(true).with_writer(move || lines.clone());
    let log = Dispatch::new(tracing_subscriber::registry().with(LevelFilter::TRACE).with(layer));
    let guard = tracing::dispatcher::set_default(&log);
    let begin = move || std::mem::forget(tracing::dispatcher::set_default(&log));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().on_thread_start(begin).build().unwrap();
    (runtime, guard)
}

#[test]
fn no_secret_of_any_kind_is_found_where_it_must_not_be() {
    for backend in BOTH {
        let lines = Lines::default();
        let (runtime, _guard) = logging(&lines);
        runtime.block_on(Box::pin(look(backend, &lines)));
        runtime.shutdown_background();
    }
}

async fn look(backend: Backend, lines: &Lines) {
    let stage = Box::pin(Stage::set(backend)).await;
    let ada = stage.person("ada").await;
    let mut canaries = of_the_host(&stage, &ada);
    canaries.extend(entered());
    let endpoint = told_of_events(&stage, &ada).await;
    canaries.extend(Box::pin(at_x(&stage, &ada)).await);
    canaries.extend(Box::pin(at_facebook(&stage, &ada)).await);
    canaries.extend(Box::pin(at_dropbox(&stage, &ada)).await);
    canaries.extend(Box::pin(media::at_instagram(&stage, &ada)).await);
    canaries.extend(Box::pin(media::at_youtube(&stage, &ada)).await);
    canaries.extend(Box::pin(stripe::at_stripe(&stage, &ada)).await);
    Box::pin(by_fields_and_keys(&stage, &ada)).await;
    for path in ["/social/publications", "/social/platforms", "/social/apps/dropbox", "/social-caption/generations"] {
        ada.get(path).await.expect(200);
    }
    let connections = ada.get("/social/connections").await.expect(200);
    for connection in connections["items"].as_array().unwrap() {
        ada.get(&format!("/social/connections/{}", connection["id"].as_str().unwrap())).await.expect(200);
    }
    canaries.extend(verifiers(&stage));
    canaries.push(endpoint);
    let metrics = ada.http.get(format!("{}/metrics", ada.url)).bearer_auth(stage::METRICS).send().await.unwrap();
    let metrics = metrics.bytes().await.unwrap();
    let backup = stage.host.data.path().join("canary.tar");
    let made = orla::backup::make(stage.host.app.config(), &Clock::System, &backup, MasterKey::Apart);
    Box::pin(made).await.unwrap();
    let scan = Scan::of(canaries);
    assert_all_were_used(&stage, &scan);
    let places = [
        ("the database", database(&stage.host).await, CONTROL),
        ("the blobs", files(&stage.host.data.path().join("blobs")), CONTROL),
        ("a backup", std::fs::read(&backup).unwrap(), CONTROL),
        ("the log", lines.bytes(), CONTROL),
        ("the metrics", metrics.to_vec(), "facebook"),
        (ANSWERS, stage.front.answered(), CONTROL),
        ("the guests' memories", stage.watched.kept(), CONTROL),
    ];
    for (place, bytes, control) in &places {
        assert!(contains(bytes, control), "the control is not in {place}, of {} bytes", bytes.len());
        scan.assert_none_in(place, bytes);
    }
    assert!(contains(&lines.bytes(), "\"level\":\"TRACE\""), "the log goes down to traces");
    stage.host.app.stop().await;
}

/// What the host has of itself, and what signs a person in.
fn of_the_host(stage: &Stage, ada: &Person) -> Vec<Canary> {
    let file = std::fs::read_to_string(stage.host.data.path().join("master.key")).unwrap();
    let master = hex::decode(file.trim()).unwrap();
    vec![
        Canary::new("the master key", master),
        Canary::new("the key of sessions", *stage.host.app.vault().derive("orla/v1/jwt")),
        Canary::new("the password", PASSWORD),
        Canary::new("the metrics' token", stage::METRICS),
        Canary::new("the session's access token", &ada.token).told_in(&[ANSWERS]),
        Canary::new("the session's refresh token", &ada.refresh_token).told_in(&[ANSWERS]),
    ]
}

/// What operators and people enter.
fn entered() -> Vec<Canary> {
    vec![
        Canary::new("the secret of X's app", stage::X_APP),
        Canary::new("the secret of Facebook's app", stage::FACEBOOK_APP),
        Canary::new("the secret of the workspace's own app", stage::OWN_APP),
        Canary::new("OpenAI's key", stage::OPENAI),
        Canary::new("Mastodon's token", stage::MASTODON),
        Canary::new("a webhook's key", stage::WEBHOOK_KEY),
        Canary::new("a webhook's address", stage::WEBHOOK_PATH),
    ]
}

/// What signs the events that an endpoint is told.
async fn told_of_events(stage: &Stage, ada: &Person) -> Canary {
    let endpoint = json!({"url": format!("{}/events", stage.webhook_origin())});
    let created = ada.post("/webhooks", &endpoint).await.expect(201);
    let secret = created["secret"].as_str().unwrap().strip_prefix("whsec_").unwrap();
    let key = base64::engine::general_purpose::STANDARD.decode(secret).unwrap();
    Canary::new("the secret of an endpoint", key).told_in(&[ANSWERS])
}

/// Codes, access tokens and refresh tokens, by a connector that says aloud all that it sees and by ours.
async fn at_x(stage: &Stage, ada: &Person) -> Vec<Canary> {
    let x = &stage.host.sim;
    let mut canaries = vec![Canary::new("what X mints", stage::X)];
    for platform in ["twitter", "probe"] {
        let way = format!("/social/oauth/{platform}");
        canaries.extend(stage.connect(ada, &way, |page| x.authorize(page, "orla_demo")).await);
    }
    x.fault(x::Fault::on("GET", "/2/users/me", x::Mode::EchoToken).times(2));
    publish(ada, "probe", "read /2/users/me\necho").await;
    x.expire_access_tokens();
    assert_eq!(publish(ada, "twitter", CONTROL).await["state"], "published");
    x.fault(x::Fault::on("POST", "/2/tweets", x::Mode::EchoToken));
    publish(ada, "twitter", "echoed").await;
    x.fault(x::Fault::on("POST", "/2/oauth2/token", x::Mode::EchoToken));
    x.expire_access_tokens();
    publish(ada, "twitter", "renewed in vain").await;
    canaries
}

/// The long-lived token of a person, tokens of pages in slots, a page's token among its fields, and tokens in links.
async fn at_facebook(stage: &Stage, ada: &Person) -> Vec<Canary> {
    let vendor = &stage.facebook;
    let mut canaries = vec![Canary::new("what Facebook mints", stage::FACEBOOK)];
    for platform in ["facebook", "graph"] {
        let way = format!("/social/oauth/{platform}");
        canaries.extend(stage.connect(ada, &way, |page| vendor.authorize(page, "Orla Demo")).await);
    }
    assert_eq!(publish(ada, "facebook", CONTROL).await["state"], "published");
    assert_eq!(publish(ada, "facebook", "One more, for a second page of the list").await["state"], "published");
    for wanted in [
        format!("page /v26.0/{PAGE}/feed?fields=id,message&limit=9"),
        format!("/v26.0/{PAGE}?fields=access_token"),
        "/v26.0/me/accounts?limit=1".to_owned(),
    ] {
        let done = publish(ada, "graph", &wanted).await;
        assert_eq!(done["state"], "published", "{wanted}: {done:#}");
    }
    let told = vendor.posts();
    let told: Vec<&str> = told[2..].iter().map(|post| post.message.as_str()).collect();
    assert!(told[0].contains("next: ") && told[0].contains(CONTROL), "{}", told[0]);
    assert!(told[1].contains("\"access_token\":\"[redacted]\""), "{}", told[1]);
    assert!(told[2].contains("next: ") && told[2].contains("[redacted]"), "{}", told[2]);
    let answered = stage.recorders.facebook_answered();
    assert!(contains(&answered, &format!("access_token={}", stage::FACEBOOK)), "links hold tokens");
    vendor.fault(facebook::Fault::on("POST", &format!("/v26.0/{PAGE}/feed"), facebook::Mode::EchoToken));
    publish(ada, "facebook", "Echoed").await;
    canaries
}

/// The workspace's own app, codes, access tokens and refresh tokens; and a file that becomes a blob.
async fn at_dropbox(stage: &Stage, ada: &Person) -> Vec<Canary> {
    let vendor = &stage.dropbox;
    let own = json!({"client_id": vendor.settings().client_id, "client_secret": stage::OWN_APP});
    ada.put("/social/apps/dropbox", &own).await.expect(200);
    let way = "/cloud-storage/oauth/dropbox";
    let ties = stage.connect(ada, way, |page| vendor.authorize(page, "orla_demo")).await;
    let listed = ada.get("/cloud-storage/browse/dropbox").await.expect(200);
    let import = json!({"file_id": listed["items"][0]["id"]});
    ada.post("/cloud-storage/import/dropbox", &import).await.expect(201);
    vendor.advance(5 * 3_600);
    ada.get("/cloud-storage/browse/dropbox").await.expect(200);
    assert_eq!(vendor.tally().refreshes, 1);
    vendor.fault(dropbox::Fault::on("POST", "/2/files/list_folder", dropbox::Mode::EchoToken));
    ada.get("/cloud-storage/browse/dropbox").await;
    ties.into_iter().chain([Canary::new("what Dropbox mints", stage::DROPBOX)]).collect()
}

/// A key of the operator's, and what a person enters: an instance with its token, and a webhook with its key.
async fn by_fields_and_keys(stage: &Stage, ada: &Person) {
    stage.host.grant(ada.workspace, 100).await;
    let wish = json!({"topic": CONTROL, "platform": "twitter"});
    ada.post("/social-caption/generate", &wish).await.expect(200);
    stage.host.openai.fault(openai::Fault::on("POST", "/v1/responses", openai::Mode::EchoToken));
    ada.post("/social-caption/generate", &wish).await;
    stage.enter(ada).await;
    let (statuses, hook) = ("/api/v1/statuses", stage::WEBHOOK_PATH);
    for platform in ["mastodon", "webhook"] {
        assert_eq!(publish(ada, platform, CONTROL).await["state"], "published");
    }
    stage.mastodon.fault(mastodon::Fault::on("POST", statuses, mastodon::Mode::EchoToken));
    stage.webhook.fault(webhook::Fault::on("POST", hook, webhook::Mode::EchoToken));
    for platform in ["mastodon", "webhook"] {
        publish(ada, platform, "Echoed").await;
    }
    assert!(stage.webhook.accepted() >= 1);
    let wrong = json!({"fields": {"instance": stage.front.origin(), "token": stage::MASTODON}});
    assert!(ada.post("/social/connections/mastodon", &wrong).await.status.is_client_error());
    let unfit = json!({"fields": {"url": format!("https://10.0.0.1{hook}"), "secret": stage::webhook_secret()}});
    ada.post("/social/connections/webhook", &unfit).await.expect(400);
    // What ends a connection is told its tokens.
    let connections = ada.get("/social/connections").await.expect(200);
    let probe = connections["items"].as_array().unwrap().iter().find(|one| one["platform"] == "probe").unwrap();
    ada.call(Method::DELETE, &format!("/social/connections/{}", probe["id"].as_str().unwrap()), None).await.expect(204);
}

/// The proofs of who began an authorization, as the vendors were told them in the end.
fn verifiers(stage: &Stage) -> Vec<Canary> {
    let asked = String::from_utf8_lossy(&stage.recorders.asked()).into_owned();
    let told: Vec<&str> = asked.split("code_verifier=").skip(1).collect();
    assert_eq!(told.len(), 4, "one of each authorization that has one");
    let value = |rest: &&str| rest.split(|c: char| c == '&' || c.is_whitespace()).next().unwrap().to_owned();
    told.iter().map(value).enumerate().map(|(n, verifier)| Canary::new(format!("verifier {n}"), verifier)).collect()
}

/// Asserts that every canary went over a wire, but for the keys that never do.
fn assert_all_were_used(stage: &Stage, scan: &Scan) {
    let asked = [stage.recorders.asked(), stage.front.asked()].concat();
    let used = scan.found(&asked);
    let unused = scan.names().filter(|name| !used.contains(name));
    // A refresh token of a session is told and not used here.
    let unused: Vec<&str> = unused.filter(|name| *name != "the session's refresh token").collect();
    let kept = ["the master key", "the key of sessions", "what Stripe signs events with", "the secret of an endpoint"];
    assert_eq!(unused, kept);
}

/// Every byte in the files of a folder and of those in it.
fn files(folder: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { std::fs::read(path).unwrap() }).collect()
}

/// Every byte of SQLite's files, or every column of every table of PostgreSQL's as text.
async fn database(host: &Host) -> Vec<u8> {
    const TABLES: &str = "select table_name::text from information_schema.tables where table_schema = 'public'";
    let mut tx = host.app.db().read().await.unwrap();
    let Tx::Postgres(guard) = &mut tx else {
        let files = ["orla.db", "orla.db-wal", "orla.db-shm"].map(|name| host.data.path().join(name));
        return files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
    };
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut **guard).await.unwrap();
    assert!(tables.len() > 12, "{tables:?}");
    let mut all = Vec::new();
    for table in tables {
        let rows = AssertSqlSafe(format!("select coalesce(string_agg(t::text, '\n'), '') from {table} t"));
        let rows: String = sqlx::query_scalar(rows).fetch_one(&mut **guard).await.unwrap();
        all.extend_from_slice(rows.as_bytes());
    }
    all
}
