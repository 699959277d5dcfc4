//! What is said against posts before anything is sent.

use super::{film, kept};
use crate::YouTube;
use orla_sdk::testing::{media, part, post};
use orla_sdk::{Fact, Publish, Variant};
use serde_json::{Value, json};

/// The codes of what is wrong with a variant, each with its member.
fn violations(variant: Variant) -> Vec<(String, String)> {
    YouTube::check(kept(variant), &[]).into_iter().map(|found| (found.field, found.code)).collect()
}

fn found(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
}

fn titled(title: &str) -> Variant {
    Variant { title: Some(title.to_owned()), ..film(5) }
}

fn with(name: &str, value: &Value) -> Variant {
    Variant { extras: vec![Fact { name: name.to_owned(), value: value.to_string() }], ..film(5) }
}

#[test]
fn a_video_has_a_title() {
    assert_eq!(violations(film(5)), []);
    assert_eq!(violations(Variant { title: None, ..film(5) }), found(&[("title", "empty")]));
    assert_eq!(violations(titled(" ")), found(&[("title", "empty")]));
    assert_eq!(violations(titled(&"é".repeat(100))), []);
    assert_eq!(violations(titled(&"é".repeat(101))), found(&[("title", "title_too_long")]));
    assert_eq!(violations(titled("a < b")), found(&[("title", "angle_brackets")]));
}

#[test]
fn a_description_has_5000_bytes() {
    let described = |text: String| {
        let mut variant = film(5);
        variant.parts[0].text = text;
        variant
    };
    assert_eq!(violations(described("é".repeat(2_500))), []);
    let long = kept(described("é".repeat(2_501)));
    let message = &YouTube::check(long, &[])[0].message;
    assert_eq!(message, "A description may have 5000 bytes; this one has 5002, 2 too many.");
    assert_eq!(violations(described("<b>".to_owned())), found(&[("parts/0/text", "angle_brackets")]));
    assert_eq!(violations(described(String::new())), []);
}

#[test]
fn a_post_is_one_video_and_maybe_a_picture_after_it() {
    let of = |types: &[(&str, u64)]| {
        let media = types.iter().map(|(content_type, size)| media(content_type, *size, None)).collect();
        Variant { parts: vec![part("", media)], title: Some("Bread".to_owned()), ..post(&[]) }
    };
    let (video, picture) = (("video/mp4", 9), ("image/png", 9));
    assert_eq!(violations(of(&[video, picture])), []);
    assert_eq!(violations(of(&[])), found(&[("parts/0/media", "one_video")]));
    assert_eq!(violations(of(&[picture])), found(&[("parts/0/media", "one_video")]));
    assert_eq!(violations(of(&[video, video])), found(&[("parts/0/media", "one_video")]));
    assert_eq!(violations(of(&[video, picture, picture])), found(&[("parts/0/media", "too_many_pictures")]));
    assert_eq!(violations(of(&[picture, video])), found(&[("parts/0/media", "video_first")]));
    let sizes = of(&[("video/mp4", (256 << 30) + 1), ("image/jpeg", (2 << 20) + 1)]);
    let too_large = [("parts/0/media/0", "media_too_large"), ("parts/0/media/1", "media_too_large")];
    assert_eq!(violations(sizes), found(&too_large));
    let odd = of(&[("video/mp4", 0), ("image/webp", 9)]);
    assert_eq!(violations(odd), found(&[("parts/0/media/0", "media_empty"), ("parts/0/media/1", "media_type")]));
    let nothing = Variant { title: Some("Bread".to_owned()), ..post(&[]) };
    assert_eq!(violations(nothing), found(&[("parts", "empty")]));
    let mut two = of(&[video]);
    two.parts.extend(of(&[video]).parts);
    assert_eq!(violations(two), found(&[("parts", "too_many_parts")]));
}

#[test]
fn privacy_is_one_of_three_and_a_private_video_takes_no_comments() {
    let seen = |privacy: &str, first_comment: Option<&str>| Variant {
        privacy: Some(privacy.to_owned()),
        first_comment: first_comment.map(str::to_owned),
        ..film(5)
    };
    for privacy in ["public", "unlisted"] {
        assert_eq!(violations(seen(privacy, Some("First!"))), []);
    }
    assert_eq!(violations(seen("private", None)), []);
    assert_eq!(violations(seen("friends", None)), found(&[("privacy", "privacy")]));
    assert_eq!(violations(seen("private", Some("First!"))), found(&[("first_comment", "comments_off")]));
    assert_eq!(violations(seen("public", Some(" "))), found(&[("first_comment", "empty")]));
    let long = "x".repeat(10_001);
    assert_eq!(violations(seen("public", Some(&long))), found(&[("first_comment", "text_too_long")]));
    let kids = Variant { first_comment: Some("First!".to_owned()), ..with("made_for_kids", &json!(true)) };
    assert_eq!(violations(kids), found(&[("first_comment", "comments_off")]));
}

#[test]
fn tags_are_counted_as_youtube_counts_them() {
    let tags = |count: usize, tag: &str| with("tags", &json!(vec![tag; count]));
    // 50 times 9 letters and 49 commas are 499 characters.
    assert_eq!(violations(tags(50, "sourdough")), []);
    assert_eq!(violations(tags(51, "sourdough")), found(&[("extras/tags", "tags_too_long")]));
    // 8 letters, a space and two quotation marks.
    assert_eq!(violations(tags(41, "sour bred")), []);
    assert_eq!(violations(tags(42, "sour bred")), found(&[("extras/tags", "tags_too_long")]));
    assert_eq!(violations(with("tags", &json!(["a", " "]))), found(&[("extras/tags", "empty")]));
    assert_eq!(violations(with("tags", &json!(["<a>"]))), found(&[("extras/tags", "angle_brackets")]));
}

#[test]
fn a_category_is_a_number() {
    assert_eq!(violations(with("category", &json!("22"))), []);
    for wrong in ["", "music", "12345678901"] {
        assert_eq!(violations(with("category", &json!(wrong))), found(&[("extras/category", "category")]));
    }
}
