//! Answers that are lost, containers that grow old meanwhile, and a host that dies.

use super::{ACCOUNT, MEDIA, PUBLISH, Settings, Sim, at, connected, host, post, published};
use crate::crash::walk::{Ground, Sides, Wish, walk};
use crate::facebook::was_uncertain;
use crate::harness::{BOTH, Backend};
use orla_vendors::instagram::{Canned, Fault, Mode};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn posts_whose_answer_is_lost_are_found_and_published_once() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings { processing_reads: 0, ..Settings::default() }).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        let (photo, film) = (at(&host, "photo.jpg"), at(&host, "clip-5000.mp4"));
        let passing = json!({"error": {"message": "Please retry.", "type": "OAuthException", "code": 2}});
        let passing = Canned { status: 400, body: Some(passing), ..Canned::default() };
        let image = vec![&photo];
        for (key, media, mode) in [
            ("An image", image.clone(), Mode::CutAfter),
            ("A carousel", vec![&photo, &film], Mode::CutAfter),
            ("A reel", vec![&film], Mode::executed_then_status(500)),
            // Two looks say that this one never arrived; then it is sent.
            ("Not at once", image.clone(), Mode::CutBefore),
            // A failure in passing that comes as a 400, after the post was made.
            ("In passing", image.clone(), Mode::ExecutedThenStatus(passing)),
        ] {
            sim.fault(Fault::on("POST", PUBLISH, mode));
            let done = published(&ada, key, post(key, &media)).await;
            assert!(was_uncertain(&done), "{key}: {done:#}");
            let medium = sim.instagram_media().pop().unwrap();
            assert_eq!((done["receipt"][0]["id"].as_str(), medium.caption.as_str()), (Some(medium.id.as_str()), key));
        }
        assert_eq!(sim.instagram_media().len(), 5);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_whose_answer_is_lost_are_made_again_and_one_is_published() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings { processing_reads: 0, ..Settings::default() }).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        let (photo, film) = (at(&host, "photo.jpg"), at(&host, "clip-5000.mp4"));
        sim.fault(Fault::on("POST", MEDIA, Mode::CutAfter).skip(1));
        sim.fault(Fault::on("POST", "/ig-api-upload/v26.0/*", Mode::CutAfter));
        let done = published(&ada, "both", post("Both", &[&photo, &film])).await;
        assert!(!was_uncertain(&done), "nobody sees a container: {done:#}");
        // One of each child, one more of the film, and the carousel.
        assert_eq!((sim.instagram_made().containers, sim.instagram_made().media), (4, 1));
        assert_eq!(sim.counts()["POST /ig-api-upload/v26.0/{id}"], 1, "all of it was there already");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_has_grown_old_is_made_anew() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default()).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        let photo = at(&host, "photo.jpg");
        sim.fault(Fault::on("POST", PUBLISH, Mode::status(503)));
        let id = ada.publish(&post("Late", &[&photo]), "late").await.expect(202)["id"].as_str().unwrap().to_owned();
        ada.wait(&id, &["uncertain"]).await;
        // A day passes at Instagram before it is known that nothing was published.
        sim.advance(86_400);
        let done = ada.wait(&id, &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let containers = sim.instagram_containers();
        assert_eq!((containers.len(), sim.instagram_made().media), (2, 1));
        let (first, second) = (containers[0].url.clone().unwrap(), containers[1].url.clone().unwrap());
        assert_ne!(first, second, "it is fetched by a URL of its own");
        assert_eq!(containers[0].sha256, containers[1].sha256);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_caption_a_person_says_what_became_of_it() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default()).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        let photo = at(&host, "photo.jpg");
        sim.fault(Fault::on("POST", PUBLISH, Mode::CutAfter));
        let bare = json!({"platform": "instagram", "media_urls": [photo]});
        let id = ada.publish(&bare, "bare").await.expect(202)["id"].as_str().unwrap().to_owned();
        ada.wait(&id, &["uncertain"]).await;
        let medium = sim.instagram_media().remove(0).id;
        let word = json!({"key": "part/0", "outcome": "published", "vendor_id": medium});
        ada.post(&format!("/social/publications/{id}/resolve"), &word).await.expect(202);
        let done = ada.wait(&id, &["published", "failed"]).await;
        assert_eq!((&done["state"], &done["receipt"][0]["id"]), (&json!("published"), &json!(medium)), "{done:#}");
        assert_eq!(sim.instagram_made().media, 1);
        host.check_books().await;
    }
}

/// What a host in a process of its own is told of the connector.
fn environment(sim: &Sim) -> Vec<(&'static str, String)> {
    let app = sim.settings();
    let mut all = vec![
        ("ORLA_CONNECTORS__INSTAGRAM__CLIENT_ID", app.app_id),
        ("ORLA_CONNECTORS__INSTAGRAM__CLIENT_SECRET", app.app_secret),
        ("ORLA_CONNECTORS__INSTAGRAM__VISIBLE_AFTER_MS", "150".to_owned()),
    ];
    let endpoints = [
        "ORLA_CONNECTORS__INSTAGRAM__ENDPOINTS__API",
        "ORLA_CONNECTORS__INSTAGRAM__ENDPOINTS__UPLOAD",
        "ORLA_CONNECTORS__INSTAGRAM__ENDPOINTS__WEB",
    ];
    all.extend(endpoints.map(|name| (name, sim.origin())));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_publishes_one_medium() {
    for backend in BOTH {
        walk_carousels(backend).await;
    }
}

async fn walk_carousels(backend: Backend) {
    let instagram =
        Settings { processing_reads: 0, containers_a_day: 10_000, media_a_day: 10_000, ..Settings::default() };
    let (host, sim) = host(backend, instagram).await;
    let (ada, _) = connected(&host, &sim, "ada").await;
    let media = [at(&host, "photo.jpg"), at(&host, "clip-5000.mp4")];
    let ground = Ground::after(&host, ada, environment(&sim)).await;
    walk(Sides::Both, 20, async |crash_at| {
        let died = ground.round(&Wish::publish(crash_at, post(crash_at, &[&media[0], &media[1]]))).await;
        let made = sim.instagram_media().into_iter().filter(|medium| medium.caption == crash_at);
        let children: Vec<usize> = made.map(|medium| medium.children.len()).collect();
        assert_eq!(children, [2], "{backend:?}, crash at {crash_at}");
        died
    })
    .await;
    assert!(sim.instagram_media().iter().all(|medium| medium.account_id == ACCOUNT));
    ground.check_books(0).await;
}
