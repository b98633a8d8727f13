//! Redis, with a real server.

use std::time::{Duration, Instant};

use spin_emulator::{App, Limits, Options, RedisServer};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::probe::{failed, ok, post, start, try_start};
use crate::tls::{authority, server_for};

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

async fn app_that_trusts(authority: Option<&str>, address: &str) -> App {
    let redis_authorities = authority.map(str::to_owned);
    start(Options { allowed_outbound_hosts: vec![address.to_owned()], redis_authorities, ..Options::default() }).await
}

#[tokio::test]
async fn every_function_works_over_tls() {
    let authority = authority();
    let mut redis = server_for("127.0.0.1", &authority).await;
    assert!(redis.url().starts_with("rediss://"));
    let (app, address) = (app_that_trusts(Some(&authority.pem()), &redis.url()).await, redis.url());
    let all = post(&app, &format!("/redis/plain?{address}"), "").await;
    assert_eq!(all, ok("None 42 Some([52, 50]) 2 true 1 [\"a\"] 2"));
    // A server that is away is noticed at once, as without TLS, and one that is back is reached.
    redis.stop().unwrap();
    let (status, text) = run(&app, &address, "PING").await;
    assert!(status == 422 && text.contains("Connection refused"), "{text}");
    redis.start_again().await.unwrap();
    assert_eq!(run(&app, &address, "PING").await, ok("status PONG"));
}

#[tokio::test]
async fn a_server_with_the_certificate_of_another_authority_or_host_is_refused() {
    let authority = authority();
    let (redis, elsewhere) = (server_for("127.0.0.1", &authority).await, server_for("redis.example", &authority).await);
    // They have the same name, but different keys.
    let (other, own) = (crate::tls::authority().pem(), authority.pem());
    for (server, trusted, reason) in [
        (&redis, Some(other.as_str()), "BadSignature"),
        (&redis, None, "UnknownIssuer"),
        (&elsewhere, Some(own.as_str()), "not valid for name"),
    ] {
        let app = app_that_trusts(trusted, &server.url()).await;
        let (status, text) = run(&app, &server.url(), "SET\nname\nvalue").await;
        assert!(status == 422 && text.contains(reason), "{text}");
        assert_eq!(server.dump().await.unwrap(), "", "nothing was sent to it");
    }
    let unreadable =
        Options { redis_authorities: Some("-----BEGIN CERTIFICATE-----\nno".into()), ..Options::default() };
    let started = try_start(unreadable).await;
    assert!(started.unwrap_err().to_string().contains("redis_authorities"));
}

#[tokio::test]
async fn what_asks_for_tls_is_never_sent_in_the_clear() {
    // The listener sees one TLS handshake, and no command.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("rediss://:hunter2@127.0.0.1:{}", listener.local_addr().unwrap().port());
    let app = app_that_trusts(None, &address.replace(":hunter2@", "")).await;
    let heard = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = vec![0; 4096];
        let length = stream.read(&mut heard).await.unwrap();
        heard.truncate(length);
        heard
    };
    let ((status, _), heard) = tokio::join!(run(&app, &address, "PING"), heard);
    assert_eq!((status, &heard[..2]), (422, &[0x16, 0x03][..]), "a handshake of TLS");
    assert!(!String::from_utf8_lossy(&heard).contains("hunter2"));
    let again = tokio::time::timeout(Duration::from_millis(300), listener.accept()).await;
    assert!(again.is_err(), "it is not tried again without TLS");
    // A server without TLS waits for the end of a line, and the request for its time limit: there is no fallback.
    let plain = RedisServer::start().await.unwrap();
    let asked = plain.url().replace("redis://", "rediss://");
    let limits = Limits { time: Duration::from_secs(1), ..Limits::default() };
    let app = start(Options { allowed_outbound_hosts: vec![asked.clone()], limits, ..Options::default() }).await;
    assert_eq!(run(&app, &asked, "SET\na\nb").await.0, 500);
    assert_eq!(plain.dump().await.unwrap(), "");
    // Nor does a server with TLS take a command without.
    let tls = server_for("127.0.0.1", &authority()).await;
    let asked = tls.url().replace("rediss://", "redis://");
    assert_eq!(run(&app_for(&asked).await, &asked, "SET\na\nb").await.0, 422);
    assert_eq!(tls.dump().await.unwrap(), "");
}

#[tokio::test]
async fn what_is_allowed_with_tls_is_not_allowed_without() {
    let redis = RedisServer::start().await.unwrap();
    let app = app_for(&redis.url().replace("redis://", "rediss://")).await;
    assert_eq!(run(&app, &redis.url(), "PING").await, failed("Error::InvalidAddress"));
}
