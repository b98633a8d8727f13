//! Freshservice's differences from Freshdesk.

use serde_json::{Value, json};

use crate::support::fields;
use crate::ticket_desk::{Desk, ana, refused};

#[tokio::test]
async fn answers_are_wrapped_in_their_names() {
    let it = Desk::freshservice().await;
    let created = it.ticket(ana()).await;
    assert_eq!(fields(&created), ["ticket"]);
    let id = created["ticket"]["id"].as_u64().unwrap();
    assert_eq!(it.get(&format!("/api/v2/tickets/{id}")).await.ok()["ticket"]["subject"], "Refund");
    assert_eq!(it.put(&format!("/api/v2/tickets/{id}"), json!({ "status": 5 })).await.ok()["ticket"]["status"], 5);
    let note = it.post(&format!("/api/v2/tickets/{id}/notes"), json!({ "body": "n" })).await.json();
    assert_eq!(note["conversation"]["body"], "n");
    for (path, name, count) in [
        ("tickets".to_owned(), "tickets", 1),
        (format!("tickets/{id}/conversations"), "conversations", 1),
        ("groups".to_owned(), "groups", 1),
        ("requesters?email=ana%40example.org".to_owned(), "requesters", 1),
        ("ticket_form_fields".to_owned(), "ticket_fields", 12),
    ] {
        let list = it.get(&format!("/api/v2/{path}")).await.ok();
        assert_eq!(fields(&list), [name], "{path}");
        assert_eq!(list[name].as_array().map(Vec::len), Some(count), "{path}");
    }
    assert_eq!(it.get("/api/v2/agents/me").await.ok()["agent"]["email"], "maya@acme.example");
}

#[tokio::test]
async fn codes_of_sources_and_statuses_are_its_own() {
    let it = Desk::freshservice().await;
    let with = |name: &str, value: Value| {
        let mut body = ana();
        body[name] = value;
        body
    };
    // 4 is chat; 7 is not chat here, but another source.
    for source in [4, 7] {
        assert_eq!(it.ticket(with("source", json!(source))).await["ticket"]["source"], source);
    }
    for (name, value) in [("source", 11), ("status", 6)] {
        let answer = it.post("/api/v2/tickets", with(name, json!(value))).await;
        assert_eq!(refused(&answer), [(name.to_owned(), "invalid_value".to_owned())]);
    }
    assert_eq!(it.ticket(with("category", json!("Hardware"))).await["ticket"]["category"], "Hardware");
}

#[tokio::test]
async fn each_product_has_paths_that_the_other_has_not() {
    let (desk, service) = (Desk::start().await, Desk::freshservice().await);
    for (path, at_desk, at_service) in [
        ("/api/v2/ticket_fields", 200, 404),
        ("/api/v2/contacts", 200, 404),
        ("/api/v2/ticket_form_fields", 404, 200),
        ("/api/v2/requesters", 404, 200),
    ] {
        assert_eq!((desk.get(path).await.status, service.get(path).await.status), (at_desk, at_service), "{path}");
    }
}

#[tokio::test]
async fn the_limit_of_freshservice_is_fifteen_megabytes() {
    let it = Desk::freshservice().await;
    let mut body = ana();
    body["description"] = json!("x".repeat((15 << 20) + 1));
    assert_eq!(refused(&it.post("/api/v2/tickets", body.clone()).await)[0].1, "invalid_size");
    body["description"] = json!("x".repeat(15 << 20));
    assert_eq!(it.post("/api/v2/tickets", body).await.status, 201);
}
