//! Search by name.

use orla_vendors::dropbox::{Content, File};
use serde_json::{Value, json};

use crate::{Bench, bad_input, text};

fn paths(page: &Value) -> Vec<String> {
    let matches = page["matches"].as_array().expect("there is a list of matches");
    matches.iter().map(|found| text(&found["metadata"]["metadata"]["path_display"])).collect()
}

async fn bench() -> Bench {
    let file = |path: &str, modified: &str| File::new(path, Content::SquarePng).modified(modified);
    Bench::of(vec![
        file("/Brand/Logo.png", "2026-01-01T00:00:00Z"),
        file("/Brand/Logo grün 🦀.PNG", "2026-01-03T00:00:00Z"),
        file("/Old/company-logo.jpg", "2026-01-02T00:00:00Z"),
        file("/Old/Analogous.png", "2026-01-02T00:00:00Z"),
        file("/Logos/Readme.txt", "2026-01-02T00:00:00Z"),
    ])
    .await
}

#[tokio::test]
async fn words_begin_words_of_names_and_options_narrow() {
    let bench = bench().await;
    let caller = bench.caller().await;
    let search = async |query: &str, options: Value| {
        paths(&caller.read("files/search_v2", &json!({ "query": query, "options": options })).await)
    };
    let all = ["/Brand/Logo grün 🦀.PNG", "/Brand/Logo.png", "/Logos", "/Old/company-logo.jpg"];
    assert_eq!(search("logo", json!({})).await, all);
    assert_eq!(search("GRÜN logo", json!({})).await, all[..1]);
    assert_eq!(search("logo", json!({ "path": "/old" })).await, all[3..]);
    assert_eq!(search("logo", json!({ "file_extensions": ["png"] })).await, all[..2]);
    assert_eq!(search("logo", json!({ "file_categories": ["folder"] })).await, all[2..3]);
    assert_eq!(search("readme", json!({ "file_categories": [{ ".tag": "document" }] })).await, ["/Logos/Readme.txt"]);
    let newest = json!({ "order_by": { ".tag": "last_modified_time" }, "file_categories": ["image"] });
    assert_eq!(search("logo", newest).await, [all[0], all[3], all[1]]);
    assert!(search("logo", json!({ "file_status": "deleted" })).await.is_empty());
    assert!(search("ogo", json!({})).await.is_empty());
    let found = caller.read("files/search_v2", &json!({ "query": "readme" })).await;
    assert_eq!((found.get("cursor"), &found["has_more"]), (None, &json!(false)));
    assert_eq!(found["matches"][0]["match_type"], json!({ ".tag": "filename" }));
    assert_eq!(found["matches"][0]["metadata"][".tag"], "metadata");
    assert_eq!(bench.sim.tally().searches, 10);
}

#[tokio::test]
async fn a_search_goes_on_where_it_ended() {
    let bench = bench().await;
    let caller = bench.caller().await;
    let options = json!({ "path": "", "max_results": 3, "file_status": "active", "filename_only": true });
    let first = caller.read("files/search_v2", &json!({ "query": "logo", "options": options })).await;
    assert_eq!((paths(&first).len(), &first["has_more"]), (3, &json!(true)));
    for _ in 0..2 {
        let second = caller.read("files/search/continue_v2", &json!({ "cursor": first["cursor"] })).await;
        assert_eq!((paths(&second).len(), &second["has_more"]), (1, &json!(false)));
    }
    assert_eq!(bench.sim.tally().search_continues, 2);
    bad_input(caller.call("files/search/continue_v2", &json!({ "cursor": "made up" }))).await;
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_refused() {
    let bench = bench().await;
    let caller = bench.caller().await;
    assert_eq!(caller.conflict("files/search_v2", &json!({ "query": " " })).await[".tag"], "invalid_argument");
    let nowhere = json!({ "query": "x", "options": { "path": "/nowhere" } });
    assert_eq!(caller.conflict("files/search_v2", &nowhere).await["path"][".tag"], "not_found");
    for options in [
        json!({ "max_results": 0 }),
        json!({ "max_results": 1_001 }),
        json!({ "order_by": "size" }),
        json!({ "file_status": "lost" }),
        json!({ "file_categories": ["picture"] }),
        json!({ "limit": 1 }),
    ] {
        bad_input(caller.call("files/search_v2", &json!({ "query": "x", "options": options }))).await;
    }
    bad_input(caller.call("files/search_v2", &json!({ "query": "x".repeat(1_001) }))).await;
}
