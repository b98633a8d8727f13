//! Ids and times: made up by rule, so that a run can be repeated.
//!
//! Ids come from a seeded counter. Times come from the real clock, but never twice the same millisecond: the order of
//! messages can then be told from their times, as Freshchat's own clients do.

use std::time::{SystemTime, UNIX_EPOCH};

/// How the ids of users and conversations look. Integrators have met all of them in live accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdForm {
    /// `7e673110-64fc-461f-bcec-cc8e9a47a568`
    #[default]
    Uuid,
    /// Conversations without dashes (`ac2175df14d36caf64e9a578fad89070`), users with a name
    /// (`Denise_aliasc26ddeed...`). Whoever takes an id for a UUID fails here.
    Mixed,
}

/// A seeded source of ids.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    state: u64,
    serial: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, serial: 0 }
    }

    /// SplitMix64: eight lines, and good enough for ids that only have to look random.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An id in the form of a random (version 4) UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0x0fff,
            (low >> 48) & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }

    /// 32 hexadecimal digits.
    pub(crate) fn hex32(&mut self) -> String {
        format!("{:016x}{:016x}", self.draw(), self.draw())
    }

    /// 16 hexadecimal digits.
    pub(crate) fn hex16(&mut self) -> String {
        format!("{:016x}", self.draw())
    }

    /// Ten letters and digits, the form of a file hash.
    pub(crate) fn file_hash(&mut self) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let bits = self.draw();
        (0..10).map(|i| char::from(LETTERS[(bits >> (5 * i)) as usize & 31])).collect()
    }

    /// A conversation's internal number.
    pub(crate) fn internal(&mut self) -> u64 {
        self.serial += 1;
        1_019_183_591_791_880 + 137 * self.serial
    }

    /// A topic's internal number.
    pub(crate) fn channel_number(&mut self) -> u64 {
        self.serial += 1;
        854_600 + self.serial
    }

    /// A number of the organisation's directory: beyond 2^53, as in live accounts, so that whoever reads it as a
    /// floating point number gets it wrong.
    pub(crate) fn organisation(&mut self) -> String {
        self.serial += 1;
        (1_940_890_452_607_479_808 + 4_097 * self.serial).to_string()
    }
}

/// The account's clock, in milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    last: i64,
}

impl Clock {
    /// The time, at least one millisecond after the one given out before.
    pub(crate) fn tick(&mut self) -> i64 {
        self.last = now_ms().max(self.last + 1);
        self.last
    }
}

/// Milliseconds since 1970 by the real clock.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map(|since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        .unwrap_or_default()
}

/// `2025-07-10T19:47:55.442Z`, the one form in which Freshchat writes times.
pub(crate) fn iso_time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|time| format!("{time:.3}")).unwrap_or_default()
}

/// Reads what `iso_time` writes, and other ISO 8601 times with an offset.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (mut a, mut b, mut c) = (Ids::new(1), Ids::new(1), Ids::new(2));
        let first = a.uuid();
        assert_eq!(first, b.uuid());
        assert_ne!(first, c.uuid());
        assert_ne!(first, a.uuid());
    }

    #[test]
    fn alias_ids_look_like_random_uuids() {
        let mut ids = Ids::new(7);
        for _ in 0..1000 {
            let id = ids.uuid();
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "4");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }

    #[test]
    fn times_never_repeat() {
        let mut clock = Clock::default();
        let times: Vec<i64> = (0..100).map(|_| clock.tick()).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn times_are_written_with_milliseconds_and_read_back() {
        assert_eq!(iso_time(1_752_176_875_442), "2025-07-10T19:47:55.442Z");
        assert_eq!(iso_time(1_752_176_875_000), "2025-07-10T19:47:55.000Z");
        assert_eq!(parse_time("2025-07-10T19:47:55.442Z"), Some(1_752_176_875_442));
        assert_eq!(parse_time("yesterday"), None);
    }
}
