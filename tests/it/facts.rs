//! What a vendor says of an account that rules need: asked now and then, kept, and given to whoever checks a post.

use crate::gallery::{Stage, problems, set};
use crate::harness::{Answer, BOTH};
use serde_json::json;

const OLD: &str = "update account_facts set fetched_at = fetched_at - 90000000000, asked_at = asked_at - 90000000000";
const ROWS: &str = "select count(*) from account_facts";

async fn wish(stage: &Stage, content: &str) -> Answer {
    stage.ada.publish(&json!({"platform": "gallery", "content": content}), content).await
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_are_held_against_what_the_network_says_of_the_account() {
    for backend in BOTH {
        let stage = set(backend).await;
        stage.host.sim.change(|settings| settings.script = r#"{"max_text": 5}"#.to_owned());
        let (fields, told) = problems(wish(&stage, "123456").await);
        assert_eq!(fields, ["parts/0/text"]);
        assert!(told.contains("writes 5 characters; these are 6, 1 too many"), "{told}");
        wish(&stage, "12345").await.expect(202);
        // It is not asked again for each post.
        stage.host.sim.change(|settings| settings.script = r#"{"max_text": 8}"#.to_owned());
        problems(wish(&stage, "123456").await);
        assert_eq!(stage.count(ROWS).await, 1);
        // A day later it is, before the post.
        stage.sql(OLD).await;
        wish(&stage, "12345678").await.expect(202);
        problems(wish(&stage, "123456789").await);
        // A network that is down for a while leaves what is known.
        stage.host.sim.change(|settings| settings.script = "down".to_owned());
        stage.sql(OLD).await;
        problems(wish(&stage, "123456789").await);
        wish(&stage, "1234567").await.expect(202);
        // Whoever connects again may have allowed more.
        stage.host.sim.change(|settings| settings.script = r#"{"max_text": 20}"#.to_owned());
        stage.sql("update account_facts set asked_at = asked_at - 3600000000").await;
        stage.ada.connect(&stage.host.sim, "gallery", "orla_demo").await;
        wish(&stage, "123456789").await.expect(202);
        let connection = stage.connection("gallery").await;
        stage.ada.delete(&format!("/social/connections/{connection}")).await.expect(204);
        assert_eq!(stage.count("select count(*) from account_facts where facts like '%max_text%'").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_never_said_anything_stops_no_post() {
    for backend in BOTH {
        let stage = set(backend).await;
        stage.host.sim.change(|settings| settings.script = "down".to_owned());
        let done = stage
            .ada
            .published(&json!({"platform": "gallery", "content": "as long as it likes"}), "k", &["published", "failed"])
            .await;
        assert_eq!(done["state"], "published", "{done:#}");
    }
}

/// What was checked when it was planned is checked again, by the facts of that day, when its time has come.
#[tokio::test(flavor = "multi_thread")]
async fn a_planned_post_is_checked_again_when_it_goes_out() {
    for backend in BOTH {
        let stage = set(backend).await;
        let soon = orla::clock::Clock::System.now().after(std::time::Duration::from_millis(1_500));
        let post = json!({"platform": "gallery", "content": "123456", "publish_at": soon});
        let planned = stage.ada.publish(&post, "k").await.expect(202);
        stage.host.sim.change(|settings| settings.script = r#"{"max_text": 5}"#.to_owned());
        stage.sql(OLD).await;
        let failed = stage.ada.wait(planned["id"].as_str().unwrap(), &["published", "failed"]).await;
        assert_eq!(
            (&failed["state"], &failed["fault"]["field"]),
            (&json!("failed"), &json!("parts/0/text")),
            "{failed:#}"
        );
        assert!(stage.texts().is_empty());
    }
}
