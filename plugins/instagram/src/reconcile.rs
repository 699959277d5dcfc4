//! Finding again what was lost: a post among the account's media, newest first, and a first comment below its post.
//!
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media>

use crate::check::{self, Choices};
use crate::{API, Instagram, List, Professional, comments, next, publish};
use orla_sdk::{Account, Attempt, Committed, Fault, Part, Reconcile, Result, Variant, Verdict, pages, time};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

/// How far Instagram's clock may be behind ours.
pub(crate) const CLOCKS_DIFFER_MS: u64 = 5 * 60 * 1_000;

/// Most pages of media to read, each of 50.
const MAX_LISTS: usize = 20;

impl Reconcile for Instagram {
    fn reconcile(account: &Account, variant: &Variant, attempt: &Attempt) -> Result<Verdict> {
        let professional = Professional::of(account)?;
        let nothing = || Fault::bug(format!("Nothing of this post is committed with the key `{}`.", attempt.key));
        if attempt.key == comments::FIRST {
            let words = variant.first_comment.as_ref().ok_or_else(nothing)?;
            let (_, post) = attempt.earlier.iter().find(|(key, _)| *key == publish::key(0)).ok_or_else(nothing)?;
            return comments::find_first(&professional, &post.id, words, attempt.sent_at_ms);
        }
        let mut parts = variant.parts.iter().enumerate();
        let (_, part) = parts.find(|(index, _)| publish::key(*index) == attempt.key).ok_or_else(nothing)?;
        find(&professional, part, &Choices::of(variant), attempt)
    }
}

/// Looks for a medium that is no older than the attempt, of the post's kind and with its caption.
///
/// Where that leaves a doubt the verdict is `Unknown`: the caption with other media, or any new medium where there is no caption
/// to tell it by.
fn find(professional: &Professional<'_>, part: &Part, choices: &Choices, attempt: &Attempt) -> Result<Verdict> {
    let since_ms = attempt.sent_at_ms.saturating_sub(CLOCKS_DIFFER_MS);
    let edge = if choices.story { "stories" } else { "media" };
    let first = || {
        let list = API.get(professional.edge(edge));
        list.query("fields", "id,caption,media_type,timestamp,permalink,children{id}").query("limit", "50")
    };
    let mut doubt = false;
    for list in pages(MAX_LISTS, |link| link.map_or_else(first, |link| API.follow(link)), next) {
        let List { data } = list?.json::<List<Medium>>()?;
        for medium in &data {
            if medium.is_before(since_ms) {
                // The newest come first, so all that follow are older still.
                return Ok(verdict(doubt));
            }
            if !medium.says(&part.text) {
                continue;
            }
            if !part.text.trim().is_empty() && medium.is_of(part) {
                return Ok(Verdict::Done(Committed { id: medium.id.clone(), url: medium.permalink.clone() }));
            }
            doubt = true;
        }
    }
    Ok(verdict(doubt))
}

fn verdict(doubt: bool) -> Verdict {
    if doubt { Verdict::Unknown } else { Verdict::Absent }
}

/// A medium that was published, in the members that are asked for.
#[derive(Deserialize)]
struct Medium {
    id: String,
    #[serde(default)]
    caption: String,
    media_type: Option<String>,
    timestamp: Option<String>,
    permalink: Option<String>,
    children: Option<List<Child>>,
}

#[derive(Deserialize)]
struct Child {}

impl Medium {
    fn is_before(&self, since_ms: u64) -> bool {
        self.timestamp.as_deref().and_then(written_ms).is_some_and(|at_ms| at_ms < since_ms)
    }

    fn says(&self, text: &str) -> bool {
        bare(&self.caption) == bare(text)
    }

    /// Whether it shows what the part does, as far as Instagram tells.
    fn is_of(&self, part: &Part) -> bool {
        let children = self.children.as_ref().map_or(part.media.len(), |children| children.data.len());
        match (self.media_type.as_deref(), part.media.as_slice()) {
            (Some("IMAGE"), [medium]) => !check::is_film(medium),
            (Some("VIDEO"), [medium]) => check::is_film(medium),
            (Some("CAROUSEL_ALBUM"), media) => media.len() > 1 && children == media.len(),
            _ => false,
        }
    }
}

/// A text without what Instagram changes as it keeps it: white space, and how letters are composed.
pub(crate) fn bare(text: &str) -> String {
    text.nfc().filter(|character| !character.is_whitespace()).collect()
}

/// A time as the Graph API writes it, `2026-01-31T12:00:00+0000`, whose offset lacks RFC 3339's colon.
pub(crate) fn written_ms(written: &str) -> Option<u64> {
    time::rfc3339_ms(written).or_else(|| {
        let (time, minutes) = written.split_at_checked(written.len().checked_sub(2)?)?;
        time::rfc3339_ms(&format!("{time}:{minutes}"))
    })
}
