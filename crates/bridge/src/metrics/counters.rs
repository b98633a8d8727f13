//! What is counted while a request is worked on, and what the numbers say: for the console and for metrics.
//!
//! A count has a name of up to four words joined by `|`: the family, then what tells its members apart. All words are ours; none
//! comes from a person, so their number has a bound.

use crate::http::json::Fields;
use std::cell::RefCell;
use std::collections::BTreeMap;

use handoff_contract::model::Timestamp;

/// Upper bounds of the classes that durations are sorted into, in milliseconds. What is longer is in the last class.
pub const BOUNDS_MS: [u64; 11] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/// Deliveries of one connection that the log keeps: so many that succeeded, and so many that failed, so that neither crowds out the
/// other. The oldest go first.
pub const MAX_LOGGED: u32 = 500;
/// For how long the log keeps a delivery, in milliseconds.
pub const LOGGED_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// The log's word for a webhook that is stored and not worked off yet. It never replaces what else is known about that webhook.
pub const WAITING: &str = "waiting";
const HOUR_MS: u64 = 60 * 60 * 1000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// How many hours and days the trends cover.
pub const HOURS: u64 = 24;
/// See [`HOURS`].
pub const DAYS: u64 = 30;

/// A webhook that came, or news that went to the platform: what became of it. Holds no text of anybody and no address; whose it is
/// stands in its handoff alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Logged {
    /// The same for every try: a digest of what was sent.
    pub id: String,
    /// The handoff it belongs to; null where none is known, or it was erased.
    pub handoff: Option<String>,
    /// When it was tried first.
    pub first_at: Timestamp,
    /// When it was tried last.
    pub at: Timestamp,
    /// How often it was tried.
    pub tries: u64,
    /// `in` for webhooks that came, `out` for news that went to the platform.
    pub direction: String,
    /// Who sent it, or was to get it: `freshworks`, `freshdesk` or `platform`.
    pub party: String,
    /// The webhook's kind, or the kinds of the events; empty where that was not looked at.
    pub kind: String,
    /// `done`, `waiting`, `ignored`, `failed` (it is tried again), `given-up`, `refused` or `unreadable`.
    pub result: String,
    /// Why: a reason or a problem of this API, or what the platform answered; empty where it is plain.
    pub why: String,
    /// How long the last try took, in milliseconds; for webhooks of Freshworks, from their arrival to their effects.
    pub ms: u64,
    /// It failed or waits, and sending it again may help: what that needs is kept with its handoff.
    pub can_resend: bool,
}

impl Logged {
    /// As it was stored. What is missing is empty: nothing depends on the log. Without derived code, which is large.
    pub fn from_value(value: &serde_json::Value) -> Self {
        let text = |name: &str| value.field(name).as_str().unwrap_or_default().to_owned();
        let number = |name: &str| value.field(name).as_u64().unwrap_or(0);
        Self {
            id: text("id"),
            handoff: value.field("handoff").as_str().map(str::to_owned),
            first_at: number("first_at"),
            at: number("at"),
            tries: number("tries"),
            direction: text("direction"),
            party: text("party"),
            kind: text("kind"),
            result: text("result"),
            why: text("why"),
            ms: number("ms"),
            can_resend: false,
        }
        .completed()
    }

    /// With what follows from the rest.
    #[must_use]
    pub fn completed(self) -> Self {
        let may_help = matches!(self.result.as_str(), "failed" | "given-up" | WAITING);
        Self { can_resend: may_help && self.handoff.is_some(), ..self }
    }

    /// It failed, for now or for good.
    pub fn is_bad(&self) -> bool {
        matches!(self.result.as_str(), "failed" | "given-up" | "refused" | "unreadable")
    }
}

/// The names below which counts of hours and of days are older than the trends cover.
pub fn trends_begin(now: Timestamp) -> [String; 2] {
    [bucket("hour", (now / HOUR_MS).saturating_sub(HOURS - 1)), bucket("day", (now / DAY_MS).saturating_sub(DAYS - 1))]
}

fn bucket(family: &str, number: u64) -> String {
    format!("{family}|{number:010}|")
}

/// What was counted of one hour or day.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trend {
    /// When it began: whole hours and days in UTC.
    pub at: Timestamp,
    /// Handoffs that came about.
    pub handoffs: u64,
    /// Handoffs that a human agent took.
    pub taken: u64,
    /// How long the end users of those had waited in all, in milliseconds.
    pub waited_ms: u64,
    /// Handoffs and deliveries that failed, with every try.
    pub failures: u64,
}

