//! The waiting time shown to the end user, and the end user's rating sent to Freshworks.

use e2e::{Store, delight_settings};
use freshworks_simulator::{Fault, How, Match, Rating, WaitFigures};
use platform_simulator::{Config, Kind};
use serde_json::json;
use spin_emulator::SqliteFile;

use crate::cast::{OnDelight, within};

const LINE: &str = "Average wait in the last hour: 3 min. Others who are waiting: 4.";

/// Delight, with an account whose settings ask how long others wait.
async fn asking() -> OnDelight {
    let it = OnDelight::start(Store::Sqlite(SqliteFile::default()), 1, Config::default()).await;
    let mut settings = it.stage.settings();
    settings["wait_estimate"] = true.into();
    let body = json!({ "settings": settings, "platform": delight_settings(&it.platform) });
    let answer = it.stage.api.call("PUT", "/v1/connections/acme", &body).await.unwrap();
    assert_eq!(answer.body["connected"], true, "{answer:?}");
    let waits = WaitFigures { group: None, average_wait: Some("150"), waiting: Some("4") };
    it.stage.freshworks.set_behaviour(|behaviour| behaviour.wait_figures = vec![waits]);
    it
}

#[tokio::test(flavor = "multi_thread")]
async fn on_delight_the_end_user_sees_the_waiting_time_once() {
    let it = asking().await;
    let (channel, _) = it.handed_over("ana").await;
    let is_told = |seen: &[platform_simulator::Seen]| seen.iter().any(|seen| seen.text == LINE);
    let seen = within("the user is told", it.platform.wait_for(&channel, is_told)).await;
    let lines: Vec<_> = seen.iter().filter(|seen| seen.text.contains("wait")).collect();
    assert_eq!((lines.len(), lines[0].kind), (1, Kind::System));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_delight_the_end_user_sees_no_line_without_an_estimate() {
    let it = asking().await;
    it.stage.freshworks.fail(Fault::new(Match::path("/v2/metrics/historical"), How::status(403)).times(2));
    let (channel, conversation) = it.handed_over("ana").await;
    assert_eq!(it.stage.freshworks.faults_left(), 0, "it was asked");
    assert!(!it.platform.seen_by_user(&channel).iter().any(|seen| seen.text.contains("wait")));
    // The handoff still succeeded.
    it.platform.user_says(&channel, "Are you there?");
    it.platform.settle().await;
    assert_eq!(crate::cast::count(&it.stage, &conversation.id, "Are you there?"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_delight_the_users_rating_reaches_freshworks_once() {
    let it = asking().await;
    let (channel, conversation) = it.handed_over("ana").await;
    let maya = it.stage.freshworks.agent_id("Maya Chen").unwrap();
    it.stage.freshworks.resolve(&conversation.id, &maya).await.unwrap();
    it.stage.settled("acme").await.unwrap();
    it.platform.user_rates_human_part(&channel, 5, "Fast");
    // Every webhook about a conversation contains its fields.
    it.platform.close(&channel, "user_resolved");
    it.platform.settle().await;
    let rated = Rating { conversation: conversation.id.clone(), score: 5, comment: Some("Fast".into()) };
    assert_eq!(it.stage.freshworks.ratings(), [rated]);
    assert_eq!(it.platform.given_up(), 0);
}
