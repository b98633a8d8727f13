//! Times as the human agents' clocks show them.
//!
//! The rules of today's time zones are a table of 6 KB, made from the IANA database (2025b, public domain): for each zone of
//! `zone.tab`, what its compiled file says about the years to come. Messages that are handed over are young, so older rules are
//! left out.

use std::fmt;

use time::{Date, Month};

use handoff_contract::model::Timestamp;

/// A line: minutes east of UTC; where there is summer time, its minutes and when it begins and ends (month, week, weekday from
/// Sunday, minute of the day by the clock until then); then names, areas apart.
const ZONES: &str = include_str!("time_zones.txt");
const MINUTE_MS: i64 = 60_000;

/// A time zone by its IANA name.
#[derive(Clone, PartialEq, Eq)]
pub struct TimeZone {
    name: String,
    rule: Vec<i32>,
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl TimeZone {
    /// What is used where none is set.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rule: vec![0] }
    }

    /// The zone of a name such as `Europe/Madrid`, in any case. None for names that the table does not have; among them are old
    /// names such as `US/Pacific`.
    pub fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("UTC") {
            return Some(Self::utc());
        }
        let (area, place) = name.split_once('/')?;
        ZONES.lines().find_map(|line| {
            let mut words = line.split(' ');
            let rule = words.next()?;
            let names = words.filter_map(|names| names.split_once('/'));
            let mut places = names.filter(|(known, _)| known.eq_ignore_ascii_case(area));
            let (area, places) = places.next()?;
            let place = places.split(',').find(|known| known.eq_ignore_ascii_case(place))?;
            let rule = rule.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
            Some(Self { name: format!("{area}/{place}"), rule })
        })
    }

    /// Its name, as it is shown.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The time as if it were one in UTC, so that it can be shown as such.
    pub fn local(&self, at: Timestamp) -> Timestamp {
        let Ok(utc) = i64::try_from(at) else { return at };
        let local = utc.saturating_add(i64::from(self.offset(utc / MINUTE_MS)) * MINUTE_MS);
        u64::try_from(local).unwrap_or(at)
    }

    /// Minutes east of UTC, at a minute since 1970 in UTC.
    fn offset(&self, at: i64) -> i32 {
        let &[standard, summer, m1, w1, d1, t1, m2, w2, d2, t2] = &self.rule[..] else {
            return self.rule.first().copied().unwrap_or_default();
        };
        let days = at.saturating_add(i64::from(standard)).div_euclid(24 * 60);
        let day = i32::try_from(days.saturating_add(EPOCH)).ok().and_then(|day| Date::from_julian_day(day).ok());
        let Some(year) = day.map(Date::year) else { return standard };
        let begins = change(year, [m1, w1, d1, t1], standard);
        let ends = change(year, [m2, w2, d2, t2], summer);
        let (Some(begins), Some(ends)) = (begins, ends) else { return standard };
        let is_summer = if begins < ends { (begins..ends).contains(&at) } else { !(ends..begins).contains(&at) };
        if is_summer { summer } else { standard }
    }
}

/// 1 January 1970 as a Julian day.
const EPOCH: i64 = 2_440_588;

/// The minute since 1970, in UTC, at which clocks change that are `offset` minutes ahead until then.
fn change(year: i32, [month, week, weekday, minute]: [i32; 4], offset: i32) -> Option<i64> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let first = Date::from_calendar_date(year, month, 1).ok()?;
    let weekday_of_first = i32::from(first.weekday().number_days_from_sunday());
    let mut day = first.to_julian_day() + (weekday - weekday_of_first).rem_euclid(7) + 7 * (week - 1);
    // The fifth is the last, which may be the fourth.
    while Date::from_julian_day(day).ok()?.month() != month {
        day -= 7;
    }
    Some((i64::from(day) - EPOCH) * 24 * 60 + i64::from(minute) - i64::from(offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::time;

    fn shown(zone: &str, iso: &str) -> String {
        let at = time::from_iso(iso).unwrap();
        let (day, minute) = time::day_and_minute(TimeZone::named(zone).unwrap().local(at)).unwrap();
        format!("{} {minute}", time::date(day))
    }

    /// Compared with what Python's `zoneinfo` says.
    #[test]
    fn clocks_of_the_world_show_the_right_time() {
        for (zone, utc, local) in [
            ("UTC", "2026-11-27T13:00:00Z", "2026-11-27 13:00"),
            ("Europe/Madrid", "2026-11-27T23:30:00Z", "2026-11-28 00:30"),
            ("europe/madrid", "2026-03-29T00:59:00Z", "2026-03-29 01:59"),
            ("Europe/Madrid", "2026-03-29T01:00:00Z", "2026-03-29 03:00"),
            ("Europe/Madrid", "2026-10-25T00:59:00Z", "2026-10-25 02:59"),
            ("Europe/Madrid", "2026-10-25T01:00:00Z", "2026-10-25 02:00"),
            ("Europe/Dublin", "2026-07-01T12:00:00Z", "2026-07-01 13:00"),
            ("Europe/Dublin", "2026-12-01T12:00:00Z", "2026-12-01 12:00"),
            ("America/New_York", "2026-03-08T07:00:00Z", "2026-03-08 03:00"),
            ("America/New_York", "2026-11-01T06:00:00Z", "2026-11-01 01:00"),
            ("America/Argentina/Buenos_Aires", "2026-06-01T02:00:00Z", "2026-05-31 23:00"),
            ("America/Sao_Paulo", "2026-01-01T02:00:00Z", "2025-12-31 23:00"),
            ("America/Santiago", "2026-01-15T12:00:00Z", "2026-01-15 09:00"),
            ("America/Santiago", "2026-07-15T12:00:00Z", "2026-07-15 08:00"),
            ("Asia/Jerusalem", "2026-07-01T12:00:00Z", "2026-07-01 15:00"),
            ("Asia/Kolkata", "2026-07-01T12:00:00Z", "2026-07-01 17:30"),
            ("Asia/Riyadh", "2026-07-01T22:00:00Z", "2026-07-02 01:00"),
            ("Australia/Sydney", "2026-01-15T12:00:00Z", "2026-01-15 23:00"),
            ("Australia/Lord_Howe", "2026-07-15T12:00:00Z", "2026-07-15 22:30"),
        ] {
            assert_eq!(shown(zone, utc), local, "{zone} at {utc}");
        }
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let mut names = 0;
        for line in ZONES.lines() {
            for area in line.split(' ').skip(1) {
                let (area, places) = area.split_once('/').unwrap();
                for place in places.split(',') {
                    let zone = TimeZone::named(&format!("{area}/{place}")).unwrap();
                    assert!([1, 10].contains(&zone.rule.len()), "{zone:?}");
                    let january = zone.offset(29_000_000);
                    assert!((-11 * 60..=14 * 60).contains(&january), "{zone:?}");
                    names += 1;
                }
            }
        }
        assert_eq!(names, 418);
    }

    #[test]
    fn names_that_no_zone_has_are_none() {
        for name in [
            "",
            "CET",
            "Europe/",
            "/Madrid",
            "Madrid",
            "Europe/Madrid,Monaco",
            "Europe/Atlantis",
            "+01:00",
            "US/Pacific",
        ] {
            assert_eq!(TimeZone::named(name), None, "{name}");
        }
        assert_eq!(TimeZone::utc().local(u64::MAX), u64::MAX);
    }
}
