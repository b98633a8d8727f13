//! Topics, which the API calls channels.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde_json::Value;

use super::App;
use super::paging::envelope;
use crate::lock;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::views::topic_view;

/// `GET /v2/channels`: sorted by `name` or `updated_time` when asked to, else in the order they were made.
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<Value>, Refusal> {
    let behaviour = app.behaviour();
    let query = Query::of(&uri);
    let store = lock(&app.store);
    let mut topics = store.topics.clone();
    if let Some(locale) = query.get("locale") {
        topics.retain(|topic| topic.spec.locale.as_deref().is_none_or(|found| found == locale));
    }
    match query.get("sort_by") {
        Some("name") => topics.sort_by(|a, b| a.spec.name.cmp(&b.spec.name)),
        Some("updated_time") => topics.sort_by_key(|topic| topic.updated_ms),
        _ => {}
    }
    if query.get("sort_order") == Some("desc") {
        topics.reverse();
    }
    envelope("channels", &uri, &topics, &behaviour, |topic| topic_view(&store, topic)).map(Json)
}
