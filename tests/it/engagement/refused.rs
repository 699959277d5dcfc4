//! What does not come to a reply: it costs nothing, and says why.

use super::{BOTH_ENDS, stage};
use crate::facebook::{PERSON, consent, strict};
use crate::harness::BOTH;
use orla_vendors::facebook::{Canned, Fault, Mode};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_pay_says_nothing() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 4).await;
        let comment = stage.asked("When do you open?").await;
        stage.reply(&comment, "At seven", "k").await.refused(402, "insufficient_credits");
        assert_eq!((stage.said().len(), stage.credits().await), (0, (4, 0)));
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_facebook_refuses_is_told_in_its_words_and_costs_nothing() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("When do you open?").await;
        let blocked = json!({"error": {"message": "(#368) The action attempted is abusive", "code": 368}});
        let canned = Canned { status: 400, body: Some(blocked), ..Canned::default() };
        stage.sim.fault(Fault::on("POST", "/v26.0/*/comments", Mode::Status(canned)));
        let failed = stage.replied(&comment, "At seven", "blocked", &BOTH_ENDS).await;
        let fault = &failed["fault"];
        assert_eq!(
            (&failed["state"], &fault["kind"], &fault["code"]),
            (&json!("failed"), &json!("quota"), &json!("368"))
        );
        assert!(fault["message"].as_str().unwrap().contains("abusive"), "{fault}");
        assert_eq!((&failed["receipt"], stage.credits().await), (&json!(null), (50, 0)));
        let long = stage.replied(&comment, &"x".repeat(8_001), "long", &BOTH_ENDS).await;
        assert_eq!((&long["fault"]["kind"], &long["fault"]["field"]), (&json!("invalid"), &json!("text")));
        // A comment that is gone.
        stage.sim.take_back(comment["vendor_id"].as_str().unwrap());
        let gone = stage.replied(&comment, "At seven", "gone", &BOTH_ENDS).await;
        assert_eq!((&gone["state"], &gone["fault"]["kind"]), (&json!("failed"), &json!("not-found")));
        assert_eq!((stage.said().len(), stage.credits().await), (0, (50, 0)));
        for wrong in ["", " \n", "a\u{0}b", "x".repeat(20_001).as_str()] {
            stage.reply(&comment, wrong, "wrong").await.refused(422, "invalid_input");
        }
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_in_passing_is_waited_for() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("When do you open?").await;
        let limited = json!({"error": {"message": "(#32) Page request limit reached", "code": 32}});
        let canned = Canned { status: 400, retry_after_s: Some(1), body: Some(limited), ..Canned::default() };
        stage.sim.fault(Fault::on("POST", "/v26.0/*/comments", Mode::Status(canned)));
        let done = stage.replied(&comment, "At seven", "k", &BOTH_ENDS).await;
        assert_eq!((&done["state"], &done["attempts"]), (&json!("published"), &json!(2)), "{done:#}");
        assert_eq!((stage.said().len(), stage.credits().await), (1, (45, 0)));
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_without_the_task_or_the_permission_is_told_so() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("When do you open?").await;
        stage.sim.change(|settings| {
            for page in &mut settings.pages {
                page.roles.values_mut().for_each(|tasks| tasks.retain(|task| task != "MODERATE"));
            }
        });
        let list = format!("/social/engagement/comments?publication_id={}", stage.publication);
        let next = stage.ada.get(&list).await.expect(200)["next_cursor"].as_str().unwrap().to_owned();
        stage.ada.get(&format!("{list}&cursor={next}")).await.refused(409, "scope_missing");
        let failed = stage.replied(&comment, "At seven", "k", &BOTH_ENDS).await;
        assert_eq!((&failed["state"], &failed["fault"]["kind"]), (&json!("failed"), &json!("scope-missing")));
        assert_eq!((stage.said().len(), stage.credits().await), (0, (50, 0)));
        // Whoever leaves the permissions out is connected all the same, and Facebook's words say what is missing.
        stage.sim.change(|settings| settings.declined_scopes = vec!["pages_read_user_content".to_owned()]);
        assert_eq!(consent(&stage.sim, &stage.ada).await.0, 200);
        let connections = stage.ada.get("/social/connections").await.expect(200);
        assert_eq!(connections["items"][0]["missing_scopes"], "pages_read_user_content");
        stage.ada.get(&list).await.refused(409, "scope_missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_tenants_and_foreign_ids_find_nothing() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("When do you open?").await;
        let mine = stage.replied(&comment, "At seven", "k", &BOTH_ENDS).await;
        let mallory = stage.host.person("mallory").await;
        assert_eq!(consent(&stage.sim, &mallory).await.0, 200);
        stage.host.grant(mallory.workspace, 50).await;
        let hers = mallory.get("/social/connections").await.expect(200)["items"][0]["id"].clone();
        for list in [
            format!("publication_id={}", stage.publication),
            format!("connection_id={}&post={}", stage.connection, stage.post),
        ] {
            mallory.get(&format!("/social/engagement/comments?{list}")).await.refused(404, "not_found");
        }
        for connection in [&hers, &json!(stage.connection)] {
            let body = json!({"connection_id": connection, "comment_id": comment["id"], "text": "x"});
            stage::reply(&mallory, &body, "k").await.refused(404, "not_found");
        }
        let reply = format!("/social/engagement/replies/{}", mine["id"].as_str().unwrap());
        mallory.get(&reply).await.refused(404, "not_found");
        let word = json!({"key": "reply", "outcome": "not_published"});
        mallory.post(&format!("{reply}/resolve"), &word).await.refused(404, "not_found");
        assert_eq!(mallory.get("/social/engagement/replies").await.expect(200)["items"], json!([]));
        // Facebook's own id of a comment is none here.
        let raw = json!({"connection_id": stage.connection, "comment_id": comment["vendor_id"], "text": "x"});
        stage::reply(&stage.ada, &raw, "raw").await.refused(404, "not_found");
        assert_eq!((stage.said().len(), stage.credits().await), (1, (45, 0)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_no_post_or_no_such_ability_is_told() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        stage.ada.connect(&stage.host.sim, "twitter", "orla_demo").await;
        let connections = stage.ada.get("/social/connections").await.expect(200);
        let x = connections["items"].as_array().unwrap().iter().find(|one| one["platform"] == "twitter").unwrap();
        let x = x["id"].as_str().unwrap();
        let list = async |query: &str| stage.ada.get(&format!("/social/engagement/comments?{query}")).await;
        list(&format!("connection_id={x}&post=1")).await.refused(409, "not_supported");
        let body = json!({"connection_id": x, "comment_id": "x", "text": "x"});
        stage::reply(&stage.ada, &body, "x").await.refused(409, "not_supported");
        let (connection, publication) = (&stage.connection, &stage.publication);
        list("").await.refused(400, "malformed_request");
        list(&format!("publication_id={publication}&post=1")).await.refused(400, "malformed_request");
        list(&format!("connection_id={connection}&post=")).await.refused(422, "invalid_input");
        list(&format!("connection_id={connection}&post=1")).await.refused(409, "ambiguous_target");
        let unknown = format!("connection_id={connection}&post=1&target={}", crate::facebook::ROASTERY);
        list(&unknown).await.refused(404, "not_found");
        // What was not published has no comments.
        stage.sim.change_password(PERSON);
        let post = json!({"platform": "facebook", "content": "Locked out", "target": crate::facebook::COFFEE});
        let failed = stage.ada.published(&post, "out", &BOTH_ENDS).await;
        let failed = failed["id"].as_str().unwrap();
        list(&format!("publication_id={failed}")).await.refused(409, "not_published");
        list(&format!("publication_id={publication}")).await.refused(409, "connection_revoked");
    }
}
