//! The API misbehaving on request.

use std::time::Duration;

use freshworks_simulator::{Config, Fault, How, Match, RequestBody, Simulator};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Account;

const MESSAGES: &str = "/v2/conversations/*/messages";

#[tokio::test]
async fn a_status_can_come_instead_of_the_effect_or_after_it() {
    let it = Account::start().await;
    let id = it.open("one").await;
    let path = format!("/v2/conversations/{id}/messages");
    it.sim.fail(Fault::new(Match::path(MESSAGES).method("POST"), How::status(503)));
    assert_eq!(it.post(&path, it.message("two")).await.status, 503);
    assert_eq!(it.texts(&id), ["one"]);
    it.sim.fail(Fault::new(Match::path(MESSAGES).method("POST"), How::status(500)).after_effect());
    assert_eq!(it.post(&path, it.message("three")).await.status, 500);
    assert_eq!(it.texts(&id), ["one", "three"]);
    let journal = it.sim.journal();
    let last = journal.last().unwrap();
    assert_eq!((last.status, last.fault.clone()), (Some(500), Some(How::status(500))));
    assert_eq!(last.json(), it.message("three"));
    it.post(&path, it.message("four")).await.ok();
}

#[tokio::test]
async fn a_connection_can_be_cut_before_and_after_the_effect() {
    let it = Account::start().await;
    let id = it.open("one").await;
    let path = format!("/v2/conversations/{id}/messages");
    it.sim.fail(Fault::new(Match::path(MESSAGES), How::Cut));
    it.try_call("POST", &path, Some(it.message("two"))).await.unwrap_err();
    assert_eq!(it.texts(&id), ["one"]);
    it.sim.fail(Fault::new(Match::path(MESSAGES), How::Cut).after_effect());
    it.try_call("POST", &path, Some(it.message("three"))).await.unwrap_err();
    assert_eq!(it.texts(&id), ["one", "three"]);
    assert_eq!(it.sim.journal().last().unwrap().status, None);
    it.sim.fail(Fault::new(Match::any(), How::CutMidBody).after_effect().times(2));
    it.try_call("POST", &path, Some(it.message("four"))).await.unwrap_err();
    assert_eq!(it.texts(&id), ["one", "three", "four"]);
    it.try_call("GET", "/v2/channels", None).await.unwrap_err();
    it.get("/v2/channels").await.ok();
}

#[tokio::test]
async fn a_torn_answer_starts_like_a_whole_one() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let it = Account::start().await;
    for fault in [Fault::new(Match::any(), How::CutMidBody), Fault::new(Match::any(), How::CutMidBody).after_effect()] {
        it.sim.fail(fault);
        let mut stream = tokio::net::TcpStream::connect(it.sim.origin().trim_start_matches("http://")).await.unwrap();
        let request =
            format!("GET /v2/agents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", it.sim.api_key());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let length: usize = length.parse().unwrap();
        assert_eq!(body.len(), length / 2);
        assert!(body.starts_with('{'));
    }
}

#[tokio::test]
async fn a_delayed_call_takes_effect_although_the_caller_has_disconnected() {
    let it = Account::start().await;
    it.open("one").await;
    it.next_after(1).await;
    it.sim.fail(Fault::new(Match::path("/v2/users").method("POST"), How::Delay(Duration::from_millis(500))));
    let call = it.try_call("POST", "/v2/users", Some(json!({ "first_name": "Late" })));
    assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
    assert_eq!(it.sim.users().len(), 1);
    let exchange = it.sim.next_exchange().await;
    assert_eq!((exchange.line().as_str(), exchange.status), ("POST /v2/users", Some(200)));
    assert_eq!(it.sim.users().len(), 2);
}

#[tokio::test]
async fn a_delayed_answer_finds_the_effect_done() {
    let it = Account::start().await;
    let wait = How::Delay(Duration::from_secs(60));
    it.sim.fail(Fault::new(Match::path("/v2/users").method("POST"), wait).after_effect());
    let call = it.try_call("POST", "/v2/users", Some(json!({ "first_name": "Soon" })));
    tokio::select! {
        answer = call => panic!("answered: {answer:?}"),
        exchange = it.sim.next_exchange() => assert_eq!(exchange.status, Some(200)),
    }
    assert_eq!(it.sim.users().len(), 2);
}

