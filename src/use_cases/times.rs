//! Times in milliseconds, told from those in seconds or microseconds.

use handoff_contract::error::Error;
use handoff_contract::model::{Message, Timestamp};

/// The earliest time that can be milliseconds: in March 1973. As seconds it is in the year 5138.
pub const EARLIEST: Timestamp = 100_000_000_000;
/// The latest time that can be milliseconds: in the year 5138. As microseconds it is in March 1973.
pub(crate) const LATEST: Timestamp = 100_000_000_000_000;

/// Refuses a time that cannot be in milliseconds, before anything is done by it: `now` in seconds would let every time-out pass at
/// once. `field` is its path in the contract.
// Once, not in each use case.
#[inline(never)]
pub fn check(field: &str, time: Timestamp) -> Result<(), Error> {
    let (unit, remedy) = match time {
        ..EARLIEST => ("seconds", "Pass milliseconds since 1970-01-01T00:00:00Z: seconds times 1,000."),
        EARLIEST..=LATEST => return Ok(()),
        _ => ("microseconds", "Pass milliseconds since 1970-01-01T00:00:00Z: microseconds divided by 1,000."),
    };
    Err(Error::request(field, format!("`{field}` is not in milliseconds; it looks like {unit}"), remedy))
}

/// As [`check`], for each message of a history.
pub(crate) fn check_history(history: &[Message]) -> Result<(), Error> {
    match history.iter().enumerate().find(|(_, message)| !(EARLIEST..=LATEST).contains(&message.sent_at)) {
        Some((index, message)) => check(&format!("request.history[{index}].sent_at"), message.sent_at),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request;
    use handoff_contract::error::ErrorKind;

    #[test]
    fn seconds_and_microseconds_are_refused_and_named() {
        for time in [EARLIEST, 1_795_000_000_000, LATEST] {
            assert_eq!(check("now", time), Ok(()));
        }
        for (time, unit) in [
            (0, "looks like seconds"),
            (1_795_000_000, "looks like seconds"),
            (EARLIEST - 1, "looks like seconds"),
            (LATEST + 1, "looks like microseconds"),
            (1_795_000_000_000_000, "looks like microseconds"),
            (u64::MAX, "looks like microseconds"),
        ] {
            let error = check("delivery.received_at", time).unwrap_err();
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("delivery.received_at")));
            assert!(error.message.contains(unit), "{time}: {}", error.message);
            assert!(error.remedy.as_ref().unwrap().contains("milliseconds"));
        }
    }

    #[test]
    fn the_message_of_a_history_is_named_by_its_place() {
        let mut history = request().history.unwrap();
        assert_eq!(check_history(&history), Ok(()));
        history[1].sent_at = 1_795_000_000;
        assert_eq!(check_history(&history).unwrap_err().field.as_deref(), Some("request.history[1].sent_at"));
    }
}
