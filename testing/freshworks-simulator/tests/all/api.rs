//! The REST API as callers meet it: shapes, rules, refusals.

use axum::http::Request;
use freshworks_simulator::{
    AgentSpec, Config, ConversationForm, CreateWhileOpen, IdForm, SendToResolved, Simulator, Status, UserSpec,
};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::{Account, fields};

#[tokio::test]
async fn calls_without_the_key_are_refused_and_change_nothing() {
    let it = Account::start().await;
    for header in [None, Some("Bearer wrong"), Some("simulator-api-key"), Some("Basic c2ltOlg=")] {
        let mut request = Request::builder().method("POST").uri(format!("{}/v2/users", it.sim.origin()));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let answer = it.send(request.body(Full::from("{}")).unwrap()).await.unwrap();
        let (status, symbol, _) = answer.refusal();
        assert_eq!((status, symbol.as_str()), (401, "UNAUTHORIZED"));
    }
    assert_eq!(it.sim.users().len(), 1);
    assert!(it.sim.journal().iter().all(|exchange| !exchange.authorized));

    it.sim.set_behaviour(|behaviour| behaviour.unauthorized_status = 403);
    it.sim.set_api_key("rotated");
    assert_eq!(it.get("/v2/agents").await.status, 200);
    let old =
        Request::get(format!("{}/v2/agents", it.sim.origin())).header("authorization", "Bearer simulator-api-key");
    assert_eq!(it.send(old.body(Full::from("")).unwrap()).await.unwrap().refusal().0, 403);
}

#[tokio::test]
async fn every_answer_has_a_trace_id_and_the_journal_has_no_key() {
    let it = Account::start().await;
    let answer = it.get("/v2/channels").await;
    let trace = answer.headers["x-trace-id"].to_str().unwrap();
    assert_eq!((trace.len(), &trace[..3], &trace[52..]), (55, "00-", "-00"));
    answer.headers["x-server-processing-time-ms"].to_str().unwrap().parse::<u64>().unwrap();
    let exchange = it.sim.next_exchange().await;
    assert_eq!((exchange.line().as_str(), exchange.status), ("GET /v2/channels", Some(200)));
    assert!(exchange.authorized);
    assert!(!format!("{exchange:?}").contains("simulator-api-key"));
    it.sim.clear_journal();
    assert!(it.sim.journal().is_empty());
}

#[tokio::test]
async fn the_account_answers_with_its_facts() {
    let it = Account::start().await;
    let account = it.get("/v2/accounts/configuration").await.ok();
    assert_eq!(account["account_domain"], "acme.freshchat.com");
    assert!(account["organisation_id"].as_u64().unwrap() > 1 << 53);
    assert_eq!(
        fields(&account),
        [
            "account_domain",
            "account_id",
            "app_id",
            "bundle_id",
            "bundle_type",
            "datacenter",
            "organisation_domain",
            "organisation_id",
            "plan_type",
            "web_chat_id",
        ]
    );
}

