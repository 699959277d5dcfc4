//! Bodies of several parts.

use crate::BlobSlice;
use crate::bindings::connector::orla::connector::http::{Part, PartContent};

/// A `multipart/form-data` body. The host streams its blobs; they never pass through the connector.
///
/// ```
/// use orla_sdk::{Api, Media, Multipart, Result};
/// use std::time::Duration;
///
/// fn upload(media: &Media) -> Result<()> {
///     let body = Multipart::new().text("purpose", "post").blob("media", "blob", "image/png", media.blob.slice(0, media.size));
///     Api::new("api").post("/v1/upload").multipart(body).prepare("media/0", Duration::from_secs(3_600))?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Default)]
pub struct Multipart<'a> {
    pub(crate) parts: Vec<Part<'a>>,
}

impl<'a> Multipart<'a> {
    /// A body without parts.
    ///
    /// ```
    /// let body = orla_sdk::Multipart::new().text("text", "Hello");
    /// # drop(body);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field of text.
    ///
    /// ```
    /// # use orla_sdk::{Api, Multipart, testing::{answer, play}};
    /// let post = || Api::new("api").post("/v1/check").multipart(Multipart::new().text("text", "Hello")).read();
    /// let played = play(|_line| answer(200, &serde_json::json!({})), post);
    /// assert_eq!(played.lines, ["read POST /v1/check text=Hello"]);
    /// ```
    #[must_use]
    pub fn text(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let content = PartContent::Text(value.into());
        self.parts.push(Part { name: name.into(), filename: None, content_type: None, content });
        self
    }

    /// Adds a field of JSON, as `application/json`.
    ///
    /// ```
    /// # use orla_sdk::{Api, Multipart, testing::{answer, play}};
    /// let body = Multipart::new().json("post", &serde_json::json!({ "text": "Hello" }));
    /// let played = play(
    ///     |_line| answer(200, &serde_json::json!({})),
    ///     || Api::new("api").post("/v1/check").multipart(body).read(),
    /// );
    /// assert_eq!(played.lines, [r#"read POST /v1/check post={"text":"Hello"}"#]);
    /// ```
    #[must_use]
    pub fn json(mut self, name: impl Into<String>, value: &serde_json::Value) -> Self {
        let content = PartContent::Text(value.to_string());
        let content_type = Some("application/json".to_owned());
        self.parts.push(Part { name: name.into(), filename: None, content_type, content });
        self
    }

    /// Adds a file.
    ///
    /// ```
    /// use orla_sdk::{Media, Multipart};
    ///
    /// fn body(media: &Media) -> Multipart<'_> {
    ///     Multipart::new().blob("file", "photo.jpg", &media.content_type, media.blob.slice(0, media.size))
    /// }
    /// ```
    #[must_use]
    pub fn blob(
        mut self,
        name: impl Into<String>,
        filename: impl Into<String>,
        content_type: impl Into<String>,
        slice: BlobSlice<'a>,
    ) -> Self {
        self.parts.push(Part {
            name: name.into(),
            filename: Some(filename.into()),
            content_type: Some(content_type.into()),
            content: PartContent::Blob(slice),
        });
        self
    }
}
