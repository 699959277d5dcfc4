//! Playing a case: undisturbed, once more after its end, and with one thing going wrong.
//!
//! What follows a disturbance is what a worker does: what is uncertain is looked for, what paused or failed is executed
//! again from the top, with the same journal and a vendor that is well.

use super::case::Case;
use super::ends::End;
use super::looking;
use super::mishap::Mishap;
use super::plot::{Nature, Plot, Script};
use super::report::Flaw;
use super::scene::Call;
use super::script::Exchange;
use super::stand::{Executed, Stand, Work};
use super::vendor::SPOILED;
use crate::connectors::fault::FaultKind;
use crate::connectors::journal::Effect;
use crate::connectors::work::Verdict;
use std::time::Duration;

/// Executions of a case that pauses, or of one that recovers.
const MAX_EXECUTIONS: usize = 30;
/// How long a worker waits before it tries again, for what it is worth: the clock is ours.
pub(super) const PAUSE: Duration = Duration::from_secs(10);
/// What an undisturbed play showed.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) calls: Vec<Call>,
    /// Of each exchange, those besides the script included.
    natures: Vec<Nature>,
    /// The journal at its end.
    pub(super) effects: Vec<Effect>,
    /// Whether the outcome of everything is known, so that there is something to come back to.
    pub(super) is_settled: bool,
}

/// A script of a case.
pub(super) fn script(stand: &Stand, case: &Case, plot: Plot, exchanges: Vec<Exchange>) -> Script {
    Script {
        plot,
        exchanges,
        natures: Vec::new(),
        folder: case.folder.clone(),
        trouble: None,
        answer_cap: stand.release.manifest.limits.inline_answer_bytes,
    }
}

/// Plays a case as it is written, and executes it once more after its end.
pub(super) async fn play(stand: &Stand, case: &Case) -> Result<Course, Flaw> {
    let script = script(stand, case, Plot::InOrder, case.exchanges.clone());
    let work = Box::pin(stand.begin(case, script)).await?;
    let executed = to_its_end(stand, &work).await?;
    if !case.ends.are(&executed.end) || !case.ends.say_when(&executed.end) {
        return Err(Flaw::new(format!("it ended in {}; the case expects {:?}", executed.end, case.ends)));
    }
    if let Some(missing) = stand.vendor.scene(|scene| scene.missing().map(|exchange| exchange.request.line())) {
        return Err(Flaw::new(format!("it never asked for {missing}, which the case expects")));
    }
    let calls = stand.vendor.scene(|scene| scene.calls().to_vec());
    let all = case.all_exchanges();
    let nature = |index| match calls.iter().find(|call| call.exchange == index) {
        Some(call) if call.once.is_some() => Nature::Once,
        Some(_) => Nature::Repeatable,
        None => Nature::Unseen,
    };
    let natures: Vec<Nature> = (0..all.len()).map(nature).collect();
    let is_settled = !executed.effects.iter().any(Effect::is_lost);
    if case.call.is_run() && is_settled {
        stand.vendor.scene(|scene| scene.run_again(all, natures.clone()));
        let again = to_its_end(stand, &work).await?;
        once_more(case, &executed, &again)?;
    }
    Ok(Course { calls, natures, effects: executed.effects, is_settled })
}

/// What a run that ended and is executed once more has to come to.
fn once_more(case: &Case, before: &Executed, again: &Executed) -> Result<(), Flaw> {
    if !case.ends.are(&again.end) {
        return Err(Flaw::new(format!("executed once more after its end, it ended in {}", again.end)));
    }
    let keys = |executed: &Executed| -> Vec<String> {
        executed.effects.iter().map(|effect| format!("`{}`", effect.key)).collect()
    };
    let (before, again) = (keys(before), keys(again));
    if before != again {
        let (before, again) = (before.join(", "), again.join(", "));
        return Err(Flaw::new(format!("executed once more, it left the keys {again} in the journal, before {before}")));
    }
    Ok(())
}

/// Executes a run until it no longer pauses.
async fn to_its_end(stand: &Stand, work: &Work<'_>) -> Result<Executed, Flaw> {
    for _ in 0..MAX_EXECUTIONS {
        let executed = watched(stand, work).await?;
        let End::Pending(wait) = executed.end else { return Ok(executed) };
        stand.pass(wait);
    }
    Err(Flaw::new(format!("it was still pending after {MAX_EXECUTIONS} executions")))
}

