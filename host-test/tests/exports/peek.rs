//! `peek`: the conversations of a webhook body.

use handoff_host::bindings::Delivery;

use crate::support::{NOW, Talk, body, plugin, reaching, said};
use crate::webhook_payloads::{ERAS, published};

pub(crate) const COVERED: crate::coverage::Covered = &[("ok", "both_ids_are_found_in_every_era")];

async fn peek(body: &str) -> Vec<String> {
    let call = plugin().peek(&reaching(&[]), body).await;
    assert!(call.report.http.is_empty());
    call.result.unwrap()
}

#[tokio::test]
async fn both_ids_are_found_in_every_era() {
    for era in ERAS {
        let talk = Talk::begin().await;
        talk.desk.sim.set_behaviour(|it| it.era = era);
        let maya = talk.desk.maya();
        let mut webhooks = talk.desk.sim.reply(&talk.id, &maya, &said("hello")).await.unwrap();
        webhooks.extend(talk.desk.sim.resolve(&talk.id, &maya).await.unwrap());
        webhooks.extend(talk.desk.sim.reopen(&talk.id, &maya).await.unwrap());
        let number = talk.conversation().internal_id.to_string();
        for webhook in &webhooks {
            let ids = peek(&body(webhook)).await;
            assert_eq!(ids[0], talk.id, "{era:?}");
            assert!(ids.len() == 1 || ids[1] == number, "{era:?}: {ids:?}");
        }
        let has_number = era == freshworks_simulator::Era::Y2024;
        assert_eq!(peek(&body(&webhooks[0])).await.len(), if has_number { 2 } else { 1 }, "{era:?}");
    }
}

#[tokio::test]
async fn every_published_body_names_its_conversation() {
    for (name, body) in published() {
        let expected = usize::from(!name.starts_with("outbound"));
        assert_eq!(peek(&body).await.len(), expected, "{name}");
    }
}

#[tokio::test]
async fn ids_that_are_numbers_are_found() {
    let body = r#"{"action":"message_create","data":{"message":{"id":"m","conversation_id":1019183591791880,"freshchat_conversation_id":"7"}}}"#;
    assert_eq!(peek(body).await, ["1019183591791880", "7"]);
}

#[tokio::test]
async fn garbage_names_nothing() {
    let deep = "[".repeat(100_000);
    for body in ["", "x", "{}", "null", "[1]", "{\"action\":\"message_create\"}", &deep, "\u{0}\u{1}"] {
        assert!(peek(body).await.is_empty(), "{body:.20}");
    }
}

#[tokio::test]
async fn a_body_of_256_kib_is_looked_at_and_a_larger_one_is_not() {
    let body = r#"{"action":"message_create","data":{"message":{"id":"m","conversation_id":"7"}}}"#;
    let mut largest = format!("{body}{}", " ".repeat((256 << 10) - body.len()));
    assert_eq!(peek(&largest).await, ["7"]);
    largest.push(' ');
    assert!(peek(&largest).await.is_empty());
}

#[tokio::test]
async fn peek_does_not_verify_the_signature() {
    let talk = Talk::begin().await;
    let forged =
        format!(r#"{{"action":"message_create","data":{{"message":{{"id":"m","conversation_id":"{}"}}}}}}"#, talk.id);
    assert_eq!(peek(&forged).await, std::slice::from_ref(&talk.id));
    let delivery = Delivery { headers: Vec::new(), body: forged, received_at: NOW };
    let error = crate::support::refused(talk.desk.on_webhook(&delivery, Some(&talk.session)).await);
    assert_eq!(error.kind, handoff_host::bindings::ErrorKind::InvalidSignature);
}
