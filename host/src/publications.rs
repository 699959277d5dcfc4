//! Publications: one variant on its way to one connection, as a post or as a reply to a comment.
//!
//! ```text
//! scheduled | due ──► running ──► published            a confirmed first part, and a receipt
//!     │                  │  ▲ └──► failed              a certain failure: the credits are released
//!     │                  │  └──── pending              to be run again, at the vendor's or the back-off's time
//!     ▼                  └──────► uncertain ──► pending | failed   reconciled, told by a person, or given up after 7 days
//! cancelled ◄── pending           a person's wish, while nothing of it is live
//! ```
//!
//! `published`, `failed` and `cancelled` are terminal; to try again is another publication, and so is to publish the parts that
//! are missing. Each move is one conditional update with its reason in the timeline. This file owns the rows; `preparing` looks
//! at wishes, `creating`, `replying` and [`completing`] make rows of them, [`execution`], [`reconciling`] and [`planning`] move
//! those, and `doubting` has those that came with a backup looked for first. How long each state lasts at most is said in
//! [`watching`], which ends what nobody else does.

/// All columns of [`Publication`].
macro_rules! all_columns {
    () => {
        concat!(
            "id, workspace_id, connection_id, connector, platform, target, parts, state, receipt, fault, attempts, setbacks, ",
            "request_digest, hold_id, price, created_at, updated_at, finished_at, reply_to, publish_at, doubt_since, more, ",
            "post_id, completes"
        )
    };
}
macro_rules! columns {
    ($tail:literal) => {
        concat!("select ", all_columns!(), " from publications ", $tail)
    };
}
/// A statement that changes a publication and gives it as it is then.
macro_rules! returning {
    ($statement:literal) => {
        concat!($statement, " returning ", all_columns!())
    };
}

pub(crate) mod beginning;
mod checking;
pub mod completing;
mod converting;
pub(crate) mod creating;
pub(crate) mod doubting;
pub mod execution;
mod finding;
pub mod likeness;
mod media;
mod others;
pub(crate) mod outcome;
pub mod planning;
pub(crate) mod preparing;
mod pulling;
pub mod reconciling;
mod replying;
mod rules;
mod sources;
mod telling;
pub mod timeline;
pub mod watching;

pub use crate::connectors::variant::VariantMore;
pub use converting::Conversions;
pub use creating::create;
pub(crate) use creating::{OPERATION, Row, check_key, earlier, insert, insert_once, request_digest};
pub use finding::{Kind, find, list};
pub(crate) use finding::{is_live, of_posts, unfinished};
pub(crate) use preparing::{Vetted, asked, vet};
pub(crate) use replying::{NewReply, reply};
pub use sources::Sources;

use crate::clock::Timestamp;
use crate::connectors::fault::Fault;
use crate::connectors::work::PartOutcome;
use crate::id::{ConnectionId, HoldId, PostId, PublicationId, WorkspaceId};
use crate::jobs::Place;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Where a publication stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its time has not come.
    Scheduled,
    /// Waiting for a worker.
    Due,
    /// A worker is at it.
    Running,
    /// Waiting to be run again.
    Pending,
    /// Nobody knows whether a part reached the vendor.
    Uncertain,
    /// At least the first part is live.
    Published,
    /// Certainly not published, or given up.
    Failed,
    /// Taken back before anything of it was live.
    Cancelled,
}

impl State {
    /// The word in the database and the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Due => "due",
            Self::Running => "running",
            Self::Pending => "pending",
            Self::Uncertain => "uncertain",
            Self::Published => "published",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will move it any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Published | Self::Failed | Self::Cancelled)
    }
}

/// One post of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Text.
    #[serde(default)]
    pub text: String,
    /// Media in the order to show.
    #[serde(default)]
    pub media: Vec<MediaSource>,
}

/// A medium, by where it is to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaSource {
    /// An http or https URL on the public Internet.
    pub url: String,
    /// Description for those who cannot see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
}

/// When a publication is to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At a moment.
    At(Timestamp),
    /// At the next slot of the connection's queue that nothing else has.
    NextFreeSlot,
}

/// The word of [`When::NextFreeSlot`].
const NEXT_FREE_SLOT: &str = "next_free_slot";

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(at) => at.serialize(serializer),
            Self::NextFreeSlot => serializer.serialize_str(NEXT_FREE_SLOT),
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == NEXT_FREE_SLOT {
            return Ok(Self::NextFreeSlot);
        }
        Timestamp::deserialize(serde::de::value::StringDeserializer::<de::value::Error>::new(text))
            .map(Self::At)
            .map_err(|error| de::Error::custom(format!("a time by RFC 3339 or `{NEXT_FREE_SLOT}` is wanted: {error}")))
    }
}

impl utoipa::PartialSchema for When {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A moment by RFC 3339, or `next_free_slot` of the connection's queue."))
            .into()
    }
}

