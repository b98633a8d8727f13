//! What the counts of a connection say: to the console, and as metrics in the OpenMetrics format.

use std::fmt::Write as _;

use handoff_contract::model::Timestamp;
use serde::Serialize;

use crate::connections::status::{self, ConnectionState};
use crate::http::problem::Problem;
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::metrics::counters::{BOUNDS_MS, Count, Durations, Logged};
use crate::service::{MAX_LISTED, Service};
use crate::state::{Connection, Handoff, NEVER, Record, StateError};

/// Webhooks that came: from whom, what became of them, and why.
pub(crate) const DELIVERIES: &str = "deliveries";
/// How long webhooks of Freshworks took, from their arrival to the answer.
pub(crate) const DELIVERY_MS: &str = "delivery_ms";
/// How long handoffs took that came about.
pub(crate) const HANDOFF_MS: &str = "handoff_ms";

/// The kind of the timer's records.
const TIMER: &str = "timer";
/// The record that says when it called last.
const LAST_TICK: &str = "last-tick";
/// How often the timer is to call.
const TICK_EVERY_MS: u64 = 60_000;

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why a webhook was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no public key to verify it with, or it is none.
    NoKey,
    /// It has no signature.
    NoSignature,
    /// Its signature is not by the key of the settings.
    WrongSignature,
    /// It is genuine, and older than anything that is still repeated.
    Stale,
}

impl Refusal {
    const ALL: [Self; 4] = [Self::NoKey, Self::NoSignature, Self::WrongSignature, Self::Stale];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NoKey => "no-key",
            Self::NoSignature => "no-signature",
            Self::WrongSignature => "wrong-signature",
            Self::Stale => "stale",
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::NoKey => "a webhook arrived, but the settings have no public key to verify it",
            Self::NoSignature => "a webhook arrived without a signature",
            Self::WrongSignature => "a webhook arrived whose signature does not match the public key in the settings",
            Self::Stale => "a genuine webhook arrived that is older than anything Freshworks still retries",
        }
    }

    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::NoKey => {
                "Copy the public key from Admin Settings > Marketplace and Integrations > API > Conversation Webhooks, paste it into the settings, and Connect."
            }
            Self::NoSignature => {
                "Check whether Freshworks sent it. If it did, something on the way drops the header X-Freshchat-Signature."
            }
            Self::Stale => {
                "It may have been recorded and replayed. If all webhooks are refused, check the clock of this app's host."
            }
            Self::WrongSignature => {
                "Freshworks makes the key when the webhook is saved: save it there first, copy the key that is shown then, paste it into the \
                 settings, and Connect. If the key is the right one, something on the way changes the body. Enter an address under Failure \
                 Notifications on the same page: Freshworks then tells you when it cannot deliver."
            }
        }
    }
}

/// Whether webhooks of Freshworks arrive and can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum WebhookState {
    /// None has come since the settings hold this public key.
    Waiting,
    /// The last one was signed with the key of the settings.
    Verified,
    /// The last one was not believed.
    Refused,
}

/// How the webhook of Freshworks stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookCheck {
    /// The verdict.
    pub state: WebhookState,
    /// When the last one came; null when none has.
    pub at: Option<Timestamp>,
    /// Why it was refused: `no-key`, `no-signature`, `wrong-signature` or `stale`.
    pub why: Option<&'static str>,
    /// What is wrong.
    pub detail: Option<&'static str>,
    /// What to do.
    pub remedy: Option<&'static str>,
}

/// Something that failed, as often as it did for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trouble {
    /// `freshworks` or `platform` for webhooks, `handoff` for handoffs.
    pub of: String,
    /// `refused`, `failed`, `unreadable`, or `foreign` for what is about another application or AI agent.
    pub result: String,
    /// A reason of [`WebhookCheck`], a word of the problems of this API, `another-application` or `another-ai-agent`; empty where it
    /// is plain.
    pub why: String,
    /// How often.
    pub count: u64,
    /// When it happened last.
    pub last_at: Timestamp,
}

/// A number of its own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Named {
    /// What was counted.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// How long something took: bounds that so many of a hundred stayed below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Percentiles {
    /// How many there were.
    pub count: u64,
    /// In milliseconds; null where there are none, or beyond ten seconds.
    pub p50_ms: Option<u64>,
    /// In milliseconds; null where there are none, or beyond ten seconds.
    pub p95_ms: Option<u64>,
    /// In milliseconds; null where there are none, or beyond ten seconds.
    pub p99_ms: Option<u64>,
}

