//! `describe`: who the connector is, and the address that it will call.

use handoff_host::bindings::ErrorKind;
use serde_json::{Value, json};

use crate::support::{plugin, reaching, refused_at_once};
use crate::watch::watched;

pub(crate) const COVERED: crate::coverage::Covered = &[
    ("ok", "the_descriptor_says_what_a_host_must_provide"),
    ("invalid-settings", "settings_of_a_wrong_shape_are_refused"),
];

#[tokio::test]
async fn the_descriptor_says_what_a_host_must_provide() {
    let call = watched(plugin().describe(&reaching(&[]), None).await);
    assert!(call.report.http.is_empty());
    let descriptor = call.result.unwrap();
    assert_eq!((descriptor.name.as_str(), descriptor.vendor.as_str()), ("freshworks", "Freshworks"));
    assert_eq!(descriptor.webhook_headers, ["x-freshchat-signature"]);
    assert!(descriptor.capabilities.iter().any(|word| word == "live"));
    let (bearer, basic) = ("authorization: Bearer {api_key}", "authorization: Basic {ticket_api_key}:X");
    let outbound: Vec<(&str, Option<&str>)> =
        descriptor.outbound.iter().map(|host| (host.origin.as_str(), host.credential.as_deref())).collect();
    let expected = [
        ("https://*.freshchat.com", Some(bearer)),
        ("https://*.freshdesk.com", Some(basic)),
        ("https://*.freshservice.com", Some(basic)),
    ];
    assert_eq!(outbound, expected);

    let schema: Value = serde_json::from_str(&descriptor.settings_schema).unwrap();
    assert_eq!(schema["type"], "object");
    for (name, property) in schema["properties"].as_object().unwrap() {
        assert!(property["title"].is_string() && property["description"].is_string(), "{name}");
    }
    assert_eq!(schema["properties"]["api_key"]["writeOnly"], true);
}

#[tokio::test]
async fn with_settings_it_tells_the_exact_hosts_and_no_credential_for_files() {
    let settings = json!({
        "chat_url": "acme", "ticket_domain": "acme.freshservice.com", "file_hosts": ["files.example.com", "*.cdn.example"],
    });
    let call = watched(plugin().describe(&reaching(&[]), Some(&settings.to_string())).await);
    let outbound = call.result.unwrap().outbound;
    let origins: Vec<&str> = outbound.iter().map(|host| host.origin.as_str()).collect();
    let expected = [
        "https://acme.freshchat.com",
        "https://acme.freshservice.com",
        "https://files.example.com",
        "https://*.cdn.example",
    ];
    assert_eq!(origins, expected);
    assert!(outbound[2..].iter().all(|host| host.credential.is_none()), "no key goes to a foreign host");
}

/// With settings, the one origin that calls will go to.
async fn origin(settings: &Value) -> String {
    let call = watched(plugin().describe(&reaching(&[]), Some(&settings.to_string())).await);
    assert!(call.report.http.is_empty());
    let outbound = call.result.unwrap().outbound;
    assert_eq!(outbound.len(), 1);
    outbound[0].origin.clone()
}

#[tokio::test]
async fn the_chat_url_works_in_every_form_in_which_it_is_pasted() {
    for form in [
        "acme",
        "ACME",
        "acme.freshchat.com",
        "acme.freshchat.com/",
        "acme.freshchat.com/v2",
        "https://acme.freshchat.com",
        "https://acme.freshchat.com/v2/",
        "HTTPS://Acme.FreshChat.com:443/v2/users?page=1#top",
        "  https://acme.freshchat.com\n",
        "\"https://acme.freshchat.com\"",
        "<https://acme.freshchat.com/>",
    ] {
        assert_eq!(origin(&json!({ "chat_url": form })).await, "https://acme.freshchat.com", "{form}");
    }
    let suite = "acme-933915710582838602-cf5ef642f0f082017690489.freshchat.com";
    assert_eq!(origin(&json!({ "chat_url": format!("https://{suite}/v2") })).await, format!("https://{suite}"));
    assert_eq!(origin(&json!({ "chat_url": "api.eu.freshchat.com" })).await, "https://api.eu.freshchat.com");
}

#[tokio::test]
async fn a_simulator_is_reached_on_this_machine_only() {
    let settings = |test_origin: &str| json!({ "chat_url": "acme", "test_origin": test_origin });
    assert_eq!(origin(&settings("http://127.0.0.1:8080/")).await, "http://127.0.0.1:8080");
    for elsewhere in ["http://10.0.0.1:80", "https://127.0.0.1", "http://127.0.0.1@example.com", "http://example.com"] {
        let call = plugin().describe(&reaching(&[]), Some(&settings(elsewhere).to_string())).await;
        let error = refused_at_once(watched(call));
        assert_eq!(error.field.as_deref(), Some("settings.test_origin"), "{elsewhere}");
    }
}

#[tokio::test]
async fn settings_of_a_wrong_shape_are_refused() {
    for (settings, field) in [
        ("", "settings"),
        ("null", "settings"),
        ("[]", "settings"),
        ("{\"chat_url\": \"acme\"", "settings"),
        (r#"{"chat_url": 7}"#, "settings.chat_url"),
        (r#"{"chat_url": "acme.freshdesk.com"}"#, "settings.chat_url"),
        (r#"{"chat_url": "acme", "topics": [1]}"#, "settings.topics"),
        (r#"{"chat_url": "acme", "priority": "asap"}"#, "settings.priority"),
        (r#"{"chat_url": "acme", "max_message_chars": 1}"#, "settings.max_message_chars"),
        (r#"{"chat_url": "acme", "api_key": "Bearer abc"}"#, "settings.api_key"),
        (r#"{"chat_url": "acme", "resolved": []}"#, "settings.resolved"),
    ] {
        let error = refused_at_once(watched(plugin().describe(&reaching(&[]), Some(settings)).await));
        assert_eq!(error.kind, ErrorKind::InvalidSettings, "{settings}");
        assert_eq!(error.field.as_deref(), Some(field), "{settings}");
        assert!(error.remedy.is_some(), "{settings}");
    }
}

#[tokio::test]
async fn settings_beyond_their_limit_are_refused() {
    let settings = json!({ "chat_url": "acme", "note": "x".repeat(256 * 1024) }).to_string();
    let error = refused_at_once(watched(plugin().describe(&reaching(&[]), Some(&settings)).await));
    assert_eq!(error.kind, ErrorKind::InvalidSettings);
}
