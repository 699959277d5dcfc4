//! Points in time, in milliseconds since 1970-01-01T00:00Z: as vendors write them, and the run's own.

use std::time::SystemTime;

/// When the run began. This clock stands still: a re-run sees the same time, however much later it comes.
///
/// In a test it is what [`testing::play_at`](crate::testing::play_at) says, else the time of the test.
///
/// ```
/// use orla_sdk::{testing, time};
///
/// let played = testing::play_at(86_400_000, |_line| unreachable!("nothing is asked"), time::now_ms);
/// assert_eq!(played.result, 86_400_000);
/// ```
#[must_use]
pub fn now_ms() -> u64 {
    crate::host::now_ms()
}

/// The clock of the machine or, in a component, what the host gives for it.
#[expect(clippy::disallowed_methods, reason = "a component's only clock is the one that the host holds still")]
pub(crate) fn system_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// Reads a timestamp of RFC 3339, such as `2026-08-22T10:00:00.000Z`.
///
/// ```
/// assert_eq!(orla_sdk::time::rfc3339_ms("1970-01-02T01:00:00.5+01:00"), Some(86_400_500));
/// assert_eq!(orla_sdk::time::rfc3339_ms("yesterday"), None);
/// ```
#[must_use]
pub fn rfc3339_ms(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-')?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let (fraction, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-'])?);
    let offset_s = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        ("+", east) => clock_s(&format!("{east}:00"))?,
        ("-", west) => -clock_s(&format!("{west}:00"))?,
        _ => return None,
    };
    let at_s = days_since_1970(year, month, day)? * 86_400 + clock_s(clock)? - offset_s;
    u64::try_from(at_s * 1_000 + fraction_ms(fraction)?).ok()
}

/// Reads a date of HTTP (RFC 9110 section 5.6.7), such as `Sat, 22 Aug 2026 10:00:00 GMT`. Of its three forms only this
/// one may still be sent.
///
/// ```
/// assert_eq!(orla_sdk::time::http_date_ms("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
/// ```
#[must_use]
pub fn http_date_ms(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_weekday, date) = text.trim().split_once(", ")?;
    let mut words = date.split(' ');
    let day = number(words.next()?)?;
    let month_name = words.next()?;
    let month = i64::try_from(MONTHS.iter().position(|month| *month == month_name)?).ok()? + 1;
    let year = number(words.next()?)?;
    let at_s = days_since_1970(year, month, day)? * 86_400 + clock_s(words.next()?)?;
    if words.next()? != "GMT" || words.next().is_some() {
        return None;
    }
    u64::try_from(at_s * 1_000).ok()
}

/// The seconds of `hh:mm:ss`; a leap second counts as the next second.
fn clock_s(text: &str) -> Option<i64> {
    let [hours, minutes, seconds] = numbers(text, ':')?;
    (hours < 24 && minutes < 60 && seconds <= 60).then_some(hours * 3_600 + minutes * 60 + seconds)
}

/// The milliseconds of a fraction such as `.25`, or of none.
fn fraction_ms(text: &str) -> Option<i64> {
    let Some(digits) = text.strip_prefix('.') else {
        return text.is_empty().then_some(0);
    };
    number(digits)?;
    number(&format!("{digits:0<3}")[..3])
}

/// The days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March, so that the leap
/// day is a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    const MARCH_OF_YEAR_0_TO_1970: i64 = 719_468;
    Some(year * 365 + leap_days + day_of_year - MARCH_OF_YEAR_0_TO_1970)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let three = [number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?];
    parts.next().is_none().then_some(three)
}

/// A run of digits; unlike `parse`, no sign.
fn number(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{http_date_ms, rfc3339_ms};

    #[test]
    fn timestamps_of_rfc_3339() {
        assert_eq!(rfc3339_ms("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(rfc3339_ms("2000-02-29T12:00:00.000Z"), Some(951_825_600_000));
        assert_eq!(rfc3339_ms("2026-08-22T10:00:00.123456Z"), Some(1_787_392_800_123));
        assert_eq!(rfc3339_ms("2026-08-22T12:00:00+02:00"), rfc3339_ms("2026-08-22T10:00:00Z"));
        assert_eq!(rfc3339_ms("2026-08-21T23:30:00-10:30"), rfc3339_ms("2026-08-22T10:00:00Z"));
    }

    #[test]
    fn what_is_no_timestamp() {
        for text in [
            "",
            "2026-08-22",
            "2026-08-22T10:00:00",
            "2026-13-22T10:00:00Z",
            "2026-08-22T25:00:00Z",
            "é",
            "2026-08-22Té0:00:00Z",
        ] {
            assert_eq!(rfc3339_ms(text), None, "{text}");
        }
    }

    #[test]
    fn dates_of_http() {
        assert_eq!(http_date_ms("Sat, 22 Aug 2026 10:00:00 GMT"), rfc3339_ms("2026-08-22T10:00:00Z"));
        for text in
            ["120", "Sat, 22 Aug 2026 10:00:00 CET", "Sat, 22 aug 2026 10:00:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"]
        {
            assert_eq!(http_date_ms(text), None, "{text}");
        }
    }
}
