//! The times of rules: where clocks change, in leap years, at the ends of months; and rules that ask for too much.

use super::{FAR, Stated, Times};
use crate::clock::Timestamp;
use crate::zones::{Wall, Zone};
use proptest::prelude::*;

fn stated<'a>(rule: &'a str, zone: &'a str, starts_at: &str) -> Stated<'a> {
    Stated { rule, zone, starts_at: starts_at.parse().unwrap(), rdates: &[], exdates: &[] }
}

/// The first moments of a rule, as RFC 3339 shows them.
fn first(stated: &Stated<'_>, count: usize) -> Vec<String> {
    let times = Times::read(stated).unwrap_or_else(|error| panic!("{stated:?}: {error}"));
    let begins = Timestamp(times.zone().at(stated.starts_at).0 - 1);
    let times = times.between(begins, FAR, count);
    times.iter().map(|time| serde_json::to_value(time.at).unwrap().as_str().unwrap().to_owned()).collect()
}

fn days(moments: &[String]) -> Vec<&str> {
    moments.iter().map(|moment| &moment[..10]).collect()
}

#[test]
fn nine_o_clock_stays_nine_o_clock_when_the_clocks_change() {
    for (zone, starts_at, moments) in [
        (
            "Europe/Berlin",
            "2027-03-27T09:00:00",
            ["2027-03-27T08:00:00Z", "2027-03-28T07:00:00Z", "2027-03-29T07:00:00Z"],
        ),
        (
            "Europe/Berlin",
            "2026-10-24T09:00:00",
            ["2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z", "2026-10-26T08:00:00Z"],
        ),
        (
            "America/New_York",
            "2027-03-13T09:00:00",
            ["2027-03-13T14:00:00Z", "2027-03-14T13:00:00Z", "2027-03-15T13:00:00Z"],
        ),
        (
            "America/New_York",
            "2026-10-31T09:00:00",
            ["2026-10-31T13:00:00Z", "2026-11-01T14:00:00Z", "2026-11-02T14:00:00Z"],
        ),
        // Its clocks change by half an hour.
        (
            "Australia/Lord_Howe",
            "2026-10-03T09:00:00",
            ["2026-10-02T22:30:00Z", "2026-10-03T22:00:00Z", "2026-10-04T22:00:00Z"],
        ),
        (
            "Australia/Lord_Howe",
            "2027-04-03T09:00:00",
            ["2027-04-02T22:00:00Z", "2027-04-03T22:30:00Z", "2027-04-04T22:30:00Z"],
        ),
    ] {
        assert_eq!(first(&stated("FREQ=DAILY", zone, starts_at), 3), moments, "{zone} {starts_at}");
    }
}

#[test]
fn times_that_are_skipped_or_come_twice_are_each_one_time() {
    for (zone, starts_at, moments) in [
        // 02:30 does not exist on the second day.
        (
            "Europe/Berlin",
            "2027-03-27T02:30:00",
            ["2027-03-27T01:30:00Z", "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"],
        ),
        (
            "America/New_York",
            "2027-03-13T02:30:00",
            ["2027-03-13T07:30:00Z", "2027-03-14T07:30:00Z", "2027-03-15T06:30:00Z"],
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-03T02:15:00",
            ["2026-10-02T15:45:00Z", "2026-10-03T15:45:00Z", "2026-10-04T15:15:00Z"],
        ),
        // It comes twice on the second day.
        (
            "Europe/Berlin",
            "2026-10-24T02:30:00",
            ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        ),
        (
            "America/New_York",
            "2026-10-31T01:30:00",
            ["2026-10-31T05:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"],
        ),
        (
            "Australia/Lord_Howe",
            "2027-04-03T01:45:00",
            ["2027-04-02T14:45:00Z", "2027-04-03T14:45:00Z", "2027-04-04T15:15:00Z"],
        ),
    ] {
        assert_eq!(first(&stated("FREQ=DAILY", zone, starts_at), 3), moments, "{zone} {starts_at}");
    }
    // Of 02:30 and 03:30, which are one moment on that day, one remains; and 03:15 comes before it.
    let both = stated("FREQ=DAILY;BYHOUR=2,3;BYMINUTE=15,30", "Europe/Berlin", "2027-03-28T00:00:00");
    assert_eq!(first(&both, 3), ["2027-03-28T01:15:00Z", "2027-03-28T01:30:00Z", "2027-03-29T00:15:00Z"]);
}

