//! Finding a post again whose answer was lost, among what the page has published:
//! <https://developers.facebook.com/docs/graph-api/reference/page/published_posts>.

use crate::{API, Facebook, List, Page, check, next, publish, video};
use orla_sdk::{Account, Attempt, Fault, Part, Reconcile, Result, Variant, Verdict, pages, time};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

/// How far Facebook's clock may be behind ours.
pub(crate) const CLOCKS_DIFFER_MS: u64 = 5 * 60 * 1_000;

/// Most pages of posts to read, each of 100.
const MAX_LISTS: usize = 10;

impl Reconcile for Facebook {
    fn reconcile(account: &Account, variant: &Variant, attempt: &Attempt) -> Result<Verdict> {
        let page = Page::of(account)?;
        let mut parts = variant.parts.iter().enumerate();
        match parts.find(|(index, _)| publish::key(*index) == attempt.key) {
            Some((_, part)) => find(&page, part, attempt),
            None if names_video(variant, &attempt.key) => video::find(&page, &attempt.key),
            None => Err(Fault::bug(format!("No part of this post is committed with the key `{}`.", attempt.key))),
        }
    }
}

/// Whether a key is the id of a video, of which there must be one.
fn names_video(variant: &Variant, key: &str) -> bool {
    let has_video = variant.parts.iter().any(|part| part.media.iter().any(check::is_video));
    has_video && !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// Looks for a post that is no older than the attempt, and has the part's text and as many photos.
///
/// Where that leaves a doubt the verdict is `Unknown`: a post with the text and other photos, or one without any text.
fn find(page: &Page<'_>, part: &Part, attempt: &Attempt) -> Result<Verdict> {
    let since_ms = attempt.sent_at_ms.saturating_sub(CLOCKS_DIFFER_MS);
    let first = || {
        let list = API.get(page.edge("published_posts")).query("fields", "id,message,created_time,attachments");
        page.sign(list.query("since", (since_ms / 1_000).to_string()).query("limit", "100"))
    };
    let ask = |link: Option<&str>| link.map_or_else(first, |link| page.sign(API.follow(link)));
    let mut doubt = false;
    for list in pages(MAX_LISTS, ask, next) {
        let List { data } = list?.json::<List<Post>>()?;
        for post in data.iter().filter(|post| !post.is_before(since_ms)) {
            if !post.says(&part.text) {
                continue;
            }
            if !part.text.trim().is_empty() && post.photos() == part.media.len() {
                return Ok(Verdict::Done(publish::committed(&post.id)));
            }
            doubt = true;
        }
    }
    Ok(if doubt { Verdict::Unknown } else { Verdict::Absent })
}

/// A post, in the members that are asked for.
#[derive(Deserialize)]
struct Post {
    id: String,
    #[serde(default)]
    message: String,
    created_time: Option<String>,
    #[serde(default)]
    attachments: Attachments,
}

#[derive(Deserialize, Default)]
struct Attachments {
    #[serde(default)]
    data: Vec<Attachment>,
}

/// What a post shows besides its text; an album has the photos within.
#[derive(Deserialize)]
struct Attachment {
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    subattachments: Attachments,
}

impl Post {
    fn is_before(&self, since_ms: u64) -> bool {
        // What does not say when it was made is taken for new, as Facebook was asked for nothing older.
        self.created_time.as_deref().and_then(created_ms).is_some_and(|created_ms| created_ms < since_ms)
    }

    fn says(&self, text: &str) -> bool {
        bare(&self.message) == bare(text)
    }

    fn photos(&self) -> usize {
        self.attachments.data.iter().map(Attachment::photos).sum()
    }
}

impl Attachment {
    fn photos(&self) -> usize {
        match self.subattachments.data.as_slice() {
            [] => usize::from(self.media_type == "photo" || self.r#type.ends_with("photo")),
            within => within.iter().map(Self::photos).sum(),
        }
    }
}

/// A text without what Facebook changes as it keeps it: white space, and how letters are composed.
pub(crate) fn bare(text: &str) -> String {
    text.nfc().filter(|character| !character.is_whitespace()).collect()
}

/// A time as Facebook writes it, `2026-01-31T12:00:00+0000`, whose offset lacks RFC 3339's colon.
pub(crate) fn created_ms(written: &str) -> Option<u64> {
    time::rfc3339_ms(written).or_else(|| {
        let (time, minutes) = written.split_at_checked(written.len().checked_sub(2)?)?;
        time::rfc3339_ms(&format!("{time}:{minutes}"))
    })
}
