//! Looking for commits whose answers were lost: by the connector where it can and the case says what it sees (`lost`), else
//! as a person would, by the vendor's own books.
//!
//! A look that goes wrong must not pass for one that found nothing: a commit that is believed to be absent is sent again.

use super::case::Case;
use super::course::{Course, PAUSE, script};
use super::ends::End;
use super::mishap::Mishap;
use super::outcome::made;
use super::plot::{Plot, Script};
use super::report::Flaw;
use super::scene::Standing;
use super::script::Exchange;
use super::stand::{Stand, Work};
use crate::connectors::Committed;
use crate::connectors::journal::Effect;
use crate::connectors::work::Verdict;
use std::time::Duration;

/// Looks that must agree that a commit was not done.
const LOOKS: usize = 2;

/// Finds out what became of a lost commit.
pub(super) async fn find_out(stand: &Stand, work: &Work<'_>, effect: &Effect, effects: &[Effect]) -> Result<(), Flaw> {
    let key = &effect.key;
    let Some((exchange, standing)) = stand.vendor.scene(|scene| scene.standing_of(key)) else {
        // It was cancelled after it was written down and before it left.
        return Ok(stand.found_out(work, key, None).await?);
    };
    let is_done = matches!(standing, Standing::Done(_));
    let id = made(stand.release.committed_id(), &exchange.answer, key);
    let mut found = id.clone().map(|id| Committed { url: work.case.ends.url_of(&id), id });
    if let (Some(lost), true) = (&exchange.lost, stand.can_look(work.case)) {
        let (shown, looks) = if is_done { (&lost.there, 1) } else { (&lost.absent, LOOKS) };
        for _ in 0..looks {
            stand.pass(stand.release.visible_after + PAUSE);
            let script = script(stand, work.case, Plot::InAnyOrder, shown.clone());
            let before = stand.vendor.scene(|scene| scene.interlude(script));
            let verdict = stand.look(work, effect, effects).await?;
            let complaint = stand.vendor.scene(|scene| {
                scene.resume(before);
                scene.complaint()
            });
            if let Some(complaint) = complaint {
                return Err(Flaw::new(format!("while it looked for `{key}`: {complaint}")));
            }
            match verdict {
                End::Verdict(Verdict::Done(there)) if is_done && Some(&there.id) == id.as_ref() => found = Some(there),
                End::Verdict(Verdict::Absent) if !is_done => {}
                verdict => {
                    let truth = if is_done { "there" } else { "not there" };
                    return Err(Flaw::new(format!(
                        "`{key}` is {truth} by the case's `lost`, and a look for it gave {verdict}"
                    )));
                }
            }
        }
    }
    if is_done && found.is_none() {
        return Err(Flaw::new(format!("the answer to `{key}` names nothing at the manifest's `committed_id`")));
    }
    stand.found_out(work, key, found.as_ref().filter(|_| is_done)).await?;
    if !is_done {
        stand.vendor.scene(|scene| scene.clear(key));
    }
    Ok(())
}

/// A look that a case writes down.
#[derive(Debug)]
pub(super) struct Look<'case> {
    effect: &'case Effect,
    /// The vendor's id of what the commit made; none where it is played that it made nothing.
    there: Option<String>,
    shown: &'case [Exchange],
}

/// All looks of a case, where the connector can look.
pub(super) fn looks<'case>(stand: &Stand, case: &'case Case, course: &'case Course) -> Vec<Look<'case>> {
    let mut looks = Vec::new();
    for call in course.calls.iter().filter(|_| stand.can_look(case)) {
        let exchange = &case.exchanges[call.exchange];
        let effect = course.effects.iter().find(|effect| Some(&effect.key) == call.once.as_ref() && effect.is_done());
        if let (Some(lost), Some(effect)) = (&exchange.lost, effect) {
            let there = made(stand.release.committed_id(), &exchange.answer, &effect.key);
            looks.push(Look { effect, there, shown: &lost.there });
            looks.push(Look { effect, there: None, shown: &lost.absent });
        }
    }
    looks
}

impl<'case> Look<'case> {
    /// The commit's key.
    pub(super) fn key(&self) -> &'case str {
        &self.effect.key
    }

    /// What is asked, and answered.
    pub(super) fn shown(&self) -> &'case [Exchange] {
        self.shown
    }
}

/// Looks with one thing going wrong with the n-th request, counted from 1.
pub(super) async fn disturb(
    stand: &Stand,
    case: &Case,
    course: &Course,
    look: &Look<'_>,
    trouble: (usize, Mishap),
) -> Result<(), Flaw> {
    let shown = look.shown.iter().chain(&case.also).cloned().collect();
    let script = Script { trouble: Some(trouble), ..script(stand, case, Plot::InAnyOrder, shown) };
    let work = Box::pin(stand.begin(case, script)).await?;
    let sent = Duration::from_micros(u64::try_from(look.effect.sent_at.0 - case.now.0).unwrap_or(0));
    stand.pass(sent + stand.release.visible_after + PAUSE);
    let end = stand.look(&work, look.effect, &course.effects).await?;
    let told = end.to_string();
    let (complaint, is_told) = stand.vendor.scene(|scene| (scene.complaint(), scene.keys().are_in(&told)));
    if is_told {
        return Err(Flaw::new("a secret of the account stands in what it gave back: a connector must not have it"));
    }
    if let Some(complaint) = complaint {
        return Err(Flaw::new(complaint));
    }
    match &end {
        // Cancelled so late that the look had its answer, it saw all that there is to see.
        End::Verdict(Verdict::Absent) if look.there.is_none() && trouble.1 == Mishap::Cancel => Ok(()),
        End::Verdict(Verdict::Absent) => Err(absent()),
        End::Verdict(Verdict::Unknown) => Ok(()),
        End::Verdict(Verdict::Done(found)) if Some(&found.id) == look.there.as_ref() => Ok(()),
        End::Fault(fault) => match trouble.1.flaw(fault) {
            Some(flaw) => Err(Flaw::new(format!("it ended in {end}; {flaw}"))),
            None => Ok(()),
        },
        _ => Err(Flaw::new(format!("it swallowed that, and ended in {end}"))),
    }
}

/// What is wrong with a look that went wrong and found nothing.
pub(super) fn absent() -> Flaw {
    Flaw::new("it gave the verdict that nothing is there, which would post twice: say `unknown`")
}