/// What to do before anything has come.
pub(crate) const WAITING_REMEDY: &str = "Write into a conversation of the topic as a human agent. If nothing comes, see on the webhook page of Freshworks whether the URL \
     is the one that is shown here, and enter an address under Failure Notifications: Freshworks then tells you when it cannot deliver.";

/// What a connection has done since it was made. The numbers are close, not exact: what a host that died had counted is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivityResponse {
    /// Whether webhooks of Freshworks arrive and can be believed.
    pub webhook: WebhookCheck,
    /// What failed, newest first.
    pub troubles: Vec<Trouble>,
    /// Webhooks that were acknowledged, by who sent them.
    pub accepted: Vec<Named>,
    /// Handoffs that came about: `live` and `ticket`.
    pub handoffs: Vec<Named>,
    /// How they ended, by the contract's words for outcomes.
    pub outcomes: Vec<Named>,
    /// Messages: `to-human` and `to-user`.
    pub messages: Vec<Named>,
    /// Requests to Freshworks and to the platform, by class of their answers; `none` where no answer came.
    pub requests: Vec<Named>,
    /// How long handoffs took.
    pub handoff_ms: Percentiles,
    /// How long webhooks of Freshworks took, from their arrival to the answer.
    pub delivery_ms: Percentiles,
    /// Webhooks of Freshworks that are acknowledged and wait to be worked off: more than a few mean that the platform or Freshworks
    /// does not answer.
    pub inbox: u64,
}

impl ActivityResponse {
    fn of(connection: &Connection, counts: &[Count], inbox: u64) -> Self {
        Self {
            webhook: webhook_check(connection, counts),
            troubles: troubles(counts),
            accepted: named(counts, |words| match words {
                [DELIVERIES, who, "accepted"] => Some(who),
                _ => None,
            }),
            handoffs: members(counts, "handoffs"),
            outcomes: members(counts, "outcomes"),
            messages: members(counts, "messages"),
            requests: members(counts, "requests"),
            handoff_ms: percentiles(counts, HANDOFF_MS),
            delivery_ms: percentiles(counts, DELIVERY_MS),
            inbox,
        }
    }
}

fn words(count: &Count) -> Vec<&str> {
    count.name.split('|').collect()
}

