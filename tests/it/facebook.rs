//! Facebook pages: a person connects, and posts go to a page that the person chose, signed by that page's own token.

mod doctor;

use crate::harness::{BOTH, Backend, Host, Person, component, settings};
use crate::secrets::memory::Watched;
use crate::secrets::{contains, dump, log};
use orla::config::ConnectorConfig;
use orla::connectors::{Actor, Consent, Memories, Then};
use orla_vendors::facebook::{Canned, Fault, Mode, Settings, Sim};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

pub(crate) const PERSON: &str = "Orla Demo";
pub(crate) const COFFEE: &str = "615500000000001";
pub(crate) const ROASTERY: &str = "615500000000002";
/// On which the person may not create content.
const ARCHIVE: &str = "615500000000003";
const FEED: &str = "/v26.0/615500000000001/feed";
/// How every code and token begins in the scan for leaked ones.
const MARK: &str = "MARKED5B2C";
/// What the scanned posts say, so that a scan that finds no token is known to have looked.
const CONTROL: &str = "CONTROL-TEXT-OF-A-POST-5b2c";

/// A Facebook that wants every call proven, and whose lists begin with an empty page.
pub(crate) fn strict() -> Settings {
    Settings { require_proof: true, empty_first_pages: true, ..Settings::default() }
}

/// A host on which the connector was installed while it runs, and the Facebook that it speaks to.
pub(crate) async fn host(backend: Backend, facebook: Settings, memories: Memories) -> (Host, Sim) {
    let sim = Sim::start(facebook).await;
    let (origin, app) = (sim.origin(), sim.settings());
    let host = Host::start_with(backend, settings(), |config| {
        let connector = ConnectorConfig {
            client_id: Some(app.app_id),
            client_secret: Some(SecretString::from(app.app_secret)),
            endpoints: ["web", "api", "video"].map(|name| (name.to_owned(), origin.clone())).into(),
            visible_after_ms: Some(300),
            ..ConnectorConfig::default()
        };
        config.connectors.insert("facebook".to_owned(), connector);
        config.concurrent_calls = 4;
        memories
    })
    .await;
    sim.register_redirect_uri(format!("{}/social/oauth/facebook/callback", host.url));
    let wasm = std::fs::read(component("facebook")).unwrap();
    let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
    let installed = Box::pin(installing).await;
    assert_eq!(installed.unwrap().state, "active");
    (host, sim)
}

