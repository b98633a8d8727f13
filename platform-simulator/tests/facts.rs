//! What the platforms promise, as their callers see it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use platform_simulator::{Caller, Config, Delight, Effect, Fault, Generic, How, UserSpec, WebhookFault};
use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn call(it: &Delight, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    let token = it.config().api_token.clone();
    call_as(it, &token, method, path, body).await
}

async fn call_as(it: &Delight, token: &str, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder().method(method).uri(format!("{}{path}", it.origin()));
    let request = request.header("api-token", token).header("content-type", "application/json; charset=utf8");
    let response = client.request(request.body(Full::new(Bytes::from(body))).unwrap()).await.ok()?;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&bytes).unwrap_or_default()))
}

fn ana() -> UserSpec {
    UserSpec { id: "ana".into(), nickname: "Ana".into(), photo: String::new() }
}

type Heard = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// Somebody who takes webhooks, and answers with these statuses first.
async fn listener(statuses: &[u16]) -> (String, Heard) {
    let heard = Heard::default();
    let answers = Arc::new(Mutex::new(statuses.to_vec()));
    let hear = |State((heard, answers)): State<(Heard, Arc<Mutex<Vec<u16>>>)>, headers: HeaderMap, body: Bytes| async move {
        heard.lock().unwrap().push((headers, serde_json::from_slice(&body).unwrap()));
        let mut answers = answers.lock().unwrap();
        let status = if answers.is_empty() { 204 } else { answers.remove(0) };
        StatusCode::from_u16(status).unwrap()
    };
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", socket.local_addr().unwrap());
    let router = Router::new().fallback(hear).with_state((heard.clone(), answers));
    tokio::spawn(async move { axum::serve(socket, router).await });
    (url, heard)
}

#[tokio::test]
async fn a_repeated_dedup_id_shows_nothing_new() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    let path = format!("/v3/group_channels/{channel}/messages");
    let body = json!({ "message_type": "ADMM", "message": "Maya joined", "dedup_id": "1" });
    let (status, first) = call(&it, "POST", &path, &body).await.unwrap();
    let (_, again) = call(&it, "POST", &path, &body).await.unwrap();
    assert_eq!((status, &first["message_id"]), (200, &again["message_id"]));
    assert_eq!(it.seen_by_user(&channel).len(), 1);
}

#[tokio::test]
async fn only_members_write_and_only_with_the_token() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    let path = format!("/v3/group_channels/{channel}/messages");
    let body = json!({ "message_type": "MESG", "user_id": "maya", "message": "Hi" });
    call(&it, "POST", "/v3/users", &json!({ "user_id": "maya", "nickname": "Maya", "profile_url": "" })).await;
    assert_eq!(call(&it, "POST", &path, &body).await.unwrap().0, 400);
    let invite = format!("/v3/group_channels/{channel}/invite");
    assert_eq!(call(&it, "POST", &invite, &json!({ "user_ids": ["maya"] })).await.unwrap().0, 200);
    assert_eq!(call_as(&it, "wrong", "POST", &path, &body).await.unwrap().0, 401);
    assert_eq!(call(&it, "POST", &path, &body).await.unwrap().0, 200);
    assert_eq!(it.seen_by_user(&channel)[0].name, "Maya");
    let (status, error) = call(&it, "POST", "/v3/group_channels/none/messages", &body).await.unwrap();
    assert_eq!((status, &error["code"]), (400, &json!(400_201)));
}

#[tokio::test]
async fn lists_go_both_ways_from_a_time_and_include_it() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    for text in ["one", "two", "three"] {
        it.user_says(&channel, text);
    }
    let list = async |query: String| {
        let (status, found) =
            call(&it, "GET", &format!("/v3/group_channels/{channel}/messages?{query}"), &Value::Null).await.unwrap();
        let texts: Vec<String> = found["messages"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one["message"].as_str().unwrap().to_owned())
            .collect();
        let at = found["messages"].as_array().and_then(|all| all.get(1)?["created_at"].as_u64()).unwrap_or(0);
        (status, texts, at)
    };
    let (_, all, middle) = list("message_ts=0&prev_limit=0&next_limit=200".into()).await;
    assert_eq!(all, ["one", "two", "three"]);
    assert_eq!(list(format!("message_ts={middle}&prev_limit=200&next_limit=0")).await.1, ["one", "two"]);
    assert_eq!(list(format!("message_ts={middle}&prev_limit=0&next_limit=1")).await.1, ["two", "three"]);
    assert_eq!(list("message_ts=0&next_limit=201".into()).await.0, 400);
    assert_eq!(list("prev_limit=1".into()).await.0, 400);
}

