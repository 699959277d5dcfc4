//! What callers send, read strictly: what is not known is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::problem::Problem;

const MAX_PROMPT_CHARS: usize = 4_096;
const MAX_IMAGE_BYTES: usize = 20 << 20;

/// The body of `predictLongRunning`. Members that are not simulated are not known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begin {
    pub(super) instances: Vec<Instance>,
    pub(super) parameters: Parameters,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Instance {
    pub(super) prompt: String,
    #[serde(default)]
    image: Option<Image>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Image {
    bytes_base64_encoded: String,
    mime_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Parameters {
    sample_count: u32,
    pub(super) duration_seconds: u32,
    pub(super) aspect_ratio: String,
    /// Veo 3 wants it to be said.
    #[serde(rename = "generateAudio")]
    _generate_audio: bool,
    #[serde(default)]
    resolution: Option<String>,
    #[serde(default)]
    pub(super) negative_prompt: Option<String>,
    #[serde(default)]
    pub(super) seed: Option<u32>,
    #[serde(default)]
    pub(super) storage_uri: Option<String>,
}

/// The body of `fetchPredictOperation`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Look {
    pub(super) operation_name: String,
}

impl Begin {
    /// The one instance, and the digest of its picture, where all of it is what Veo takes.
    pub(super) fn check(&self) -> Result<(&Instance, Option<String>), Problem> {
        let [instance] = self.instances.as_slice() else {
            return Err(Problem::invalid("There must be exactly one instance."));
        };
        let parameters = &self.parameters;
        let is_folder = |uri: &String| uri.starts_with("gs://") && uri.ends_with('/') && uri.len() > "gs:///".len();
        let wrong = [
            (instance.prompt.trim().is_empty(), "Text prompt is required."),
            (instance.prompt.chars().count() > MAX_PROMPT_CHARS, "The prompt is too long."),
            (parameters.sample_count != 1, "sampleCount must be 1 here."),
            (![4, 6, 8].contains(&parameters.duration_seconds), "durationSeconds must be 4, 6 or 8."),
            (!["16:9", "9:16"].contains(&parameters.aspect_ratio.as_str()), "Unsupported aspect ratio."),
            (
                parameters
                    .resolution
                    .as_ref()
                    .is_some_and(|resolution| !["720p", "1080p"].contains(&resolution.as_str())),
                "Unsupported resolution.",
            ),
            (parameters.storage_uri.as_ref().is_some_and(|uri| !is_folder(uri)), "storageUri must be a folder."),
        ];
        if let Some((_, words)) = wrong.into_iter().find(|(is_wrong, _)| *is_wrong) {
            return Err(Problem::invalid(words));
        }
        Ok((instance, instance.image.as_ref().map(Image::digest).transpose()?))
    }
}

impl Image {
    fn digest(&self) -> Result<String, Problem> {
        let bytes = STANDARD.decode(&self.bytes_base64_encoded);
        let bytes = bytes.map_err(|_| Problem::invalid("The image is no base64."))?;
        let fits = match self.mime_type.as_str() {
            "image/jpeg" => bytes.starts_with(b"\xFF\xD8\xFF"),
            "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1A\n"),
            _ => false,
        };
        if !fits || bytes.len() > MAX_IMAGE_BYTES {
            return Err(Problem::invalid("Unsupported image: a JPEG or PNG of at most 20 MB is wanted."));
        }
        Ok(hex::encode(Sha256::digest(&bytes)))
    }
}