#[tokio::test]
async fn a_simulator_that_is_stopped_answers_what_has_come_and_nothing_more() {
    let sim = Simulator::start(Config::default()).await.unwrap();
    let address = sim.origin().strip_prefix("http://").unwrap().to_owned();
    sim.fail(Fault::new(Match::any(), How::Delay(Duration::from_millis(100))).after_effect());
    let mut caller = TcpStream::connect(&address).await.unwrap();
    let head =
        format!("GET /v2/channels HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\r\n", sim.api_key());
    caller.write_all(head.as_bytes()).await.unwrap();
    sim.next_exchange().await;
    sim.stop().await;
    let mut answer = String::new();
    caller.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    TcpStream::connect(&address).await.unwrap_err();
}

#[tokio::test]
async fn limits_and_garbage_come_with_their_headers() {
    let it = Account::start().await;
    it.sim.fail(Fault::new(Match::any(), How::rate_limit(7)));
    let answer = it.get("/v2/channels").await;
    assert_eq!(answer.refusal().1, "TOO_MANY_REQUESTS");
    assert_eq!(answer.headers["retry-after"], "7");
    let date = "Sun, 22 Nov 2026 12:00:00 GMT";
    it.sim.fail(Fault::new(Match::any(), How::RateLimit { retry_after: Some(date.into()) }));
    assert_eq!(it.get("/v2/channels").await.headers["retry-after"], date);
    it.sim.fail(Fault::new(Match::any(), How::RateLimit { retry_after: None }));
    assert!(!it.get("/v2/channels").await.headers.contains_key("retry-after"));
    it.sim.fail(Fault::new(Match::any(), How::Garbage));
    let answer = it.get("/v2/channels").await;
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_err());
    let headers = vec![("location".to_owned(), "https://elsewhere.example/".to_owned())];
    it.sim.fail(Fault::new(Match::any(), How::Status { code: 302, headers, body: String::new() }));
    let answer = it.get("/v2/channels").await;
    assert_eq!((answer.status, &answer.headers["location"]), (302, &"https://elsewhere.example/".parse().unwrap()));
}

#[tokio::test]
async fn the_rate_limit_counts_calls() {
    let it = Account::start().await;
    it.sim.set_behaviour(|behaviour| behaviour.requests_per_minute = Some(2));
    it.get("/v2/channels").await.ok();
    it.get("/v2/channels").await.ok();
    let answer = it.get("/v2/channels").await;
    assert_eq!(answer.refusal().0, 429);
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
}

#[tokio::test]
async fn any_call_of_a_flow_can_be_hit_by_its_number() {
    for number in 1..=3 {
        let it = Account::start().await;
        it.sim.fail(Fault::new(Match::any().nth(number), How::status(500)));
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(it.get("/v2/groups").await.status);
        }
        let hit = statuses.iter().position(|status| *status == 500).unwrap();
        assert_eq!(hit + 1, number as usize);
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2);
        assert_eq!(it.sim.faults_left(), 0);
    }
}

#[tokio::test]
async fn bodies_that_are_not_json_are_kept_as_bytes() {
    let it = Account::start().await;
    let request = axum::http::Request::post(format!("{}/v2/users", it.sim.origin()))
        .header("authorization", format!("Bearer {}", it.sim.api_key()));
    let answer = it.send(request.body("{broken".into()).unwrap()).await.unwrap();
    assert_eq!(answer.refusal().1, "INVALID_VALUE");
    assert_eq!(it.sim.journal()[0].body, RequestBody::Bytes(b"{broken".to_vec()));
}

trait Skip {
    /// Passes over the calls that a test made to prepare.
    async fn next_after(&self, calls: usize);
}

impl Skip for Account {
    async fn next_after(&self, calls: usize) {
        for _ in 0..calls {
            self.sim.next_exchange().await;
        }
    }
}
