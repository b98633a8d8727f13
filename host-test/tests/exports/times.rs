//! Times in seconds or microseconds: refused by every function that takes one, before anything is done by them.

use handoff_host::bindings::{CloseReason, Delivery, ErrorKind, HandoffRequest, Message, PluginError};

use crate::support::{NOW, Talk, numbered_history, plugin, refused_at_once, request, said, user_message};

const SECONDS: u64 = NOW / 1_000;
const MICROSECONDS: u64 = NOW * 1_000;

#[track_caller]
fn check(error: &PluginError, field: &str) {
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some(field)));
    assert!(error.remedy.as_ref().unwrap().contains("milliseconds"), "{:?}", error.remedy);
    let words = format!("invalid-request ({field}): ");
    assert!(error.line.starts_with(&words) && error.line.contains("milliseconds since"), "{}", error.line);
}

#[tokio::test]
async fn now_in_seconds_or_microseconds_is_refused_by_every_function() {
    let talk = Talk::begin().await;
    let (sandbox, settings, session) = (&talk.desk.sandbox, talk.desk.json(), &talk.session);
    let message = user_message("m1", &said("hello"));
    for now in [0, SECONDS, MICROSECONDS, u64::MAX] {
        check(&refused_at_once(plugin().preview(sandbox, &settings, &request(), now).await), "now");
        check(&refused_at_once(plugin().handoff(sandbox, &settings, &request(), None, now).await), "now");
        check(&refused_at_once(plugin().relay(sandbox, &settings, session, &message, false, now).await), "now");
        let reason = CloseReason::UserLeft;
        check(&refused_at_once(plugin().close(sandbox, &settings, session, reason, false, now).await), "now");
        check(&refused_at_once(plugin().undelivered(sandbox, &settings, session, "m", false, now).await), "now");
        check(&refused_at_once(plugin().tick(sandbox, &settings, session, now).await), "now");
        let delivery = Delivery { received_at: now, ..talk.desk.signed("{}") };
        let error = refused_at_once(talk.desk.on_webhook(&delivery, Some(session)).await);
        check(&error, "delivery.received_at");
    }
}

#[tokio::test]
async fn messages_sent_at_seconds_or_microseconds_are_refused_by_their_place() {
    let talk = Talk::begin().await;
    for sent_at in [0, SECONDS, MICROSECONDS] {
        let message = Message { sent_at, ..user_message("m1", &said("hello")) };
        check(&refused_at_once(talk.desk.relay(&talk.session, &message).await), "message.sent_at");
        let mut history = numbered_history(5, 20);
        history[3].sent_at = sent_at;
        let request = HandoffRequest { history: Some(history), ..request() };
        check(&refused_at_once(talk.desk.preview(&request).await), "request.history[3].sent_at");
        check(&refused_at_once(talk.desk.handoff(&request, None).await), "request.history[3].sent_at");
    }
}
