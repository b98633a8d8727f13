//! Notes and replies, by callers and by people.

use freshworks_simulator::EntryKind;
use serde_json::json;

use crate::support::fields;
use crate::ticket_desk::{Desk, refused};

#[tokio::test]
async fn a_note_is_private_unless_it_says_otherwise() {
    let it = Desk::start().await;
    let id = it.open("Refund").await;
    let notes = format!("/api/v2/tickets/{id}/notes");
    let answer = it.post(&notes, json!({ "body": "<b>for us</b>" })).await;
    assert_eq!(answer.status, 201);
    let note = answer.json();
    assert_eq!(
        (&note["private"], &note["incoming"], &note["body_text"]),
        (&json!(true), &json!(false), &json!("for us"))
    );
    assert_eq!(note["ticket_id"], id);
    assert_eq!(note["user_id"].as_u64(), it.sim.ticket_agent_id("Maya Chen"));
    assert_eq!(
        fields(&note),
        [
            "attachments",
            "bcc_emails",
            "body",
            "body_text",
            "cc_emails",
            "created_at",
            "id",
            "incoming",
            "private",
            "source",
            "support_email",
            "ticket_id",
            "to_emails",
            "updated_at",
            "user_id",
        ]
    );
    it.post(&notes, json!({ "body": "for all", "private": false, "notify_emails": ["lead@example.org"] })).await;
    let entries = it.sim.ticket(id).unwrap().entries;
    assert_eq!(entries.iter().map(|entry| entry.private).collect::<Vec<_>>(), [true, false]);
    assert_eq!(entries[1].to_emails, ["lead@example.org"]);
}

#[tokio::test]
async fn a_reply_goes_to_the_requester() {
    let it = Desk::start().await;
    let id = it.open("Refund").await;
    let reply = json!({ "body": "Here it is", "cc_emails": ["lead@example.org"] });
    let answer = it.post(&format!("/api/v2/tickets/{id}/reply"), reply).await;
    assert_eq!(answer.status, 201);
    let reply = answer.json();
    assert_eq!((&reply["private"], &reply["incoming"], &reply["source"]), (&json!(false), &json!(false), &json!(0)));
    assert_eq!((&reply["to_emails"], &reply["cc_emails"]), (&json!(["ana@example.org"]), &json!(["lead@example.org"])));
    assert_eq!(it.sim.ticket(id).unwrap().entries[0].kind, EntryKind::Reply);
}

#[tokio::test]
async fn entries_need_a_body_and_no_unknown_fields() {
    let it = Desk::start().await;
    let id = it.open("Refund").await;
    for path in ["notes", "reply"] {
        let answer = it.post(&format!("/api/v2/tickets/{id}/{path}"), json!({ "text": "x", "user_id": 1 })).await;
        let codes: Vec<_> = refused(&answer).into_iter().map(|(field, code)| format!("{field}: {code}")).collect();
        assert_eq!(codes, ["body: missing_field", "text: invalid_field", "user_id: invalid_value"], "{path}");
    }
    let answer = it.post(&format!("/api/v2/tickets/{id}/reply"), json!({ "body": "x", "private": true })).await;
    assert_eq!(refused(&answer), [("private".to_owned(), "invalid_field".to_owned())]);
    assert_eq!(it.sim.ticket(id).unwrap().entries, []);
    assert_eq!(it.post("/api/v2/tickets/99/notes", json!({ "body": "x" })).await.status, 404);
}

#[tokio::test]
async fn what_people_do_is_read_oldest_first() {
    let it = Desk::start().await;
    let id = it.open("Refund").await;
    let maya = it.sim.ticket_agent_id("Maya Chen").unwrap();
    let requester = it.sim.ticket(id).unwrap().requester.id;
    let note = it.sim.ticket_note(id, maya, "check the order", true).unwrap();
    let reply = it.sim.ticket_reply(id, maya, "<p>On its way</p>").unwrap();
    let answer = it.sim.requester_replies(id, "Thanks &amp; bye").unwrap();
    it.sim.ticket_status(id, 4).unwrap();

    let list = it.get(&format!("/api/v2/tickets/{id}/conversations")).await.ok();
    let seen: Vec<_> = list.as_array().unwrap().iter().map(|it| (&it["id"], &it["private"], &it["incoming"])).collect();
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(seen, [(&json!(note), &yes, &no), (&json!(reply), &no, &no), (&json!(answer), &no, &yes)]);
    assert_eq!((&list[1]["user_id"], &list[1]["body_text"]), (&json!(maya), &json!("On its way")));
    assert_eq!((&list[2]["user_id"], &list[2]["body_text"]), (&json!(requester), &json!("Thanks & bye")));
    assert_eq!(it.get(&format!("/api/v2/tickets/{id}")).await.ok()["status"], 4);
}

#[tokio::test]
async fn missing_tickets_agents_and_statuses_are_refused() {
    let it = Desk::start().await;
    let id = it.open("Refund").await;
    let maya = it.sim.ticket_agent_id("Maya Chen").unwrap();
    assert_eq!(it.sim.ticket_reply(99, maya, "x").unwrap_err().status, "TICKET_NOT_FOUND");
    assert_eq!(it.sim.ticket_note(id, 1, "x", true).unwrap_err().status, "AGENT_NOT_FOUND");
    assert_eq!(it.sim.requester_replies(99, "x").unwrap_err().status, "TICKET_NOT_FOUND");
    assert_eq!(it.sim.ticket_status(99, 5).unwrap_err().status, "TICKET_NOT_FOUND");
    assert_eq!(it.sim.ticket(id).unwrap().entries, []);
}

#[tokio::test]
async fn a_long_thread_comes_in_pages_and_embeds_its_beginning() {
    let it = Desk::start().await;
    let id = it.open("Refund").await;
    for number in 1..=12 {
        it.sim.requester_replies(id, &number.to_string()).unwrap();
    }
    let texts = |list: &serde_json::Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|entry| entry["body"].as_str().unwrap().to_owned()).collect()
    };
    let first = it.get(&format!("/api/v2/tickets/{id}/conversations?per_page=10")).await;
    let link = first.headers["link"].to_str().unwrap().to_owned();
    assert_eq!(texts(&first.json()), (1..=10).map(|it| it.to_string()).collect::<Vec<_>>());
    let next = link.strip_prefix(&format!("<{}", it.sim.ticket_origin())).unwrap();
    let second = it.get(next.strip_suffix(">; rel=\"next\"").unwrap()).await;
    assert_eq!(texts(&second.json()), ["11", "12"]);
    assert!(!second.headers.contains_key("link"));
    let embedded = it.get(&format!("/api/v2/tickets/{id}?include=conversations")).await.ok();
    assert_eq!(texts(&embedded["conversations"]).len(), 10);
}
