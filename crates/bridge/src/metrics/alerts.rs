//! The operator is told, at an address of theirs, when deliveries of a connection fail for a while, or the timer is late: once, and
//! once more when it is over. Whichever request comes upon it tells, after its answer; where nothing is wrong, nothing is asked or stored.

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::http::{Method, Request};
use handoff_contract::model::Timestamp;
use serde_json::{Value, json};

use crate::metrics::activity::DELIVERIES;
use crate::metrics::counters::{LOGGED_MS, Logged};
use crate::metrics::deliveries::causes;
use crate::platform::generic::rfc3339;
use crate::platform::web_url;
use crate::service::Service;
use crate::state::{NEVER, Record, StateError};

/// The kind of records that say which incidents are under way.
pub(crate) const ALERT: &str = "alert";
/// How the value of an incident's record ends once the operator knows.
const TOLD: &str = "told";
/// Whoever tells has so long; where it did not get through, the next request tries again after that.
const TELLING_MS: u64 = 60_000;
/// While deliveries of a connection fail, their log is read no more often.
const LOOK_MS: u64 = 30_000;
/// What failed is tried again within a quarter of an hour. What is not is no longer tried by anybody.
const STILL_TRIED_MS: u64 = 20 * 60 * 1000;
const CONNECT_TIMEOUT_MS: u32 = 2_000;
const RESPONSE_TIMEOUT_MS: u32 = 5_000;

/// Since when something fails without an end, if something does. `accepted_at`: when a webhook of Freshworks was believed last.
fn failing_since(bad: &[Logged], accepted_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let is_under_way = |one: &&Logged| match one.result.as_str() {
        "failed" => true,
        "refused" | "unreadable" => one.party == "freshworks" && one.at > accepted_at,
        _ => false,
    };
    let under_way: Vec<&Logged> = bad.iter().filter(is_under_way).collect();
    let newest = under_way.iter().map(|one| one.at).max()?;
    let is_recent = now.saturating_sub(newest) < STILL_TRIED_MS;
    // Of failures, those that are still tried; of refusals, all since the last webhook that was believed.
    let counts = |one: &&&Logged| is_recent && (one.result != "failed" || now.saturating_sub(one.at) < STILL_TRIED_MS);
    under_way.iter().filter(counts).map(|one| one.first_at).min()
}

