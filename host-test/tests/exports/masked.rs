//! What the rules of the settings mask reaches nobody: not in the history, not live, not in a ticket, not in the summary.

use host_test::bindings::{HandoffRequest, Mode};
use serde_json::json;

use crate::support::{Desk, Talk, request, said, texts, user_message};

const CARD: &str = "4111 1111 1111 1111";

fn leaky() -> HandoffRequest {
    let mut request = request();
    request.summary = Some(said(&format!("paid with {CARD}")));
    request.reason_text = Some(said("Bearer abcdefghijklmnopqrstuvwxyz"));
    request.history[0].parts[0].text = Some(said(&format!("my card is {CARD}, order 123-45-6789")));
    request.context = vec![("note".into(), format!("card {CARD}"))];
    request
}

#[tokio::test]
async fn what_the_rules_name_reaches_nobody() {
    let rules = json!(["card-numbers", "tokens", "###-##-####"]);
    let map = json!({ "note": "shown, conversation.cf_reference, user.note" });
    let desk = Desk::new().await.set("masking", rules).set("context", map).with_tickets().connect_now().await;
    let mut talk = Talk::of(desk, &leaky()).await;
    talk.relay(&user_message("m1", &said(&format!("again {CARD}")))).await.unwrap();
    let conversation = talk.conversation();
    let all: String = texts(&conversation).into_iter().map(|(.., text)| text + "\n").collect();
    assert!(all.contains("[masked: card number]"), "{all}");
    let ticket = HandoffRequest { mode: Mode::Ticket, ..leaky() };
    talk.desk.handoff(&ticket, None).await.result.unwrap();
    let ticket = talk.desk.sim.tickets().remove(0);
    let everything = format!("{all} {:?} {:?} {ticket:?}", conversation.properties, talk.desk.sim.users());
    for secret in [CARD, "1111", "abcdefghijklmnop", "123-45-6789"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
}

#[tokio::test]
async fn how_much_was_masked_is_told_and_not_what() {
    let desk = Desk::connected().await;
    let receipt = desk.handoff(&leaky(), None).await.result.unwrap();
    let told = receipt.decisions.iter().find(|decision| decision.subject == "masking").unwrap();
    assert_eq!(told.choice, "3", "card twice, token once: the default rules");
}

#[tokio::test]
async fn an_empty_list_masks_nothing() {
    let desk = Desk::connected().await.set("masking", json!([]));
    desk.handoff(&leaky(), None).await.result.unwrap();
    let all: String = texts(&desk.conversation()).into_iter().map(|(.., text)| text).collect();
    assert!(all.contains(CARD));
}
