//! All that is wrong with a variant whose media are at hand: by the manifest's rules of media, and by the connector, who knows
//! the account's facts.

use super::pulling;
use crate::app::App;
use crate::connecting::facts::{self, Kept};
use crate::connectors::connections::Connection;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::release::Release;
use crate::connectors::variant::{Variant, Violation};
use crate::error::Trouble;
use std::sync::Arc;

/// What is wrong with a variant, what is wrong with its media first. None where it may go out. What is kept is of the target.
///
/// # Errors
/// The connector could not tell.
pub(super) async fn check(
    app: &App,
    release: &Arc<Release>,
    connection: &Connection,
    (target, kept): (Option<&str>, Kept),
    (variant, media): (&Variant, Vec<Trouble>),
) -> Result<Vec<Trouble>, Fault> {
    let pulled = pulling::check(app, release, variant).err();
    let facts = facts::known(app, release, connection, target, kept).await;
    let violations = app.connectors().check(release, connection.workspace_id, variant, &facts).await?;
    let mut all = media;
    all.extend(pulled.map(|fault| Trouble::new(fault.field.unwrap_or_default(), fault.message)));
    // Of the same medium the host says it with limit and excess.
    let others: Vec<Trouble> = violations
        .into_iter()
        .filter(|violation| all.iter().all(|trouble| trouble.field != violation.field))
        .map(told)
        .collect();
    all.extend(others);
    Ok(all)
}

/// A violation, for the person who wrote the post.
pub(super) fn told(violation: Violation) -> Trouble {
    Trouble { field: violation.field, detail: violation.message }
}

/// Everything that is wrong, as the fault of a publication.
pub(super) fn as_fault(troubles: Vec<Trouble>) -> Option<Fault> {
    let more: Vec<String> =
        troubles.iter().skip(1).map(|trouble| format!("{}: {}", trouble.field, trouble.detail)).collect();
    let first = troubles.into_iter().next()?;
    let message = if more.is_empty() { first.detail } else { format!("{} Also: {}", first.detail, more.join(" ")) };
    Some(Fault { field: Some(first.field), ..Fault::new(FaultKind::Invalid, message) })
}
