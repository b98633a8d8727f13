//! Webhooks as receivers meet them: signature, shapes of each era, order, retries, echo.

use std::time::Duration;

use freshworks_simulator::{Action, Assignee, Config, Era, KeyForm, Outcome, TopicSpec, UserSpec, WebhookFault};
use serde_json::{Value, json};

use crate::support::{Account, Receiver, fields, verifies};

fn actions(it: &Account) -> Vec<&'static str> {
    it.sim.deliveries().iter().map(|delivery| delivery.action.name()).collect()
}

#[tokio::test]
async fn deliveries_are_signed_over_the_bytes_that_arrive() {
    let it = Account::start().await;
    let mut receiver = Receiver::start(&[]).await;
    it.sim.set_webhook(Some(receiver.url.clone()));
    let id = it.open("hi").await;
    it.sim.reply(&id, &it.maya, "হাই! \"quoted\" <b>").await.unwrap();
    for _ in 0..2 {
        let (headers, body) = receiver.received.recv().await.unwrap();
        let signature = headers["x-freshchat-signature"].to_str().unwrap();
        assert_eq!(signature.len(), 344);
        for form in [KeyForm::Vendor, KeyForm::Spki, KeyForm::Pkcs1] {
            assert!(verifies(&it.sim.public_key(form), &body, signature));
        }
        let mut changed = body.to_vec();
        changed.push(b' ');
        assert!(!verifies(&it.sim.public_key(KeyForm::Vendor), &changed, signature));
        // A re-serialised body differs: checking its signature must fail.
        let parsed: Value = serde_json::from_slice(&body).unwrap();
        assert_ne!(parsed.to_string().as_bytes(), &body[..]);
        assert_eq!(headers["x-freshchat-payload-version"], "1.0");
        assert_eq!(headers["x-retry-count"], "0");
        assert_eq!(headers["content-type"], "application/json");
    }
    let body = b"made by a test";
    assert!(verifies(&it.sim.public_key(KeyForm::Vendor), body, &it.sim.sign(body)));
}

#[tokio::test]
async fn a_key_of_its_own_signs_for_one_simulator_alone() {
    let own = Account::with(Config { own_key: true, ..Config::default() }).await;
    let shared = Account::start().await;
    let signature = own.sim.sign(b"x");
    assert!(verifies(&own.sim.public_key(KeyForm::Vendor), b"x", &signature));
    assert!(!verifies(&shared.sim.public_key(KeyForm::Vendor), b"x", &signature));
}

#[tokio::test]
async fn the_agents_side_reports_each_act_in_order() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    it.sim.settled().await;
    it.sim.clear_deliveries();
    it.sim.assign(&id, &it.maya, Assignee::Group(&it.group)).await.unwrap();
    it.sim.assign(&id, &it.maya, Assignee::Agent(&it.maya)).await.unwrap();
    it.sim.note(&id, &it.maya, "careful").await.unwrap();
    it.sim.reply(&id, &it.maya, "hello Ana").await.unwrap();
    it.sim.resolve(&id, &it.maya).await.unwrap();
    it.sim.reopen(&id, &it.maya).await.unwrap();
    assert_eq!(
        actions(&it),
        [
            "conversation_assignment",
            "conversation_assignment",
            "message_create",
            "message_create",
            "conversation_resolution",
            "conversation_reopen",
        ]
    );
    let seen: Vec<Value> = it.sim.deliveries().iter().map(freshworks_simulator::Delivery::json).collect();
    let (to_group, to_maya) = (&seen[0]["data"]["assignment"], &seen[1]["data"]["assignment"]);
    assert_eq!((&to_group["to_agent_id"], &to_group["to_group_id"]), (&json!(""), &json!(it.group)));
    assert_eq!((&to_maya["from_agent_id"], &to_maya["from_group_id"]), (&json!(""), &json!(it.group)));
    assert_eq!(to_maya["to_agent_id"], it.maya);
    assert_eq!(to_maya["conversation"]["status"], "assigned");
    assert_eq!(seen[2]["data"]["message"]["message_type"], "private");
    assert_eq!(seen[3]["data"]["message"]["user_id"], it.user);
    assert_eq!(seen[4]["data"]["resolve"]["conversation"]["status"], "resolved");
    assert_eq!(seen[4]["data"]["resolve"]["user"]["id"], it.user);
    assert_eq!(seen[5]["data"]["reopen"]["conversation"]["status"], "reopened");
    assert!(it.sim.deliveries().iter().all(|delivery| it.verifies(delivery)));

    let kept = it.sim.deliveries().len();
    it.sim.reopen(&id, &it.maya).await.unwrap();
    it.sim.assign(&id, &it.tom, Assignee::Agent(&it.maya)).await.unwrap();
    assert_eq!(it.sim.deliveries().len(), kept, "what changes nothing is not reported");
    assert_eq!(it.sim.reply("none", &it.maya, "x").await.unwrap_err().status, "CONVERSATION_NOT_FOUND");
    assert_eq!(it.sim.reply(&id, "nobody", "x").await.unwrap_err().status, "AGENT_NOT_FOUND");
}

