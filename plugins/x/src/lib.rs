//! X (Twitter), API v2: <https://docs.x.com/x-api>.
//!
//! A thread is a post and replies to it, each the reply to the one before. X knows no idempotency key, so a post whose
//! answer was lost is looked for in the account's timeline.

mod link;
mod media;
mod text;
mod timeline;

use crate::media::Upload;
use orla_sdk::manifest::{self, Auth, Endpoint, Manifest, OAuth2, Publishing};
use orla_sdk::{
    Account, Api, Attempt, Committed, Connector, Explained, Fact, Fault, FaultKind, Identity, Media, Part, Profile,
    Progress, Publish, Reconcile, Remove, Response, Result, Step, Variant, Verdict, Violation, in_order, path,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The connector.
pub struct X;

orla_sdk::connector!(X);
orla_sdk::export_identity!(X);
orla_sdk::export_publish!(X);
orla_sdk::export_reconcile!(X);
orla_sdk::export_remove!(X);

const API: Api = Api::new("api").explain(explain);

/// The longest thread that we post at once. X names no limit.
const MAX_PARTS: usize = 25;

/// Photos of one post; a GIF or a video stands alone.
const MAX_PHOTOS: usize = 4;

/// Characters of an image's description.
const MAX_ALT_CHARS: usize = 1_000;

/// What X takes of each media type, in bytes: <https://docs.x.com/x-api/media/quickstart/best-practices>.
const MEDIA: [(&str, u64); 6] = [
    ("image/jpeg", 5 << 20),
    ("image/png", 5 << 20),
    ("image/webp", 5 << 20),
    ("image/gif", 15 << 20),
    ("video/mp4", 512 << 20),
    ("video/quicktime", 512 << 20),
];

impl Connector for X {
    fn manifest() -> Manifest {
        Manifest {
            platform: Some("twitter".to_owned()),
            auth: Auth::Oauth2(OAuth2 {
                revoke: Some(manifest::revoke("api", "/2/oauth2/revoke")),
                // What X is seen to answer to a refresh token that was used, replaced or revoked.
                revoked_errors: vec!["invalid_request".to_owned()],
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
                max_parts: MAX_PARTS as u32,
                max_media: MAX_PHOTOS as u32,
                media: manifest::media(MEDIA),
                committed_id: vec![manifest::pointer("/data/id")],
                ..Publishing::default()
            }),
            ..manifest::bare("x", "X", env!("CARGO_PKG_VERSION"))
        }
    }
}

/// What X wraps an answer in.
#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

impl Identity for X {
    /// <https://docs.x.com/x-api/users/get-my-user>
    fn whoami(_account: &Account) -> Result<Profile> {
        #[derive(Deserialize)]
        struct User {
            id: String,
            username: String,
            name: Option<String>,
        }
        let me = API.get("/2/users/me").query("user.fields", "username,name,profile_image_url").read()?;
        let User { id, username, name } = me.json::<Envelope<User>>()?.data;
        Ok(Profile { vendor_id: id, handle: username, name, targets: Vec::new() })
    }
}

impl Publish for X {
    fn check(variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        let mut violations = Vec::new();
        let count = variant.parts.len();
        if count == 0 {
            violations.push(Violation::new("parts", "empty", "There is nothing to post."));
        }
        if count > MAX_PARTS {
            let excess = count - MAX_PARTS;
            let message = format!("A thread may have {MAX_PARTS} posts; this one has {count}, {excess} too many.");
            violations.push(Violation::new("parts", "too_many_parts", message));
        }
        for (index, part) in variant.parts.iter().enumerate() {
            check_part(&format!("parts/{index}"), part, &mut violations);
        }
        violations
    }

    fn publish(account: &Account, variant: &Variant) -> Result<Progress> {
        in_order(&variant.parts, |index, part, previous| match post(account, index, part, previous) {
            // X no longer knows the media, and certainly posted nothing: bring them again, once.
            Err(fault) if fault.sent && names_media(&fault) && !part.media.is_empty() => {
                media::forget_all(index, part);
                post(account, index, part, previous)
            }
            outcome => outcome,
        })
    }
}

impl Reconcile for X {
    fn reconcile(account: &Account, variant: &Variant, attempt: &Attempt) -> Result<Verdict> {
        timeline::find(account, variant, attempt)
    }
}

impl Remove for X {
    /// <https://docs.x.com/x-api/posts/delete-post>
    fn remove(_account: &Account, id: &str) -> Result<()> {
        let an_hour = Duration::from_secs(3_600);
        API.delete(path!("/2/tweets/{}", id)).accept(404).prepare(format!("remove/{id}"), an_hour)?;
        Ok(())
    }
}

/// <https://docs.x.com/x-api/posts/create-post>
#[derive(Serialize)]
struct NewPost<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<PostMedia>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<Reply<'a>>,
}

#[derive(Serialize)]
struct PostMedia {
    media_ids: Vec<String>,
}

#[derive(Serialize)]
struct Reply<'a> {
    in_reply_to_tweet_id: &'a str,
}