impl utoipa::ToSchema for When {}

/// What becomes of a post that is nearly the same as another of about that time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// It is taken in, with a warning.
    #[default]
    Warn,
    /// It is refused.
    Refuse,
}

/// What to publish where. As JSON, it is the post alone, to be published later or often.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PostTemplate)]
pub struct NewPublication {
    /// The network.
    pub platform: String,
    /// The connection, where the workspace has several at the network.
    #[serde(rename = "connection_id")]
    pub connection: Option<ConnectionId>,
    /// What to post to, where the account has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// At least one part.
    pub parts: Vec<Part>,
    /// What it has besides, where the network takes that.
    #[serde(default, skip_serializing_if = "VariantMore::is_empty")]
    pub more: VariantMore,
    /// When it is to go out; `None` for at once.
    #[serde(skip)]
    pub publish_at: Option<When>,
    /// What becomes of it where it is nearly the same as another.
    #[serde(skip)]
    pub on_duplicate: OnDuplicate,
    /// The client's name of this wish: the same key asks for the same publication.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// A publication as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Publication {
    /// Its id.
    pub id: PublicationId,
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// Where it goes.
    pub connection_id: ConnectionId,
    /// By which connector.
    pub connector: String,
    /// To which network.
    pub platform: String,
    /// To which of the account's targets; `None` for the account itself.
    pub target: Option<String>,
    parts: String,
    state: String,
    receipt: Option<String>,
    fault: Option<String>,
    /// Runs of the connector so far.
    pub attempts: i64,
    /// Failures in passing in a row, none of which had made headway.
    setbacks: i64,
    request_digest: String,
    /// The credits that it reserves or reserved.
    pub hold_id: Option<HoldId>,
    /// Credits reserved, or charged once it is published.
    pub price: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it moved last.
    pub updated_at: Timestamp,
    /// When it became terminal.
    pub finished_at: Option<Timestamp>,
    /// Of a reply, the vendor's id of the comment.
    pub reply_to: Option<String>,
    /// When it is to go out; `None` for at once.
    pub publish_at: Option<Timestamp>,
    more: Option<String>,
    /// The post that it belongs to; `None` where it was wished for alone.
    pub post_id: Option<PostId>,
    /// The publication whose missing parts it publishes.
    pub completes: Option<PublicationId>,
    /// Where it came with a backup: from when on it may have been published without our knowing.
    doubt_since: Option<Timestamp>,
}

impl Publication {
    /// Where it stands.
    ///
    /// # Errors
    /// The database holds a word that this program does not know.
    pub fn state(&self) -> anyhow::Result<State> {
        Ok(serde_json::from_value(self.state.clone().into())?)
    }

    /// Where its jobs wait: what goes to the same account and target goes out one after the other.
    pub(crate) fn place(&self) -> Place {
        let connection = self.connection_id.0;
        let line = match (&self.reply_to, &self.target) {
            // Replies have nothing to do with each other.
            (Some(_), _) => self.id.0,
            (None, None) => connection,
            (None, Some(target)) => line_of_target(connection, target),
        };
        Place { queue: self.connector.clone(), workspace: Some(self.workspace_id), line }
    }

    /// Where the look for its lost commit waits: behind nothing.
    pub(crate) fn place_of_looks(&self) -> Place {
        Place { line: self.id.0, ..self.place() }
    }

    /// When it was to go out.
    #[must_use]
    pub fn begins_at(&self) -> Timestamp {
        self.publish_at.unwrap_or(self.created_at)
    }

    /// What to publish.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn parts(&self) -> anyhow::Result<Vec<Part>> {
        Ok(serde_json::from_str(&self.parts)?)
    }

    /// What it has besides its parts.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn more(&self) -> anyhow::Result<VariantMore> {
        Ok(self.more.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default())
    }

    /// What became of each part, and after those of the first comment, where it has one.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn receipt(&self) -> anyhow::Result<Option<Vec<PartOutcome>>> {
        Ok(self.receipt.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// Why it failed or waits.
    ///
    /// # Errors
    /// The stored JSON cannot be read.
    pub fn fault(&self) -> anyhow::Result<Option<Fault>> {
        Ok(self.fault.as_deref().map(serde_json::from_str).transpose()?)
    }
}

/// The line of one of an account's targets.
fn line_of_target(connection: Uuid, target: &str) -> Uuid {
    let digest: [u8; 32] = Sha256::new().chain_update(connection).chain_update(target).finalize().into();
    Uuid::from_u128(u128::from_be_bytes(std::array::from_fn(|index| digest[index])))
}

const BY_KEY: &str = columns!("where workspace_id = $1 and idempotency_key = $2");
/// For workers, who act for every tenant.
const FIND_ANY: &str = columns!("where id = $1");
