//! The media of a publication: which blobs they are, and what the network is given of them.

use super::sources::{self, Place};
use super::{MediaSource, Part, Publication, converting, rules};
use crate::app::App;
use crate::connectors::blob::{Blob, blob_columns};
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::release::Release;
use crate::connectors::variant::{Variant, VariantMedium, VariantMore, VariantPart};
use crate::db::Tx;
use crate::error::Trouble;
use crate::id::{PublicationId, WorkspaceId};
use crate::on;
use futures_util::StreamExt as _;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::Instant;

/// Media that are fetched at the same time for one post.
const AT_ONCE: usize = 4;

/// Blobs by part and position.
pub(super) type Fetched = HashMap<(i64, i64), Arc<Blob>>;

#[derive(sqlx::FromRow)]
struct Row {
    part: i64,
    position: i64,
    #[sqlx(flatten)]
    blob: Blob,
}

const SELECT: &str = concat!(
    "select m.part, m.position, ",
    blob_columns!(),
    " from publication_media m join blobs b on b.id = m.blob_id where m.publication_id = $1 and b.workspace_id = $2"
);
const COPY: &str = "insert into publication_media (publication_id, part, position, blob_id)
    select $1, part, position, blob_id from publication_media where publication_id = $2";

/// The media that were fetched before.
pub(super) async fn fetched(tx: &mut Tx, workspace: WorkspaceId, publication: PublicationId) -> sqlx::Result<Fetched> {
    let rows: Vec<Row> =
        on!(tx, conn => sqlx::query_as(SELECT).bind(publication).bind(workspace).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(|row| ((row.part, row.position), Arc::new(row.blob))).collect())
}

/// Gives a publication the media of another.
pub(super) async fn copy(tx: &mut Tx, from: PublicationId, to: PublicationId) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(COPY).bind(to).bind(from).execute(conn).await.map(drop))
}

/// Every medium of a post with its place.
fn places(parts: &[Part]) -> impl Iterator<Item = ((i64, i64), &MediaSource)> {
    (0..)
        .zip(parts)
        .flat_map(|(index, part)| (0..).zip(&part.media).map(move |(position, source)| ((index, position), source)))
}

fn field((part, position): (i64, i64)) -> String {
    format!("parts/{part}/media/{position}")
}

/// Fetches what is missing of a publication's media.
///
/// # Errors
/// A fault that names the medium.
pub(super) async fn complete(
    app: &App,
    publication: &Publication,
    parts: &[Part],
    fetched: &mut Fetched,
) -> Result<(), Fault> {
    for (place, source) in places(parts) {
        if fetched.contains_key(&place) {
            continue;
        }
        let belongs = Place { publication: publication.id, part: place.0, position: place.1 };
        let blob = sources::fetch(app, publication.workspace_id, source, Some(belongs))
            .await
            .map_err(|fault| Fault { field: Some(field(place)), ..fault })?;
        fetched.insert(place, blob);
    }
    Ok(())
}

/// What came of fetching the media of a post that is not taken in yet.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) fetched: Fetched,
    /// Those that will not come.
    pub(super) troubles: Vec<Trouble>,
    /// Those that may come yet: they were slow, or their server was down.
    pub(super) late: Vec<Trouble>,
}

impl Gathered {
    /// Whether all are at hand.
    pub(super) fn is_whole(&self) -> bool {
        self.troubles.is_empty() && self.late.is_empty()
    }
}

