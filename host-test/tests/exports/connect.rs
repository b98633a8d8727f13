//! `connect` against accounts: valid and invalid keys, addresses, topics, groups and agents.

use std::time::Duration;

use freshworks_simulator::{AgentSpec, Config, Fault, How, Match, TopicSpec};
use handoff_host::bindings::{Connection, FindingLevel};
use serde_json::json;

use crate::support::{API_KEY, Desk, TOPIC, codes, nowhere, plugin, reaching, refused_at_once};
use crate::watch::watched;

pub(crate) const COVERED: crate::coverage::Covered = &[
    ("ok", "a_complete_account_connects_and_its_ids_are_kept"),
    ("invalid-settings", "settings_that_are_no_object_are_an_error"),
];

/// The finding with this code; each failure and warning has a remedy.
#[track_caller]
pub(crate) fn check(connection: &Connection, check: &str, code: &str, level: FindingLevel) {
    let found = connection.findings.iter().find(|finding| finding.check == check && finding.code == code);
    let finding = found.unwrap_or_else(|| panic!("no {check}/{code} in {:?}", codes(&connection.findings)));
    assert_eq!(finding.level, level);
    assert_eq!(finding.remedy.is_some(), level != FindingLevel::Ok, "{code}");
    assert!(!finding.detail.is_empty());
    // Required for live handoffs; everything else only concerns its own part.
    let needed = ["chat-url", "account", "topic", "webhook-key"];
    let stops = |finding: &&handoff_host::bindings::Finding| {
        finding.level == FindingLevel::Failure && needed.contains(&finding.check.as_str())
    };
    assert_eq!(connection.connected, !connection.findings.iter().any(|finding| stops(&finding)));
}

#[tokio::test]
async fn a_complete_account_connects_and_its_ids_are_kept() {
    let desk = Desk::new().await.set("group", "Support").set("agent", "tom@acme.example");
    let maya = desk.maya();
    let desk = desk.set("note_author", maya.clone());
    let connection = desk.connect().await.result.unwrap();
    assert!(connection.connected);
    assert_eq!(connection.account.as_deref(), Some("acme.freshchat.com"));
    for (name, code) in [
        ("chat-url", "chat-url-valid"),
        ("account", "account-open"),
        ("topic", "topic-found"),
        ("group", "group-found"),
        ("agent", "agent-found"),
        ("note-author", "agent-found"),
        ("webhook-key", "webhook-key-valid"),
    ] {
        check(&connection, name, code, FindingLevel::Ok);
    }
    let kept: serde_json::Value = serde_json::from_str(&connection.settings).unwrap();
    assert_eq!(kept["chat_url"], "https://acme.freshchat.com");
    assert_eq!(kept["api_key"], API_KEY, "secrets that were given come back");
    assert_eq!(kept["resolved"]["topics"][TOPIC], json!(desk.sim.topic_id(TOPIC)));
    assert_eq!(kept["resolved"]["groups"]["Support"], json!(desk.sim.group_id("Support")));
    assert_eq!(kept["resolved"]["agents"]["tom@acme.example"], json!(desk.tom()));
    assert_eq!(kept["resolved"]["agents"][&maya], json!(maya));
    assert!(desk.lines().iter().all(|line| line.starts_with("GET ")), "it creates nothing");

    let again = desk.connect_now().await.connect().await.result.unwrap();
    assert_eq!(again.settings, connection.settings, "connecting again changes nothing");
}

#[tokio::test]
async fn settings_that_are_no_object_are_an_error() {
    for settings in ["", "7", "[{}]", "{\"chat_url\":", "{\"topics\": {}}"] {
        let error = refused_at_once(watched(plugin().connect(&reaching(&[]), settings).await));
        assert_eq!(error.kind, handoff_host::bindings::ErrorKind::InvalidSettings, "{settings}");
    }
}

/// Connects to a misconfigured account.
async fn connect(desk: &Desk) -> Connection {
    desk.connect().await.result.unwrap()
}

#[tokio::test]
async fn a_wrong_key_and_a_key_without_rights_have_different_findings() {
    let desk = Desk::new().await;
    desk.sim.set_api_key("another");
    let connection = connect(&desk).await;
    check(&connection, "account", "api-key-refused", FindingLevel::Failure);
    assert_eq!(connection.account, None);

    desk.sim.set_behaviour(|it| it.unauthorized_status = 403);
    check(&connect(&desk).await, "account", "api-key-lacks-rights", FindingLevel::Failure);
}

#[tokio::test]
async fn a_missing_key_has_a_remedy_of_its_own() {
    let desk = Desk::new().await.set("api_key", serde_json::Value::Null);
    let connection = connect(&desk).await;
    check(&connection, "account", "api-key-refused", FindingLevel::Failure);
    let remedy = connection.findings.iter().find_map(|finding| finding.remedy.as_deref()).unwrap();
    assert!(remedy.contains("hold no API key"), "{remedy}");
}

