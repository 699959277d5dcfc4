//! Moving a post that has not gone out, or taking it back: each of its publications by itself, since some may be under way.

use super::find;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::id::{PostId, PublicationId, WorkspaceId};
use crate::publications::{Publication, When, planning};
use serde::Serialize;
use utoipa::ToSchema;

/// A publication of a post that stayed as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unmoved {
    /// Which.
    pub publication_id: PublicationId,
    /// A stable code, such as `not_scheduled`.
    pub code: &'static str,
    /// Why.
    pub detail: String,
}

/// What is to become of a post.
#[derive(Debug, Clone, Copy)]
pub enum Plan {
    /// It does not go out.
    Cancelled,
    /// It goes out at another time.
    At(Timestamp),
}

/// Changes what can be changed of a post, and tells what could not.
///
/// # Errors
/// There is no such post, the time is past or too far ahead, or nothing of it could be changed.
pub async fn change(app: &App, workspace: WorkspaceId, id: PostId, plan: Plan) -> Result<Vec<Unmoved>> {
    let (_, publications) = find(&mut app.db().read().await?, workspace, id).await?;
    if let Plan::At(at) = plan {
        planning::check_time(at, app.now())?;
    }
    let (mut unmoved, mut first) = (Vec::new(), None);
    let count = publications.len();
    for publication in publications {
        match change_one(app, workspace, &publication, plan).await {
            Ok(_) => {}
            Err(Error::Conflict { code, detail }) => {
                unmoved.push(Unmoved { publication_id: publication.id, code, detail: detail.clone() });
                first.get_or_insert(Error::Conflict { code, detail });
            }
            Err(error) => return Err(error),
        }
    }
    match first {
        Some(error) if unmoved.len() == count => Err(error),
        _ => Ok(unmoved),
    }
}

async fn change_one(app: &App, workspace: WorkspaceId, publication: &Publication, plan: Plan) -> Result<Publication> {
    match plan {
        Plan::Cancelled => planning::cancel(app, workspace, publication.id).await,
        Plan::At(at) => planning::reschedule(app, workspace, publication.id, When::At(at)).await,
    }
}
