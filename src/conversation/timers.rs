//! When time itself makes something happen: the next look for lost webhooks, the end of waiting, the reopen window.
//!
//! Pure. All times here are by the host's clock, in milliseconds; the vendor's clock orders events and nothing else.

use crate::conversation::session::{EndReason, Session};
use crate::settings::Settings;
use handoff_contract::error::ErrorKind;
use handoff_contract::model::{SessionState, Timestamp};

const MINUTE_MS: u64 = 60_000;
/// First look after a sign of life. Freshworks sends a webhook again within seconds, so one that is still missing is lost.
const FIRST_LOOK_MS: u64 = MINUTE_MS;
/// Longest time between two looks while human agents have the conversation. A look costs two requests.
const MAX_LOOK_MS: u64 = 15 * MINUTE_MS;

/// Longest time between two looks at a ticket, which no webhook tells of. A look costs two requests.
const MAX_TICKET_LOOK_MS: u64 = 60 * MINUTE_MS;

/// How long a service that refuses us (key revoked, account suspended) is asked before a conversation counts as ended: time for
/// an admin to mend it.
pub(crate) const REFUSED_FOR_MS: u64 = 24 * 60 * MINUTE_MS;
/// The same for a service that cannot be reached.
pub(crate) const SILENT_FOR_MS: u64 = 7 * REFUSED_FOR_MS;
/// How long an end that was asked for is tried before it comes without what could not be written.
const MAX_CLOSING_MS: u64 = 60 * MINUTE_MS;

fn minutes(count: u32) -> u64 {
    u64::from(count) * MINUTE_MS
}

/// When `tick` should be called next; none when there is nothing to wait for.
pub(crate) fn next_tick(session: &Session, settings: &Settings) -> Option<Timestamp> {
    match session.state {
        SessionState::Queued | SessionState::Active => {
            Some(end_of_patience(session, settings).unwrap_or(u64::MAX).min(session.look_at))
        }
        SessionState::Closing | SessionState::Ticketed => Some(session.look_at),
        SessionState::Returned if session.look_at <= end_of_window(session, settings) => Some(session.look_at),
        SessionState::Requesting | SessionState::Returned | SessionState::Failed => None,
    }
}

/// Why the conversation must go back to the AI agent now, if it must.
pub(crate) fn timed_out(session: &Session, settings: &Settings, now: Timestamp) -> Option<EndReason> {
    let reason = if session.state == SessionState::Queued { EndReason::TimedOut } else { EndReason::Inactive };
    end_of_patience(session, settings).filter(|end| *end <= now).map(|_| reason)
}

/// The same where the conversation could not be read: at once when that is lasting, and after an hour when it may pass.
pub(crate) fn timed_out_unseen(
    session: &Session,
    settings: &Settings,
    kind: ErrorKind,
    now: Timestamp,
) -> Option<EndReason> {
    let patience = if may_pass(kind) { MAX_CLOSING_MS } else { 0 };
    timed_out(session, settings, now.saturating_sub(patience))
}

fn may_pass(kind: ErrorKind) -> bool {
    use ErrorKind as K;
    matches!(kind, K::RateLimited | K::Unavailable | K::OutcomeUnknown | K::Malformed | K::Rejected | K::NotFound)
}

/// True while human agents can bring the conversation back.
pub(crate) fn can_reopen(session: &Session, settings: &Settings, now: Timestamp) -> bool {
    session.state != SessionState::Returned || now <= end_of_window(session, settings)
}

/// True when a look that failed in this way is no longer an error: it has been due for too long, or nobody waits for it.
pub(crate) fn is_given_up(session: &Session, settings: &Settings, kind: ErrorKind, now: Timestamp) -> bool {
    let may_pass = may_pass(kind);
    // The session keeps the time of a look that has failed, so it tells how long there was none.
    let waited = now.saturating_sub(session.look_at);
    match session.state {
        SessionState::Returned => !may_pass || !can_reopen(session, settings, now),
        _ => waited >= if may_pass { SILENT_FOR_MS } else { REFUSED_FOR_MS },
    }
}

/// True when an end that was asked for has been tried for long enough.
pub(crate) fn is_end_overdue(session: &Session, now: Timestamp) -> bool {
    session.state == SessionState::Closing && now.saturating_sub(session.since) >= MAX_CLOSING_MS
}

/// A message or a change was seen: the next one may follow soon.
pub(crate) fn alive(session: &mut Session, now: Timestamp) {
    session.active_at = now;
    session.look_at = now.saturating_add(FIRST_LOOK_MS);
}