#[tokio::test]
async fn a_created_conversation_has_the_published_shape() {
    let it = Account::start().await;
    let mut body = it.conversation("hello");
    body["messages"].as_array_mut().unwrap().push(json!({
        "message_parts": [{ "text": { "content": "summary" } }], "message_type": "private",
        "actor_type": "agent", "actor_id": it.maya,
    }));
    body["messages"].as_array_mut().unwrap().push(json!({
        "message_parts": [{ "text": { "content": "I am a bot" } }], "actor_type": "bot", "actor_id": "",
    }));
    body["properties"] = json!({ "priority": "High", "cf_type": "Refund" });
    let created = it.post("/v2/conversations", body).await.ok();
    assert_eq!(
        fields(&created),
        ["app_id", "channel_id", "conversation_id", "messages", "properties", "skill_id", "status", "users"]
    );
    assert_eq!(created["status"], "new");
    assert_eq!(created["properties"], json!({ "priority": "High", "cf_type": "Refund" }));
    assert_eq!(created["users"], json!([{ "id": it.user }]));
    let messages = created["messages"].as_array().unwrap();
    let seen: Vec<_> = messages.iter().map(|it| (&it["actor_type"], &it["message_type"])).collect();
    let (user, agent, system) = (json!("user"), json!("agent"), json!("system"));
    let (normal, private) = (json!("normal"), json!("private"));
    assert_eq!(seen, [(&user, &normal), (&agent, &private), (&system, &normal)]);
    assert_ne!(messages[2]["actor_id"], "");
    assert_eq!(
        fields(&messages[0]),
        [
            "actor_id",
            "actor_type",
            "app_id",
            "botsPrivateNote",
            "bots_input",
            "channel_id",
            "conversation_id",
            "created_time",
            "freshchat_channel_id",
            "freshchat_conversation_id",
            "id",
            "interaction_id",
            "isBotsInput",
            "message_parts",
            "message_source",
            "message_type",
            "org_actor_id",
            "restrictResponse",
            "user_id",
        ]
    );
    assert_eq!(messages[0]["message_source"], "API");
    let times: Vec<_> = messages.iter().map(|it| it["created_time"].as_str().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
}

#[tokio::test]
async fn properties_and_priority_of_a_conversation_can_be_changed_later() {
    let it = Account::start().await;
    let path = format!("/v2/conversations/{}", it.open("hello").await);
    let changed = it.put(&path, json!({ "properties": { "cf_type": "Refund" }, "priority": "Urgent" })).await.ok();
    assert_eq!(changed["properties"], json!({ "priority": "Urgent", "cf_type": "Refund" }));
    let changed = it.put(&path, json!({ "properties": { "priority": "High" } })).await.ok();
    assert_eq!(changed["properties"], json!({ "priority": "High", "cf_type": "Refund" }));
    assert_eq!(changed["status"], "new");
    assert_eq!(it.put(&path, json!({ "priority": "Unheard of" })).await.refusal().2, "INVALID_PRIORITY");
}

#[tokio::test]
async fn the_journal_keeps_what_was_answered() {
    let it = Account::start().await;
    let answered = it.get("/v2/groups").await.ok();
    assert_eq!(it.sim.next_exchange().await.answer_json(), answered);
}

#[tokio::test]
async fn reading_a_conversation_gives_twelve_fields_and_no_messages() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    let path = format!("/v2/conversations/{id}");
    let read = it.get(&path).await.ok();
    assert_eq!(
        fields(&read),
        [
            "app_id",
            "channel_id",
            "conversation_id",
            "conversation_internal_id",
            "created_time",
            "org_contact_id",
            "properties",
            "skill_id",
            "status",
            "updated_time",
            "url",
            "user_id",
        ]
    );
    assert!(read["url"].as_str().unwrap().ends_with(&read["conversation_internal_id"].to_string()));
    assert_eq!(it.sim.agent_url(&id).unwrap(), read["url"]);
    it.sim.set_behaviour(|behaviour| behaviour.conversation_form = ConversationForm::Minimal);
    assert_eq!(fields(&it.get(&path).await.ok()), ["app_id", "channel_id", "conversation_id", "skill_id", "status"]);
    it.sim.set_behaviour(|behaviour| behaviour.conversation_form = ConversationForm::WithMessages);
    assert_eq!(it.get(&path).await.ok()["messages"].as_array().unwrap().len(), 1);
    assert_eq!(it.get("/v2/conversations/none").await.refusal().1, "CONVERSATION_NOT_FOUND");
    let listed = it.get(&format!("/v2/users/{}/conversations", it.user)).await.ok();
    assert_eq!(listed, json!({ "conversations": [{ "id": id }] }));
}

#[tokio::test]
async fn a_second_create_goes_to_the_open_conversation() {
    let it = Account::start().await;
    let first = it.open("one").await;
    assert_eq!(it.open("two").await, first);
    assert_eq!(it.texts(&first), ["one", "two"]);
    it.sim.resolve(&first, &it.maya).await.unwrap();
    let second = it.open("three").await;
    assert_ne!(second, first);
    assert!(it.sim.conversation(&first).unwrap().superseded);
    let answer = it.post(&format!("/v2/conversations/{first}/messages"), it.message("late")).await;
    let (status, _, message) = answer.refusal();
    assert_eq!(status, 400);
    assert!(message.contains("not the latest conversation"), "{message}");

    it.sim.set_behaviour(|behaviour| behaviour.create_while_open = CreateWhileOpen::AlwaysNew);
    assert_ne!(it.open("four").await, second);
    assert!(it.sim.conversation(&second).unwrap().superseded);
}

