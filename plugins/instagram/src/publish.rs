//! Posting: containers for the media, a look whether they are ready, and the one request that publishes.
//!
//! <https://developers.facebook.com/docs/instagram-platform/content-publishing>

use crate::check::{self, Choices};
use crate::container::{Container, Plan, State, prepared, stale};
use crate::{API, Professional, VERSION, problem};
use orla_sdk::{Committed, Confirmed, Fault, FaultKind, Media, Part, Response, Result, Step, forget, path};
use serde::Deserialize;
use std::time::Duration;

/// How long Instagram is given to work on an image, and on a film, before it is asked again.
const IMAGE_PAUSE: Duration = Duration::from_secs(2);
const FILM_PAUSE: Duration = Duration::from_secs(10);

/// How long it is taken as read that the account may publish more.
const ALLOWED: Duration = Duration::from_secs(5 * 60);

/// The key of the commit that publishes a part.
pub(crate) fn key(index: usize) -> String {
    format!("part/{index}")
}

/// Posts one part.
pub(crate) fn post(account: &Professional<'_>, index: usize, part: &Part, choices: &Choices) -> Result<Step> {
    check_allowance(account)?;
    let made = match part.media.as_slice() {
        [] => {
            let message = "An Instagram post needs an image or a video.";
            return Err(Fault::invalid(format!("parts/{index}/media"), message));
        }
        [medium] => single(account, index, part, medium, choices)?,
        media => carousel(account, index, part, media)?,
    };
    let Some(containers) = made else {
        let has_film = part.media.iter().any(check::is_film);
        return Ok(Step::Wait(if has_film { FILM_PAUSE } else { IMAGE_PAUSE }));
    };
    publish(account, index, &containers)
}

/// The containers of a post, the one that is published last; nothing while Instagram works on them.
type Containers = Option<Vec<Container>>;

fn single(
    account: &Professional<'_>,
    index: usize,
    part: &Part,
    medium: &Media,
    choices: &Choices,
) -> Result<Containers> {
    let mut other = Vec::new();
    match (choices.story, check::is_film(medium)) {
        (true, _) => other.push(("media_type", "STORIES".to_owned())),
        (false, true) => {
            other.push(("media_type", "REELS".to_owned()));
            other.extend(choices.share_to_feed.map(|share| ("share_to_feed", share.to_string())));
        }
        (false, false) => other.extend(alt_text(medium)),
    }
    if !choices.story {
        other.extend(caption(part));
    }
    let at = |fault| at_medium(fault, index, 0);
    let container = Container::make(account, format!("media/{index}/0"), &Plan::Medium(medium, other)).map_err(at)?;
    match container.look().map_err(at)? {
        State::Ready => Ok(Some(vec![container])),
        State::Working => Ok(None),
        State::Lost(why) => Err(at(why)),
    }
}

/// Children first, all of which must be finished before the carousel that has them.
fn carousel(account: &Professional<'_>, index: usize, part: &Part, media: &[Media]) -> Result<Containers> {
    let mut containers = Vec::with_capacity(media.len() + 1);
    for (position, medium) in media.iter().enumerate() {
        let mut other = vec![("is_carousel_item", "true".to_owned())];
        if check::is_film(medium) {
            other.push(("media_type", "VIDEO".to_owned()));
        } else {
            other.extend(alt_text(medium));
        }
        let step = format!("media/{index}/{position}");
        let made = Container::make(account, step, &Plan::Medium(medium, other));
        containers.push(made.map_err(|fault| at_medium(fault, index, position))?);
    }
    let mut is_working = false;
    for (position, child) in containers.iter().enumerate() {
        let at = |fault| at_medium(fault, index, position);
        match child.look().map_err(at)? {
            State::Ready => {}
            State::Working => is_working = true,
            State::Lost(why) => return Err(at(why)),
        }
    }
    if is_working {
        return Ok(None);
    }
    let mut other = vec![("media_type", "CAROUSEL".to_owned())];
    other.extend(caption(part));
    let children = containers.iter().map(|child| child.id.clone()).collect();
    let parent = Container::make(account, format!("carousel/{index}"), &Plan::Carousel(children, other));
    let parent = parent.map_err(|fault| {
        if !problem::is_carousel(&fault) {
            return at_field(fault, &format!("parts/{index}"));
        }
        // An execution that died may have put them into a carousel that nobody knows of.
        containers.iter().for_each(Container::forget);
        let message = "Instagram does not make a carousel of what was prepared for it. That is prepared anew.";
        Fault { message: message.to_owned(), kind: FaultKind::VendorDown, ..fault }
    })?;
    match parent.look()? {
        State::Ready => {
            containers.push(parent);
            Ok(Some(containers))
        }
        State::Working => Ok(None),
        State::Lost(why) => {
            // Children belong to one carousel alone.
            containers.iter().for_each(Container::forget);
            Err(at_field(why, &format!("parts/{index}")))
        }
    }
}

