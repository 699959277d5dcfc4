//! What a person wants to say, as connectors are handed it, and the rules of the manifest that it is held against.

use super::bindings::connector::orla::connector::types as wit;
use super::bindings::publishes::orla::connector::variants as wit_variants;
use super::blob::{Blob, Handle};
use super::guest::Guest;
use super::release::Release;
use orla_manifest::{ExtraKind, Member};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::Store;

/// What a person wants to say, with the media at hand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variant {
    pub(crate) parts: Vec<VariantPart>,
    pub(crate) more: VariantMore,
}

/// What a post may have besides its parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VariantMore {
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A web page that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What the account itself says below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_comment: Option<String>,
    /// Who may see it, in the network's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<String>,
    /// What a person chose of the manifest's extras.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extras: BTreeMap<String, Value>,
}

impl VariantMore {
    /// Whether there is nothing besides the parts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Variant {
    /// A post of these parts and nothing besides.
    pub(crate) fn of(parts: Vec<VariantPart>) -> Self {
        Self { parts, more: VariantMore::default() }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct VariantPart {
    pub(crate) text: String,
    pub(crate) media: Vec<VariantMedium>,
}

#[derive(Debug, Clone)]
pub(crate) struct VariantMedium {
    pub(crate) blob: Arc<Blob>,
    pub(crate) alt_text: Option<String>,
}

/// A rule that a variant breaks.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) field: String,
    pub(crate) message: String,
}

/// A fact of an account, as the vendor says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fact {
    /// The connector's name of it, such as `max_text`.
    pub(crate) name: String,
    /// Its value as JSON.
    pub(crate) value: String,
}

/// Where there are more parts or media than the manifest allows; `media` has how many are in each part.
pub(crate) fn beyond(release: &Release, media: &[usize]) -> Vec<Violation> {
    let Some(publishing) = &release.manifest.publishing else { return Vec::new() };
    let (max_parts, max_media) = (publishing.max_parts as usize, publishing.max_media as usize);
    let parts = Some(media.len()).filter(|count| *count > max_parts).map(|count| Violation {
        field: "parts".to_owned(),
        message: format!(
            "The network takes {max_parts} posts at once; these are {count}, {} too many.",
            count - max_parts
        ),
    });
    let media = media.iter().enumerate().filter(|(_, count)| **count > max_media);
    let media = media.map(|(index, count)| Violation {
        field: format!("parts/{index}/media"),
        message: format!(
            "The network takes {max_media} media in a post; this one has {count}, {} too many.",
            count - max_media
        ),
    });
    parts.into_iter().chain(media).collect()
}

/// What is left of a variant without what the network does not take: the connector is not asked about that.
pub(super) fn taken(release: &Release, variant: &Variant) -> Variant {
    let mut taken = variant.clone();
    for Violation { field, .. } in not_taken(release, &variant.more) {
        match field.as_str() {
            "title" => taken.more.title = None,
            "link" => taken.more.link = None,
            "first_comment" => taken.more.first_comment = None,
            "privacy" => taken.more.privacy = None,
            // An extra's field is cut where its name is too long to be one.
            extra => taken.more.extras.retain(|name, _| format!("extras/{name:.50}") != extra),
        }
    }
    taken
}

/// What a post has that the network does not take, by the manifest.
pub(crate) fn not_taken(release: &Release, more: &VariantMore) -> Vec<Violation> {
    let publishing = release.manifest.publishing.as_ref();
    let takes = publishing.map(|publishing| publishing.takes.as_slice()).unwrap_or_default();
    let name = &release.manifest.name;
    let members = [
        (Member::Title, "title", more.title.is_some()),
        (Member::Link, "link", more.link.is_some()),
        (Member::FirstComment, "first_comment", more.first_comment.is_some()),
        (Member::Privacy, "privacy", more.privacy.is_some()),
    ];
    let members = members.into_iter().filter(|(member, _, is_set)| *is_set && !takes.contains(member));
    let members = members.map(|(_, field, _)| Violation {
        field: field.to_owned(),
        message: format!("{name} takes no {} with a post. Leave it out.", field.replace('_', " ")),
    });
    let extras = more.extras.iter().filter_map(|(extra, value)| {
        let kind = publishing.and_then(|publishing| publishing.extras.get(extra)).map(|extra| &extra.kind);
        let message = match kind {
            None => format!("{name} lets nobody choose `{extra:.50}`."),
            Some(kind) if !is_of(kind, value) => format!("`{extra}` must be {}.", told(kind)),
            Some(_) => return None,
        };
        Some(Violation { field: format!("extras/{extra:.50}"), message })
    });
    members.chain(extras).collect()
}

/// Longest text, and most texts, that an extra may be.
const MAX_EXTRA_BYTES: usize = 5_000;
const MAX_EXTRA_TEXTS: usize = 500;

fn is_of(kind: &ExtraKind, value: &Value) -> bool {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| text.len() <= MAX_EXTRA_BYTES);
    match kind {
        ExtraKind::Text => is_text(value),
        ExtraKind::Texts => {
            value.as_array().is_some_and(|texts| texts.len() <= MAX_EXTRA_TEXTS && texts.iter().all(is_text))
        }
        ExtraKind::Number => value.is_i64() || value.is_u64(),
        ExtraKind::Flag => value.is_boolean(),
        ExtraKind::OneOf(words) => value.as_str().is_some_and(|text| words.iter().any(|word| word == text)),
    }
}

fn told(kind: &ExtraKind) -> String {
    match kind {
        ExtraKind::Text => format!("a text of at most {MAX_EXTRA_BYTES} bytes"),
        ExtraKind::Texts => format!("a list of at most {MAX_EXTRA_TEXTS} texts"),
        ExtraKind::Number => "a whole number".to_owned(),
        ExtraKind::Flag => "true or false".to_owned(),
        ExtraKind::OneOf(words) => format!("one of {}", words.join(", ")),
    }
}

/// Gives a guest handles of the variant's media.
pub(super) fn hand_over(store: &mut Store<Guest>, variant: &Variant) -> wasmtime::Result<wit_variants::Variant> {
    let table = &mut store.data_mut().table;
    let mut parts = Vec::with_capacity(variant.parts.len());
    for part in &variant.parts {
        let mut media = Vec::with_capacity(part.media.len());
        for medium in &part.media {
            media.push(wit_variants::Media {
                blob: table.push(Handle(medium.blob.clone()))?,
                content_type: medium.blob.content_type.clone(),
                size: medium.blob.size(),
                alt_text: medium.alt_text.clone(),
            });
        }
        parts.push(wit_variants::Part { text: part.text.clone(), media });
    }
    let VariantMore { title, link, first_comment, privacy, extras } = variant.more.clone();
    let extras = extras.into_iter().map(|(name, value)| wit::Fact { name, value: value.to_string() }).collect();
    Ok(wit_variants::Variant { parts, title, link, first_comment, privacy, extras })
}
