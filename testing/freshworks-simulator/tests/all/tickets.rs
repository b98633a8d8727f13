//! Tickets as callers make, read and change them.

use std::time::Duration;

use freshworks_simulator::{Config, Fault, Gone, How, Match, RequesterSpec, Service, TicketField, TicketFieldKind};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::fields;
use crate::ticket_desk::{Desk, ana, basic, refused};

const TICKETS: &str = "/api/v2/tickets";

#[track_caller]
fn errors(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
}

#[tokio::test]
async fn the_key_is_the_user_name_and_the_password_is_not_looked_at() {
    let it = Desk::start().await;
    let key = it.sim.ticket_api_key();
    assert_eq!(it.get(TICKETS).await.status, 200);
    for (header, status) in [
        (basic(&key, ""), 200),
        (basic(&key, "anything:at:all"), 200),
        (basic("wrong", "X"), 401),
        (basic("X", &key), 401),
        (format!("Bearer {key}"), 401),
        ("Basic ???".to_owned(), 401),
    ] {
        let request = axum::http::Request::get(format!("{}{TICKETS}", it.sim.ticket_origin()));
        let answer = it.send(request.header("authorization", &header), "").await.unwrap();
        assert_eq!(answer.status, status, "{header}");
        if status == 401 {
            let text = "You have to be logged in to perform this action.";
            assert_eq!(answer.json(), json!({ "code": "invalid_credentials", "message": text }));
        }
    }
    it.sim.set_ticket_api_key("rotated");
    assert_eq!(it.get(TICKETS).await.status, 200);
    let request = axum::http::Request::post(format!("{}{TICKETS}", it.sim.ticket_origin()));
    assert_eq!(it.send(request.header("authorization", basic(&key, "X")), "{}").await.unwrap().status, 401);
    assert_eq!(it.sim.tickets(), []);
}

#[tokio::test]
async fn a_created_ticket_is_answered_whole_and_kept() {
    let it = Desk::start().await;
    let group = it.sim.ticket_group_id("Support").unwrap();
    let answer = it
        .post(
            TICKETS,
            json!({
                "email": "ana@example.org", "name": "Ana Lima", "phone": "+15550100", "unique_external_id": "u-1",
                "subject": "Refund", "description": "<p>Tom &amp; <b>Ana</b></p>", "status": 3, "priority": 4,
                "source": 7, "type": "Problem", "tags": ["sendbird-ai"], "custom_fields": { "cf_order": "A-7" },
                "group_id": group, "cc_emails": ["lead@example.org"],
            }),
        )
        .await;
    assert_eq!(answer.status, 201);
    let created = answer.json();
    let location = format!("{}{TICKETS}/{}", it.sim.ticket_origin(), created["id"]);
    assert_eq!(answer.headers["location"], location);
    assert_eq!(created["description_text"], "Tom & Ana");
    assert_eq!((&created["status"], &created["priority"], &created["source"]), (&json!(3), &json!(4), &json!(7)));
    assert_eq!(created["created_at"].as_str().unwrap().len(), "2025-07-10T19:47:55Z".len());
    for name in ["requester", "conversations"] {
        assert!(created.get(name).is_none(), "{name}");
    }
    for name in ["responder_id", "product_id", "to_emails", "due_by"] {
        assert_eq!(created.get(name), Some(&Value::Null), "{name}");
    }

    let ticket = &it.sim.tickets()[0];
    assert_eq!(created["id"], ticket.id);
    assert_eq!((ticket.subject.as_str(), ticket.description.as_str()), ("Refund", "<p>Tom &amp; <b>Ana</b></p>"));
    assert_eq!((ticket.kind.as_deref(), ticket.group_id), (Some("Problem"), Some(group)));
    assert_eq!((&ticket.tags, &ticket.cc_emails), (&vec!["sendbird-ai".into()], &vec!["lead@example.org".into()]));
    assert_eq!(ticket.custom_fields["cf_order"], "A-7");
    let ana = RequesterSpec {
        name: Some("Ana Lima".into()),
        email: Some("ana@example.org".into()),
        phone: Some("+15550100".into()),
        unique_external_id: Some("u-1".into()),
        ..RequesterSpec::default()
    };
    assert_eq!(ticket.requester.facts, ana);
}

