//! What a project may ask for in a day (documented under "Quota Calculator"): so many videos, and so many units of all else.

use super::problem::Problem;
use super::state::World;
use crate::clock::Moment;

/// Midnight in California, where it is UTC-8, after midnight UTC.
const RESET_S: u64 = 8 * 3_600;
const DAY_S: u64 = 86_400;

/// What calls cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// Reading.
    Read,
    /// Writing, and setting a thumbnail.
    Write,
    /// A video, of which there is an allowance of its own.
    Video,
}

/// What was used in a day.
#[derive(Default)]
pub(super) struct Quota {
    day: u64,
    units: u64,
    videos: u64,
}

fn day(now: Moment) -> u64 {
    (now.unix_s().saturating_sub(RESET_S)) / DAY_S
}

impl World {
    /// Count a call, which is refused once the allowance is used up. Calls that turn out to be wrong cost as well.
    pub(super) fn spend(&mut self, cost: Cost) -> Result<(), Problem> {
        let today = day(self.now());
        if self.quota.day != today {
            self.quota = Quota { day: today, ..Quota::default() };
        }
        let (used, most) = match cost {
            Cost::Read | Cost::Write => (&mut self.quota.units, self.settings.units_a_day),
            Cost::Video => (&mut self.quota.videos, self.settings.uploads_a_day),
        };
        let price = match cost {
            Cost::Read | Cost::Video => 1,
            Cost::Write => 50,
        };
        if *used + price > most {
            return Err(Problem::quota());
        }
        *used += price;
        if cost != Cost::Video {
            self.made.units += price;
        }
        Ok(())
    }
}
