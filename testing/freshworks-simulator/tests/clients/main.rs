//! Second opinions: published third-party clients in the simulator's account.
//!
//! Each is a program beside this file. `cargo xtask test` installs the clients, in fixed versions, and passes their paths. What a
//! client cannot read is a bug in the simulator, or listed here with its reason.

use std::process::Stdio;

use freshworks_simulator::{Config, Delivery, Era, KeyForm, MessageType, Simulator, Status};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

fn installed(variable: &str) -> std::path::PathBuf {
    std::env::var_os(variable).expect("run `cargo xtask test`: it installs the published clients").into()
}

/// Runs a program of this folder, and returns what it has seen.
async fn run(program: impl AsRef<std::ffi::OsStr>, script: &str, input: Value) -> Value {
    let script = format!("{}/tests/clients/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(program);
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.env("PYTHONDONTWRITEBYTECODE", "1").spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Compares field by field, so that a failure names one.
#[track_caller]
fn assert_seen(seen: &Value, expected: Value) {
    let (seen, expected) = (seen.as_object().unwrap(), expected.as_object().unwrap().clone());
    for (name, value) in &expected {
        assert_eq!(seen.get(name), Some(value), "{name}");
    }
    assert_eq!(seen.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
}

/// What a receiver gets: every action of an era.
async fn deliveries(sim: &Simulator, era: Era) -> Vec<Delivery> {
    sim.set_behaviour(|behaviour| behaviour.era = era);
    let (maya, topic) = (sim.agent_id("Maya Chen").unwrap(), sim.topic_id("Inbox").unwrap());
    let user = sim.users()[0].id.clone();
    let (id, mut all) = sim.user_starts(&topic, &user, "hello").await.unwrap();
    all.extend(sim.reply(&id, &maya, "Grüße 🎉").await.unwrap());
    all.extend(sim.resolve(&id, &maya).await.unwrap());
    all.extend(sim.reopen(&id, &maya).await.unwrap());
    all.extend(sim.resolve(&id, &maya).await.unwrap());
    all
}

#[tokio::test]
async fn python_freshchat_finds_its_way_in_the_account_and_reads_the_webhooks() {
    let sim = Simulator::start(Config::default()).await.unwrap();
    sim.seed_user(freshworks_simulator::UserSpec { first_name: Some("Bo".into()), ..Default::default() });
    let mut webhooks = Vec::new();
    for era in [Era::Y2019, Era::Y2020, Era::Y2024] {
        webhooks.extend(deliveries(&sim, era).await);
    }
    let given: Vec<Value> = webhooks
        .iter()
        .map(|it| {
            let body = std::str::from_utf8(&it.body).unwrap();
            json!({ "body": body, "signature": it.header("x-freshchat-signature") })
        })
        .collect();
    // The key is on a single line for this client, which was written when the page showed it so.
    let key =
        format!("-----BEGIN RSA PUBLIC KEY-----{}-----END RSA PUBLIC KEY-----", sim.public_key(KeyForm::BareBase64));
    let account = json!({
        "origin": sim.origin(), "key": sim.api_key(), "channel": sim.topic_id("Sendbird Integration"),
        "public_key": key, "webhooks": given,
    });
    let seen = run(installed("CLIENT_FRESHCHAT"), "freshchat_client.py", account).await;

    let conversation = sim.conversations().pop().unwrap();
    assert_eq!(conversation.status, Status::Resolved);
    let said: Vec<_> = conversation.visible_messages().map(|message| (message.message_type, message.text())).collect();
    let expected = ["My parcel is late", "Hello?"].map(|text| (MessageType::Normal, text.to_owned()));
    assert_eq!(said, expected);
    let understood: Vec<Value> = webhooks
        .iter()
        .map(|it| {
            let body = it.json();
            let (kind, data) = match it.action.name() {
                "message_create" => ("Message", body["data"]["message"]["conversation_id"].clone()),
                "conversation_resolution" => {
                    ("Resolve", body["data"]["resolve"]["conversation"]["conversation_id"].clone())
                }
                _ => ("Reopen", body["data"]["reopen"]["conversation"]["conversation_id"].clone()),
            };
            json!([it.action.name(), kind, data, true, false])
        })
        .collect();
    assert_seen(
        &seen,
        json!({
            "wrong key": "the API key is missing or wrong",
            "channels": ["Inbox", "Sendbird Integration"],
            "user": [true, "Ana", "Lima", "ana@example.org"],
            "stranger": "user not found",
            "sent": [[{ "text": { "content": "Hello?" } }], true, true],
            "conversation": [true, "new", conversation.channel_id],
            "messages": ["Hello?", "My parcel is late"],
            "agents": ["maya@acme.example"],
            "resolved": "resolved",
            "webhooks": understood,
            // What accounts have had since 2020; each field is in a published body or in the vendor's definitions.
            "left out": {
                "models.User": ["login_status", "org_contact_id", "updated_time"],
                "models.Conversation": [
                    "conversation_internal_id", "created_time", "org_contact_id", "properties", "skill_id",
                    "sla_breached", "sla_policy_id", "updated_time", "url", "user_id",
                ],
                "models.Message": [
                    "botsPrivateNote", "bots_input", "freshchat_channel_id", "freshchat_conversation_id",
                    "interaction_id", "isBotsInput", "message_source", "org_actor_id", "restrictResponse", "user_id",
                ],
                "events.Message": [
                    "botsPrivateNote", "bots_input", "freshchat_channel_id", "freshchat_conversation_id",
                    "interaction_id", "isBotsInput", "message_source", "org_actor_id", "restrictResponse",
                ],
                "events.Resolve": ["interaction_id", "user"],
                "events.Reopen": ["interaction_id"],
            },
        }),
    );
}

#[tokio::test]
async fn python_freshdesk_mcp_finds_its_way_in_the_ticket_desk() {
    let sim = Simulator::start(Config::default()).await.unwrap();
    let desk = json!({ "origin": sim.ticket_origin(), "key": sim.ticket_api_key() });
    let seen = run(installed("CLIENT_FRESHDESK_MCP"), "freshdesk_mcp_client.py", desk).await;
    assert_eq!(sim.tickets().len(), 3);
    let entries = &sim.tickets()[0].entries;
    assert_eq!(
        entries.iter().map(|entry| entry.body_text.as_str()).collect::<Vec<_>>(),
        ["It is found", "Called the depot"]
    );
    let refused = "Validation Error: [{'code': 'invalid_value', 'field': 'type', 'message': \"It should be one of these \
                   values: 'Question,Incident,Problem,Feature Request'\"}]";
    assert_seen(
        &seen,
        json!({
            "agents": ["maya@acme.example", "tom@acme.example"],
            "agent": "Maya Chen",
            "groups": ["Support"],
            "field": ["cf_order", "custom_text", false],
            // The list of fields is a list, as this client reads it when it looks for one field; its tool for all of them
            // announces an object, and refuses the list.
            "all fields": true,
            "made": "Ticket created successfully",
            "refused": refused,
            "page": [["Parcel 2", "Parcel 1"], 2],
            "last page": [["Parcel 0"], null],
            "updated": true,
            "ticket": [4, { "cf_order": "4711" }, "It is late"],
            "entries": [["It is found", false, false], ["Called the depot", true, false]],
            "ids": true,
            "contacts": ["ana@example.org"],
        }),
    );
}

#[tokio::test]
async fn node_freshdesk_api_finds_its_way_in_the_ticket_desk() {
    let sim = Simulator::start(Config::default()).await.unwrap();
    let modules = installed("CLIENT_FRESHDESK_API");
    let desk = json!({ "origin": sim.ticket_origin(), "key": sim.ticket_api_key(), "modules": modules });
    let seen = run("node", "freshdesk_api_client.cjs", desk).await;
    let tickets = sim.tickets();
    assert_eq!(tickets.len(), 2);
    assert_eq!(tickets[1].attachments[0].content, b"a bill");
    let missing = ["description", "status", "priority", "requester_id"].map(|field| [field, "missing_field"]);
    assert_seen(
        &seen,
        json!({
            "wrong key": ["FreshdeskError", 401, "Error in Freshdesk's client API", null],
            "me": "maya@acme.example",
            "agents": ["Maya Chen"],
            "agent": "Maya Chen",
            "fields": ["cf_order"],
            "made": ["Parcel", 2, 1, ["handoff"]],
            "with file": ["Bill", [["bill.txt", 6]]],
            "incomplete": ["FreshdeskError", 400, "Validation failed", missing],
            // The body of a 404 is empty, as a comment in this client says too; since it has another HTTP library it takes
            // every body without a type for JSON, and stumbles over that one.
            "unknown": ["SyntaxError", null, "Unexpected end of JSON input", null],
            "read": 4,
            "listed": ["Bill", "Parcel"],
            "entries": [["It is found", false, false], ["Called the depot", false, false]],
            "contacts": ["ana@example.org"],
        }),
    );
}
