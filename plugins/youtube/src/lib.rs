//! YouTube, Data API v3: <https://developers.google.com/youtube/v3/docs>.
//!
//! A post is one video. It goes up stretch by stretch, and the last stretch makes it exist: that one is the commit, all
//! before it is prepared. YouTube knows no idempotency key, but an upload that was ended says which video it made.

mod check;
mod comments;
mod first_comment;
mod live;
mod problem;
mod reconcile;
#[cfg(test)]
mod tests;
mod upload;
mod wish;

use orla_sdk::manifest::{
    self, AnswerPlace, Auth, ClientAuth, Endpoint, ExtraKind, Link, Manifest, Meaning, Member, OAuth2, Publishing,
    Verdict,
};
use orla_sdk::{
    Account, Api, Committed, Connector, Fact, Fault, FaultKind, Identity, Profile, Progress, Publish, Remove, Result,
    Step, Variant, Violation, in_order, say_first_comment,
};
use serde::Deserialize;
use std::time::Duration;

/// The connector.
pub struct YouTube;

orla_sdk::connector!(YouTube);
orla_sdk::export_identity!(YouTube);
orla_sdk::export_publish!(YouTube);
orla_sdk::export_reconcile!(YouTube);
orla_sdk::export_remove!(YouTube);
orla_sdk::export_comments!(YouTube);
orla_sdk::export_reply!(YouTube);

const API: Api = Api::new("api").explain(problem::explain);

/// How long a repeated removal is answered from the journal.
const REMOVAL_STANDS: Duration = Duration::from_secs(3_600);

/// Longer than any run lives: what is made once for a run stays made.
const STANDS: Duration = Duration::from_secs(30 * 86_400);

impl Connector for YouTube {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::Oauth2(oauth()),
            endpoints: manifest::endpoints([
                ("web", manifest::unsigned("https://accounts.google.com")),
                (
                    "tokens",
                    Endpoint {
                        host_only: manifest::texts(["/*"]),
                        ..manifest::unsigned("https://oauth2.googleapis.com")
                    },
                ),
                (
                    "api",
                    Endpoint {
                        // Without a body, it asks how far an upload is.
                        reads: manifest::texts([
                            "PUT /upload/youtube/v3/videos",
                            "PUT /resumable/upload/youtube/v3/videos",
                        ]),
                        ..manifest::bearer("https://www.googleapis.com")
                    },
                ),
            ]),
            // Where an upload that was begun goes on.
            links: vec![Link {
                from: "api".to_owned(),
                at: AnswerPlace::Header("location".to_owned()),
                hosts: manifest::texts(["www.googleapis.com", "youtube.googleapis.com"]),
                signed: true,
            }],
            // A header that says the same as an upload's address, which is proof enough to go on with it.
            secret_members: manifest::texts(["x-guploader-uploadid"]),
            // "Resume Incomplete": a stretch has arrived, and more is to come.
            verdicts: vec![Verdict { status: 308, pointer: None, contains: None, means: Meaning::Unfinished }],
            publishing: Some(publishing()),
            ..manifest::bare("youtube", "YouTube", env!("CARGO_PKG_VERSION"))
        }
    }
}

/// <https://developers.google.com/identity/protocols/oauth2/web-server>. There is a refresh token only for offline access,
/// and, of somebody who agreed before, only where the consent is asked for again.
fn oauth() -> OAuth2 {
    let params = [("access_type", "offline"), ("prompt", "consent")];
    OAuth2 {
        authorize_params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        revoke: Some(manifest::revoke("tokens", "/revoke")),
        // Comments are read and written with it alone, and a video is removed with it.
        optional_scopes: manifest::texts(["https://www.googleapis.com/auth/youtube.force-ssl"]),
        client_auth: ClientAuth::Body,
        ..manifest::oauth2(
            manifest::place("web", "/o/oauth2/v2/auth"),
            manifest::place("tokens", "/token"),
            ["https://www.googleapis.com/auth/youtube.upload", "https://www.googleapis.com/auth/youtube.readonly"],
        )
    }
}

