//! Times between the vendor's text and milliseconds. Reads no clock.

use std::fmt;

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use handoff_contract::model::Timestamp;

/// Milliseconds of a time such as `2025-07-10T19:47:55.442Z`, the only form that Freshchat writes; the fraction may be
/// missing. None for anything else: a bad time never makes a webhook fail.
pub fn from_iso(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut date = date.splitn(3, '-').map(digits);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let seconds = u64::try_from(instant(year, u8::try_from(month).ok()?, day, time)?.unix_timestamp()).ok()?;
    // Whatever its length, a fraction counts in thousandths.
    let padded = format!("{fraction:0<3}");
    let milliseconds = digits(padded.get(..3)?)?;
    let rest_is_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    rest_is_digits.then(|| seconds * 1000 + u64::from(milliseconds))
}

/// A time of day, for example `19:47`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minute([u8; 5]);

impl Minute {
    /// As text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// 1 January 1970 as a Julian day.
const EPOCH: i32 = 2_440_588;
/// The last second of the year 9999, since 1970.
const LAST_SECOND: u64 = 253_402_300_799;

/// The day in UTC as a number that [`date`] understands, and the time of day. None beyond the year 9999.
pub fn day_and_minute(at: Timestamp) -> Option<(i32, Minute)> {
    let minutes = Some(at / 1000).filter(|second| *second <= LAST_SECOND)? / 60;
    let day = i32::try_from(minutes / (24 * 60)).ok()? + EPOCH;
    let (hour, minute) = (minutes / 60 % 24, minutes % 60);
    let digit = |value: u64| b'0' + u8::try_from(value % 10).unwrap_or_default();
    Some((day, Minute([digit(hour / 10), digit(hour), b':', digit(minute / 10), digit(minute)])))
}

/// A day of [`day_and_minute`] as text, for example `2025-07-10`.
pub fn date(day: i32) -> String {
    let Ok(date) = Date::from_julian_day(day) else { return String::new() };
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// The time as Freshchat writes it, to the second, for example `2025-07-10T19:47:55.000Z`. Empty beyond the year 9999.
pub fn to_iso(at: Timestamp) -> String {
    let text = |(day, minute): (i32, Minute)| format!("{}T{minute}:{:02}.000Z", date(day), at / 1000 % 60);
    day_and_minute(at).map(text).unwrap_or_default()
}

/// How long a `Retry-After` header asks to wait: seconds, or an HTTP date, which is compared with the `Date` header of
/// the same answer because no clock is read here. At most one day.
pub fn retry_after_ms(retry_after: &str, date: Option<&str>) -> Option<u64> {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    // Other headers of the vendor hold numbers such as "100.0"; a part of a second is rounded up.
    let (seconds, part) = retry_after.trim().split_once('.').unwrap_or((retry_after.trim(), ""));
    if let Ok(seconds) = seconds.parse::<u64>() {
        let part_counts = part.bytes().any(|digit| digit != b'0');
        return Some(seconds.saturating_add(u64::from(part_counts)).saturating_mul(1000).min(DAY_MS));
    }
    let wait = from_http_date(retry_after)?.saturating_sub(from_http_date(date?)?);
    Some(u64::try_from(wait).unwrap_or(0).saturating_mul(1000).min(DAY_MS))
}

/// Seconds of a date such as `Sun, 22 Nov 2026 10:00:30 GMT`, the one form that HTTP lets senders use.
fn from_http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.trim().strip_suffix(" GMT")?.split_once(", ")?.1.splitn(4, ' ');
    let day = digits(words.next()?)?;
    let month = words.next()?;
    let month = MONTHS.into_iter().zip(1..).find(|(name, _)| *name == month)?.1;
    let year = digits(words.next()?)?;
    Some(instant(year, month, day, words.next()?)?.unix_timestamp())
}

fn instant(year: u32, month: u8, day: u32, time: &str) -> Option<OffsetDateTime> {
    let small = |number: u32| u8::try_from(number).ok();
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, Month::try_from(month).ok()?, small(day)?).ok()?;
    let mut parts = time.splitn(3, ':').map(|part| digits(part).and_then(small));
    let time = Time::from_hms(parts.next()??, parts.next()??, parts.next()??).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

/// A number of digits alone: `parse` would take a sign as well.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_times_become_milliseconds() {
        assert_eq!(from_iso("1970-01-01T00:00:01.500Z"), Some(1_500));
        assert_eq!(from_iso("2025-07-10T19:47:55.442Z"), Some(1_752_176_875_442));
        assert_eq!(from_iso("2025-07-10T19:47:32.d25Z"), None);
        assert_eq!(from_iso("2025-07-10T19:47:55Z"), Some(1_752_176_875_000));
        assert_eq!(from_iso("2025-07-10T19:47:55.4Z"), Some(1_752_176_875_400));
        assert_eq!(from_iso("2025-07-10T19:47:55.442999Z"), Some(1_752_176_875_442));
        for bad in [
            "",
            "Z",
            "TZ",
            "2025-13-10T19:47:55Z",
            "2025-02-29T00:00:00Z",
            "2025-07-10T24:00:00Z",
            "2025-07-10",
            "+025-07-10T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2025-07-10T19:47:55.é42Z",
        ] {
            assert_eq!(from_iso(bad), None, "{bad}");
        }
    }

    #[test]
    fn minutes_are_shown_in_utc() {
        let shown = day_and_minute(1_752_176_875_442).map(|(day, minute)| (date(day), minute.to_string())).unwrap();
        assert_eq!(shown, ("2025-07-10".to_owned(), "19:47".to_owned()));
        assert_eq!(date(day_and_minute(0).unwrap().0), "1970-01-01");
        assert_eq!(day_and_minute(u64::MAX), None);
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        assert_eq!(retry_after_ms("7", None), Some(7_000));
        assert_eq!(retry_after_ms("1.5", None), Some(2_000));
        assert_eq!(retry_after_ms("7.0", None), Some(7_000));
        assert_eq!(retry_after_ms("99999999", None), Some(86_400_000));
        let (later, now) = ("Sun, 22 Nov 2026 10:00:30 GMT", "Sun, 22 Nov 2026 10:00:00 GMT");
        assert_eq!(retry_after_ms(later, Some(now)), Some(30_000));
        assert_eq!(retry_after_ms(now, Some(later)), Some(0));
        assert_eq!(retry_after_ms(later, None), None);
        assert_eq!(retry_after_ms("soon", Some(now)), None);
    }
}