#[tokio::test]
async fn a_ticket_is_read_with_the_requested_parts() {
    let it = Desk::start().await;
    let id = it.open("Refund").await;
    it.post(&format!("{TICKETS}/{id}/notes"), json!({ "body": "look" })).await;
    let plain = it.get(&format!("{TICKETS}/{id}")).await.ok();
    assert_eq!((&plain["subject"], &plain["description"]), (&json!("Refund"), &json!("late")));
    let whole = it.get(&format!("{TICKETS}/{id}?include=conversations,requester")).await;
    assert_eq!(whole.headers["x-ratelimit-used-currentrequest"], "3");
    let whole = whole.ok();
    assert_eq!(whole["conversations"][0]["body_text"], "look");
    assert_eq!(whole["requester"]["email"], "ana@example.org");
    assert_eq!(fields(&whole).len(), fields(&plain).len() + 2);
    let answer = it.get(&format!("{TICKETS}/{id}?include=everything")).await;
    assert_eq!(refused(&answer), errors(&[("include", "invalid_value")]));
}

#[tokio::test]
async fn what_does_not_exist_is_answered_with_nothing() {
    let it = Desk::start().await;
    for path in ["/api/v2/tickets/1", "/api/v2/tickets/x", "/api/v2/tickets/0/conversations", "/api/v2/nothing"] {
        let answer = it.get(path).await;
        assert_eq!((answer.status, answer.body.len()), (404, 0), "{path}");
    }
    let answer = it.put("/api/v2/tickets/1", json!({ "status": 5 })).await;
    assert_eq!((answer.status, answer.body.len()), (404, 0));
    assert_eq!(it.send(it.request("DELETE", "/api/v2/groups"), "").await.unwrap().status, 405);
}

