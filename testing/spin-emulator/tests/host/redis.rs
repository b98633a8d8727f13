//! Redis, with a real server.

use std::time::{Duration, Instant};

use spin_emulator::{App, Options, RedisServer};

use crate::probe::{failed, ok, post, start};

async fn app_for(address: &str) -> App {
    start(Options { allowed_outbound_hosts: vec![address.to_owned()], ..Options::default() }).await
}

/// One command, its words one a line.
async fn run(app: &App, address: &str, command: &str) -> (u16, String) {
    post(app, &format!("/redis?{address}"), command).await
}

#[tokio::test]
async fn every_function_does_what_it_says() {
    let redis = RedisServer::start().await.unwrap();
    let app = app_for(&redis.url()).await;
    let all = post(&app, &format!("/redis/plain?{}", redis.url()), "").await;
    assert_eq!(all, ok("None 42 Some([52, 50]) 2 true 1 [\"a\"] 2"));
}

#[tokio::test]
async fn a_lease_and_a_script_work_through_execute() {
    let redis = RedisServer::start().await.unwrap();
    let (app, address) = (app_for(&redis.url()).await, redis.url());
    let take = "SET\nlease\nme\nNX\nPX\n#60000";
    assert_eq!(run(&app, &address, take).await, ok("status OK"));
    assert_eq!(run(&app, &address, take).await, ok("nil"), "taken");

    let set = "EVAL\nif redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('SET', KEYS[1], ARGV[2]) end return 0\n1\nlease";
    assert_eq!(run(&app, &address, &format!("{set}\nyou\nother")).await, ok("int 0"));
    assert_eq!(run(&app, &address, &format!("{set}\nme\nother")).await, ok("status OK"));
    assert_eq!(run(&app, &address, "GET\nlease").await, ok("binary other"));
}

#[tokio::test]
async fn arrays_come_as_one_flat_list() {
    let redis = RedisServer::start().await.unwrap();
    let (app, address) = (app_for(&redis.url()).await, redis.url());
    let nested = "EVAL\nreturn {1, {'two', {3}}, {}, 'four'}\n0";
    assert_eq!(run(&app, &address, nested).await, ok("int 1, binary two, int 3, binary four"));
}

#[tokio::test]
async fn a_server_that_is_not_allowed_is_refused() {
    let redis = RedisServer::start().await.unwrap();
    let app = start(Options::default()).await;
    assert_eq!(run(&app, &redis.url(), "PING").await, failed("Error::InvalidAddress"));
    assert_eq!(app.host_log(), format!("refused: {} is not in allowed_outbound_hosts\n", redis.url()));
    let app = app_for(&redis.url()).await;
    assert_eq!(run(&app, "nonsense", "PING").await, failed("Error::InvalidAddress"));
}

#[tokio::test]
async fn two_seconds_without_redis_are_quick_errors_and_then_it_works_again() {
    let mut redis = RedisServer::start().await.unwrap();
    let (app, address) = (app_for(&redis.url()).await, redis.url());
    assert_eq!(run(&app, &address, "PING").await, ok("status PONG"));

    redis.stop().unwrap();
    let stopped = Instant::now();
    while stopped.elapsed() < Duration::from_secs(2) {
        let asked = Instant::now();
        let (status, text) = run(&app, &address, "PING").await;
        assert_eq!(status, 422);
        assert!(text.contains("Connection refused"), "{text}");
        // Some milliseconds, and room for a crowded machine.
        assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
    }
    redis.start_again().await.unwrap();
    assert_eq!(run(&app, &address, "PING").await, ok("status PONG"));
}