#[tokio::test]
async fn system_lines_are_in_the_thread_and_not_in_webhooks() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    it.sim.resolve(&id, &it.maya).await.unwrap();
    let list = it.get(&format!("/v2/conversations/{id}/messages")).await.ok();
    assert_eq!(list["messages"][0]["message_type"], "system");
    assert_eq!(list["messages"][0]["meta_data"], json!({ "isResolved": "true" }));
    assert_eq!(actions(&it), ["message_create", "conversation_resolution"]);
    it.sim.set_behaviour(|behaviour| behaviour.system_line_webhooks = true);
    it.sim.reopen(&id, &it.maya).await.unwrap();
    assert_eq!(actions(&it)[2..], ["conversation_reopen", "message_create"]);
}

#[tokio::test]
async fn message_bodies_have_the_fields_of_their_era() {
    // Fields of agents' messages, from the published samples and, for 2018 and 2021, field tables.
    let common = ["id", "app_id", "channel_id", "conversation_id", "actor_type", "created_time"];
    let eras: [(Era, &[&str]); 6] = [
        (Era::Y2018, &["user_id", "message_type", "msg_parts"]),
        (Era::Y2019, &["actor_id", "message_type", "message_parts"]),
        (Era::Y2020, &["actor_id", "message_type", "message_parts", "user_id", "message_source"]),
        (
            Era::Y2021,
            &[
                "actor_id",
                "message_type",
                "message_parts",
                "user_id",
                "message_source",
                "org_actor_id",
                "interaction_id",
            ],
        ),
        (
            Era::Y2022,
            &["actor_id", "message_parts", "user_id", "interaction_id", "restrictResponse", "botsPrivateNote"],
        ),
        (
            Era::Y2024,
            &[
                "actor_id",
                "message_type",
                "message_parts",
                "user_id",
                "org_actor_id",
                "interaction_id",
                "restrictResponse",
                "botsPrivateNote",
                "isBotsInput",
                "bots_input",
                "freshchat_conversation_id",
                "freshchat_channel_id",
            ],
        ),
    ];
    let it = Account::start().await;
    let id = it.open("hello").await;
    for (era, own) in eras {
        it.sim.set_behaviour(|behaviour| behaviour.era = era);
        let delivery = it.sim.reply(&id, &it.maya, "hi").await.unwrap().remove(0).json();
        assert_eq!(fields(&delivery), ["action", "action_time", "actor", "data"]);
        assert_eq!(delivery["actor"], json!({ "actor_type": "agent", "actor_id": it.maya }));
        let mut expected: Vec<&str> = common.iter().chain(own).copied().collect();
        expected.sort_unstable();
        assert_eq!(fields(&delivery["data"]["message"]), expected, "{era:?}");
    }
    it.sim.set_behaviour(|behaviour| behaviour.era = Era::Y2018);
    let old = it.sim.user_writes(&id, "hi").await.unwrap().remove(0).json();
    assert_eq!(old["data"]["message"]["msg_parts"], json!([{ "part_type": "text", "properties": { "text": "hi" } }]));
    assert_eq!(old["data"]["message"]["user_id"], it.user);
    it.sim.set_behaviour(|behaviour| behaviour.era = Era::Y2020);
    let user = it.sim.user_writes(&id, "hi").await.unwrap().remove(0).json();
    assert_eq!(user["data"]["message"].get("user_id"), None);
}

