//! A connector of a network that is particular about posts, for the tests of the host: it has a media rule of every kind, takes
//! all that a post may have besides its parts, and asks for facts of the account.
//!
//! It speaks to the same API as the X connector. What it posts says what it was given: the text, and in brackets title, link,
//! privacy and extras, and the type and size of each medium.

use orla_sdk::manifest::{self, Auth, Bounds, Endpoint, ExtraKind, Manifest, MediaRule, Member, OAuth2, Publishing};
use orla_sdk::{
    Account, Api, Committed, Connector, Fact, Fault, FaultKind, Identity, Part, Profile, Progress, Publish, Response,
    Result, Step, Variant, Violation, in_order, say_first_comment,
};
use serde_json::{Value, json};

/// The connector.
pub struct Gallery;

orla_sdk::connector!(Gallery);
orla_sdk::export_identity!(Gallery);
orla_sdk::export_publish!(Gallery);

const API: Api = Api::new("api");

impl Connector for Gallery {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::Oauth2(OAuth2 {
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
            publishing: Some(Publishing {
                visible_after_s: 30,
                max_parts: 4,
                max_media: 4,
                media: media_rules(),
                committed_id: vec![manifest::pointer("/data/id")],
                takes: vec![Member::Title, Member::Link, Member::FirstComment, Member::Privacy],
                extras: manifest::extras([
                    ("category", "What it is about.", ExtraKind::OneOf(manifest::texts(["art", "bread"]))),
                    ("tags", "Words to find it by.", ExtraKind::Texts),
                    ("notify", "Whether followers are told.", ExtraKind::Flag),
                    ("pages", "How many it has.", ExtraKind::Number),
                ]),
            }),
            ..manifest::bare("gallery", "Gallery", env!("CARGO_PKG_VERSION"))
        }
    }
}

fn media_rules() -> Vec<MediaRule> {
    let between = |min, max| Some(Bounds { min: Some(min), max: Some(max) });
    let rule = |content_type: &str, max_bytes| MediaRule {
        content_type: content_type.to_owned(),
        max_bytes,
        ..MediaRule::default()
    };
    vec![
        MediaRule {
            width: between(100, 1_000),
            height: between(100, 1_000),
            ratio_percent: between(80, 191),
            ..rule("image/jpeg", 100_000)
        },
        MediaRule { becomes: Some("image/jpeg".to_owned()), ..rule("image/png", 200_000) },
        MediaRule { duration_ms: between(1_000, 60_000), height: between(100, 1_000), ..rule("video/mp4", 1_000_000) },
    ]
}

impl Identity for Gallery {
    fn whoami(_account: &Account) -> Result<Profile> {
        let me: Value = API.get("/2/users/me").query("user.fields", "username").read()?.json()?;
        let member = |name: &str| me["data"][name].as_str().map(str::to_owned);
        Ok(Profile {
            vendor_id: member("id").unwrap_or_default(),
            handle: member("username").unwrap_or_default(),
            name: member("name"),
            targets: Vec::new(),
        })
    }

    /// What the test wrote down, one fact a member.
    fn options(_account: &Account) -> Result<Vec<Fact>> {
        let answer = API.get("/_sim/script").read()?.text().into_owned();
        if answer == "down" {
            return Err(Fault::new(FaultKind::VendorDown, "The network is down for facts."));
        }
        let Ok(Value::Object(facts)) = serde_json::from_str(&answer) else { return Ok(Vec::new()) };
        Ok(facts.into_iter().map(|(name, value)| Fact { name, value: value.to_string() }).collect())
    }
}

impl Publish for Gallery {
    /// No text is longer than the account may write, and none says `never`.
    fn check(variant: &Variant, facts: &[Fact]) -> Vec<Violation> {
        let most = facts.iter().find(|fact| fact.name == "max_text").and_then(|fact| fact.value.parse().ok());
        let most: usize = most.unwrap_or(200);
        let mut violations = Vec::new();
        for (index, part) in variant.parts.iter().enumerate() {
            let (at, length) = (format!("parts/{index}/text"), part.text.chars().count());
            if length > most {
                let message =
                    format!("This account writes {most} characters; these are {length}, {} too many.", length - most);
                violations.push(Violation::new(&at, "text_too_long", message));
            }
            if part.text.contains("never") {
                violations.push(Violation::new(&at, "never", "Nobody says never here."));
            }
        }
        violations
    }

    fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
        let progress = in_order(&variant.parts, |index, part, previous| {
            let text = if index == 0 { said(part, Some(variant)) } else { said(part, None) };
            let body = match previous {
                None => json!({ "text": text }),
                Some(post) => json!({ "text": text, "reply": { "in_reply_to_tweet_id": post.id } }),
            };
            API.post("/2/tweets").json(&body).commit(format!("part/{index}"), made).map(Step::Done)
        })?;
        say_first_comment(progress, variant, |words, post| {
            let body = json!({ "text": words, "reply": { "in_reply_to_tweet_id": post.id } });
            API.post("/2/tweets").json(&body).commit("first-comment", made)
        })
    }
}

fn made(answer: &Response) -> Result<Committed> {
    let post: Value = answer.json()?;
    let id = post["data"]["id"].as_str().ok_or_else(|| Fault::vendor("The answer names no post."))?;
    Ok(Committed { id: id.to_owned(), url: None })
}

/// What a post says of what it was given.
fn said(part: &Part, whole: Option<&Variant>) -> String {
    let mut all = vec![part.text.clone()];
    let mut add = |what: String| all.push(format!("[{what}]"));
    if let Some(Variant { title, link, privacy, extras, .. }) = whole {
        [("title", title), ("link", link), ("privacy", privacy)]
            .into_iter()
            .filter_map(|(name, text)| Some(format!("{name} {}", text.as_ref()?)))
            .for_each(&mut add);
        extras.iter().map(|fact| format!("{} {}", fact.name, fact.value)).for_each(&mut add);
    }
    part.media.iter().map(|media| format!("{} {}", media.content_type, media.size)).for_each(&mut add);
    all.join(" ").trim().to_owned()
}
