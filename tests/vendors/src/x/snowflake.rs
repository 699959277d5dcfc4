//! The ids of X: 64 bits that begin with the time, so that they sort as they were made. In JSON they are strings.

use super::clock::Moment;
use super::problem::Problem;

/// The first millisecond of X's ids.
const EPOCH_MS: u64 = 1_288_834_974_657;

/// Hands out ids, each greater than the last.
#[derive(Default)]
pub(super) struct Snowflakes {
    last: u64,
}

impl Snowflakes {
    pub(super) fn next(&mut self, now: Moment) -> u64 {
        let earliest = now.unix_ms().saturating_sub(EPOCH_MS) << 22;
        self.last = earliest.max(self.last + 1);
        self.last
    }
}

/// An id that a caller sent: `^[0-9]{1,19}$`.
pub(super) fn id(parameter: &str, text: &str) -> Result<u64, Problem> {
    let digits = (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().ok_or_else(|| {
        Problem::invalid(parameter, text, format!("The `{parameter}` value [{text}] does not match ^[0-9]{{1,19}}$"))
    })
}

#[cfg(test)]
mod tests {
    use super::{Moment, Snowflakes, id};

    #[test]
    fn ids_have_nineteen_digits_and_grow_within_a_millisecond() {
        let now = Moment::parse("2026-02-03T04:05:06Z").expect("a valid time");
        let mut ids = Snowflakes::default();
        let (first, second) = (ids.next(now), ids.next(now));
        assert_eq!(first.to_string().len(), 19);
        assert!(second > first);
    }

    #[test]
    fn an_id_is_digits_only() {
        assert_eq!(id("id", "12").ok(), Some(12));
        for wrong in ["", "+1", "1a", "12345678901234567890"] {
            assert!(id("id", wrong).is_err(), "{wrong} is no id");
        }
    }
}
