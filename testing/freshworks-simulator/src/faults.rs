//! Misbehaviour on request: which call or delivery goes wrong, how, and how often.

use std::sync::Mutex;
use std::time::Duration;

use crate::lock;
use crate::webhooks::Action;

/// As a number of hits: no end to them.
pub(crate) const UNTIL_CLEARED: u32 = u32::MAX;

/// One fault of the API. It waits for its call, is used up, and is recorded in the journal.
///
/// One that [`crate::Simulator::fail`] has set and that never hits fails the test when the simulator is dropped: such a test shows
/// nothing. [`crate::Simulator::clear_faults`] takes it back.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which calls.
    pub on: Match,
    /// What happens to them.
    pub how: How,
    /// Whether the call takes effect.
    pub when: When,
    /// How many calls it hits.
    pub times: u32,
    /// Whether it may also hit none.
    pub may_miss: bool,
}

impl Fault {
    /// Hits one call, before it takes effect.
    pub fn new(on: Match, how: How) -> Self {
        Self { on, how, when: When::BeforeEffect, times: 1, may_miss: false }
    }

    /// The call takes effect first: the write happened, the response is the fault.
    #[must_use]
    pub fn after_effect(self) -> Self {
        Self { when: When::AfterEffect, ..self }
    }

    /// For explorations: the call may never come, because its caller is stopped first.
    #[must_use]
    pub fn may_miss(self) -> Self {
        Self { may_miss: true, ..self }
    }

    /// Hits that many calls.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }
}

/// Which calls a fault hits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    method: Option<String>,
    path: Option<String>,
    pick: Pick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pick {
    From(u32),
    Every(u32),
}

impl Default for Pick {
    fn default() -> Self {
        Self::From(1)
    }
}

impl Match {
    /// Any call of the API.
    pub fn any() -> Self {
        Self::default()
    }

    /// Calls with this path, such as `/v2/conversations/*/messages`: `*` matches one segment.
    pub fn path(pattern: &str) -> Self {
        Self { path: Some(pattern.to_owned()), ..Self::default() }
    }

    /// Only calls with this method.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Skips the calls before the `n`-th; the first call is 1. Counts from when the fault was set.
    #[must_use]
    pub fn nth(self, n: u32) -> Self {
        Self { pick: Pick::From(n.max(1)), ..self }
    }

    /// Hits each `n`-th call.
    #[must_use]
    pub fn every(self, n: u32) -> Self {
        Self { pick: Pick::Every(n.max(1)), ..self }
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|pattern| path_fits(pattern, path))
    }

    fn picks(&self, seen: u32) -> bool {
        match self.pick {
            Pick::From(n) => seen >= n,
            Pick::Every(n) => seen.is_multiple_of(n),
        }
    }
}

fn path_fits(pattern: &str, path: &str) -> bool {
    pattern.split('/').count() == path.split('/').count()
        && pattern.split('/').zip(path.split('/')).all(|(wanted, found)| wanted == "*" || wanted == found)
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// This response instead of the real one.
    Status {
        /// The HTTP status.
        code: u16,
        /// Additional headers.
        headers: Vec<(String, String)>,
        /// The body, whatever it is.
        body: String,
    },
    /// The call (or, after the effect, its response) is delayed. The effect happens even if the caller has gone
    /// away.
    Delay(Duration),
    /// The connection closes without a response.
    Cut,
    /// The connection closes in the middle of the response's body.
    CutMidBody,
    /// Status 200 and a body that is not JSON, as from a captive portal.
    Garbage,
    /// Status 429.
    RateLimit {
        /// `Retry-After`: seconds, or an HTTP date; none to leave it out.
        retry_after: Option<String>,
    },
}

impl How {
    /// An error response in the form of the API.
    pub fn status(code: u16) -> Self {
        let body = format!("{{\"code\":{code},\"status\":\"SIMULATED_FAULT\",\"message\":\"simulated fault\"}}");
        Self::Status { code, headers: Vec::new(), body }
    }

    /// An error response in the form of the ticket service: 403 and 5xx have a body, the others have none.
    pub fn ticket_status(code: u16) -> Self {
        let body = match code {
            403 => "{\"code\":\"access_denied\",\"message\":\"You are not authorized to perform this action.\"}",
            500.. => "{\"code\":\"internal_error\",\"message\":\"We're sorry, but something went wrong.\"}",
            _ => "",
        };
        Self::Status { code, headers: Vec::new(), body: body.to_owned() }
    }

    /// Status 429 with `Retry-After` in seconds.
    pub fn rate_limit(seconds: u32) -> Self {
        Self::RateLimit { retry_after: Some(seconds.to_string()) }
    }
}

/// Whether a faulty call takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It does not.
    BeforeEffect,
    /// It does.
    AfterEffect,
}

/// A fault of the webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookFault {
    /// The delivery comes twice.
    Duplicate,
    /// The delivery never comes.
    Drop,
    /// The delivery waits and comes after the next one.
    Reorder,
    /// The delivery waits that long, and delays those after it.
    Delay(Duration),
    /// One bit of the signature is wrong.
    CorruptSignature,
    /// The signature is right, but by another key.
    WrongKey,
    /// The signature header is missing.
    StripSignature,
    /// The message has no `message_type` (seen in the field; a private note then looks like a message).
    LoseMessageType,
    /// Images, videos and files have no `url` (seen in the field; the API has it).
    LoseAttachmentUrl,
    /// A private note is marked by `botsPrivateNote: "true"`, as a string, and has the type `normal` (a belief).
    PrivateAsText,
    /// The body ends in the middle; the signature is right.
    TornBody,
}

