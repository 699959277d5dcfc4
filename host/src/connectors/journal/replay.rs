//! A re-run held against what the journal has. The journal is the path: what is done is answered from it, and a re-run that
//! leaves it sends nothing more.
//!
//! It decides, and neither sends nor writes.

use super::{Effect, Once, Step};
use crate::clock::Timestamp;
use crate::connectors::answer::Answer;
use crate::connectors::fault::Fault;
use std::collections::HashSet;

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
        Self { effects, replayed: 0, once_keys: HashSet::new(), last_sequence, strayed: None }
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
        Ok(match usable.and_then(Effect::answer) {
            Some(answer) => Prepared::Answered(answer),
            None => Prepared::Send(self.next_sequence()),
        })
    }

    /// Takes a preparation out, where there is one of this key.
    pub(super) fn forget(&mut self, key: &str) -> Option<Effect> {
        let place = self.effects.iter().position(|effect| effect.key == key && !effect.is_once())?;
        Some(self.effects.remove(place))
    }

    /// Finds a commit's or spend's place in the journal.
    pub(super) fn once(&mut self, once: Once, key: &str, digest: &str, now: Timestamp) -> Result<Replayed, Fault> {
        self.check_path()?;
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
