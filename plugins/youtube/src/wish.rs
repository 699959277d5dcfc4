//! What a person wishes for a video, and how YouTube is told: <https://developers.google.com/youtube/v3/docs/videos>.

use orla_sdk::{Part, Variant};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The names of the extras.
pub(crate) const TAGS: &str = "tags";
pub(crate) const CATEGORY: &str = "category";
pub(crate) const MADE_FOR_KIDS: &str = "made_for_kids";
pub(crate) const SYNTHETIC: &str = "synthetic_media";
pub(crate) const LICENSE: &str = "license";
pub(crate) const EMBEDDABLE: &str = "embeddable";
pub(crate) const NOTIFY: &str = "notify_subscribers";

/// Who sees a video where nobody says it.
const PUBLIC: &str = "public";

/// People & Blogs, which YouTube takes where nobody chooses.
const USUAL_CATEGORY: &str = "22";

/// What a person chose of the extras; none where it is not there, or of another kind.
pub(crate) fn extra<T: DeserializeOwned>(variant: &Variant, name: &str) -> Option<T> {
    let fact = variant.extras.iter().find(|extra| extra.name == name)?;
    serde_json::from_str(&fact.value).ok()
}

/// Who may see the video.
pub(crate) fn privacy(variant: &Variant) -> &str {
    variant.privacy.as_deref().unwrap_or(PUBLIC)
}

/// The video as the upload begins with it. Whether it is made for kids is declared in any case.
pub(crate) fn resource(variant: &Variant, part: &Part) -> Value {
    let mut snippet = json!({
        "title": variant.title.as_deref().unwrap_or_default().trim(),
        "categoryId": extra(variant, CATEGORY).unwrap_or_else(|| USUAL_CATEGORY.to_owned()),
    });
    if !part.text.trim().is_empty() {
        snippet["description"] = part.text.as_str().into();
    }
    if let Some(tags) = extra::<Vec<String>>(variant, TAGS).filter(|tags| !tags.is_empty()) {
        snippet["tags"] = json!(tags);
    }
    let mut status = json!({
        "privacyStatus": privacy(variant),
        "selfDeclaredMadeForKids": extra(variant, MADE_FOR_KIDS).unwrap_or(false),
    });
    for (name, member) in [(SYNTHETIC, "containsSyntheticMedia"), (EMBEDDABLE, "embeddable"), (LICENSE, "license")] {
        if let Some(chosen) = extra::<Value>(variant, name) {
            status[member] = chosen;
        }
    }
    json!({ "snippet": snippet, "status": status })
}