fn named<'a>(counts: &'a [Count], name: impl Fn(&[&'a str]) -> Option<&'a str>) -> Vec<Named> {
    let named = |count: &'a Count| Some(Named { name: name(&words(count))?.to_owned(), count: count.value });
    counts.iter().filter_map(named).collect()
}

fn members(counts: &[Count], family: &str) -> Vec<Named> {
    named(counts, |words| match words {
        [of, name] if *of == family => Some(name),
        _ => None,
    })
}

fn percentiles(counts: &[Count], family: &str) -> Percentiles {
    let durations = Durations::of(counts, family);
    let [p50_ms, p95_ms, p99_ms] = [50, 95, 99].map(|percent| durations.percentile(percent));
    Percentiles { count: durations.count(), p50_ms, p95_ms, p99_ms }
}

fn troubles(counts: &[Count]) -> Vec<Trouble> {
    let trouble = |count: &Count| {
        let (of, result, why) = match words(count)[..] {
            [DELIVERIES, _, "accepted"] => return None,
            [DELIVERIES, who, result] => (who, result, ""),
            [DELIVERIES, who, result, why] => (who, result, why),
            ["handoffs", "failed", why] => ("handoff", "failed", why),
            _ => return None,
        };
        let [of, result, why] = [of, result, why].map(str::to_owned);
        Some(Trouble { of, result, why, count: count.value, last_at: count.at })
    };
    let mut troubles: Vec<Trouble> = counts.iter().filter_map(trouble).collect();
    troubles.sort_by_key(|trouble| std::cmp::Reverse(trouble.last_at));
    troubles
}

pub(crate) fn webhook_check(connection: &Connection, counts: &[Count]) -> WebhookCheck {
    let counted = |words: &[&str]| counts.iter().find(|count| count.name == words.join("|")).map(|count| count.at);
    // What came before the key says nothing about the key.
    let with_this_key = |at: &Timestamp| *at >= connection.key_since;
    let accepted = counted(&[DELIVERIES, "freshworks", "accepted"]).filter(with_this_key);
    let refused = |why: &Refusal| Some((counted(&[DELIVERIES, "freshworks", "refused", why.word()])?, *why));
    let refused = Refusal::ALL.iter().filter_map(refused).max_by_key(|(at, _)| *at);
    match refused.filter(|(at, _)| with_this_key(at) && accepted.is_none_or(|accepted| *at > accepted)) {
        Some((at, why)) => WebhookCheck {
            state: WebhookState::Refused,
            at: Some(at),
            why: Some(why.word()),
            detail: Some(why.detail()),
            remedy: Some(why.remedy()),
        },
        None => {
            let state = if accepted.is_some() { WebhookState::Verified } else { WebhookState::Waiting };
            let remedy = if accepted.is_some() { None } else { Some(WAITING_REMEDY) };
            WebhookCheck { state, at: accepted, why: None, detail: None, remedy }
        }
    }
}

impl Service<'_> {
    /// Stores what was counted. That it cannot be is no reason to fail.
    pub fn keep_tally(&self) {
        let (mut counts, log) = (self.counters.take(), self.counters.take_log());
        for (connection, _) in &log {
            counts.entry(connection.clone()).or_default();
        }
        for (connection, amounts) in counts {
            let amounts: Vec<(String, u64)> = amounts.into_iter().collect();
            let own = log.iter().filter(|(of, _)| *of == connection);
            let log: Vec<Logged> = own.map(|(_, one)| one.clone()).collect();
            if let Err(error) = self.state.count(&connection, &amounts, &log, (self.clock)()) {
                self.warn(&connection, "", &format!("counts were lost: {}", error.0));
            }
            if log.iter().any(Logged::is_bad) {
                self.later.has_failed(&connection);
            }
        }
    }

    pub(crate) fn activity(&self, connection: &Connection) -> Result<OutgoingResponse, Problem> {
        self.later.is_overdue(0);
        let (counts, inbox) = (self.state.counts(&connection.id)?, self.state.waiting(&connection.id)?);
        Ok(OutgoingResponse::ok(ActivityResponse::of(connection, &counts, inbox)))
    }

    /// Remembers that the timer has called: metrics say when it is late.
    pub(crate) fn note_tick(&self, at: Timestamp) -> Result<(), StateError> {
        let record = Record { name: LAST_TICK.to_owned(), value: at.to_string(), expires_at: NEVER };
        self.state.put_record(TIMER, &record, at, false).map(drop)
    }

    /// When the timer called last; none before its first call.
    pub(crate) fn last_tick(&self, now: Timestamp) -> Result<Option<Timestamp>, StateError> {
        Ok(self.state.record(TIMER, LAST_TICK, now)?.and_then(|record| record.value.parse().ok()))
    }

    /// Everything that is counted, for all connections.
    pub(crate) fn metrics(&self, call: &IncomingRequest<'_>) -> Result<OutgoingResponse, Problem> {
        self.later.is_overdue(0);
        let mut accounts = Vec::new();
        for connection in self.readable()? {
            let open = self.state.open_handoffs(&connection.id, MAX_LISTED)?;
            let failing_since = open.iter().filter_map(failing_since).min();
            let counts = self.state.counts(&connection.id)?;
            let inbox = self.state.waiting(&connection.id)?;
            let inbox_since = if inbox > 0 { self.state.oldest_waiting(&connection.id)? } else { None };
            let state = status::of(&connection, &counts, call.now).state;
            let (id, connected, open) = (connection.id, connection.connected, open.len());
            accounts.push(Account { id, connected, state, open, inbox, inbox_since, failing_since, counts });
        }
        let now = (self.clock)();
        let last_tick = self.last_tick(now)?;
        // A browser would save the other one as a file.
        let is_browser = call.header("accept").is_some_and(|accepted| accepted.contains("text/html"));
        let kind = if is_browser { "text/plain; charset=utf-8" } else { MEDIA_TYPE };
        Ok(OutgoingResponse::bytes(kind, open_metrics(&accounts, last_tick, now).into_bytes()))
    }
}

struct Account {
    id: String,
    connected: bool,
    state: ConnectionState,
    open: usize,
    inbox: u64,
    /// When the oldest webhook came that waits.
    inbox_since: Option<Timestamp>,
    /// Since when nothing succeeds for one of its open handoffs, for the one with which it began first.
    failing_since: Option<Timestamp>,
    counts: Vec<Count>,
}

