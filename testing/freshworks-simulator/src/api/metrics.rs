//! The figures of the dashboard: `GET /v2/metrics/historical`.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde_json::{Value, json};

use super::App;
use crate::lock;
use crate::query::Query;
use crate::refusal::Refusal;

/// What the vendor's own library requests: the average wait in a period, and unassigned conversations.
const AVERAGE_WAIT: &str = "conversation_metrics.wait_time";
const WAITING: &str = "conversation_metrics.created_x_mins_ago_and_unassigned";

/// By group only. The response has the form of the vendor's definitions; groups without a figure are left out, as in the
/// published test data of the vendor's library. Which requests are refused is a belief.
pub(super) async fn historical(State(app): State<App>, uri: Uri) -> Result<Json<Value>, Refusal> {
    let query = Query::of(&uri);
    let needed =
        |name: &str| query.get(name).ok_or_else(|| Refusal::invalid(format!("{}_MISSING", name.to_uppercase())));
    let (metric, start, end) = (needed("metric")?, needed("start")?, needed("end")?);
    let at = |text: &str| text.parse::<jiff::Timestamp>().map_err(|_| Refusal::invalid("INVALID_TIME"));
    if at(start)? > at(end)? {
        return Err(Refusal::invalid("INVALID_TIME"));
    }
    if needed("group_by")? != "group" {
        return Err(Refusal::invalid("INVALID_GROUP_BY"));
    }
    let key = match (metric, query.get("aggregator"), query.get("x_time")) {
        (AVERAGE_WAIT, Some("avg"), _) => "avg",
        (WAITING, _, Some(minutes)) if minutes.parse::<u32>().is_ok() => "count",
        (AVERAGE_WAIT | WAITING, ..) => return Err(Refusal::invalid("INVALID_PARAMETERS")),
        _ => return Err(Refusal::invalid("INVALID_METRIC")),
    };
    let behaviour = app.behaviour();
    let store = lock(&app.store);
    let of_group = |figures: &crate::config::WaitFigures| {
        let value = if metric == AVERAGE_WAIT { figures.average_wait } else { figures.waiting }?;
        let group = match &figures.group {
            Some(name) => store.groups.iter().find(|group| group.spec.name == *name)?.id.clone(),
            None => "null".to_owned(),
        };
        Some(json!({
            "groupings": [{ "key": "group", "value": group }],
            "series": [{ "start": start, "end": end, "values": [{ "key": key, "value": value }] }],
        }))
    };
    let data: Vec<Value> = behaviour.wait_figures.iter().filter_map(of_group).collect();
    let mut answer = json!({
        "metric": [metric],
        "start": start,
        "end": end,
        "filters": { "metric_filters": [] },
        "data": data,
    });
    if let Some(aggregator) = query.get("aggregator") {
        answer["aggregator"] = json!(aggregator);
    }
    Ok(Json(answer))
}
