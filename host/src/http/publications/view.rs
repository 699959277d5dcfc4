//! A publication as the API shows it.

use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::fault::Fault;
use crate::error::Result;
use crate::id::{ConnectionId, PostId, PublicationId};
use crate::publications::likeness::{self, Warning};
use crate::publications::outcome::{Outcome, labelled};
use crate::publications::{Part, Publication, State, VariantMore};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A publication as the API shows it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PublicationView {
    id: PublicationId,
    connection_id: ConnectionId,
    platform: String,
    /// What it goes to; absent where that is the account itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// The connector that carries it out.
    connector: String,
    /// The post that it belongs to; absent where it was wished for alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    post_id: Option<PostId>,
    /// The publication whose missing parts it publishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    completes: Option<PublicationId>,
    state: State,
    /// When it is to go out; absent where that is at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_at: Option<Timestamp>,
    /// What was asked for.
    parts: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_comment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    privacy: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extras: BTreeMap<String, Value>,
    /// What became of each part, in order, and then of the first comment, where it has one; absent until it is published.
    receipt: Option<Vec<Outcome>>,
    /// Why it failed, or waits.
    fault: Option<Fault>,
    /// Credits reserved, or charged once it is published.
    price: i64,
    /// Runs of the connector so far.
    attempts: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    finished_at: Option<Timestamp>,
    /// What a person may want to know about it, when it is taken in or moved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

impl PublicationView {
    /// With what there is to say about it and its neighbours.
    pub(in crate::http) async fn warned(app: &App, publication: Publication) -> Result<Self> {
        let warnings = likeness::warnings_of(&mut app.db().read().await?, &publication).await?;
        Ok(Self { warnings, ..Self::of(publication)? })
    }

    pub(in crate::http) fn of(publication: Publication) -> Result<Self> {
        let VariantMore { title, link, first_comment, privacy, extras } = publication.more()?;
        Ok(Self {
            warnings: Vec::new(),
            publish_at: publication.publish_at,
            state: publication.state()?,
            parts: publication.parts()?,
            receipt: publication.receipt()?.map(|receipt| labelled(receipt, first_comment.is_some())),
            title,
            link,
            first_comment,
            privacy,
            extras,
            fault: publication.fault()?,
            id: publication.id,
            connection_id: publication.connection_id,
            platform: publication.platform,
            target: publication.target,
            connector: publication.connector,
            post_id: publication.post_id,
            completes: publication.completes,
            price: publication.price,
            attempts: publication.attempts,
            created_at: publication.created_at,
            updated_at: publication.updated_at,
            finished_at: publication.finished_at,
        })
    }
}