/// Goes through the dialog as the person, and gives status and page of the callback.
pub(crate) async fn consent(sim: &Sim, person: &Person) -> (u16, String) {
    let begun = person.get("/social/oauth/facebook/auth").await;
    let cookie = begun.cookie.clone().expect("a cookie that binds the browser");
    let dialog = begun.expect(200)["auth_url"].as_str().unwrap().to_owned();
    let callback = sim.authorize(&dialog, PERSON);
    let answer = person.http.get(callback).header("cookie", cookie).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// A person who has connected the account, and the connection.
pub(crate) async fn connected(host: &Host, sim: &Sim) -> (Person, Value) {
    let ada = host.person("ada").await;
    let (status, page) = consent(sim, &ada).await;
    assert_eq!(status, 200, "{page}");
    let list = ada.get("/social/connections").await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    let connection = ada.get(&format!("/social/connections/{id}")).await.expect(200);
    (ada, connection)
}

pub(crate) async fn published(ada: &Person, key: &str, post: Value) -> Value {
    let done = ada.published(&post, key, &["published", "failed"]).await;
    assert_eq!(done["state"], "published", "{done:#}");
    done
}

/// Whether a publication was uncertain on its way.
pub(crate) fn was_uncertain(done: &Value) -> bool {
    done["timeline"].as_array().unwrap().iter().any(|event| event["state"] == "uncertain")
}

/// The digest of what is at a URL.
async fn digest(url: &str) -> String {
    let bytes = crate::harness::client().get(url).send().await.unwrap().bytes().await.unwrap();
    hex::encode(Sha256::digest(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_connects_and_chooses_among_the_pages() {
    for backend in BOTH {
        let (host, sim) = host(backend, strict(), Memories::Pooled).await;
        let (ada, connection) = connected(&host, &sim).await;
        assert_eq!((connection["platform"].as_str(), connection["handle"].as_str()), (Some("facebook"), Some(PERSON)));
        assert_eq!(connection["vendor_id"], sim.settings().people[0].id);
        // Of three pages, content may be created on two.
        assert_eq!((connection["target_count"].as_i64(), connection["missing_scopes"].as_str()), (Some(2), Some("")));
        assert_eq!((sim.made().code_exchanges, sim.made().token_exchanges), (1, 1), "the token is a long-lived one");
        let post = |target: Option<&str>| json!({"platform": "facebook", "content": "Where?", "target": target});
        ada.publish(&post(None), "none").await.refused(409, "ambiguous_target");
        ada.publish(&post(Some(ARCHIVE)), "archive").await.refused(422, "invalid_input");
        assert_eq!(sim.made().posts, 0);
        let done = published(&ada, "roastery", post(Some(ROASTERY))).await;
        assert_eq!(done["target"], ROASTERY);
        assert_eq!((sim.posts()[0].page_id.as_str(), sim.posts()[0].message.as_str()), (ROASTERY, "Where?"));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_declined_is_told_and_an_optional_scope_is_only_noted() {
    for backend in BOTH {
        let (host, sim) = host(backend, strict(), Memories::Pooled).await;
        let ada = host.person("ada").await;
        sim.change(|settings| settings.declined_scopes = vec!["pages_manage_posts".to_owned()]);
        let (status, page) = consent(&sim, &ada).await;
        assert!(status == 409 && page.contains("pages_manage_posts"), "{status} {page}");
        assert_eq!(ada.get("/social/connections").await.expect(200)["items"], json!([]));
        sim.change(|settings| settings.declined_scopes = vec!["business_management".to_owned()]);
        let (status, page) = consent(&sim, &ada).await;
        assert_eq!(status, 200, "{page}");
        let list = ada.get("/social/connections").await.expect(200);
        assert_eq!(list["items"][0]["missing_scopes"], "business_management");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_uri_that_facebook_blocks_is_told() {
    for backend in BOTH {
        let (host, sim) = host(backend, strict(), Memories::Pooled).await;
        let ada = host.person("ada").await;
        let begun = ada.get("/social/oauth/facebook/auth").await;
        let cookie = begun.cookie.clone().unwrap();
        let back = sim.authorize(begun.expect(200)["auth_url"].as_str().unwrap(), PERSON);
        sim.change(|settings| settings.redirect_uris.clear());
        let answer = ada.http.get(back).header("cookie", cookie).send().await.unwrap();
        let (status, page) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 409, "{page}");
        for words in ["URL blocked", &format!("there: {}/social/oauth/facebook/callback Then begin again", host.url)] {
            assert!(page.contains(words), "{words}: {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_and_photos_go_to_the_chosen_page() {
    for backend in BOTH {
        let (host, sim) = host(backend, strict(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let web = host.sim.origin();
        let (square, photo) = (format!("{web}/pictures/square.png"), format!("{web}/pictures/photo.jpg"));
        let text = json!({"platform": "facebook", "content": "Good day", "target": COFFEE});
        let done = published(&ada, "text", text).await;
        let posts = sim.posts();
        assert_eq!(done["receipt"][0]["id"], posts[0].id);
        let place = posts[0].id.replacen('_', "/posts/", 1);
        assert_eq!(done["receipt"][0]["url"], format!("https://www.facebook.com/{place}"));
        let one = json!({"platform": "facebook", "target": COFFEE, "parts": [
            {"text": "A square", "media": [{"url": square, "alt_text": "Four equal sides"}]},
        ]});
        let done = published(&ada, "photo", one).await;
        assert_eq!(done["receipt"][0]["id"], sim.posts()[1].id, "the post is named, not its photo");
        let two = json!({"platform": "facebook", "target": COFFEE, "parts": [
            {"text": "Both", "media": [{"url": square, "alt_text": "One"}, {"url": photo}]},
        ]});
        published(&ada, "photos", two).await;
        let (posts, photos) = (sim.posts(), sim.photos());
        let told: Vec<(&str, usize)> = posts.iter().map(|post| (post.message.as_str(), post.media.len())).collect();
        assert_eq!(told, [("Good day", 0), ("A square", 1), ("Both", 2)]);
        assert!(posts.iter().all(|post| post.page_id == COFFEE && post.published));
        let alt_texts: Vec<Option<&str>> = photos.iter().map(|photo| photo.alt_text.as_deref()).collect();
        assert_eq!(alt_texts, [Some("Four equal sides"), Some("One"), None]);
        let digests = [digest(&square).await, digest(&square).await, digest(&photo).await];
        assert_eq!(photos.iter().map(|photo| photo.sha256.clone()).collect::<Vec<_>>(), digests);
        // Whatever makes something is asked for by the page itself, and every call is proven.
        for request in sim.requests().iter().filter(|request| request.method == "POST") {
            assert_eq!(request.user.as_deref(), Some(COFFEE), "{request:?}");
            assert!(request.query_keys.contains(&"appsecret_proof".to_owned()), "{request:?}");
        }
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_goes_in_pieces_and_is_waited_for() {
    for backend in BOTH {
        let facebook = Settings { video_chunk_bytes: 64 << 10, ..strict() };
        let (host, sim) = host(backend, facebook, Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let url = format!("{}/pictures/clip-200000.mp4", host.sim.origin());
        let post = json!({"platform": "facebook", "content": "Watch", "media_urls": [url], "target": COFFEE});
        let done = published(&ada, "video", post).await;
        let videos = sim.videos();
        assert_eq!((videos.len(), videos[0].size_bytes), (1, 200_000));
        assert_eq!((videos[0].description.as_deref(), &videos[0].sha256), (Some("Watch"), &digest(&url).await));
        assert_eq!(done["receipt"][0]["id"], videos[0].id);
        let place = format!("https://www.facebook.com/{COFFEE}/videos/{}/", videos[0].id);
        assert_eq!(done["receipt"][0]["url"], place);
        // A beginning, four pieces and an end.
        assert_eq!(sim.counts()["POST /v26.0/{id}/videos"], 6);
        assert_eq!(videos[0].reads, 2, "Facebook was working on it at the first look");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_facebook_refuses_is_told_in_its_words() {
    for backend in BOTH {
        let (host, sim) = host(backend, strict(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let post = json!({"platform": "facebook", "content": "Twice", "target": COFFEE});
        published(&ada, "first", post.clone()).await;
        let done = ada.published(&post, "second", &["published", "failed"]).await;
        let (kind, code) = (done["fault"]["kind"].as_str(), done["fault"]["code"].as_str());
        assert_eq!((kind, code), (Some("conflict"), Some("506/1455006")), "{done:#}");
        let long = json!({"platform": "facebook", "content": "x".repeat(63_207), "target": COFFEE});
        assert!(ada.publish(&long, "long").await.status.is_client_error());
        sim.change_password(PERSON);
        let post = json!({"platform": "facebook", "content": "Locked out", "target": COFFEE});
        let done = ada.published(&post, "third", &["published", "failed"]).await;
        assert_eq!(done["fault"]["kind"], "auth-expired", "{done:#}");
        assert_eq!(sim.made().posts, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_whose_answer_is_lost_are_found_and_made_once() {
    for backend in BOTH {
        let (host, sim) = host(backend, strict(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let square = format!("{}/pictures/square.png", host.sim.origin());
        let post = |content: &str, media: &[&String]| json!({"platform": "facebook", "content": content, "media_urls": media, "target": COFFEE});
        sim.fault(Fault::on("POST", FEED, Mode::CutAfter));
        assert!(was_uncertain(&published(&ada, "text", post("A text", &[])).await));
        sim.fault(Fault::on("POST", &FEED.replace("feed", "photos"), Mode::CutAfter));
        assert!(was_uncertain(&published(&ada, "photo", post("A photo", &[&square])).await));
        sim.fault(Fault::on("POST", FEED, Mode::CutAfter));
        let several = published(&ada, "photos", post("Photos", &[&square, &square])).await;
        assert!(was_uncertain(&several));
        assert_eq!(several["receipt"][0]["id"], sim.posts()[2].id);
        // Two looks say that this one never arrived; then it is sent.
        sim.fault(Fault::on("POST", FEED, Mode::CutBefore));
        assert!(was_uncertain(&published(&ada, "unsent", post("Not at once", &[])).await));
        // A failure in passing that comes as a 400, after the post was made.
        let passing = json!({"error": {"message": "Please retry.", "type": "OAuthException", "code": 2}});
        let canned = Canned { status: 400, body: Some(passing), ..Canned::default() };
        sim.fault(Fault::on("POST", FEED, Mode::ExecutedThenStatus(canned)));
        assert!(was_uncertain(&published(&ada, "passing", post("In passing", &[])).await));
        let told: Vec<(String, usize)> = sim.posts().into_iter().map(|post| (post.message, post.media.len())).collect();
        let expected = [("A text", 0), ("A photo", 1), ("Photos", 2), ("Not at once", 0), ("In passing", 0)];
        assert_eq!(told, expected.map(|(message, media)| (message.to_owned(), media)));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_of_which_two_answers_are_lost_is_published_once() {
    for backend in BOTH {
        let (host, sim) = host(backend, strict(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let videos = FEED.replace("feed", "videos");
        // The answers to the one piece, and to the end behind the piece that is sent again.
        sim.fault(Fault::on("POST", &videos, Mode::CutAfter).skip(1));
        sim.fault(Fault::on("POST", &videos, Mode::CutAfter).skip(1));
        let url = format!("{}/pictures/clip-70000.mp4", host.sim.origin());
        let post = json!({"platform": "facebook", "content": "Watch", "media_urls": [url], "target": COFFEE});
        let done = published(&ada, "video", post).await;
        assert!(was_uncertain(&done), "{done:#}");
        assert_eq!((sim.made().videos, sim.made().posts), (1, 1));
        assert_eq!(done["receipt"][0]["id"], sim.videos()[0].id);
        assert_eq!(sim.videos()[0].sha256, digest(&url).await);
        // Beginning, piece, the piece again, end: nothing after that.
        assert_eq!(sim.counts()["POST /v26.0/{id}/videos"], 4);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_ends_the_app_at_facebook() {
    for backend in BOTH {
        let (host, sim) = host(backend, strict(), Memories::Pooled).await;
        let (ada, connection) = connected(&host, &sim).await;
        let path = format!("/social/connections/{}", connection["id"].as_str().unwrap());
        ada.call(reqwest::Method::DELETE, &path, None).await.expect(204);
        assert_eq!(sim.counts()["DELETE /v26.0/me/permissions"], 1);
        ada.get(&path).await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_of_a_page_reaches_a_guest_an_answer_the_log_or_the_database() {
    let lines = log();
    for backend in BOTH {
        let watched = Watched::new([MARK, CONTROL, "orla-demo-facebook-secret"]);
        let facebook = Settings { token_prefix: MARK.to_owned(), ..strict() };
        let (host, sim) = host(backend, facebook, Memories::From(Arc::new(watched.clone()))).await;
        let (ada, connection) = connected(&host, &sim).await;
        let mut answers = vec![connection];
        let post = |content: &str| json!({"platform": "facebook", "content": content, "target": COFFEE});
        answers.push(published(&ada, "plain", post(CONTROL)).await);
        // Looked for in a list whose link holds the page's token; and an answer that repeats that token.
        sim.fault(Fault::on("POST", FEED, Mode::CutAfter));
        answers.push(published(&ada, "lost", post("Lost and found")).await);
        sim.fault(Fault::on("POST", FEED, Mode::EchoToken));
        answers.push(ada.published(&post("Echoed"), "echo", &["published", "failed"]).await);
        sim.change_password(PERSON);
        answers.push(ada.published(&post("Refused"), "refused", &["published", "failed"]).await);
        for path in ["/social/connections", "/social/publications"] {
            answers.push(ada.get(path).await.expect(200));
        }
        // A code, a short-lived and a long-lived token, and three pages'.
        assert_eq!(sim.tokens().len(), 6);
        assert!(watched.hits(CONTROL) > 0, "the scan of guests' memories finds what is there");
        let (answers, database, log) = (serde_json::to_vec(&answers).unwrap(), dump(&host).await, lines.bytes());
        for secret in [MARK, "orla-demo-facebook-secret"] {
            assert_eq!(watched.hits(secret), 0, "{secret} was in a guest's memory");
            for (what, bytes) in [("an answer", &answers), ("the log", &log), ("the database", &database)] {
                assert!(bytes.len() > 100, "{what} is empty");
                assert!(!contains(bytes, secret), "{secret} is in {what}");
            }
        }
    }
}
