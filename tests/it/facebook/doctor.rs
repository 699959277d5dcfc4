//! What the doctor says of an app at Facebook, which does not speak the standard's words, and of a permission that was withdrawn.

use super::{connected, host, strict};
use crate::harness::{BOTH, client};
use crate::operating::doctor::{examined, problem, sentences};
use crate::operating::operator;
use crate::testing::tested;
use orla::connectors::Memories;
use orla_vendors::facebook::{Settings, Sim};
use serde_json::json;

/// Withdraws a permission, as a person can at Facebook.
async fn withdraw(sim: &Sim, scope: &str) {
    let token = sim.issue_token(super::PERSON, "public_profile").unwrap();
    let url = format!("{}/v26.0/me/permissions/{scope}", sim.origin());
    let answer = client().delete(url).bearer_auth(token).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apps_secret_is_told_from_a_wrong_one_by_comparing() {
    for backend in BOTH {
        let (host, sim) = host(backend, strict(), Memories::Pooled).await;
        let operator = operator(&host).await;
        let found = examined(&operator, "facebook", true).await;
        assert_eq!(found["redirect_uris"], json!([format!("{}/social/oauth/facebook/callback", host.url)]));
        assert!(sentences(&found, "fine")[0].contains("takes the keys"), "{found:#}");
        let scopes = &found["scopes"];
        assert_eq!(
            scopes["optional"],
            json!(["business_management", "pages_read_user_content", "pages_manage_engagement"]),
            "{scopes:#}"
        );
        assert!(scopes["sent"].as_str().unwrap().ends_with("pages_manage_engagement"), "{scopes:#}");
        sim.change(|settings| settings.app_secret = "another-facebook-secret".to_owned());
        let told = problem(&examined(&operator, "facebook", true).await);
        assert!(told.contains("1: Error validating client secret."), "{told}");
        assert!(
            told.contains("ORLA_CONNECTORS__FACEBOOK__CLIENT_SECRET") && !told.contains("orla-demo-facebook"),
            "{told}"
        );
        sim.change(|settings| settings.app_id = "4014000000000002".to_owned());
        let told = problem(&examined(&operator, "facebook", true).await);
        assert!(told.contains("101: Error validating application."), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_was_withdrawn_is_missed_at_once() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let test = tested(&ada).await;
        assert_eq!((&test["works"], &test["advice"]), (&json!(true), &serde_json::Value::Null), "{test:#}");
        assert_eq!((&test["token"]["renews"], &test["account"]["handle"]), (&json!(true), &json!(super::PERSON)));
        withdraw(&sim, "business_management").await;
        let test = tested(&ada).await;
        assert_eq!(
            (&test["works"], &test["scopes"]["missing_optional"]),
            (&json!(true), &json!(["business_management"]))
        );
        assert!(test["reconnect"].as_str().unwrap().contains("/social/oauth/facebook/auth"), "{test:#}");
        withdraw(&sim, "pages_manage_posts").await;
        let test = tested(&ada).await;
        assert_eq!(
            (&test["works"], &test["scopes"]["missing"]),
            (&json!(false), &json!(["pages_manage_posts"])),
            "{test:#}"
        );
        assert!(test["summary"].as_str().unwrap().contains("pages_manage_posts was not allowed"), "{test:#}");
        assert_eq!(test["state"], "active");
    }
}
