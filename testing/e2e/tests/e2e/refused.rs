//! Who may not come in has no effect and learns nothing.

use e2e::{Reply, Store, delight_settings};
use freshworks_simulator::{Action, WebhookFault as Broken};
use platform_simulator::{Config, WebhookFault};
use serde_json::{Value, json};

use crate::cast::{OnDelight, OnGeneric, count, within};

const HANDOFFS: &str = "/v1/connections/acme/handoffs";

/// An unauthorised caller always sees the same.
fn assert_stranger(answer: &Reply, what: &str) {
    assert_eq!((answer.status, &answer.body["kind"]), (401, &json!("not-allowed")), "{what}: {answer:?}");
    assert_eq!(answer.body["detail"], "the request is not allowed", "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_nothing_can_be_learned() {
    let it = OnGeneric::start(Store::Sqlite(Default::default()), 1).await;
    let before = it.stage.freshworks.journal().len();
    for authorization in ["", "Bearer", "Bearer wrong", "Basic YTpi", "a-token-for-tests-of-the-bridge"] {
        for (method, path) in [
            ("GET", "/v1/connections/acme"),
            ("GET", "/v1/connections/none"),
            ("GET", "/nowhere"),
            ("DELETE", "/v1/connections/acme"),
            ("POST", HANDOFFS),
            ("POST", "/v1/tick"),
        ] {
            let headers = [("authorization", authorization.to_owned())];
            let answer = it.stage.api.send(method, path, &headers, b"{}".to_vec()).await.unwrap();
            assert_stranger(&answer, path);
        }
    }
    assert_eq!(it.stage.freshworks.journal().len(), before);
    assert_eq!(
        it.stage.api.call("GET", "/v1/connections/acme", &Value::Null).await.unwrap().status,
        200,
        "it is still there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_of_strangers_have_no_effect() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    let (channel, conversation) = it.handed_over("ana").await;
    let freshworks = &it.stage.freshworks;
    let maya = freshworks.agent_id("Maya Chen").unwrap();

    // Freshworks' webhook with a wrong signature, by another key, without one.
    for fault in [Broken::CorruptSignature, Broken::WrongKey, Broken::StripSignature] {
        freshworks.set_behaviour(|it| it.webhook_retries.clear());
        freshworks.fail_webhooks_of(Action::MessageCreate, fault.clone(), 1);
        let sent = freshworks.reply(&conversation.id, &maya, "forged").await.unwrap();
        let broken = sent.iter().find(|sent| sent.fault.is_some()).unwrap();
        assert_eq!(broken.status_of_receiver(), Some(401), "{fault:?}");
    }
    // A genuine one: replayed, altered, at a wrong path, and at another tenant's.
    freshworks.clear_faults();
    let sent = freshworks.reply(&conversation.id, &maya, "genuine").await.unwrap();
    println!("{:?}", sent.iter().map(|s| (s.action, s.outcome, s.fault.clone())).collect::<Vec<_>>());
    let genuine = sent.iter().find(|sent| sent.action == Action::MessageCreate).unwrap();
    assert_eq!(genuine.status_of_receiver(), Some(204));
    let connection = it.stage.api.call("GET", "/v1/connections/acme", &Value::Null).await.unwrap();
    let url = connection.body["webhooks"]["freshchat"].as_str().unwrap().to_owned();
    let signature = genuine.header("x-freshchat-signature").unwrap().to_owned();
    let headers = [("x-freshchat-signature", signature)];
    let send = async |url: &str, body: Vec<u8>| it.stage.api.send("POST", url, &headers, body).await.unwrap();
    assert_eq!(send(&url, genuine.body.clone()).await.status, 204, "a replay is acknowledged");
    let mut altered = genuine.body.clone();
    altered.push(b' ');
    assert_stranger(&send(&url, altered).await, "altered");
    let wrong_secret = format!("{}x", &url[..url.len() - 1]);
    assert_stranger(&send(&wrong_secret, genuine.body.clone()).await, "wrong path");
    assert_stranger(&send(&url.replace("/acme/", "/other/"), genuine.body.clone()).await, "another tenant");

    // The platform's webhooks.
    let users = count(&it.stage, &conversation.id, "");
    it.platform.fail_webhooks(&[WebhookFault::WrongSignature, WebhookFault::Altered]);
    it.platform.user_says(&channel, "not heard");
    it.platform.settle().await;
    assert_eq!(it.platform.given_up(), 2);
    assert_eq!(count(&it.stage, &conversation.id, ""), users);

    let genuine_once =
        |seen: &[platform_simulator::Seen]| seen.iter().filter(|seen| seen.text == "genuine").count() == 1;
    let seen = within("the genuine one", it.platform.wait_for(&channel, genuine_once)).await;
    assert!(!seen.iter().any(|seen| seen.text == "forged"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_crosses_between_tenants() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    let (_, conversation) = it.handed_over("ana").await;
    let body = json!({ "settings": it.stage.settings(), "platform": delight_settings(&it.platform) });
    let other = it.stage.api.call("PUT", "/v1/connections/acme2", &body).await.unwrap();
    assert_eq!(other.status, 200);
    let open = it.stage.api.call("GET", HANDOFFS, &Value::Null).await.unwrap();
    let id = open.body["handoffs"][0]["id"].as_str().unwrap().to_owned();
    let foreign = format!("/v1/connections/acme2/handoffs/{id}");
    let message = json!({ "id": "m", "sender": { "role": "end-user" }, "sent_at": 1_790_000_000_000_u64, "parts": [{ "kind": "text", "text": "astray" }] });
    for (method, path, body) in [
        ("GET", foreign.clone(), Value::Null),
        ("POST", format!("{foreign}/messages"), message),
        ("POST", format!("{foreign}/close"), json!({ "reason": "user-left" })),
        ("POST", format!("{foreign}/tick"), Value::Null),
    ] {
        let answer = it.stage.api.call(method, &path, &body).await.unwrap();
        assert_eq!((answer.status, &answer.body["kind"]), (404, &json!("unknown")), "{path}");
    }
    let open = it.stage.api.call("GET", "/v1/connections/acme2/handoffs", &Value::Null).await.unwrap();
    assert_eq!(open.body["handoffs"], json!([]));
    assert_eq!(count(&it.stage, &conversation.id, "astray"), 0);

    // Each has its own paths, and deleting one leaves the other.
    let first = it.stage.api.call("GET", "/v1/connections/acme", &Value::Null).await.unwrap();
    assert_ne!(first.body["webhooks"]["platform"], other.body["webhooks"]["platform"]);
    assert_eq!(it.stage.api.call("DELETE", "/v1/connections/acme2", &Value::Null).await.unwrap().status, 204);
    assert_eq!(it.stage.api.call("GET", &format!("{HANDOFFS}/{id}"), &Value::Null).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_long_are_refused_unread() {
    let it = OnGeneric::start(Store::Sqlite(Default::default()), 1).await;
    let long = vec![b' '; 8 * 1024 * 1024 + 1];
    let headers = [("authorization", format!("Bearer {}", e2e::TOKEN))];
    let answer = it.stage.api.send("POST", HANDOFFS, &headers, long.clone()).await;
    if let Ok(answer) = answer {
        assert_eq!((answer.status, &answer.body["kind"]), (413, &json!("too-large")));
    }
    // Unauthorised bodies are not read to the end.
    if let Ok(answer) = it.stage.api.send("POST", HANDOFFS, &[], long).await {
        assert_stranger(&answer, "long and without a token");
    }
    assert_eq!(it.stage.api.call("GET", "/v1/health", &Value::Null).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_do_not_come_back() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    it.handed_over("ana").await;
    let mut shown = String::new();
    for path in ["/v1/connections", "/v1/connections/acme", HANDOFFS, "/v1/health", "/v1/openapi.json"] {
        shown += &it.stage.api.call("GET", path, &Value::Null).await.unwrap().body.to_string();
    }
    shown += &it.stage.log();
    for secret in [
        &it.stage.freshworks.api_key(),
        &it.platform.config().api_token,
        &"signature-secret-of".to_owned(),
        &"my parcel is lost".to_owned(),
    ] {
        assert!(!shown.contains(secret.as_str()), "{secret}");
    }
}
