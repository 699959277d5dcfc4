//! A connector that misbehaves on demand, for the tests of the host.
//!
//! It speaks to the same API as the X connector. The first part's text is a script, one command a line (see
//! `script.rs`); what the script commits is what the receipt claims. It lacks the ability to remove, so that the tests
//! also see a connector that lacks one.

mod abuse;
mod script;

use orla_sdk::manifest::{self, Auth, Endpoint, Manifest, OAuth2, Publishing};
use orla_sdk::{
    Account, Api, Attempt, Committed, Connector, Fact, Identity, Profile, Progress, Publish, Reconcile, Result,
    Variant, Verdict, Violation, path,
};
use serde_json::Value;

/// The connector.
pub struct Probe;

orla_sdk::connector!(Probe);
orla_sdk::export_identity!(Probe);
orla_sdk::export_publish!(Probe);
orla_sdk::export_reconcile!(Probe);

const API: Api = Api::new("api");

impl Connector for Probe {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::Oauth2(OAuth2 {
                revoke: Some(manifest::revoke("api", "/2/oauth2/revoke")),
                default_lifetime_s: 7_200,
                ..manifest::oauth2(
                    manifest::place("web", "/i/oauth2/authorize"),
                    manifest::place("api", "/2/oauth2/token"),
                    ["tweet.read", "tweet.write", "users.read", "media.write", "offline.access"],
                )
            }),
            endpoints: manifest::endpoints([
                ("web", manifest::unsigned("https://x.com")),
                (
                    "api",
                    Endpoint { host_only: manifest::texts(["/2/oauth2/*"]), ..manifest::bearer("https://api.x.com") },
                ),
            ]),
            links: vec![manifest::Link {
                from: "api".to_owned(),
                at: manifest::pointer("/next"),
                hosts: vec!["api.x.com".to_owned()],
                signed: true,
            }],
            publishing: Some(Publishing {
                visible_after_s: 30,
                max_parts: 25,
                max_media: 4,
                media: manifest::media([("image/png", 5 << 20), ("video/mp4", 512 << 20)]),
                committed_id: vec![manifest::pointer("/data/id")],
                ..Publishing::default()
            }),
            ..manifest::bare("probe", "Probe", env!("CARGO_PKG_VERSION"))
        }
    }
}

impl Identity for Probe {
    fn whoami(_account: &Account) -> Result<Profile> {
        let me: Value =
            API.get("/2/users/me").query("user.fields", "username,name,profile_image_url").read()?.json()?;
        let member = |name: &str| me["data"][name].as_str().map(str::to_owned);
        Ok(Profile {
            vendor_id: member("id").unwrap_or_default(),
            handle: member("username").unwrap_or_default(),
            name: member("name"),
            targets: Vec::new(),
        })
    }
}

impl Publish for Probe {
    fn check(variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        let parts = variant.parts.iter().enumerate().filter(|(_, part)| part.text.contains("violate"));
        parts
            .map(|(index, _)| Violation::new(format!("parts/{index}/text"), "violated", "The text asks to be refused."))
            .collect()
    }

    fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
        script::run(&script::load(variant)?)
    }
}

impl Reconcile for Probe {
    /// Looks for a post with exactly the text that the script commits under the key.
    fn reconcile(account: &Account, variant: &Variant, attempt: &Attempt) -> Result<Verdict> {
        let script = script::load(variant)?;
        let Some(text) = script::text_of(&script, &attempt.key) else { return Ok(Verdict::Unknown) };
        let posts: Value =
            API.get(path!("/2/users/{}/tweets", account.vendor_id)).query("max_results", "100").read()?.json()?;
        let posts = posts["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let id = posts.iter().find(|post| post["text"] == text).and_then(|post| post["id"].as_str());
        Ok(id.map_or(Verdict::Absent, |id| Verdict::Done(Committed { id: id.to_owned(), url: None })))
    }
}