#[tokio::test]
async fn the_webhooks_secret_is_made_once_and_categories_are_known() {
    let it = Delight::start(Config::default()).await.unwrap();
    let path = "/v3/ai_agent/settings/webhook";
    assert!(call(&it, "GET", path, &Value::Null).await.unwrap().1["signature_secret"].is_null());
    let body = json!({ "enabled": true, "url": "http://127.0.0.1:1/", "category_subscriptions": ["handoff"] });
    let (_, first) = call(&it, "PUT", path, &body).await.unwrap();
    let (_, again) = call(&it, "PUT", path, &body).await.unwrap();
    assert!(first["signature_secret"].is_string() && first["signature_secret"] == again["signature_secret"]);
    for wrong in [json!(["nonsense"]), json!(["*", "handoff"])] {
        let body = json!({ "category_subscriptions": wrong });
        assert_eq!(call(&it, "PUT", path, &body).await.unwrap().0, 400);
    }
    let closed = Delight::start(Config { may_set_webhook: false, ..Config::default() }).await.unwrap();
    assert_eq!(call(&closed, "PUT", path, &body).await.unwrap().0, 403);
}

#[tokio::test]
async fn webhooks_come_in_order_signed_and_again_until_they_are_taken() {
    let it = Delight::start(Config::default()).await.unwrap();
    let (url, heard) = listener(&[500, 503]).await;
    it.set_chat_webhook(Some(url));
    let channel = it.user_opens(&ana(), &[]);
    it.user_says(&channel, "one");
    it.user_says(&channel, "two");
    it.settle().await;
    let heard = heard.lock().unwrap();
    let texts: Vec<&str> = heard.iter().map(|(_, body)| body["payload"]["message"].as_str().unwrap()).collect();
    assert_eq!(texts, ["one", "one", "one", "two"]);
    assert!(heard.iter().all(|(headers, _)| headers["x-sendbird-signature"].len() == 64));
    assert_eq!(heard[0].1["sender"]["user_id"], "ana");
    assert_eq!(it.given_up(), 0);
}

#[tokio::test]
async fn webhooks_are_given_up_after_three_tries_and_faults_hit_one() {
    let it = Delight::start(Config::default()).await.unwrap();
    let (url, heard) = listener(&[500, 500, 500]).await;
    it.set_chat_webhook(Some(url));
    let channel = it.user_opens(&ana(), &[]);
    it.user_says(&channel, "one");
    it.settle().await;
    assert_eq!((it.given_up(), heard.lock().unwrap().len()), (1, 3));
    it.fail_webhooks(&[WebhookFault::Dropped, WebhookFault::Doubled]);
    it.user_says(&channel, "two");
    it.user_says(&channel, "three");
    it.settle().await;
    let texts: Vec<Value> =
        heard.lock().unwrap().iter().skip(3).map(|(_, body)| body["payload"]["message"].clone()).collect();
    assert_eq!(texts, ["three", "three"]);
}

#[tokio::test]
async fn the_context_is_replaced_and_faults_may_come_after_the_effect() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[("plan", "pro")]);
    let path = format!("/v3/ai_agent/ai_agents/helper/channels/{channel}/ai_agent_context");
    assert_eq!(call(&it, "GET", &path, &Value::Null).await.unwrap().1["context"]["plan"], "pro");
    it.fail(Fault::new("PUT", "ai_agent_context", How::Cut, Effect::After));
    assert!(call(&it, "PUT", &path, &json!({ "context": { "a": "b" } })).await.is_none());
    assert_eq!(it.context(&channel)["context"], json!({ "a": "b" }));
    it.fail(Fault::new("PUT", "ai_agent_context", How::Status(500), Effect::Before));
    assert_eq!(call(&it, "PUT", &path, &json!({})).await.unwrap().0, 500);
    assert_eq!(it.context(&channel)["context"], json!({ "a": "b" }));
}

#[tokio::test]
async fn files_keep_their_names() {
    let it = Delight::start(Config::default()).await.unwrap();
    let channel = it.user_opens(&ana(), &[]);
    it.user_sends_file(&channel, "confirmación 1?.pdf", "application/pdf", b"%PDF");
    let seen = it.seen_by_user(&channel).remove(0);
    assert_eq!(seen.file_name, "confirmación 1?.pdf");
    let path = seen.url.strip_prefix(it.origin()).unwrap();
    assert!(path.is_ascii() && !path.contains(' '));
    assert_eq!(call_as(&it, "", "GET", path, &Value::Null).await.unwrap().0, 200);
}

#[tokio::test]
async fn any_other_platform_takes_what_is_signed_and_tells_repeats() {
    let it = Generic::start(SECRET).await.unwrap();
    let caller = Caller::default();
    let data = json!({ "key": { "application": "a", "channel": "c", "conversation": "1" },
                       "events": [{ "id": "e-1", "kind": "resolved" }] });
    for _ in 0..2 {
        assert_eq!(caller.webhook(&it.callback_url(), SECRET, "evt_1", "handoff.events", &data).await.0, 204);
    }
    assert_eq!((it.events("1").len(), it.counts()), (1, (1, 0)));
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(caller.webhook(&it.callback_url(), other, "evt_2", "handoff.events", &data).await.0, 401);
    assert_eq!(it.counts(), (1, 1));
}

#[tokio::test]
async fn a_good_platform_repeats_until_it_is_done() {
    let (url, heard) = listener(&[503, 503]).await;
    assert_eq!(Caller::default().post(&url, "token", &json!({})).await.0, 204);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 3);
    assert_eq!(heard[0].0["authorization"], "Bearer token");
}