/// The end user wrote: the answer is expected soon. A look that is due stays due, however much the user writes.
pub(crate) fn spoken(session: &mut Session, now: Timestamp) {
    let look_at = session.look_at;
    alive(session, now);
    session.look_at = session.look_at.min(look_at);
}

/// Nothing was missing: the longer it is quiet, the later the next look.
pub(crate) fn looked(session: &mut Session, now: Timestamp) {
    let longest = match session.state {
        SessionState::Returned => u64::MAX,
        SessionState::Ticketed => MAX_TICKET_LOOK_MS,
        _ => MAX_LOOK_MS,
    };
    let quiet = now.saturating_sub(session.active_at);
    session.look_at = now.saturating_add(quiet.clamp(FIRST_LOOK_MS, longest));
}

fn end_of_patience(session: &Session, settings: &Settings) -> Option<Timestamp> {
    let (from, patience) = match session.state {
        SessionState::Queued => (session.since, settings.queue_timeout_minutes),
        SessionState::Active => (session.active_at, settings.inactivity_timeout_minutes),
        _ => return None,
    };
    (patience > 0).then(|| from.saturating_add(minutes(patience)))
}

fn end_of_window(session: &Session, settings: &Settings) -> Timestamp {
    session.since.saturating_add(minutes(settings.reopen_window_minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_contract::model::ConversationKey;

    const START: Timestamp = 1_000 * MINUTE_MS;

    fn session(state: SessionState) -> Session {
        let key = ConversationKey { application: "a".into(), channel: "c".into(), conversation: "1".into() };
        let mut session = Session::begin(&key, 1);
        session.enter(state, START);
        alive(&mut session, START);
        session
    }

    fn settings(json: &str) -> Settings {
        Settings::parse(json).unwrap()
    }

    /// Minutes after the start at which looks take place.
    fn looks(state: SessionState, settings: &Settings, count: usize) -> Vec<u64> {
        let mut session = session(state);
        let next = |_| {
            let at = next_tick(&session, settings)?;
            looked(&mut session, at);
            Some((at - START) / MINUTE_MS)
        };
        (0..count).map_while(next).collect()
    }

    #[test]
    fn looks_become_rarer_and_never_stop_while_human_agents_have_it() {
        assert_eq!(looks(SessionState::Active, &settings("{}"), 8), [1, 2, 4, 8, 16, 31, 46, 61]);
    }

    #[test]
    fn looks_end_with_the_reopen_window() {
        assert_eq!(
            looks(SessionState::Returned, &settings(r#"{"reopen_window_minutes": 60}"#), 99),
            [1, 2, 4, 8, 16, 32]
        );
        assert!(looks(SessionState::Returned, &settings(r#"{"reopen_window_minutes": 0}"#), 99).is_empty());
    }

    #[test]
    fn states_that_wait_for_nobody_have_no_timer() {
        for state in [SessionState::Requesting, SessionState::Failed] {
            assert_eq!(next_tick(&session(state), &settings("{}")), None);
        }
        assert!(next_tick(&session(SessionState::Closing), &settings("{}")).is_some());
    }

    #[test]
    fn a_user_who_writes_without_end_does_not_put_the_look_off() {
        let mut session = session(SessionState::Active);
        for second in 0..300 {
            spoken(&mut session, START + second * 1_000);
        }
        assert_eq!(next_tick(&session, &settings("{}")), Some(START + MINUTE_MS));
    }

    #[test]
    fn waiting_ends_when_the_settings_say_so() {
        let settings = settings(r#"{"queue_timeout_minutes": 5, "inactivity_timeout_minutes": 30}"#);
        let mut queued = session(SessionState::Queued);
        assert_eq!(timed_out(&queued, &settings, START + 5 * MINUTE_MS - 1), None);
        spoken(&mut queued, START + 4 * MINUTE_MS);
        assert_eq!(
            timed_out(&queued, &settings, START + 5 * MINUTE_MS),
            Some(EndReason::TimedOut),
            "words do not help"
        );
        looked(&mut queued, START + 4 * MINUTE_MS);
        assert_eq!(next_tick(&queued, &settings), Some(START + 5 * MINUTE_MS), "not later than the end of patience");

        let mut active = session(SessionState::Active);
        spoken(&mut active, START + 20 * MINUTE_MS);
        assert_eq!(timed_out(&active, &settings, START + 49 * MINUTE_MS), None);
        assert_eq!(timed_out(&active, &settings, START + 50 * MINUTE_MS), Some(EndReason::Inactive));
        assert_eq!(timed_out(&session(SessionState::Returned), &settings, u64::MAX), None);
    }
}
