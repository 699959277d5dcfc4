//! A re-run held against what the journal has. The journal is the path: what is done is answered from it, and a re-run that
//! leaves it sends nothing more.
//!
//! It decides, and neither sends nor writes.

use super::{Effect, Journal, Once, Step};
use crate::clock::Timestamp;
use crate::connectors::answer::Answer;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::run::Services;
use crate::id::RunId;
use std::collections::HashSet;
use std::sync::Mutex;

/// How far an execution has come on the path of its journal.
#[derive(Debug)]
pub(super) struct Replay {
    /// In the order of their sequence.
    effects: Vec<Effect>,
    /// Commits and spends of the journal that this execution has asked for again, from the first on.
    replayed: usize,
    once_keys: HashSet<String>,
    /// The highest place that was ever taken: one that became free is not given again.
    last_sequence: i64,
    /// How the execution left the path of the journal, once it did: nothing more is sent.
    strayed: Option<Fault>,
    /// Whether the database may have what this lacks.
    is_behind: bool,
    purpose: Purpose,
}

/// What an execution is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Going on with the run.
    GoOn,
    /// Looking for what the run lost: prepared answers are given, and nothing is done.
    Look,
}

impl Journal {
    /// The journal of a run for a look at what it lost: it answers with what was prepared, and lets nothing leave.
    pub(crate) fn looking(services: &Services, run: RunId, mut effects: Vec<Effect>) -> Self {
        // Nothing is under way: what was when its host died is lost as well.
        effects
            .iter_mut()
            .filter(|effect| effect.is_under_way())
            .for_each(|effect| effect.state = "unknown".to_owned());
        let replay = Replay { purpose: Purpose::Look, ..Replay::of(effects) };
        Self {
            db: services.db.clone(),
            clock: services.clock.clone(),
            run,
            doubt_since: None,
            replay: Mutex::new(replay),
        }
    }
}

/// What becomes of a preparation.
pub(super) enum Prepared {
    Answered(Answer),
    /// It is sent, and gets this place in the journal.
    Send(i64),
}

/// What becomes of a commit or a spend.
pub(super) enum Replayed {
    Answered(Step),
    /// The one at this place left, and nobody knows what became of it.
    Unknown(i64),
    Send(Effect, Again),
}

/// Whether a row of the journal is started once more.
#[derive(Clone, Copy)]
pub(super) enum Again {
    No,
    Yes,
    /// As it was certainly not sent when a backup was made, and may have been since.
    Doubtful,
}

impl Replay {
    /// The beginning of an execution whose journal has these effects, in the order of their sequence.
    pub(super) fn of(effects: Vec<Effect>) -> Self {
        let last_sequence = effects.iter().map(|effect| effect.sequence).max().unwrap_or(0);
        Self {
            effects,
            replayed: 0,
            once_keys: HashSet::new(),
            last_sequence,
            strayed: None,
            is_behind: false,
            purpose: Purpose::GoOn,
        }
    }

    /// Finds out whether a preparation has an answer that may be used: it is valid, or a commit or spend that was sent after
    /// it stands.
    pub(super) fn prepare(&mut self, key: &str, digest: &str, now: Timestamp) -> Result<Prepared, Fault> {
        self.check_path()?;
        let effect = self.effects.iter().find(|effect| effect.key == key);
        if let Some(once) = effect.filter(|effect| effect.is_once()) {
            let kind = once.kind.clone();
            return Err(self.stray(format!("the key `{key}` is a {kind}'s")));
        }
        let used_since =
            |sequence| self.effects.iter().any(|later| later.is_once() && later.sequence > sequence && later.stands());
        let usable = effect.filter(|effect| {
            effect.digest == digest
                && (effect.valid_until.is_some_and(|until| until > now) || used_since(effect.sequence))
        });
        match (usable.and_then(Effect::answer), self.purpose) {
            (Some(answer), _) => Ok(Prepared::Answered(answer)),
            (None, Purpose::GoOn) => Ok(Prepared::Send(self.next_sequence())),
            (None, Purpose::Look) => {
                let message = format!("the run has no answer to `{key}`, and who looks for what it lost does nothing");
                Err(Fault::new(FaultKind::NotFound, message))
            }
        }
    }

    /// Takes a preparation out, where there is one of this key.
    pub(super) fn forget(&mut self, key: &str) -> Option<Effect> {
        if self.purpose == Purpose::Look {
            return None;
        }
        let place = self.effects.iter().position(|effect| effect.key == key && !effect.is_once())?;
        Some(self.effects.remove(place))
    }

