//! What a test may choose about a receiver, at the start and while it runs.

use serde::{Deserialize, Serialize};

use super::signature;

/// What is accepted and how that is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The secrets that are accepted, `whsec_` and base64. There are several while one takes over from another.
    pub secrets: Vec<String>,
    /// How far a timestamp may be from now, before or after.
    pub tolerance_s: u64,
    /// The status of an accepted delivery. Duplicates get it too.
    pub status: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // "orla-demo-webhook-secret-0001"
            secrets: vec!["whsec_b3JsYS1kZW1vLXdlYmhvb2stc2VjcmV0LTAwMDE=".to_owned()],
            tolerance_s: 300,
            status: 200,
        }
    }
}

impl Settings {
    /// Whether these are settings of a receiver at all.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.secrets.is_empty() || self.secrets.iter().any(|secret| signature::key(secret).is_none()) {
            return Err("a secret is whsec_ and the base64 of 24 to 64 bytes, and there must be one".to_owned());
        }
        if !(200..=599).contains(&self.status) {
            return Err(format!("{} is not a status between 200 and 599", self.status));
        }
        Ok(())
    }
}
