//! A receiver of webhooks, signed as Standard Webhooks, version 1: <https://www.standardwebhooks.com/>.
//!
//! An account is connected by two fields: the URL that posts are sent to, and the secret that signs them.

#[cfg(test)]
mod tests;

use orla_sdk::manifest::{self, Auth, Field, Manifest, Publishing};
use orla_sdk::{
    Account, Api, Committed, Connector, Explained, Fact, FaultKind, Part, Progress, Publish, Response, Result, Step,
    Variant, Violation, in_order, time,
};
use serde_json::{Value, json};

/// The connector.
pub struct Webhook;

orla_sdk::connector!(Webhook);
orla_sdk::export_publish!(Webhook);

const HOOK: Api = Api::new("hook").explain(explain);

/// Most parts of a post, each of which is a request.
const MAX_PARTS: u32 = 100;

/// Most media of a part.
const MAX_MEDIA: u32 = 20;

/// Largest medium. Its bytes are not sent, so there is nothing that this protects; the manifest has to name a number.
const MAX_BYTES: u64 = 8 << 30;

/// The media that a post may have. A receiver is told of them, and does not get their bytes.
const MEDIA: [&str; 17] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/heic",
    "image/heif",
    "image/svg+xml",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/wav",
    "audio/flac",
    "application/pdf",
];

impl Connector for Webhook {
    fn manifest() -> Manifest {
        let url = Field {
            help: Some("Where posts are sent, as the receiver shows it.".to_owned()),
            ..manifest::field_url("url", "Address of the webhook")
        };
        let secret = Field {
            help: Some("It begins with whsec_; the receiver shows it, or you make it up for both sides.".to_owned()),
            ..manifest::field_secret("secret", "Signing secret")
        };
        let hook = manifest::standard_webhooks(manifest::at_field("url"), "secret");
        Manifest {
            auth: Auth::Fields(manifest::fields([url, secret])),
            endpoints: manifest::endpoints([("hook", hook)]),
            publishing: Some(Publishing {
                visible_after_s: 0,
                max_parts: MAX_PARTS,
                max_media: MAX_MEDIA,
                media: manifest::media(MEDIA.map(|content_type| (content_type, MAX_BYTES))),
                committed_id: vec![manifest::commit_key()],
                ..Publishing::default()
            }),
            ..manifest::bare("webhook", "Webhook", env!("CARGO_PKG_VERSION"))
        }
    }
}

impl Publish for Webhook {
    fn check(variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        let mut violations = Vec::new();
        let count = variant.parts.len();
        if count > MAX_PARTS as usize {
            let message = format!("A post may have {MAX_PARTS} parts; this one has {count}.");
            violations.push(Violation::new("parts", "too_many_parts", message));
        }
        for (index, part) in variant.parts.iter().enumerate() {
            check_part(index, part, &mut violations);
        }
        violations
    }

    /// One request a part, as a commit can confirm one part alone. The receiver names nothing, so that the commit's key is
    /// what the part is called.
    fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
        in_order(&variant.parts, |index, part, _previous| {
            let key = format!("part/{index}");
            let made = |_answer: &Response| Ok(Committed { id: key.clone(), url: None });
            HOOK.post("/").json(&event(index, variant.parts.len(), part)).commit(&key, made).map(Step::Done)
        })
    }
}

fn check_part(index: usize, part: &Part, violations: &mut Vec<Violation>) {
    if part.text.trim().is_empty() && part.media.is_empty() {
        let message = "A post needs a text or a medium; this one has neither.";
        violations.push(Violation::new(format!("parts/{index}/text"), "empty", message));
    }
    let count = part.media.len();
    if count > MAX_MEDIA as usize {
        let message = format!("A part may have {MAX_MEDIA} media; this one has {count}.");
        violations.push(Violation::new(format!("parts/{index}/media"), "too_many_media", message));
    }
    for (at, media) in part.media.iter().enumerate() {
        if !MEDIA.contains(&media.content_type.as_str()) {
            let message = format!("Media of the type {} cannot be announced.", media.content_type);
            violations.push(Violation::new(format!("parts/{index}/media/{at}"), "media_type", message));
        }
    }
}

/// What a receiver gets of a part: which of how many it is, what it says, and what its media are. The time at which the run
/// began is the same in all parts of a post and in every re-run, so that a receiver can tell which parts belong together.
fn event(index: usize, count: usize, part: &Part) -> Value {
    let media = part.media.iter().map(
        |media| json!({ "content_type": media.content_type, "size_bytes": media.size, "alt_text": media.alt_text }),
    );
    json!({
        "type": "post.published",
        "data": {
            "started_at_ms": time::now_ms(),
            "index": index,
            "count": count,
            "part": { "text": part.text, "media": media.collect::<Vec<_>>() },
        },
    })
}

/// What a refusal means. The words of a receiver are for whoever runs it and may be anything, so that they are not shown.
fn explain(answer: &Response) -> Explained {
    let (kind, means) = match answer.status() {
        401 | 403 => (Some(FaultKind::AuthExpired), "it does not accept the signature; look at the secret"),
        404 | 410 => (None, "there is no receiver at this address any more"),
        413 => (None, "the post is too large for it"),
        429 => (None, "it asks to slow down"),
        500..600 => (None, "it is out of order"),
        _ => return Explained::default(),
    };
    Explained {
        kind,
        message: Some(format!("The receiver answered {}: {means}.", answer.status())),
        ..Explained::default()
    }
}
