//! A connector to a network of instances, for the tests of the host: the instance and the token are entered by a person.
//!
//! A text is posted as it is, but for `GET <path>`: that is read first, followed by the page that the answer links to as
//! `next`, and all that this connector was shown of both is logged and posted.

use orla_sdk::manifest::{self, Auth, Field, Fields, Link, Manifest, Publishing};
use orla_sdk::{
    Account, Api, Committed, Connector, Explained, Fact, Identity, Profile, Progress, Publish, Response, Result, Step,
    Variant, Violation, in_order, log,
};
use serde_json::{Value, json};

/// The connector.
pub struct Instances;

orla_sdk::connector!(Instances);
orla_sdk::export_identity!(Instances);
orla_sdk::export_publish!(Instances);

const API: Api = Api::new("api").explain(explain);

impl Connector for Instances {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::Fields(Fields {
                token: Some("token".to_owned()),
                obtained_at: Some("https://instances.example/tokens".to_owned()),
                ..manifest::fields([
                    Field {
                        help: Some("Where you log in.".to_owned()),
                        ..manifest::field_origin("instance", "Instance")
                    },
                    manifest::field_secret("token", "Access token"),
                ])
            }),
            endpoints: manifest::endpoints([("api", manifest::bearer(manifest::at_field("instance")))]),
            links: vec![Link {
                from: "api".to_owned(),
                at: manifest::link_header("next"),
                hosts: Vec::new(),
                signed: true,
            }],
            publishing: Some(Publishing {
                visible_after_s: 1,
                max_parts: 1,
                max_media: 0,
                media: Vec::new(),
                committed_id: vec![manifest::pointer("/id")],
                ..Publishing::default()
            }),
            ..manifest::bare("fields", "Instances", env!("CARGO_PKG_VERSION"))
        }
    }
}

impl Identity for Instances {
    fn whoami(_account: &Account) -> Result<Profile> {
        let me: Value = API.get("/api/me").read()?.json()?;
        let member = |name: &str| me[name].as_str().unwrap_or_default().to_owned();
        Ok(Profile { vendor_id: member("id"), handle: member("handle"), name: None, targets: Vec::new() })
    }
}

impl Publish for Instances {
    fn check(_variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        Vec::new()
    }

    fn publish(account: &Account, variant: &Variant) -> Result<Progress> {
        in_order(&variant.parts, |index, part, _previous| {
            let text = match part.text.strip_prefix("GET ") {
                Some(path) => shown(path)?,
                None => part.text.clone(),
            };
            let post = json!({ "text": text, "author": account.vendor_id });
            let made = |answer: &Response| {
                let post: Value = answer.json()?;
                Ok(Committed { id: post["id"].as_str().unwrap_or_default().to_owned(), url: None })
            };
            API.post("/api/posts").json(&post).commit(format!("part/{index}"), made).map(Step::Done)
        })
    }
}

/// All that this connector is shown of an answer and of the page after it.
fn shown(path: &str) -> Result<String> {
    let answer = API.get(path).accept(302).read()?;
    let mut all = format!("{} {} {:?}", answer.status(), answer.text(), answer.headers());
    match answer.link("next") {
        Some(next) => {
            let page = API.follow(next).read()?;
            all.push_str(&format!(" next: {} {:?}", page.text(), page.headers()));
        }
        None => all.push_str(" no next"),
    }
    log::info(&all);
    Ok(all)
}

fn explain(answer: &Response) -> Explained {
    let problem: Value = answer.json().unwrap_or_default();
    Explained { message: problem["error"].as_str().map(str::to_owned), ..Explained::default() }
}
