//! Acts of the inbox page: files, transfers, tickets, faults.

use axum::http::Request;
use freshworks_simulator::{EntryKind, MessageType, Status};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::{Account, Reply};
use crate::ticket_desk::basic;

/// A form of parts: name, headers after the name, content.
fn form(parts: &[(&str, &str, &str)]) -> String {
    let part = |(name, rest, content): &(&str, &str, &str)| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"{rest}\r\n\r\n{content}\r\n")
    };
    parts.iter().map(part).collect::<String>() + "--b--\r\n"
}

async fn send_file(it: &Account, conversation: &str, parts: &[(&str, &str, &str)]) -> Reply {
    let request = Request::post(format!("{}/simulator/conversations/{conversation}/file", it.sim.origin()))
        .header("content-type", "multipart/form-data; boundary=b");
    it.send(request.body(Full::from(form(parts))).unwrap()).await.unwrap()
}

const PDF: (&str, &str, &str) = ("file", "; filename=\"my bill.pdf\"\r\ncontent-type: application/pdf", "%PDF");
const PNG: (&str, &str, &str) = ("file", "; filename=\"door.png\"\r\ncontent-type: image/png", "PNG");

#[tokio::test]
async fn an_agent_can_reply_with_a_file() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    let done = send_file(&it, &id, &[("agent", "", &it.maya), ("text", "", "Your bill"), PDF]).await.ok();
    assert_eq!(done["deliveries"][0]["action"], "message_create");
    let parts = it.sim.conversation(&id).unwrap().messages.last().unwrap().parts.clone();
    assert_eq!(parts[0], json!({ "text": { "content": "Your bill" } }));
    let file = &parts[1]["file"];
    assert_eq!((&file["name"], &file["content_type"]), (&json!("my bill.pdf"), &json!("application/pdf")));
    let path = file["url"].as_str().unwrap().strip_prefix(it.sim.origin()).unwrap().to_owned();
    assert!(path.starts_with("/uploads/"), "{path}");
    assert_eq!(it.get(&path).await.body, "%PDF");
    assert_eq!(it.sim.deliveries().last().unwrap().json()["data"]["message"]["message_parts"], json!(parts));
}

#[tokio::test]
async fn an_image_from_an_agent_is_an_image_part_and_may_be_a_private_note() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    send_file(&it, &id, &[("agent", "", &it.maya), ("private", "", "true"), PNG]).await.ok();
    let conversation = it.sim.conversation(&id).unwrap();
    let message = conversation.messages.last().unwrap();
    assert_eq!(message.message_type, MessageType::Private);
    assert_eq!(message.parts.len(), 1);
    let url = message.parts[0]["image"]["url"].as_str().unwrap();
    assert_eq!(it.get(&url[it.sim.origin().len()..]).await.body, "PNG");
}

#[tokio::test]
async fn a_form_without_a_file_or_a_known_agent_is_refused() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    let refusals = [
        (send_file(&it, &id, &[("agent", "", &it.maya)]).await, 400, "FILE_PART_MISSING"),
        (
            send_file(&it, &id, &[("agent", "", &it.maya), ("file", "; filename=\"x\"", "")]).await,
            400,
            "FILE_EMPTY_CONTENT",
        ),
        (send_file(&it, &id, &[("agent", "", "nobody"), PDF]).await, 404, "agent not found"),
        (send_file(&it, "none", &[("agent", "", &it.maya), PDF]).await, 404, "conversation not found"),
    ];
    for (answer, status, message) in refusals {
        let refusal = answer.refusal();
        assert_eq!((refusal.0, refusal.2.as_str()), (status, message));
    }
    assert_eq!(it.texts(&id), ["hello"]);
}

#[tokio::test]
async fn an_agent_can_transfer_a_conversation_and_put_it_back_to_the_queue() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    let path = format!("/simulator/conversations/{id}/assign");
    it.post(&path, json!({ "agent": it.maya, "to_group": it.group })).await.ok();
    it.post(&path, json!({ "agent": it.maya, "to_agent": it.tom })).await.ok();
    let assigned = it.sim.conversation(&id).unwrap();
    assert_eq!((assigned.status, assigned.assigned_agent_id.as_ref()), (Status::Assigned, Some(&it.tom)));
    it.post(&path, json!({ "agent": it.tom, "to_nobody": true })).await.ok();
    let queued = it.sim.conversation(&id).unwrap();
    assert_eq!((queued.status, queued.assigned_agent_id, queued.assigned_group_id), (Status::New, None, None));
}

