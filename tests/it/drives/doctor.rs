//! What the doctor says of an app at Dropbox, and of a connected drive.

use super::Stage;
use crate::harness::BOTH;
use crate::operating::doctor::{examined, problem, sentences};
use crate::operating::operator;
use crate::testing::tested;
use orla_vendors::dropbox::Settings;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_drives_app_and_connection_are_tried_out() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        let operator = operator(&stage.host).await;
        let found = examined(&operator, "dropbox", true).await;
        let uri = format!("{}/cloud-storage/oauth/dropbox/callback", stage.host.url);
        assert_eq!(found["redirect_uris"], json!([uri]));
        assert!(sentences(&found, "fine")[0].contains("takes the keys"), "{found:#}");
        let ada = stage.connected("ada", "orla_demo").await;
        assert_eq!(tested(&ada).await["works"], true);
        stage.dropbox.change(|settings| settings.client_secret = "another-secret".to_owned());
        let told = problem(&examined(&operator, "dropbox", true).await);
        assert!(told.contains("invalid_client: Invalid client_id or client_secret"), "{told}");
        stage.dropbox.change(|settings| settings.client_secret = "orla-demo-secret".to_owned());
        stage.dropbox.revoke_all();
        let test = tested(&ada).await;
        assert_eq!((&test["works"], &test["state"]), (&json!(false), &json!("revoked")), "{test:#}");
        assert!(test["reconnect"].as_str().unwrap().contains("/cloud-storage/oauth/dropbox/auth"), "{test:#}");
        stage.host.check_books().await;
    }
}
