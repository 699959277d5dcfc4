//! What a connected account may post to, where that is more than itself: pages, blogs, boards.

use super::bindings::identifies::exports::orla::connector::identity as wit;
use super::fault::plain;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, WorkspaceId};
use crate::on;
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

const MAX_CHARS: usize = 200;

/// Something that an account may post to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Target {
    /// The vendor's id.
    pub id: String,
    /// Its name for a person.
    pub name: String,
    /// What it is, such as `page`.
    pub kind: String,
    /// Whether the workspace posts to it.
    pub chosen: bool,
}

impl From<wit::Target> for Target {
    fn from(target: wit::Target) -> Self {
        let short = |text: &str| plain(text, MAX_CHARS);
        Self { id: short(&target.id), name: short(&target.name), kind: short(&target.kind), chosen: true }
    }
}

const LIST: &str = "select id, name, kind, chosen from connection_targets
    where workspace_id = $1 and connection_id = $2 order by position, id";

/// The targets of a connection, as the vendor listed them; none where it posts to itself.
///
/// # Errors
/// The database failed.
pub async fn list(tx: &mut Tx, workspace: WorkspaceId, connection: ConnectionId) -> Result<Vec<Target>> {
    let rows: Vec<(String, String, String, i64)> =
        on!(tx, conn => sqlx::query_as(LIST).bind(workspace).bind(connection).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(|(id, name, kind, chosen)| Target { id, name, kind, chosen: chosen == 1 }).collect())
}

const CLEAR: &str = "delete from connection_targets where workspace_id = $1 and connection_id = $2";
const INSERT: &str = "insert into connection_targets (connection_id, workspace_id, id, name, kind, position, chosen)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict (connection_id, id) do nothing";
const COUNT: &str = "update connections set target_count =
    (select count(*) from connection_targets t where t.connection_id = connections.id) where workspace_id = $1 and id = $2";

/// Takes over what the vendor lists now. What a person chose stays so; what is new is chosen, since it was just allowed.
///
/// # Errors
/// The database failed.
pub(crate) async fn replace(
    tx: &mut Tx,
    workspace: WorkspaceId,
    connection: ConnectionId,
    targets: &[Target],
) -> Result<()> {
    let before = list(tx, workspace, connection).await?;
    let put_aside: BTreeSet<&str> =
        before.iter().filter(|target| !target.chosen).map(|target| target.id.as_str()).collect();
    on!(&mut *tx, conn => sqlx::query(CLEAR).bind(workspace).bind(connection).execute(conn).await.map(drop))?;
    for (position, target) in targets.iter().enumerate() {
        let chosen = i64::from(!put_aside.contains(target.id.as_str()));
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        on!(&mut *tx, conn => sqlx::query(INSERT)
            .bind(connection).bind(workspace).bind(&target.id).bind(&target.name).bind(&target.kind)
            .bind(position).bind(chosen).execute(conn).await.map(drop))?;
    }
    Ok(on!(tx, conn => sqlx::query(COUNT).bind(workspace).bind(connection).execute(conn).await.map(drop))?)
}

const CHOOSE: &str =
    "update connection_targets set chosen = $1 where workspace_id = $2 and connection_id = $3 and id = $4";

/// Posts from now on to these alone.
///
/// # Errors
/// One of them is none of the connection's, or the database failed.
pub async fn choose(
    tx: &mut Tx,
    workspace: WorkspaceId,
    connection: ConnectionId,
    chosen: &BTreeSet<String>,
) -> Result<Vec<Target>> {
    let mut targets = list(tx, workspace, connection).await?;
    if let Some(unknown) = chosen.iter().find(|id| !targets.iter().any(|target| target.id == **id)) {
        return Err(Error::invalid(
            "targets",
            format!("This account cannot post to `{unknown:.100}`; connect it again if it can by now."),
        ));
    }
    for target in &mut targets {
        target.chosen = chosen.contains(&target.id);
        on!(&mut *tx, conn => sqlx::query(CHOOSE)
            .bind(i64::from(target.chosen)).bind(workspace).bind(connection).bind(&target.id)
            .execute(conn).await.map(drop))?;
    }
    Ok(targets)
}

/// The target of a post: the one that is wished for, or the only one that is chosen; `None` where the account is its own.
///
/// # Errors
/// The wished one is none, none is chosen, or several are and none was wished for.
pub(crate) fn resolve(targets: &[Target], wished: Option<&str>) -> Result<Option<String>> {
    if let Some(wished) = wished {
        return match targets.iter().find(|target| target.id == wished) {
            Some(target) => Ok(Some(target.id.clone())),
            None if targets.is_empty() => {
                Err(Error::invalid("target", "This account has no targets: leave `target` out."))
            }
            None => Err(Error::invalid(
                "target",
                format!("This account has no target `{wished:.100}`; it has: {}.", named(targets.iter())),
            )),
        };
    }
    let chosen: Vec<&Target> = targets.iter().filter(|target| target.chosen).collect();
    match chosen.as_slice() {
        [] if targets.is_empty() => Ok(None),
        [] => {
            let detail =
                format!("None of the account's targets is chosen; name one as target: {}.", named(targets.iter()));
            Err(Error::Conflict { code: "no_target", detail })
        }
        [only] => Ok(Some(only.id.clone())),
        several => {
            let list = named(several.iter().copied());
            let detail = format!("This account has several targets; name one as target: {list}.");
            Err(Error::Conflict { code: "ambiguous_target", detail })
        }
    }
}

fn named<'a>(targets: impl Iterator<Item = &'a Target>) -> String {
    let named: Vec<String> = targets.map(|target| format!("{} ({} {})", target.id, target.kind, target.name)).collect();
    named.join(", ")
}
