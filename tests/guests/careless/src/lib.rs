//! A connector with the mistakes that authors make, for the tests of the test kit. The text of a post says which one:
//!
//! | text | mistake |
//! |---|---|
//! | `fine` | none |
//! | `panic` | takes for granted that an answer is JSON |
//! | `swallow` | goes on without what could not be read |
//! | `rename` | makes the key out of something that changes |
//! | `again` | posts once more under another key when something fails |
//! | `forever` | asks until it is answered |
//! | `look-away` | takes a list that it could not read for an empty one, when it looks for a lost post |
//!
//! Who the account is, it makes up where the vendor does not say.

use orla_sdk::manifest::{self, Manifest, Meaning, Publishing};
use orla_sdk::{
    Account, Api, Attempt, Committed, Confirmed, Connector, Fact, Fault, Identity, Profile, Progress, Publish,
    Reconcile, Response, Result, Step, Variant, Verdict, Violation, in_order,
};
use serde_json::{Value, json};

/// The connector.
pub struct Careless;

orla_sdk::connector!(Careless);
orla_sdk::export_identity!(Careless);
orla_sdk::export_publish!(Careless);
orla_sdk::export_reconcile!(Careless);

const API: Api = Api::new("api");

impl Connector for Careless {
    fn manifest() -> Manifest {
        Manifest {
            endpoints: manifest::endpoints([("api", manifest::bearer("https://api.example.com"))]),
            verdicts: vec![refusal(200, "/ok", "false"), refusal(409, "/error", "duplicate")],
            publishing: Some(Publishing {
                visible_after_s: 30,
                max_parts: 1,
                max_media: 0,
                media: Vec::new(),
                committed_id: vec![manifest::pointer("/id")],
                ..Publishing::default()
            }),
            ..manifest::bare("careless", "Careless", env!("CARGO_PKG_VERSION"))
        }
    }
}

/// An answer that says in its body that nothing was done.
fn refusal(status: u16, pointer: &str, contains: &str) -> manifest::Verdict {
    let (pointer, contains) = (Some(pointer.to_owned()), Some(contains.to_owned()));
    manifest::Verdict { status, pointer, contains, means: Meaning::Refused }
}

impl Identity for Careless {
    fn whoami(_account: &Account) -> Result<Profile> {
        let me: Value = API.get("/v1/me").read().and_then(|answer| answer.json()).unwrap_or_default();
        let id = me["id"].as_str().unwrap_or("nobody").to_owned();
        Ok(Profile { vendor_id: id, handle: "ann".to_owned(), name: None, targets: Vec::new() })
    }
}

impl Publish for Careless {
    fn check(variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        let is_long = variant.parts[0].text.len() > 500;
        // A post has no headline.
        is_long.then(|| Violation::new("parts/0/headline", "too_long", "It is too long.")).into_iter().collect()
    }

    fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
        in_order(&variant.parts, |_, part, _| post(&part.text).map(Step::Done))
    }
}

impl Reconcile for Careless {
    fn reconcile(_account: &Account, variant: &Variant, _attempt: &Attempt) -> Result<Verdict> {
        let text = &variant.parts[0].text;
        let seen: Result<Value> = API.get("/v1/posts").read().and_then(|answer| answer.json());
        let seen = if text == "look-away" { seen.unwrap_or_default() } else { seen? };
        let mut posts = seen["posts"].as_array().into_iter().flatten();
        let found = posts.find(|post| post["text"] == **text).and_then(|post| post["id"].as_str());
        Ok(found.map_or(Verdict::Absent, |id| Verdict::Done(Committed { id: id.to_owned(), url: None })))
    }
}

fn post(text: &str) -> Result<Confirmed> {
    let place = || API.get("/v1/place").read();
    match text {
        "panic" => {
            let place: Value = serde_json::from_slice(place()?.bytes()).expect("the vendor answers with JSON");
            commit("part/0", text, &place["id"])
        }
        "swallow" => {
            let place: Value = place().and_then(|answer| answer.json()).unwrap_or_default();
            commit("part/0", text, &place["id"])
        }
        "rename" => {
            let answer = place()?;
            let key = format!("part/{}", answer.header("x-request-id").unwrap_or_default());
            commit(&key, text, &answer.json::<Value>()?["id"])
        }
        "again" => {
            let place: Value = place()?.json()?;
            commit("part/0", text, &place["id"]).or_else(|_| commit("part/0/again", text, &place["id"]))
        }
        "forever" => loop {
            if let Ok(answer) = place() {
                break commit("part/0", text, &answer.json::<Value>()?["id"]);
            }
        },
        _ => {
            let place: Value = place()?.json()?;
            commit("part/0", text, &place["id"])
        }
    }
}

fn commit(key: &str, text: &str, place: &Value) -> Result<Confirmed> {
    API.post("/v1/posts").json(&json!({ "text": text, "place": place })).commit(key, |answer: &Response| {
        let post: Value = answer.json()?;
        let id = post["id"].as_str().ok_or_else(|| Fault::vendor("The answer names no post."))?;
        Ok(Committed { id: id.to_owned(), url: None })
    })
}