#[tokio::test]
async fn all_that_is_missing_is_named_at_once() {
    let it = Desk::start().await;
    let answer = it.post(TICKETS, json!({})).await;
    let missing = ["description", "priority", "requester_id", "status", "subject"].map(|name| (name, "missing_field"));
    assert_eq!(refused(&answer), errors(&missing));
    let all = answer.json();
    let said = |name: &str| {
        let mut errors = all["errors"].as_array().unwrap().iter();
        errors.find(|error| error["field"] == name).unwrap()["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(said("subject"), "It should be a/an String");
    assert_eq!(said("status"), "It should be one of these values: '2,3,4,5,6,7'");
    assert_eq!(
        said("requester_id"),
        "Please fill at least 1 of requester_id, phone, email, twitter_id, facebook_id fields"
    );
    assert_eq!(it.sim.tickets(), []);

    it.sim.set_behaviour(|behaviour| behaviour.ticket_defaults = true);
    let body = json!({ "email": "ana@example.org", "subject": "s", "description": "d" });
    let ticket = it.ticket(body).await;
    assert_eq!((&ticket["status"], &ticket["priority"], &ticket["source"]), (&json!(2), &json!(1), &json!(2)));
}

#[tokio::test]
async fn fields_that_are_wrong_are_refused_with_their_code() {
    let it = Desk::start().await;
    for (change, field, code) in [
        (json!({ "description_html": "x" }), "description_html", "invalid_field"),
        (json!({ "status": 8 }), "status", "invalid_value"),
        (json!({ "status": "2" }), "status", "datatype_mismatch"),
        (json!({ "priority": 0 }), "priority", "invalid_value"),
        (json!({ "source": 4 }), "source", "invalid_value"),
        (json!({ "type": "Complaint" }), "type", "invalid_value"),
        (json!({ "subject": 7 }), "subject", "datatype_mismatch"),
        (json!({ "subject": " " }), "subject", "invalid_value"),
        (json!({ "subject": "s".repeat(256) }), "subject", "invalid_value"),
        (json!({ "description": null }), "description", "datatype_mismatch"),
        (json!({ "tags": "a" }), "tags", "datatype_mismatch"),
        (json!({ "tags": ["t".repeat(33)] }), "tags", "invalid_value"),
        (json!({ "custom_fields": { "cf_other": "x" } }), "custom_fields.cf_other", "invalid_field"),
        (json!({ "custom_fields": { "cf_order": 7 } }), "custom_fields.cf_order", "datatype_mismatch"),
        (json!({ "group_id": 1 }), "group_id", "invalid_value"),
        (json!({ "responder_id": 1 }), "responder_id", "invalid_value"),
        (json!({ "requester_id": 1 }), "requester_id", "invalid_value"),
        (json!({ "email": "ana" }), "email", "invalid_value"),
        (json!({ "due_by": "2026-11-30T00:00:00Z" }), "fr_due_by", "missing_field"),
        (json!({ "attachments": [] }), "attachments", "datatype_mismatch"),
        (json!({ "category": "x" }), "category", "invalid_field"),
    ] {
        let mut body = ana();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(refused(&it.post(TICKETS, body).await), errors(&[(field, code)]), "{change}");
    }
    assert_eq!(it.sim.tickets(), []);
    // Values just within the limits pass.
    let mut body = ana();
    body["tags"] = json!(["é".repeat(32)]);
    body["subject"] = json!("s".repeat(255));
    body["group_id"] = Value::Null;
    it.ticket(body).await;
}

#[tokio::test]
async fn an_account_can_make_more_fields_mandatory() {
    let it = Desk::start().await;
    it.sim.set_behaviour(|behaviour| behaviour.ticket_required = vec!["type".into(), "cf_order".into()]);
    let answer = it.post(TICKETS, ana()).await;
    let missing = [("custom_fields.cf_order", "missing_field"), ("type", "missing_field")];
    assert_eq!(refused(&answer), errors(&missing));
    let mut body = ana();
    body["type"] = json!("Question");
    body["custom_fields"] = json!({ "cf_order": "7" });
    it.ticket(body).await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let it = Desk::start().await;
    let typed = |content_type: &str| it.request("POST", TICKETS).header("content-type", content_type);
    for body in ["{broken", "[]", ""] {
        let answer = it.send(typed("application/json"), body).await.unwrap();
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("invalid_json")), "{body}");
    }
    assert_eq!(it.send(typed("text/plain"), ana().to_string()).await.unwrap().status, 415);
    assert_eq!(it.send(it.request("POST", TICKETS), ana().to_string()).await.unwrap().status, 415);
    let wants_html = typed("application/json").header("accept", "text/html");
    assert_eq!(it.send(wants_html, ana().to_string()).await.unwrap().status, 406);
    assert_eq!(it.sim.tickets(), []);
    let wants_any = typed("application/json; charset=utf-8").header("accept", "text/html, */*;q=0.1");
    assert_eq!(it.send(wants_any, ana().to_string()).await.unwrap().status, 201);
}

#[tokio::test]
async fn a_requester_is_found_by_any_identifier_or_made() {
    let it = Desk::start().await;
    let known = it.sim.seed_requester(RequesterSpec {
        email: Some("Ana@Example.org".into()),
        phone: Some("+15550100".into()),
        ..RequesterSpec::default()
    });
    let mut body = json!({ "subject": "s", "description": "d", "status": 2, "priority": 1 });
    for (name, value, found) in [
        ("email", json!("ana@example.ORG"), true),
        ("phone", json!("+15550100"), true),
        ("requester_id", json!(known), true),
        ("unique_external_id", json!("u-1"), false),
        ("email", json!("tom@example.org"), false),
    ] {
        let mut body = body.clone();
        body[name] = value.clone();
        body["name"] = json!("Somebody");
        assert_eq!(it.ticket(body).await["requester_id"] == known, found, "{name}: {value}");
    }
    assert_eq!(it.sim.requesters().len(), 3);
    assert_eq!(it.sim.requesters()[0].facts.name, None);
    // A person with only a number has no name to use.
    body["phone"] = json!("+15550199");
    assert_eq!(refused(&it.post(TICKETS, body).await), errors(&[("name", "missing_field")]));
}

