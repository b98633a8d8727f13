//! Long histories: complete, in order, within the plugin's bounds.

use freshworks_simulator::MessageType;
use handoff_host::bindings::{HandoffRequest, SenderRole};

use crate::support::{Desk, SPOKEN, message, numbers_in, request, texts};

/// Hands a history over and prints the cost.
async fn hand_over(what: &str, history: Vec<handoff_host::bindings::Message>) -> Desk {
    let desk = Desk::connected().await;
    let call = desk.handoff(&HandoffRequest { history: Some(history), ..request() }, None).await;
    let report = call.report;
    println!(
        "{what}: {:.1} MiB of memory, {} requests, {:?} computing, {:?} in all",
        report.memory_bytes as f64 / f64::from(1 << 20),
        report.http.len(),
        report.cpu,
        report.wall
    );
    call.result.unwrap();
    desk
}

#[tokio::test]
async fn two_thousand_messages_arrive_completely_and_in_order() {
    let history = (0..2_000)
        .map(|number: usize| {
            let role = if number.is_multiple_of(2) { SenderRole::EndUser } else { SenderRole::AiAgent };
            let letters = "ação 日本語 🙂 ".repeat(number % 23);
            message(&number.to_string(), role, None, &format!("(message {number}) {letters}\nsecond line {SPOKEN}"))
        })
        .collect();
    let desk = hand_over("2,000 messages", history).await;
    let conversation = desk.conversation();
    assert_eq!(numbers_in(&conversation), (0..2_000).collect::<Vec<_>>());
    let written = texts(&conversation);
    assert!(written.iter().all(|(.., text)| text.chars().count() <= 5_000));
    let all: String = written.iter().map(|(.., text)| text.as_str()).collect();
    assert_eq!(all.matches(&format!("second line {SPOKEN}")).count(), 2_000);
    let pages = written.len() - 2;
    for (index, (.., page)) in written.iter().skip(1).take(pages).enumerate() {
        let end = page.lines().last().unwrap();
        assert!(end.starts_with(&format!("History {}/{pages} ", index + 1)), "{end}");
    }
    assert!(written.last().unwrap().2.contains("\nHandoff from the AI agent · History: 2000 messages · ref "));
}

#[tokio::test]
async fn one_megabyte_of_text_is_split_between_lines_and_characters() {
    let line = |number: usize| format!("(message {number}) {}", "número日本語🙂".repeat(40));
    let text: Vec<String> = (0..1_300).map(line).collect();
    let whole = text.join("\n");
    assert!(whole.len() > 1 << 20);
    let desk = hand_over("1 MB of lines", vec![message("1", SenderRole::EndUser, None, &whole)]).await;
    let conversation = desk.conversation();
    assert_eq!(numbers_in(&conversation), (0..1_300).collect::<Vec<_>>());
    let all: String = texts(&conversation).into_iter().map(|(.., text)| text).collect();
    assert_eq!(all.matches("日本語").count(), 1_300 * 40);

    let unbroken = format!("{SPOKEN}{}", "日本語🙂é".repeat(70_000));
    assert!(unbroken.len() > 1 << 20);
    let desk = hand_over("1 MB without a line end", vec![message("1", SenderRole::EndUser, None, &unbroken)]).await;
    let written = texts(&desk.conversation());
    assert!(written.iter().all(|(_, kind, text)| *kind == MessageType::Normal && text.chars().count() <= 5_000));
    let [_, pages @ .., _] = &written[..] else { panic!("no pages") };
    let joined: String = pages.iter().filter_map(|(.., text)| Some(text.rsplit_once('\n')?.0)).collect();
    assert!(joined.ends_with(&unbroken), "not a letter is lost");
}

#[tokio::test]
async fn the_largest_history_stays_within_the_memory_of_a_call() {
    let letters = "x".repeat(((2 << 20) - 65_536) / 10_000);
    let history =
        (0..10_000).map(|number| message(&format!("{number}"), SenderRole::EndUser, None, &letters)).collect();
    let desk = hand_over("10,000 messages, 2 MiB", history).await;
    let letters: usize = texts(&desk.conversation()).iter().map(|(.., text)| text.matches('x').count()).sum();
    assert!(letters >= 10_000 * (((2 << 20) - 65_536) / 10_000));
}

#[tokio::test]
async fn a_summary_that_is_longer_than_a_message_is_complete() {
    let desk = Desk::connected().await;
    let summary: String = (0..2_000).map(|number| format!("(message {number}) {SPOKEN}\n")).collect();
    desk.handoff(&HandoffRequest { summary: Some(summary), ..request() }, None).await.result.unwrap();
    let mut conversation = desk.conversation();
    let brief = conversation.messages.pop().unwrap().text();
    assert!(brief.contains("(the whole summary stands above)") && brief.chars().count() <= 5_000, "{brief}");
    assert_eq!(numbers_in(&conversation), (0..2_000).collect::<Vec<_>>());
}