/// Posts one part, as a reply to the one before it.
fn post(account: &Account, index: usize, part: &Part, previous: Option<&Committed>) -> Result<Step> {
    let media_ids = match media::upload_all(index, part)? {
        Upload::Ready(ids) => ids,
        Upload::Processing(wait) => return Ok(Step::Wait(wait)),
    };
    let new = NewPost {
        text: &part.text,
        media: (!media_ids.is_empty()).then_some(PostMedia { media_ids }),
        reply: previous.map(|post| Reply { in_reply_to_tweet_id: &post.id }),
    };
    let made = |answer: &Response| {
        #[derive(Deserialize)]
        struct Post {
            id: String,
        }
        // X may answer 2xx with errors and no post; only an id says that there is one.
        match answer.json::<Envelope<Post>>() {
            Ok(Envelope { data }) if !data.id.is_empty() => Ok(committed(account, &data.id)),
            _ => {
                let words = explain(answer).message.unwrap_or_else(|| "It does not say why.".to_owned());
                Err(Fault::vendor(format!("X took the post but names none. {words}")))
            }
        }
    };
    API.post("/2/tweets").json(&new).commit(format!("part/{index}"), made).map(Step::Done)
}

/// What X calls a post, and where a person finds it.
fn committed(account: &Account, id: &str) -> Committed {
    let handle = if account.handle.is_empty() { "i" } else { &account.handle };
    Committed { id: id.to_owned(), url: Some(format!("https://x.com{}", path!("/{}/status/{}", handle, id))) }
}

fn names_media(fault: &Fault) -> bool {
    fault.kind == FaultKind::Invalid && fault.message.to_lowercase().contains("media")
}

/// X's problem document: <https://docs.x.com/x-api/fundamentals/response-codes-and-errors>.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    r#type: Option<String>,
    errors: Vec<ProblemError>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProblemError {
    message: Option<String>,
    detail: Option<String>,
}

fn explain(answer: &Response) -> Explained {
    let problem: Problem = answer.json().unwrap_or_default();
    let specific = problem.errors.into_iter().find_map(|error| error.message.or(error.detail));
    let message = specific.or(problem.detail).or(problem.title);
    let code = problem.r#type.as_deref().and_then(|url| url.split_once("/problems/")).map(|(_, code)| code.to_owned());
    let words = message.as_deref().unwrap_or_default().to_lowercase();
    let kind = match (answer.status(), code.as_deref()) {
        (_, Some("usage-capped")) => Some(FaultKind::Quota),
        (403, _) if words.contains("duplicate") => Some(FaultKind::Conflict),
        // A refusal that names its reason, such as who may reply to whom, is about this post. Connecting anew helps only
        // where X says nothing, or that the app or the token lacks a permission.
        (403, None) if !matches!(words.as_str(), "" | "forbidden") => Some(FaultKind::Invalid),
        _ => None,
    };
    let reset_s = answer.header("x-rate-limit-reset").and_then(|seconds| seconds.parse::<u64>().ok());
    let reset_ms = reset_s.filter(|_| answer.status() == 429).map(|seconds| seconds.saturating_mul(1_000));
    Explained { kind, code, message, field: None, retry_after_ms: reset_ms.and_then(|at_ms| answer.ms_until(at_ms)) }
}

fn check_part(at: &str, part: &Part, violations: &mut Vec<Violation>) {
    if part.text.trim().is_empty() && part.media.is_empty() {
        violations.push(Violation::new(at, "empty", "A post needs a text or a medium."));
    }
    let weight = text::weight(&part.text);
    if weight > text::MAX_WEIGHT {
        let (max, excess) = (text::MAX_WEIGHT, weight - text::MAX_WEIGHT);
        let message =
            format!("A post may have {max} characters as X counts them; this one has {weight}, {excess} too many.");
        violations.push(Violation::new(format!("{at}/text"), "text_too_long", message));
    }
    let photos = part.media.iter().filter(|media| media::category(&media.content_type) == "tweet_image").count();
    let count = part.media.len();
    if photos < count && count > 1 {
        let message = format!("A GIF or a video stands alone in a post; this one has {count} media.");
        violations.push(Violation::new(format!("{at}/media"), "mixed_media", message));
    } else if photos > MAX_PHOTOS {
        let excess = photos - MAX_PHOTOS;
        let message = format!("A post may have {MAX_PHOTOS} photos; this one has {photos}, {excess} too many.");
        violations.push(Violation::new(format!("{at}/media"), "too_many_media", message));
    }
    for (index, media) in part.media.iter().enumerate() {
        check_media(&format!("{at}/media/{index}"), media, violations);
    }
}

fn check_media(at: &str, media: &Media, violations: &mut Vec<Violation>) {
    let Media { content_type, size, alt_text, .. } = media;
    match MEDIA.iter().find(|(taken, _)| taken == content_type) {
        None => {
            let message = format!("X does not take {content_type}.");
            violations.push(Violation::new(at, "media_type", message));
        }
        Some((_, max)) if size > max => {
            let excess = size - max;
            let message =
                format!("A file of {content_type} may have {max} bytes; this one has {size}, {excess} too many.");
            violations.push(Violation::new(at, "media_too_large", message));
        }
        Some(_) => {}
    }
    let alt_chars = alt_text.as_deref().unwrap_or_default().chars().count();
    if alt_chars > MAX_ALT_CHARS {
        let excess = alt_chars - MAX_ALT_CHARS;
        let message =
            format!("A description may have {MAX_ALT_CHARS} characters; this one has {alt_chars}, {excess} too many.");
        violations.push(Violation::new(format!("{at}/alt_text"), "alt_too_long", message));
    }
}

#[cfg(test)]
mod tests;
