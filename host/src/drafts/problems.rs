//! What stands in the way of a draft: all that would be refused if it went out now, for its author to read beside what he saved.

use super::Draft;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, Result, Trouble};
use crate::id::WorkspaceId;
use crate::posts::content::{self, PostContent};
use crate::publications::preparing::{self, Vetted};

/// All that is wrong with a draft, and the media of it that could not be looked at yet; none where it may go out. Media are
/// fetched for that, for a while at most.
///
/// # Errors
/// Something failed on our side. What a network or a connector does not let us tell is a problem by itself.
pub async fn problems(app: &App, workspace: WorkspaceId, draft: &Draft) -> Result<Vec<Trouble>> {
    let content: PostContent = draft.content()?;
    let (until, at): (_, Option<Timestamp>) = (Some(preparing::patience()), None);
    let looked = match Box::pin(content.look(app, workspace, at, until)).await {
        Ok(looked) => looked,
        Err(error) => return content::troubles_of(error),
    };
    let mut problems = Vec::new();
    for (index, looked) in looked.into_iter().enumerate() {
        let troubles = match looked {
            Ok((_, Vetted { late, .. })) => late,
            // Who cannot tell now may tell later; nothing of it is the draft's.
            Err(error @ (Error::Busy { .. } | Error::Vendor(_) | Error::Unavailable(_))) => {
                vec![Trouble::new("", format!("This could not be checked: {error}"))]
            }
            Err(error) => content::troubles_of(error)?,
        };
        problems.extend(troubles.into_iter().map(|trouble| trouble.within(&format!("variants/{index}"))));
    }
    Ok(problems)
}