#[tokio::test]
async fn a_change_changes_what_is_given_and_nothing_else() {
    let it = Desk::start().await;
    let mut body = ana();
    body["tags"] = json!(["one"]);
    body["custom_fields"] = json!({ "cf_order": "7" });
    let id = it.ticket(body).await["id"].as_u64().unwrap();
    let before = it.sim.ticket(id).unwrap();
    let tom = it.sim.ticket_agent_id("Tom Okafor").unwrap();
    let changed = it.put(&format!("{TICKETS}/{id}"), json!({ "status": 4, "responder_id": tom })).await.ok();
    assert_eq!((&changed["status"], &changed["responder_id"]), (&json!(4), &json!(tom)));
    let after = it.sim.ticket(id).unwrap();
    assert!(after.updated_ms > before.updated_ms);
    let expected = freshworks_simulator::Ticket {
        status: 4,
        responder_id: Some(tom),
        updated_ms: after.updated_ms,
        ..before.clone()
    };
    assert_eq!(after, expected);
    let answer = it.put(&format!("{TICKETS}/{id}"), json!({ "status": 1, "ticket": {} })).await;
    assert_eq!(refused(&answer), errors(&[("status", "invalid_value"), ("ticket", "invalid_field")]));
    assert_eq!(it.sim.ticket(id).unwrap(), after);
}

#[tokio::test]
async fn the_limit_is_in_the_headers_and_wrong_keys_count() {
    let it = Desk::start().await;
    let answer = it.get(TICKETS).await;
    let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
    assert_eq!((header("x-ratelimit-total"), header("x-ratelimit-remaining")), ("400".into(), "399".into()));
    assert_eq!(header("x-ratelimit-used-currentrequest"), "1");
    assert!(answer.headers.contains_key("x-request-id"));

    it.sim.set_behaviour(|behaviour| behaviour.ticket_requests_per_minute = Some(3));
    let wrong = axum::http::Request::get(format!("{}{TICKETS}", it.sim.ticket_origin()));
    assert_eq!(it.send(wrong, "").await.unwrap().status, 401);
    assert_eq!(it.get(TICKETS).await.headers["x-ratelimit-remaining"], "0");
    let answer = it.post(TICKETS, ana()).await;
    assert_eq!((answer.status, &answer.headers["x-ratelimit-total"]), (429, &"3".parse().unwrap()));
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(it.sim.tickets(), []);
}

#[tokio::test]
async fn faults_and_the_journal_know_both_services() {
    let it = Desk::start().await;
    it.sim.fail(Fault::new(Match::path(TICKETS).method("POST"), How::ticket_status(503)));
    it.sim.fail(Fault::new(Match::path("/api/v2/tickets/*/notes"), How::Cut).after_effect());
    let answer = it.post(TICKETS, ana()).await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("internal_error")));
    assert_eq!(it.sim.tickets(), []);
    let id = it.open("Refund").await;
    let note = it.request("POST", &format!("{TICKETS}/{id}/notes")).header("content-type", "application/json");
    it.send(note, "{\"body\":\"written, not answered\"}").await.unwrap_err();
    assert_eq!(it.sim.ticket(id).unwrap().entries.len(), 1);
    it.sim.fail(Fault::new(Match::any(), How::rate_limit(9)));
    assert_eq!(it.get(TICKETS).await.headers["retry-after"], "9");
    assert_eq!(it.sim.faults_left(), 0);

    let journal = it.sim.journal();
    let seen: Vec<_> = journal.iter().map(|it| (it.service, it.line(), it.status)).collect();
    let tickets = |line: &str, status| (Service::Tickets, line.to_owned(), status);
    assert_eq!(
        seen,
        [
            tickets("POST /api/v2/tickets", Some(503)),
            tickets("POST /api/v2/tickets", Some(201)),
            tickets(&format!("POST /api/v2/tickets/{id}/notes"), None),
            tickets("GET /api/v2/tickets", Some(429)),
        ]
    );
    assert!(!format!("{journal:?}").contains(&it.sim.ticket_api_key()));
}

