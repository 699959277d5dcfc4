//! Temporary links.

use reqwest::StatusCode;
use serde_json::json;

use crate::{Bench, Caller, sent, text};

impl Caller<'_> {
    async fn link(&self, path: &str) -> String {
        let answer = self.read("files/get_temporary_link", &json!({ "path": path })).await;
        assert_eq!(answer["metadata"]["path_lower"], path);
        text(&answer["link"])
    }
}

#[tokio::test]
async fn a_link_serves_anybody_for_four_hours() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let link = caller.link("/wave.gif").await;
    let follow = || bench.http.get(&link);
    let whole = sent(follow()).await;
    assert_eq!((whole.status(), &whole.headers()["content-type"]), (StatusCode::OK, &"image/gif".parse().unwrap()));
    let whole = whole.bytes().await.unwrap();
    let part = sent(follow().header("range", "bytes=2-5")).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes().await.unwrap(), whole[2..6]);
    bench.sim.advance(4 * 3_600 - 60);
    assert_eq!(sent(follow()).await.status(), StatusCode::OK);
    bench.sim.advance(60);
    assert_eq!(sent(follow()).await.status(), StatusCode::GONE);
    assert_eq!(sent(bench.http.get(bench.url("/cd/0/get/nothing/file"))).await.status(), StatusCode::NOT_FOUND);
    let tally = bench.sim.tally();
    assert_eq!((tally.links, tally.downloads, tally.bytes), (1, 3, 2 * whole.len() as u64 + 4));
}

#[tokio::test]
async fn not_everything_can_be_linked_to() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let refusal =
        async |path: &str| text(&caller.conflict("files/get_temporary_link", &json!({ "path": path })).await[".tag"]);
    assert_eq!(refusal("/Brand/Guide.gdoc").await, "unsupported_file");
    assert_eq!(refusal("/Brand").await, "path");
    bench.sim.change(|settings| settings.accounts[0].email_verified = false);
    assert_eq!(refusal("/Wave.gif").await, "email_not_verified");
}