/// Hours or days up to now, oldest first.
pub fn trends(counts: &[Count], family: &str, now: Timestamp) -> Vec<Trend> {
    let (length, most) = if family == "hour" { (HOUR_MS, HOURS) } else { (DAY_MS, DAYS) };
    let newest = now / length;
    let one = |number: u64| {
        let begin = bucket(family, number);
        let of = |what: &str| {
            let found = counts.iter().find(|count| count.name.strip_prefix(&begin) == Some(what));
            found.map_or(0, |count| count.value)
        };
        let [handoffs, taken, waited_ms, failures] = ["handoffs", "taken", "waited_ms", "failures"].map(of);
        Trend { at: number * length, handoffs, taken, waited_ms, failures }
    };
    (newest.saturating_sub(most - 1)..=newest).map(one).collect()
}

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

/// The counts of one request: for each connection, names and amounts; and the deliveries that it saw. They are stored after the
/// answer, so that counting delays nobody; what a host that dies has not stored yet is lost.
#[derive(Debug, Default)]
pub struct Counters {
    counts: RefCell<BTreeMap<String, BTreeMap<String, u64>>>,
    /// With their connections. Few: trees of them would be much code.
    log: RefCell<Vec<(String, Logged)>>,
}

impl Counters {
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

    /// Adds to the hour and the day of `now`.
    pub fn trend(&self, connection: &str, now: Timestamp, what: &str, amount: u64) {
        for begin in [bucket("hour", now / HOUR_MS), bucket("day", now / DAY_MS)] {
            self.add(connection, begin + what, amount);
        }
    }

    /// Notes what became of a delivery.
    pub fn log(&self, connection: &str, one: Logged) {
        if one.is_bad() {
            self.trend(connection, one.at, "failures", 1);
        }
        let mut log = self.log.borrow_mut();
        match log.iter_mut().find(|(of, known)| of == connection && known.id == one.id) {
            Some(_) if one.result == WAITING => {}
            Some((_, known)) => {
                let (first_at, tries) = (known.first_at, known.tries + one.tries);
                *known = Logged { first_at, tries, ..one };
            }
            None => log.push((connection.to_owned(), one)),
        }
    }

    /// How a delivery stands that was noted since the last [`take_log`](Counters::take_log).
    pub fn result_of(&self, connection: &str, id: &str) -> Option<String> {
        let log = self.log.borrow();
        log.iter().find(|(of, known)| of == connection && known.id == id).map(|(_, known)| known.result.clone())
    }

    fn add(&self, connection: &str, name: String, amount: u64) {
        let mut all = self.counts.borrow_mut();
        *all.entry(connection.to_owned()).or_default().entry(name).or_default() += amount;
    }

    /// Everything that was counted since the last call, by connection.
    pub fn take(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        self.counts.take()
    }

    /// Every delivery that was noted since the last call, with its connection.
    pub fn take_log(&self) -> Vec<(String, Logged)> {
        self.log.take()
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
                bound => {
                    let bounds = BOUNDS_MS.iter().map(u64::to_string).chain(["more".to_owned()]);
                    let found = bounds.zip(&mut durations.classes).find(|(known, _)| known == bound);
                    found.into_iter().for_each(|(_, class)| *class = count.value);
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

    fn counts(counters: &Counters) -> Vec<Count> {
        let all = counters.take().remove("acme").unwrap_or_default();
        all.into_iter().map(|(name, value)| Count { name, value, at: 0 }).collect()
    }

    #[test]
    fn percentiles_are_bounds_of_classes() {
        let counters = Counters::default();
        for ms in [1, 5, 6, 30, 70_000] {
            counters.took("acme", "delivery_ms", ms);
        }
        let durations = Durations::of(&counts(&counters), "delivery_ms");
        assert_eq!((durations.count(), durations.sum_ms), (5, 70_042));
        assert_eq!([50, 60, 80].map(|percent| durations.percentile(percent)), [Some(10), Some(10), Some(50)]);
        assert_eq!(durations.percentile(99), None);
        assert_eq!(Durations::default().percentile(50), None);
    }

    #[test]
    fn what_was_taken_is_not_counted_twice() {
        let counters = Counters::default();
        counters.one("acme", &["handoffs", "live"]);
        counters.one("acme", &["handoffs", "live"]);
        assert_eq!(counts(&counters), [Count { name: "handoffs|live".to_owned(), value: 2, at: 0 }]);
        assert_eq!(counts(&counters), []);
    }
}
