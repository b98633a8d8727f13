//! The demonstration against the real component.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handoff_host::{Engine, EngineSettings, Plugin};
use host_test::demo::{self, Options, Screen, Story};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

fn plugin_file() -> PathBuf {
    let path = std::env::var_os("FRESHWORKS_PLUGIN").map(PathBuf::from);
    let path = path.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").into());
    assert!(path.exists(), "run `cargo xtask build` first");
    path
}

fn plugin() -> Plugin {
    Plugin::load(&Engine::new(EngineSettings::default()).unwrap(), &plugin_file(), None).unwrap()
}

async fn play(story: Story, note_author: bool) -> Value {
    let screen = Arc::new(Screen::new(true));
    let options = Options { request: demo::conversation().unwrap(), story, note_author };
    demo::run(&plugin(), options, Arc::clone(&screen)).await.unwrap();
    screen.to_json()
}

fn facts<'a>(story: &'a Value, section: &str) -> &'a [Value] {
    story["sections"][section].as_array().unwrap()
}

#[tokio::test]
async fn the_story_holds_what_it_claims() {
    let story = play(Story::Scripted, false).await;
    let claims = story["claims"].as_array().unwrap();
    assert!(claims.len() >= 12 && claims.iter().all(|claim| claim["holds"] == true), "{claims:?}");

    let events: Vec<&Value> = facts(&story, "conversation").iter().filter_map(|fact| fact.get("event")).collect();
    let kinds: Vec<&str> =
        events.iter().filter_map(|event| event["kind"].as_str()).filter(|kind| *kind != "ignored").collect();
    assert_eq!(kinds, ["agent-assigned", "agent-message", "agent-message", "resolved", "returned-to-ai"]);
    let ignored: Vec<&str> = events.iter().filter_map(|event| event["detail"].as_str()).collect();
    assert!(ignored.contains(&"private-note") && ignored.contains(&"duplicate"), "{ignored:?}");
    let seen: Vec<&str> = facts(&story, "end-user").iter().filter_map(|line| line["text"].as_str()).collect();
    assert!(seen.len() >= 5 && !seen.iter().any(|text| text.contains("INTERNAL")), "{seen:?}");
}

#[tokio::test]
async fn the_inbox_holds_the_summary_and_all_twenty_messages() {
    let story = play(Story::Scripted, false).await;
    let messages = facts(&story, "inbox")[0]["inbox"]["messages"].as_array().unwrap().clone();
    let text: String = messages.iter().filter_map(|message| message["text"].as_str()).collect();
    let brief = messages.iter().filter_map(|message| message["text"].as_str()).find(|text| text.contains("Summary:"));
    assert!(
        brief.unwrap().lines().last().unwrap().starts_with("Handoff from the AI agent · History: 20 messages · ref ")
    );
    let is_clock = |at: &str| {
        at.bytes().enumerate().all(|(place, byte)| if place == 2 { byte == b':' } else { byte.is_ascii_digit() })
    };
    let lines = text.lines().filter(|line| line.split_once(' ').is_some_and(|(at, _)| at.len() == 5 && is_clock(at)));
    assert_eq!(lines.count(), 20);
}

#[tokio::test]
async fn with_an_author_the_history_comes_as_private_notes() {
    let story = play(Story::Scripted, true).await;
    let messages = &facts(&story, "inbox")[0]["inbox"]["messages"];
    assert_eq!((&messages[0]["private"], &messages[1]["private"]), (&Value::Bool(false), &Value::Bool(true)));
}

#[tokio::test]
async fn the_person_at_the_terminal_can_talk_and_leave() {
    let (typed, lines) = tokio::sync::mpsc::channel(4);
    typed.send("Is anybody there?".to_owned()).await.unwrap();
    typed.send("/end".to_owned()).await.unwrap();
    let story = play(Story::Interactive(lines), false).await;
    let returned = facts(&story, "conversation").iter().filter_map(|fact| fact["event"]["outcome"].as_str());
    assert_eq!(returned.collect::<Vec<_>>(), ["abandoned"]);
}

/// The inbox page's request.
async fn browser(method: &str, url: &str, body: &Value) -> Value {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = http::Request::builder().method(method).uri(url).header("content-type", "application/json");
    let response = client.request(request.body(Full::new(Bytes::from(body.to_string()))).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200, "{url}");
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test]
async fn resolving_in_the_browser_ends_the_demo_without_input() {
    let mut demo = tokio::process::Command::new(env!("CARGO_BIN_EXE_host-test"))
        .args(["demo", "--interactive", "--plugin"])
        .arg(plugin_file())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // Held until the end: a terminal stays open too.
    let _keyboard = demo.stdin.take().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let inbox = loop {
        let line = lines.next_line().await.unwrap().expect("it ended before it named the inbox page");
        if let Some((_, url)) = line.split_once("in a browser: ") {
            break url.to_owned();
        }
    };

    let state = browser("GET", &format!("{inbox}simulator/state"), &Value::Null).await;
    let (agent, id) = (&state["agents"][0]["id"], state["conversations"][0]["id"].as_str().unwrap());
    let act = |act: &str| format!("{inbox}simulator/conversations/{id}/{act}");
    browser("POST", &act("reply"), &json!({ "agent": agent, "text": "Hello from the browser" })).await;
    browser("POST", &act("note"), &json!({ "agent": agent, "text": "INTERNAL" })).await;
    browser("POST", &act("resolve"), &json!({ "agent": agent })).await;

    let mut rest = String::new();
    let mut output = lines.into_inner();
    let ended = async { (output.read_to_string(&mut rest).await.unwrap(), demo.wait().await.unwrap()) };
    let (_, status) = tokio::time::timeout(Duration::from_secs(30), ended).await.expect("it did not end");
    assert!(status.success(), "{rest}");
    assert!(rest.contains("Maya Chen: Hello from the browser"), "{rest}");
    assert!(!rest.contains("INTERNAL"), "{rest}");
}
