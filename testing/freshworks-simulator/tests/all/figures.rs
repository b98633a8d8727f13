//! Figures about waiting, and ratings.

use freshworks_simulator::{Rating, WaitFigures};
use serde_json::json;

use crate::support::Account;

const AVERAGE: &str = "metric=conversation_metrics.wait_time&aggregator=avg&group_by=group";
const WAITING: &str = "metric=conversation_metrics.created_x_mins_ago_and_unassigned&x_time=1&group_by=group";
const HOUR: &str = "start=2026-11-27T09%3A00%3A00.000Z&end=2026-11-27T10%3A00%3A00.000Z";

#[tokio::test]
async fn figures_are_reported_by_group_as_the_vendor_defines() {
    let it = Account::start().await;
    it.sim.set_behaviour(|behaviour| {
        behaviour.wait_figures = vec![
            WaitFigures { group: Some("Support"), average_wait: Some("40199"), waiting: Some("71") },
            WaitFigures { group: None, average_wait: None, waiting: Some("2") },
            WaitFigures { group: Some("nobody's"), average_wait: Some("1"), waiting: Some("1") },
        ];
    });
    let of = |group: &str, key: &str, value: &str| {
        json!({
            "groupings": [{ "key": "group", "value": group }],
            "series": [{
                "start": "2026-11-27T09:00:00.000Z", "end": "2026-11-27T10:00:00.000Z", "values": [{ "key": key, "value": value }],
            }],
        })
    };
    let average = it.get(&format!("/v2/metrics/historical?{AVERAGE}&{HOUR}")).await.ok();
    assert_eq!(average["data"], json!([of(&it.group, "avg", "40199")]));
    assert_eq!(average["metric"], json!(["conversation_metrics.wait_time"]));
    let waiting = it.get(&format!("/v2/metrics/historical?{WAITING}&{HOUR}")).await.ok();
    assert_eq!(waiting["data"], json!([of(&it.group, "count", "71"), of("null", "count", "2")]));
}

#[tokio::test]
async fn what_the_vendors_library_does_not_ask_for_is_refused() {
    let it = Account::start().await;
    for query in [
        HOUR.to_owned(),
        AVERAGE.to_owned(),
        format!("{HOUR}&metric=conversation_metrics.wait_time&group_by=group"),
        format!("{HOUR}&metric=conversation_metrics.wait_time&aggregator=avg"),
        format!("{HOUR}&metric=conversation_metrics.created_x_mins_ago_and_unassigned&group_by=group"),
        format!("{HOUR}&metric=conversation_metrics.other&group_by=group&aggregator=avg"),
        format!("{AVERAGE}&start=yesterday&end=today"),
    ] {
        assert_eq!(it.get(&format!("/v2/metrics/historical?{query}")).await.refusal().0, 400, "{query}");
    }
}

#[tokio::test]
async fn a_conversation_is_rated_after_it_was_resolved() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    let (path, rating) = (format!("/v2/csat/{id}"), json!({ "rating": 4, "comment": "Fast" }));
    assert_eq!(it.post(&path, rating.clone()).await.refusal().0, 400);
    it.sim.resolve(&id, &it.maya).await.unwrap();
    for bad in [json!({}), json!({ "rating": 0 }), json!({ "rating": 6 }), json!({ "rating": "4" })] {
        assert_eq!(it.post(&path, bad).await.refusal().0, 400);
    }
    it.post(&path, rating.clone()).await.ok();
    let rated = Rating { conversation: id.clone(), score: 4, comment: Some("Fast".into()) };
    assert_eq!(it.sim.ratings(), [rated]);
    it.post(&path, json!({ "rating": 1 })).await.ok();
    assert_eq!(it.sim.ratings().len(), 2, "each is kept");
    it.sim.set_behaviour(|behaviour| behaviour.one_rating = true);
    assert_eq!(it.post(&path, rating.clone()).await.refusal().0, 400);
    it.sim.remove_conversation(&id);
    assert_eq!(it.post(&path, rating).await.refusal().0, 404);
}
