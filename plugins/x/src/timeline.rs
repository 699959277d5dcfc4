//! Finding a post again whose answer was lost.
//!
//! <https://docs.x.com/x-api/users/get-posts>

use crate::{API, committed};
use orla_sdk::{Account, Attempt, Fault, Part, Result, Variant, Verdict, path, time};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

/// How far X's clock may be behind ours.
const SKEW_MS: u64 = 5 * 60 * 1_000;

/// Pages of 100 posts that are looked at before we admit that we cannot tell.
const MAX_PAGES: usize = 5;

/// The first millisecond of X's ids, which count from it in their upper bits.
const ID_EPOCH_MS: u64 = 1_288_834_974_657;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    data: Vec<Post>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Deserialize, Default)]
struct Meta {
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Post {
    id: String,
    #[serde(default)]
    text: String,
    created_at: Option<String>,
    #[serde(default)]
    referenced_tweets: Vec<Reference>,
    /// The name that X is changing `referenced_tweets` to.
    #[serde(default)]
    referenced_posts: Vec<Reference>,
    #[serde(default)]
    entities: Entities,
}

#[derive(Deserialize, Default)]
struct Entities {
    #[serde(default)]
    urls: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    expanded_url: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    r#type: String,
    id: String,
}

/// Looks for the post that an attempt may have made.
///
/// It is ours when it is no older than the attempt, replies to what the part replies to, and has its text and links.
/// Where that leaves a doubt the verdict is `Unknown`: a reply to our own post with another text, a post with our text
/// and other links, or one without any text.
pub(crate) fn find(account: &Account, variant: &Variant, attempt: &Attempt) -> Result<Verdict> {
    let (part, parent) = wanted(variant, attempt)?;
    let since_ms = attempt.sent_at_ms.saturating_sub(SKEW_MS);
    let mut doubt = false;
    let mut next_token = None;
    for _ in 0..MAX_PAGES {
        let page = page(&account.vendor_id, next_token.as_deref())?;
        for post in page.data.iter().filter(|post| post.created_ms() >= since_ms) {
            if post.parent() != parent || attempt.earlier.iter().any(|(_, earlier)| earlier.id == post.id) {
                continue;
            }
            let reads_alike = reads_as(&post.text, part);
            let tells_apart = parent.is_some() || !part.text.trim().is_empty();
            if reads_alike && tells_apart && post.links_are_of(part) {
                return Ok(Verdict::Done(committed(account, &post.id)));
            }
            doubt |= reads_alike || parent.is_some();
        }
        let reached_the_attempt = page.data.last().is_some_and(|oldest| oldest.created_ms() < since_ms);
        next_token = page.meta.next_token.filter(|_| !reached_the_attempt);
        if next_token.is_none() {
            return Ok(if doubt { Verdict::Unknown } else { Verdict::Absent });
        }
    }
    Ok(Verdict::Unknown)
}

/// The part that an attempt's key names, and the id of the post that it replies to.
fn wanted<'a>(variant: &'a Variant, attempt: &'a Attempt) -> Result<(&'a Part, Option<&'a str>)> {
    let stray = || Fault::bug(format!("No part of this post is committed with the key `{}`.", attempt.key));
    let index: usize = attempt.key.strip_prefix("part/").and_then(|index| index.parse().ok()).ok_or_else(stray)?;
    let part = variant.parts.get(index).ok_or_else(stray)?;
    let Some(before) = index.checked_sub(1) else { return Ok((part, None)) };
    let key = format!("part/{before}");
    let (_, parent) = attempt.earlier.iter().find(|(earlier, _)| *earlier == key).ok_or_else(stray)?;
    Ok((part, Some(&parent.id)))
}

fn page(user_id: &str, next_token: Option<&str>) -> Result<Page> {
    let mut request = API
        .get(path!("/2/users/{}/tweets", user_id))
        .query("max_results", "100")
        .query("tweet.fields", "created_at,text,referenced_tweets,conversation_id,entities");
    if let Some(token) = next_token {
        request = request.query("pagination_token", token);
    }
    let page: Page = request.read()?.json()?;
    if page.data.is_empty() && !page.errors.is_empty() {
        return Err(Fault::vendor("X answered with errors instead of the account's posts."));
    }
    Ok(page)
}

impl Post {
    fn created_ms(&self) -> u64 {
        let written = self.created_at.as_deref().and_then(time::rfc3339_ms);
        written.unwrap_or_else(|| self.id.parse::<u64>().map_or(0, |id| (id >> 22) + ID_EPOCH_MS))
    }

    fn parent(&self) -> Option<&str> {
        let mut references = self.referenced_tweets.iter().chain(&self.referenced_posts);
        references.find(|reference| reference.r#type == "replied_to").map(|reference| reference.id.as_str())
    }

    /// Whether the links that X shortened stand in a part's text. The link that X appends for media leads to the post.
    fn links_are_of(&self, part: &Part) -> bool {
        let text = part.text.to_lowercase();
        let own = format!("/status/{}/", self.id);
        let expanded = self.entities.urls.iter().filter_map(|link| link.expanded_url.as_deref());
        expanded.filter(|url| !url.contains(&own)).map(str::to_lowercase).all(|url| {
            // What X adds to a bare domain.
            let bare = url.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
            text.contains(bare)
        })
    }
}

/// Whether a post's text is what a part became.
///
/// X escapes `&`, `<` and `>`, replaces each link with one of its own and appends one for media. So the posted text is a
/// pattern in which a `t.co` link stands for any run without a space. White space is compared as words.
fn reads_as(posted: &str, part: &Part) -> bool {
    let wanted = words(&part.text);
    let unescaped = posted.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    [posted, unescaped.as_str()].into_iter().map(words).any(|posted| {
        let without_media = posted.rsplit_once(' ').map_or(("", posted.as_str()), |(text, last)| (text, last));
        let appended = !part.media.is_empty() && own_link_length(without_media.1) == Some(without_media.1.len());
        matches(&posted, &wanted) || (appended && matches(without_media.0, &wanted))
    })
}

fn words(text: &str) -> String {
    text.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `wanted` is `posted` with something else in the place of each `t.co` link.
fn matches(posted: &str, wanted: &str) -> bool {
    let link =
        posted.match_indices("http").find_map(|(at, _)| own_link_length(&posted[at..]).map(|length| (at, length)));
    let Some((at, length)) = link else { return posted == wanted };
    let Some(rest) = wanted.strip_prefix(&posted[..at]) else { return false };
    let original = &rest[..rest.find(' ').unwrap_or(rest.len())];
    // The link took the place of some beginning of this word: the longest that lets the rest match.
    let ends = original.char_indices().map(|(start, character)| start + character.len_utf8());
    ends.rev().any(|end| matches(&posted[at + length..], &rest[end..]))
}

/// The length of the link of X's own that `text` begins with.
fn own_link_length(text: &str) -> Option<usize> {
    let slug = text.strip_prefix("https://t.co/").or_else(|| text.strip_prefix("http://t.co/"))?;
    let slug_length = slug.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(slug.len());
    (slug_length > 0).then(|| text.len() - slug.len() + slug_length)
}
