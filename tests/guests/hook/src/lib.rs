//! A connector that posts to a URL that a person enters, for the tests of the host. It cannot say whose the URL is.
//!
//! A text is posted as it is, but for those that ask for something that the host must not send or show:
//!
//! | text | what it does |
//! |---|---|
//! | `path <path>` | posts to another path |
//! | `query` | posts with a query |
//! | `multipart` | posts a body that is streamed |
//! | `headers` | sets the headers of a signature itself |
//! | `read` | reads what stands at the URL, logs it and posts it |

use orla_sdk::manifest::{self, Auth, Manifest, Publishing};
use orla_sdk::{
    Account, Api, Committed, Connector, Fact, Multipart, Progress, Publish, Request, Result, Step, Variant, Violation,
    in_order, log,
};
use serde_json::json;

/// The connector.
pub struct Hook;

orla_sdk::connector!(Hook);
orla_sdk::export_publish!(Hook);

const API: Api = Api::new("hook");

impl Connector for Hook {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::Fields(manifest::fields([
                manifest::field_url("url", "Address"),
                manifest::field_secret("secret", "Signing secret"),
            ])),
            endpoints: manifest::endpoints([(
                "hook",
                manifest::standard_webhooks(manifest::at_field("url"), "secret"),
            )]),
            publishing: Some(Publishing {
                visible_after_s: 1,
                max_parts: 2,
                max_media: 0,
                media: Vec::new(),
                committed_id: vec![manifest::commit_key()],
                ..Publishing::default()
            }),
            ..manifest::bare("hook", "Hook", env!("CARGO_PKG_VERSION"))
        }
    }
}

impl Publish for Hook {
    fn check(_variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        Vec::new()
    }

    fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
        in_order(&variant.parts, |index, part, _previous| {
            let key = format!("part/{index}");
            let made = Committed { id: key.clone(), url: None };
            request(&part.text)?.commit(key, |_| Ok(made)).map(Step::Done)
        })
    }
}

fn request(text: &str) -> Result<Request<'static>> {
    let post = API.post("/").json(&json!({ "text": text }));
    let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
    Ok(match command {
        "path" => API.post(rest).json(&json!({})),
        "query" => post.query("a", "b"),
        "multipart" => API.post("/").multipart(Multipart::new().text("text", text)),
        "headers" => post.header("webhook-id", "mine").header("webhook-signature", "v1,mine"),
        "read" => {
            let answer = API.get("/").read()?;
            let all = format!("{} {:?}", answer.text(), answer.headers());
            log::info(&all);
            API.post("/").json(&json!({ "text": all }))
        }
        _ => post,
    })
}
