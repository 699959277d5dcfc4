//! Posts that go to several accounts: all of their variants are taken in, or none.

use crate::gallery::{Stage, hours, keyed, problems, set};
use crate::harness::{Answer, BOTH, Fault, Mode, price};
use reqwest::Method;
use serde_json::{Value, json};

fn path(post: &Value, act: &str) -> String {
    format!("/posts/{}{act}", post["id"].as_str().unwrap())
}

/// The publications of a post.
fn publications(post: &Value) -> &Vec<Value> {
    post["publications"].as_array().unwrap_or_else(|| panic!("{post:#}"))
}

/// Waits until all publications of a post have ended, and gives it.
async fn ended(stage: &Stage, post: &Value) -> Value {
    for publication in publications(post) {
        stage.ada.wait(publication["id"].as_str().unwrap(), &["published", "failed", "cancelled"]).await;
    }
    stage.ada.get(&path(post, "")).await.expect(200)
}

/// What the workspace has: publications, posts, jobs to publish and reserved credits.
async fn taken_in(stage: &Stage) -> (i64, i64, i64, i64) {
    let (publications, posts) = ("select count(*) from publications", "select count(*) from posts");
    let jobs = "select count(*) from jobs where kind = 'publish'";
    (stage.count(publications).await, stage.count(posts).await, stage.count(jobs).await, stage.credits().await.1)
}

