//! What a client wants posted.

use serde::{Deserialize, Serialize};

use super::parameters::Parameters;
use super::problem::Problem;
use super::settings::UnknownParameters;

const PARAMETERS: [&str; 7] =
    ["status", "media_ids", "in_reply_to_id", "sensitive", "spoiler_text", "visibility", "language"];

/// Who may see a status (documented under "Status").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody, in public timelines too.
    #[default]
    Public,
    /// Everybody, but not in public timelines.
    Unlisted,
    /// Followers, of whom a simulated account has none.
    Private,
    /// Whoever is mentioned. The simulator shows it to its author alone.
    Direct,
}

/// A status as it was asked for.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) status: String,
    pub(super) spoiler_text: String,
    /// The ids as they were given, digits all of them.
    pub(super) media_ids: Vec<String>,
    pub(super) in_reply_to_id: Option<String>,
    pub(super) sensitive: bool,
    pub(super) visibility: Visibility,
    pub(super) language: Option<String>,
}

impl Draft {
    pub(super) fn read(mut parameters: Parameters, unknown: UnknownParameters) -> Result<Self, Problem> {
        parameters.only(&PARAMETERS, unknown)?;
        let text = |name| parameters.text(name).map(|text| text.unwrap_or_default().to_owned());
        let media_ids = parameters.list("media_ids")?;
        if (1..media_ids.len()).any(|at| media_ids[..at].contains(&media_ids[at])) {
            return Err(Problem::strict("media_ids names an attachment twice."));
        }
        let language = parameters.text("language")?;
        if language.is_some_and(|language| !is_language(language)) {
            return Err(Problem::validation("Language is invalid"));
        }
        Ok(Self {
            status: text("status")?,
            spoiler_text: text("spoiler_text")?,
            media_ids: media_ids.to_vec(),
            in_reply_to_id: parameters.text("in_reply_to_id")?.map(str::to_owned),
            sensitive: parameters.flag("sensitive")?.unwrap_or(false),
            visibility: visibility(parameters.text("visibility")?)?,
            language: language.map(str::to_owned),
        })
    }

    /// What Mastodon keeps of the words (observed): both are trimmed, a warning without a text becomes the text, and
    /// whoever warns is sensitive.
    pub(super) fn words(&self) -> Words {
        let (text, spoiler_text) = (self.status.trim(), self.spoiler_text.trim());
        let sensitive = self.sensitive || !spoiler_text.is_empty();
        if text.is_empty() {
            return Words { text: spoiler_text.to_owned(), spoiler_text: String::new(), sensitive };
        }
        Words { text: text.to_owned(), spoiler_text: spoiler_text.to_owned(), sensitive }
    }
}

/// The words of a status as it is kept.
pub(super) struct Words {
    pub(super) text: String,
    pub(super) spoiler_text: String,
    pub(super) sensitive: bool,
}

fn visibility(text: Option<&str>) -> Result<Visibility, Problem> {
    match text {
        None | Some("public") => Ok(Visibility::Public),
        Some("unlisted") => Ok(Visibility::Unlisted),
        Some("private") => Ok(Visibility::Private),
        Some("direct") => Ok(Visibility::Direct),
        Some(_) => Err(Problem::validation("Visibility is not included in the list")),
    }
}

/// ISO 639-1, or one of the longer codes that Mastodon has for what is missing there, such as `zh-CN` and `ast`.
fn is_language(text: &str) -> bool {
    let (code, region) = text.split_once('-').map_or((text, None), |(code, region)| (code, Some(region)));
    (2..=3).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase())
        && region.is_none_or(|region| region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase()))
}
