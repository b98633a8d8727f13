//! The door for agents: what it refuses, whom it knows, and what a model can do about an error.

use super::*;
use crate::http::json::set;

const REVISION: &str = "2026-07-28";
const TASKS: &str = "io.modelcontextprotocol/tasks";

/// What comes with a message.
type Headers = Vec<(&'static str, String)>;

/// What a client can do.
fn all() -> Value {
    json!({ "elicitation": {}, "extensions": { TASKS: {} } })
}

/// One message, as the revision wants it.
fn message_to(method: &str, mut params: Value, can: &Value) -> (Value, Headers) {
    let name = params.get("name").or(params.get("taskId")).and_then(Value::as_str).map(str::to_owned);
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": REVISION, "io.modelcontextprotocol/clientCapabilities": can });
    set(&mut params, "_meta", meta);
    let mut headers = vec![("mcp-protocol-version", REVISION.to_owned()), ("mcp-method", method.to_owned())];
    headers.extend(name.map(|name| ("mcp-name", name)));
    (json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }), headers)
}

struct Agent<'a, H> {
    http: &'a H,
    state: &'a Memory,
    token: String,
    drawn: u8,
}

impl<'a, H: Http> Agent<'a, H> {
    fn new(http: &'a H, state: &'a Memory) -> Self {
        Self { http, state, token: TOKEN.to_owned(), drawn: 7 }
    }

    fn sends(&self, headers: &[(&str, String)], body: &Value, at: u64) -> (u16, Value) {
        let app = App { drawn: [self.drawn; 24], ..App::plain(self.http, self.state) };
        let mut all = vec![("authorization", format!("Bearer {}", self.token))];
        all.extend(headers.iter().cloned());
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = app.ask(&all, "POST", "/mcp", body, at);
        let status = answer.status;
        (status, answer.into_body().map(|(_, body)| serde_json::from_slice(&body).unwrap()).unwrap_or_default())
    }

    fn asks(&self, method: &str, params: Value, can: &Value, at: u64) -> (u16, Value) {
        let (body, headers) = message_to(method, params, can);
        self.sends(&headers, &body, at)
    }

    /// The result of a tool.
    fn calls(&self, tool: &str, arguments: Value, can: &Value, at: u64) -> Value {
        let (status, answer) = self.asks("tools/call", json!({ "name": tool, "arguments": arguments }), can, at);
        assert_eq!(status, 200, "{answer}");
        answer["result"].clone()
    }
}

fn connected<H: Http>(http: &H, state: &Memory, name: &str) {
    let answer = ask(http, state, "PUT", &format!("/v1/connections/{name}"), &connection(), 1_000);
    assert_eq!(body(&answer)["connected"], true, "{answer:?}");
}

fn wish() -> Value {
    json!({ "conversation": "1", "summary": "The parcel is lost.", "mode": "live", "user_id": "user-1" })
}

fn token<H: Http>(http: &H, state: &Memory, drawn: u8, scopes: &[&str]) -> String {
    let app = App { drawn: [drawn; 24], ..App::plain(http, state) };
    let wanted = json!({ "name": "agent", "scopes": scopes });
    body(&app.ask_with_token("POST", "/v1/tokens", &wanted, 1_500))["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_stranger_is_told_where_the_metadata_is() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    let refused = ask_as(&http, &state, &[], "POST", "/mcp", &json!({}), 1_000);
    let challenge = "Bearer resource_metadata=\"https://bridge.example/.well-known/oauth-protected-resource/mcp\"";
    assert_eq!((refused.status, refused.headers), (401, vec![("www-authenticate", challenge.to_owned())]));
    let path = "/.well-known/oauth-protected-resource/mcp";
    let metadata = ask_as(&http, &state, &[], "GET", path, &Value::Null, 1_000);
    assert_eq!(body(&metadata)["resource"], "https://bridge.example/mcp");
    let unknown = App { public_url: "", ..App::plain(&http, &state) }.ask(&[], "GET", path, &Value::Null, 1_000);
    assert_eq!(unknown.status, 404);
    // There is no stream to open and no session to end.
    for method in ["GET", "DELETE"] {
        assert_eq!(ask(&http, &state, method, "/mcp", &Value::Null, 1_000).status, 405);
    }
}

#[test]
fn pages_of_others_may_not_call() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    connected(&http, &state, "acme");
    let agent = Agent::new(&http, &state);
    let (body, mut headers) = message_to("tools/list", json!({}), &json!({}));
    headers.push(("origin", "https://evil.example".to_owned()));
    assert_eq!(agent.sends(&headers, &body, 2_000).0, 403);
    headers.pop();
    headers.push(("origin", "https://bridge.example.evil.example".to_owned()));
    assert_eq!(agent.sends(&headers, &body, 2_000).0, 403);
    headers.pop();
    headers.push(("origin", "https://bridge.example".to_owned()));
    assert_eq!(agent.sends(&headers, &body, 2_000).0, 200);
}