async fn ticket(it: &Account) -> u64 {
    let body =
        json!({ "subject": "late", "description": "late", "email": "ana@example.org", "status": 2, "priority": 1 });
    let key = basic(&it.sim.ticket_api_key(), "X");
    let request = Request::post(format!("{}/api/v2/tickets", it.sim.ticket_origin()))
        .header("authorization", key)
        .header("content-type", "application/json");
    let answer = it.send(request.body(Full::from(body.to_string())).unwrap()).await.unwrap();
    answer.json()["id"].as_u64().expect("an id")
}

#[tokio::test]
async fn an_agent_can_answer_a_ticket_note_on_it_and_set_its_status() {
    let it = Account::start().await;
    let id = ticket(&it).await;
    let path = |verb: &str| format!("/simulator/tickets/{id}/{verb}");
    it.post(&path("reply"), json!({ "agent": it.maya, "text": "1 < 2\n<b>bold</b>" })).await.ok();
    it.post(&path("note"), json!({ "agent": it.tom, "text": "regular" })).await.ok();
    it.post(&path("status"), json!({ "status": 3 })).await.ok();

    let ticket = it.sim.ticket(id).unwrap();
    assert_eq!(ticket.status, 3);
    let [reply, note] = &ticket.entries[..] else { panic!("{:?}", ticket.entries) };
    assert_eq!((reply.kind, reply.private, reply.incoming), (EntryKind::Reply, false, false));
    // The ticket service stores HTML; an agent's input reads the same there.
    assert_eq!(reply.body, "1 &lt; 2<br>&lt;b&gt;bold&lt;/b&gt;");
    assert_eq!(reply.body_text, "1 < 2\n<b>bold</b>");
    assert_eq!((note.kind, note.private), (EntryKind::Note, true));
    assert_eq!(Some(reply.user_id), it.sim.ticket_agent_id("Maya Chen"));
    let shown = it.get("/simulator/state").await.ok()["tickets"][0].clone();
    assert_eq!((&shown["status"], &shown["status_code"]), (&json!("Pending"), &json!(3)));
    assert_eq!((&shown["thread"][0]["name"], &shown["thread"][1]["name"]), (&json!("Maya Chen"), &json!("Tom Okafor")));
}

#[tokio::test]
async fn acts_on_unknown_tickets_agents_and_statuses_are_refused() {
    let it = Account::start().await;
    let id = ticket(&it).await;
    let text = |agent: &str| json!({ "agent": agent, "text": "x" });
    assert_eq!(it.post("/simulator/tickets/99/reply", text(&it.maya)).await.status, 404);
    assert_eq!(it.post(&format!("/simulator/tickets/{id}/note"), text("nobody")).await.status, 404);
    assert_eq!(it.post(&format!("/simulator/tickets/{id}/status"), json!({ "status": 99 })).await.status, 400);
    assert_eq!(it.post("/simulator/tickets/99/status", json!({ "status": 3 })).await.status, 404);
    assert!(it.sim.ticket(id).unwrap().entries.is_empty());
}

async fn add_fault(it: &Account, fault: &str, times: u32) -> Value {
    it.post("/simulator/faults", json!({ "fault": fault, "times": times })).await.ok()
}

#[tokio::test]
async fn a_fault_of_the_page_hits_as_often_as_it_was_asked_to() {
    let it = Account::start().await;
    for (fault, status) in [("server-error", 500), ("rate-limit", 429), ("unauthorized", 401)] {
        assert_eq!(add_fault(&it, fault, 2).await, json!({ "faults": [{ "fault": fault, "left": 2 }] }));
        assert_eq!(it.get("/v2/channels").await.status, status);
        assert_eq!(it.get("/simulator/state").await.ok()["faults"], json!([{ "fault": fault, "left": 1 }]));
        assert_eq!(it.get("/v2/channels").await.status, status);
        it.get("/v2/channels").await.ok();
    }
    add_fault(&it, "cut", 1).await;
    it.try_call("GET", "/v2/channels", None).await.unwrap_err();
    assert_eq!(it.sim.faults_left(), 0);
}

