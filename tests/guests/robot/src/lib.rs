//! A connector whose accounts sign their own way in, for the tests of the host.

use orla_sdk::manifest::{self, Auth, Endpoint, Manifest, Publishing, ServiceAccount};
use orla_sdk::{
    Account, Api, Committed, Connector, Fact, Identity, Profile, Progress, Publish, Response, Result, Step, Variant,
    Violation, in_order,
};
use serde_json::{Value, json};

/// The connector.
pub struct Robot;

orla_sdk::connector!(Robot);
orla_sdk::export_identity!(Robot);
orla_sdk::export_publish!(Robot);

const API: Api = Api::new("api");

impl Connector for Robot {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::ServiceAccount(ServiceAccount {
                token: manifest::place("tokens", "/token"),
                scopes: manifest::texts(["me.read", "posts.write"]),
                subject: None,
                assertion_lifetime_s: 300,
                revoked_errors: Vec::new(),
                default_lifetime_s: 3_600,
                obtained_at: Some("https://robots.example/keys".to_owned()),
            }),
            endpoints: manifest::endpoints([
                (
                    "tokens",
                    Endpoint {
                        host_only: manifest::texts(["/token"]),
                        ..manifest::unsigned("https://tokens.robots.example")
                    },
                ),
                ("api", manifest::bearer("https://api.robots.example")),
            ]),
            publishing: Some(Publishing {
                visible_after_s: 1,
                max_parts: 1,
                max_media: 0,
                media: Vec::new(),
                committed_id: vec![manifest::pointer("/id")],
                ..Publishing::default()
            }),
            ..manifest::bare("robot", "Robots", env!("CARGO_PKG_VERSION"))
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Identity for Robot {
    fn whoami(_account: &Account) -> Result<Profile> {
        let me: Value = API.get("/me").read()?.json()?;
        Ok(Profile { vendor_id: text(&me["id"]), handle: text(&me["name"]), name: None, targets: Vec::new() })
    }
}

impl Publish for Robot {
    fn check(_variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        Vec::new()
    }

    fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
        in_order(&variant.parts, |index, part, _previous| {
            let made = |answer: &Response| {
                let post: Value = answer.json()?;
                Ok(Committed { id: text(&post["id"]), url: None })
            };
            API.post("/posts").json(&json!({ "text": part.text })).commit(format!("part/{index}"), made).map(Step::Done)
        })
    }
}
