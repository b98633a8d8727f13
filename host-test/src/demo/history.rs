//! The supplied conversation, and longer or shorter ones made from it.

use handoff_host::bindings::HandoffRequest;
use handoff_host::json::{ReadError, from_json};

/// A late parcel and a refund: 20 messages.
const SUPPLIED: &str = include_str!("../../demo/conversation.json");
/// Up to this many messages, the inbox is shown without gaps.
pub(super) const SHOWN_WHOLE: usize = 20;

/// The conversation that is handed over unless another one is given.
///
/// # Errors
///
/// Never: a test reads it.
pub fn conversation() -> Result<HandoffRequest, ReadError> {
    from_json(SUPPLIED, "conversation")
}

/// The same with a history of `count` messages, truncated or repeated. Each message has its own id, and times continue. A
/// conversation without history is unchanged.
#[must_use]
pub fn with_messages(mut request: HandoffRequest, count: usize) -> HandoffRequest {
    let told = request.history.take().unwrap_or_default();
    let (Some(first), Some(last)) = (told.first(), told.last()) else { return request };
    // A minute between one telling and the next.
    let round_ms = last.sent_at.saturating_sub(first.sent_at) + 60_000;
    let history = (0u64..)
        .flat_map(|round| {
            told.iter().map(move |message| {
                let mut message = message.clone();
                message.sent_at = message.sent_at.saturating_add(round * round_ms);
                if round > 0 {
                    message.id = format!("{}-{round}", message.id);
                }
                message
            })
        })
        .take(count)
        .collect();
    request.history = Some(history);
    request
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use handoff_host::bindings::PartKind;

    #[test]
    fn the_supplied_conversation_has_what_is_hard_to_carry() {
        let request = conversation().unwrap();
        let history = request.history.as_deref().unwrap();
        assert_eq!(history.len(), 20);
        let parts = || history.iter().flat_map(|message| &message.parts);
        let texts: Vec<&str> = parts().filter_map(|part| part.text.as_deref()).collect();
        assert!(parts().any(|part| part.kind == PartKind::Image && part.url.is_some()));
        assert!(texts.iter().any(|text| text.contains('\n')));
        assert!(texts.iter().any(|text| text.chars().any(|letter| letter > '\u{ffff}')));
        assert!(request.summary.is_some() && request.category.is_some() && request.reason_text.is_some());
    }

    #[test]
    fn a_history_can_be_of_any_length() {
        for count in [0, 1, 20, 21, 150] {
            let request = with_messages(conversation().unwrap(), count);
            let history = request.history.unwrap();
            assert_eq!(history.len(), count);
            let ids: HashSet<&str> = history.iter().map(|message| message.id.as_str()).collect();
            assert_eq!(ids.len(), count);
            assert!(history.is_sorted_by_key(|message| message.sent_at));
        }
    }

    #[test]
    fn without_a_history_there_is_nothing_to_repeat() {
        let empty = with_messages(conversation().unwrap(), 0);
        assert_eq!(with_messages(empty, 5).history.unwrap_or_default().len(), 0);
    }
}
