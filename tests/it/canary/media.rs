//! Networks to which media go: one fetches them by sealed URLs, the other takes them by a link that only the host knows.

use super::scan::Canary;
use super::stage::{self, CONTROL, PROFESSIONAL, Stage, publish_whole};
use crate::harness::Person;
use orla_vendors::facebook;
use orla_vendors::youtube::{Fault, Mode};
use serde_json::{Value, json};

/// The long-lived token of a person who has an Instagram account, and the URL by which Instagram fetches a picture.
pub(super) async fn at_instagram(stage: &Stage, ada: &Person) -> Vec<Canary> {
    let vendor = &stage.facebook;
    let ties = stage.connect(ada, "/social/oauth/instagram", |page| vendor.authorize(page, "Orla Demo")).await;
    let picture = format!("{}/pictures/photo.jpg", stage.host.sim.origin());
    let post = |content: &str| json!({"platform": "instagram", "content": content, "target": PROFESSIONAL, "media_urls": [picture]});
    let done = publish_whole(ada, &post(CONTROL)).await;
    assert_eq!(done["state"], "published", "{done:#}");
    let path = format!("/v26.0/{PROFESSIONAL}/media");
    vendor.fault(facebook::Fault::on("POST", &path, facebook::Mode::EchoToken));
    publish_whole(ada, &post("Echoed")).await;
    ties.into()
}

/// Codes, access tokens, refresh tokens, and the link of an upload.
pub(super) async fn at_youtube(stage: &Stage, ada: &Person) -> Vec<Canary> {
    let vendor = &stage.youtube;
    let account = crate::youtube::ACCOUNT;
    let ties = stage.connect(ada, "/social/oauth/youtube", |page| vendor.authorize(page, account)).await;
    let film = format!("{}/pictures/clip-300000.mp4", stage.host.sim.origin());
    let post = |content: &str| -> Value {
        json!({"platform": "youtube", "title": CONTROL, "content": content, "media_urls": [film]})
    };
    let done = publish_whole(ada, &post(CONTROL)).await;
    assert_eq!(done["state"], "published", "{done:#}");
    vendor.fault(Fault::on("POST", "/upload/youtube/v3/videos", Mode::EchoToken));
    publish_whole(ada, &post("Echoed")).await;
    let minted = [
        Canary::new("what YouTube mints", stage::YOUTUBE),
        Canary::new("the secret of YouTube's app", stage::YOUTUBE_APP),
        Canary::new("the link of an upload", stage::UPLOAD),
    ];
    ties.into_iter().chain(minted).collect()
}