#[tokio::test]
async fn an_address_at_which_nothing_listens_is_unreachable() {
    let mut desk = Desk::new().await;
    let nowhere = nowhere();
    desk.sandbox = reaching(&[&nowhere]);
    let connection = connect(&desk.set("test_origin", nowhere)).await;
    check(&connection, "account", "unreachable", FindingLevel::Failure);
}

#[tokio::test]
async fn another_server_at_the_address_is_not_a_freshchat_account() {
    let page = |code| How::Status {
        code,
        headers: vec![("content-type".into(), "text/html".into())],
        body: "<html><h1>Not Found</h1></html>".into(),
    };
    let json = How::Status { code: 200, headers: Vec::new(), body: "{\"ok\":true}".into() };
    for how in [page(404), page(200), page(302), How::Garbage, json] {
        let desk = Desk::new().await;
        desk.sim.fail(Fault::new(Match::any(), how.clone()).times(10));
        let connection = connect(&desk).await;
        assert!(!connection.connected, "{how:?}");
        check(&connection, "account", "address-is-no-freshchat", FindingLevel::Failure);
    }
}

#[tokio::test]
async fn each_account_failure_has_its_own_finding() {
    for (how, code) in [
        (How::rate_limit(30), "rate-limited"),
        (How::status(500), "unreachable"),
        (How::status(503), "unreachable"),
        (How::Cut, "unreachable"),
        (How::CutMidBody, "unreachable"),
    ] {
        let desk = Desk::new().await;
        desk.sim.fail(Fault::new(Match::any(), how).times(10));
        check(&connect(&desk).await, "account", code, FindingLevel::Failure);
    }
}

#[tokio::test]
async fn an_address_that_the_host_does_not_allow_is_said_to_be_so() {
    let mut desk = Desk::new().await;
    desk.sandbox = reaching(&[]);
    check(&connect(&desk).await, "account", "host-not-allowed", FindingLevel::Failure);
    assert!(desk.lines().is_empty());
}

async fn with_topics(topics: Vec<TopicSpec>) -> Desk {
    Desk::of(Config { topics, ..Config::default() }).await
}

#[tokio::test]
async fn each_fault_of_the_topic_has_a_code_of_its_own() {
    use FindingLevel::{Failure, Ok, Warning};
    let off = TopicSpec { enabled: false, ..TopicSpec::named(TOPIC) };
    let named = TopicSpec::named;
    for (topics, code, level) in [
        (vec![], "topic-missing", Failure),
        (vec![named("Inbox")], "topic-missing", Failure),
        (vec![named("sendbird integration")], "topic-other-case", Failure),
        (vec![named("Sendbird  Integration ")], "topic-other-case", Failure),
        (vec![named("“Sendbird Integration”")], "topic-other-case", Failure),
        (vec![off.clone()], "topic-disabled", Failure),
        (vec![named(TOPIC), named(TOPIC)], "topic-duplicate", Warning),
        (vec![off, named(TOPIC)], "topic-duplicate", Warning),
        (vec![named("Delight AI agent Integration")], "topic-found", Ok),
    ] {
        let names: Vec<String> = topics.iter().map(|topic| topic.name.clone()).collect();
        let desk = with_topics(topics).await;
        let connection = connect(&desk).await;
        assert_eq!(connection.connected, level != Failure, "{names:?}");
        check(&connection, "topic", code, level);
    }
}

#[tokio::test]
async fn a_topic_on_the_third_page_is_found() {
    let mut topics: Vec<TopicSpec> = (0..204).map(|number| TopicSpec::named(&format!("Topic {number}"))).collect();
    topics.push(TopicSpec::named(TOPIC));
    let desk = with_topics(topics).await;
    let connection = connect(&desk).await;
    check(&connection, "topic", "topic-found", FindingLevel::Ok);
    let kept: serde_json::Value = serde_json::from_str(&connection.settings).unwrap();
    assert_eq!(kept["resolved"]["topics"][TOPIC], json!(desk.sim.topic_id(TOPIC)));
}

#[tokio::test]
async fn lists_are_read_to_the_end_however_pages_are_numbered() {
    let mut topics: Vec<TopicSpec> = (0..120).map(|number| TopicSpec::named(&format!("Topic {number}"))).collect();
    topics.push(TopicSpec::named(TOPIC));
    let desk = with_topics(topics).await;
    desk.sim.set_behaviour(|it| {
        it.pagination_as_strings = true;
        it.max_items_per_page = Some(10);
    });
    check(&connect(&desk).await, "topic", "topic-found", FindingLevel::Ok);
}