#[tokio::test]
async fn a_lost_answer_is_one_of_a_write_that_happened() {
    let it = Account::start().await;
    let id = it.open("one").await;
    add_fault(&it, "lost-answer", 1).await;
    it.get("/v2/channels").await.ok();
    let path = format!("/v2/conversations/{id}/messages");
    it.try_call("POST", &path, Some(it.message("two"))).await.unwrap_err();
    assert_eq!(it.texts(&id), ["one", "two"]);
}

#[tokio::test]
async fn a_slow_answer_comes_after_the_effect() {
    let it = Account::start().await;
    let id = it.open("one").await;
    it.sim.next_exchange().await;
    add_fault(&it, "slow", 1).await;
    let path = format!("/v2/conversations/{id}/messages");
    let call = it.try_call("POST", &path, Some(it.message("two")));
    tokio::select! {
        answer = call => panic!("answered: {answer:?}"),
        exchange = it.sim.next_exchange() => assert_eq!(exchange.status, Some(200)),
    }
    assert_eq!(it.texts(&id), ["one", "two"]);
}

#[tokio::test]
async fn freshworks_is_down_until_the_faults_are_cleared() {
    let it = Account::start().await;
    let down = json!({ "faults": [{ "fault": "down", "left": null }] });
    assert_eq!(it.post("/simulator/faults", json!({ "fault": "down" })).await.ok(), down);
    for _ in 0..3 {
        assert_eq!(it.get("/v2/channels").await.status, 503);
    }
    let tickets = Request::get(format!("{}/api/v2/tickets", it.sim.ticket_origin())).body(Full::from("")).unwrap();
    assert_eq!(it.send(tickets).await.unwrap().status, 503);
    assert_eq!(it.get("/simulator/state").await.ok()["faults"], down["faults"]);
    let cleared = it.try_call("DELETE", "/simulator/faults", None).await.unwrap().ok();
    assert_eq!(cleared, json!({ "faults": [] }));
    it.get("/v2/channels").await.ok();
}

#[tokio::test]
async fn webhooks_can_be_lost_doubled_and_forged_from_the_page() {
    let it = Account::start().await;
    let id = it.open("one").await;
    let mut deliveries = Vec::new();
    for fault in ["webhook-lost", "webhook-twice", "webhook-wrong-signature"] {
        add_fault(&it, fault, 1).await;
        let body = json!({ "agent": it.maya, "text": fault });
        deliveries
            .push(it.post(&format!("/simulator/conversations/{id}/reply"), body).await.ok()["deliveries"].clone());
    }
    assert_eq!(deliveries[0][0]["outcome"], "dropped");
    assert_eq!(deliveries[1].as_array().unwrap().len(), 2);
    assert!(!it.verifies(it.sim.deliveries().last().unwrap()));
    add_fault(&it, "webhook-delayed", 1).await;
    let reply = json!({ "agent": it.maya, "text": "late" });
    let path = format!("/simulator/conversations/{id}/reply");
    let late = tokio::time::timeout(std::time::Duration::from_millis(300), it.post(&path, reply));
    late.await.unwrap_err();
    assert_eq!(it.texts(&id).last().unwrap(), "late");
}

#[tokio::test]
async fn faults_that_a_program_set_are_shown_too_and_unknown_ones_are_refused() {
    use freshworks_simulator::{Fault, How, Match};
    let it = Account::start().await;
    it.sim.fail(Fault::new(Match::path("/v2/users"), How::Garbage).times(4));
    assert_eq!(it.get("/simulator/state").await.ok()["faults"], json!([{ "fault": null, "left": 4 }]));
    assert_eq!(it.post("/simulator/faults", json!({ "fault": "meteor" })).await.status, 422);
    assert_eq!(it.post("/simulator/faults", json!({ "fault": "cut", "times": 0 })).await.status, 400);
    assert_eq!(it.sim.faults_left(), 4);
    it.sim.clear_faults();
}
