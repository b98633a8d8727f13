//! The simulator as people start it.

use std::process::Stdio;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{ChildStdout, Command};

use crate::support::verifies;

type Lines = tokio::io::Lines<BufReader<ChildStdout>>;

async fn next_line(lines: &mut Lines) -> String {
    let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await.expect("a line in time");
    line.expect("output").expect("a line")
}

async fn line_with(lines: &mut Lines, start: &str) -> String {
    loop {
        let line = next_line(lines).await;
        if let Some(rest) = line.strip_prefix(start) {
            return rest.to_owned();
        }
    }
}

/// The id behind a name in the introduction.
async fn id_of(lines: &mut Lines, what: &str) -> String {
    let line = line_with(lines, what).await;
    line.rsplit(' ').next().expect("an id").to_owned()
}

async fn post(url: &str, key: &str, body: Value) -> Value {
    let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(HttpConnector::new());
    let request = Request::post(url).header("authorization", format!("Bearer {key}"));
    let request = request.header("content-type", "application/json").body(Full::from(body.to_string()));
    let response = client.request(request.expect("a request")).await.expect("a response");
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    serde_json::from_slice(&body).expect("JSON")
}

#[tokio::test]
async fn the_program_writes_settings_and_prints_webhooks_whole_without_a_receiver() {
    let file = std::env::temp_dir().join(format!("simulator-settings-{}.json", std::process::id()));
    let mut child = Command::new(env!("CARGO_BIN_EXE_freshworks-simulator"))
        .args(["--port", "0", "--quiet", "--print-webhooks", "--settings"])
        .arg(&file)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let topic = id_of(&mut lines, "Topic       Sendbird Integration").await;
    let maya = id_of(&mut lines, "Agent       Maya Chen").await;
    line_with(&mut lines, "Inbox").await;
    let settings: Value = serde_json::from_slice(&std::fs::read(&file).expect("the settings")).expect("JSON");
    std::fs::remove_file(&file).expect("the settings");
    let text = |name: &str| settings[name].as_str().expect("a text").to_owned();
    let (origin, key) = (text("test_origin"), text("api_key"));

    let user = post(&format!("{origin}/v2/users"), &key, json!({ "first_name": "Ana" })).await;
    let message = json!({
        "message_parts": [{ "text": { "content": "My parcel is lost" } }],
        "message_type": "normal", "actor_type": "user", "actor_id": user["id"],
    });
    let conversation = json!({ "channel_id": topic, "users": [{ "id": user["id"] }], "messages": [message] });
    let conversation = post(&format!("{origin}/v2/conversations"), &key, conversation).await;
    let conversation = conversation["conversation_id"].as_str().expect("an id");
    let reply = format!("{origin}/simulator/conversations/{conversation}/reply");
    post(&reply, &key, json!({ "agent": maya, "text": "Let me look" })).await;

    // The end user's message comes first.
    loop {
        line_with(&mut lines, "-> message_create not sent: no webhook URL").await;
        let signature = line_with(&mut lines, "X-Freshchat-Signature: ").await;
        line_with(&mut lines, "X-Retry-Count: 0").await;
        assert_eq!(next_line(&mut lines).await, "");
        let body = next_line(&mut lines).await;
        assert!(verifies(&text("webhook_public_key"), body.as_bytes(), &signature), "{body}");
        if body.contains("Let me look") {
            break;
        }
    }
}
