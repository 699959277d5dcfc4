//! Containers: what is to be published, and how far it is.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::fields;
use super::super::gate::Call;
use super::super::problem::Problem;
use super::super::state::{Facebook, World};
use super::nodes;
use super::plan::{Kind, Plan, Source};
use super::problem;
use super::pulling::{self, Pulled};

/// The subcode of a film that cannot be read.
const BAD_FILM: u32 = 2_207_026;

/// A container, as tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Container {
    /// The id: digits.
    pub id: String,
    /// The account's id.
    pub account_id: String,
    /// What it becomes.
    pub kind: Kind,
    /// Whether it is a film.
    pub is_film: bool,
    /// Its words.
    pub caption: Option<String>,
    /// What stands for it where it cannot be seen.
    pub alt_text: Option<String>,
    /// Whether a reel is to be among the account's other media as well.
    pub share_to_feed: Option<bool>,
    /// The ids of a carousel's children.
    pub children: Vec<String>,
    /// Where it was fetched from.
    pub url: Option<String>,
    /// The bytes that are there.
    pub size_bytes: u64,
    /// Their SHA-256, in hexadecimal, once all are.
    pub sha256: Option<String>,
    /// When it was made, in milliseconds since 1970, on the simulator's clock.
    pub created_ms: u64,
    /// How often its status was read.
    pub reads: u32,
    /// The medium that it was published as, or the carousel that it is a child of.
    pub used_by: Option<String>,
    /// The subcode of what is wrong with it.
    pub error: Option<u32>,
    /// What an upload brought so far.
    #[serde(skip)]
    pub(super) bytes: Vec<u8>,
    /// What an upload is to bring; nothing before it began.
    #[serde(skip)]
    pub(super) expected_bytes: Option<u64>,
    /// Whether the bytes are uploaded.
    #[serde(skip)]
    pub(super) is_uploaded: bool,
}

/// How far a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Finished,
    Error(u32),
    Expired,
    Published,
}

impl Container {
    pub(super) fn status(&self, world: &World) -> Status {
        let settings = &world.settings.instagram;
        let now_ms = world.now().unix_ms();
        let after_ms = |s: u64| self.created_ms.saturating_add(s.saturating_mul(1_000));
        let is_published = self.kind != Kind::Item && self.used_by.is_some();
        let wait_s = if self.is_film { settings.processing_s } else { 0 };
        let reads = if self.is_film { settings.processing_reads } else { 0 };
        if is_published {
            Status::Published
        } else if now_ms >= after_ms(settings.container_lifetime_s) {
            Status::Expired
        } else if let Some(subcode) = self.error {
            Status::Error(subcode)
        } else if (self.is_uploaded && self.sha256.is_none()) || now_ms < after_ms(wait_s) || self.reads < reads {
            Status::InProgress
        } else {
            settings.processing_error.map_or(Status::Finished, Status::Error)
        }
    }
}

impl Status {
    fn code(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Finished => "FINISHED",
            Self::Error(_) => "ERROR",
            Self::Expired => "EXPIRED",
            Self::Published => "PUBLISHED",
        }
    }

    fn words(self) -> String {
        match self {
            Self::InProgress => "In Progress: Media is still being processed.".to_owned(),
            Self::Finished => "Finished: Media has been uploaded and it is ready to be published.".to_owned(),
            Self::Error(subcode) => format!("Error: Media upload has failed with error code {subcode}"),
            Self::Expired => "Expired: The media was not published within 24 hours.".to_owned(),
            Self::Published => "Published: Media has been published.".to_owned(),
        }
    }
}

/// `POST /{account}/media`
pub(super) async fn create(facebook: &Facebook, call: &Call) -> Result<Value, Problem> {
    check(&facebook.world(), call)?;
    let plan = Plan::read(call)?;
    // Fetched before the container is there, and without holding the world.
    let (pulled, error) = match &plan.source {
        Source::ImageUrl(url) => (Some(pulling::image(url).await?), None),
        Source::VideoUrl(url) => match pulling::film(url).await? {
            Some(pulled) => (Some(pulled), None),
            None => (None, Some(BAD_FILM)),
        },
        Source::Upload | Source::Children(_) => (None, None),
    };
    let mut world = facebook.world();
    // Again, for time has passed.
    check(&world, call)?;
    let children = match &plan.source {
        Source::Children(ids) => world.children(&call.node, ids)?,
        Source::ImageUrl(_) | Source::VideoUrl(_) | Source::Upload => Vec::new(),
    };
    Ok(world.keep_container(call, plan, children, pulled, error))
}

