//! What `connect` sets up, on both sides.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use e2e::{Environment, Store, delight_settings};
use platform_simulator::{Config, Delight};
use serde_json::{Value, json};

use crate::cast::{OnDelight, within};

/// The code and level of a check.
fn found<'a>(answer: &'a Value, check: &str) -> (&'a str, &'a str) {
    let all = answer["findings"].as_array().unwrap();
    let finding = all.iter().find(|finding| finding["check"] == check).unwrap();
    (finding["code"].as_str().unwrap(), finding["level"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_webhook_is_set_up_once() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    let first = it.platform.webhook_settings();
    assert_eq!(first["enabled"], true);
    assert_eq!(
        first["category_subscriptions"],
        json!(["conversation:closed", "conversation:redacted", "handoff", "message:user_sent"])
    );
    let again = it.stage.connect("acme", &delight_settings(&it.platform)).await.unwrap();
    assert_eq!(found(&again.body, "platform-webhook"), ("set-up", "ok"));
    assert_eq!(it.platform.webhook_settings(), first);
    let puts = it.platform.journal().iter().filter(|call| call.starts_with("PUT") && call.ends_with("webhook")).count();
    assert_eq!(puts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_platform_forbids_it_the_admin_learns_what_to_do() {
    let platform = Delight::start(Config { may_set_webhook: false, ..Config::default() }).await.unwrap();
    let stage = Environment::start(Store::Sqlite(Default::default()), 1, &[platform.origin()]).await.unwrap();
    let connect = async |platform: Value| {
        let body = json!({ "settings": stage.settings(), "platform": platform });
        stage.api.call("PUT", "/v1/connections/acme", &body).await.unwrap().body
    };
    let mut settings = delight_settings(&platform);
    let answer = connect(settings.clone()).await;
    assert_eq!(
        (&answer["connected"], found(&answer, "platform-webhook")),
        (&json!(false), ("not-permitted", "failure"))
    );
    let finding = answer["findings"].as_array().unwrap().iter().find(|one| one["check"] == "platform-webhook").unwrap();
    let url = answer["webhooks"]["platform"].as_str().unwrap();
    assert!(finding["remedy"].as_str().unwrap().contains(url), "{finding}");

    // It works with the secret from the vendor's staff.
    settings["signature_secret"] = json!("told-by-the-vendor");
    let answer = connect(settings.clone()).await;
    assert_eq!(
        (&answer["connected"], found(&answer, "platform-webhook")),
        (&json!(true), ("not-permitted", "warning"))
    );

    settings["api_token"] = json!("wrong");
    let answer = connect(settings.clone()).await;
    assert_eq!(
        (&answer["kind"], found(&answer, "platform-webhook")),
        (&json!("would-break"), ("token-refused", "failure"))
    );
    let body = json!({ "settings": stage.settings(), "platform": settings });
    let answer = stage.api.call("PUT", "/v1/connections/acme?save=anyway", &body).await.unwrap().body;
    assert_eq!(
        (&answer["connected"], found(&answer, "platform-webhook")),
        (&json!(false), ("token-refused", "failure"))
    );
    let refused = stage.api.call("POST", "/v1/connections/acme/handoffs", &handoff()).await.unwrap();
    assert_eq!((refused.status, &refused.body["kind"]), (409, &json!("not-connected")));
}

fn handoff() -> Value {
    json!({ "key": { "application": "a", "channel": "c", "conversation": "1" }, "user": { "id": "u" }, "mode": "live", "reason": "api" })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_reached_is_a_finding() {
    let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
    // Not in the app's list of hosts.
    let settings = json!({ "chat_url": "somebody-else", "api_key": "key" });
    let body = json!({ "settings": settings, "platform": delight_settings(&it.platform) });
    let answer = it.stage.api.call("PUT", "/v1/connections/other", &body).await.unwrap();
    assert_eq!((answer.status, &answer.body["connected"]), (200, &json!(false)));
    assert_eq!(found(&answer.body, "account").1, "failure");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forward_url_gets_the_same_bytes() {
    type Heard = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;
    let heard = Heard::default();
    let hear = |State(heard): State<Heard>, headers: HeaderMap, body: Bytes| async move {
        heard.lock().unwrap().push((headers, body));
        // Whether it takes them does not matter.
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", socket.local_addr().unwrap());
    let router = Router::new().fallback(hear).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(socket, router).await });

    let platform = Delight::start(Config::default()).await.unwrap();
    let stage = Environment::start(Store::Sqlite(Default::default()), 1, &[platform.origin(), &origin]).await.unwrap();
    let body = json!({ "settings": stage.settings(), "platform": delight_settings(&platform), "forward_url": format!("{origin}/second") });
    let answer = stage.api.call("PUT", "/v1/connections/acme", &body).await.unwrap();
    stage.freshworks.set_webhook(answer.body["webhooks"]["freshchat"].as_str().map(str::to_owned));

    // A conversation unknown to the bridge.
    let topic = stage.freshworks.topic_id("Sendbird Integration").unwrap();
    let user = stage.freshworks.seed_user(Default::default());
    let (_, sent) = stage.freshworks.user_starts(&topic, &user, "Hello").await.unwrap();
    within("the webhooks", stage.freshworks.settled()).await;
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), sent.len(), "each once, although it was not taken");
    for ((headers, body), sent) in heard.iter().zip(&sent) {
        assert_eq!(sent.status_of_receiver(), Some(204));
        assert_eq!(body, &sent.body);
        assert_eq!(headers["x-freshchat-signature"], sent.header("x-freshchat-signature").unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_the_context_opens_a_known_record_only_where_it_is_called_verified() {
    for verified in [false, true] {
        let it = OnDelight::start(Store::Sqlite(Default::default()), 1, Config::default()).await;
        let contact = freshworks_simulator::UserSpec { email: Some("ana@example.com".into()), ..Default::default() };
        let contact = it.stage.freshworks.seed_user(contact);
        if verified {
            let mut platform = delight_settings(&it.platform);
            platform["email_verified"] = true.into();
            it.stage.connect("acme", &platform).await.unwrap();
        }
        // Her context says `ana@example.com`.
        let (_, conversation) = it.handed_over("ana").await;
        assert_eq!(conversation.user_id == contact, verified);
        let known = it.stage.freshworks.users().remove(0);
        assert_eq!(known.reference_id.as_deref(), verified.then_some("ana"));
    }
}

/// Counts connections on every address of this machine.
async fn listener() -> (u16, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = match tokio::net::TcpListener::bind("[::]:0").await {
        Ok(listener) => listener,
        Err(_) => tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap(),
    };
    let (port, connections) = (listener.local_addr().unwrap().port(), Arc::<std::sync::atomic::AtomicUsize>::default());
    let count = connections.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    });
    (port, connections)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tenant_sends_the_bridge_to_an_internal_address() {
    let (port, connections) = listener().await;
    // Spin would allow everything: this tests the bridge's own check.
    let mut stage = Environment::reaching(Store::Sqlite(Default::default()), &["*://*:*"]).await.unwrap();
    stage.set_variable("internal_hosts", "");
    let stage = stage.with_instances(1).await.unwrap();
    let platform = |url: &str| json!({ "kind": "generic", "callback_url": url, "secret": e2e::SECRET });
    let list = include_str!("../../../../fixtures/addresses/hosts.txt").lines();
    for host in list.filter_map(|line| line.strip_prefix("internal ")) {
        for url in [format!("http://{host}:{port}/"), format!("https://{host}:{port}/")] {
            let settings = json!({ "chat_url": "acme", "api_key": "k", "webhook_public_key": null });
            let with = |name: &str, value: Value| {
                let mut settings = settings.clone();
                settings[name] = value;
                settings
            };
            let outside = platform("https://platform.example/events");
            let origin = json!(url.trim_end_matches('/'));
            for body in [
                json!({ "settings": settings, "platform": platform(&url) }),
                json!({ "settings": settings, "platform": outside, "forward_url": url }),
                json!({ "settings": with("test_origin", origin.clone()), "platform": outside }),
                json!({ "settings": with("test_ticket_origin", origin.clone()), "platform": outside }),
                json!({ "settings": with("file_hosts", json!([format!("{host}:{port}")])), "platform": outside }),
            ] {
                let answer = stage.api.call("PUT", "/v1/connections/acme", &body).await.unwrap();
                assert_eq!(answer.status, 422, "{url}: {answer:?}");
            }
        }
    }
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_leads_nowhere_inside_once_the_operator_has_closed_it() {
    use std::sync::atomic::Ordering::SeqCst;
    let (port, connections) = listener().await;
    let callback = format!("http://127.0.0.1:{port}");
    let mut stage = Environment::start(Store::Sqlite(Default::default()), 1, &[&callback]).await.unwrap();
    let platform = json!({ "kind": "generic", "callback_url": callback, "secret": e2e::SECRET });
    stage.connect("acme", &platform).await.unwrap();
    assert_eq!(connections.load(SeqCst), 0, "connecting sends nothing to a callback");
    // The account stays reachable, because its name is one of the internet; the callback does not.
    stage.set_variable("internal_hosts", "");
    stage.kill(0).await.unwrap();
    let refused = stage.api.call("POST", "/v1/connections/acme/check", &Value::Null).await.unwrap();
    assert_eq!((refused.status, &refused.body["field"]), (422, &json!("platform.callback_url")));
    let preview = stage.api.call("POST", "/v1/connections/acme/preview", &handoff()).await.unwrap();
    assert_ne!(preview.status, 200, "the simulator is on this machine, too: {preview:?}");
    assert_eq!(connections.load(SeqCst), 0);
}
