//! What people are warned of before they say the same thing twice: posts of the same account that are nearly alike, or that go
//! out at about the same time.

use super::{Part, Publication, Row};
use crate::clock::Timestamp;
use crate::connectors::connections;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, PublicationId, WorkspaceId};
use crate::on;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use unicode_normalization::UnicodeNormalization as _;

/// Posts that are this close in time are held against each other.
const NEAR: Duration = Duration::from_secs(60 * 60);
/// Posts that are this close in time are in each other's way.
const COLLISION: Duration = Duration::from_secs(5 * 60);
/// From which likeness on two texts count as nearly the same: twice the pairs of letters that both have, over all pairs.
const ALIKE: f64 = 0.9;
/// Texts shorter than that are alike only where they are the same.
const SHORT_CHARS: usize = 20;
/// Of longer texts, their beginnings are compared.
const MAX_CHARS: usize = 4_000;
/// Most neighbours that are looked at, and most warnings that are given.
const MAX_NEIGHBOURS: i64 = 100;
const MAX_WARNINGS: usize = 10;

/// Something that a person may want to know about a post that was, or would be, taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PublicationWarning)]
pub struct Warning {
    /// `near_duplicate`: nearly the same within the hour before or after; `collision`: another one within five minutes.
    pub code: String,
    /// The same for a person.
    pub detail: String,
    /// The other publication.
    pub publication_id: PublicationId,
}

/// A post that is held against its neighbours.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Where it goes.
    pub connection: ConnectionId,
    /// To which of the account's targets.
    pub target: Option<&'a str>,
    /// What it says.
    pub parts: &'a [Part],
    /// When it goes out.
    pub at: Timestamp,
    /// Itself, which is no neighbour.
    pub except: PublicationId,
}

/// Another post that goes to the same place.
#[derive(sqlx::FromRow)]
struct Neighbour {
    id: PublicationId,
    state: String,
    parts: String,
    at: Timestamp,
}

/// By an index that has none of those that came to nothing, of which there may be any number.
const NEIGHBOURS: &str = "select id, state, parts, coalesce(publish_at, created_at) as at from publications
    where connection_id = $1 and coalesce(publish_at, created_at) between $2 and $3
        and reply_to is null and state not in ('failed', 'cancelled')
        and workspace_id = $4 and id <> $5 and target is not distinct from $6
    order by coalesce(publish_at, created_at), id limit $7";

async fn neighbours(tx: &mut Tx, post: &Post<'_>) -> Result<Vec<Neighbour>> {
    Ok(on!(tx, conn => sqlx::query_as(NEIGHBOURS)
        .bind(post.connection).bind(post.at.before(NEAR)).bind(post.at.after(NEAR)).bind(post.workspace)
        .bind(post.except).bind(post.target).bind(MAX_NEIGHBOURS).fetch_all(conn).await)?)
}

/// What there is to say about a post and its neighbours.
///
/// # Errors
/// The database failed.
pub async fn warnings(tx: &mut Tx, post: &Post<'_>) -> Result<Vec<Warning>> {
    let said = Said::of(post.parts);
    let mut warnings = Vec::new();
    for other in neighbours(tx, post).await? {
        let apart = other.at.since(post.at).max(post.at.since(other.at));
        let when = format!("{} ({})", other.id, other.state);
        let parts: Vec<Part> = serde_json::from_str(&other.parts).map_err(anyhow::Error::from)?;
        if said.is_alike(&Said::of(&parts)) {
            let detail = format!("Nearly the same goes to this account within the hour: publication {when}.");
            warnings.push(Warning { code: "near_duplicate".to_owned(), detail, publication_id: other.id });
        }
        if apart <= COLLISION {
            let detail = format!("Another post goes to this account within five minutes: publication {when}.");
            warnings.push(Warning { code: "collision".to_owned(), detail, publication_id: other.id });
        }
    }
    warnings.truncate(MAX_WARNINGS);
    Ok(warnings)
}

/// What there is to say about a publication. None of a reply, or of what went out long ago.
///
/// # Errors
/// The database failed.
pub async fn warnings_of(tx: &mut Tx, publication: &Publication) -> Result<Vec<Warning>> {
    if publication.reply_to.is_some() {
        return Ok(Vec::new());
    }
    let parts = publication.parts()?;
    let post = Post {
        workspace: publication.workspace_id,
        connection: publication.connection_id,
        target: publication.target.as_deref(),
        parts: &parts,
        at: publication.begins_at(),
        except: publication.id,
    };
    warnings(tx, &post).await
}

/// Refuses a post that is nearly the same as a neighbour, in the transaction that would take it in.
pub(super) async fn refuse(tx: &mut Tx, row: &Row<'_>, at: Timestamp) -> Result<()> {
    // Of two that come at once, the second waits here until the first can be seen.
    connections::stand_by(tx, row.connection.id).await?;
    let target = row.target.as_deref();
    let post =
        Post { workspace: row.workspace, connection: row.connection.id, target, parts: row.parts, at, except: row.id };
    match warnings(tx, &post).await?.into_iter().find(|warning| warning.code == "near_duplicate") {
        Some(Warning { detail, .. }) => Err(Error::Conflict { code: "near_duplicate", detail }),
        None => Ok(()),
    }
}

/// What a post says, so that it can be compared.
struct Said {
    text: String,
    media: Vec<String>,
}

impl Said {
    fn of(parts: &[Part]) -> Self {
        let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        let media = parts.iter().flat_map(|part| &part.media).map(|medium| medium.url.clone());
        Self { text: plain(&texts.join("\n")), media: media.collect() }
    }

    fn is_alike(&self, other: &Self) -> bool {
        if self.text == other.text {
            // Without words, the pictures are what it says.
            return !self.text.is_empty() || self.media == other.media;
        }
        let (one, two) = (self.text.chars().count(), other.text.chars().count());
        let (short, long) = (one.min(two), one.max(two));
        // What differs much in length cannot be alike, whatever it says.
        let could_be = 2.0 * short as f64 / (short + long).max(1) as f64 >= ALIKE;
        short >= SHORT_CHARS && could_be && strsim::sorensen_dice(&self.text, &other.text) >= ALIKE
    }
}

/// A text as its words: without case, marks and spacing, in which copies differ.
fn plain(text: &str) -> String {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).take(MAX_CHARS).collect();
    let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    // Of emoji alone, they are the text.
    if words.is_empty() { folded.trim().to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::Said;
    use crate::publications::{MediaSource, Part};

    fn said(text: &str, media: &[&str]) -> Said {
        let media = media.iter().map(|url| MediaSource { url: (*url).to_owned(), alt_text: None }).collect();
        Said::of(&[Part { text: text.to_owned(), media }])
    }

    #[test]
    fn copies_are_alike_and_other_posts_are_not() {
        for (one, two, is_alike) in [
            ("Fresh bread at seven!", "fresh  BREAD, at seven", true),
            ("Fresh bread at seven every day from Monday on", "Fresh bread at seven every day from Monday", true),
            ("Fresh bread at seven every day from Monday on", "We are closed on Sunday, see you next week", false),
            ("Day 1", "Day 2", false),
            ("ﬁne", "fine", true),
            ("🎉", "🎉", true),
            ("🎉", "🔥", false),
        ] {
            assert_eq!(said(one, &[]).is_alike(&said(two, &[])), is_alike, "{one} / {two}");
        }
        let (cat, dog) = (said("", &["https://example.com/cat.png"]), said("", &["https://example.com/dog.png"]));
        assert!(cat.is_alike(&cat) && !cat.is_alike(&dog));
    }
}
