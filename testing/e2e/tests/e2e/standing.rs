//! The status of a connection, and the effect of checking and saving on a working one.

use std::time::Duration;

use e2e::{Environment, SECRET, Store};
use freshworks_simulator::{Fault, How, KeyForm, Match};
use serde_json::{Value, json};

use crate::cast::{OnGeneric, within};

const CONNECTION: &str = "/v1/connections/acme";

async fn shown(stage: &Environment) -> Value {
    stage.api.call("GET", CONNECTION, &Value::Null).await.unwrap().body
}

/// Waits for this status: counts are stored after the response.
async fn stands(stage: &Environment, state: &str, reason: Option<&str>) -> Value {
    let stands = async {
        loop {
            let status = shown(stage).await["status"].clone();
            if status["state"] == state && status["reason"].as_str() == reason {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    within(&format!("{state}, {reason:?}"), stands).await
}

/// A connecting body with these additional settings.
fn body(it: &OnGeneric, more: Value) -> Value {
    let mut settings = it.stage.settings();
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let platform = json!({ "kind": "generic", "callback_url": it.platform.callback_url(), "secret": SECRET });
    json!({ "settings": settings, "platform": platform })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_while_it_is_checked_again_keeps_handoffs_working_and_a_tick_ends_it() {
    let it = OnGeneric::start(Store::Sqlite(Default::default()), 1).await;
    let before = shown(&it.stage).await;
    for how in [How::status(503), How::rate_limit(1), How::Cut] {
        it.stage.freshworks.fail(Fault::new(Match::any(), how).times(20));
        let checked = it.stage.api.call("POST", &format!("{CONNECTION}/check"), &Value::Null).await.unwrap();
        it.stage.freshworks.clear_faults();
        assert_eq!((checked.status, &checked.body["connected"]), (200, &json!(true)), "{checked:?}");
        assert!(checked.body["status"]["unreachable_since"].is_u64(), "{checked:?}");
        assert_eq!(checked.body["topic"], before["topic"]);
    }
    it.hand_over("during-the-outage", false).await;

    let cleared = async {
        loop {
            it.stage.api.call("POST", "/v1/tick", &Value::Null).await.unwrap();
            let shown = shown(&it.stage).await;
            if shown["status"]["unreachable_since"].is_null() {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let after = within("a tick checks again", cleared).await;
    assert_eq!((&after["connected"], &after["findings"]), (&json!(true), &before["findings"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_ticket_desk_is_stored_only_anyway_and_stops_no_live_handoff() {
    let it = OnGeneric::start(Store::Sqlite(Default::default()), 1).await;
    let desk = json!({
        "ticket_domain": "acme", "ticket_api_key": "wrong", "test_ticket_origin": it.stage.freshworks.ticket_origin(),
    });
    let changed = body(&it, desk);
    let settings = async || {
        it.stage.api.call("GET", &format!("{CONNECTION}/settings"), &Value::Null).await.unwrap().body["settings"]
            .clone()
    };
    let before = settings().await;
    let refused = it.stage.api.call("PUT", CONNECTION, &changed).await.unwrap();
    assert_eq!((refused.status, &refused.body["kind"]), (409, &json!("would-break")), "{refused:?}");
    assert_eq!(refused.body["findings"][0]["check"], "ticket-desk");
    assert_eq!(settings().await, before);

    let saved = it.stage.api.call("PUT", &format!("{CONNECTION}?save=anyway"), &changed).await.unwrap();
    assert_eq!((saved.status, &saved.body["connected"]), (200, &json!(true)), "{saved:?}");
    assert_eq!(settings().await["ticket_domain"], "acme");
    it.hand_over("without-a-desk", false).await;
    it.hand_over("without-a-desk-by-webhook", true).await;

    let restored = it.stage.api.call("POST", &format!("{CONNECTION}/restore"), &Value::Null).await.unwrap();
    assert_eq!((restored.status, &restored.body["connected"]), (200, &json!(true)), "{restored:?}");
    assert_eq!(settings().await, before);
    assert_eq!(
        restored.body["webhooks"]["freshchat"], saved.body["webhooks"]["freshchat"],
        "what is pasted into Freshworks stays good"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_why_answers_do_not_arrive() {
    let it = OnGeneric::start(Store::Sqlite(Default::default()), 1).await;
    stands(&it.stage, "answers-missing", Some("none-delivered-yet")).await;
    it.hand_over("first", false).await;
    stands(&it.stage, "connected", None).await;

    let without = body(&it, json!({ "webhook_public_key": null }));
    assert_eq!(it.stage.api.call("PUT", CONNECTION, &without).await.unwrap().status, 200);
    stands(&it.stage, "answers-missing", Some("no-webhook-key")).await;

    // Of another account.
    let other = include_str!("../../../../fixtures/keys/rsa-3072.pub.pem");
    assert_ne!(other, it.stage.freshworks.public_key(KeyForm::Vendor));
    let wrong = body(&it, json!({ "webhook_public_key": other }));
    assert_eq!(it.stage.api.call("PUT", CONNECTION, &wrong).await.unwrap().status, 200);
    it.hand_over("second", false).await;
    let status = stands(&it.stage, "answers-missing", Some("signature-wrong")).await;
    assert!(status["remedy"].as_str().unwrap().contains("key"), "{status}");

    assert_eq!(it.stage.api.call("PUT", CONNECTION, &body(&it, json!({}))).await.unwrap().status, 200);
    it.hand_over("third", false).await;
    stands(&it.stage, "connected", None).await;

    let broken = body(&it, json!({ "topics": ["Nowhere"] }));
    assert_eq!(it.stage.api.call("PUT", &format!("{CONNECTION}?save=anyway"), &broken).await.unwrap().status, 200);
    stands(&it.stage, "not-connected", Some("topic-missing")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_not_pasted_shows_with_the_first_handoff() {
    let it = OnGeneric::start(Store::Sqlite(Default::default()), 1).await;
    it.stage.freshworks.set_webhook(None);
    it.hand_over("unheard", false).await;
    stands(&it.stage, "answers-missing", Some("no-answer")).await;
}
