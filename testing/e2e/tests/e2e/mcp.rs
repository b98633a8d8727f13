//! The door for agents: official clients of MCP play a whole round against the real bridge.
//!
//! `cargo xtask test` installs the clients, in fixed versions, and says where they are.

use std::process::Stdio;
use std::time::Duration;

use e2e::{Api, Environment, Store, TOKEN};
use freshworks_simulator::{Assignee, Conversation, Status};
use serde_json::{Value, json};
use spin_emulator::SqliteFile;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::cast::{count, texts, within};

/// A published client at work.
struct Client {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

fn installed(variable: &str) -> std::path::PathBuf {
    std::env::var_os(variable).expect("run `cargo xtask test`: it installs the published clients").into()
}

impl Client {
    fn start(program: impl AsRef<std::ffi::OsStr>, script: &str, arguments: &[&str]) -> Self {
        let script = format!("{}/tests/clients/{script}", env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(program);
        command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.env("PYTHONDONTWRITEBYTECODE", "1").spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output).lines() }
    }

    fn python(stage: &Environment, mode: &str, can: &[&str]) -> Self {
        let address = format!("{}/mcp", stage.front.origin());
        Self::start(installed("CLIENT_MCP_PYTHON"), "mcp_client.py", &[&[address.as_str(), TOKEN, mode], can].concat())
    }

    fn node(stage: &Environment, package: &str, mode: &str, can: &[&str]) -> Self {
        let (address, folder) = (format!("{}/mcp", stage.front.origin()), installed("CLIENT_MCP_NODE"));
        let folder = folder.to_str().unwrap().to_owned();
        Self::start("node", "mcp_client.mjs", &[&[&folder, package, &address, TOKEN, mode], can].concat())
    }

    async fn hears(&mut self, line: Value) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn says(&mut self) -> Value {
        let line = within("the client says something", self.output.next_line()).await.unwrap();
        serde_json::from_str(&line.expect("the client has ended: its reason is above")).unwrap()
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.hears(json!({ "call": tool, "arguments": arguments })).await;
        let said = self.says().await;
        assert_eq!(said["error"], false, "{said}");
        said["result"].clone()
    }

    async fn ends(mut self) {
        drop(self.input);
        assert!(within("the client ends", self.child.wait()).await.unwrap().success());
    }
}

async fn stage() -> Environment {
    let stage = Environment::start(Store::Sqlite(Default::default()), 2, &[]).await.unwrap();
    stage.connect("acme", &json!({ "kind": "polling" })).await.unwrap();
    stage
}

fn wish(conversation: &str) -> Value {
    json!({
        "conversation": conversation, "summary": format!("{conversation}: the parcel is lost"), "mode": "live", "user_name": "Ana Silva",
        "messages": [{ "from": "user", "text": "Where is my parcel?" }, { "from": "assistant", "text": "I cannot find it." }],
    })
}

const TOOLS: [&str; 5] = ["hand_to_human", "message_human", "handoff_status", "cancel_handoff", "preview_handoff"];

