//! The times that a rule names, by RFC 5545: computed on the wall of a zone, so that nine o'clock stays nine o'clock when the
//! clocks change.
//!
//! The rule itself is expanded by a library, without any zone: times on the wall, as if all days had 24 hours. Each is then
//! turned into a moment by [`Zone::at`]. What a rule may ask for is bounded, so that no rule takes long.

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::zones::{self, Wall, Zone};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime};
use rrule::{Frequency, RRule, RRuleSet, Tz, Unvalidated};
use std::collections::BTreeSet;

/// Longest rule.
const MAX_RULE_BYTES: usize = 500;
/// Most times of one day.
const MOST_A_DAY: usize = 24;
/// Most times that `COUNT` may ask for.
const MAX_COUNT: u32 = 10_000;
/// Most times that are named besides the rule, or left out of it.
const MAX_DATES: usize = 500;
/// Times on the wall that are looked at, at most, on the way to those that are asked for: 22 years of 24 a day.
const MOST_STEPS: usize = 200_000;
/// Later than anything that is planned: the year 9000.
pub(crate) const FAR: Timestamp = Timestamp(221_845_392_000_000_000);

/// Times, as a person states them.
#[derive(Debug, Clone)]
pub(crate) struct Stated<'a> {
    pub(crate) rule: &'a str,
    pub(crate) zone: &'a str,
    pub(crate) starts_at: Wall,
    pub(crate) rdates: &'a [Wall],
    /// Times on the wall, or whole days.
    pub(crate) exdates: &'a [String],
}

/// Times, ready to be computed.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    set: RRuleSet,
    zone: Zone,
    until: Option<Timestamp>,
    rdates: Vec<Wall>,
    without: BTreeSet<NaiveDateTime>,
    without_days: BTreeSet<NaiveDate>,
}

/// One time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time {
    pub(crate) at: Timestamp,
    /// What the rule says; where the clocks skip that, they show another time at that moment.
    pub(crate) wall: Wall,
}

impl Times {
    /// Reads what a person states.
    ///
    /// # Errors
    /// The rule, the zone or a date makes no sense, or asks for more than is computed.
    pub(crate) fn read(stated: &Stated<'_>) -> Result<Self> {
        let zone = Zone::named(stated.zone)?;
        let (rule, until) = read_rule(stated.rule, zone, stated.starts_at)?;
        if stated.rdates.len() > MAX_DATES || stated.exdates.len() > MAX_DATES {
            let field = if stated.rdates.len() > MAX_DATES { "rdates" } else { "exdates" };
            return Err(Error::invalid(field, format!("Name {MAX_DATES} dates at most.")));
        }
        let (mut without, mut without_days) = (BTreeSet::new(), BTreeSet::new());
        for text in stated.exdates {
            match (text.parse::<Wall>(), zones::day(text)) {
                (Ok(wall), _) => drop(without.insert(wall.0)),
                (Err(_), Some(day)) => drop(without_days.insert(day)),
                (Err(_), None) => {
                    let detail =
                        format!("`{text:.40}` is neither a day (2027-01-31) nor a time (2027-01-31T09:00:00).");
                    return Err(Error::invalid("exdates", detail));
                }
            }
        }
        let set = RRuleSet::new(floating(stated.starts_at)).rrule(rule).limit();
        Ok(Self { set, zone, until, rdates: stated.rdates.to_vec(), without, without_days })
    }

    /// The zone whose clocks count.
    pub(crate) fn zone(&self) -> Zone {
        self.zone
    }

    /// The times after one moment and up to another, in order, the first of them where there are more than `most`.
    pub(crate) fn between(&self, after: Timestamp, up_to: Timestamp, most: usize) -> Vec<Time> {
        let up_to = self.until.map_or(up_to, |until| until.min(up_to)).min(FAR);
        // Clocks jump by a day at most, so what is further away on the wall is further away in time.
        let from = self.zone.wall(after).0.checked_sub_days(Days::new(1)).unwrap_or_default();
        let to = self.zone.wall(up_to).0.checked_add_days(Days::new(1)).unwrap_or(NaiveDateTime::MAX);
        // Where clocks jump, times may change places within a day: some more are computed than are given.
        let enough = most.saturating_add(MOST_A_DAY + 1);
        let mut times = BTreeSet::new();
        for wall in (&self.set).into_iter().take(MOST_STEPS).map(|time| time.naive_utc()) {
            if wall > to || times.len() >= enough {
                break;
            }
            if wall >= from {
                self.add(Wall(wall), after, up_to, &mut times);
            }
        }
        for wall in &self.rdates {
            self.add(*wall, after, up_to, &mut times);
        }
        // Two times on the wall may be one moment.
        let mut times: Vec<Time> = times.into_iter().collect();
        times.dedup_by_key(|time| time.at);
        times.truncate(most);
        times
    }

