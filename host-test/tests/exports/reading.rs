//! What Freshworks sends and strict readers refuse, or take for something else.

use freshworks_simulator::WebhookFault;
use host_test::bindings::{ErrorKind, EventKind};

use crate::support::{Desk, Talk, ignored, kinds, of_simulator, refused_as, request, said, texts, user_message};

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
