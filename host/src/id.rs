//! Typed ids: UUIDv7 in the database, never mixed up in the code.

/// Makes a newtype over a UUID for each name.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        #[schema(value_type = uuid::Uuid)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new id that sorts after those made before it.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "two defaults would differ")]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(out)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A person.
    UserId,
    /// A tenant. A personal workspace has its user's id.
    WorkspaceId,
    /// A signed-in browser or program: `sid` of the tokens.
    SessionId,
    /// An account at a vendor.
    ConnectionId,
    /// An app at a vendor.
    AppId,
    /// What a person wrote at once, for one connection or several.
    PostId,
    /// A post that is being written.
    DraftId,
    /// One variant on its way to one connection.
    PublicationId,
    /// A text that a model writes.
    GenerationId,
    /// A video that a model makes.
    VideoId,
    /// A link that was mailed to a person.
    EmailTokenId,
    /// A piece of work for a connector. It has the id of the publication, generation or video that it is for.
    RunId,
    /// Credits that were given.
    GrantId,
    /// A price, from a time on.
    PriceId,
    /// Something that an operator did by hand.
    RecordId,
    /// Reserved credits.
    HoldId,
    /// A change of a ledger account.
    TransactionId,
    /// Stored bytes.
    BlobId,
    /// A piece of work to do later.
    JobId,
    /// A move of a publication.
    EventId,
    /// Something that endpoints are told.
    OutboxEventId,
    /// A URL at which a workspace is told.
    EndpointId,
    /// What signs that which it is told.
    WebhookSecretId,
    /// A post that is repeated by a rule.
    ScheduleId,
    /// One of the times that a rule names.
    OccurrenceId,
    /// A file of posts.
    ImportId,
}

impl From<UserId> for WorkspaceId {
    /// The personal workspace of a user.
    fn from(user: UserId) -> Self {
        Self(user.0)
    }
}

impl From<PublicationId> for RunId {
    /// The run that carries a publication out.
    fn from(publication: PublicationId) -> Self {
        Self(publication.0)
    }
}

impl From<GenerationId> for RunId {
    /// The run that writes a text.
    fn from(generation: GenerationId) -> Self {
        Self(generation.0)
    }
}

impl From<VideoId> for RunId {
    /// The run that has a video made.
    fn from(video: VideoId) -> Self {
        Self(video.0)
    }
}
