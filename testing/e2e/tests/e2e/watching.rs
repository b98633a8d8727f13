//! Failures are listed, alerted and resent, with the real component, on both stores.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use e2e::{Api, Environment, SECRET, Store};
use platform_simulator::{Generic, How};
use serde_json::{Value, json};
use spin_emulator::RedisServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::cast::{OnGeneric, within};

/// The operator's address: bodies that were posted to it.
#[derive(Clone, Default)]
struct Operator(Arc<Mutex<Vec<Value>>>);

impl Operator {
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let operator = Self::default();
        let told = operator.0.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut text = String::new();
                let body = loop {
                    let mut bytes = [0; 4096];
                    let read = stream.read(&mut bytes).await.unwrap();
                    assert!(read > 0, "half a request: {text}");
                    text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
                    let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
                    if let Some(body) = body.and_then(|body| serde_json::from_str::<Value>(body).ok()) {
                        break body;
                    }
                };
                told.lock().unwrap().push(body);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
            }
        });
        (operator, origin)
    }

    fn told(&self) -> Vec<Value> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|alert| alert["about"] == "deliveries").cloned().collect()
    }

    async fn until(&self, count: usize) -> Vec<Value> {
        let wait = async {
            loop {
                let told = self.told();
                if told.len() >= count {
                    return told;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        within("the operator is told", wait).await
    }
}

async fn ask(api: &Api, method: &str, path: &str) -> Value {
    let answer = api.call(method, path, &Value::Null).await.unwrap();
    assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
    answer.body
}

const ACME: &str = "/v1/connections/acme/deliveries";

async fn a_failing_callback(store: Store) {
    let (operator, address) = Operator::start().await;
    let platform = Generic::start(SECRET).await.unwrap();
    let mut stage = Environment::reaching(store, &[platform.origin(), &address]).await.unwrap();
    stage.go_on_after_answers();
    stage.set_variable("alert_url", &format!("{address}/hook"));
    stage.set_variable("alert_after_minutes", "0");
    let it = OnGeneric::connected(platform, stage.with_instances(1).await.unwrap()).await;
    let api = &it.stage.api;
    it.hand_over("c-1", false).await;
    it.hand_over("c-2", false).await;
    let maya = it.freshworks().agent_id("Maya Chen").unwrap();
    let conversation = it.conversation("c-1: my parcel is lost").id;
    it.freshworks().settled().await;

    // As often as the instance tries by itself.
    it.platform.fail(&vec![How::Status(503); 5]);
    it.freshworks().reply(&conversation, &maya, "It is on its way").await.unwrap();
    let told = operator.until(1).await;
    assert_eq!((&told[0]["type"], &told[0]["connection"]), (&json!("alert.raised"), &json!("acme")));
    assert!(told[0]["causes"].to_string().contains("the callback answered 503"), "{told:?}");

    let listed = ask(api, "GET", &format!("{ACME}?result=bad&user=user-of-c-1")).await;
    let cause = listed["causes"].as_array().unwrap().iter().find(|cause| cause["direction"] == "out").unwrap();
    assert_eq!((&cause["why"], &cause["count"]), (&json!("the callback answered 503"), &json!(1)), "{listed}");
    let failed = listed["deliveries"].as_array().unwrap().iter().find(|one| one["direction"] == "out").unwrap();
    assert_eq!((&failed["tries"], &failed["can_resend"]), (&json!(5), &json!(true)));
    assert!(!listed.to_string().contains("on its way"), "no text of anybody: {listed}");
    assert!(it.platform.events("c-1").is_empty());

    let resend = format!("{ACME}/{}/resend", failed["id"].as_str().unwrap());
    assert_eq!(ask(api, "POST", &resend).await["done"], 1, "{}", it.stage.log());
    assert_eq!(ask(api, "POST", &resend).await["done"], 1, "it is done");
    assert_eq!(ask(api, "POST", "/v1/connections/acme/resend?since=0").await["failed"], 0);
    let arrived = it.platform.events("c-1");
    let with_text = arrived.iter().filter(|event| event["message"]["parts"][0]["text"] == "It is on its way");
    assert_eq!(with_text.count(), 1, "{arrived:?}");
    assert_eq!(it.platform.counts(), (0, 0), "nothing came twice");
    let listed = ask(api, "GET", &format!("{ACME}?user=user-of-c-1&result=done")).await;
    let done = listed["deliveries"].as_array().unwrap().iter().find(|one| one["id"] == failed["id"]);
    assert_eq!(done.map(|one| &one["tries"]), Some(&json!(6)), "{listed}");

    ask(api, "POST", "/v1/tick").await;
    let told = operator.until(2).await;
    assert_eq!((&told[1]["type"], &told[1]["id"]), (&json!("alert.over"), &told[0]["id"]));
    ask(api, "POST", "/v1/tick").await;
    assert_eq!(operator.told().len(), 2, "once each");

    // News that the platform refuses for good is not tried again by itself.
    it.platform.fail(&[How::Status(410)]);
    it.freshworks().reply(&conversation, &maya, "Really").await.unwrap();
    it.stage.settled("acme").await.unwrap();
    let given_up = ask(api, "GET", &format!("{ACME}?result=given-up")).await;
    assert_eq!(given_up["found"], 1, "{given_up}");
    assert_eq!(ask(api, "POST", "/v1/connections/acme/resend?since=0").await["done"], 1);
    let arrived = it.platform.events("c-1");
    let with_text = arrived.iter().filter(|event| event["message"]["parts"][0]["text"] == "Really");
    assert_eq!((with_text.count(), it.platform.counts()), (1, (0, 0)), "{arrived:?}");

    tenants_and_people(&it).await;
}

async fn tenants_and_people(it: &OnGeneric) {
    let api = &it.stage.api;
    let settings = json!({ "kind": "generic", "callback_url": it.platform.callback_url(), "secret": SECRET });
    it.stage.connect("other", &settings).await.unwrap();
    assert_eq!(ask(api, "GET", "/v1/connections/other/deliveries").await["found"], 0);
    let token = json!({ "name": "other", "scopes": ["connection:other"] });
    let token = api.call("POST", "/v1/tokens", &token).await.unwrap().body["token"].as_str().unwrap().to_owned();
    let theirs = Api::new(it.stage.front.origin(), &token);
    for (method, path) in [
        ("GET", ACME.to_owned()),
        ("GET", "/v1/connections/acme/trends".to_owned()),
        ("GET", "/v1/connections/acme/handoffs?which=ended".to_owned()),
        ("POST", "/v1/connections/acme/resend?since=0".to_owned()),
        ("POST", format!("{ACME}/0123/resend")),
    ] {
        assert_eq!(theirs.call(method, &path, &Value::Null).await.unwrap().status, 403, "{method} {path}");
    }
    assert_eq!(theirs.call("GET", "/v1/connections/other/deliveries", &Value::Null).await.unwrap().status, 200);

    let handoff = it.id("c-1").await;
    assert!(ask(api, "GET", ACME).await.to_string().contains(&handoff));
    ask(api, "DELETE", "/v1/people/user-of-c-1?connection=acme").await;
    it.stage.settled("acme").await.unwrap();
    let left = ask(api, "GET", ACME).await.to_string();
    assert!(!left.contains(&handoff), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_listed_alerted_and_resent_once_with_sqlite() {
    a_failing_callback(Store::Sqlite(Default::default())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_listed_alerted_and_resent_once_with_redis() {
    let redis = RedisServer::start().await.unwrap();
    a_failing_callback(Store::Redis(redis.url())).await;
}
