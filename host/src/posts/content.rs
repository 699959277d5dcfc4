//! What a post is wished for as: what all variants share, and what each has of its own. A draft holds the same and may be
//! incomplete.

use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::connections;
use crate::error::{Error, Result, Trouble};
use crate::id::{ConnectionId, WorkspaceId};
use crate::publications::preparing::{self, Vetted};
use crate::publications::{MediaSource, NewPublication, OnDuplicate, Part, VariantMore, When};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::time::Instant;
use utoipa::ToSchema;

/// A variant that may be taken in, and what stands behind it.
pub(crate) type Looked = (NewPublication, Vetted);

/// Most variants of a post.
const MAX_VARIANTS: usize = 50;

/// What a variant says. In the post it is what all variants share.
macro_rules! with_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$own_doc:meta])* $own:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$own_doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $own: Option<$kind>,
            )*
            /// The text of a post of one part.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub content: Option<String>,
            /// Where the media of a post of one part are to be had.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub media_urls: Option<Vec<String>>,
            /// A thread, instead of the two above.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub parts: Option<Vec<Part>>,
            /// The title, where the network gives posts one. Like the four below, an empty text in a variant stands for none.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub title: Option<String>,
            /// A web page that it is about.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub link: Option<String>,
            /// What the account itself says below it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub first_comment: Option<String>,
            /// Who may see it, in the network's own word.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub privacy: Option<String>,
            /// What else there is to choose at the network, by name.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub extras: Option<BTreeMap<String, Value>>,
        }

        impl $name {
            fn words(&self) -> Words<'_> {
                let Self { content, media_urls, parts, title, link, first_comment, privacy, extras, .. } = self;
                Words { content, media_urls, parts, title, link, first_comment, privacy, extras }
            }
        }
    };
}

with_words! {
    /// A post: its variants, and what they share.
    PostContent {
        /// A variant for each account, or target of one, that it goes to.
        variants: Vec<VariantContent>,
    }
}

with_words! {
    /// What goes to one account. What it says itself stands in place of what is shared: `parts`, or `content` and
    /// `media_urls`, each of the members below them, and all extras.
    VariantContent {
        /// The network, such as `twitter`; or name the connection.
        platform: String,
        /// The connection, where the workspace has several at the network.
        connection_id: ConnectionId,
        /// The page, blog or board to post to, where the account has several.
        target: String,
    }
}

/// What a post or a variant says.
struct Words<'a> {
    content: &'a Option<String>,
    media_urls: &'a Option<Vec<String>>,
    parts: &'a Option<Vec<Part>>,
    title: &'a Option<String>,
    link: &'a Option<String>,
    first_comment: &'a Option<String>,
    privacy: &'a Option<String>,
    extras: &'a Option<BTreeMap<String, Value>>,
}

impl Words<'_> {
    fn is_both(&self) -> bool {
        self.parts.is_some() && (self.content.is_some() || self.media_urls.is_some())
    }

    /// The parts of a variant that says this, and shares that.
    fn parts(&self, shared: &Words<'_>) -> Vec<Part> {
        let single = |content: &Option<String>, media_urls: &Option<Vec<String>>| {
            let media = media_urls.iter().flatten().map(|url| MediaSource { url: url.clone(), alt_text: None });
            vec![Part { text: content.clone().unwrap_or_default(), media: media.collect() }]
        };
        if let Some(parts) = self.parts {
            return parts.clone();
        }
        if self.content.is_none() && self.media_urls.is_none() {
            return shared.parts.clone().unwrap_or_else(|| single(shared.content, shared.media_urls));
        }
        let content = if self.content.is_some() { self.content } else { shared.content };
        let media_urls = if self.media_urls.is_some() { self.media_urls } else { shared.media_urls };
        single(content, media_urls)
    }

    fn more(&self, shared: &Words<'_>) -> VariantMore {
        let text = |own: &Option<String>, others: &Option<String>| {
            own.as_ref().or(others.as_ref()).filter(|text| !text.is_empty()).cloned()
        };
        VariantMore {
            title: text(self.title, shared.title),
            link: text(self.link, shared.link),
            first_comment: text(self.first_comment, shared.first_comment),
            privacy: text(self.privacy, shared.privacy),
            extras: self.extras.as_ref().or(shared.extras.as_ref()).cloned().unwrap_or_default(),
        }
    }
}