#[tokio::test]
async fn state_bodies_have_the_fields_of_their_era() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    it.sim.assign(&id, &it.maya, Assignee::Agent(&it.maya)).await.unwrap();
    let old = ["app_id", "assigned_agent_id", "channel_id", "conversation_id", "status"];
    let new = [
        "app_id",
        "assigned_agent_id",
        "assigned_org_agent_id",
        "channel_id",
        "conversation_id",
        "skill_id",
        "sla_breached",
        "sla_policy_id",
        "status",
    ];
    for (era, conversation, resolve, reopen, status) in [
        (Era::Y2018, &old[..2], &["conversation", "resolver", "resolver_id"][..], 3, "reopen"),
        (Era::Y2020, &old, &["conversation", "resolver", "resolver_id"], 3, "reopened"),
        (Era::Y2022, &new, &["conversation", "interaction_id", "resolver", "resolver_id"], 4, "reopened"),
        (Era::Y2024, &new, &["conversation", "interaction_id", "resolver", "resolver_id", "user"], 4, "reopened"),
    ] {
        it.sim.set_behaviour(|behaviour| behaviour.era = era);
        let resolved = it.sim.resolve(&id, &it.maya).await.unwrap().remove(0).json();
        assert_eq!(fields(&resolved["data"]["resolve"]), resolve, "{era:?}");
        let found = fields(&resolved["data"]["resolve"]["conversation"]);
        if era == Era::Y2018 {
            assert!(!found.contains(&"channel_id".to_owned()));
        } else {
            assert_eq!(found, conversation, "{era:?}");
        }
        let reopened = it.sim.reopen(&id, &it.maya).await.unwrap().remove(0).json();
        assert_eq!(fields(&reopened["data"]["reopen"]).len(), reopen);
        assert_eq!(reopened["data"]["reopen"]["conversation"]["status"], status);
    }
    let user = it.sim.resolve(&id, &it.maya).await.unwrap().remove(0).json()["data"]["resolve"]["user"].clone();
    assert_eq!(
        fields(&user),
        ["avatar", "created_time", "first_name", "id", "login_status", "properties", "updated_time"]
    );
}

#[tokio::test]
async fn messages_through_the_api_are_echoed_unless_switched_off() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    let path = format!("/v2/conversations/{id}");
    it.put(&path, json!({ "assigned_agent_id": it.maya })).await.ok();
    it.put(&path, json!({ "status": "resolved" })).await.ok();
    it.post(&format!("{path}/messages"), it.message("again")).await.ok();
    it.sim.settled().await;
    let expected = [
        "message_create",
        "conversation_assignment",
        "conversation_resolution",
        "conversation_reopen",
        "message_create",
    ];
    assert_eq!(actions(&it), expected);
    let bodies: Vec<Value> = it.sim.deliveries().iter().map(freshworks_simulator::Delivery::json).collect();
    assert_eq!(bodies[0]["actor"]["actor_type"], "user");
    assert_eq!(bodies[1]["data"]["assignment"]["assignor"], "system");
    let interaction = &bodies[3]["data"]["reopen"]["interaction_id"];
    assert_eq!(&bodies[4]["data"]["message"]["interaction_id"], interaction);
    assert_ne!(&bodies[0]["data"]["message"]["interaction_id"], interaction);

    it.sim.clear_deliveries();
    it.sim.set_behaviour(|behaviour| {
        behaviour.echo_messages = false;
        behaviour.echo_changes = false;
    });
    it.post(&format!("{path}/messages"), it.message("quiet")).await.ok();
    it.put(&path, json!({ "status": "resolved" })).await.ok();
    it.sim.settled().await;
    assert_eq!(actions(&it), [""; 0]);
}

