//! `connect` on settings alone: addresses that are refused before any request, webhook keys, unknown settings.

use base64ct::{Base64, Encoding as _};
use freshworks_simulator::KeyForm;
use handoff_host::bindings::FindingLevel;
use serde_json::Value;

use crate::connect::check;
use crate::support::{Desk, of_simulator};

fn fixture(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../fixtures/keys/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[tokio::test]
async fn addresses_that_are_no_chat_are_refused_before_any_request() {
    for (address, word) in [
        ("", "missing"),
        ("https://acme.freshdesk.com", "ticket system"),
        ("acme.freshservice.com", "ticket system"),
        ("https://acme.myfreshworks.com/crm/messaging", "web pages"),
        ("http://acme.freshchat.com", "https://"),
        ("https://acme.freshchat.com.example.com", "not the address"),
        ("https://acme.freshchat.com@example.com", "not the address"),
        ("https://example.com/acme.freshchat.com", "not the address"),
        ("www.freshchat.com", "not the address"),
    ] {
        let desk = Desk::new().await.set("chat_url", address).set("test_origin", Value::Null);
        let call = desk.connect().await;
        assert!(call.report.http.is_empty(), "{address}");
        let connection = call.result.unwrap();
        check(&connection, "chat-url", "chat-url-refused", FindingLevel::Failure);
        assert!(connection.findings[0].detail.contains(word), "{address}: {}", connection.findings[0].detail);
        assert!(desk.lines().is_empty());
    }
}

#[tokio::test]
async fn the_webhook_key_works_in_every_form_in_which_it_is_pasted() {
    for form in [
        KeyForm::Vendor,
        KeyForm::Spki,
        KeyForm::Pkcs1,
        KeyForm::OneLine,
        KeyForm::EscapedNewlines,
        KeyForm::BareBase64,
    ] {
        let desk = Desk::new().await;
        let key = desk.sim.public_key(form);
        let desk = desk.set("webhook_public_key", format!(" {key}\r\n"));
        let connection = desk.connect().await.result.unwrap();
        check(&connection, "webhook-key", "webhook-key-valid", FindingLevel::Ok);

        let topic = desk.sim.topic_id(crate::support::TOPIC).unwrap();
        let user = desk.sim.seed_user(freshworks_simulator::UserSpec::default());
        let (_, webhooks) = desk.sim.user_starts(&topic, &user, "hello").await.unwrap();
        let update = desk.on_webhook(&of_simulator(&webhooks[0]), None).await.result.unwrap();
        assert_eq!(update.events.len(), 1, "{form:?}");
    }
}

#[tokio::test]
async fn longer_keys_than_the_vendors_can_be_used() {
    for name in ["rsa-3072.pub.pem", "rsa-4096.pub.pem"] {
        let connection = Desk::new().await.set("webhook_public_key", fixture(name)).connect().await.result.unwrap();
        check(&connection, "webhook-key", "webhook-key-valid", FindingLevel::Ok);
    }
}

#[tokio::test]
async fn each_fault_of_the_webhook_key_has_a_code_of_its_own() {
    let good = Desk::new().await.sim.public_key(KeyForm::BareBase64);
    let private = |label: &str| format!("-----BEGIN {label}PRIVATE KEY-----\nAAAA\n-----END {label}PRIVATE KEY-----");
    // The head of any private key: a sequence that begins with the number 0.
    let unlabelled = Base64::encode_string(&[&[0x30, 0x82, 0x01, 0x00, 0x02, 0x01, 0x00][..], &[7; 253]].concat());
    for (key, code) in [
        (good[..good.len() - 40].to_owned(), "webhook-key-not-rsa"),
        (good.replace('M', "*"), "webhook-key-broken"),
        ("-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----".to_owned(), "webhook-key-broken"),
        (private(""), "webhook-key-is-private"),
        (private("RSA "), "webhook-key-is-private"),
        (private("ENCRYPTED "), "webhook-key-is-private"),
        (unlabelled, "webhook-key-is-private"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".to_owned(), "webhook-key-is-a-certificate"),
        (fixture("ec-p256.pub.pem"), "webhook-key-not-rsa"),
        (fixture("rsa-1024.pub.pem"), "webhook-key-too-short"),
    ] {
        let connection = Desk::new().await.set("webhook_public_key", key).connect().await.result.unwrap();
        check(&connection, "webhook-key", code, FindingLevel::Failure);
        check(&connection, "topic", "topic-found", FindingLevel::Ok);
    }
}

#[tokio::test]
async fn a_missing_webhook_key_is_a_warning_because_handoffs_work() {
    for absent in [Value::Null, "".into(), "  ".into()] {
        let connection = Desk::new().await.set("webhook_public_key", absent).connect().await.result.unwrap();
        assert!(connection.connected);
        check(&connection, "webhook-key", "webhook-key-missing", FindingLevel::Warning);
    }
}

#[tokio::test]
async fn an_unknown_setting_stays_and_its_neighbour_is_suggested() {
    for (name, suggestion) in [("chatUrl", "`chat_url`"), ("topic", "`topics`"), ("apiKey", "`api_key`")] {
        let connection = Desk::new().await.set(name, "value").connect().await.result.unwrap();
        assert!(connection.connected);
        check(&connection, "settings", "setting-unknown", FindingLevel::Warning);
        let remedy = connection
            .findings
            .iter()
            .find_map(|finding| (finding.code == "setting-unknown").then_some(finding.remedy.as_deref()).flatten());
        assert!(remedy.unwrap().contains(suggestion), "{name}: {remedy:?}");
        let kept: Value = serde_json::from_str(&connection.settings).unwrap();
        assert_eq!(kept[name], "value");
    }
    let connection = Desk::new().await.set("colour", "red").connect().await.result.unwrap();
    check(&connection, "settings", "setting-unknown", FindingLevel::Warning);
}
