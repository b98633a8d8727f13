//! Masked values are written nowhere: history, live messages, tickets, summary.

use handoff_host::bindings::{CloseReason, HandoffRequest, Mode, Part, PartKind};
use serde_json::json;

use crate::support::{Desk, Talk, part, request, said, texts, user_message};

const CARD: &str = "4111 1111 1111 1111";

fn leaky() -> HandoffRequest {
    let mut request = request();
    request.summary = Some(said(&format!("paid with {CARD}")));
    request.reason_text = Some(said("Bearer abcdefghijklmnopqrstuvwxyz"));
    request.history.as_mut().unwrap()[0].parts[0].text = Some(said(&format!("my card is {CARD}, order 123-45-6789")));
    request.context = Some(vec![("note".into(), format!("card {CARD}"))]);
    request
}

#[tokio::test]
async fn what_the_rules_mask_is_written_nowhere() {
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
async fn the_receipt_counts_masked_places_without_showing_them() {
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

#[tokio::test]
async fn no_way_of_writing_and_no_place_hides_a_card() {
    let odd = "4\u{200b}111\u{2009}1111.1111/1111";
    let mut request = leaky();
    request.user.name = Some(format!("Ana {odd}"));
    request.history.as_mut().unwrap()[0].sender.name = Some(format!("Ana{CARD}"));
    request.history.as_mut().unwrap()[1].parts[0].text = Some(said(&format!("Is it {odd} 12/27?")));
    // The length at which a ticket's subject is truncated.
    request.category = Some(format!("{} {odd}", "o".repeat(108)));
    request.context = Some(vec![(format!("note {CARD}"), "x".repeat(190) + CARD)]);
    let map = json!({ "*": "shown, conversation.cf_reference, ticket.cf_reference" });
    let desk = Desk::new().await.set("context", map).with_tickets().connect_now().await;
    let mut talk = Talk::of(desk, &request).await;
    let mut file = user_message("m1", &said(odd));
    file.parts.push(Part { name: Some(format!("scan{CARD}.pdf")), ..part(PartKind::File) });
    talk.relay(&file).await.unwrap();
    let conversation = talk.conversation();
    let preview = talk.desk.preview(&request).await.result.unwrap();
    talk.desk.handoff(&HandoffRequest { mode: Mode::Ticket, ..request }, None).await.result.unwrap();
    let desk = &talk.desk.sim;
    let everything = format!("{:?} {:?} {:?} {:?}", desk.users(), desk.tickets(), preview.texts, preview.fields);
    let everything = format!("{everything} {:?} {:?}", texts(&conversation), conversation.properties);
    assert!(everything.contains("[masked: card number] 12/27"), "{everything}");
    for secret in ["1111", "4\u{200b}", "4111"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
}

#[tokio::test]
async fn the_ai_agent_and_the_quote_of_a_lost_message_get_none_either() {
    let mut talk = Talk::begin().await;
    let (conversation, maya) = (talk.id.clone(), talk.desk.maya());
    let words = format!("{} {CARD}", said(&"o".repeat(40)));
    let deliveries = talk.desk.sim.reply(&conversation, &maya, &words).await.unwrap();
    let events = talk.hear(&deliveries).await;
    let message = events[0].message.as_ref().unwrap().id.clone();
    talk.session = talk.desk.undelivered(&talk.session, &message).await.result.unwrap().session.unwrap();
    let update = talk.close(CloseReason::UserLeft).await.unwrap();
    let summary = update.events.iter().find_map(|event| event.summary.clone()).unwrap();
    assert!(summary.contains("[masked: card number]") && !summary.contains("1111"), "{summary}");
    let notes: Vec<String> = texts(&talk.conversation()).into_iter().map(|(.., text)| text).collect();
    let quote = notes.iter().find(|text| text.contains("Not received")).unwrap();
    assert!(!quote.contains("4111"), "{quote}");
}