/// Since when the platform or Freshworks could not be told something, or a handoff that was asked for does not come about.
fn failing_since(handoff: &Handoff) -> Option<Timestamp> {
    let failing = handoff.failing.as_ref().map(|failing| failing.since);
    failing.into_iter().chain(handoff.platform.failing_since).min()
}

/// A family of counters: its name, what it tells, the first word of its counts, and what the other words are.
const COUNTERS: [(&str, &str, &str, &[&str]); 5] = [
    ("handoff_deliveries", "Webhooks that came.", DELIVERIES, &["from", "result", "reason"]),
    ("handoff_handoffs", "Handoffs that were asked for.", "handoffs", &["result", "reason"]),
    ("handoff_outcomes", "Handoffs that ended.", "outcomes", &["outcome"]),
    ("handoff_messages", "Messages that went over.", "messages", &["direction"]),
    ("handoff_requests", "Requests to Freshworks and to the platform.", "requests", &["class"]),
];

const HISTOGRAMS: [(&str, &str, &str); 2] = [
    ("handoff_duration_seconds", "How long handoffs took that came about.", HANDOFF_MS),
    ("handoff_delivery_duration_seconds", "How long webhooks of Freshworks took.", DELIVERY_MS),
];

/// Ids and words need no escape: they hold letters, digits, hyphens and underscores. `last_tick`: when the timer called last.
fn open_metrics(accounts: &[Account], last_tick: Option<Timestamp>, now: Timestamp) -> String {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = write_bridge(&mut text, last_tick, now)
        .and_then(|()| write_gauges(&mut text, accounts, now))
        .and_then(|()| write_counters(&mut text, accounts))
        .and_then(|()| write_histograms(&mut text, accounts));
    text + "# EOF\n"
}

/// What is said of the bridge as a whole. The version is the build's; the timer has no lateness before its first call.
fn write_bridge(text: &mut String, last_tick: Option<Timestamp>, now: Timestamp) -> std::fmt::Result {
    text.push_str("# TYPE handoff_build info\n# HELP handoff_build Which build this is.\n");
    text.push_str(concat!("handoff_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1\n"));
    let Some(last) = last_tick else { return Ok(()) };
    let late = now.saturating_sub(last.saturating_add(TICK_EVERY_MS));
    let values = [
        ("last_call_timestamp", "When POST /v1/tick was called last.", last),
        ("lateness", "How long POST /v1/tick has been overdue; it is to be called once a minute.", late),
    ];
    for (name, help, ms) in values {
        let name = ["handoff_timer_", name, "_seconds"].concat();
        writeln!(text, "# TYPE {name} gauge\n# UNIT {name} seconds\n# HELP {name} {help}\n{name} {}", seconds(ms))?;
    }
    Ok(())
}

/// A gauge: its name, what it tells, and its value for an account.
type Gauge = (&'static str, &'static str, fn(&Account, Timestamp) -> String);

const GAUGES: [Gauge; 5] = [
    ("handoff_connected", "1 when handoffs are taken.", |it, _| u8::from(it.connected).to_string()),
    ("handoff_open", "Open handoffs; at most 200 are counted.", |it, _| it.open.to_string()),
    ("handoff_inbox", "Webhooks of Freshworks that wait to be worked off.", |it, _| it.inbox.to_string()),
    ("handoff_inbox_oldest_seconds", "How long the oldest webhook has waited that is not worked off.", |it, now| {
        age(it.inbox_since, now)
    }),
    ("handoff_failing_oldest_seconds", "For how long nothing has succeeded for an open handoff.", |it, now| {
        age(it.failing_since, now)
    }),
];

fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    seconds(since.map_or(0, |since| now.saturating_sub(since)))
}

fn write_gauges(text: &mut String, accounts: &[Account], now: Timestamp) -> std::fmt::Result {
    writeln!(
        text,
        "# TYPE handoff_connection_state gauge\n# HELP handoff_connection_state 1 for the state that the connection is in."
    )?;
    for Account { id, state, .. } in accounts {
        for (one, word) in ConnectionState::ALL {
            let is_it = u8::from(one == *state);
            writeln!(text, "handoff_connection_state{{connection=\"{id}\",state=\"{word}\"}} {is_it}")?;
        }
    }
    for (name, help, value) in GAUGES {
        writeln!(text, "# TYPE {name} gauge")?;
        if name.ends_with("_seconds") {
            writeln!(text, "# UNIT {name} seconds")?;
        }
        writeln!(text, "# HELP {name} {help}")?;
        for account in accounts {
            writeln!(text, "{name}{{connection=\"{}\"}} {}", account.id, value(account, now))?;
        }
    }
    Ok(())
}

