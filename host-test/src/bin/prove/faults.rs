//! Faults and their places: a request of the plugin, a call of the plugin, a webhook.
//!
//! A fault is named like `trap-after@3`: its kind, and which request (call, webhook) of the run it hits, counted from 0 over
//! the whole run, including retries.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use freshworks_simulator::How;

/// A fault of the host at a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AtHost {
    /// No connection: nothing was sent.
    Refused,
    /// The host refuses requests to this address.
    Denied,
    /// The connection breaks.
    Cut,
    /// No response in time.
    Silence,
    /// The response's body is cut off. Only after the effect.
    CutBody,
    /// The instance is dropped while it waits.
    Trap,
    /// The instance is interrupted by the epoch.
    OutOfTime,
    /// The instance gets a response that does not fit into its memory.
    OutOfMemory,
}

/// A fault of the account at a request, over the real connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum OnWire {
    /// Returns this status.
    Status(u16),
    /// 429 with a number of seconds.
    LimitSeconds,
    /// 429 with a date.
    LimitDate,
    /// 429 without saying how long.
    LimitBare,
    /// 429 three times.
    LimitStorm,
    /// 200 and a page that is not JSON.
    Garbage,
    /// The connection closes.
    Cut,
    /// The connection closes in the middle of the response.
    Torn,
    /// The response (before the effect: also the effect) comes after the plugin has given up.
    Slow,
}

/// A fault after a successful call of the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AtCall {
    /// The platform dies before it has stored or shown anything.
    Unstored,
    /// The platform dies after it has shown the events, before it has stored the session.
    ShownUnstored,
}

/// A fault at a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AtWebhook {
    /// It never comes; the platform's timer finds out at the end.
    Lost,
    /// It never comes; the platform's timer goes off before anything else happens.
    LostAndTicked,
    /// The platform's timer goes off before it comes, and it comes last of all.
    TickedThenLate,
    /// It comes twice.
    Doubled,
    /// It comes after the next one.
    Swapped,
    /// It comes last of all.
    Last,
    /// It comes in time, and once more at the end.
    Again,
    /// It comes with a broken signature first.
    BadSignatureFirst,
    /// It lacks the type of its message.
    Untyped,
    /// It lacks the addresses of its files.
    NoFileUrl,
}

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Host { what: AtHost, after: bool },
    Wire { what: OnWire, after: bool },
    Call(AtCall),
    Webhook(AtWebhook),
}

/// The unit of a fault's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Request,
    Call,
    Webhook,
}

impl Kind {
    pub(crate) fn place(self) -> Place {
        match self {
            Self::Host { .. } | Self::Wire { .. } => Place::Request,
            Self::Call(_) => Place::Call,
            Self::Webhook(_) => Place::Webhook,
        }
    }

    /// Whether the plugin must time out: such runs need a short time-out.
    pub(crate) fn is_slow(self) -> bool {
        matches!(self, Self::Wire { what: OnWire::Slow, .. })
    }
}

const fn host(what: AtHost, after: bool) -> Kind {
    Kind::Host { what, after }
}

const fn wire(what: OnWire, after: bool) -> Kind {
    Kind::Wire { what, after }
}