fn publishing() -> Publishing {
    let licenses = ExtraKind::OneOf(manifest::texts(["youtube", "creativeCommon"]));
    Publishing {
        // The list of a channel's uploads may lag; an upload itself knows at once.
        visible_after_s: 60,
        max_parts: 1,
        max_media: 2,
        media: check::media(),
        committed_id: vec![manifest::pointer("/id")],
        takes: vec![Member::Title, Member::FirstComment, Member::Privacy],
        extras: manifest::extras([
            (wish::TAGS, "Words by which the video is found.", ExtraKind::Texts),
            (wish::CATEGORY, "The number of a category of YouTube's; 22, People & Blogs, by default.", ExtraKind::Text),
            (
                wish::MADE_FOR_KIDS,
                "Whether the video is made for kids, which its owner has to declare by law; false where nobody says it.",
                ExtraKind::Flag,
            ),
            (wish::SYNTHETIC, "Whether it shows realistic things that were altered or made by AI.", ExtraKind::Flag),
            (wish::LICENSE, "The license; YouTube's own by default.", licenses),
            (wish::EMBEDDABLE, "Whether other sites may show it; true by default.", ExtraKind::Flag),
            (wish::NOTIFY, "Whether the channel's subscribers are told of it; true by default.", ExtraKind::Flag),
        ]),
    }
}

/// What YouTube wraps a list in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List<T> {
    /// Absent where the list is empty.
    #[serde(default = "Vec::new")]
    items: Vec<T>,
    next_page_token: Option<String>,
}

impl Identity for YouTube {
    /// <https://developers.google.com/youtube/v3/docs/channels/list>
    fn whoami(_account: &Account) -> Result<Profile> {
        #[derive(Deserialize)]
        struct Channel {
            id: String,
            snippet: Snippet,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Snippet {
            title: String,
            /// Its handle, with `@`.
            custom_url: Option<String>,
        }
        let list: List<Channel> =
            API.get("/youtube/v3/channels").query("part", "snippet").query("mine", "true").read()?.json()?;
        let Some(Channel { id, snippet: Snippet { title, custom_url } }) = list.items.into_iter().next() else {
            return Err(no_channel());
        };
        let handle = custom_url.as_deref().map(|url| url.trim_start_matches('@')).filter(|handle| !handle.is_empty());
        let handle = handle.unwrap_or(&title).to_owned();
        Ok(Profile { vendor_id: id, handle, name: Some(title), targets: Vec::new() })
    }
}

/// The fault of a Google account that has not begun a channel.
fn no_channel() -> Fault {
    let message = "This Google account has no YouTube channel. Begin one at https://www.youtube.com/create_channel, then \
                   connect the account again.";
    Fault::new(FaultKind::NotFound, message).with_code("youtubeSignupRequired")
}

impl Publish for YouTube {
    fn check(variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        check::violations(variant)
    }

    fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
        let mut unset = None;
        let progress = in_order(&variant.parts, |_index, part, _previous| {
            let [video, pictures @ ..] = part.media.as_slice() else { return Err(check::no_video()) };
            let ended = upload::bring(variant, part, video)?;
            if let Some(picture) = pictures.first() {
                unset = live::thumbnail(&ended.confirmed.committed.id, picture)?;
            }
            match live::verdict(&ended, wish::privacy(variant))? {
                Some(wait) => Ok(Step::Wait(wait)),
                None => Ok(Step::Done(ended.confirmed)),
            }
        })?;
        let progress = say_first_comment(progress, variant, |words, video| first_comment::say(words, &video.id))?;
        match (progress, unset) {
            // Everything else is done, and the person has to know.
            (Progress::Published(_), Some(fault)) => Err(fault),
            (progress, _) => Ok(progress),
        }
    }
}

impl Remove for YouTube {
    /// <https://developers.google.com/youtube/v3/docs/videos/delete>
    fn remove(_account: &Account, id: &str) -> Result<()> {
        let request = API.delete("/youtube/v3/videos").query("id", id).accept(404);
        request.prepare(format!("remove/{id}"), REMOVAL_STANDS)?;
        Ok(())
    }
}

/// What YouTube calls a video, and where a person finds it.
fn committed(id: &str) -> Committed {
    Committed { id: id.to_owned(), url: Some(format!("https://youtu.be{}", orla_sdk::path!("/{}", id))) }
}