fn write_counters(text: &mut String, accounts: &[Account]) -> std::fmt::Result {
    for (name, help, family, labels) in COUNTERS {
        writeln!(text, "# TYPE {name} counter\n# HELP {name} {help}")?;
        for account in accounts {
            for count in &account.counts {
                let words = words(count);
                let [of, rest @ ..] = &words[..] else { continue };
                if *of != family {
                    continue;
                }
                write!(text, "{name}_total{{connection=\"{}\"", account.id)?;
                for (label, word) in labels.iter().zip(rest) {
                    write!(text, ",{label}=\"{word}\"")?;
                }
                writeln!(text, "}} {}", count.value)?;
            }
        }
    }
    Ok(())
}

fn write_histograms(text: &mut String, accounts: &[Account]) -> std::fmt::Result {
    for (name, help, family) in HISTOGRAMS {
        writeln!(text, "# TYPE {name} histogram\n# UNIT {name} seconds\n# HELP {name} {help}")?;
        for Account { id, counts, .. } in accounts {
            let durations = Durations::of(counts, family);
            let mut below = 0;
            for (class, bound) in durations.classes.iter().zip(BOUNDS_MS) {
                below += class;
                writeln!(text, "{name}_bucket{{connection=\"{id}\",le=\"{}\"}} {below}", seconds(bound))?;
            }
            let all = durations.count();
            writeln!(text, "{name}_bucket{{connection=\"{id}\",le=\"+Inf\"}} {all}")?;
            writeln!(text, "{name}_sum{{connection=\"{id}\"}} {}", seconds(durations.sum_ms))?;
            writeln!(text, "{name}_count{{connection=\"{id}\"}} {all}")?;
        }
    }
    Ok(())
}

