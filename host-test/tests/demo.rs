//! The demonstration against the real component.

use std::sync::Arc;

use host_test::demo::{self, Options, Screen, Story};
use host_test::{Engine, EngineSettings, Plugin};
use serde_json::Value;

fn plugin() -> Plugin {
    let path = std::env::var_os("FRESHWORKS_PLUGIN").map(std::path::PathBuf::from);
    let path = path.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").into());
    assert!(path.exists(), "run `cargo xtask build` first");
    Plugin::load(&Engine::new(EngineSettings::default()).unwrap(), &path, None).unwrap()
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
    assert!(messages[0]["text"].as_str().unwrap().contains("Summary:"));
    let lines = text
        .lines()
        .filter(|line| line.contains("(user): ") || line.contains("(AI agent): ") || line.contains("(system): "));
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
