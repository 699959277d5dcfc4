//! Times on the wall: what the clocks of a zone show, and which moment that is.
//!
//! The rules of the zones come with the program (the IANA database of `chrono-tz`), so that all nodes agree whatever is
//! installed beside them. Knows nothing of what happens at those times.

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeZone as _, Timelike as _};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt::{Display, Formatter};
use std::str::FromStr;

/// A zone by its IANA name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// A zone by its IANA name, such as `Europe/Berlin`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the member `zone`: there is no such zone.
    pub fn named(name: &str) -> Result<Self> {
        name.parse().map(Self).map_err(|_| {
            Error::invalid(
                "zone",
                format!("`{name:.60}` is no IANA time zone. Name one such as `Europe/Berlin` or `UTC`."),
            )
        })
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The moment at which its clocks show a time. As RFC 5545 (section 3.3.5) has it: a time that is skipped counts by the
    /// offset before the gap, and of a time that comes twice, the first is meant.
    #[must_use]
    pub fn at(self, wall: Wall) -> Timestamp {
        let naive = wall.0;
        let first = self.0.from_local_datetime(&naive).earliest().map(|moment| moment.naive_utc());
        let utc = first.unwrap_or_else(|| {
            let before = GapInfo::new(&naive, &self.0).and_then(|gap| gap.begin);
            before.and_then(|(_, offset)| naive.checked_sub_offset(offset.fix())).unwrap_or(naive)
        });
        Timestamp(utc.and_utc().timestamp_micros())
    }

    /// What its clocks show at a moment, without parts of a second.
    #[must_use]
    pub fn wall(self, at: Timestamp) -> Wall {
        let utc = DateTime::from_timestamp_micros(at.0).unwrap_or_default().naive_utc();
        let local = self.0.from_utc_datetime(&utc).naive_local();
        Wall(local.with_nanosecond(0).unwrap_or(local))
    }

    /// The first moment of a day.
    #[must_use]
    pub fn begins(self, day: NaiveDate) -> Timestamp {
        self.at(Wall(day.and_time(NaiveTime::MIN)))
    }
}

/// What a clock on the wall shows: a date and a time of day in whole seconds, without a zone. `2027-01-31T09:00:00` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub(crate) NaiveDateTime);

/// A text that is no time on the wall.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("this is no date and time such as 2027-01-31T09:00:00, without a zone")]
pub struct NoWall;

const SHAPES: [&str; 5] =
    ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y%m%dT%H%M%S"];

impl FromStr for Wall {
    type Err = NoWall;

    fn from_str(text: &str) -> Result<Self, NoWall> {
        let read = SHAPES.iter().find_map(|shape| NaiveDateTime::parse_from_str(text, shape).ok());
        // A second 60 would be one of 59 that lasts.
        read.filter(|time| time.nanosecond() == 0 && is_of_our_time(time.date())).map(Self).ok_or(NoWall)
    }
}

impl Display for Wall {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.0.format(SHAPES[0]))
    }
}

impl Serialize for Wall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Wall {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl utoipa::PartialSchema for Wall {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A date and time on the wall, such as `2027-01-31T09:00:00`."))
            .into()
    }
}

impl utoipa::ToSchema for Wall {}

/// A day such as `2027-01-31`.
#[must_use]
pub fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| is_of_our_time(*day))
}

/// Whether a day is one that all arithmetic can reach.
fn is_of_our_time(day: NaiveDate) -> bool {
    let years = NaiveDate::from_ymd_opt(1970, 1, 1).zip(NaiveDate::from_ymd_opt(9000, 1, 1));
    years.is_some_and(|(first, last)| (first..last).contains(&day))
}

#[cfg(test)]
mod tests {
    use super::{Wall, Zone};
    use crate::clock::Timestamp;

    /// The moment of a wall time, as RFC 3339 shows it.
    fn moment(zone: &str, wall: &str) -> String {
        let at = Zone::named(zone).unwrap().at(wall.parse().unwrap());
        serde_json::to_value(at).unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn a_skipped_time_counts_by_the_offset_before_the_gap() {
        for (zone, wall, at) in [
            ("Europe/Berlin", "2027-03-28T02:30:00", "2027-03-28T01:30:00Z"),
            ("America/New_York", "2027-03-14T02:30:00", "2027-03-14T07:30:00Z"),
            // Half an hour is skipped.
            ("Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:45:00Z"),
            // The gap begins at midnight.
            ("America/Asuncion", "2024-10-06T00:30:00", "2024-10-06T04:30:00Z"),
            // A whole day is skipped.
            ("Pacific/Apia", "2011-12-30T09:00:00", "2011-12-30T19:00:00Z"),
        ] {
            assert_eq!(moment(zone, wall), at, "{zone} {wall}");
        }
    }

    #[test]
    fn of_a_time_that_comes_twice_the_first_is_meant() {
        for (zone, wall, at) in [
            ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
            ("America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"),
            ("Australia/Lord_Howe", "2027-04-04T01:45:00", "2027-04-03T14:45:00Z"),
        ] {
            assert_eq!(moment(zone, wall), at, "{zone} {wall}");
        }
    }

    #[test]
    fn a_time_without_quirks_leads_there_and_back() {
        for (zone, wall) in [("Asia/Kathmandu", "2027-01-31T09:00:00"), ("UTC", "1999-12-31T23:59:59")] {
            let (zone, wall): (_, Wall) = (Zone::named(zone).unwrap(), wall.parse().unwrap());
            assert_eq!(zone.wall(zone.at(wall)), wall);
        }
        assert_eq!(Zone::named("UTC").unwrap().wall(Timestamp(1_999_999)).to_string(), "1970-01-01T00:00:01");
    }

    #[test]
    fn what_is_no_time_on_the_wall_is_refused() {
        for text in ["", "tomorrow", "2027-02-30T09:00:00", "2027-01-31T09:00:00Z", "2027-01-31", "2027-01-31T23:59:60"]
        {
            assert!(text.parse::<Wall>().is_err(), "{text}");
        }
        assert!(Zone::named("Mars/Olympus").is_err() && Zone::named("").is_err() && Zone::named("CET/..").is_err());
    }
}