#[tokio::test]
async fn stopping_answers_what_has_come_and_ends_both_services() {
    let it = Desk::start().await;
    let address = |origin: &str| origin.strip_prefix("http://").unwrap().to_owned();
    let (chat, tickets) = (address(it.sim.origin()), address(it.sim.ticket_origin()));
    it.sim.fail(Fault::new(Match::path(TICKETS), How::Delay(Duration::from_millis(100))).after_effect());
    let mut caller = TcpStream::connect(&tickets).await.unwrap();
    let key = basic(&it.sim.ticket_api_key(), "X");
    let head = format!("GET {TICKETS} HTTP/1.1\r\nhost: {tickets}\r\nauthorization: {key}\r\n\r\n");
    caller.write_all(head.as_bytes()).await.unwrap();
    it.sim.next_exchange().await;
    it.sim.stop().await;
    let mut answer = String::new();
    caller.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for gone in [chat, tickets] {
        TcpStream::connect(gone).await.unwrap_err();
    }
}

#[tokio::test]
async fn custom_fields_have_types() {
    let choices = vec!["Gold".to_owned(), "Silver".to_owned()];
    let it = Desk::with(Config {
        ticket_fields: vec![
            TicketField::new("cf_count", TicketFieldKind::Number),
            TicketField::new("cf_urgent", TicketFieldKind::Checkbox),
            TicketField::new("cf_day", TicketFieldKind::Date),
            TicketField::new("cf_plan", TicketFieldKind::Dropdown(choices.clone())),
        ],
        ..Config::default()
    })
    .await;
    let with = |fields: Value| {
        let mut body = ana();
        body["custom_fields"] = fields;
        body
    };
    for (name, wrong, code) in [
        ("cf_count", json!("3"), "datatype_mismatch"),
        ("cf_urgent", json!("true"), "datatype_mismatch"),
        ("cf_day", json!("27.11.2026"), "datatype_mismatch"),
        ("cf_plan", json!("gold"), "invalid_value"),
        ("cf_nowhere", json!("x"), "invalid_field"),
    ] {
        let answer = it.post(TICKETS, with(json!({ name: wrong }))).await;
        assert_eq!(refused(&answer), errors(&[(&format!("custom_fields.{name}"), code)]), "{name}");
    }
    let right = json!({ "cf_count": 3, "cf_urgent": true, "cf_day": "2026-11-27", "cf_plan": "Gold" });
    assert_eq!(it.ticket(with(right.clone())).await["custom_fields"], right);
    let listed = it.get("/api/v2/ticket_fields").await.ok();
    let plan = listed.as_array().unwrap().iter().find(|field| field["name"] == "cf_plan").unwrap();
    assert_eq!((&plan["type"], &plan["choices"]), (&json!("custom_dropdown"), &json!(choices)));
}

#[tokio::test]
async fn a_ticket_that_is_gone_is_in_no_list_and_takes_nothing() {
    for (gone, flag) in [(Gone::Deleted, Some("deleted")), (Gone::Spam, Some("spam")), (Gone::Erased, None)] {
        let it = Desk::start().await;
        let id = it.open("Refund").await;
        it.sim.put_ticket_away(id, Some(gone)).unwrap();
        let read = it.get(&format!("{TICKETS}/{id}")).await;
        match flag {
            Some(flag) => {
                assert_eq!(read.ok()[flag], true);
                assert_eq!(it.get(&format!("{TICKETS}?filter={flag}")).await.ok().as_array().map(Vec::len), Some(1));
            }
            None => assert_eq!(read.status, 404),
        }
        assert_eq!(it.get(TICKETS).await.ok(), json!([]));
        assert_eq!(it.post(&format!("{TICKETS}/{id}/notes"), json!({ "body": "n" })).await.status, 404);
        assert_eq!(it.put(&format!("{TICKETS}/{id}"), json!({ "status": 4 })).await.status, 404);
        assert_eq!(it.sim.put_ticket_away(id, None).is_ok(), flag.is_some(), "what is erased does not come back");
    }
}
