//! The manifest's rules of publishing.

use std::collections::BTreeMap;

/// What a number of a [`MediaRule`] may be, both ends included.
///
/// ```
/// let up_to_a_minute = orla_sdk::manifest::Bounds { min: None, max: Some(60_000) };
/// # drop(up_to_a_minute);
/// ```
#[doc(inline)]
pub use orla_manifest::Bounds;

/// Something that a person may choose for a post; [`extras`](super::extras) makes them.
///
/// ```
/// use orla_sdk::manifest::{Extra, ExtraKind};
///
/// let extra = Extra { about: "Whether subscribers are told.".to_owned(), kind: ExtraKind::Flag };
/// # drop(extra);
/// ```
#[doc(inline)]
pub use orla_manifest::Extra;

/// What the values of an [`Extra`] are.
///
/// ```
/// use orla_sdk::manifest::ExtraKind;
///
/// let kind = ExtraKind::OneOf(["youtube", "creativeCommon"].map(str::to_owned).into());
/// # drop(kind);
/// ```
#[doc(inline)]
pub use orla_manifest::ExtraKind;

/// What a network takes of a media type; [`media`](super::media) makes them.
///
/// ```
/// use orla_sdk::manifest::{Bounds, MediaRule, media};
///
/// let rule = MediaRule { content_type: "image/png".to_owned(), max_bytes: 5 << 20, ..MediaRule::default() };
/// assert_eq!(media([("image/png", 5 << 20)]), [rule.clone()]);
/// let narrow = MediaRule { width: Some(Bounds { min: Some(320), max: Some(1440) }), ..rule };
/// # drop(narrow);
/// ```
#[doc(inline)]
pub use orla_manifest::MediaRule;

/// What a post may have besides its parts.
///
/// ```
/// use orla_sdk::manifest::{Member, Publishing};
///
/// let publishing = Publishing { takes: vec![Member::Link, Member::FirstComment], ..Publishing::default() };
/// assert!(!publishing.takes.contains(&Member::Title));
/// ```
#[doc(inline)]
pub use orla_manifest::Member;

/// The rules of a connector that publishes.
///
/// ```
/// use orla_sdk::manifest::{self, Publishing};
///
/// let publishing = Publishing {
///     visible_after_s: 30,
///     max_parts: 25,
///     max_media: 4,
///     media: manifest::media([("image/jpeg", 5 << 20)]),
///     committed_id: vec![manifest::pointer("/data/id")],
///     ..Publishing::default()
/// };
/// # drop(publishing);
/// ```
#[doc(inline)]
pub use orla_manifest::Publishing;

/// What else a person may choose for a post, by name: what it does, and what its values are.
///
/// ```
/// use orla_sdk::manifest::{self, ExtraKind};
///
/// let extras = manifest::extras([("category", "What the video is about.", ExtraKind::Text)]);
/// assert_eq!(extras["category"].kind, ExtraKind::Text);
/// ```
#[must_use]
pub fn extras<const N: usize>(extras: [(&str, &str, ExtraKind); N]) -> BTreeMap<String, Extra> {
    extras.map(|(name, about, kind)| (name.to_owned(), Extra { about: about.to_owned(), kind })).into()
}

/// What is taken of each media type, by its largest size in bytes.
///
/// ```
/// let rules = orla_sdk::manifest::media([("image/png", 5 << 20), ("video/mp4", 512 << 20)]);
/// assert_eq!(rules[0].max_bytes, 5 * 1024 * 1024);
/// ```
#[must_use]
pub fn media<const N: usize>(rules: [(&str, u64); N]) -> Vec<MediaRule> {
    rules
        .map(|(content_type, max_bytes)| MediaRule {
            content_type: content_type.to_owned(),
            max_bytes,
            ..MediaRule::default()
        })
        .into()
}
