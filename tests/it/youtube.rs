//! YouTube: a channel connects, and videos go up stretch by stretch, once.

mod commenting;
mod crash;
mod large;
mod losing;
mod refusing;

use crate::harness::{BOTH, Backend, Host, Person, component, settings};
use crate::secrets::memory::Watched;
use crate::secrets::{contains, dump, log};
use orla::config::ConnectorConfig;
use orla::connectors::{Actor, Consent, Memories, Then};
use orla_vendors::youtube::{Fault, Mode, Settings, Sim};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

pub(crate) const ACCOUNT: &str = "orla@example.com";
const CHANNEL: &str = "UCorlacoffee0000000000001";
/// Where uploads begin and go on.
const UPLOAD: &str = "/upload/youtube/v3/videos";
const FORCE_SSL: &str = "https://www.googleapis.com/auth/youtube.force-ssl";
/// What stretches are multiples of, but for the last.
const GRANULE: u64 = 256 << 10;
/// How every code and token goes on in the scan for leaked ones.
const MARK: &str = "MARKED7F3A";
/// How the id of every upload begins.
const UPLOAD_MARK: &str = "ABPtcPorla";
/// What the scanned video is called, so that a scan that finds no token is known to have looked.
const CONTROL: &str = "CONTROL-TITLE-OF-A-VIDEO-7f3a";

/// A host on which the connector was installed while it runs, and the YouTube that it speaks to.
async fn host(backend: Backend, youtube: Settings, memories: Memories) -> (Host, Sim) {
    let sim = Sim::start(youtube).await;
    let (origin, client) = (sim.origin(), sim.settings());
    let host = Host::start_with(backend, settings(), |config| {
        let connector = ConnectorConfig {
            client_id: Some(client.client_id),
            client_secret: Some(SecretString::from(client.client_secret)),
            endpoints: ["web", "api", "tokens"].map(|name| (name.to_owned(), origin.clone())).into(),
            visible_after_ms: Some(300),
            ..ConnectorConfig::default()
        };
        config.connectors.insert("youtube".to_owned(), connector);
        config.concurrent_calls = 4;
        memories
    })
    .await;
    sim.register_redirect_uri(format!("{}/social/oauth/youtube/callback", host.url));
    let wasm = std::fs::read(component("youtube")).unwrap();
    let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
    let installed = Box::pin(installing).await;
    assert_eq!(installed.unwrap().state, "active");
    (host, sim)
}

/// Consents as an account, and gives status and page of the callback.
async fn consent(sim: &Sim, person: &Person, account: &str) -> (u16, String) {
    let begun = person.get("/social/oauth/youtube/auth").await;
    let cookie = begun.cookie.clone().expect("a cookie that binds the browser");
    let url = begun.expect(200)["auth_url"].as_str().unwrap().to_owned();
    let callback = sim.authorize(&url, account);
    let answer = person.http.get(callback).header("cookie", cookie).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// A person who has connected the channel, and the connection.
async fn connected(host: &Host, sim: &Sim) -> (Person, Value) {
    let ada = host.person("ada").await;
    let (status, page) = consent(sim, &ada, ACCOUNT).await;
    assert_eq!(status, 200, "{page}");
    let list = ada.get("/social/connections").await.expect(200);
    (ada, list["items"][0].clone())
}

/// A video of so many bytes on the web.
fn clip(host: &Host, bytes: u64) -> String {
    format!("{}/pictures/clip-{bytes}.mp4", host.sim.origin())
}

/// A post that is this video.
fn film(url: &str) -> Value {
    json!({"platform": "youtube", "title": "Bread", "content": "How we bake", "media_urls": [url]})
}

/// A post with further members.
fn with(mut post: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("members") };
    post.as_object_mut().unwrap().extend(more);
    post
}

async fn published(ada: &Person, key: &str, post: &Value) -> Value {
    let done = ended(ada, key, post).await;
    assert_eq!(done["state"], "published", "{done:#}");
    done
}

async fn ended(ada: &Person, key: &str, post: &Value) -> Value {
    ada.published(post, key, &["published", "failed"]).await
}

/// Whether a publication was uncertain on its way.
fn was_uncertain(done: &Value) -> bool {
    done["timeline"].as_array().unwrap().iter().any(|event| event["state"] == "uncertain")
}

