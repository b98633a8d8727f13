//! The inbox page and its API.

use axum::http::Request;
use freshworks_simulator::{MessageType, Status};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::{Account, Receiver, Reply};
use crate::ticket_desk::{Desk, ana};

async fn act(it: &Account, path: &str, body: Value) -> Reply {
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
    // The page inserts them as text nodes, so text that looks like HTML stays text.
    assert_eq!((&shown["subject"], &shown["text"]), (&json!("<img src=x>"), &json!("late")));
    assert_eq!((&shown["thread"][0]["text"], &shown["thread"][0]["private"]), (&json!("for <b>us</b>"), &json!(true)));
}

/// The files that the page loads.
const FILES: [&str; 10] = [
    "/inbox.css",
    "/inbox.svg",
    "/inbox.js",
    "/calls.js",
    "/composer.js",
    "/conversations.js",
    "/dom.js",
    "/faults.js",
    "/texts.js",
    "/tickets.js",
];

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere_and_runs_nothing_but_its_own_files() {
    let it = Account::start().await;
    let page = it.get("/").await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = std::str::from_utf8(&page.body).unwrap();
    for foreign in ["src=\"h", "href=\"h", "://", "<style", " style=", " on", "javascript:"] {
        let found = html.find(foreign).map(|at| &html[at..(at + 40).min(html.len())]);
        assert!(found.is_none_or(|found| found.starts_with(" one")), "{found:?}");
    }
    for file in FILES {
        let answer = it.get(file).await;
        assert_eq!(answer.status, 200, "{file}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let text = std::str::from_utf8(&answer.body).unwrap();
        for foreign in ["@import", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write(", "eval("] {
            assert!(!text.contains(foreign), "{file}: {foreign}");
        }
    }
}

#[tokio::test]
async fn every_text_that_the_page_names_is_there_to_translate() {
    let it = Account::start().await;
    let page = it.get("/").await.body;
    let texts = it.get("/texts.js").await.body;
    let texts = std::str::from_utf8(&texts).unwrap();
    for attribute in ["data-text=\"", "data-label=\"", "data-hint=\""] {
        for rest in std::str::from_utf8(&page).unwrap().split(attribute).skip(1) {
            let name = rest.split('"').next().unwrap();
            assert!(texts.contains(&format!("\n  {name}: \"")), "{name}");
        }
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

#[tokio::test]
async fn a_page_of_another_origin_can_change_nothing() {
    let it = Account::start().await;
    let own = it.sim.origin().to_owned();
    let next_port = format!("http://127.0.0.1:{}", own.rsplit(':').next().unwrap().parse::<u32>().unwrap() + 1);
    let origins = [("http://attacker.example", 403), ("null", 403), (next_port.as_str(), 403), (own.as_str(), 200)];
    for (origin, status) in origins {
        let request = Request::post(format!("{own}/simulator/webhook"))
            .header("content-type", "application/json")
            .header("origin", origin);
        let answer = it.send(request.body(Full::from("{\"url\":\"http://127.0.0.1:9/\"}")).unwrap()).await.unwrap();
        assert_eq!(answer.status, status, "{origin}");
        let clear = Request::delete(format!("{own}/simulator/faults")).header("origin", origin);
        assert_eq!(it.send(clear.body(Full::from("")).unwrap()).await.unwrap().status, status, "{origin}");
        let state = it.get("/simulator/state").await.ok();
        assert_eq!(state["webhook"].is_string(), status == 200, "{origin}");
    }
}
