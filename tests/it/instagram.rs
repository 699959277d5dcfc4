//! Instagram: images are fetched from the host by sealed URLs, films are uploaded, and whatever goes wrong in between, each post
//! is published once.

mod lost;
mod pulled;

use crate::harness::{BOTH, Backend, Host, Person, client, component, settings};
use orla::config::{Config, ConnectorConfig};
use orla::connectors::{Actor, Consent, Memories, Then};
use orla_vendors::facebook;
use orla_vendors::instagram::{Kind, Settings, Sim};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

const PERSON: &str = "Orla Demo";
/// The one account that the person may post as.
pub(crate) const ACCOUNT: &str = "17841400000000001";
const MEDIA: &str = "/v26.0/17841400000000001/media";
const PUBLISH: &str = "/v26.0/17841400000000001/media_publish";

/// The operator's settings of the connector.
fn connector(sim: &Sim) -> ConnectorConfig {
    let (origin, app) = (sim.origin(), sim.settings());
    ConnectorConfig {
        client_id: Some(app.app_id),
        client_secret: Some(SecretString::from(app.app_secret)),
        endpoints: ["web", "api", "upload"].map(|name| (name.to_owned(), origin.clone())).into(),
        visible_after_ms: Some(300),
        ..ConnectorConfig::default()
    }
}

/// A host on which the connector was installed, and an Instagram that wants every call proven and whose lists begin with an
/// empty page.
pub(crate) async fn host(backend: Backend, instagram: Settings) -> (Host, Sim) {
    let graph = facebook::Settings { require_proof: true, empty_first_pages: true, instagram, ..Default::default() };
    let sim = Sim::start(graph).await;
    let host = Host::start_with(backend, settings(), |config: &mut Config| {
        config.connectors.insert("instagram".to_owned(), connector(&sim));
        Memories::Pooled
    })
    .await;
    sim.register_redirect_uri(format!("{}/social/oauth/instagram/callback", host.url));
    let wasm = std::fs::read(component("instagram")).unwrap();
    let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
    assert_eq!(Box::pin(installing).await.unwrap().state, "active");
    (host, sim)
}

/// A person of this name who has connected the account, and the connection.
pub(crate) async fn connected(host: &Host, sim: &Sim, name: &str) -> (Person, Value) {
    let person = host.person(name).await;
    let begun = person.get("/social/oauth/instagram/auth").await;
    let cookie = begun.cookie.clone().expect("a cookie that binds the browser");
    let dialog = begun.expect(200)["auth_url"].as_str().unwrap().to_owned();
    let callback = sim.authorize(&dialog, PERSON);
    let answer = person.http.get(callback).header("cookie", cookie).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    let list = person.get("/social/connections").await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    let connection = person.get(&format!("/social/connections/{id}")).await.expect(200);
    (person, connection)
}

/// Where a picture or a film of the outside world is.
pub(crate) fn at(host: &Host, name: &str) -> String {
    format!("{}/pictures/{name}", host.sim.origin())
}

pub(crate) fn post(content: &str, media: &[&String]) -> Value {
    json!({"platform": "instagram", "content": content, "media_urls": media})
}

async fn published(person: &Person, key: &str, post: Value) -> Value {
    let done = person.published(&post, key, &["published", "failed"]).await;
    assert_eq!(done["state"], "published", "{done:#}");
    done
}