/// The whole round by polling; every call that may be repeated is.
async fn round(stage: &Environment, mut client: Client, version: &str, conversation: &str) {
    let hello = client.says().await;
    assert_eq!((&hello["version"], &hello["tools"]), (&json!(version), &json!(TOOLS)));
    let plan = client.call("preview_handoff", json!({ "conversation": conversation, "mode": "live" })).await;
    assert_eq!((&plan["possible"], &plan["mode"]), (&json!(true), &json!("live")), "{plan}");
    for _ in 0..2 {
        let begun = client.call("hand_to_human", wish(conversation)).await;
        assert_eq!((&begun["with"], &begun["state"]), (&json!("human"), &json!("queued")), "{begun}");
    }
    let is_this = |one: &Conversation| texts(one).iter().any(|text| text.contains(conversation));
    let mut found: Vec<_> = stage.freshworks.conversations().into_iter().filter(is_this).collect();
    assert_eq!(found.len(), 1, "handed over once");
    let found = found.pop().unwrap();
    let maya = stage.freshworks.agent_id("Maya Chen").unwrap();
    stage.freshworks.assign(&found.id, &maya, Assignee::Agent(&maya)).await.unwrap();
    stage.freshworks.reply(&found.id, &maya, "Let me look").await.unwrap();
    stage.freshworks.note(&found.id, &maya, "Secret among us").await.unwrap();
    stage.settled("acme").await.unwrap();
    let asked = json!({ "conversation": conversation });
    let first = client.call("handoff_status", asked.clone()).await;
    let said = &first["messages"];
    assert_eq!(
        (said.as_array().unwrap().len(), &said[0]["from"], &said[0]["text"]),
        (1, &json!("Maya Chen"), &json!("Let me look"))
    );
    assert_eq!(client.call("handoff_status", asked.clone()).await, first, "until it is named, it comes again");
    for _ in 0..2 {
        let words = json!({ "conversation": conversation, "message_id": "m-1", "text": "It was a blue box" });
        client.call("message_human", words).await;
    }
    assert_eq!(count(stage, &found.id, "It was a blue box"), 1);
    stage.freshworks.reply(&found.id, &maya, "Found it").await.unwrap();
    stage.freshworks.resolve(&found.id, &maya).await.unwrap();
    stage.settled("acme").await.unwrap();
    let after = json!({ "conversation": conversation, "after": first["next_after"] });
    let last = client.call("handoff_status", after).await;
    assert_eq!((&last["with"], &last["outcome"]), (&json!("you"), &json!("resolved")), "{last}");
    assert_eq!((last["messages"].as_array().unwrap().len(), &last["messages"][0]["text"]), (1, &json!("Found it")));
    assert!(!format!("{first}{last}").contains("Secret"));
    let ended = client.call("cancel_handoff", json!({ "conversation": conversation })).await;
    assert_eq!((&ended["with"], &ended["outcome"]), (&json!("you"), &json!("resolved")), "it has ended already");
    client.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_client_plays_a_round_over_mcp() {
    let stage = stage().await;
    round(&stage, Client::python(&stage, "auto", &[]), "2026-07-28", "py-1").await;
    round(&stage, Client::python(&stage, "legacy", &[]), "2025-11-25", "py-2").await;
    // It does tasks, and cannot ask its user: what a human writes could not get through.
    round(&stage, Client::python(&stage, "auto", &["tasks"]), "2026-07-28", "py-3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_node_clients_play_a_round_over_mcp() {
    let stage = stage().await;
    let (second, first) = ("@modelcontextprotocol/client", "@modelcontextprotocol/sdk");
    round(&stage, Client::node(&stage, second, "auto", &["elicitation"]), "2026-07-28", "node-1").await;
    round(&stage, Client::node(&stage, first, "legacy", &[]), "2025-11-25", "node-2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_mcp_lasts_until_the_human_has_resolved() {
    let stage = stage().await;
    let mut client = Client::python(&stage, "auto", &["elicitation", "tasks"]);
    client.says().await;
    client.hears(json!({ "call": "hand_to_human", "arguments": wish("task-1") })).await;
    let task = client.says().await;
    assert!(task["task"].as_str().unwrap().starts_with("acme."), "{task}");
    let found = stage.freshworks.conversations().pop().unwrap();
    let maya = stage.freshworks.agent_id("Maya Chen").unwrap();
    stage.freshworks.reply(&found.id, &maya, "Which box?").await.unwrap();
    stage.freshworks.note(&found.id, &maya, "Secret among us").await.unwrap();
    let asked = client.says().await;
    assert_eq!(asked["asked"], "Maya Chen (human agent): Which box?");
    client.hears(json!({ "reply": "It was a blue box" })).await;
    stage.freshworks.reply(&found.id, &maya, "Thank you").await.unwrap();
    assert_eq!(client.says().await["asked"], "Maya Chen (human agent): Thank you");
    assert_eq!(count(&stage, &found.id, "It was a blue box"), 1, "sent twice by the client, and once by the bridge");
    // Nothing to say: the question is dismissed.
    client.hears(json!({})).await;
    stage.freshworks.resolve(&found.id, &maya).await.unwrap();
    let said = client.says().await;
    assert_eq!((&said["error"], &said["result"]["with"]), (&json!(false), &json!("you")), "{said}");
    assert_eq!(said["result"]["outcome"], "resolved");
    client.ends().await;
}

/// A ticket needs an address; the client gets it from its user.
async fn address_asked_for(stage: &Environment, mut client: Client, conversation: &str) {
    client.says().await;
    let mut wish = wish(conversation);
    wish["mode"] = json!("ticket");
    client.hears(json!({ "call": "hand_to_human", "arguments": wish })).await;
    let asked = client.says().await;
    assert!(asked["asked"].as_str().unwrap().contains("e-mail address"), "{asked}");
    assert_eq!(stage.freshworks.tickets().len(), usize::from(conversation == "second"), "nothing is filed before");
    client.hears(json!({ "reply": format!("{conversation}@example.com") })).await;
    let said = client.says().await;
    assert_eq!((&said["error"], &said["result"]["state"]), (&json!(false), &json!("ticketed")), "{said}");
    let filed = stage.freshworks.tickets().pop().unwrap();
    assert_eq!(filed.requester.facts.email, Some(format!("{conversation}@example.com")));
    client.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_mcp_ask_their_user_for_an_address_that_is_missing() {
    let stage = stage().await;
    let mut settings = stage.settings();
    settings["test_ticket_origin"] = stage.freshworks.ticket_origin().into();
    settings["ticket_api_key"] = stage.freshworks.ticket_api_key().into();
    let body = json!({ "settings": settings, "platform": { "kind": "polling" } });
    let answer = stage.api.call("PUT", "/v1/connections/acme", &body).await.unwrap();
    assert_eq!(answer.body["connected"], true, "{answer:?}");
    address_asked_for(&stage, Client::python(&stage, "auto", &["elicitation"]), "first").await;
    let client = Client::node(&stage, "@modelcontextprotocol/client", "auto", &["elicitation"]);
    address_asked_for(&stage, client, "second").await;
}

/// Calls a tool as an agent does that follows what it reads: the same call again, until it has taken effect.
async fn insist(api: Api, tool: &'static str, arguments: Value) -> Value {
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments },
    });
    for _ in 0..200 {
        // Instances may be dying.
        if let Ok(answer) = api.call("POST", "/mcp", &body).await
            && answer.status == 200
        {
            let result = &answer.body["result"];
            match result["structuredContent"]["error"].as_str() {
                None if result["isError"] == false => return result["structuredContent"].clone(),
                Some("busy" | "unavailable" | "outcome-unknown" | "rate-limited") => {}
                _ => panic!("{tool}: {}", answer.body),
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{tool} does not come about");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_over_mcp_survive_kills() {
    const CONVERSATIONS: usize = 6;
    const MESSAGES: usize = 12;
    const KILLS: usize = 8;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Sqlite(SqliteFile::at(&folder.path().join("bridge.db")));
    let mut stage = Environment::start(store, 2, &[]).await.unwrap();
    stage.connect("acme", &json!({ "kind": "polling" })).await.unwrap();
    let mut agents = tokio::task::JoinSet::new();
    for number in 0..CONVERSATIONS {
        let api = stage.api.clone();
        agents.spawn(async move {
            let name = format!("agent-{number}");
            insist(api.clone(), "hand_to_human", wish(&name)).await;
            for message in 0..MESSAGES {
                let words = json!({ "conversation": name, "message_id": message.to_string(), "text": format!("{name} says {message:02}") });
                insist(api.clone(), "message_human", words).await;
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            insist(api, "cancel_handoff", json!({ "conversation": name })).await["with"] == "you"
        });
    }
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(700)).await;
        stage.kill(0).await.unwrap();
        stage.kill(0).await.unwrap();
    }
    let done = within("every call takes effect", agents.join_all()).await;
    assert_eq!(done, [true; CONVERSATIONS]);
    assert_eq!(stage.freshworks.conversations().len(), CONVERSATIONS, "each is handed over once");
    for number in 0..CONVERSATIONS {
        let is_this =
            |one: &Conversation| texts(one).iter().any(|text| text.contains(&format!("agent-{number}: the parcel")));
        let found = stage.freshworks.conversations().into_iter().find(is_this).unwrap();
        for message in 0..MESSAGES {
            let text = format!("agent-{number} says {message:02}");
            assert_eq!(count(&stage, &found.id, &text), 1, "{text}");
        }
        assert_eq!(found.status, Status::Resolved);
    }
}
