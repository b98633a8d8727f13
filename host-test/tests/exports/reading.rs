//! Responses of Freshworks that strict parsers reject or misread.

use freshworks_simulator::WebhookFault;
use handoff_host::bindings::{ErrorKind, EventKind, Message, Mode, Part, PartKind};
use serde_json::json;

use crate::support::{
    Desk, Talk, codes, ignored, kinds, of_simulator, part, refused_as, request, said, texts, user_message,
};

#[tokio::test]
async fn loose_json_costs_neither_a_handoff_nor_a_message() {
    let desk = Desk::new().await;
    desk.sim.set_behaviour(|it| it.loose_json = true);
    let mut talk = Talk::of(desk.connect_now().await, &request()).await;
    talk.relay(&user_message("m1", &said("hello"))).await.unwrap();
    assert_eq!(texts(&talk.conversation()).pop().unwrap().2, said("hello"));
    let cut = said("cut \u{fffd}");
    let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &cut).await.unwrap();
    assert!(String::from_utf8_lossy(&webhooks[0].body).contains(r"\ud83d"), "half an emoji is on its way");
    let events = talk.hear(&webhooks).await;
    assert_eq!(kinds(&events), [EventKind::AgentMessage]);
    assert_eq!(events[0].message.as_ref().unwrap().parts[0].text, Some(cut));
    assert_eq!(events[0].agent.as_ref().unwrap().name.as_deref(), Some("Maya Chen"), "answers are read, too");
}

#[tokio::test]
async fn a_note_that_says_so_in_text_stays_private() {
    let mut talk = Talk::begin().await;
    talk.desk.sim.fail_webhook(WebhookFault::PrivateAsText);
    let webhooks = talk.desk.sim.note(&talk.id, &talk.desk.maya(), &said("between us")).await.unwrap();
    let events = talk.hear(&webhooks).await;
    assert_eq!(ignored(&events), "private-note");
    assert!(!format!("{events:?}").contains(&said("between us")));
}

#[tokio::test]
async fn a_genuine_webhook_that_cannot_be_read_is_to_be_sent_again() {
    let talk = Talk::begin().await;
    talk.desk.sim.fail_webhook(WebhookFault::TornBody);
    let webhooks = talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said("torn")).await.unwrap();
    let torn = talk.desk.on_webhook(&of_simulator(&webhooks[0]), Some(&talk.session)).await;
    let error = refused_as(torn, ErrorKind::Malformed);
    assert!(error.remedy.unwrap().contains("503"));
    assert!(!error.log.unwrap().contains(&said("torn")));
}

#[tokio::test]
async fn every_address_of_an_agents_part_is_a_link() {
    let mut talk = Talk::begin().await;
    let parts = vec![
        json!({ "hologram": { "media": { "download_url": "/files/1 2" } } }),
        json!({ "hologram": { "depth": 3 } }),
        json!({ "audio": { "url": "https://x/a b.ogg" } }),
        json!({ "attachment": [{ "name": "a.png", "content_type": "image/png", "link": "//cdn.x/a" }] }),
        json!({ "document": { "name": "a.pdf", "url": "javascript:alert(1)" } }),
    ];
    let webhooks = talk.desk.sim.reply_parts(&talk.id, &talk.desk.maya(), parts).await.unwrap();
    let message = talk.hear(&webhooks).await.remove(0).message.unwrap();
    let found: Vec<_> = message.parts.iter().map(|part| (part.kind, part.url.as_deref())).collect();
    let on_the_site = format!("{}/files/1%202", talk.desk.sim.origin());
    use PartKind::{Audio, File, Image, Unsupported};
    let wanted = [
        (Unsupported, Some(on_the_site.as_str())),
        (Unsupported, None),
        (Audio, Some("https://x/a%20b.ogg")),
        (Image, Some("https://cdn.x/a")),
        (File, None),
    ];
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_file_without_an_address_is_reported_as_lost() {
    let mut talk = Talk::begin().await;
    let lost = Part { name: Some("a.pdf".into()), ..part(PartKind::File) };
    let linked = Part { url: Some("https://files.example/b c.pdf".into()), ..part(PartKind::File) };
    let message = Message { parts: vec![lost, linked], ..user_message("m1", "") };
    let update = talk.relay(&message).await.unwrap();
    assert_eq!(codes(&update.findings), ["file-as-link", "file-without-address"]);
    assert!(update.findings[0].detail.starts_with("1 files"), "{:?}", codes(&update.findings));
    let arrived = texts(&talk.conversation()).pop().unwrap().2;
    assert_eq!(arrived, "[file: a.pdf] (could not be passed on)\n[file] https://files.example/b%20c.pdf");
}

#[tokio::test]
async fn a_ticket_tells_files_without_an_address_too() {
    let desk = Desk::new().await.with_tickets().connect_now().await;
    let mut request = request();
    (request.mode, request.user.email) = (Mode::Ticket, Some("chloe@customer.example".into()));
    request.history.as_mut().unwrap()[0].parts.push(Part { name: Some("a.pdf".into()), ..part(PartKind::File) });
    let receipt = desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(codes(&receipt.findings), ["file-without-address"]);
}

#[tokio::test]
async fn a_refused_key_asks_for_address_and_region() {
    let desk = Desk::new().await;
    desk.sim.set_api_key("another");
    let connection = desk.connect().await.result.unwrap();
    let refused = connection.findings.iter().find(|finding| finding.code == "api-key-refused").unwrap();
    let remedy = refused.remedy.as_deref().unwrap();
    assert!(remedy.starts_with("Is the Chat URL this account's address, and its region's?"), "{remedy}");
}

#[tokio::test]
async fn an_address_of_the_widget_is_refused_before_the_key_goes_there() {
    let desk = Desk::new()
        .await
        .set("test_origin", json!(null))
        .set("chat_url", "https://wchat.eu.freshchat.com/js/widget.js");
    let connection = desk.connect().await.result.unwrap();
    let refused = connection.findings.iter().find(|finding| finding.code == "chat-url-refused").unwrap();
    assert!(refused.detail.contains("widget") && refused.remedy.as_deref().unwrap().contains("Your chat URL"));
    assert!(desk.lines().is_empty());
}