    /// The first time after a moment.
    pub(crate) fn next(&self, after: Timestamp) -> Option<Time> {
        self.between(after, FAR, 1).pop()
    }

    fn add(&self, wall: Wall, after: Timestamp, up_to: Timestamp, times: &mut BTreeSet<Time>) {
        let at = self.zone.at(wall);
        let is_left_out = self.without.contains(&wall.0) || self.without_days.contains(&wall.0.date());
        if at > after && at <= up_to && !is_left_out {
            times.insert(Time { at, wall });
        }
    }
}

/// A time on the wall as the library counts: days of 24 hours, without a zone.
fn floating(wall: Wall) -> DateTime<Tz> {
    wall.0.and_utc().with_timezone(&Tz::UTC)
}

fn refused(detail: impl Into<String>) -> Error {
    Error::invalid("rule", detail)
}

/// Reads a rule, and the moment up to which it holds.
fn read_rule(text: &str, zone: Zone, starts_at: Wall) -> Result<(RRule, Option<Timestamp>)> {
    let text = text.trim();
    let upper = text.to_ascii_uppercase();
    let rule = upper.strip_prefix("RRULE:").unwrap_or(&upper);
    if rule.is_empty() || rule.len() > MAX_RULE_BYTES || !rule.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = format!("Give one rule of at most {MAX_RULE_BYTES} characters, such as FREQ=WEEKLY;BYDAY=MO,TH.");
        return Err(refused(detail));
    }
    let (mut until, mut parts) = (None, Vec::new());
    for part in rule.split(';').filter(|part| !part.is_empty()) {
        match part.strip_prefix("UNTIL=") {
            Some(_) if until.is_some() => return Err(refused("UNTIL stands there twice.")),
            Some(end) => until = Some(read_until(end, zone)?),
            None => parts.push(part),
        }
    }
    let read: RRule<Unvalidated> =
        parts.join(";").parse().map_err(|error| refused(format!("This is no rule of RFC 5545: {error}.")))?;
    if read.get_freq() > Frequency::Daily {
        return Err(refused("FREQ is DAILY, WEEKLY, MONTHLY or YEARLY. For several times a day, use BYHOUR."));
    }
    if read.get_interval() == 0 {
        return Err(refused("INTERVAL is at least 1."));
    }
    match read.get_count() {
        Some(_) if until.is_some() => return Err(refused("Give COUNT or UNTIL, not both.")),
        Some(count) if !(1..=MAX_COUNT).contains(&count) => {
            return Err(refused(format!("COUNT is 1 to {MAX_COUNT}. Leave it out for a rule without end.")));
        }
        _ => {}
    }
    let valid =
        read.validate(floating(starts_at)).map_err(|error| refused(format!("This rule makes no sense: {error}.")))?;
    let a_day = valid.get_by_hour().len() * valid.get_by_minute().len() * valid.get_by_second().len();
    if valid.get_by_second().len() > 1 || a_day > MOST_A_DAY {
        return Err(refused(format!("A rule names {MOST_A_DAY} times a day at most, each of another minute.")));
    }
    Ok((valid, until))
}

/// `UNTIL`: in UTC, as the RFC has it; or on the wall, or a day with all that is in it, as people write it.
fn read_until(text: &str, zone: Zone) -> Result<Timestamp> {
    let wall = |text: &str| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok();
    let moment = match text.strip_suffix('Z') {
        Some(utc) => wall(utc).map(|time| Timestamp(time.and_utc().timestamp_micros())),
        None => {
            let day = || NaiveDate::parse_from_str(text, "%Y%m%d").ok().filter(|_| text.len() == 8);
            let last = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default();
            wall(text).or_else(|| Some(day()?.and_time(last))).map(|time| zone.at(Wall(time)))
        }
    };
    moment.ok_or_else(|| refused("UNTIL is a time such as 20271231T235959Z, or a day such as 20271231."))
}

#[cfg(test)]
mod tests;
