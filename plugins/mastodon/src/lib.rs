//! Mastodon, API v1 and v2: <https://docs.joinmastodon.org/api/>.
//!
//! An account is connected by two fields: the address of its server, and an access token that the person makes there.

mod check;
mod count;
mod html;
mod publish;
mod reconcile;
#[cfg(test)]
mod tests;

use orla_sdk::manifest::{self, Auth, Endpoint, Field, Fields, Link, Manifest, Publishing};
use orla_sdk::{
    Account, Api, Committed, Connector, Explained, Fact, Identity, Profile, Progress, Publish, Remove, Response,
    Result, Variant, Violation, path, time,
};
use serde::Deserialize;
use std::time::Duration;

/// The connector.
pub struct Mastodon;

orla_sdk::connector!(Mastodon);
orla_sdk::export_identity!(Mastodon);
orla_sdk::export_publish!(Mastodon);
orla_sdk::export_reconcile!(Mastodon);
orla_sdk::export_remove!(Mastodon);

const API: Api = Api::new("api").explain(explain);

/// How long a repeated removal is answered from the journal.
const REMOVAL_STANDS: Duration = Duration::from_secs(3_600);

impl Connector for Mastodon {
    fn manifest() -> Manifest {
        let server = Field {
            help: Some("Where you log in, such as https://mastodon.social.".to_owned()),
            ..manifest::field_origin("instance", "Server")
        };
        let token = Field {
            help: Some(
                "On your server: Preferences, Development, New application, with the scopes read:accounts, \
                 read:statuses, write:statuses and write:media. Then open the application and copy `Your access token`."
                    .to_owned(),
            ),
            ..manifest::field_secret("token", "Access token")
        };
        let api = manifest::bearer(manifest::at_field("instance"));
        Manifest {
            auth: Auth::Fields(Fields { token: Some("token".to_owned()), ..manifest::fields([server, token]) }),
            endpoints: manifest::endpoints([("api", Endpoint { host_only: manifest::texts(["/oauth/*"]), ..api })]),
            links: vec![Link {
                from: "api".to_owned(),
                at: manifest::link_header("next"),
                hosts: Vec::new(),
                signed: true,
            }],
            publishing: Some(Publishing {
                visible_after_s: 30,
                max_parts: check::MAX_PARTS,
                max_media: check::MAX_MEDIA,
                media: manifest::media(check::MEDIA),
                committed_id: vec![manifest::pointer("/id")],
                ..Publishing::default()
            }),
            ..manifest::bare("mastodon", "Mastodon", env!("CARGO_PKG_VERSION"))
        }
    }
}

impl Identity for Mastodon {
    fn whoami(_account: &Account) -> Result<Profile> {
        #[derive(Deserialize)]
        struct Me {
            id: String,
            username: String,
            #[serde(default)]
            display_name: String,
        }
        let me: Me = API.get("/api/v1/accounts/verify_credentials").read()?.json()?;
        let name = Some(me.display_name).filter(|name| !name.trim().is_empty());
        Ok(Profile { vendor_id: me.id, handle: me.username, name, targets: Vec::new() })
    }
}

impl Publish for Mastodon {
    fn check(variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        check::violations(variant)
    }

    fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
        publish::publish(variant)
    }
}

impl Remove for Mastodon {
    fn remove(_account: &Account, id: &str) -> Result<()> {
        let request = API.delete(path!("/api/v1/statuses/{}", id)).accept(404).accept(410);
        request.prepare(format!("remove/{id}"), REMOVAL_STANDS).map(drop)
    }
}

/// A status, in the members that this connector reads.
#[derive(Debug, Deserialize)]
struct Status {
    id: String,
    url: Option<String>,
    #[serde(default)]
    created_at: String,
    in_reply_to_id: Option<String>,
    #[serde(default)]
    content: String,
    #[serde(default)]
    media_attachments: Vec<Attachment>,
}

impl Status {
    fn committed(self) -> Committed {
        Committed { id: self.id, url: self.url }
    }
}

/// A medium that the server has.
#[derive(Debug, Deserialize)]
struct Attachment {
    id: String,
}

/// What a refusal means in the server's own words. A server that asks to slow down names the time at which its limit
/// ends, and no `Retry-After`.
fn explain(answer: &Response) -> Explained {
    #[derive(Deserialize, Default)]
    struct Problem {
        error: Option<String>,
        error_description: Option<String>,
    }
    let Problem { error, error_description } = answer.json().unwrap_or_default();
    let retry_after_ms = if answer.status() == 429 { until_reset_ms(answer) } else { None };
    Explained { message: error_description.or(error), retry_after_ms, ..Explained::default() }
}

/// The milliseconds until the server's limit ends, by its own clock where it says what time it is.
fn until_reset_ms(answer: &Response) -> Option<u64> {
    let reset_ms = time::rfc3339_ms(answer.header("x-ratelimit-reset")?)?;
    answer.ms_until(reset_ms).or_else(|| Some(reset_ms.saturating_sub(time::now_ms())))
}
