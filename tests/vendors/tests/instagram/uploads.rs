//! Films that are uploaded.

use orla_vendors::instagram::Settings;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Bench, Caller, MEDIA, SCOPES, body, sent};

fn film() -> Vec<u8> {
    let mut bytes = b"\0\0\0\x18ftypisom\0\0\x02\0isommp42".to_vec();
    bytes.resize(1_000, 7);
    bytes
}

async fn reel(person: &Caller<'_>) -> String {
    person.made(MEDIA, &[("upload_type", "resumable"), ("media_type", "REELS"), ("caption", "Watch")]).await
}

async fn transferred(person: &Caller<'_>, id: &str) -> Value {
    person.read(&format!("{id}?fields=video_status")).await["video_status"]["uploading_phase"].clone()
}

/// The status and type of a refusal.
async fn refused(request: reqwest::RequestBuilder) -> (u16, String, bool) {
    let response = sent(request).await;
    let status = response.status().as_u16();
    let answer: Value = response.json().await.expect("the body is JSON");
    let info = &answer["debug_info"];
    (status, info["type"].as_str().unwrap_or_default().to_owned(), info["retriable"] == true)
}

#[tokio::test]
async fn a_film_is_uploaded_processed_and_published() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let (id, film) = (reel(&person).await, film());
    assert_eq!(transferred(&person, &id).await, json!({ "status": "not_started", "bytes_transferred": 0 }));
    assert_eq!(person.status(&id).await, "IN_PROGRESS");
    let answer = body(sent(person.upload(&id, (0, film.len()), &film)).await, StatusCode::OK).await;
    assert_eq!(answer["success"], true);
    assert_eq!(person.status(&id).await, "IN_PROGRESS");
    assert_eq!(person.status(&id).await, "FINISHED");
    let medium = person.published(&id).await;
    assert!(person.read(&format!("{medium}?fields=permalink")).await["permalink"].as_str().unwrap().contains("/reel/"));
    let kept = bench.sim.instagram_media().remove(0);
    assert_eq!((kept.sha256.as_deref(), kept.is_film), (Some(hex(&film).as_str()), true));
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn an_upload_that_broke_off_goes_on() {
    let bench = Bench::with(Settings { upload_breaks_after_bytes: Some(400), ..Settings::default() }).await;
    let person = bench.person(SCOPES);
    let (id, film) = (reel(&person).await, film());
    let broken = refused(person.upload(&id, (0, film.len()), &film)).await;
    assert_eq!(broken, (500, "PartialRequestError".to_owned(), true));
    assert_eq!(transferred(&person, &id).await, json!({ "status": "in_progress", "bytes_transferred": 400 }));
    let again = refused(person.upload(&id, (0, film.len()), &film)).await;
    assert_eq!(again, (400, "OffsetInvalidError".to_owned(), true));
    body(sent(person.upload(&id, (400, film.len()), &film[400..])).await, StatusCode::OK).await;
    assert_eq!(bench.sim.instagram_containers()[0].sha256, Some(hex(&film)));
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let (id, film) = (reel(&person).await, film());
    for request in [
        person.upload(&id, (0, 999), &film),
        person.upload(&id, (1, film.len()), &film),
        person.bench.http.post(format!("{}/ig-api-upload/v26.0/{id}", bench.sim.origin())).bearer_auth(&person.token),
        person.upload("1", (0, film.len()), &film),
        person.upload(&person.image(&[]).await, (0, film.len()), &film),
    ] {
        assert!(sent(request).await.status().is_client_error());
    }
    body(sent(person.upload(&id, (0, 12), b"no film here")).await, StatusCode::OK).await;
    assert_eq!(person.status(&id).await, "ERROR");
}
