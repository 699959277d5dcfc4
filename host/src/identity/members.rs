//! Who belongs to a workspace, and who may decide for it.

use super::Caller;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{UserId, WorkspaceId};
use crate::on;

const ROLE: &str = "select role from memberships where workspace_id = $1 and user_id = $2";

/// Whether the caller may decide about the workspace's money.
///
/// # Errors
/// [`Error::Forbidden`] where not; the database failed.
pub(crate) async fn check_may_manage(tx: &mut Tx, caller: Caller) -> Result<()> {
    let role: Option<String> = on!(tx, conn => sqlx::query_scalar(ROLE).bind(caller.workspace).bind(caller.user)
        .fetch_optional(conn).await)?;
    match role.as_deref() {
        Some("owner" | "admin") => Ok(()),
        _ => Err(Error::Forbidden("Only an owner of the workspace may do this.")),
    }
}

/// Whether all of these belong to the workspace.
///
/// # Errors
/// [`Error::Invalid`] where one does not; the database failed.
pub(crate) async fn check_members(
    tx: &mut Tx,
    workspace: WorkspaceId,
    members: impl Iterator<Item = UserId>,
) -> Result<()> {
    for member in members {
        let role: Option<String> = on!(&mut *tx, conn => sqlx::query_scalar(ROLE).bind(workspace).bind(member)
            .fetch_optional(conn).await)?;
        if role.is_none() {
            return Err(Error::invalid("caps", format!("{member} is no member of the workspace.")));
        }
    }
    Ok(())
}
