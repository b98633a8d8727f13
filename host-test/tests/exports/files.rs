//! Files of the end user: fetched from named hosts without a credential, uploaded, and never lost.

use freshworks_simulator::{Fault, How, Match, Upload};
use handoff_host::bindings::{Message, Part, PartKind};
use serde_json::json;

use crate::file_host::{BYTES, FileHost, content};
use crate::support::{API_KEY, Desk, Talk, codes, count_of, part, reaching, request, said, texts, user_message};

/// A conversation whose settings allow files from this host.
async fn talk_with(files: &FileHost) -> Talk {
    let desk = Desk::new().await.set("file_hosts", json!([files.address()])).connect_now().await;
    let file_origin = format!("http://{}", files.address());
    let sandbox = reaching(&[desk.sim.origin(), file_origin.as_str()]);
    Talk::of(Desk { sandbox, ..desk }, &request()).await
}

fn file(files: &FileHost, kind: PartKind, name: &str) -> Part {
    Part { url: Some(format!("http://{}/chloe/{name}?sig=1", files.address())), name: Some(name.into()), ..part(kind) }
}

fn with(parts: Vec<Part>) -> Message {
    Message { parts, ..user_message("m1", "") }
}

/// The keys of the newest messages' parts.
fn newest_parts(talk: &Talk, count: usize) -> Vec<String> {
    let messages = talk.conversation().messages;
    let newest = messages.iter().rev().take(count).rev();
    let key = |part: &serde_json::Value| part.as_object().unwrap().keys().next().unwrap().clone();
    newest.flat_map(|message| message.parts.iter().map(key).collect::<Vec<_>>()).collect()
}

fn upload_named(talk: &Talk, name: &str) -> Upload {
    talk.desk.sim.uploads().into_iter().find(|upload| upload.name == name).unwrap()
}

#[tokio::test]
async fn pictures_and_files_arrive_complete_each_as_a_message() {
    let files = FileHost::start().await;
    let mut talk = talk_with(&files).await;
    let caption = Part { text: Some(said("the box")), ..file(&files, PartKind::Image, "box.png") };
    let parts = vec![caption, file(&files, PartKind::File, "bill.pdf"), file(&files, PartKind::Audio, "voice.ogg")];
    let update = talk.relay(&with(parts)).await.unwrap();
    assert!(update.findings.is_empty(), "{:?}", codes(&update.findings));
    let told: Vec<(&str, &str)> =
        update.decisions.iter().map(|decision| (decision.rule.as_str(), decision.choice.as_str())).collect();
    assert_eq!(told, [("uploaded", "3")]);
    assert_eq!(newest_parts(&talk, 4), ["text", "image", "file", "file"]);
    for (name, media_type) in [("box.png", "image/png"), ("bill.pdf", "application/pdf"), ("voice.ogg", "audio/ogg")] {
        let upload = upload_named(&talk, name);
        assert_eq!(upload.content_type, media_type);
        assert!(upload.content == content(BYTES), "{name} has {} bytes", upload.content.len());
    }
    let uploads = talk.desk.lines().iter().filter(|line| line.contains("upload")).count();
    assert_eq!((uploads, talk.desk.lines().len()), (3, 7), "an upload and a message for each, and the caption");
}

#[tokio::test]
async fn no_credential_goes_to_the_files_host() {
    let files = FileHost::start().await;
    let mut talk = talk_with(&files).await;
    talk.relay(&with(vec![file(&files, PartKind::Image, "box.png")])).await.unwrap();
    let seen = files.seen();
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].contains_key("authorization"));
    assert!(!format!("{seen:?}").contains(API_KEY));
}

#[tokio::test]
async fn a_file_of_unknown_length_arrives_complete() {
    let files = FileHost::start().await;
    let mut talk = talk_with(&files).await;
    let update = talk.relay(&with(vec![file(&files, PartKind::File, "chunked.pdf")])).await.unwrap();
    assert!(update.findings.is_empty());
    assert!(upload_named(&talk, "chunked.pdf").content == content(BYTES));
}

