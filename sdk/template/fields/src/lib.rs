//! Acme, API v1: <https://developer.acme.example>. Everybody may run a server of it, so where an account is differs from
//! account to account: a person enters it, and an access token that the server made.

use orla_sdk::manifest::{self, Auth, Field, Fields, Manifest, Publishing};
use orla_sdk::{
    Account, Api, Committed, Connector, Explained, Fact, Identity, Profile, Progress, Publish, Response, Result, Step,
    Variant, Violation, in_order,
};
use serde::Deserialize;
use serde_json::json;

#[cfg(test)]
mod tests;

/// The connector.
pub struct Vendor;

orla_sdk::connector!(Vendor);
orla_sdk::export_identity!(Vendor);
orla_sdk::export_publish!(Vendor);

const API: Api = Api::new("api").explain(explain);

/// Most characters of a post.
const MAX_CHARS: usize = 500;

impl Connector for Vendor {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::Fields(Fields {
                token: Some("token".to_owned()),
                obtained_at: Some("https://developer.acme.example/tokens".to_owned()),
                ..manifest::fields([
                    Field {
                        help: Some("Where you log in, such as https://social.example.".to_owned()),
                        ..manifest::field_origin("instance", "Server")
                    },
                    manifest::field_secret("token", "Access token"),
                ])
            }),
            endpoints: manifest::endpoints([("api", manifest::bearer(manifest::at_field("instance")))]),
            publishing: Some(Publishing {
                visible_after_s: 30,
                max_parts: 1,
                max_media: 0,
                media: Vec::new(),
                committed_id: vec![manifest::pointer("/id")],
                ..Publishing::default()
            }),
            ..manifest::bare("acme", "Acme", env!("CARGO_PKG_VERSION"))
        }
    }
}

impl Identity for Vendor {
    fn whoami(_account: &Account) -> Result<Profile> {
        #[derive(Deserialize)]
        struct User {
            id: String,
            username: String,
        }
        let User { id, username } = API.get("/v1/me").read()?.json()?;
        Ok(Profile { vendor_id: id, handle: username, name: None, targets: Vec::new() })
    }
}

impl Publish for Vendor {
    fn check(variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (index, part) in variant.parts.iter().enumerate() {
            let count = part.text.chars().count();
            if count > MAX_CHARS {
                let message = format!("A post may have {MAX_CHARS} characters; this one has {count}.");
                violations.push(Violation::new(format!("parts/{index}/text"), "text_too_long", message));
            }
        }
        violations
    }

    fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
        in_order(&variant.parts, |index, part, _previous| {
            let made = |answer: &Response| {
                let Post { id, url } = answer.json()?;
                Ok(Committed { id, url })
            };
            let post = json!({ "text": part.text });
            API.post("/v1/posts").json(&post).commit(format!("part/{index}"), made).map(Step::Done)
        })
    }
}

/// A post as the server tells of it, whose address is the server's own to know.
#[derive(Deserialize)]
struct Post {
    id: String,
    url: Option<String>,
}

/// What the vendor's refusals mean in its own words. The kind of fault comes from the status.
fn explain(answer: &Response) -> Explained {
    #[derive(Deserialize, Default)]
    struct Problem {
        code: Option<String>,
        message: Option<String>,
    }
    let Problem { code, message } = answer.json().unwrap_or_default();
    Explained { code, message, ..Explained::default() }
}