#[tokio::test]
async fn a_users_message_reopens_what_is_resolved_or_is_refused() {
    let it = Account::start().await;
    let id = it.open("one").await;
    let path = format!("/v2/conversations/{id}/messages");
    it.sim.resolve(&id, &it.maya).await.unwrap();
    let before = it.sim.conversation(&id).unwrap().interaction_id;
    it.post(&path, it.message("two")).await.ok();
    let reopened = it.sim.conversation(&id).unwrap();
    assert_eq!(reopened.status, Status::Reopened);
    assert_ne!(reopened.interaction_id, before);

    it.sim.resolve(&id, &it.maya).await.unwrap();
    it.sim.set_behaviour(|behaviour| behaviour.send_to_resolved = SendToResolved::NotLatest);
    assert!(it.post(&path, it.message("three")).await.refusal().2.contains("not the latest conversation"));
    assert_eq!(it.texts(&id), ["one", "two"]);
    assert_eq!(it.sim.conversation(&id).unwrap().status, Status::Resolved);
}

#[tokio::test]
async fn bad_creates_are_refused_and_create_nothing() {
    let it = Account::start().await;
    let with = |field: &str, value: Value| {
        let mut body = it.conversation("hello");
        body[field] = value;
        body
    };
    let mut strange_actor = it.conversation("hello");
    strange_actor["messages"][0]["actor_id"] = json!("nobody");
    let mut private = it.conversation("hello");
    private["messages"][0]["message_type"] = json!("private");
    let mut anonymous = it.conversation("hello");
    anonymous["messages"][0]["actor_type"] = Value::Null;
    let mut two_keys = it.conversation("hello");
    two_keys["messages"][0]["message_parts"][0]["image"] = json!({ "url": "https://example.org/a.png" });
    let cases = [
        (with("channel_id", json!("none")), 404, "CHANNEL_NOT_FOUND"),
        (with("channel_id", Value::Null), 400, "INVALID_VALUE"),
        (with("messages", json!([])), 400, "INVALID_VALUE"),
        (with("users", json!([{ "id": "nobody" }])), 404, "USER_NOT_FOUND"),
        (with("assigned_agent_id", json!("nobody")), 404, "AGENT_NOT_FOUND"),
        (with("assigned_group_id", json!("none")), 404, "GROUP_NOT_FOUND"),
        (with("status", json!("open")), 400, "INVALID_VALUE"),
        (with("status", json!("assigned")), 400, "INVALID_VALUE"),
        (with("properties", json!({ "priority": "Normal" })), 400, "INVALID_VALUE"),
        (strange_actor, 404, "USER_NOT_FOUND"),
        (private, 400, "INVALID_VALUE"),
        (anonymous, 400, "INVALID_VALUE"),
        (two_keys, 400, "INVALID_VALUE"),
    ];
    for (body, status, symbol) in cases {
        let (found, found_symbol, message) = it.post("/v2/conversations", body).await.refusal();
        assert_eq!((found, found_symbol.as_str()), (status, symbol), "{message}");
    }
    assert!(it.sim.conversations().is_empty());
    assert!(it.sim.deliveries().is_empty());
}

#[tokio::test]
async fn messages_are_checked_before_they_are_stored() {
    let it = Account::start().await;
    let id = it.open("one").await;
    let path = format!("/v2/conversations/{id}/messages");
    let stranger = it.sim.seed_user(UserSpec::default());
    let gone = it.sim.add_agent(AgentSpec { deactivated: true, ..AgentSpec::named("Old Timer", "old@acme.example") });
    let parts = json!([{ "text": { "content": "x" } }]);
    let by = |kind: &str, id: &str| json!({ "message_parts": parts, "actor_type": kind, "actor_id": id });
    let cases = [
        (by("user", &stranger), 400),
        (by("agent", "nobody"), 404),
        (by("agent", &gone), 404),
        (by("customer", &it.user), 400),
        (json!({ "message_parts": [], "actor_type": "user", "actor_id": it.user }), 400),
        (json!({ "messages": [it.message("wrapped")] }), 400),
        (json!({ "message_parts": [{ "text": {} }], "actor_type": "user", "actor_id": it.user }), 400),
        (
            json!({ "message_parts": [{ "file": { "fileHash": "none" } }], "actor_type": "user", "actor_id": it.user }),
            400,
        ),
    ];
    for (body, status) in cases {
        assert_eq!(it.post(&path, body.clone()).await.refusal().0, status, "{body}");
    }
    it.sim.set_behaviour(|behaviour| behaviour.max_text_chars = Some(5));
    assert_eq!(it.post(&path, it.message("123456")).await.refusal().2, "TEXT_TOO_LONG");
    it.post(&path, it.message("é2345")).await.ok();
    assert_eq!(it.texts(&id), ["one", "é2345"]);
    assert_eq!(it.post("/v2/conversations/none/messages", it.message("x")).await.refusal().1, "CONVERSATION_NOT_FOUND");
}