#[tokio::test]
async fn group_and_agents_that_are_not_there_are_named() {
    let desk = Desk::new().await.set("group", "Billing").set("agent", "nobody@acme.example").set("note_author", "a-1");
    let connection = connect(&desk).await;
    check(&connection, "group", "group-missing", FindingLevel::Failure);
    check(&connection, "agent", "agent-missing", FindingLevel::Failure);
    check(&connection, "note-author", "agent-missing", FindingLevel::Failure);
    check(&connection, "topic", "topic-found", FindingLevel::Ok);
}

#[tokio::test]
async fn a_deactivated_note_author_is_a_failure_by_id_and_by_address() {
    let gone = AgentSpec { deactivated: true, ..AgentSpec::named("Eve Gone", "eve@acme.example") };
    let desk = Desk::of(Config { agents: vec![gone], ..Config::default() }).await;
    let id = desk.sim.agent_id("Eve Gone").unwrap();
    for wanted in [id.as_str(), "eve@acme.example", "EVE@acme.example"] {
        let connection = plugin().connect(&desk.sandbox, &with_author(&desk, wanted)).await.result.unwrap();
        check(&connection, "note-author", "agent-inactive", FindingLevel::Failure);
    }
}

fn with_author(desk: &Desk, author: &str) -> String {
    let mut settings = desk.settings.clone();
    settings["note_author"] = author.into();
    settings.to_string()
}

#[tokio::test]
async fn a_note_author_is_found_by_address() {
    let desk = Desk::new().await.set("note_author", "maya@acme.example");
    check(&connect(&desk).await, "note-author", "agent-found", FindingLevel::Ok);
}

#[tokio::test]
async fn lists_without_access_and_temporary_failures_have_different_findings() {
    for (path, name) in [("/v2/channels", "topic"), ("/v2/groups", "group"), ("/v2/agents", "agent")] {
        for (how, code) in [(How::status(403), "api-key-lacks-rights"), (How::status(500), "unreadable")] {
            let desk = Desk::new().await.set("group", "Support").set("agent", "maya@acme.example");
            desk.sim.fail(Fault::new(Match::path(path), how));
            check(&connect(&desk).await, name, code, FindingLevel::Failure);
        }
    }
}

#[tokio::test]
async fn every_check_is_made_although_others_fail() {
    let desk = Desk::new().await.set("topics", json!(["Nowhere"])).set("group", "Billing");
    let desk = desk.set("agent", "x@acme.example").set("webhook_public_key", "garbage!").set("topicz", 1);
    let connection = connect(&desk).await;
    for (name, code) in [
        ("topic", "topic-missing"),
        ("group", "group-missing"),
        ("agent", "agent-missing"),
        ("webhook-key", "webhook-key-broken"),
    ] {
        check(&connection, name, code, FindingLevel::Failure);
    }
    check(&connection, "settings", "setting-unknown", FindingLevel::Warning);

    desk.sim.set_api_key("another");
    let connection = connect(&desk).await;
    check(&connection, "account", "api-key-refused", FindingLevel::Failure);
    check(&connection, "webhook-key", "webhook-key-broken", FindingLevel::Failure);
}

#[tokio::test]
async fn requests_that_do_not_need_each_other_go_out_together() {
    const DELAY: Duration = Duration::from_millis(600);
    let desk = Desk::new().await.set("group", "Support").set("agent", "tom@acme.example");
    let maya = desk.maya();
    let desk = desk.set("note_author", maya);
    desk.sim.fail(Fault::new(Match::any(), How::Delay(DELAY)).times(10));
    assert!(connect(&desk).await.connected);
    let came: Vec<i64> = desk.sim.journal().iter().map(|exchange| exchange.at_ms).collect();
    assert_eq!(came.len(), 5, "{:?}", desk.lines());
    let spread = came.iter().max().unwrap() - came.iter().min().unwrap();
    assert!(spread < DELAY.as_millis() as i64, "the last request came {spread} ms after the first: after its answer");
}

#[tokio::test]
async fn ids_that_were_found_in_another_account_are_not_used() {
    let first = Desk::connected().await;
    let second = Desk::of(Config { seed: 2, ..Config::default() }).await;
    assert_ne!(first.sim.topic_id(TOPIC), second.sim.topic_id(TOPIC));
    let origin = second.sim.origin().to_owned();
    let mut second = second;
    second.settings = first.settings.clone();
    let second = second.set("test_origin", origin.clone());
    second.handoff(&crate::support::request(), None).await.result.unwrap();
    assert_eq!(Some(second.conversation().channel_id), second.sim.topic_id(TOPIC));

    let connection = connect(&second).await;
    let kept: serde_json::Value = serde_json::from_str(&connection.settings).unwrap();
    assert_eq!(kept["resolved"]["origin"], origin);
    assert_eq!(kept["resolved"]["topics"][TOPIC], json!(second.sim.topic_id(TOPIC)));
}
