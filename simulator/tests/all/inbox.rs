//! The inbox page and what is behind it.

use axum::http::Request;
use freshworks_simulator::{MessageType, Status};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::{Account, Answer, Receiver};
use crate::ticket_desk::{Desk, ana};

async fn act(it: &Account, path: &str, body: Value) -> Answer {
    it.post(&format!("/simulator/{path}"), body).await
}

#[tokio::test]
async fn an_agent_can_do_everything_from_the_page() {
    let it = Account::start().await;
    let receiver = Receiver::start(&[]).await;
    act(&it, "webhook", json!({ "url": receiver.url })).await.ok();
    let id = it.open("hello").await;
    let verb = |verb: &str| format!("conversations/{id}/{verb}");
    let done = act(&it, &verb("assign"), json!({ "agent": it.maya })).await.ok();
    assert_eq!(done["deliveries"][0]["action"], "conversation_assignment");
    assert_eq!(done["deliveries"][0]["outcome"], "200");
    act(&it, &verb("note"), json!({ "agent": it.maya, "text": "regular" })).await.ok();
    act(&it, &verb("reply"), json!({ "agent": it.maya, "text": "hello Ana" })).await.ok();
    act(&it, &verb("resolve"), json!({ "agent": it.maya })).await.ok();
    act(&it, &verb("reopen"), json!({ "agent": it.maya })).await.ok();
    act(&it, &verb("assign"), json!({ "agent": it.maya, "to_group": it.group })).await.ok();

    let conversation = it.sim.conversation(&id).unwrap();
    assert_eq!(conversation.status, Status::New);
    assert_eq!(conversation.assigned_group_id.as_ref(), Some(&it.group));
    assert_eq!(it.texts(&id), ["hello", "regular", "hello Ana"]);
    let private = conversation.messages.iter().filter(|message| message.message_type == MessageType::Private);
    assert_eq!(private.count(), 1);

    let state = it.get("/simulator/state").await.ok();
    assert_eq!(state["webhook"], receiver.url);
    let shown = &state["conversations"][0];
    assert_eq!((&shown["user"], &shown["topic"]), (&json!("Ana Lima"), &json!("Sendbird Integration")));
    assert_eq!((&shown["group"], &shown["agent"]), (&json!("Support"), &Value::Null));
    assert_eq!(state["deliveries"][0]["action"], "conversation_assignment");
    // The page's calls are not calls of the API.
    assert!(it.sim.journal().iter().all(|exchange| exchange.path.starts_with("/v2/")));
    assert_eq!(act(&it, "conversations/none/resolve", json!({ "agent": it.maya })).await.status, 404);
}

#[tokio::test]
async fn tickets_are_shown_as_texts() {
    let it = Desk::start().await;
    let mut body = ana();
    (body["subject"], body["description"]) = (json!("<img src=x>"), json!("<p>late</p><script>alert(1)</script>"));
    let id = it.ticket(body).await["id"].as_u64().unwrap();
    let maya = it.sim.ticket_agent_id("Maya Chen").unwrap();
    it.sim.ticket_note(id, maya, "for &lt;b&gt;us&lt;/b&gt;", true).unwrap();
    it.sim.ticket_status(id, 3).unwrap();
    let page = axum::http::Request::get(format!("{}/simulator/state", it.sim.origin()));
    let shown = it.send(page, "").await.unwrap().ok()["tickets"][0].clone();
    assert_eq!((&shown["requester"], &shown["status"]), (&json!("ana@example.org"), &json!("Pending")));
    // The page puts them in as text nodes, so what looks like HTML stays as it was written.
    assert_eq!((&shown["subject"], &shown["text"]), (&json!("<img src=x>"), &json!("late")));
    assert_eq!((&shown["thread"][0]["text"], &shown["thread"][0]["private"]), (&json!("for <b>us</b>"), &json!(true)));
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let it = Account::start().await;
    let page = it.get("/").await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"));
    let html = std::str::from_utf8(&page.body).unwrap();
    for outside in ["src=\"", "href=\"", "@import", "innerHTML", "http://", "https://"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[tokio::test]
async fn other_sites_cannot_reach_the_page_by_a_name_that_points_here() {
    let it = Account::start().await;
    for (host, status) in [("attacker.example", 403), ("attacker.example:80", 403), ("localhost:1", 200)] {
        let request = Request::get(format!("{}/simulator/state", it.sim.origin())).header("host", host);
        assert_eq!(it.send(request.body(Full::from("")).unwrap()).await.unwrap().status, status, "{host}");
    }
    let form = Request::post(format!("{}/simulator/webhook", it.sim.origin())).header("content-type", "text/plain");
    assert_eq!(it.send(form.body(Full::from("{\"url\":\"http://x/\"}")).unwrap()).await.unwrap().status, 415);
}
