//! Freshchat's figures about waiting, as its dashboard has them.

use serde_json::Value;

use super::wire;
use crate::http::Method;
use crate::http::client::{Endpoint, encode};
use crate::text::time;
use handoff_contract::model::Timestamp;

/// The time that averages are taken over.
const HOUR_MS: u64 = 60 * 60 * 1000;

/// Which figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// How long conversations have waited for a human agent in the last hour, on average. That the unit is the second is told by
    /// the vendor's own use of it (freshworks/jaya-lib, `average-wait-time.ts`, which divides by 60 for minutes).
    AverageWait,
    /// Conversations that nobody has taken. Those that were created a minute ago or earlier are asked for, as the vendor's own rules
    /// do (freshworks/jaya-lib). That it means "or earlier" is a belief, and so is that the new conversation is not among them.
    Waiting,
}

/// `GET /metrics/historical`, by group. Names of metrics and parameters are those of the vendor's own library (freshworks/jaya-lib,
/// `packages/freshchat-api`), the answer is `historical_metrics` of its definitions. Seen live: whole numbers, sometimes decimal
/// ones, all as text.
pub(crate) struct WaitFigure {
    /// Which one.
    pub figure: Figure,
    /// When.
    pub now: Timestamp,
}

/// What the group is called of conversations that no group has (freshworks/jaya-lib).
pub(crate) const NO_GROUP: &str = "null";

impl Endpoint for WaitFigure {
    /// Each group with its figure.
    type Output = Vec<(String, u32)>;
    const NAME: &'static str = "wait-figure";
    const METHOD: Method = Method::Get;

    fn path(&self) -> String {
        let (metric, more, since) = match self.figure {
            Figure::AverageWait => ("wait_time", "aggregator=avg", self.now.saturating_sub(HOUR_MS)),
            Figure::Waiting => ("created_x_mins_ago_and_unassigned", "x_time=1", self.now),
        };
        let (start, end) = (encode(&time::to_iso(since)), encode(&time::to_iso(self.now)));
        format!(
            "/metrics/historical?metric=conversation_metrics.{metric}&group_by=group&{more}&start={start}&end={end}"
        )
    }

    fn answer(body: &Value) -> Option<Self::Output> {
        Some(body.get("data")?.as_array()?.iter().filter_map(of_group).collect())
    }
}

fn of_group(data: &Value) -> Option<(String, u32)> {
    let groupings = data.get("groupings")?.as_array()?;
    let group = groupings.iter().find(|it| wire::text(it, "key").as_deref() == Some("group"))?;
    // The part behind the point does not matter.
    let value = wire::text(data.pointer("/series/0/values/0")?, "value")?;
    let value = value.split('.').next()?.parse().ok()?;
    Some((wire::text(group, "value")?, value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = 1_752_176_875_442;

    #[test]
    fn the_figures_are_asked_for_as_the_vendors_library_does() {
        let of = |figure| WaitFigure { figure, now: NOW }.path();
        assert_eq!(
            of(Figure::AverageWait),
            "/metrics/historical?metric=conversation_metrics.wait_time&group_by=group&aggregator=avg\
             &start=2025-07-10T18%3A47%3A55.000Z&end=2025-07-10T19%3A47%3A55.000Z"
        );
        assert_eq!(
            of(Figure::Waiting),
            "/metrics/historical?metric=conversation_metrics.created_x_mins_ago_and_unassigned&group_by=group&x_time=1\
             &start=2025-07-10T19%3A47%3A55.000Z&end=2025-07-10T19%3A47%3A55.000Z"
        );
    }

    #[test]
    fn figures_are_read_leniently_and_never_made_up() {
        let of = |value: Value| {
            let series = json!([{ "start": "s", "end": "e", "values": [{ "key": "avg", "value": value }] }]);
            WaitFigure::answer(&json!({ "data": [
                { "groupings": [{ "key": "other", "value": "x" }, { "key": "group", "value": "g-1" }], "series": series },
            ] }))
        };
        let one = |figure| Some(vec![("g-1".to_owned(), figure)]);
        assert_eq!(of(json!("40199")), one(40_199));
        assert_eq!(of(json!("42.75")), one(42));
        assert_eq!(of(json!(42)), one(42));
        for strange in [json!("-3"), json!("NaN"), json!(""), json!(null), json!("99999999999")] {
            assert_eq!(of(strange.clone()), Some(Vec::new()), "{strange}");
        }
        assert_eq!(WaitFigure::answer(&json!({ "data": [{}, { "groupings": [], "series": [] }] })), Some(Vec::new()));
        assert_eq!(WaitFigure::answer(&json!({ "groups": [] })), None);
    }
}
