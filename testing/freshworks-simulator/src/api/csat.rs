//! Ratings: `POST /v2/csat/{conversation_id}`.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::input::Input;
use super::{App, created};
use crate::refusal::Refusal;
use crate::store::{Rating, Status};

/// For conversations that are resolved (mcpbundles.com), with `rating` and `comment` (polymetrics-ai/cli, after the vendor's
/// reference). The scale, the form of the response and every refusal except 404 are beliefs.
pub(super) async fn create(State(app): State<App>, Path(id): Path<String>, input: Input) -> Result<Response, Refusal> {
    let answer = app.api_act(|desk| {
        let status = desk.conversation(&id)?.status;
        let score = match input.get("rating") {
            Some(Value::Number(number)) => number.as_u64().filter(|score| (1..=5).contains(score)),
            _ => None,
        };
        let score = score.ok_or_else(|| Refusal::invalid("INVALID_RATING"))?;
        let comment = input.string("comment")?;
        if status != Status::Resolved {
            return Err(Refusal::invalid("CONVERSATION_NOT_RESOLVED"));
        }
        if desk.behaviour.one_rating && desk.store.ratings.iter().any(|rating| rating.conversation == id) {
            return Err(Refusal::invalid("ALREADY_RATED"));
        }
        let answer = json!({ "conversation_id": id, "rating": score, "comment": comment });
        desk.store.ratings.push(Rating { conversation: id.clone(), score, comment });
        Ok(answer)
    });
    answer.await.map(|view| created(&app, view))
}
