//! What the end user thinks of a conversation, for Freshchat's own reports.

use serde_json::{Map, Value, json};

use crate::http::Method;
use crate::http::client::{Endpoint, encode};
use handoff_contract::model::ConversationId;

/// `POST /csat/{conversation_id}`, for a conversation that is resolved (polymetrics-ai/cli, after the vendor's reference, and
/// mcpbundles.com, whose tool says "for a resolved conversation"). The names `rating` and `comment` are from the first alone. That
/// the scale is 1 to 5, as the stars of the vendor's own messenger, is a belief.
pub(crate) struct CreateRating<'a> {
    /// The conversation.
    pub conversation: &'a ConversationId,
    /// 1 (worst) to 5 (best).
    pub score: u8,
    /// Left out where it is empty.
    pub comment: &'a str,
}

impl Endpoint for CreateRating<'_> {
    type Output = ();
    const NAME: &'static str = "create-rating";
    const METHOD: Method = Method::Post;

    fn path(&self) -> String {
        format!("/csat/{}", encode(self.conversation.as_str()))
    }

    fn body(&self) -> Option<Value> {
        let mut body = Map::new();
        body.insert("rating".to_owned(), json!(self.score));
        if !self.comment.is_empty() {
            body.insert("comment".to_owned(), json!(self.comment));
        }
        Some(Value::Object(body))
    }

    // The form of the answer is not published, and nothing in it is needed.
    fn answer(_: &Value) -> Option<()> {
        Some(())
    }
}
