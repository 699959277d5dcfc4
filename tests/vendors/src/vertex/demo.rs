//! The service account of the demo, whose key everybody knows.

use serde_json::{Value, json};

use super::settings::Settings;
use super::state::Vertex;

/// Made for the demo alone, by `openssl genpkey`.
const KEY: &str = include_str!("key.pem");
const PUBLIC: &str = include_str!("public.pem");
const NAME: &str = "demo";

impl Settings {
    /// Those of a Google that knows the demo's key, and takes its time.
    #[must_use]
    pub fn of_the_demo() -> Self {
        Self { keys: [(NAME.to_owned(), PUBLIC.to_owned())].into(), looks: 4, ..Self::default() }
    }
}

impl Vertex {
    /// The key file of the demo's account, as Google hands them out; `None` where the account has other keys.
    pub fn key_file(&self) -> Option<Value> {
        let settings = self.settings();
        let is_known = settings.keys.get(NAME).is_some_and(|key| key == PUBLIC);
        is_known.then(|| {
            json!({
                "type": "service_account",
                "project_id": settings.project,
                "private_key_id": NAME,
                "private_key": KEY,
                "client_email": settings.account,
                "token_uri": "https://oauth2.googleapis.com/token",
            })
        })
    }
}
