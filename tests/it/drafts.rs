//! Drafts: saved as they are, told what is wrong with them, never overwritten unseen, and published once a version.

use crate::gallery::{Stage, fields, hours, matching, set};
use crate::harness::{Answer, BOTH, Host, Person};
use reqwest::Method;
use serde_json::{Value, json};

fn path(draft: &Value, more: &str) -> String {
    format!("/drafts/{}{more}", draft["id"].as_str().unwrap())
}

async fn begun(person: &Person, post: Value) -> Value {
    person.post("/drafts", &json!({"name": "Monday", "post": post})).await.expect(201)
}

async fn saved(person: &Person, draft: &Value, version: i64, post: &Value) -> Answer {
    person.put(&path(draft, ""), &json!({"name": "Monday", "post": post, "version": version})).await
}

async fn gone_out(stage: &Stage, draft: &Value, version: i64) -> Answer {
    stage.ada.post(&path(draft, "/publish"), &json!({"version": version})).await
}

fn told(draft: &Value) -> (Vec<String>, String) {
    fields(draft["problems"].as_array().unwrap_or_else(|| panic!("{draft:#}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_saved_as_it_is_and_told_what_is_wrong() {
    for backend in BOTH {
        let stage = set(backend).await;
        let ada = &stage.ada;
        let empty = ada.post("/drafts", &json!({})).await.expect(201);
        assert_eq!((told(&empty).0, &empty["version"]), (vec!["variants".to_owned()], &json!(1)), "{empty:#}");
        let media = [stage.web.url("a-1001x600.jpg"), stage.web.url("a-300x200.jpg"), stage.web.url("none.jpg")];
        let draft = begun(ada, json!({
            "media_urls": media,
            "variants": [{}, {"platform": "twitter", "content": "x".repeat(281)}, {"platform": "gallery"}, {"platform": "myspace"}],
        }))
        .await;
        let (at, words) = told(&draft);
        let wanted = [
            "variants/0/connection_id",
            "variants/1/parts/0/media/2",
            "variants/2/parts/0/media/2",
            "variants/2/parts/0/media/0",
            "variants/3/platform",
        ];
        assert_eq!(at, wanted, "{words}");
        // Each change is told what is wrong then.
        stage.web.put("none.jpg", "b-100x100.jpg");
        let post = json!({"media_urls": media, "variants": [{"platform": "gallery", "content": "never"}, {"platform": "twitter"}]});
        let draft = saved(ada, &draft, 1, &post).await.expect(200);
        assert_eq!(told(&draft).0, ["variants/0/parts/0/media/0", "variants/0/parts/0/text"], "{draft:#}");
        let fine = json!({"content": "fine", "media_urls": media[1..], "variants": [{"platform": "gallery"}, {"platform": "twitter"}]});
        let draft = saved(ada, &draft, 2, &fine).await.expect(200);
        assert_eq!((&draft["problems"], &draft["post"]), (&json!([]), &fine), "{draft:#}");
        assert_eq!(stage.web.fetched("a-300x200.jpg"), 1, "what was fetched for one save serves the next");
        // A server that is down is told, and stops nothing.
        stage.web.down(true);
        let post = json!({"content": "x", "media_urls": [stage.web.url("c-300x200.jpg")], "variants": [{"platform": "gallery"}]});
        let draft = saved(ada, &draft, 3, &post).await.expect(200);
        assert!(told(&draft).1.contains("answered 503"), "{draft:#}");
        assert!(stage.texts().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_overwrites_what_he_has_not_seen() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, bob) = (host.person("ada").await, host.person("bob").await);
        let post = |content: &str| json!({"content": content});
        let draft = begun(&ada, post("one")).await;
        let (first, second) = (post("ada's"), post("ann's"));
        let (first, second) = tokio::join!(saved(&ada, &draft, 1, &first), saved(&ada, &draft, 1, &second));
        let (won, lost) = if first.status == 200 { (first, second) } else { (second, first) };
        let (won, lost) = (won.expect(200), lost.expect(409));
        assert_eq!((&lost["code"], &lost["current"]["version"]), (&json!("stale_draft"), &json!(2)), "{lost:#}");
        assert_eq!(lost["current"]["post"], won["post"]);
        // By the header as well, which comes before the body.
        let body = json!({"post": post("two"), "version": 1});
        let by = async |version: &str| matching(&ada, Method::PUT, &path(&draft, ""), version, &body).await;
        by("\"1\"").await.refused(409, "stale_draft");
        by("abc").await.refused(400, "malformed_request");
        assert_eq!(by("\"2\"").await.expect(200)["version"], 3);
        ada.put(&path(&draft, ""), &json!({"post": post("x")})).await.refused(422, "invalid_input");
        // Versions, and one that is taken up again.
        let versions = ada.get(&path(&draft, "/versions")).await.expect(200);
        let listed: Vec<i64> =
            versions["items"].as_array().unwrap().iter().map(|one| one["version"].as_i64().unwrap()).collect();
        assert_eq!(listed, [3, 2, 1]);
        assert_eq!(ada.get(&path(&draft, "/versions/1")).await.expect(200)["post"], post("one"));
        ada.get(&path(&draft, "/versions/9")).await.refused(404, "not_found");
        let restore = path(&draft, "/versions/1/restore");
        ada.post(&restore, &json!({"version": 2})).await.refused(409, "stale_draft");
        let restored = ada.post(&restore, &json!({"version": 3})).await.expect(200);
        assert_eq!((&restored["version"], &restored["post"]), (&json!(4), &post("one")));
        assert_eq!(ada.get(&path(&draft, "/versions/4")).await.expect(200)["restores"], 1);
        for answer in [
            saved(&bob, &draft, 4, &post("bob's")).await,
            bob.post(&restore, &json!({"version": 4})).await,
            bob.delete(&path(&draft, "")).await,
        ] {
            answer.refused(404, "not_found");
        }
        ada.delete(&path(&draft, "")).await.expect(204);
        ada.get(&path(&draft, "")).await.refused(404, "not_found");
        ada.get(&path(&draft, "/versions")).await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_goes_out_once() {
    for backend in BOTH {
        let stage = set(backend).await;
        let ada = &stage.ada;
        let post =
            |content: &str| json!({"content": content, "variants": [{"platform": "twitter"}, {"platform": "gallery"}]});
        let draft = begun(ada, post("first")).await;
        let asked = (0..5).map(|_| async { gone_out(&stage, &draft, 1).await.expect(202) });
        let asked = futures_util::future::join_all(asked).await;
        let first = &asked[0];
        assert!(asked.iter().all(|post| post["id"] == first["id"]), "{asked:#?}");
        assert_eq!((&first["draft_id"], &first["draft_version"]), (&draft["id"], &json!(1)));
        let used = ada.get(&path(&draft, "")).await.expect(200);
        assert_eq!((&used["post_id"], &used["used_version"]), (&first["id"], &json!(1)), "{used:#}");
        for publication in first["publications"].as_array().unwrap() {
            ada.wait(publication["id"].as_str().unwrap(), &["published"]).await;
        }
        assert_eq!(stage.texts(), ["first", "first"]);
        // Another version is another post; the first stays what it became.
        saved(ada, &draft, 1, &post("second")).await.expect(200);
        assert_eq!(gone_out(&stage, &draft, 1).await.expect(202)["id"], first["id"]);
        saved(ada, &draft, 2, &post("third")).await.expect(200);
        let stale = gone_out(&stage, &draft, 2).await.expect(409);
        assert_eq!((&stale["code"], &stale["current"]["version"]), (&json!("stale_draft"), &json!(3)), "{stale:#}");
        let later = json!({"version": 3, "publish_at": hours(1)});
        let later = ada.post(&path(&draft, "/publish"), &later).await.expect(202);
        assert!(later["publications"].as_array().unwrap().iter().all(|one| one["state"] == "scheduled"), "{later:#}");
        // What is wrong with it is refused now, and the draft stays unused.
        saved(ada, &draft, 3, &post("never")).await.expect(200);
        let (at, _) = crate::gallery::problems(gone_out(&stage, &draft, 4).await);
        assert_eq!(at, ["variants/1/parts/0/text"]);
        ada.post(&path(&draft, "/publish"), &json!({})).await.refused(422, "invalid_input");
        assert_eq!(ada.get(&path(&draft, "")).await.expect(200)["used_version"], 3);
        ada.delete(&path(&draft, "")).await.expect(204);
        ada.get(&format!("/posts/{}", first["id"].as_str().unwrap())).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_hundred_versions_are_kept_and_drafts_have_a_size() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        let draft = begun(&ada, json!({"content": "0"})).await;
        for version in 1..=104 {
            saved(&ada, &draft, version, &json!({"content": version.to_string()})).await.expect(200);
        }
        let versions = ada.get(&path(&draft, "/versions")).await.expect(200);
        let versions = versions["items"].as_array().unwrap();
        assert_eq!((versions.len(), &versions[0]["version"], &versions[99]["version"]), (100, &json!(105), &json!(6)));
        ada.get(&path(&draft, "/versions/5")).await.refused(404, "not_found");
        ada.post("/drafts", &json!({"name": "x".repeat(201)})).await.refused(422, "invalid_input");
        ada.post("/drafts", &json!({"post": {"content": "x".repeat(400_001)}})).await.refused(422, "invalid_input");
        ada.post("/drafts", &json!({"post": {"surprise": 1}})).await.refused(400, "malformed_request");
        // Page by page.
        for name in ["a", "b", "c"] {
            ada.post("/drafts", &json!({"name": name})).await.expect(201);
        }
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ada.get(&format!("/drafts?limit=2{cursor}")).await.expect(200);
            names.extend(page["items"].as_array().unwrap().iter().map(|one| one["name"].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(names, ["c", "b", "a", "Monday"]);
    }
}
