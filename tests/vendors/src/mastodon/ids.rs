//! Ids as Mastodon gives them out: strings of digits, whose number grows with time and does not fit into a double.

use super::problem::Problem;
use crate::clock::Moment;

/// How far the milliseconds are shifted (observed).
const TIME_SHIFT: u32 = 16;

/// Gives out ids. None is given out twice.
#[derive(Default)]
pub(super) struct Ids(u64);

impl Ids {
    pub(super) fn next(&mut self, now: Moment) -> u64 {
        // The lower bits are a sequence at Mastodon; what matters is that they are not all zero.
        self.0 = (self.0 + 1).max((now.unix_ms() << TIME_SHIFT) + 0x2f3d);
        self.0
    }
}

/// The id in a path; what is none names nothing.
pub(super) fn id(text: &str) -> Result<u64, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(Problem::not_found)
}
