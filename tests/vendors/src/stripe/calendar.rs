//! Months and years as calendars have them: a subscription that began on the 31st renews on the last day of shorter months,
//! and on the 31st again afterwards.

use time::{Date, Month, UtcDateTime};

/// How long a period of a recurring price is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interval {
    Month,
    Year,
}

impl Interval {
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "month" => Some(Self::Month),
            "year" => Some(Self::Year),
            _ => None,
        }
    }

    fn months(self) -> i32 {
        match self {
            Self::Month => 1,
            Self::Year => 12,
        }
    }

    /// The first end of a period after `start`, where periods are counted from `anchor`.
    pub(super) fn end(self, anchor: i64, start: i64) -> i64 {
        let ends = (1..).map(|periods| after_months(anchor, periods * self.months()));
        ends.take(100_000).find(|end| *end > start).unwrap_or(i64::MAX)
    }
}

fn after_months(moment: i64, months: i32) -> i64 {
    let Ok(utc) = UtcDateTime::from_unix_timestamp(moment) else { return i64::MAX };
    let count = utc.year() * 12 + i32::from(u8::from(utc.month())) - 1 + months;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    let month = u8::try_from(month).ok().and_then(|month| Month::try_from(month).ok()).unwrap_or(Month::January);
    let day = utc.day().min(month.length(year));
    match Date::from_calendar_date(year, month, day) {
        Ok(date) => UtcDateTime::new(date, utc.time()).unix_timestamp(),
        Err(_) => i64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::utc_datetime;

    use super::Interval;

    #[test]
    fn the_last_day_of_a_month_is_kept_to() {
        let anchor = utc_datetime!(2028-01-31 12:00).unix_timestamp();
        let february = utc_datetime!(2028-02-29 12:00).unix_timestamp();
        assert_eq!(Interval::Month.end(anchor, anchor), february);
        assert_eq!(Interval::Month.end(anchor, february), utc_datetime!(2028-03-31 12:00).unix_timestamp());
        assert_eq!(Interval::Year.end(february, february), utc_datetime!(2029-02-28 12:00).unix_timestamp());
    }
}