/// Every kind, with its name.
///
/// 401, 403, 404, 409, 422 and 429 do not come after the effect, because servers decide on them before acting. 400 does:
/// Freshchat was observed to return it for a message that it had stored.
pub(crate) const KINDS: [(&str, Kind); 50] = [
    ("refused", host(AtHost::Refused, false)),
    ("denied", host(AtHost::Denied, false)),
    ("cut-before", host(AtHost::Cut, false)),
    ("cut-after", host(AtHost::Cut, true)),
    ("silence-before", host(AtHost::Silence, false)),
    ("silence-after", host(AtHost::Silence, true)),
    ("cut-body", host(AtHost::CutBody, true)),
    ("trap-before", host(AtHost::Trap, false)),
    ("trap-after", host(AtHost::Trap, true)),
    ("out-of-time-before", host(AtHost::OutOfTime, false)),
    ("out-of-time-after", host(AtHost::OutOfTime, true)),
    ("out-of-memory-before", host(AtHost::OutOfMemory, false)),
    ("out-of-memory-after", host(AtHost::OutOfMemory, true)),
    ("500-before", wire(OnWire::Status(500), false)),
    ("500-after", wire(OnWire::Status(500), true)),
    ("503-before", wire(OnWire::Status(503), false)),
    ("503-after", wire(OnWire::Status(503), true)),
    ("504-before", wire(OnWire::Status(504), false)),
    ("504-after", wire(OnWire::Status(504), true)),
    ("400-before", wire(OnWire::Status(400), false)),
    ("400-after", wire(OnWire::Status(400), true)),
    ("401", wire(OnWire::Status(401), false)),
    ("403", wire(OnWire::Status(403), false)),
    ("404", wire(OnWire::Status(404), false)),
    ("409", wire(OnWire::Status(409), false)),
    ("422", wire(OnWire::Status(422), false)),
    ("302", wire(OnWire::Status(302), false)),
    ("429-seconds", wire(OnWire::LimitSeconds, false)),
    ("429-date", wire(OnWire::LimitDate, false)),
    ("429-bare", wire(OnWire::LimitBare, false)),
    ("429-storm", wire(OnWire::LimitStorm, false)),
    ("garbage-before", wire(OnWire::Garbage, false)),
    ("garbage-after", wire(OnWire::Garbage, true)),
    ("wire-cut-before", wire(OnWire::Cut, false)),
    ("wire-cut-after", wire(OnWire::Cut, true)),
    ("torn-after", wire(OnWire::Torn, true)),
    ("slow-before", wire(OnWire::Slow, false)),
    ("slow-after", wire(OnWire::Slow, true)),
    ("unstored", Kind::Call(AtCall::Unstored)),
    ("shown-unstored", Kind::Call(AtCall::ShownUnstored)),
    ("lost", Kind::Webhook(AtWebhook::Lost)),
    ("lost-ticked", Kind::Webhook(AtWebhook::LostAndTicked)),
    ("ticked-late", Kind::Webhook(AtWebhook::TickedThenLate)),
    ("doubled", Kind::Webhook(AtWebhook::Doubled)),
    ("swapped", Kind::Webhook(AtWebhook::Swapped)),
    ("last", Kind::Webhook(AtWebhook::Last)),
    ("again", Kind::Webhook(AtWebhook::Again)),
    ("bad-signature", Kind::Webhook(AtWebhook::BadSignatureFirst)),
    ("untyped", Kind::Webhook(AtWebhook::Untyped)),
    ("no-file-url", Kind::Webhook(AtWebhook::NoFileUrl)),
];

/// A fault and what it hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// Which one of its place, from 0.
    pub(crate) at: usize,
}

impl Fault {
    /// The plugin's work is unknown to everyone.
    pub(crate) fn forgets(&self) -> bool {
        match self.kind {
            Kind::Host { what, .. } => matches!(what, AtHost::Trap | AtHost::OutOfTime | AtHost::OutOfMemory),
            Kind::Call(_) => true,
            Kind::Wire { .. } | Kind::Webhook(_) => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("?", |(name, _)| name);
        write!(f, "{name}@{}", self.at)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, at) = text.split_once('@').ok_or("a fault looks like `trap-after@3`")?;
        let kind = KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        let kind = kind.ok_or_else(|| {
            format!("unknown fault `{name}`; the faults are {}", KINDS.map(|(known, _)| known).join(", "))
        })?;
        Ok(Self { kind, at: at.parse().map_err(|_| format!("`{at}` is not a number"))? })
    }
}

/// Slightly longer than the time-out of runs with a slow response.
const SLOW: Duration = Duration::from_millis(130);
/// The time-out of such runs, in milliseconds: the least that the settings allow.
pub(crate) const SHORT_TIMEOUT_MS: u64 = 100;

impl OnWire {
    /// The simulator's fault, and how many requests it hits.
    pub(crate) fn how(self) -> (How, u32) {
        let limit = |retry_after: Option<&str>| How::RateLimit { retry_after: retry_after.map(str::to_owned) };
        match self {
            Self::Status(302) => {
                let headers = vec![("location".to_owned(), "https://elsewhere.example/".to_owned())];
                (How::Status { code: 302, headers, body: String::new() }, 1)
            }
            Self::Status(code) => (How::status(code), 1),
            Self::LimitSeconds => (limit(Some("2")), 1),
            Self::LimitDate => (limit(Some(&in_two_seconds())), 1),
            Self::LimitBare => (limit(None), 1),
            Self::LimitStorm => (limit(Some("1")), 3),
            Self::Garbage => (How::Garbage, 1),
            Self::Cut => (How::Cut, 1),
            Self::Torn => (How::CutMidBody, 1),
            Self::Slow => (How::Delay(SLOW), 1),
        }
    }
}

/// As a header says it.
fn in_two_seconds() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let second = i64::try_from(since.as_secs()).unwrap_or_default() + 2;
    let time = jiff::Timestamp::from_second(second).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_as_it_is_written() {
        for (name, kind) in KINDS {
            let fault = Fault { kind, at: 7 };
            assert_eq!(fault.to_string(), format!("{name}@7"));
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        assert!("trap-after".parse::<Fault>().is_err());
        assert!("nonsense@1".parse::<Fault>().is_err());
    }
}