/// Executes a run, and sees to what no execution may do.
async fn watched(stand: &Stand, work: &Work<'_>) -> Result<Executed, Flaw> {
    let executed = stand.execute(work).await?;
    let told = executed.end.to_string();
    let (complaint, is_told) = stand.vendor.scene(|scene| (scene.complaint(), scene.keys().are_in(&told)));
    if is_told {
        return Err(Flaw::new("a secret of the account stands in what it gave back: a connector must not have it"));
    }
    if let Some(complaint) = complaint {
        return Err(Flaw::new(complaint));
    }
    if let Some(strayed) = executed.strayed {
        return Err(Flaw::new(format!("it left the path of its journal: {strayed}")));
    }
    Ok(executed)
}

/// Plays a case with one thing going wrong with its n-th request, counted from 1.
pub(super) async fn disturb(
    stand: &Stand,
    case: &Case,
    course: &Course,
    number: usize,
    mishap: Mishap,
) -> Result<(), Flaw> {
    let script = Script {
        natures: course.natures.clone(),
        trouble: Some((number, mishap)),
        ..script(stand, case, Plot::InAnyOrder, case.all_exchanges())
    };
    let work = Box::pin(stand.begin(case, script)).await?;
    let mut executed = watched(stand, &work).await?;
    for _ in 0..MAX_EXECUTIONS {
        match executed.end {
            End::Pending(wait) if stand.vendor.scene(|scene| scene.calls().len()) < number => {
                stand.pass(wait);
                executed = watched(stand, &work).await?;
            }
            _ => break,
        }
    }
    judge(case, mishap, &executed.end)?;
    recover(stand, &work, executed).await
}

/// Whether a call may end so when this went wrong.
fn judge(case: &Case, mishap: Mishap, end: &End) -> Result<(), Flaw> {
    // Cancelled so late that it had its answer, a look saw all that there is to see.
    let saw_all = mishap == Mishap::Cancel && case.ends.are(end);
    if matches!(end, End::Verdict(Verdict::Absent)) && !saw_all {
        return Err(looking::absent());
    }
    if case.ends.are(end) {
        return Ok(());
    }
    let is_fault = matches!(end, End::Fault(_)) || case.ends.are_in_part(end);
    if !is_fault && !matches!(end, End::Pending(_) | End::Verdict(Verdict::Unknown)) {
        return Err(Flaw::new(format!("it swallowed that, and ended in {end}")));
    }
    match end.faults().into_iter().find_map(|fault| mishap.flaw(fault)) {
        Some(flaw) => Err(Flaw::new(format!("it ended in {end}; {flaw}"))),
        None => Ok(()),
    }
}

/// Goes on as a worker does, until the call ends as the case says.
async fn recover(stand: &Stand, work: &Work<'_>, first: Executed) -> Result<(), Flaw> {
    let mut last = first;
    for _ in 0..MAX_EXECUTIONS {
        let uncertain: Vec<Effect> = last.effects.iter().filter(|effect| effect.is_uncertain()).cloned().collect();
        for effect in &uncertain {
            looking::find_out(stand, work, effect, &last.effects).await?;
        }
        stand.pass(if let End::Pending(wait) = last.end { wait } else { PAUSE });
        last = watched(stand, work).await?;
        if work.case.ends.are(&last.end) {
            return Ok(());
        }
        // A host that cancels in the very moment that a commit is written down takes another turn to see it.
        let is_cancelled = last.end.faults().iter().any(|fault| fault.kind == FaultKind::Cancelled);
        let is_uncertain = last.effects.iter().any(Effect::is_uncertain);
        let goes_on = matches!(last.end, End::Pending(_)) || is_cancelled || is_uncertain;
        if !goes_on {
            break;
        }
    }
    let broken = last.end.faults().iter().any(|fault| matches!(fault.kind, FaultKind::Bug | FaultKind::Budget));
    let is_fault = !last.end.faults().is_empty();
    if is_fault && !broken && last.effects.iter().any(|effect| is_spoiled(effect) || effect.is_lost()) {
        return Ok(());
    }
    Err(Flaw::new(format!("executed again before a vendor that is well, it ended in {}", last.end)))
}

/// Whether the journal keeps an answer that held nothing of use: no execution can make more of it.
fn is_spoiled(effect: &Effect) -> bool {
    effect.answer().is_some_and(|answer| answer.headers.iter().any(|(name, _)| name == SPOILED))
}
