//! The demonstration against the real component.

use std::sync::Arc;

use host_test::demo::{self, CONVERSATION, Options, Screen};
use host_test::{Engine, EngineSettings, Plugin};
use serde_json::Value;

fn plugin() -> Plugin {
    let path = std::env::var_os("FRESHWORKS_PLUGIN").map(std::path::PathBuf::from);
    let path = path.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").into());
    assert!(path.exists(), "run `cargo xtask build` first");
    Plugin::load(&Engine::new(EngineSettings::default()).unwrap(), &path, None).unwrap()
}

async fn play(note_author: bool) -> Value {
    let screen = Arc::new(Screen::new(true));
    let options = Options { conversation: CONVERSATION.to_owned(), interactive: false, note_author };
    demo::run(&plugin(), &options, Arc::clone(&screen)).await.unwrap();
    screen.to_json()
}

fn facts<'a>(story: &'a Value, section: &str) -> Vec<&'a Value> {
    let sections = story["sections"].as_array().unwrap();
    let found = sections.iter().find(|found| found["title"].as_str().unwrap().contains(section)).unwrap();
    found["facts"].as_array().unwrap().iter().collect()
}

#[tokio::test]
async fn the_story_holds_what_it_claims() {
    let story = play(false).await;
    let claims = story["claims"].as_array().unwrap();
    assert_eq!(claims.len(), 8);
    assert!(claims.iter().all(|claim| claim["holds"] == true), "{claims:?}");
    let events = facts(&story, "The conversation");
    let kinds: Vec<&str> =
        events.iter().filter_map(|fact| fact["event"]["kind"].as_str()).filter(|kind| *kind != "ignored").collect();
    assert_eq!(kinds, ["agent-assigned", "agent-message", "agent-message", "resolved", "returned-to-ai"]);
    let ignored: Vec<&str> = events.iter().filter_map(|fact| fact["event"]["detail"].as_str()).collect();
    assert!(ignored.contains(&"private-note"), "{ignored:?}");
    assert!(!facts(&story, "end user saw").iter().any(|fact| fact["text"].as_str().unwrap().contains("INTERNAL")));
}

#[tokio::test]
async fn with_an_author_the_history_comes_as_private_notes() {
    let story = play(true).await;
    let inbox = facts(&story, "inbox");
    let authors: Vec<&str> = inbox.iter().filter_map(|fact| fact["who"].as_str()).collect();
    assert_eq!(authors[..2], ["User", "Tom Okafor (private note)"]);
}

#[tokio::test]
async fn a_conversation_that_cannot_be_read_is_named() {
    let options = Options { conversation: r#"{"user": 1}"#.to_owned(), interactive: false, note_author: false };
    let error = demo::run(&plugin(), &options, Arc::new(Screen::new(true))).await.unwrap_err();
    assert!(error.to_string().contains("conversation.key"), "{error}");
}