#[test]
fn the_end_of_february_and_the_thirty_first_come_when_they_exist() {
    let leap = stated("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "Europe/Berlin", "2027-01-01T12:00:00");
    assert_eq!(days(&first(&leap, 3)), ["2028-02-29", "2032-02-29", "2036-02-29"]);
    // The same by the day on which it begins.
    let leap = stated("FREQ=YEARLY", "Europe/Berlin", "2028-02-29T12:00:00");
    assert_eq!(days(&first(&leap, 3)), ["2028-02-29", "2032-02-29", "2036-02-29"]);
    let ends = stated("FREQ=MONTHLY", "America/New_York", "2027-01-31T12:00:00");
    assert_eq!(days(&first(&ends, 4)), ["2027-01-31", "2027-03-31", "2027-05-31", "2027-07-31"]);
    let last = stated("FREQ=MONTHLY;BYMONTHDAY=-1", "America/New_York", "2027-01-31T12:00:00");
    assert_eq!(days(&first(&last, 3)), ["2027-01-31", "2027-02-28", "2027-03-31"]);
}

#[test]
fn rules_end_and_have_exceptions() {
    let mut rule = stated("RRULE:freq=weekly;byday=mo,th;count=4", "Europe/Berlin", "2027-03-25T09:00:00");
    assert_eq!(days(&first(&rule, 9)), ["2027-03-25", "2027-03-29", "2027-04-01", "2027-04-05"]);
    // An exception counts; what is named besides does not.
    let (without, also): (_, [Wall; 1]) =
        (["2027-03-29".to_owned(), "2027-04-05T09:00:00".to_owned()], ["2027-04-02T10:00:00".parse().unwrap()]);
    rule = Stated { rdates: &also, exdates: &without, ..rule };
    assert_eq!(first(&rule, 9), ["2027-03-25T08:00:00Z", "2027-04-01T07:00:00Z", "2027-04-02T08:00:00Z"]);
    for (until, count) in [("20270327T080000Z", 3), ("20270327T075959Z", 2), ("20270327T090000", 3), ("20270327", 3)] {
        let rule = format!("FREQ=DAILY;UNTIL={until}");
        assert_eq!(first(&stated(&rule, "Europe/Berlin", "2027-03-25T09:00:00"), 9).len(), count, "{until}");
    }
    let positions = stated("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "UTC", "2027-01-01T09:00:00");
    assert_eq!(days(&first(&positions, 3)), ["2027-01-29", "2027-02-26", "2027-03-31"]);
}

#[test]
fn rules_that_ask_for_too_much_are_refused() {
    let every_minute: Vec<String> = (0..60).map(|minute| minute.to_string()).collect();
    let every_minute = format!("FREQ=DAILY;BYMINUTE={}", every_minute.join(","));
    for rule in [
        "",
        "daily",
        "FREQ=SECONDLY",
        "FREQ=MINUTELY",
        "FREQ=HOURLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=1000000000",
        "FREQ=DAILY;COUNT=99999999999999999999",
        "FREQ=DAILY;BYSECOND=0,1",
        &every_minute,
        "FREQ=DAILY;COUNT=3;UNTIL=20280101",
        "FREQ=DAILY;UNTIL=20280101;UNTIL=20290101",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=DAILY;BYMONTHDAY=32",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;SURPRISE=1",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY\nRRULE:FREQ=DAILY",
        "RDATE:20270101T090000",
    ] {
        assert!(Times::read(&stated(rule, "UTC", "2027-01-01T09:00:00")).is_err(), "{rule}");
    }
    assert!(Times::read(&stated("FREQ=DAILY", "Mars/Olympus", "2027-01-01T09:00:00")).is_err());
}

#[test]
fn a_rule_that_never_matches_names_no_time() {
    for rule in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=YEARLY;INTERVAL=65535;BYMONTH=2;BYMONTHDAY=30",
    ] {
        assert_eq!(first(&stated(rule, "UTC", "2027-01-01T09:00:00"), 1), [""; 0], "{rule}");
    }
}

/// A part of a rule, or none: a list of numbers.
fn part(name: &'static str, from: i32, to: i32) -> impl Strategy<Value = String> {
    proptest::option::weighted(0.3, proptest::collection::vec(from..=to, 1..4)).prop_map(move |numbers| match numbers {
        Some(numbers) => {
            let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            format!(";{name}={}", numbers.join(","))
        }
        None => String::new(),
    })
}

fn days_of_weeks() -> impl Strategy<Value = String> {
    let day = proptest::sample::select(vec!["MO", "TU", "SU", "1MO", "-1FR", "5TH", "53SA"]);
    proptest::option::weighted(0.4, proptest::collection::vec(day, 1..4))
        .prop_map(|days| days.map_or_else(String::new, |days| format!(";BYDAY={}", days.join(","))))
}

fn rules() -> impl Strategy<Value = String> {
    let frequency = proptest::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let dates =
        (part("BYMONTH", 1, 12), part("BYMONTHDAY", -31, 31), part("BYYEARDAY", -366, 366), part("BYWEEKNO", -53, 53));
    let times = (part("BYHOUR", 0, 23), part("BYMINUTE", 0, 59), part("BYSETPOS", -5, 5));
    (frequency, 1..400_u16, days_of_weeks(), dates, times).prop_map(|(frequency, interval, days, dates, times)| {
        let ((months, month_days, year_days, weeks), (hours, minutes, positions)) = (dates, times);
        format!("FREQ={frequency};INTERVAL={interval}{days}{months}{month_days}{year_days}{weeks}{hours}{minutes}{positions}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever a rule says, its times are in order, each once, at what it says on the wall; and parts of them are parts.
    #[test]
    fn times_are_in_order_and_the_same_however_they_are_asked_for(
        rule in rules(), zone in proptest::sample::select(vec!["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "UTC"])
    ) {
        let stated = stated(&rule, zone, "2027-01-31T02:30:00");
        let Ok(times) = Times::read(&stated) else { return Ok(()) };
        let (zone, begins) = (Zone::named(zone).unwrap(), Timestamp(0));
        let all = times.between(begins, FAR, 12);
        prop_assert!(all.windows(2).all(|two| two[0].at < two[1].at), "{rule}: {all:?}");
        prop_assert!(all.iter().all(|time| zone.at(time.wall) == time.at), "{rule}: {all:?}");
        let mut one_by_one = Vec::new();
        while let Some(time) = times.next(one_by_one.last().map_or(begins, |time: &super::Time| time.at)) {
            one_by_one.push(time);
            if one_by_one.len() == all.len() {
                break;
            }
        }
        prop_assert_eq!(&one_by_one, &all, "{}", rule);
        if let [first, .., last] = all.as_slice() {
            prop_assert_eq!(times.between(first.at, last.at, 100), &all[1..], "{}", rule);
        }
    }
}