async fn moved(stage: &Stage, post: &Value, hour: u64) -> Answer {
    stage.ada.call(Method::PATCH, &path(post, ""), Some(&json!({"publish_at": hours(hour)}))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_goes_to_several_accounts_with_what_each_has_of_its_own() {
    for backend in BOTH {
        let stage = set(backend).await;
        price(&stage.host.app, 3).await;
        stage.host.grant(stage.ada.workspace, 6).await;
        let wish = json!({
            "content": "Fresh bread", "media_urls": [stage.web.url("a-300x200.jpg")], "link": "https://bread.example", "extras": {"pages": 3},
            "variants": [
                {"platform": "twitter", "content": "Bread!", "link": "", "extras": {}},
                {"connection_id": stage.connection("gallery").await, "title": "Bread", "privacy": "friends"},
            ],
        });
        let post = keyed(&stage.ada, "/posts", &wish, "k").await.expect(202);
        assert_eq!(publications(&post).len(), 2, "{post:#}");
        let done = ended(&stage, &post).await;
        let states: Vec<&Value> = publications(&done).iter().map(|one| &one["state"]).collect();
        assert_eq!(states, ["published", "published"], "{done:#}");
        let mut texts = stage.texts();
        texts.sort();
        assert!(texts[0].starts_with("Bread!"), "{texts:?}");
        let said = "Fresh bread [title Bread] [link https://bread.example] [privacy friends] [pages 3] [image/jpeg ";
        assert!(texts[1].starts_with(said), "{texts:?}");
        assert_eq!(stage.web.fetched("a-300x200.jpg"), 1, "both have the same picture, which is fetched once");
        let second = &publications(&done)[1];
        assert_eq!((&second["title"], &second["post_id"]), (&json!("Bread"), &done["id"]), "{second:#}");
        // The same wish again is the same post, and another under its key is none.
        assert_eq!(keyed(&stage.ada, "/posts", &wish, "k").await.expect(202)["id"], post["id"]);
        let other = json!({"content": "Other", "variants": [{"platform": "twitter"}]});
        keyed(&stage.ada, "/posts", &other, "k").await.refused(409, "idempotency_key_reused");
        let list = stage.ada.get("/posts").await.expect(200);
        assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]), (1, &done));
        assert_eq!(stage.credits().await, (0, 0));
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_variants_are_taken_in_or_none_is() {
    for backend in BOTH {
        let stage = set(backend).await;
        price(&stage.host.app, 3).await;
        stage.host.grant(stage.ada.workspace, 5).await;
        let variants = json!([{"platform": "gallery"}, {"platform": "twitter"}]);
        let both = |content: &str| json!({"content": content, "variants": variants});
        let (fields, told) = problems(stage.ada.post("/posts", &both(&"x".repeat(281))).await);
        assert_eq!(fields, ["variants/0/parts/0/text", "variants/1/parts/0/text"], "{told}");
        let (fields, told) = problems(stage.ada.post("/posts", &both(&"x".repeat(201))).await);
        assert_eq!(fields, ["variants/0/parts/0/text"], "{told}");
        // There are credits for one of the two.
        stage.ada.post("/posts", &both("fine")).await.refused(402, "insufficient_credits");
        assert_eq!(taken_in(&stage).await, (0, 0, 0, 0));
        price(&stage.host.app, 2).await;
        let post = stage.ada.post("/posts", &both("fine")).await.expect(202);
        let done = ended(&stage, &post).await;
        assert_eq!((publications(&done).len(), stage.credits().await), (2, (1, 0)));
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_told_with_its_place() {
    for backend in BOTH {
        let stage = set(backend).await;
        let (ada, connection) = (&stage.ada, stage.connection("twitter").await);
        let bob = stage.host.connected("bob", "twitter").await;
        let many = vec![stage.web.url("a-300x200.jpg"); 11];
        let other = bob.get("/social/connections").await.expect(200)["items"][0]["id"].clone();
        for (variants, at, words) in [
            (json!([{"platform": "twitter", "content": "x".repeat(281)}]), "variants/0/parts/0/text", "1 too many"),
            (
                json!([{"platform": "twitter", "media_urls": many}]),
                "variants/0/parts/0/media",
                "this one has 11, 7 too many",
            ),
            (
                json!([{"platform": "gallery"}, {"platform": "twitter", "title": "t"}]),
                "variants/1/title",
                "X takes no title",
            ),
            (
                json!([{"platform": "gallery", "extras": {"mood": "good"}}]),
                "variants/0/extras/mood",
                "lets nobody choose",
            ),
            (
                json!([{"platform": "gallery", "extras": {"notify": "yes"}}]),
                "variants/0/extras/notify",
                "must be true or false",
            ),
            (
                json!([{"platform": "gallery", "extras": {"category": "war"}}]),
                "variants/0/extras/category",
                "one of art, bread",
            ),
            (json!([{"platform": "gallery", "extras": {"pages": 1.5}}]), "variants/0/extras/pages", "a whole number"),
            (json!([{"platform": "twitter"}, {"connection_id": connection}]), "variants/1", "to this account already"),
            (json!([{"connection_id": other}]), "variants/0/connection_id", "no such connection"),
            (
                json!([{"platform": "gallery", "connection_id": connection}]),
                "variants/0/connection_id",
                "of another network",
            ),
            (json!([{"platform": "myspace"}]), "variants/0/platform", "no connector for `myspace`"),
            (json!([{"platform": "probe"}]), "variants/0/connection_id", "Connect an account first"),
            (json!([{"platform": "twitter", "target": "page"}]), "variants/0/target", "leave `target` out"),
            (json!([{}]), "variants/0/connection_id", "Say where this goes"),
            (json!([]), "variants", "1 to 50 variants"),
            (json!(vec![json!({"platform": "twitter"}); 51]), "variants", "1 to 50 variants"),
            (
                json!([{"platform": "twitter", "content": "a", "parts": [{"text": "b"}]}]),
                "variants/0/parts",
                "Give either",
            ),
            (json!([{"platform": "twitter", "link": "javascript:x"}]), "variants/0/link", "no http or https URL"),
        ] {
            let wish = json!({"content": "fine", "variants": variants});
            let (fields, told) = problems(ada.post("/posts", &wish).await);
            assert!(fields.contains(&at.to_owned()) && told.contains(words), "{at}: {fields:?} {told}");
        }
        ada.post("/posts", &json!({"variants": [{"platform": "twitter", "surprise": 1}]}))
            .await
            .refused(400, "malformed_request");
        assert_eq!(taken_in(&stage).await, (0, 0, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_no_longer_connected_is_told_with_its_place() {
    for backend in BOTH {
        let stage = set(backend).await;
        let (ada, connection) = (&stage.ada, stage.connection("twitter").await);
        // An account that is no longer honoured, and one that is gone.
        stage.sql("update connections set state = 'revoked' where platform = 'twitter'").await;
        let wish = json!({"content": "fine", "variants": [{"platform": "gallery"}, {"platform": "twitter"}]});
        let (fields, told) = problems(ada.post("/posts", &wish).await);
        assert_eq!((fields, told.contains("no longer connected")), (vec!["variants/1/connection_id".to_owned()], true));
        ada.delete(&format!("/social/connections/{connection}")).await.expect(204);
        let wish = json!({"content": "fine", "variants": [{"connection_id": connection}]});
        let (fields, _) = problems(ada.post("/posts", &wish).await);
        assert_eq!(fields, ["variants/0/connection_id"]);
        assert_eq!(taken_in(&stage).await, (0, 0, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_wish_at_once_is_one_post() {
    for backend in BOTH {
        let stage = set(backend).await;
        let wish = json!({"content": "once", "variants": [{"platform": "twitter"}, {"platform": "gallery"}]});
        let asked = (0..6).map(|_| async { keyed(&stage.ada, "/posts", &wish, "k").await.expect(202) });
        let asked = futures_util::future::join_all(asked).await;
        assert!(asked.iter().all(|post| post["id"] == asked[0]["id"]), "{asked:#?}");
        ended(&stage, &asked[0]).await;
        assert_eq!(stage.texts(), ["once", "once"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_moved_and_taken_back_as_far_as_it_has_not_gone_out() {
    for backend in BOTH {
        let stage = set(backend).await;
        price(&stage.host.app, 1).await;
        stage.host.grant(stage.ada.workspace, 4).await;
        let bob = stage.host.person("bob").await;
        let variants = json!([{"platform": "twitter"}, {"platform": "gallery"}]);
        let wish = json!({"content": "later", "variants": variants, "publish_at": hours(1)});
        let post = stage.ada.post("/posts", &wish).await.expect(202);
        bob.post(&path(&post, "/cancel"), &json!({})).await.refused(404, "not_found");
        let later = moved(&stage, &post, 2).await.expect(200);
        assert_eq!(later["unchanged"], json!([]), "{later:#}");
        // One of the two is taken back by itself.
        let first = publications(&post)[0]["id"].clone();
        let cancel = format!("/social/publications/{}/cancel", first.as_str().unwrap());
        stage.ada.post(&cancel, &json!({})).await.expect(200);
        let moved_again = moved(&stage, &post, 3).await.expect(200);
        let unchanged = &moved_again["unchanged"][0];
        assert_eq!(
            (&unchanged["publication_id"], &unchanged["code"]),
            (&first, &json!("not_scheduled")),
            "{unchanged:#}"
        );
        let cancelled = stage.ada.post(&path(&post, "/cancel"), &json!({})).await.expect(200);
        assert!(publications(&cancelled).iter().all(|one| one["state"] == "cancelled"), "{cancelled:#}");
        assert_eq!(stage.credits().await, (4, 0));
        moved(&stage, &post, 4).await.refused(409, "not_scheduled");
        stage
            .ada
            .call(Method::PATCH, &path(&post, ""), Some(&json!({"publish_at": "2020-01-01T00:00:00Z"})))
            .await
            .refused(422, "invalid_input");
        // What is live stays so.
        let live = json!({"content": "now", "variants": variants});
        let live = stage.ada.post("/posts", &live).await.expect(202);
        ended(&stage, &live).await;
        stage.ada.post(&path(&live, "/cancel"), &json!({})).await.refused(409, "not_cancellable");
        assert!(stage.texts().iter().all(|text| text == "now"), "{:?}", stage.texts());
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variant_that_failed_is_tried_again_at_a_time_and_stays_the_posts() {
    for backend in BOTH {
        let stage = set(backend).await;
        stage.host.sim.fault(Fault::on("POST", "/2/tweets", Mode::status(403)));
        let post = json!({"content": "again", "title": "T", "variants": [{"platform": "gallery"}]});
        let post = stage.ada.post("/posts", &post).await.expect(202);
        let failed = ended(&stage, &post).await;
        let id = publications(&failed)[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(publications(&failed)[0]["state"], "failed", "{failed:#}");
        let retry = format!("/social/publications/{id}/retry");
        stage.ada.post(&retry, &json!({"publish_at": "2020-01-01T00:00:00Z"})).await.refused(422, "invalid_input");
        stage.ada.post(&retry, &json!({"when": "now"})).await.refused(400, "malformed_request");
        let again = stage.ada.post(&retry, &json!({"publish_at": hours(1)})).await.expect(202);
        assert_eq!((&again["state"], &again["title"]), (&json!("scheduled"), &json!("T")), "{again:#}");
        let both = stage.ada.get(&path(&post, "")).await.expect(200);
        assert_eq!((publications(&both).len(), &publications(&both)[1]["id"]), (2, &again["id"]), "{both:#}");
        // Without a body it is tried again at once.
        let cancel = format!("/social/publications/{}/cancel", again["id"].as_str().unwrap());
        stage.ada.post(&cancel, &json!({})).await.expect(200);
        let retry = format!("/social/publications/{}/retry", again["id"].as_str().unwrap());
        let now = stage.ada.call(Method::POST, &retry, None).await.expect(202);
        let done = stage.ada.wait(now["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!(
            (&done["state"], stage.texts()),
            (&json!("published"), vec!["again [title T]".to_owned()]),
            "{done:#}"
        );
    }
}