/// The format wants bounds as floating-point numbers: `1.0`.
fn seconds(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1000, ms % 1000);
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{PlatformSettings, Polling};

    fn connection(key_since: Timestamp) -> Connection {
        Connection {
            id: "acme".to_owned(),
            settings: "{}".to_owned(),
            account: None,
            connected: true,
            checked_at: 0,
            key_since,
            platform: PlatformSettings::Polling(Polling {}),
            webhook_secret: String::new(),
            old_webhook_secret: None,
            forward_url: None,
            findings: Vec::new(),
            keep_days: None,
            verdict_since: 0,
            outage: None,
            earlier: None,
        }
    }

    fn count(name: &str, value: u64, at: Timestamp) -> Count {
        Count { name: name.to_owned(), value, at }
    }

    #[test]
    fn a_refusal_counts_until_there_is_another_key_or_a_webhook_is_believed() {
        let refused = count("deliveries|freshworks|refused|wrong-signature", 3, 50);
        let check = webhook_check(&connection(40), std::slice::from_ref(&refused));
        assert_eq!((check.state, check.why), (WebhookState::Refused, Some("wrong-signature")));
        assert!(check.remedy.unwrap().contains("save") && check.remedy.unwrap().contains("Failure Notifications"));
        let after = webhook_check(&connection(60), std::slice::from_ref(&refused));
        assert_eq!((after.state, after.at), (WebhookState::Waiting, None));
        assert!(after.remedy.unwrap().contains("Failure Notifications"));
        let accepted = count("deliveries|freshworks|accepted", 1, 70);
        let counts = [accepted, refused];
        let believed = webhook_check(&connection(40), &counts);
        assert_eq!((believed.state, believed.at), (WebhookState::Verified, Some(70)));
        assert_eq!(webhook_check(&connection(80), &counts).state, WebhookState::Waiting);
    }

    #[test]
    fn what_failed_comes_newest_first_and_with_its_reason() {
        let counts = [
            count("deliveries|freshworks|accepted", 9, 9),
            count("deliveries|freshworks|failed|busy", 2, 5),
            count("deliveries|freshworks|unreadable", 1, 7),
            count("handoffs|failed|unavailable", 4, 6),
        ];
        let troubles = troubles(&counts);
        let told: Vec<(&str, &str, &str)> =
            troubles.iter().map(|it| (it.of.as_str(), it.result.as_str(), it.why.as_str())).collect();
        let wanted =
            [("freshworks", "unreadable", ""), ("handoff", "failed", "unavailable"), ("freshworks", "failed", "busy")];
        assert_eq!(told, wanted);
    }

    fn account(counts: Vec<Count>) -> Account {
        let id = "acme".to_owned();
        let state = ConnectionState::AnswersMissing;
        Account {
            id,
            connected: true,
            state,
            open: 2,
            inbox: 3,
            inbox_since: Some(150_000),
            failing_since: None,
            counts,
        }
    }

    /// Names of metrics that stand in a text: `handoff_` and what follows.
    fn named(text: &str) -> std::collections::BTreeSet<&str> {
        let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        let words = text.split(|letter: char| !is_part(letter));
        words.filter(|word| word.starts_with("handoff_")).collect()
    }

    #[test]
    fn alert_rules_and_dashboard_ask_for_metrics_that_exist() {
        let counts: Vec<Count> = COUNTERS
            .iter()
            .map(|(_, _, family, labels)| count(&[&[*family][..], &vec!["x"; labels.len()]].concat().join("|"), 1, 1))
            .chain(HISTOGRAMS.iter().map(|(_, _, family)| count(&format!("{family}|250"), 1, 1)))
            .collect();
        let text = open_metrics(&[account(counts)], Some(1), 2);
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let exist: std::collections::BTreeSet<&str> =
            samples.filter_map(|line| line.split(['{', ' ']).next()).collect();
        assert!(exist.len() > 15, "{exist:?}");
        let deploy = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy");
        let read = |name: &str| std::fs::read_to_string(format!("{deploy}/{name}")).unwrap();
        let dashboard = read("grafana-dashboard.json");
        for (file, text) in [("the rules", read("prometheus-rules.yml")), ("the dashboard", dashboard.clone())] {
            // Names of groups and uids are no metrics.
            let asked = text.lines().filter(|line| line.contains("expr"));
            let asked: std::collections::BTreeSet<&str> = asked.flat_map(named).collect();
            assert!(asked.len() >= 6, "{file}: {asked:?}");
            let unknown: Vec<&&str> = asked.difference(&exist).collect();
            assert!(unknown.is_empty(), "{file}: {unknown:?}");
        }
        let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
        assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() >= 6));
    }

    #[test]
    fn a_timer_that_never_called_has_no_lateness() {
        let text = open_metrics(&[], None, 1_000);
        assert!(!text.contains("handoff_timer"), "{text}");
    }

    #[test]
    fn metrics_are_in_the_open_metrics_format() {
        let counts = vec![
            count("deliveries|freshworks|accepted", 9, 9),
            count("handoff_ms|250", 2, 5),
            count("handoff_ms|sum", 450, 5),
        ];
        let text = open_metrics(&[account(counts)], Some(100_000), 163_500);
        for line in [
            "handoff_connected{connection=\"acme\"} 1",
            "handoff_connection_state{connection=\"acme\",state=\"connected\"} 0",
            "handoff_connection_state{connection=\"acme\",state=\"answers-missing\"} 1",
            "handoff_connection_state{connection=\"acme\",state=\"not-connected\"} 0",
            "# TYPE handoff_deliveries counter",
            "handoff_deliveries_total{connection=\"acme\",from=\"freshworks\",result=\"accepted\"} 9",
            "handoff_open{connection=\"acme\"} 2",
            "handoff_inbox{connection=\"acme\"} 3",
            "handoff_inbox_oldest_seconds{connection=\"acme\"} 13.5",
            "handoff_failing_oldest_seconds{connection=\"acme\"} 0.0",
            "# TYPE handoff_build info",
            concat!("handoff_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "handoff_timer_last_call_timestamp_seconds 100.0",
            "handoff_timer_lateness_seconds 3.5",
            "# UNIT handoff_duration_seconds seconds",
            "handoff_duration_seconds_bucket{connection=\"acme\",le=\"0.1\"} 0",
            "handoff_duration_seconds_bucket{connection=\"acme\",le=\"1.0\"} 2",
            "handoff_duration_seconds_bucket{connection=\"acme\",le=\"+Inf\"} 2",
            "handoff_duration_seconds_sum{connection=\"acme\"} 0.45",
            "handoff_duration_seconds_count{connection=\"acme\"} 2",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