#[tokio::test]
async fn an_echo_can_come_before_the_answer() {
    let it = Account::start().await;
    it.sim.set_behaviour(|behaviour| behaviour.echo_before_answer = true);
    let mut receiver = Receiver::start(&[]).await;
    it.sim.set_webhook(Some(receiver.url.clone()));
    it.open("hello").await;
    assert!(receiver.received.try_recv().is_ok());
}

#[tokio::test]
async fn a_failed_delivery_is_retried_and_delays_the_next_one() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    it.sim.settled().await;
    it.sim.clear_deliveries();
    let mut receiver = Receiver::start(&[500, 404]).await;
    it.sim.set_webhook(Some(receiver.url.clone()));
    let first = it.sim.reply(&id, &it.maya, "one").await.unwrap();
    assert_eq!(first[0].status_of_receiver(), Some(500));
    it.sim.reply(&id, &it.maya, "two").await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let (headers, body) = receiver.next().await;
        let text = body["data"]["message"]["message_parts"][0]["text"]["content"].as_str().unwrap().to_owned();
        seen.push((text, headers["x-retry-count"].to_str().unwrap().to_owned()));
    }
    let expected = [("one", "0"), ("one", "1"), ("one", "2"), ("two", "0")];
    assert_eq!(seen, expected.map(|(text, retry)| (text.to_owned(), retry.to_owned())));
    it.sim.settled().await;
    let statuses: Vec<_> = it.sim.deliveries().iter().map(|it| it.status_of_receiver()).collect();
    assert_eq!(statuses, [Some(500), Some(404), Some(200), Some(200)]);
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_given_up() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    it.sim.settled().await;
    it.sim.clear_deliveries();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    it.sim.set_webhook(Some(format!("http://{closed}/")));
    it.sim.set_behaviour(|behaviour| {
        assert_eq!(behaviour.webhook_timeout, Duration::from_secs(3));
        behaviour.webhook_retries.fill(Duration::from_millis(1));
    });
    it.sim.reply(&id, &it.maya, "one").await.unwrap();
    it.sim.settled().await;
    let outcomes: Vec<_> = it.sim.deliveries().iter().map(|it| (it.retry_count, it.outcome)).collect();
    assert_eq!(outcomes, [0, 1, 2, 3, 4].map(|retry| (retry, Outcome::Failed)), "five tries");
}

#[tokio::test]
async fn a_slow_receiver_times_out() {
    let it = Account::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    it.sim.set_webhook(Some(format!("http://{}/", listener.local_addr().unwrap())));
    it.sim.set_behaviour(|behaviour| {
        behaviour.webhook_timeout = Duration::from_millis(20);
        behaviour.webhook_retries.clear();
    });
    it.open("hello").await;
    assert_eq!(it.sim.next_delivery().await.outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn deliveries_can_be_doubled_dropped_and_reordered() {
    let it = Account::start().await;
    let mut receiver = Receiver::start(&[]).await;
    it.sim.set_webhook(Some(receiver.url.clone()));
    let id = it.open("0").await;
    it.sim.fail_webhooks_of(Action::ConversationResolution, WebhookFault::Drop, 1);
    it.sim.settled().await;
    it.sim.fail_webhook(WebhookFault::Duplicate);
    let twice = it.sim.reply(&id, &it.maya, "1").await.unwrap();
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[0].body, twice[1].body);
    it.sim.fail_webhook(WebhookFault::Drop);
    let dropped = it.sim.reply(&id, &it.maya, "2").await.unwrap();
    assert_eq!((dropped[0].outcome, dropped[0].fault.clone()), (Outcome::Dropped, Some(WebhookFault::Drop)));
    it.sim.fail_webhook(WebhookFault::Reorder);
    assert!(it.sim.reply(&id, &it.maya, "3").await.unwrap().is_empty());
    it.sim.reply(&id, &it.maya, "4").await.unwrap();
    it.sim.settled().await;
    it.sim.resolve(&id, &it.maya).await.unwrap();
    let mut texts = Vec::new();
    while let Ok((_, body)) = receiver.received.try_recv() {
        let body: Value = serde_json::from_slice(&body).unwrap();
        texts.push(body["data"]["message"]["message_parts"][0]["text"]["content"].as_str().unwrap().to_owned());
    }
    assert_eq!(texts, ["0", "1", "1", "4", "3"]);
    assert_eq!(it.sim.faults_left(), 0);
}

#[tokio::test]
async fn signatures_can_be_wrong_in_three_ways() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    it.sim.settled().await;
    for fault in [WebhookFault::CorruptSignature, WebhookFault::WrongKey] {
        it.sim.fail_webhook(fault);
        let delivery = it.sim.reply(&id, &it.maya, "x").await.unwrap().remove(0);
        assert_eq!(delivery.header("x-freshchat-signature").unwrap().len(), 344);
        assert!(!it.verifies(&delivery));
    }
    it.sim.fail_webhook(WebhookFault::StripSignature);
    let delivery = it.sim.reply(&id, &it.maya, "x").await.unwrap().remove(0);
    assert_eq!(delivery.header("x-freshchat-signature"), None);
    let delivery = it.sim.reply(&id, &it.maya, "x").await.unwrap().remove(0);
    assert!(it.verifies(&delivery));
}