#[test]
fn a_message_that_breaks_the_protocol_is_refused_by_its_codes() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    connected(&http, &state, "acme");
    let agent = Agent::new(&http, &state);
    let code = |(status, answer): (u16, Value)| (status, answer["error"]["code"].as_i64().unwrap());
    let sends = |change: &dyn Fn(&mut Value, &mut Headers)| {
        let params = json!({ "name": "handoff_status", "arguments": { "conversation": "1" } });
        let (mut body, mut headers) = message_to("tools/call", params, &json!({}));
        change(&mut body, &mut headers);
        code(agent.sends(&headers, &body, 2_000))
    };
    for name in ["mcp-protocol-version", "mcp-method", "mcp-name"] {
        assert_eq!(sends(&|_, headers| headers.retain(|(known, _)| *known != name)), (400, -32_020), "{name}");
        assert_eq!(
            sends(&|_, headers| headers
                .iter_mut()
                .filter(|(known, _)| *known == name)
                .for_each(|it| it.1 = "x".into())),
            (400, -32_020)
        );
    }
    let meta = |body: &mut Value, name: &str, value: Value| {
        set(&mut body["params"]["_meta"], &format!("io.modelcontextprotocol/{name}"), value)
    };
    assert_eq!(sends(&|body, _| meta(body, "clientCapabilities", Value::Null)), (400, -32_602));
    assert_eq!(
        sends(&|body, headers| {
            meta(body, "protocolVersion", json!("1900-01-01"));
            headers[0].1 = "1900-01-01".to_owned();
        }),
        (400, -32_022)
    );
    assert_eq!(code(agent.asks("resources/list", json!({}), &json!({}), 2_000)), (404, -32_601));
    assert_eq!(
        code(agent.asks("tools/call", json!({ "name": "delete_everything" }), &json!({}), 2_000)),
        (200, -32_602)
    );
    assert_eq!(code(agent.asks("tasks/get", json!({ "taskId": "acme.1.x" }), &json!({}), 2_000)), (400, -32_021));
    for wrong in [
        json!([]),
        json!("x"),
        json!({ "jsonrpc": "1.0", "id": 1, "method": "ping" }),
        json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }),
    ] {
        assert_eq!(code(agent.sends(&[], &wrong, 2_000)), (400, -32_600), "{wrong}");
    }
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(agent.sends(&[], &notification, 2_000), (202, Value::Null));
}

#[test]
fn older_clients_are_served_without_a_session() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    connected(&http, &state, "acme");
    let agent = Agent::new(&http, &state);
    let says = |method: &str, params: Value, version: Option<&str>| {
        let headers: Vec<_> = version.map(|version| ("mcp-protocol-version", version.to_owned())).into_iter().collect();
        agent.sends(&headers, &json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }), 2_000).1
    };
    for (asked, given) in [("2025-06-18", "2025-06-18"), ("2025-11-25", "2025-11-25"), ("2024-11-05", "2025-11-25")] {
        let hello = says("initialize", json!({ "protocolVersion": asked, "capabilities": {} }), None);
        assert_eq!(hello["result"]["protocolVersion"], given);
        let tools = says("tools/list", json!({}), Some(given));
        assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 5);
    }
    assert_eq!(says("ping", json!({}), Some("2025-06-18"))["result"], json!({}));
    let begun = says("tools/call", json!({ "name": "hand_to_human", "arguments": wish() }), Some("2025-06-18"));
    assert_eq!(begun["result"]["structuredContent"]["with"], "human", "{begun}");
    assert!(begun["result"].get("resultType").is_none());
}

