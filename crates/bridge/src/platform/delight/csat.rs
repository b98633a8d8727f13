//! What the end user thinks of the human part, where a webhook says so.

use crate::http::json::Fields;
use handoff_contract::model::Rating;
use serde_json::Value;

/// Longer than any form lets people write, and what the core takes.
const MAX_COMMENT_CHARS: usize = 5_000;

/// The rating of the human part in a webhook's conversation.
///
/// The platform's conversations have `helpdesk_csat` and `helpdesk_csat_reason` for it (vendor documentation of the conversation's
/// fields). No published sample of a webhook carries them: that `conversation:closed` or `conversation:analyzed` do is a belief, and so
/// is the scale, 1 to 5, which is that of the vendor's own desk. Anything else is no rating.
///
/// There is one for each conversation, so its id is always the same: however often webhooks bring it, it is sent once.
pub(super) fn rating(conversation: &Value) -> Option<Rating> {
    let score = conversation.field("helpdesk_csat").as_u64().and_then(|score| u8::try_from(score).ok());
    let reason = conversation.field("helpdesk_csat_reason").as_str().map(|text| text.chars().take(MAX_COMMENT_CHARS));
    Some(Rating {
        id: "helpdesk_csat".to_owned(),
        score: score.filter(|score| (1..=5).contains(score))?,
        comment: reason.map(Iterator::collect).filter(|text: &String| !text.trim().is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_one_to_five_is_a_rating() {
        let of = |csat: Value| rating(&json!({ "helpdesk_csat": csat, "helpdesk_csat_reason": "Fast" }));
        let rated = of(json!(4)).unwrap();
        assert_eq!((rated.score, rated.comment.as_deref()), (4, Some("Fast")));
        for other in [json!(null), json!(0), json!(6), json!(300), json!("4"), json!(4.5), json!({})] {
            assert_eq!(of(other.clone()), None, "{other}");
        }
        assert_eq!(rating(&json!({ "csat": 5 })), None, "the AI agent's own");
        let long = json!({ "helpdesk_csat": 1, "helpdesk_csat_reason": "é".repeat(6_000) });
        assert_eq!(rating(&long).unwrap().comment.unwrap().chars().count(), MAX_COMMENT_CHARS);
    }
}
