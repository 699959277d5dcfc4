//! What a vendor plays, and how strictly.

use super::mishap::Mishap;
use super::script::Exchange;
use std::path::PathBuf;

/// How strictly a script is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plot {
    /// Request by request, each once.
    InOrder,
    /// Whatever the script has, as often as it is asked: what runs again asks again.
    InAnyOrder,
    /// This status to whatever comes.
    Always(u16),
}

/// What an undisturbed run showed of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// It is a commit or a spend.
    Once,
    /// It may come again.
    Repeatable,
    /// It did not come.
    Unseen,
}

/// What is played.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) plot: Plot,
    pub(super) exchanges: Vec<Exchange>,
    /// Of each exchange, in its place; empty before there was a run.
    pub(super) natures: Vec<Nature>,
    pub(super) folder: PathBuf,
    /// What goes wrong, and with which request, counted from 1.
    pub(super) trouble: Option<(usize, Mishap)>,
    /// Bytes of an answer that a connector may have.
    pub(super) answer_cap: u64,
}