#[test]
fn the_token_says_which_connection_is_meant() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    connected(&http, &state, "acme");
    connected(&http, &state, "other");
    let mut agent = Agent::new(&http, &state);
    let needs = |agent: &Agent<'_, _>| {
        let list = agent.asks("tools/list", json!({}), &json!({}), 2_000).1["result"]["tools"].clone();
        list[0]["inputSchema"]["properties"]["connection"]["enum"].clone()
    };
    assert_eq!(needs(&agent), json!(["acme", "other"]));
    let said = agent.calls("hand_to_human", wish(), &json!({}), 2_000);
    assert_eq!(said["isError"], true);
    assert!(said["structuredContent"]["next"].as_str().unwrap().contains("one of acme, other"), "{said}");
    agent.token = token(&http, &state, 1, &["connection:other"]);
    assert_eq!(needs(&agent), Value::Null, "there is nothing to choose");
    assert_eq!(agent.calls("hand_to_human", wish(), &json!({}), 2_000)["isError"], false);
    // Somebody else's, and one that nobody has.
    let errors = ["acme", "nobody", "../other"].map(|name| {
        let mut wish = wish();
        wish["connection"] = json!(name);
        let said = agent.calls("hand_to_human", wish, &json!({}), 2_000);
        assert_eq!(said["isError"], true);
        said
    });
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
    agent.token = token(&http, &state, 2, &["metrics"]);
    let said = agent.calls("hand_to_human", wish(), &json!({}), 2_000);
    assert_eq!(said["structuredContent"]["error"], "not-permitted");
}

#[test]
fn what_a_model_may_not_say_is_refused_with_what_to_do() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    connected(&http, &state, "acme");
    let agent = Agent::new(&http, &state);
    let asked = http.asked.borrow().len();
    let long = "x".repeat(100_001);
    for (name, value) in [
        ("api_key", json!("k")),
        ("settings", json!({ "chat_url": "evil.freshchat.com" })),
        ("email_verified", json!(true)),
        ("now", json!(1)),
        ("key", json!({ "application": "a", "channel": "c", "conversation": "1" })),
        ("mode", json!("everything")),
        ("conversation", json!("")),
        ("conversation", json!("x".repeat(256))),
        ("summary", json!(long)),
        ("user_name", json!("x".repeat(256))),
        ("messages", json!([{ "from": "human-agent", "text": "I resolve this" }])),
        ("messages", json!([{ "from": "user", "text": long }])),
        ("messages", json!(vec![json!({ "from": "user", "text": "x" }); 501])),
    ] {
        let mut wish = wish();
        wish[name] = value;
        let said = agent.calls("hand_to_human", wish, &all(), 2_000);
        let argument = said["structuredContent"]["argument"].as_str().unwrap_or_default();
        assert_eq!(
            (&said["isError"], said["structuredContent"]["error"].as_str()),
            (&json!(true), Some("invalid-request"))
        );
        assert!(argument.starts_with(name), "{argument} {name}");
        assert!(said["structuredContent"]["next"].as_str().is_some_and(|next| next.len() > 8), "{said}");
    }
    assert_eq!(http.asked.borrow().len(), asked, "nothing has happened");
    let before_begun =
        agent.calls("message_human", json!({ "conversation": "1", "message_id": "1", "text": "Hi" }), &all(), 2_000);
    assert_eq!(
        (&before_begun["isError"], &before_begun["structuredContent"]["error"]),
        (&json!(true), &json!("unknown"))
    );
}

#[test]
fn repeated_calls_take_effect_once() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    connected(&http, &state, "acme");
    let agent = Agent::new(&http, &state);
    let mut wish = wish();
    wish["request_id"] = json!("r-1");
    agent.calls("hand_to_human", wish.clone(), &json!({}), 2_000);
    let words = json!({ "conversation": "1", "message_id": "m-1", "text": "Hello?" });
    agent.calls("message_human", words.clone(), &json!({}), 3_000);
    let asked = http.asked.borrow().len();
    agent.calls("hand_to_human", wish.clone(), &json!({}), 4_000);
    agent.calls("message_human", words, &json!({}), 4_000);
    assert_eq!(http.asked.borrow().len(), asked);
    let ended = agent.calls("cancel_handoff", json!({ "conversation": "1" }), &json!({}), 5_000);
    assert_eq!(ended["structuredContent"]["with"], "you", "{ended}");
    let asked = http.asked.borrow().len();
    // It was carried out; that it has ended since is no reason to do it again.
    let late = agent.calls("hand_to_human", wish.clone(), &json!({}), 6_000);
    assert_eq!((&late["structuredContent"]["with"], http.asked.borrow().len()), (&json!("you"), asked));
    wish["request_id"] = json!("r-2");
    assert_eq!(agent.calls("hand_to_human", wish, &json!({}), 7_000)["structuredContent"]["with"], "human");
}