#[tokio::test]
async fn an_email_conversation_stores_the_text_that_it_refuses() {
    let it = Account::start().await;
    let id = it.open("one").await;
    it.sim.set_behaviour(|behaviour| behaviour.email_quirk = true);
    let answer = it.post(&format!("/v2/conversations/{id}/messages"), it.message("two")).await;
    assert!(answer.refusal().2.ends_with("EmailFragment"));
    assert_eq!(it.texts(&id), ["one", "two"]);
}

#[tokio::test]
async fn updates_move_the_conversation_and_answer_with_it() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    let path = format!("/v2/conversations/{id}");
    let routed = it.put(&path, json!({ "status": "new", "assigned_group_id": it.group })).await.ok();
    assert_eq!((&routed["status"], &routed["assigned_group_id"]), (&json!("new"), &json!(it.group)));
    let taken = it.put(&path, json!({ "status": "assigned", "assigned_agent_id": it.maya })).await.ok();
    assert_eq!((&taken["status"], &taken["assigned_agent_id"]), (&json!("assigned"), &json!(it.maya)));
    let back = it.put(&path, json!({ "assigned_agent_id": "" })).await.ok();
    assert_eq!((&back["status"], back.get("assigned_agent_id")), (&json!("new"), None));
    let waiting =
        it.put(&path, json!({ "status": "waiting on customer", "properties": { "cf_type": "x" } })).await.ok();
    assert_eq!(waiting["status"], "waiting on customer");
    assert_eq!(waiting["properties"], json!({ "priority": "Low", "cf_type": "x" }));
    assert_eq!(it.put(&path, json!({ "status": "resolved" })).await.ok()["status"], "resolved");
    assert_eq!(it.put(&path, json!({ "status": "resolved" })).await.ok()["status"], "resolved");
    assert_eq!(it.put(&path, json!({ "status": "waiting_on_customer" })).await.refusal().0, 400);
    let other = it.open("other").await;
    let alone = it.put(&format!("/v2/conversations/{other}"), json!({ "status": "assigned" })).await;
    assert_eq!(alone.refusal().0, 400);
}

#[tokio::test]
async fn uploads_can_be_sent_and_fetched() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    let upload = |path: &str, part: &str, name: &str, kind: &str, content: &'static str| {
        let body = format!(
            "--b\r\ncontent-disposition: form-data; name=\"{part}\"; filename=\"{name}\"\r\ncontent-type: {kind}\r\n\r\n{content}\r\n--b--\r\n"
        );
        Request::post(format!("{}{path}", it.sim.origin()))
            .header("authorization", format!("Bearer {}", it.sim.api_key()))
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Full::from(body))
            .unwrap()
    };
    let image = it.send(upload("/v2/images/upload", "image", "a b.png", "image/png", "PNG")).await.unwrap().ok();
    let url = image["url"].as_str().unwrap();
    assert_eq!(it.get(&url[it.sim.origin().len()..]).await.body, "PNG");

    let file = it.send(upload("/v2/files/upload", "file", "bill.pdf", "application/pdf", "%PDF")).await.unwrap().ok();
    assert_eq!(
        fields(&file),
        ["file_content_type", "file_extension_type", "file_hash", "file_name", "file_security_status", "file_size"]
    );
    assert_eq!((&file["file_size"], &file["file_extension_type"]), (&json!(4), &json!("pdf")));
    let part = json!({ "file": { "name": "bill.pdf", "fileHash": file["file_hash"], "fileSource": "FRESHCHAT" } });
    let body = json!({ "message_parts": [part], "actor_type": "user", "actor_id": it.user });
    let sent = it.post(&format!("/v2/conversations/{id}/messages"), body).await.ok();
    let stored = &sent["message_parts"][0]["file"];
    assert_eq!(fields(stored), ["content_type", "file_size_in_bytes", "name", "url"]);
    let url = stored["url"].as_str().unwrap();
    assert_eq!(it.get(&url[it.sim.origin().len()..]).await.body, "%PDF");

    it.sim.set_behaviour(|behaviour| (behaviour.private_uploads, behaviour.refuse_external_images) = (true, true));
    let request = Request::get(url).body(Full::from("")).unwrap();
    assert_eq!(it.send(request).await.unwrap().status, 401);
    let external = json!({
        "message_parts": [{ "image": { "url": "https://example.org/a.png" } }], "actor_type": "user", "actor_id": it.user,
    });
    let refused = it.post(&format!("/v2/conversations/{id}/messages"), external).await.refusal();
    assert_eq!(refused.2, "IMAGE_EMPTY_CONTENT");
    let wrong = it.send(upload("/v2/files/upload", "image", "x", "text/plain", "x")).await.unwrap();
    assert_eq!(wrong.refusal().2, "FILE_PART_MISSING");
}