    /// Finds a commit's or spend's place in the journal.
    pub(super) fn once(&mut self, once: Once, key: &str, digest: &str, now: Timestamp) -> Result<Replayed, Fault> {
        self.check_path()?;
        if self.purpose == Purpose::Look {
            return Err(Fault::bug("this call may only read"));
        }
        if self.effects.iter().any(|effect| effect.key == key && !effect.is_once()) {
            return Err(self.stray(format!("the key `{key}` is a preparation's")));
        }
        if self.once_keys.insert(key.to_owned()) {
            self.replayed += 1;
        } else if !self.was_just_refused(key) {
            return Err(self.stray(format!("the key `{key}` is used for a second {}", once.word())));
        }
        let place = self.replayed - 1;
        let Some(effect) = self.effects.iter().filter(|effect| effect.is_once()).nth(place).cloned() else {
            let sequence = self.next_sequence();
            return Ok(Replayed::Send(Effect::started(once, sequence, key, digest, now), Again::No));
        };
        if effect.key != key || effect.kind != once.word() {
            let (asked, written) = (once.word(), &effect.kind);
            return Err(self.stray(format!("{asked} `{key}` stands where the journal has {written} `{}`", effect.key)));
        }
        if effect.stands() && effect.digest != digest {
            return Err(self.stray(format!("{} `{key}` is not the request that was sent before", once.word())));
        }
        match effect.state.as_str() {
            "done" => effect.answer().map(|answer| Replayed::Answered(Step::Answered(answer))),
            "known" => effect.known().map(|committed| Replayed::Answered(Step::Known(committed))),
            "refused" | "absent" => {
                Some(Replayed::Send(Effect::started(once, effect.sequence, key, digest, now), Again::Yes))
            }
            "doubtful" => {
                Some(Replayed::Send(Effect::started(once, effect.sequence, key, digest, now), Again::Doubtful))
            }
            _ => Some(Replayed::Unknown(effect.sequence)),
        }
        .ok_or_else(|| Fault::bug(format!("the journal's row of `{key}` cannot be read")))
    }

    /// Takes up what was written, in place of an earlier effect of its key.
    pub(super) fn put(&mut self, effect: Effect) {
        self.last_sequence = self.last_sequence.max(effect.sequence);
        self.effects.retain(|other| other.key != effect.key);
        self.effects.push(effect);
        self.effects.sort_by_key(|effect| effect.sequence);
    }

    /// Takes up how the commit or spend at this place ended.
    pub(super) fn end(&mut self, sequence: i64, state: &str, answer: Option<String>) {
        if let Some(effect) = self.effects.iter_mut().find(|effect| effect.sequence == sequence) {
            state.clone_into(&mut effect.state);
            effect.answer = answer;
        }
    }

    pub(super) fn effects(&self) -> Vec<Effect> {
        self.effects.clone()
    }

    /// The fault where something could not be written down, after which the database may have what this lacks.
    pub(super) fn left_behind(&mut self, message: &str) -> Fault {
        self.is_behind = true;
        Fault::new(FaultKind::Cancelled, message)
    }

    pub(super) fn is_behind(&self) -> bool {
        self.is_behind
    }

    pub(super) fn strayed(&self) -> Option<Fault> {
        self.strayed.clone()
    }

    fn check_path(&self) -> Result<(), Fault> {
        match self.strayed {
            Some(_) => Err(Fault::bug("the run left the path of its journal, so nothing more is sent")),
            None => Ok(()),
        }
    }

    fn next_sequence(&self) -> i64 {
        self.last_sequence + 1
    }

    /// Whether this is the step that was asked for last, and was certainly refused: it may be asked for otherwise.
    fn was_just_refused(&self, key: &str) -> bool {
        let last =
            self.replayed.checked_sub(1).and_then(|place| self.effects.iter().filter(|it| it.is_once()).nth(place));
        last.is_some_and(|effect| effect.key == key && effect.state == "refused")
    }

    fn stray(&mut self, message: String) -> Fault {
        let fault = Fault::bug(message);
        self.strayed.get_or_insert(fault.clone());
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Once, Prepared, Purpose, Replay, Timestamp};
    use crate::connectors::fault::FaultKind;

    const ANSWER: &str = r#"{"status":200,"headers":[["location","orla-link:up"]],"none":null}"#;

    fn effect(sequence: i64, kind: &str, key: &str, state: &str) -> Effect {
        Effect {
            sequence,
            kind: kind.to_owned(),
            key: key.to_owned(),
            digest: "digest".to_owned(),
            state: state.to_owned(),
            answer: (kind == "prepare").then(|| ANSWER.to_owned()),
            sent_at: Timestamp(1),
            valid_until: (kind == "prepare").then_some(Timestamp(1)),
            looks: 0,
        }
    }

    fn look(effects: Vec<Effect>) -> Replay {
        Replay { purpose: Purpose::Look, ..Replay::of(effects) }
    }

    #[test]
    fn whoever_looks_is_told_what_was_prepared_and_does_nothing() {
        let now = Timestamp(9);
        let mut lost = look(vec![effect(1, "prepare", "begun", "done"), effect(2, "commit", "part/0", "unknown")]);
        let told = lost.prepare("begun", "digest", now);
        assert!(matches!(told, Ok(Prepared::Answered(answer)) if answer.headers[0].1 == "orla-link:up"));
        for (key, digest) in [("begun", "another"), ("other", "digest")] {
            let Err(fault) = lost.prepare(key, digest, now) else { panic!("nothing may be sent") };
            assert_eq!(fault.kind, FaultKind::NotFound, "{key} {digest}");
        }
        assert!(lost.forget("begun").is_none());
        let Err(fault) = lost.once(Once::Commit, "part/0", "digest", now) else { panic!("nothing may be sent") };
        assert_eq!(fault.kind, FaultKind::Bug);
        assert!(lost.strayed().is_none());
    }
}