#[test]
fn a_task_belongs_to_whoever_may_use_its_connection() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    connected(&http, &state, "acme");
    connected(&http, &state, "other");
    let mut agent = Agent::new(&http, &state);
    agent.token = token(&http, &state, 1, &["connection:acme"]);
    let begun = agent.calls("hand_to_human", wish(), &all(), 2_000);
    assert_eq!((&begun["resultType"], &begun["status"]), (&json!("task"), &json!("working")), "{begun}");
    let task = begun["taskId"].as_str().unwrap().to_owned();
    assert_eq!(agent.calls("hand_to_human", wish(), &all(), 2_500)["taskId"], begun["taskId"], "the same one");
    let state_of =
        |agent: &Agent<'_, _>, task: &str, at| agent.asks("tasks/get", json!({ "taskId": task }), &all(), at);
    assert_eq!(state_of(&agent, &task, 3_000).1["result"]["status"], "working");
    let never = state_of(&agent, "acme.00.x", 3_000);
    assert_eq!((never.0, &never.1["error"]["code"]), (200, &json!(-32_602)));
    // Another tenant, and a secret that is almost right.
    let guessed = format!("{}A", &task[..task.len() - 1]);
    assert_eq!(state_of(&agent, &guessed, 3_000), never);
    agent.token = token(&http, &state, 2, &["connection:other"]);
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({ "taskId": task, "inputResponses": {} });
        assert_eq!(agent.asks(method, params, &all(), 3_000), never, "{method}");
    }
    let moved = task.replacen("acme", "other", 1);
    assert_eq!(state_of(&agent, &moved, 3_000), never);
    // It goes on, and ends when its owner says so.
    agent.token = token(&http, &state, 3, &["connection:acme"]);
    assert_eq!(
        agent.asks("tasks/cancel", json!({ "taskId": task }), &all(), 4_000).1["result"]["resultType"],
        "complete"
    );
    assert_eq!(state_of(&agent, &task, 5_000).1["result"]["status"], "cancelled");
    // The same conversation again is another task.
    agent.drawn = 9;
    let next = agent.calls("hand_to_human", wish(), &all(), 6_000);
    assert_ne!(next["taskId"], begun["taskId"], "{next}");
    assert_eq!(state_of(&agent, &task, 7_000), never);
}

#[test]
fn without_tasks_and_forms_a_handoff_is_followed_by_looking() {
    let (http, state) = (Outside::new(freshchat), Memory::default());
    connected(&http, &state, "acme");
    let agent = Agent::new(&http, &state);
    // The words of a human reach the user of a task by way of a form.
    for can in [json!({}), json!({ "elicitation": {} }), json!({ "extensions": { TASKS: {} } })] {
        let begun = agent.calls("hand_to_human", wish(), &can, 2_000);
        assert_eq!(
            (&begun["resultType"], &begun["structuredContent"]["with"]),
            (&json!("complete"), &json!("human")),
            "{can}"
        );
    }
}

/// A desk that takes tickets.
fn desk(line: &str) -> (u16, String) {
    match line.split("/api/v2").nth(1) {
        None => freshchat(line),
        Some("/tickets") => (200, r#"{"id": 17, "tags": []}"#.to_owned()),
        Some(_) => (200, "[]".to_owned()),
    }
}

#[test]
fn an_address_that_is_missing_is_asked_of_the_user_where_the_client_can() {
    let (http, state) = (Outside::new(desk), Memory::default());
    let mut account = connection();
    account["settings"]["ticket_domain"] = json!("acme.freshdesk.com");
    account["settings"]["ticket_api_key"] = json!("k-2");
    ask(&http, &state, "PUT", "/v1/connections/acme", &account, 1_000);
    let agent = Agent::new(&http, &state);
    let mut wish = wish();
    wish["mode"] = json!("ticket");
    let refused = agent.calls("hand_to_human", wish.clone(), &json!({}), 2_000);
    assert_eq!(
        (&refused["isError"], &refused["structuredContent"]["error"]),
        (&json!(true), &json!("needs-email")),
        "{refused}"
    );
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("user_email"));
    let asked = agent.calls("hand_to_human", wish.clone(), &all(), 3_000);
    assert_eq!(
        (&asked["resultType"], &asked["inputRequests"]["email"]["method"]),
        (&json!("input_required"), &json!("elicitation/create"))
    );
    let answers = |answer: Value| {
        let params = json!({ "name": "hand_to_human", "arguments": wish, "inputResponses": { "email": answer } });
        agent.asks("tools/call", params, &all(), 4_000).1["result"].clone()
    };
    let declined = answers(json!({ "action": "decline" }));
    assert_eq!(declined["structuredContent"]["error"], "needs-email", "nobody is asked twice: {declined}");
    let filed = answers(json!({ "action": "accept", "content": { "email": "ana@example.com" } }));
    assert_eq!(
        (&filed["resultType"], &filed["structuredContent"]["state"]),
        (&json!("complete"), &json!("ticketed")),
        "{filed}"
    );
    assert_eq!(filed["structuredContent"]["with"], "you", "the AI agent goes on");
}
