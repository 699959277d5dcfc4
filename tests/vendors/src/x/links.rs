//! Links in posts: how X shows a post that has some.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::media::Media;
use crate::links::find;

/// A post as the API shows it.
pub(super) struct Shown {
    pub(super) text: String,
    /// `entities.urls`
    pub(super) urls: Vec<Value>,
}

/// Links become `https://t.co/…`, attached media add one, and `&`, `<`, `>` are escaped (observed). Whoever looks
/// for his own post must compare `entities.urls[].expanded_url`.
pub(super) fn shown(text: &str, id: &str, username: &str, media: &[&Media]) -> Shown {
    let mut shown = Shown { text: String::new(), urls: Vec::new() };
    let mut rest = 0;
    for link in find(text) {
        shown.text += &escape(&text[rest..link.start]);
        shown.push_link(id, &text[link.clone()]);
        rest = link.end;
    }
    shown.text += &escape(&text[rest..]);
    if let Some(first) = media.first() {
        if !shown.text.is_empty() {
            shown.text.push(' ');
        }
        let kind = if first.form().name() == "video" { "video" } else { "photo" };
        shown.push_link(id, &format!("https://x.com/{username}/status/{id}/{kind}/1"));
    }
    shown
}

impl Shown {
    fn push_link(&mut self, id: &str, expanded: &str) {
        let digest = Sha256::digest(format!("{id} {} {expanded}", self.urls.len()));
        let slug = BASE64_URL_SAFE_NO_PAD.encode(digest).replace(['-', '_'], "x");
        let short = format!("https://t.co/{}", &slug[..10]);
        let start = self.text.chars().count();
        let end = start + short.len();
        self.text += &short;
        self.urls.push(json!({ "start": start, "end": end, "url": short, "expanded_url": expanded }));
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_shown_post_has_short_links_and_says_what_they_were() {
        let shown = shown("A & B: https://example.com/long?x=1", "7", "orla_demo", &[]);
        assert!(shown.text.starts_with("A &amp; B: https://t.co/"), "{}", shown.text);
        assert_eq!(shown.urls[0]["expanded_url"], "https://example.com/long?x=1");
        assert_eq!((&shown.urls[0]["start"], &shown.urls[0]["end"]), (&11.into(), &34.into()));
    }
}