/// Fetches the media of a post for as long as its author is kept waiting.
pub(super) async fn gather(app: &App, workspace: WorkspaceId, parts: &[Part], until: Instant) -> Gathered {
    let mut gathered = Gathered::default();
    let fetches = places(parts).map(|(place, source)| {
        let (app, source) = (app.clone(), source.clone());
        async move { (place, Box::pin(sources::fetch(&app, workspace, &source, None)).await) }
    });
    let mut fetches = futures_util::stream::iter(fetches.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
    while let Ok(Some((place, came))) = tokio::time::timeout_at(until, fetches.next()).await {
        match came {
            Ok(blob) => drop(gathered.fetched.insert(place, blob)),
            Err(fault) if fault.is_transient() => gathered.late.push(Trouble::new(field(place), fault.message)),
            Err(fault) => gathered.troubles.push(Trouble::new(field(place), fault.message)),
        }
    }
    for (place, _) in places(parts) {
        let at = field(place);
        let mut told = gathered.troubles.iter().chain(&gathered.late);
        if !gathered.fetched.contains_key(&place) && told.all(|trouble| trouble.field != at) {
            gathered
                .late
                .push(Trouble::new(at, "The medium did not come in time. It is fetched when the post goes out."));
        }
    }
    gathered
}

/// Makes the variant that a connector is given, of media that are all at hand, and tells what is wrong with those: the network
/// does not take them as they are, nor as what they can become.
///
/// # Errors
/// The host could not convert one for now.
pub(super) async fn variant(
    app: &App,
    release: &Release,
    parts: &[Part],
    more: &VariantMore,
    fetched: &Fetched,
) -> Result<(Variant, Vec<Trouble>), Fault> {
    let mut troubles = Vec::new();
    let mut variant = Variant { parts: Vec::with_capacity(parts.len()), more: more.clone() };
    for (index, part) in (0..).zip(parts) {
        let mut media = Vec::with_capacity(part.media.len());
        for (position, source) in (0..).zip(&part.media) {
            let place = (index, position);
            let missing = || Fault::new(FaultKind::Cancelled, "a medium is not at hand");
            let blob = fetched.get(&place).ok_or_else(missing)?;
            let (blob, words) = Box::pin(as_taken(app, release, blob)).await?;
            troubles.extend(words.into_iter().map(|words| Trouble::new(field(place), words)));
            media.push(VariantMedium { blob, alt_text: source.alt_text.clone() });
        }
        variant.parts.push(VariantPart { text: part.text.clone(), media });
    }
    Ok((variant, troubles))
}

/// What is wrong with media, where not all of a post are at hand.
///
/// # Errors
/// As [`variant`].
pub(super) async fn judged(app: &App, release: &Release, fetched: &Fetched) -> Result<Vec<Trouble>, Fault> {
    let mut troubles = Vec::new();
    let mut places: Vec<_> = fetched.iter().collect();
    places.sort_by_key(|(place, _)| **place);
    for (place, blob) in places {
        let (_, words) = Box::pin(as_taken(app, release, blob)).await?;
        troubles.extend(words.into_iter().map(|words| Trouble::new(field(*place), words)));
    }
    Ok(troubles)
}

/// A medium as a network takes it, and what is wrong with it.
async fn as_taken(app: &App, release: &Release, blob: &Arc<Blob>) -> Result<(Arc<Blob>, Vec<String>), Fault> {
    let Some(publishing) = &release.manifest.publishing else { return Ok((blob.clone(), Vec::new())) };
    let words = rules::broken(publishing, blob);
    let becomes = rules::of(publishing, blob).and_then(|rule| rule.becomes.as_deref());
    let Some(becomes) = becomes.filter(|_| words.is_empty()) else { return Ok((blob.clone(), words)) };
    match converting::converted(app, blob, becomes).await {
        Ok(made) => {
            let words = rules::broken(publishing, &made);
            let words = words.into_iter().map(|words| format!("As {becomes}, which the network takes: {words}"));
            Ok((made, words.collect()))
        }
        Err(fault) if fault.kind == FaultKind::Invalid => Ok((blob.clone(), vec![fault.message])),
        Err(fault) => Err(fault),
    }
}

/// Sees to it that the media with which something is wrong are fetched anew the next time.
pub(super) async fn forget_bad(app: &App, workspace: WorkspaceId, parts: &[Part], troubles: &[Trouble]) {
    for (place, source) in places(parts) {
        if troubles.iter().any(|trouble| trouble.field.starts_with(&field(place))) {
            sources::forget(app, workspace, source).await;
        }
    }
}