/// The digest of what is at a URL.
async fn digest(url: &str) -> String {
    let bytes = crate::harness::client().get(url).send().await.unwrap().bytes().await.unwrap();
    hex::encode(Sha256::digest(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_connected_with_what_its_owner_grants() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (_, connection) = connected(&host, &sim).await;
        let told = ["platform", "vendor_id", "handle", "missing_scopes"].map(|name| connection[name].as_str().unwrap());
        assert_eq!(told, ["youtube", CHANNEL, "orlacoffee", ""]);
        // Who has no channel is told so, and not connected.
        let ben = host.person("ben").await;
        let (status, page) = consent(&sim, &ben, "empty@example.com").await;
        assert!(status != 200 && page.contains("no YouTube channel"), "{status} {page}");
        sim.change(|settings| settings.declined_scopes = vec![FORCE_SSL.to_owned()]);
        let (status, page) = consent(&sim, &ben, ACCOUNT).await;
        assert_eq!(status, 200, "{page}");
        let list = ben.get("/social/connections").await.expect(200);
        assert_eq!(list["items"][0]["missing_scopes"], FORCE_SSL);
        sim.change(|settings| settings.declined_scopes = vec![FORCE_SSL.replace("force-ssl", "upload")]);
        let cleo = host.person("cleo").await;
        let (status, page) = consent(&sim, &cleo, ACCOUNT).await;
        assert!(status == 409 && page.contains("youtube.upload"), "{status} {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_is_published_with_thumbnail_and_first_comment() {
    for backend in BOTH {
        let youtube = Settings { processing_reads: 1, ..Settings::default() };
        let (host, sim) = host(backend, youtube, Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let (url, picture) = (clip(&host, 3 * GRANULE + 7), format!("{}/pictures/square.png", host.sim.origin()));
        let post = with(
            film(&url),
            json!({
                "media_urls": [url, picture], "first_comment": "First!", "privacy": "unlisted",
                "extras": {
                    "tags": ["bread", "sour dough"], "category": "26", "synthetic_media": true, "license": "creativeCommon",
                    "embeddable": false, "notify_subscribers": false,
                },
            }),
        );
        let done = published(&ada, "film", &post).await;
        let videos = sim.videos();
        let [video] = videos.as_slice() else { panic!("one video: {videos:?}") };
        assert_eq!((video.title.as_str(), video.description.as_str()), ("Bread", "How we bake"));
        assert_eq!((&video.sha256, video.size_bytes), (&digest(&url).await, 3 * GRANULE + 7));
        assert_eq!(video.thumbnail_sha256.as_ref(), Some(&digest(&picture).await));
        assert_eq!((video.tags.join(" "), video.category_id.as_str()), ("bread sour dough".to_owned(), "26"));
        assert_eq!((video.privacy.as_str(), video.license.as_str()), ("unlisted", "creativeCommon"));
        assert_eq!(
            (video.made_for_kids, video.synthetic, video.embeddable, video.notified),
            (Some(false), true, false, false)
        );
        assert_eq!(
            (video.reads, &done["receipt"][0]["id"]),
            (2, &json!(video.id)),
            "it was worked on at the first look"
        );
        assert_eq!(done["receipt"][0]["url"], format!("https://youtu.be/{}", video.id));
        let comments = sim.comments();
        assert_eq!((comments.len(), comments[0].text.as_str(), comments[0].author_id.as_str()), (1, "First!", CHANNEL));
        assert_eq!(done["receipt"][1]["id"], comments[0].id);
        // One question, all but the end, and the end; the wait repeats nothing of it.
        assert_eq!(sim.counts()["PUT /upload/youtube/v3/videos"], 3);
        assert_eq!(sim.uploads()[0].stretches, [(0, 3 * GRANULE), (3 * GRANULE, 3 * GRANULE + 7)]);
        let made = sim.made();
        assert_eq!((made.uploads, made.thumbnails, made.comments, made.upload_bytes), (1, 1, 1, 3 * GRANULE + 7));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_renewed_while_a_video_goes_up_and_ends_with_the_connection() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, connection) = connected(&host, &sim).await;
        // The last stretch is refused, as if the token had just ended; a token is refused once it has.
        sim.fault(Fault::on("PUT", UPLOAD, Mode::status(401)).skip(2));
        let done = published(&ada, "one", &film(&clip(&host, GRANULE + 7))).await;
        assert!(!was_uncertain(&done), "{done:#}");
        assert_eq!(sim.made().refreshes, 1);
        sim.expire_access_tokens();
        published(&ada, "two", &film(&clip(&host, 99))).await;
        assert_eq!((sim.made().refreshes, sim.made().videos), (2, 2));
        let path = format!("/social/connections/{}", connection["id"].as_str().unwrap());
        ada.call(reqwest::Method::DELETE, &path, None).await.expect(204);
        assert_eq!(sim.made().revocations, 1);
        // Who takes the access back at Google is told to connect again.
        consent(&sim, &ada, ACCOUNT).await;
        sim.revoke(ACCOUNT);
        let done = ended(&ada, "three", &film(&clip(&host, 99))).await;
        assert_eq!(done["fault"]["kind"], "auth-expired", "{done:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_and_no_address_of_an_upload_reaches_a_guest_an_answer_the_log_or_the_database() {
    let lines = log();
    for backend in BOTH {
        let watched = Watched::new([MARK, CONTROL, "orla-demo-youtube-secret", "upload_id=", UPLOAD_MARK]);
        let youtube = Settings { token_mark: MARK.to_owned(), ..Settings::default() };
        let (host, sim) = host(backend, youtube, Memories::From(Arc::new(watched.clone()))).await;
        let (ada, connection) = connected(&host, &sim).await;
        let mut answers = vec![connection];
        let post = with(film(&clip(&host, GRANULE + 7)), json!({"title": CONTROL}));
        answers.push(published(&ada, "plain", &post).await);
        sim.fault(Fault::on("PUT", UPLOAD, Mode::CutAfter).skip(2));
        answers.push(published(&ada, "lost", &post).await);
        sim.fault(Fault::on("POST", UPLOAD, Mode::EchoToken));
        answers.push(ended(&ada, "echo", &post).await);
        sim.revoke(ACCOUNT);
        answers.push(ended(&ada, "refused", &post).await);
        for path in ["/social/connections", "/social/publications"] {
            answers.push(ada.get(path).await.expect(200));
        }
        assert!(watched.hits(CONTROL) > 0, "the scan of guests' memories finds what is there");
        let (answers, database, log) = (serde_json::to_vec(&answers).unwrap(), dump(&host).await, lines.bytes());
        for secret in [MARK, "orla-demo-youtube-secret", "upload_id=", UPLOAD_MARK] {
            assert_eq!(watched.hits(secret), 0, "{secret} was in a guest's memory");
            for (what, bytes) in [("an answer", &answers), ("the log", &log), ("the database", &database)] {
                assert!(bytes.len() > 100, "{what} is empty");
                assert!(!contains(bytes, secret), "{secret} is in {what}");
            }
        }
    }
}