/// The digest of what is at a URL.
async fn digest(url: &str) -> String {
    let bytes = client().get(url).send().await.unwrap().bytes().await.unwrap();
    hex::encode(Sha256::digest(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_fetched_from_the_host_and_published() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default()).await;
        let (ada, connection) = connected(&host, &sim, "ada").await;
        // Of two accounts, one may be posted to, so a post need not name it.
        assert_eq!(
            (connection["platform"].as_str(), connection["target_count"].as_i64()),
            (Some("instagram"), Some(1))
        );
        let photo = at(&host, "photo.jpg");
        let part = json!({"text": "Look #tea", "media": [{"url": photo, "alt_text": "A cup"}]});
        let done = published(&ada, "image", json!({"platform": "instagram", "parts": [part]})).await;
        assert_eq!(done["target"], ACCOUNT);
        let (media, containers) = (sim.instagram_media(), sim.instagram_containers());
        assert_eq!((media.len(), containers.len(), sim.instagram_made().fetched), (1, 1, 1));
        assert_eq!((media[0].kind, media[0].caption.as_str()), (Kind::Image, "Look #tea"));
        assert_eq!((media[0].alt_text.as_deref(), &media[0].sha256), (Some("A cup"), &Some(digest(&photo).await)));
        assert_eq!(done["receipt"][0]["id"], media[0].id);
        assert!(done["receipt"][0]["url"].as_str().unwrap().starts_with("https://www.instagram.com/p/"), "{done:#}");
        let url = containers[0].url.clone().unwrap();
        assert!(url.starts_with(&format!("{}/media/", host.url)), "{url}");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carousel_has_images_and_films() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings { processing_reads: 0, ..Settings::default() }).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        let (photo, film) = (at(&host, "photo.jpg"), at(&host, "clip-50000.mp4"));
        let done = published(&ada, "carousel", post("All three", &[&photo, &film, &photo])).await;
        let media = sim.instagram_media();
        assert_eq!((media.len(), media[0].kind, media[0].children.len()), (1, Kind::Carousel, 3));
        assert_eq!(done["receipt"][0]["id"], media[0].id);
        let of = |id: &String| sim.instagram_containers().into_iter().find(|one| one.id == *id).unwrap();
        let films: Vec<bool> = media[0].children.iter().map(|id| of(id).is_film).collect();
        assert_eq!(films, [false, true, false]);
        assert_eq!(of(&media[0].children[1]).sha256, Some(digest(&film).await));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reel_is_uploaded_goes_on_where_it_broke_off_and_is_waited_for() {
    for backend in BOTH {
        let instagram = Settings { upload_breaks_after_bytes: Some(70_000), ..Settings::default() };
        let (host, sim) = host(backend, instagram).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        let film = at(&host, "clip-200000.mp4");
        let done = published(&ada, "reel", post("Watch", &[&film])).await;
        let media = sim.instagram_media();
        assert_eq!((media.len(), media[0].kind, &media[0].sha256), (1, Kind::Reel, &Some(digest(&film).await)));
        assert!(done["receipt"][0]["url"].as_str().unwrap().contains("/reel/"), "{done:#}");
        let counts = sim.counts();
        assert_eq!(counts["POST /ig-api-upload/v26.0/{id}"], 2, "{counts:?}");
        assert_eq!(sim.instagram_made().containers, 1);
        assert_eq!(sim.instagram_containers()[0].reads, 2, "Instagram was working on it at the first look");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_instagram_cannot_process_is_told_in_its_words() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings { processing_error: Some(2_207_026), ..Settings::default() }).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        let photo = at(&host, "photo.jpg");
        let done = ada.published(&post("Look", &[&photo]), "bad", &["published", "failed"]).await;
        let fault = &done["fault"];
        assert_eq!((&fault["kind"], &fault["code"]), (&json!("invalid"), &json!("2207026")), "{done:#}");
        assert_eq!(fault["field"], "parts/0/media/0");
        // A failure in passing is another matter: the container is made anew.
        sim.change(|settings| settings.instagram.processing_error = Some(2_207_053));
        let id = ada.publish(&post("Again", &[&photo]), "again").await.expect(202)["id"].as_str().unwrap().to_owned();
        ada.wait(&id, &["pending"]).await;
        sim.change(|settings| settings.instagram.processing_error = None);
        let done = ada.wait(&id, &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert_eq!(sim.instagram_made().media, 1);
        assert!(sim.instagram_made().containers > 2);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_has_published_its_fill_makes_nothing_more() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings { media_a_day: 1, ..Settings::default() }).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        let photo = at(&host, "photo.jpg");
        published(&ada, "first", post("One", &[&photo])).await;
        let done = ada.published(&post("Two", &[&photo]), "second", &["published", "failed"]).await;
        assert_eq!(done["fault"]["kind"], "quota", "{done:#}");
        assert!(done["fault"]["message"].as_str().unwrap().contains("1 posts of an account in 24 hours"), "{done:#}");
        assert_eq!((sim.instagram_made().containers, sim.instagram_made().media), (1, 1));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_instagram_takes_not_is_told_before_anything_is_sent() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default()).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        ada.publish(&post("Words alone", &[]), "text").await.refused(422, "invalid_input");
        let done = ada.published(&post("Look", &[&at(&host, "anim.gif")]), "gif", &["published", "failed"]).await;
        assert_eq!((&done["state"], &done["fault"]["kind"]), (&json!("failed"), &json!("invalid")), "{done:#}");
        assert!(done["fault"]["message"].as_str().unwrap().contains("image/gif"), "{done:#}");
        assert_eq!(sim.instagram_made().containers, 0);
        // A PNG is handed over as the JPEG that it can be.
        published(&ada, "png", post("Look", &[&at(&host, "square.png")])).await;
        assert_eq!(sim.instagram_made().media, 1);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_are_listed_and_replied_to() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default()).await;
        let (ada, connection) = connected(&host, &sim, "ada").await;
        host.grant(ada.workspace, 10).await;
        let photo = at(&host, "photo.jpg");
        let done = published(&ada, "post", post("Open now", &[&photo])).await;
        let (publication, medium) = (done["id"].as_str().unwrap(), done["receipt"][0]["id"].as_str().unwrap());
        let theirs = sim.instagram_comment(medium, "ann", "When do you open?").unwrap();
        let list = format!("/social/engagement/comments?publication_id={publication}");
        let first = ada.get(&list).await.expect(200);
        assert_eq!(first["items"], json!([]), "the first page is empty");
        let cursor = first["next_cursor"].as_str().unwrap();
        let comment = ada.get(&format!("{list}&cursor={cursor}")).await.expect(200)["items"][0].clone();
        assert_eq!((&comment["vendor_id"], &comment["text"]), (&json!(theirs), &json!("When do you open?")));
        let body = json!({"connection_id": connection["id"], "comment_id": comment["id"], "text": "At seven"});
        let taken = ada.post("/social/engagement/replies", &body).await.expect(202);
        let mut said = Vec::new();
        for _ in 0..200 {
            said = sim.instagram_comments();
            if said.len() > 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!((said[1].text.as_str(), said[1].parent_id.as_ref()), ("At seven", Some(&theirs)));
        let reply = crate::engagement::stage::wait(&ada, taken["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!((&reply["state"], sim.instagram_made().comments), (&json!("published"), 1), "{reply:#}");
        host.check_books().await;
    }
}