impl PostContent {
    /// Looks at every variant: what may be taken in, and why not what may not. Media are fetched until then; `None` leaves
    /// them to the worker.
    ///
    /// # Errors
    /// There is no variant, or too many.
    pub(crate) async fn look(
        &self,
        app: &App,
        workspace: WorkspaceId,
        publish_at: Option<Timestamp>,
        until: Option<Instant>,
    ) -> Result<Vec<Result<Looked>>> {
        let variants = self.variants.as_deref().unwrap_or_default();
        if variants.is_empty() || variants.len() > MAX_VARIANTS {
            let detail = format!("A post has 1 to {MAX_VARIANTS} variants, each for an account that it goes to.");
            return Err(Error::Refused(vec![Trouble::new("variants", detail)]));
        }
        if self.words().is_both() {
            return Err(Error::Refused(vec![both()]));
        }
        let mut looked = Vec::with_capacity(variants.len());
        // One after the other: the first fetches the media that all share.
        for variant in variants {
            looked.push(Box::pin(self.look_at(app, workspace, variant, publish_at, until)).await);
        }
        Ok(looked)
    }

    async fn look_at(
        &self,
        app: &App,
        workspace: WorkspaceId,
        variant: &VariantContent,
        publish_at: Option<Timestamp>,
        until: Option<Instant>,
    ) -> Result<Looked> {
        let (own, shared) = (variant.words(), self.words());
        if own.is_both() {
            return Err(Error::Refused(vec![both()]));
        }
        let platform = match (&variant.platform, variant.connection_id) {
            (Some(platform), _) => platform.clone(),
            (None, Some(id)) => connections::find(&mut app.db().read().await?, workspace, id).await?.platform,
            (None, None) => {
                let detail =
                    "Say where this goes: name a `connection_id`, or the `platform` of the only account there.";
                return Err(Error::invalid("connection_id", detail));
            }
        };
        let new = NewPublication {
            platform,
            connection: variant.connection_id,
            target: variant.target.clone(),
            parts: own.parts(&shared),
            more: own.more(&shared),
            publish_at: publish_at.map(When::At),
            on_duplicate: OnDuplicate::default(),
            idempotency_key: None,
        };
        let troubles = preparing::shape(&new);
        if !troubles.is_empty() {
            return Err(Error::Refused(troubles));
        }
        let vetted = Box::pin(preparing::prepare(app, workspace, &new, until)).await?;
        Ok((new, vetted))
    }
}

fn both() -> Trouble {
    Trouble::new("parts", "Give either `content` and `media_urls`, or `parts`.")
}

/// What an author can mend of what stands in a variant's way.
///
/// # Errors
/// What he cannot mend.
pub(crate) fn troubles_of(error: Error) -> Result<Vec<Trouble>> {
    match error {
        Error::Refused(troubles) => Ok(troubles),
        Error::Invalid { field, detail } => Ok(vec![Trouble::new(field, detail)]),
        // Which account, or which target of it.
        Error::Conflict { code: "ambiguous_target" | "no_target", detail } if detail.contains("as target") => {
            Ok(vec![Trouble::new("target", detail)])
        }
        error @ (Error::Conflict { .. } | Error::NotFound(_)) => {
            Ok(vec![Trouble::new("connection_id", error.to_string())])
        }
        error => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{PostContent, VariantContent};
    use serde_json::json;

    fn merged(variant: serde_json::Value) -> serde_json::Value {
        let post: PostContent = serde_json::from_value(json!({
            "content": "Fresh bread", "media_urls": ["https://a.example/b.png"], "title": "Bread", "extras": {"tag": "a"}
        }))
        .expect("a post");
        let variant: VariantContent = serde_json::from_value(variant).expect("a variant");
        let (own, shared) = (variant.words(), post.words());
        json!({"parts": own.parts(&shared), "more": own.more(&shared)})
    }

    #[test]
    fn a_variant_lays_its_own_over_what_is_shared() {
        let media = json!([{"url": "https://a.example/b.png"}]);
        let shared = json!({"parts": [{"text": "Fresh bread", "media": media}], "more": {"title": "Bread", "extras": {"tag": "a"}}});
        assert_eq!(merged(json!({})), shared);
        let own = merged(json!({"content": "Bread!", "title": "", "link": "https://a.example", "extras": {}}));
        let told = json!({"parts": [{"text": "Bread!", "media": media}], "more": {"link": "https://a.example"}});
        assert_eq!(own, told);
        let thread = merged(json!({"parts": [{"text": "one"}, {"text": "two"}]}));
        assert_eq!(thread["parts"], json!([{"text": "one", "media": []}, {"text": "two", "media": []}]));
        let without = merged(json!({"media_urls": []}));
        assert_eq!(without["parts"], json!([{"text": "Fresh bread", "media": []}]));
    }
}