fn check(world: &World, call: &Call) -> Result<(), Problem> {
    nodes::may_publish(world, call)?;
    let since_ms = call.now.unix_ms().saturating_sub(86_400_000);
    let recent = world.instagram.containers.iter();
    let recent = recent.filter(|known| known.account_id == call.node && known.created_ms > since_ms).count();
    if recent >= world.settings.instagram.containers_a_day as usize { Err(problem::containers()) } else { Ok(()) }
}

impl World {
    /// The children of a carousel, which must be the account's, finished, and nobody else's.
    fn children(&self, account: &str, ids: &[String]) -> Result<Vec<String>, Problem> {
        let is_child = |id: &String| {
            let found = self.instagram.containers.iter().find(|known| known.id == *id);
            found.is_some_and(|known| {
                let is_free = known.account_id == account && known.kind == Kind::Item && known.used_by.is_none();
                is_free && known.status(self) == Status::Finished
            })
        };
        let once = ids.iter().enumerate().all(|(at, id)| !ids[..at].contains(id));
        if (2..=10).contains(&ids.len()) && once && ids.iter().all(is_child) {
            Ok(ids.to_vec())
        } else {
            Err(problem::carousel())
        }
    }

    fn keep_container(
        &mut self,
        call: &Call,
        plan: Plan,
        children: Vec<String>,
        pulled: Option<Pulled>,
        error: Option<u32>,
    ) -> Value {
        let id = self.next_id().to_string();
        let is_uploaded = matches!(plan.source, Source::Upload);
        let url = match &plan.source {
            Source::ImageUrl(url) | Source::VideoUrl(url) => Some(url.clone()),
            Source::Upload | Source::Children(_) => None,
        };
        for child in self.instagram.containers.iter_mut().filter(|known| children.contains(&known.id)) {
            child.used_by = Some(id.clone());
        }
        self.instagram.made.containers += 1;
        self.instagram.made.fetched += u64::from(pulled.is_some());
        let created_ms = self.now().unix_ms();
        self.instagram.containers.push(Container {
            id: id.clone(),
            account_id: call.node.clone(),
            kind: plan.kind,
            is_film: is_uploaded || matches!(plan.source, Source::VideoUrl(_)),
            caption: plan.caption,
            alt_text: plan.alt_text,
            share_to_feed: plan.share_to_feed,
            children,
            url,
            size_bytes: pulled.as_ref().map_or(0, |pulled| pulled.size_bytes),
            sha256: pulled.map(|pulled| pulled.sha256),
            created_ms,
            reads: 0,
            used_by: None,
            error,
            bytes: Vec::new(),
            expected_bytes: None,
            is_uploaded,
        });
        let uri = format!("{}/ig-api-upload/{}/{id}", call.origin, call.version);
        if is_uploaded { json!({ "id": id, "uri": uri }) } else { json!({ "id": id }) }
    }
}

/// `GET /{container}`
pub(super) fn show(world: &mut World, call: &Call, at: usize) -> Result<Value, Problem> {
    call.parameters.only(&["fields", "pretty"])?;
    call.caller.may_read("instagram_basic")?;
    let container = &world.instagram.containers[at];
    let status = container.status(world);
    let uploading = match (&container.sha256, container.expected_bytes) {
        (Some(_), _) => "complete",
        (None, Some(_)) => "in_progress",
        (None, None) => "not_started",
    };
    let video_status = json!({
        "uploading_phase": { "status": uploading, "bytes_transferred": container.size_bytes },
        "processing_phase": { "status": if container.reads > 0 { "in_progress" } else { "not_started" } },
    });
    let node = json!({
        "id": container.id, "status_code": status.code(), "status": status.words(),
        "video_status": Some(video_status).filter(|_| container.is_uploaded), "copyright_check_status": Value::Null,
    });
    let shown = fields::show(call, &node, "InstagramContainer", &["id"])?;
    if shown.get("status_code").is_some() && container.sha256.is_some() {
        world.instagram.containers[at].reads += 1;
    }
    Ok(shown)
}