#[tokio::test]
async fn bodies_can_lack_what_receivers_rely_on() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    it.sim.settled().await;
    it.sim.fail_webhook(WebhookFault::LoseMessageType);
    let note = it.sim.note(&id, &it.maya, "secret").await.unwrap().remove(0);
    assert_eq!(note.json()["data"]["message"].get("message_type"), None);
    assert!(it.verifies(&note));
    it.sim.fail_webhook(WebhookFault::PrivateAsText);
    let note = it.sim.note(&id, &it.maya, "secret").await.unwrap().remove(0);
    let said = note.json()["data"]["message"].take();
    assert_eq!((&said["message_type"], &said["botsPrivateNote"]), (&json!("normal"), &json!("true")));
    it.sim.fail_webhook(WebhookFault::TornBody);
    let torn = it.sim.reply(&id, &it.maya, "cut").await.unwrap().remove(0);
    assert_eq!(torn.json(), json!(null));
    assert!(it.verifies(&torn));
    it.sim.fail_webhook(WebhookFault::LoseAttachmentUrl);
    let parts = vec![json!({ "image": { "url": "https://example.org/a.png" } })];
    let image = it.sim.reply_parts(&id, &it.maya, parts.clone()).await.unwrap().remove(0);
    assert_eq!(image.json()["data"]["message"]["message_parts"], json!([{ "image": {} }]));
    let list = it.get(&format!("/v2/conversations/{id}/messages")).await.ok();
    assert_eq!(list["messages"][0]["message_parts"], json!(parts));
}

#[tokio::test]
async fn json_can_be_as_loose_as_the_standard_allows() {
    let it = Account::start().await;
    let id = it.open("hello").await;
    it.sim.set_behaviour(|it| it.loose_json = true);
    let sent = it.sim.reply(&id, &it.maya, "cut \u{fffd}").await.unwrap().remove(0);
    let body = String::from_utf8(sent.body.clone()).unwrap();
    assert!(body.starts_with(r#"{"score":1e999,"#) && body.contains(r#""cut \ud83d""#), "{body}");
    assert!(it.verifies(&sent));
    let list = it.get(&format!("/v2/conversations/{id}/messages")).await;
    assert!(String::from_utf8_lossy(&list.body).contains(r#""cut \ud83d""#));
}

#[tokio::test]
async fn a_topic_can_route_to_a_group_and_other_topics_report_too() {
    let it = Account::start().await;
    let topic = it.sim.add_topic(TopicSpec { group: Some("Support".into()), ..TopicSpec::named("Sales") });
    let user = it.sim.seed_user(UserSpec::default());
    let (id, deliveries) = it.sim.user_starts(&topic, &user, "hi").await.unwrap();
    assert_eq!(it.sim.conversation(&id).unwrap().assigned_group_id.as_deref(), Some(it.group.as_str()));
    let seen: Vec<_> = deliveries.iter().map(|it| it.action).collect();
    assert_eq!(seen, [Action::ConversationAssignment, Action::MessageCreate]);
    let says = it.sim.system_says(&id, "We are open").await.unwrap().remove(0).json();
    assert_eq!(says["actor"]["actor_type"], "system");
}