fn alt_text(image: &Media) -> Option<(&'static str, String)> {
    image.alt_text.clone().filter(|words| !words.trim().is_empty()).map(|words| ("alt_text", words))
}

fn caption(part: &Part) -> Option<(&'static str, String)> {
    (!part.text.is_empty()).then(|| ("caption", part.text.clone()))
}

/// Publishes the last of the containers.
fn publish(account: &Professional<'_>, index: usize, containers: &[Container]) -> Result<Step> {
    #[derive(Deserialize)]
    struct Made {
        id: String,
    }
    let Some(container) = containers.last() else { return Err(Fault::bug("There is no container to publish.")) };
    let made = |answer: &Response| Ok(Committed { id: answer.json::<Made>()?.id, url: None });
    let request = API.post(account.edge("media_publish")).form([("creation_id", container.id.as_str())]);
    match request.commit(key(index), made) {
        Ok(Confirmed { key, committed }) => {
            let url = permalink(&committed.id)?;
            Ok(Step::Done(Confirmed { key, committed: Committed { url, ..committed } }))
        }
        Err(fault) if problem::is_not_ready(&fault) => {
            forget(&container.key("ready"));
            Ok(Step::Wait(FILM_PAUSE))
        }
        Err(fault) if problem::is_stale(&fault) => {
            containers.iter().for_each(Container::forget);
            Err(Fault { sent: fault.sent, ..stale() })
        }
        Err(fault) => Err(at_field(fault, &format!("parts/{index}"))),
    }
}

/// Where a person finds what was published. A run that cannot find it out is executed again: that it is published stands in
/// the journal.
fn permalink(id: &str) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Told {
        permalink: Option<String>,
    }
    let request = API.get(path!("/{}/{}", VERSION, id)).query("fields", "permalink");
    match request.read().and_then(|answer| answer.json::<Told>()) {
        Ok(told) => Ok(told.permalink),
        Err(fault) => Err(match fault.kind {
            FaultKind::NotFound | FaultKind::Invalid | FaultKind::Vendor | FaultKind::TooLarge => {
                Fault::new(FaultKind::VendorDown, "It is published, but Instagram does not say yet where it is.")
            }
            _ => fault,
        }),
    }
}

/// Refuses a post when the account has published as much as it may in 24 hours, before anything is brought to Instagram:
/// <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/content_publishing_limit>.
fn check_allowance(account: &Professional<'_>) -> Result<()> {
    #[derive(Deserialize)]
    struct Told {
        data: Vec<Usage>,
    }
    #[derive(Deserialize)]
    struct Usage {
        quota_usage: u64,
        config: Option<Config>,
    }
    #[derive(Deserialize)]
    struct Config {
        quota_total: u64,
    }
    // Prepared, so that what was published in the run itself is not counted against it.
    const STEP: &str = "allowance";
    let request = API.get(account.edge("content_publishing_limit")).query("fields", "config,quota_usage");
    let Told { data } = prepared(request, STEP, ALLOWED)?;
    let Some(Usage { quota_usage, config: Some(Config { quota_total }) }) = data.into_iter().next() else {
        return Ok(());
    };
    if quota_usage < quota_total {
        return Ok(());
    }
    forget(STEP);
    let message =
        format!("Instagram takes {quota_total} posts of an account in 24 hours, and has taken {quota_usage}.");
    Err(Fault::new(FaultKind::Quota, message))
}

/// The fault, naming the medium that it is about where Instagram refuses that.
fn at_medium(fault: Fault, index: usize, position: usize) -> Fault {
    at_field(fault, &format!("parts/{index}/media/{position}"))
}

fn at_field(fault: Fault, field: &str) -> Fault {
    match fault.kind {
        FaultKind::Invalid | FaultKind::TooLarge if fault.field.is_none() => fault.with_field(field),
        _ => fault,
    }
}
