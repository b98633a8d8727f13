//! Compares the views of human agent and end user with golden files, for whole conversations through the real component.
//!
//! `golden/<name>.json` is a conversation (format: `golden/story.rs`), `<name>.agent.txt` the human agent's inbox,
//! `<name>.user.txt` what a platform learns and shows the end user. `UPDATE_GOLDEN=1` rewrites the texts: read the difference as
//! those people would before you commit it.

#[path = "golden/compare.rs"]
mod compare;
#[path = "support/file_host.rs"]
mod file_host;
#[path = "golden/play.rs"]
mod play;
#[path = "support/plugin.rs"]
mod plugin;
#[path = "golden/story.rs"]
mod story;
#[path = "golden/views.rs"]
mod views;

use std::collections::BTreeSet;
use std::path::PathBuf;

use compare::{hold_against, updating};
use story::{Act, FILE_HOST, Story};
use views::{BAR, OWN_WORDS, PRIVATE};

/// A test for each conversation, and their names.
macro_rules! conversations {
    ($($name:ident),* $(,)?) => {
        const CONVERSATIONS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[tokio::test]
            async fn $name() {
                reads_as_before(stringify!($name)).await;
            }
        )*
    };
}

conversations! {
    arabic_order_numbers,
    brazilian_refund_without_notes,
    chinese_two_questions_without_summary,
    english_late_delivery_with_notes,
    files_both_ways,
    forged_lines_and_markup,
    german_formal_by_phone,
    japanese_emoji_and_wide_letters,
    polish_parcel_without_summary_in_local_time,
    reopened_with_two_agents,
    secrets_in_the_conversation,
    six_hundred_messages,
}

async fn reads_as_before(name: &str) {
    let seen = play::play(&file(name, "json")).await;
    hold_against(&file(name, "agent.txt"), &seen.agent);
    hold_against(&file(name, "user.txt"), &seen.user);
}

fn folder() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden").into()
}

fn file(name: &str, ending: &str) -> PathBuf {
    folder().join(format!("{name}.{ending}"))
}

fn golden(name: &str, ending: &str) -> String {
    std::fs::read_to_string(file(name, ending)).unwrap_or_else(|error| panic!("{name}.{ending}: {error}"))
}

/// The end user's view, without the end user's own words.
fn told(name: &str) -> String {
    let (text, mut own) = (golden(name, "user.txt"), false);
    let mut told = String::new();
    for line in text.lines() {
        own = line.starts_with(OWN_WORDS) || (own && line.starts_with(BAR));
        // The summary repeats their words too.
        if !own && !line.starts_with("  | End user: ") {
            told.push_str(line);
            told.push('\n');
        }
    }
    assert!(told.contains("agent-message"), "{name}: nothing is reported");
    told
}

#[test]
fn every_conversation_has_its_golden_files_and_none_is_stale() {
    if updating() {
        return;
    }
    let endings = ["json", "agent.txt", "user.txt"];
    let expected = CONVERSATIONS.iter().flat_map(|name| endings.map(|ending| format!("{name}.{ending}")));
    let expected: BTreeSet<String> = expected.collect();
    let names = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> = names.filter(|name| !name.ends_with(".rs")).collect();
    let (missing, stale) = (&expected - &found, &found - &expected);
    assert!(missing.is_empty() && stale.is_empty(), "missing: {missing:?}, stale: {stale:?}");
}

#[test]
fn no_private_word_reaches_the_end_user() {
    if updating() {
        return;
    }
    let mut notes = 0;
    for name in CONVERSATIONS {
        let (inbox, told) = (golden(name, "agent.txt"), told(name));
        let private = private_lines(&inbox);
        for line in &private {
            assert!(!told.contains(line), "{name}: the end user reads a private line: {line}");
        }
        for act in Story::read(&file(name, "json"), FILE_HOST).script {
            let Act::AgentNotes { text, .. } = act else { continue };
            let is_there = |line: &str| private.iter().any(|private| private.ends_with(line));
            assert!(text.lines().all(is_there), "{name}: a note is not a private one in the inbox: {text}");
            notes += 1;
        }
    }
    assert!(notes >= CONVERSATIONS.len(), "too few notes to prove anything: {notes}");
}

/// The private notes, including those of the handoff.
fn private_lines(inbox: &str) -> Vec<&str> {
    let mut private = false;
    let mut lines = Vec::new();
    for line in inbox.lines() {
        match line.strip_prefix(BAR) {
            Some(text) if private && !text.trim().is_empty() => lines.push(text.trim()),
            Some(_) => {}
            None => private = line.ends_with(PRIVATE),
        }
    }
    lines
}

#[test]
fn no_marker_reaches_the_end_user() {
    if updating() {
        return;
    }
    for name in CONVERSATIONS {
        assert!(markers_in(&golden(name, "agent.txt")) > 0, "{name}: the inbox has no marker");
        assert_eq!(markers_in(&told(name)), 0, "{name}: the end user reads a marker");
    }
}

/// How many `ref xxxxxxxx` are in a text.
fn markers_in(text: &str) -> usize {
    let is_marker = |rest: &&str| rest.bytes().take_while(u8::is_ascii_hexdigit).count() == 8;
    text.split("ref ").skip(1).filter(is_marker).count()
}

#[test]
fn markers_are_found_anywhere_in_a_line() {
    assert_eq!(markers_in("History 1/2 · ref 7f3a9c2e\nthe end · ref 00112233 end"), 2);
    assert_eq!(markers_in("your ref 12, href 7f3a9c2 and ref 123456789"), 0);
}
