//! Characters, and the other rules of `check`.

use crate::Mastodon;
use crate::check::{MAX_ALT_CHARS, MAX_CHARS, MAX_PARTS};
use crate::count::characters;
use orla_sdk::testing::{media, part, variant};
use orla_sdk::{Media, Part, Publish};

/// The members and the codes of what is wrong with these parts.
fn found(parts: Vec<Part>) -> Vec<(String, String)> {
    let violations = Mastodon::check(variant(parts), &[]);
    violations.into_iter().map(|violation| (violation.field, violation.code)).collect()
}

fn one(field: &str, code: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), code.to_owned())]
}

fn images(count: usize) -> Vec<Media> {
    (0..count).map(|_| media("image/png", 1_000, None)).collect()
}

#[test]
fn characters_are_grapheme_clusters() {
    for (text, count) in
        [("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("👩‍👩‍👧‍👦", 1), ("🇩🇪🇫🇷", 2), ("日本", 2), ("a\r\nb", 3)]
    {
        assert_eq!(characters(text), count, "{text:?}");
    }
}

#[test]
fn a_link_counts_23_however_long_it_is() {
    for link in
        ["https://a.io", "http://example.com/a/very/long/path?with=a&query=of-many#words", "HTTPS://EXAMPLE.COM"]
    {
        assert_eq!(characters(link), 23, "{link}");
        assert_eq!(characters(&format!("See {link}.")), 28, "{link}");
        assert_eq!(characters(&format!("({link})")), 25, "{link}");
    }
    assert_eq!(characters("https://a.io https://b.io"), 47);
    assert_eq!(characters("https://en.example.org/wiki/Tea_(meal)"), 23);
    assert_eq!(characters("https://bücher.example/é"), 23);
    assert_eq!(characters("見て https://a.io、"), 27);
}

#[test]
fn what_is_no_link_counts_as_it_stands() {
    for text in ["example.com", "https://", "https://localhost", "ftp://example.com", "xhttps://a.io", "https://.io"] {
        assert_eq!(characters(text), text.chars().count(), "{text}");
    }
}

#[test]
fn a_mention_counts_without_its_domain() {
    assert_eq!(characters("@ada"), 4);
    assert_eq!(characters("@ada@social.example"), 4);
    assert_eq!(characters("Hello @ada@social.example."), 11);
    assert_eq!(characters("@a.b-c@social.example!"), 7);
    assert_eq!(characters("@ada@social.example @bob@other.example"), 9);
    for text in ["ada@social.example", "me@@social.example", "@ada@", "https:/@ada@social.example", "@é@social.example"]
    {
        assert_eq!(characters(text), text.chars().count(), "{text}");
    }
}

#[test]
fn a_link_with_a_mention_in_it_is_a_link() {
    assert_eq!(characters("https://social.example/@ada@other.example"), 23);
}

#[test]
fn a_text_may_have_its_length_and_no_more() {
    assert_eq!(found(vec![part(&"é".repeat(MAX_CHARS), vec![])]), []);
    let link = " https://example.com/a/path/that/is/longer/than/twenty-three/characters";
    assert_eq!(found(vec![part(&("x".repeat(MAX_CHARS - 24) + link), vec![])]), []);
    assert_eq!(found(vec![part(&("x".repeat(MAX_CHARS - 23) + link), vec![])]), one("parts/0/text", "text_too_long"));
    let too_long = variant(vec![part("Fine", vec![]), part(&"é".repeat(MAX_CHARS + 1), vec![])]);
    let violations = Mastodon::check(too_long, &[]);
    assert_eq!(violations[0].field, "parts/1/text");
    assert_eq!(violations[0].message, "A post may have 500 characters; this one has 501.");
}

#[test]
fn a_post_has_a_text_or_a_medium() {
    assert_eq!(found(vec![part(" \n", vec![])]), one("parts/0/text", "empty"));
    assert_eq!(found(vec![part("", images(1))]), []);
}

#[test]
fn a_post_may_have_four_images() {
    assert_eq!(found(vec![part("Tea", images(4))]), []);
    assert_eq!(found(vec![part("Tea", images(5))]), one("parts/0/media", "too_many_media"));
}

#[test]
fn a_post_may_have_one_video_and_one_sound() {
    let twice = |kind: &str| vec![media(kind, 1_000, None), media(kind, 1_000, None)];
    assert_eq!(found(vec![part("Tea", vec![media("video/mp4", 1_000, None)])]), []);
    assert_eq!(found(vec![part("Tea", twice("video/mp4"))]), one("parts/0/media", "too_many_media"));
    assert_eq!(found(vec![part("Tea", twice("audio/ogg"))]), one("parts/0/media", "too_many_media"));
}

#[test]
fn media_have_their_types_and_sizes() {
    let medium = |content_type: &str, size| found(vec![part("Tea", vec![media(content_type, size, None)])]);
    assert_eq!(medium("image/png", 16 << 20), []);
    assert_eq!(medium("image/png", (16 << 20) + 1), one("parts/0/media/0", "media_too_large"));
    assert_eq!(medium("video/mp4", 99 << 20), []);
    assert_eq!(medium("application/pdf", 1), one("parts/0/media/0", "media_type"));
}

#[test]
fn a_description_has_a_length() {
    let described = |alt_text: &str| found(vec![part("Tea", vec![media("image/png", 1, Some(alt_text))])]);
    assert_eq!(described(&"é".repeat(MAX_ALT_CHARS)), []);
    let too_long = one("parts/0/media/0/alt_text", "alt_text_too_long");
    assert_eq!(described(&"é".repeat(MAX_ALT_CHARS + 1)), too_long);
}

#[test]
fn a_thread_may_have_so_many_posts() {
    let thread = |count: u32| found((0..count).map(|_| part("Tea", vec![])).collect());
    assert_eq!(thread(MAX_PARTS), []);
    assert_eq!(thread(MAX_PARTS + 1), one("parts", "too_many_parts"));
}
