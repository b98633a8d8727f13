//! What is counted while a request is worked on, and what the numbers say: for the console and for metrics.
//!
//! A count has a name of up to four words joined by `|`: the family, then what tells its members apart. All words are ours; none
//! comes from a person, so their number has a bound.

use std::cell::RefCell;
use std::collections::BTreeMap;

use handoff_contract::model::Timestamp;

/// Upper bounds of the classes that durations are sorted into, in milliseconds. What is longer is in the last class.
pub const BOUNDS_MS: [u64; 11] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/// A count, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Count {
    /// What was counted.
    pub name: String,
    /// How often, or how much of it.
    pub value: u64,
    /// When it was counted last.
    pub at: Timestamp,
}

/// The counts of one request: for each connection, names and amounts. They are stored after the answer, so that counting
/// delays nobody; what a host that dies has not stored yet is lost.
#[derive(Debug, Default)]
pub struct Tally(RefCell<BTreeMap<String, BTreeMap<String, u64>>>);

impl Tally {
    /// Counts one of it.
    pub fn one(&self, connection: &str, words: &[&str]) {
        self.add(connection, words.join("|"), 1);
    }

    /// Sorts a duration into its class.
    pub fn took(&self, connection: &str, family: &str, ms: u64) {
        let class = BOUNDS_MS.iter().find(|bound| ms <= **bound).map_or("more".to_owned(), u64::to_string);
        self.add(connection, format!("{family}|{class}"), 1);
        self.add(connection, format!("{family}|sum"), ms);
    }

    fn add(&self, connection: &str, name: String, amount: u64) {
        let mut all = self.0.borrow_mut();
        *all.entry(connection.to_owned()).or_default().entry(name).or_default() += amount;
    }

    /// Everything that was counted since the last call, by connection.
    pub fn take(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        self.0.take()
    }
}

/// Durations that were sorted into classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// How many there were in each class; the last one has no upper bound.
    pub classes: [u64; BOUNDS_MS.len() + 1],
    /// All of them together, in milliseconds.
    pub sum_ms: u64,
}

impl Durations {
    /// Those of a family.
    pub fn of(counts: &[Count], family: &str) -> Self {
        let mut durations = Self::default();
        for count in counts {
            let Some((_, class)) = count.name.split_once('|').filter(|(of, _)| *of == family) else { continue };
            match class {
                "sum" => durations.sum_ms = count.value,
                "more" => durations.classes[BOUNDS_MS.len()] = count.value,
                bound => {
                    let place = BOUNDS_MS.iter().position(|known| known.to_string() == bound);
                    place.into_iter().for_each(|place| durations.classes[place] = count.value);
                }
            }
        }
        durations
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// The bound that so many of a hundred stay below. None where there are no durations, or where it is in the class without
    /// a bound.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let wanted = (self.count() * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (class, bound) in self.classes.iter().zip(BOUNDS_MS) {
            seen += class;
            if seen >= wanted {
                return Some(bound);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(tally: &Tally) -> Vec<Count> {
        let all = tally.take().remove("acme").unwrap_or_default();
        all.into_iter().map(|(name, value)| Count { name, value, at: 0 }).collect()
    }

    #[test]
    fn percentiles_are_bounds_of_classes() {
        let tally = Tally::default();
        for ms in [1, 5, 6, 30, 70_000] {
            tally.took("acme", "delivery_ms", ms);
        }
        let durations = Durations::of(&counts(&tally), "delivery_ms");
        assert_eq!((durations.count(), durations.sum_ms), (5, 70_042));
        assert_eq!([50, 60, 80].map(|percent| durations.percentile(percent)), [Some(10), Some(10), Some(50)]);
        assert_eq!(durations.percentile(99), None);
        assert_eq!(Durations::default().percentile(50), None);
    }

    #[test]
    fn what_was_taken_is_not_counted_twice() {
        let tally = Tally::default();
        tally.one("acme", &["handoffs", "live"]);
        tally.one("acme", &["handoffs", "live"]);
        assert_eq!(counts(&tally), [Count { name: "handoffs|live".to_owned(), value: 2, at: 0 }]);
        assert_eq!(counts(&tally), []);
    }
}
