//! What a container is to become, as its parameters say.

use serde::Serialize;

use super::super::gate::Call;
use super::super::parameters::Parameters;
use super::super::problem::Problem;
use super::problem;

/// The longest caption, in characters.
const LONGEST_CAPTION: usize = 2_200;
const MOST_HASHTAGS: usize = 30;
const MOST_MENTIONS: usize = 20;
const LONGEST_ALT_TEXT: usize = 1_000;

const PARAMETERS: [&str; 11] = [
    "media_type",
    "image_url",
    "video_url",
    "upload_type",
    "caption",
    "alt_text",
    "children",
    "is_carousel_item",
    "share_to_feed",
    "thumb_offset",
    "cover_url",
];

/// What a container becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An image in the feed.
    Image,
    /// A reel.
    Reel,
    /// An image or a film for a day.
    Story,
    /// A child of a carousel.
    Item,
    /// A carousel.
    Carousel,
}

/// Where the bytes come from.
pub(super) enum Source {
    ImageUrl(String),
    VideoUrl(String),
    Upload,
    Children(Vec<String>),
}

/// A container as it is asked for.
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) source: Source,
    pub(super) caption: Option<String>,
    pub(super) alt_text: Option<String>,
    pub(super) share_to_feed: Option<bool>,
}

impl Plan {
    pub(super) fn read(call: &Call) -> Result<Self, Problem> {
        let parameters = &call.parameters;
        parameters.only(&PARAMETERS)?;
        let is_item = parameters.flag("is_carousel_item")?.unwrap_or(false);
        let source = source(parameters)?;
        let is_film = matches!(source, Source::VideoUrl(_) | Source::Upload);
        let kind = match (parameters.get("media_type"), is_item) {
            (None | Some("IMAGE"), false) if !is_film => Kind::Image,
            (None | Some("IMAGE"), true) if !is_film => Kind::Item,
            (Some("VIDEO"), true) if is_film => Kind::Item,
            (Some("REELS"), false) if is_film => Kind::Reel,
            (Some("STORIES"), false) => Kind::Story,
            (Some("CAROUSEL"), false) if matches!(source, Source::Children(_)) => Kind::Carousel,
            (Some("VIDEO"), false) => {
                return Err(Problem::parameter("The VIDEO value for media_type is no longer supported. Use REELS."));
            }
            (given, _) => {
                let given = given.unwrap_or("IMAGE");
                return Err(Problem::parameter(format!("Param media_type {given} does not fit the other parameters")));
            }
        };
        if matches!(source, Source::Children(_)) != (kind == Kind::Carousel) {
            return Err(problem::carousel());
        }
        let plan = Self {
            kind,
            source,
            caption: parameters.get("caption").map(str::to_owned),
            alt_text: parameters.get("alt_text").map(str::to_owned),
            share_to_feed: parameters.flag("share_to_feed")?,
        };
        plan.check(is_film)?;
        Ok(plan)
    }

    /// Refuses what is too much, and what Instagram would pass over.
    fn check(&self, is_film: bool) -> Result<(), Problem> {
        if let Some(caption) = &self.caption {
            if matches!(self.kind, Kind::Item | Kind::Story) {
                return Err(Problem::strict("children of a carousel and stories have no caption."));
            }
            if caption.chars().count() > LONGEST_CAPTION || words(caption, '#') > MOST_HASHTAGS {
                return Err(problem::caption());
            }
            if words(caption, '@') > MOST_MENTIONS {
                return Err(problem::mentions());
            }
        }
        if let Some(alt_text) = &self.alt_text {
            if is_film || !matches!(self.kind, Kind::Image | Kind::Item) {
                return Err(Problem::parameter("Param alt_text is for images only"));
            }
            if alt_text.chars().count() > LONGEST_ALT_TEXT {
                return Err(Problem::parameter(format!("Param alt_text has at most {LONGEST_ALT_TEXT} characters")));
            }
        }
        if self.share_to_feed.is_some() && self.kind != Kind::Reel {
            return Err(Problem::parameter("Param share_to_feed is for reels only"));
        }
        Ok(())
    }
}

fn source(parameters: &Parameters) -> Result<Source, Problem> {
    let is_upload = match parameters.get("upload_type") {
        None => false,
        Some("resumable") => true,
        Some(_) => return Err(Problem::parameter("Param upload_type must be one of {resumable}")),
    };
    let (image, video) = (parameters.get("image_url"), parameters.get("video_url"));
    match (image, video, is_upload, parameters.get("children")) {
        (Some(url), None, false, None) => Ok(Source::ImageUrl(url.to_owned())),
        (None, Some(url), false, None) => Ok(Source::VideoUrl(url.to_owned())),
        (None, None, true, None) => Ok(Source::Upload),
        (None, None, false, Some(children)) => Ok(Source::Children(list(children))),
        (None, None, false, None) => Err(Problem::parameter("The parameter image_url is required")),
        _ => Err(Problem::strict("a container has one source.")),
    }
}

/// Ids, with commas between them or as a JSON list.
fn list(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|_| text.split(',').map(|id| id.trim().to_owned()).collect())
}

/// How many words begin with a sign.
fn words(text: &str, sign: char) -> usize {
    let mut before = ' ';
    let mut count = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let goes_on = letters.peek().is_some_and(|next| next.is_alphanumeric() || *next == '_');
        count += usize::from(letter == sign && goes_on && !before.is_alphanumeric());
        before = letter;
    }
    count
}