#[derive(Debug)]
struct Waiting<F> {
    fault: F,
    seen: u32,
    left: u32,
    hits: u32,
    origin: Origin,
}

/// Who set a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The script of a test: it has to hit.
    Script,
    /// A person who plays with the simulator, or a search for faults that matter: it may miss.
    Explorer,
}

impl<F> Waiting<F> {
    fn new(fault: F, times: u32, origin: Origin) -> Self {
        Self { fault, seen: 0, left: times, hits: 0, origin }
    }

    fn use_up(&mut self) {
        self.hits += 1;
        if self.left != UNTIL_CLEARED {
            self.left -= 1;
        }
    }
}

/// A fault of one action's deliveries, or of any.
type DeliveryFault = (Option<Action>, WebhookFault);

/// The faults that wait for their calls.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    calls: Mutex<Vec<Waiting<Fault>>>,
    deliveries: Mutex<Vec<Waiting<DeliveryFault>>>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault, origin: Origin) {
        let times = fault.times;
        lock(&self.calls).push(Waiting::new(fault, times, origin));
    }

    pub(crate) fn add_webhook(&self, action: Option<Action>, fault: WebhookFault, times: u32, origin: Origin) {
        lock(&self.deliveries).push(Waiting::new((action, fault), times, origin));
    }

    /// The faults of scripts that have not hit once.
    pub(crate) fn missed(&self) -> Vec<String> {
        let (calls, deliveries) = (lock(&self.calls), lock(&self.deliveries));
        missed(&calls).chain(missed(&deliveries)).collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.calls).clear();
        lock(&self.deliveries).clear();
    }

    /// How many hits are left to come.
    pub(crate) fn left(&self) -> u32 {
        let (calls, webhooks) = (self.calls_waiting(), self.webhooks_waiting());
        let hits = calls.into_iter().map(|(_, left)| left).chain(webhooks.into_iter().map(|(_, left)| left));
        hits.fold(0, u32::saturating_add)
    }

    /// The faults of calls, and how many hits each has left.
    pub(crate) fn calls_waiting(&self) -> Vec<(Fault, u32)> {
        lock(&self.calls).iter().map(|waiting| (waiting.fault.clone(), waiting.left)).collect()
    }

    /// The faults of webhooks, and how many hits each has left.
    pub(crate) fn webhooks_waiting(&self) -> Vec<(WebhookFault, u32)> {
        lock(&self.deliveries).iter().map(|waiting| (waiting.fault.1.clone(), waiting.left)).collect()
    }

    /// The fault for this call. Every fault counts the calls that fit it; the first one due is used.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut calls = lock(&self.calls);
        let mut due = None;
        for waiting in calls.iter_mut().filter(|waiting| waiting.fault.on.fits(method, path)) {
            waiting.seen += 1;
            if due.is_none() && waiting.left > 0 && waiting.fault.on.picks(waiting.seen) {
                waiting.use_up();
                due = Some(waiting.fault.clone());
            }
        }
        calls.retain(|waiting| waiting.left > 0);
        due
    }

    pub(crate) fn take_webhook(&self, action: Action) -> Option<WebhookFault> {
        let mut deliveries = lock(&self.deliveries);
        let waiting = deliveries.iter_mut().find(|waiting| waiting.fault.0.is_none_or(|wanted| wanted == action))?;
        waiting.use_up();
        let fault = waiting.fault.1.clone();
        deliveries.retain(|waiting| waiting.left > 0);
        Some(fault)
    }
}

fn missed<F: std::fmt::Debug>(waiting: &[Waiting<F>]) -> impl Iterator<Item = String> {
    let is_missed = |it: &&Waiting<F>| it.origin == Origin::Script && it.hits == 0 && it.left > 0;
    waiting.iter().filter(is_missed).map(|it| format!("{:?}", it.fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_one_segment() {
        assert!(path_fits("/v2/conversations/*/messages", "/v2/conversations/a-b/messages"));
        assert!(!path_fits("/v2/conversations/*/messages", "/v2/conversations/a/b/messages"));
        assert!(!path_fits("/v2/conversations/*", "/v2/conversations"));
    }

    #[test]
    fn a_fault_hits_the_call_it_was_set_for_and_is_used_up() {
        let faults = Faults::default();
        faults.add(Fault::new(Match::path("/v2/users").method("POST").nth(2), How::Cut), Origin::Script);
        assert_eq!(faults.missed().len(), 1);
        assert!(faults.take("POST", "/v2/users").is_none());
        assert!(faults.take("GET", "/v2/users").is_none());
        assert!(faults.take("POST", "/v2/users").is_some());
        assert!(faults.take("POST", "/v2/users").is_none());
        assert_eq!(faults.left(), 0);
        assert_eq!(faults.missed(), Vec::<String>::new());
    }

    #[test]
    fn every_other_call_can_be_hit() {
        let faults = Faults::default();
        faults.add(Fault::new(Match::any().every(2), How::Garbage).times(2), Origin::Script);
        let hits: Vec<bool> = (0..6).map(|_| faults.take("GET", "/v2/agents").is_some()).collect();
        assert_eq!(hits, [false, true, false, true, false, false]);
    }

    #[test]
    fn webhook_faults_wait_for_their_action() {
        let faults = Faults::default();
        faults.add_webhook(Some(Action::ConversationReopen), WebhookFault::Drop, 1, Origin::Script);
        assert_eq!(faults.take_webhook(Action::MessageCreate), None);
        assert_eq!(faults.take_webhook(Action::ConversationReopen), Some(WebhookFault::Drop));
        assert_eq!(faults.take_webhook(Action::ConversationReopen), None);
    }
}