#[tokio::test]
async fn a_large_file_passes_through_without_being_held() {
    let files = FileHost::start().await;
    let mut talk = talk_with(&files).await;
    let message = with(vec![file(&files, PartKind::File, "large.bin")]);
    let call = talk.desk.relay(&talk.session, &message).await;
    assert!(call.report.memory_bytes < 4 << 20, "{} bytes", call.report.memory_bytes);
    talk.session = call.result.unwrap().session.unwrap();
    assert!(upload_named(&talk, "large.bin").content == content(9 << 20));
}

#[tokio::test]
async fn what_cannot_be_carried_is_a_line_that_can_be_read() {
    let files = FileHost::start().await;
    for name in ["huge.bin", "empty.pdf", "private.png", "moved.png", "none.txt"] {
        let mut talk = talk_with(&files).await;
        let part = file(&files, PartKind::File, name);
        let update = talk.relay(&with(vec![part.clone()])).await.unwrap();
        assert_eq!(codes(&update.findings), ["file-as-link"], "{name}");
        let arrived = texts(&talk.conversation()).pop().unwrap().2;
        assert_eq!(arrived, format!("[file: {name}] {}", part.url.unwrap()));
        assert!(talk.desk.sim.uploads().is_empty());
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let files = FileHost::start().await;
    let mut talk = talk_with(&files).await;
    talk.relay(&with(vec![file(&files, PartKind::Image, "moved.png")])).await.unwrap();
    assert_eq!(files.seen().len(), 1);
}

#[tokio::test]
async fn files_of_hosts_that_are_not_named_are_not_fetched() {
    let files = FileHost::start().await;
    let mut talk = Talk::begin().await;
    let update = talk.relay(&with(vec![file(&files, PartKind::Image, "box.png")])).await.unwrap();
    assert_eq!(codes(&update.findings), ["file-as-link"]);
    assert!(files.seen().is_empty() && talk.desk.lines().len() == 1);
}

#[tokio::test]
async fn an_upload_that_fails_becomes_a_link() {
    for how in [How::status(400), How::status(503), How::Cut, How::Garbage] {
        let files = FileHost::start().await;
        let mut talk = talk_with(&files).await;
        talk.desk.sim.fail(Fault::new(Match::path("/v2/images/upload"), how).times(3));
        let update = talk.relay(&with(vec![file(&files, PartKind::Image, "box.png")])).await.unwrap();
        assert_eq!(codes(&update.findings), ["file-as-link"]);
        assert_eq!(newest_parts(&talk, 1), ["text"]);
    }
}

#[tokio::test]
async fn a_picture_that_is_refused_as_a_message_becomes_a_link() {
    let files = FileHost::start().await;
    let mut talk = talk_with(&files).await;
    talk.desk.sim.fail(Fault::new(Match::path("/v2/conversations/*/messages").method("POST"), How::status(400)));
    let update = talk.relay(&with(vec![file(&files, PartKind::Image, "box.png")])).await.unwrap();
    assert_eq!(codes(&update.findings), ["file-as-link"]);
    assert_eq!(newest_parts(&talk, 1), ["text"]);
}

#[tokio::test]
async fn a_file_whose_sending_had_no_clear_answer_arrives_once() {
    for how in [How::Cut, How::CutMidBody, How::status(500)] {
        let files = FileHost::start().await;
        let mut talk = talk_with(&files).await;
        let message = with(vec![
            Part { text: Some(said("the box")), ..part(PartKind::Text) },
            file(&files, PartKind::Image, "box.png"),
        ]);
        let sends = Match::path("/v2/conversations/*/messages").method("POST");
        talk.desk.sim.fail(Fault::new(sends.nth(2), how).after_effect());
        talk.relay(&message).await.unwrap_err();
        talk.relay(&message).await.unwrap();
        assert_eq!(newest_parts(&talk, 2), ["text", "image"]);
        assert_eq!(count_of(&talk.conversation(), &said("the box")), 1);
    }
}