#[tokio::test]
async fn agents_groups_fields_and_hours_can_be_read() {
    let it = Account::start().await;
    let agent = it.get(&format!("/v2/agents/{}", it.maya)).await.ok();
    assert_eq!((&agent["first_name"], &agent["last_name"]), (&json!("Maya"), &json!("Chen")));
    assert!(agent["avatar"]["url"].is_string());
    assert_eq!(agent["groups"], json!([it.group]));
    let tom = it.get(&format!("/v2/agents/{}", it.tom)).await.ok();
    assert_eq!(tom["avatar"], json!({}));
    let (status, symbol, message) = it.get("/v2/agents/nobody").await.refusal();
    assert_eq!((status, symbol.as_str(), message.as_str()), (404, "AGENT_NOT_FOUND", "agent not found"));
    assert_eq!(it.get("/v2/agents").await.ok()["agents"].as_array().unwrap().len(), 2);
    assert_eq!(it.get("/v2/groups").await.ok()["groups"][0]["name"], "Support");
    assert!(
        it.get("/v2/conversations/fields").await.ok().as_array().unwrap().iter().any(|it| it["name"] == "priority")
    );
    assert!(it.get("/v2/business-hours/within-bh").await.ok()["within_business_hours"].as_bool().unwrap());
    assert_eq!(it.get("/v2/business-hours/within-bh?group_id=none").await.status, 400);
}

#[tokio::test]
async fn unknown_routes_and_methods_answer_in_the_same_shape() {
    let it = Account::start().await;
    assert_eq!(it.get("/v2/nonsense").await.refusal().0, 404);
    assert_eq!(it.get("/v2/conversations").await.refusal().0, 405);
    it.sim.set_behaviour(|behaviour| behaviour.html_errors = true);
    let page = it.get("/v2/nonsense").await;
    assert_eq!(page.status, 404);
    assert!(page.body.starts_with(b"<html>"));
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_ids() {
    let (one, two) = (Account::start().await, Account::start().await);
    let _ = one.get("/v2/nonsense").await;
    assert_eq!(one.open("hello").await, two.open("hello").await);
    let other = Account::with(Config { seed: 2, ..Config::default() }).await;
    assert_ne!(other.open("hello").await, one.open("hello").await);
}

#[tokio::test]
async fn ids_can_take_the_other_forms() {
    let it = Account::start().await;
    it.sim.set_behaviour(|behaviour| behaviour.id_form = IdForm::Mixed);
    let user = it.post("/v2/users", json!({ "first_name": "Denise" })).await.ok();
    assert!(user["id"].as_str().unwrap().starts_with("Denise_alias"), "{user}");
    let id = it.open("hello").await;
    assert!(id.len() == 32 && id.bytes().all(|it| it.is_ascii_hexdigit()), "{id}");
    it.get(&format!("/v2/conversations/{id}")).await.ok();
}

#[tokio::test]
async fn a_simulator_stops_when_it_is_dropped() {
    let sim = Simulator::start(Config::default()).await.unwrap();
    let address = sim.origin().trim_start_matches("http://").to_owned();
    let mut open = tokio::net::TcpStream::connect(&address).await.unwrap();
    drop(sim);
    // The open connection ends; only then the listener has certainly stopped, too.
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut open, &mut rest).await;
    assert!(rest.is_empty());
    assert!(tokio::net::TcpStream::connect(&address).await.is_err());
}