impl Service<'_> {
    fn has_alerts(&self) -> bool {
        !self.policy.alert_url.is_empty()
    }

    /// After the answer: what this request has come upon.
    pub(crate) fn raise_alerts(&self) {
        let failed = self.later.take_failed();
        if !self.has_alerts() {
            return;
        }
        for connection in failed {
            if let Err(error) = self.look_now_and_then(&connection) {
                self.warn(&connection, "", &format!("alerts: {}", error.0));
            }
        }
        let now = (self.clock)();
        let is_late = |since: &Timestamp| now.saturating_sub(*since) >= self.policy.alert_after_ms;
        if let Some(since) = self.later.overdue_since.get().filter(is_late)
            && let Err(error) = self.look_for_timer(since)
        {
            self.warn("", "", &format!("alerts: {}", error.0));
        }
    }

    /// Looks at most once each [`LOOK_MS`].
    fn look_now_and_then(&self, connection: &str) -> Result<(), StateError> {
        let now = (self.clock)();
        let name = format!("looked:{connection}");
        let record = Record { name, value: String::new(), expires_at: now.saturating_add(LOOK_MS) };
        if self.state.put_record(ALERT, &record, now, true)? { self.look_for_failures(connection) } else { Ok(()) }
    }

    /// The timer has called. Ends its incident, and looks whether deliveries fail anywhere.
    pub(crate) fn timer_was_here(&self, connections: &[String]) -> Result<(), StateError> {
        if !self.has_alerts() {
            return Ok(());
        }
        self.later.overdue_since.set(None);
        self.end_alert("timer", "timer", None, "the timer calls again")?;
        connections.iter().try_for_each(|connection| self.look_for_failures(connection))
    }

    fn look_for_timer(&self, overdue_since: Timestamp) -> Result<(), StateError> {
        let now = (self.clock)();
        let last = self.last_tick(now)?;
        // Where it has never called, a handoff that waits for it says so.
        let Some(since) = last.or(Some(overdue_since).filter(|since| *since > 0)) else { return Ok(()) };
        if now.saturating_sub(since) < self.policy.alert_after_ms {
            return Ok(());
        }
        let text = format!("the timer has not called since {}: see what calls POST /v1/tick", rfc3339(since));
        self.begin_alert("timer", "timer", None, since, &text, json!([]))
    }

    fn look_for_failures(&self, connection: &str) -> Result<(), StateError> {
        let now = (self.clock)();
        let bad = self.state.log(connection, now.saturating_sub(LOGGED_MS), true)?;
        let name = format!("connection:{connection}");
        let accepted_at = if bad.iter().any(|one| one.result == "refused" || one.result == "unreadable") {
            let accepted = [DELIVERIES, "freshworks", "accepted"].join("|");
            self.state.counts(connection)?.iter().find(|count| count.name == accepted).map_or(0, |count| count.at)
        } else {
            0
        };
        match failing_since(&bad, accepted_at, now) {
            Some(since) if now.saturating_sub(since) >= self.policy.alert_after_ms => {
                let causes = causes(&bad, since);
                let why = causes.first().map(|cause| format!(": {} {} {}", cause.party, cause.result, cause.why));
                let text = format!(
                    "deliveries of the connection {connection} have failed since {}{}",
                    rfc3339(since),
                    why.unwrap_or_default()
                );
                let causes = serde_json::to_value(causes).unwrap_or_default();
                self.begin_alert(&name, "deliveries", Some(connection), since, &text, causes)
            }
            Some(_) => Ok(()),
            None => {
                let text = format!("no delivery of the connection {connection} fails any more");
                self.end_alert(&name, "deliveries", Some(connection), &text)
            }
        }
    }

    fn begin_alert(
        &self,
        name: &str,
        about: &str,
        connection: Option<&str>,
        since: Timestamp,
        text: &str,
        causes: Value,
    ) -> Result<(), StateError> {
        let now = (self.clock)();
        let record = |value: String, expires_at| Record { name: name.to_owned(), value, expires_at };
        let claim = record(since.to_string(), now.saturating_add(TELLING_MS));
        if !self.state.put_record(ALERT, &claim, now, true)? {
            // Somebody tells or has told.
            return Ok(());
        }
        if self.post_alert("alert.raised", name, about, connection, since, text, causes) {
            self.state.put_record(ALERT, &record(format!("{since} {TOLD}"), NEVER), now, false)?;
        }
        Ok(())
    }

    fn end_alert(&self, name: &str, about: &str, connection: Option<&str>, text: &str) -> Result<(), StateError> {
        let now = (self.clock)();
        let Some(open) = self.state.record(ALERT, name, now)? else { return Ok(()) };
        let Some(since) = open.value.strip_suffix(TOLD).and_then(|since| since.trim().parse().ok()) else {
            return Ok(());
        };
        let claim =
            Record { name: format!("over:{name}"), value: String::new(), expires_at: now.saturating_add(TELLING_MS) };
        let is_ours = self.state.put_record(ALERT, &claim, now, true)?;
        if is_ours && self.post_alert("alert.over", name, about, connection, since, text, json!([])) {
            self.state.remove_record(ALERT, name)?;
            self.state.remove_record(ALERT, &claim.name)?;
        }
        Ok(())
    }

    /// True when the operator's address took it. The same incident has the same id.
    #[allow(clippy::too_many_arguments)]
    fn post_alert(
        &self,
        kind: &str,
        name: &str,
        about: &str,
        connection: Option<&str>,
        since: Timestamp,
        text: &str,
        causes: Value,
    ) -> bool {
        let Some((origin, path)) = web_url::split(&self.policy.alert_url) else {
            self.warn("", "", "the variable alert_url is not an http or https URL");
            return false;
        };
        let id = digest(&["alert", name, &since.to_string()], 16);
        let now = (self.clock)();
        let body = json!({
            "type": kind, "id": id, "about": about, "connection": connection, "since": since, "at": now, "causes": causes,
            // What chat programs show.
            "text": format!("Freshworks handoff: {text}"),
        });
        let request = Request {
            method: Method::Post,
            origin,
            path,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
            connect_timeout_ms: CONNECT_TIMEOUT_MS,
            response_timeout_ms: RESPONSE_TIMEOUT_MS,
        };
        let failed = match self.http.send(request) {
            Ok(response) if response.status < 300 => return true,
            Ok(response) => response.status.to_string(),
            Err(error) => error.reason,
        };
        self.warn("", "", &format!("the alert address did not take an alert: {failed}"));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(result: &str, first_at: Timestamp, at: Timestamp) -> Logged {
        let [id, direction, party, result] = ["d", "in", "freshworks", result].map(str::to_owned);
        Logged { id, first_at, at, tries: 1, direction, party, result, ..Logged::default() }
    }

    #[test]
    fn what_is_still_tried_and_what_was_refused_since_the_last_belief_fail() {
        let now = 100 * 60_000;
        let minute = |minute: u64| minute * 60_000;
        let since = |bad: &[Logged], accepted| failing_since(bad, accepted, now);
        assert_eq!(since(&[], 0), None);
        assert_eq!(since(&[logged("failed", minute(40), minute(95))], 0), Some(minute(40)));
        assert_eq!(since(&[logged("failed", minute(40), minute(60))], 0), None, "nobody tries it any more");
        assert_eq!(since(&[logged("given-up", minute(40), minute(99))], 0), None, "it has ended");
        let refused = [logged("refused", minute(50), minute(50)), logged("refused", minute(95), minute(95))];
        assert_eq!(since(&refused, 0), Some(minute(50)));
        assert_eq!(since(&refused, minute(70)), Some(minute(95)));
        assert_eq!(since(&refused, minute(96)), None);
    }
}
