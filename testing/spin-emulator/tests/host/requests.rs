//! A request's lifecycle: its content, its end, and its isolation from others.

use std::time::{Duration, Instant};

use spin_emulator::{Limits, Options};

use crate::probe::{failed, get, ok, post, send, start, try_start, until_written};

#[tokio::test]
async fn a_request_arrives_whole_and_with_spins_headers() {
    let app = start(Options::default()).await;
    let (status, text) = post(&app, "/echo?a=b%20c", "the body").await;
    assert_eq!(status, 200);
    let authority = app.origin().strip_prefix("http://").unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(format!("POST http://{authority}/echo?a=b%20c").as_str()));
    let lines: Vec<&str> = lines.collect();
    let expected = [
        "x-own: 1".to_owned(),
        format!("spin-full-url: http://{authority}/echo?a=b%20c"),
        "spin-path-info: /echo".to_owned(),
        "spin-matched-route: /...".to_owned(),
        "spin-base-path: /".to_owned(),
        "spin-raw-component-route: /...".to_owned(),
        "spin-component-route: ".to_owned(),
    ];
    for line in expected {
        assert!(lines.contains(&line.as_str()), "{line} is not in {text}");
    }
    assert!(lines.iter().any(|line| line.starts_with("spin-client-addr: 127.0.0.1:")), "{text}");
    assert!(!text.contains("forged"));
    assert!(text.ends_with("\nthe body"));
}

#[tokio::test]
async fn each_request_has_a_fresh_instance() {
    let app = start(Options::default()).await;
    for _ in 0..3 {
        assert_eq!(get(&app, "/count").await, ok("1"));
    }
}

#[tokio::test]
async fn the_host_answers_the_health_check_itself() {
    let app = start(Options::default()).await;
    assert_eq!(get(&app, "/.well-known/spin/health").await, ok("OK"));
    assert_eq!(get(&app, "/.well-known/spin/other").await.0, 404);
}

#[tokio::test]
async fn a_panic_is_a_500_for_that_request_alone() {
    let app = start(Options::default()).await;
    let waiting = get(&app, "/sleep/300");
    let panicking = async {
        until_written(&app, "begun").await;
        get(&app, "/panic").await
    };
    let (waiting, panicking) = tokio::join!(waiting, panicking);
    assert_eq!(panicking, (500, String::new()));
    assert_eq!(waiting, ok(""));
    assert!(app.log().contains("as asked"), "{}", app.log());
    assert!(app.host_log().starts_with("GET /panic: "), "{}", app.host_log());
}

#[tokio::test]
async fn a_loop_ends_at_the_time_limit_without_blocking_others() {
    let limits = Limits { time: Duration::from_secs(2), ..Limits::default() };
    let app = start(Options { limits, ..Options::default() }).await;
    let looping = async { (get(&app, "/loop").await, Instant::now()) };
    let others = async {
        until_written(&app, "begun").await;
        (get(&app, "/count").await, Instant::now())
    };
    let ((looping, ended), (beside, answered)) = tokio::join!(looping, others);
    assert_eq!(looping, (500, String::new()));
    assert!(app.host_log().contains("GET /loop: not done after 2s"), "{}", app.host_log());
    assert_eq!(beside, ok("1"));
    assert!(answered < ended);
}

#[tokio::test]
async fn waiting_counts_as_time() {
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let app = start(Options { limits, ..Options::default() }).await;
    assert_eq!(get(&app, "/sleep/60000").await, (500, String::new()));
}

#[tokio::test]
async fn memory_above_the_limit_is_a_500() {
    let limits = Limits { memory_bytes: 8 << 20, ..Limits::default() };
    let app = start(Options { limits, ..Options::default() }).await;
    assert_eq!(get(&app, "/memory/1000000").await, ok("1000000"));
    assert_eq!(get(&app, "/memory/10000000").await, (500, String::new()));
    assert!(app.host_log().contains("more than its 8388608 bytes"), "{}", app.host_log());
}

#[tokio::test]
async fn the_component_sees_nothing_of_the_machine() {
    let app = start(Options::default()).await;
    let (status, text) = get(&app, "/outside").await;
    assert_eq!(status, 200);
    assert!(text.starts_with("0 false Err("), "{text}");
}

#[tokio::test]
async fn what_the_component_writes_is_in_the_log() {
    let app = start(Options::default()).await;
    get(&app, "/print?hello").await;
    assert_eq!(app.log(), "out hello\nerr hello\n");
    assert_eq!(app.host_log(), "");
}

#[tokio::test]
async fn a_call_that_the_host_does_not_have_says_its_name() {
    let app = start(Options::default()).await;
    assert_eq!(get(&app, "/mqtt").await, (500, String::new()));
    let log = app.host_log();
    assert!(log.contains("fermyon:spin/mqtt@2.0.0#[static]connection.open, which the emulator does not have"), "{log}");
}

#[tokio::test]
async fn variables_are_given_undefined_or_invalid() {
    let variables = [("api_key".to_owned(), "k".to_owned())].into();
    let app = start(Options { variables, ..Options::default() }).await;
    assert_eq!(get(&app, "/variable/api_key").await, ok("k"));
    assert_eq!(get(&app, "/variable/other").await, failed("Error::Undefined(\"other\")"));
    assert_eq!(get(&app, "/variable/API_KEY").await, failed("Error::InvalidName(\"API_KEY\")"));
}

#[tokio::test]
async fn options_that_make_no_sense_do_not_start() {
    let variables = [("API_KEY".to_owned(), String::new())].into();
    assert!(try_start(Options { variables, ..Options::default() }).await.is_err());
    let allowed_outbound_hosts = vec!["127.0.0.1:80".to_owned()];
    assert!(try_start(Options { allowed_outbound_hosts, ..Options::default() }).await.is_err());
}

#[tokio::test]
async fn a_stop_cuts_requests_in_flight_and_frees_the_port() {
    let app = start(Options::default()).await;
    let origin = app.origin().to_owned();
    let request = tokio::spawn({
        let url = format!("{origin}/sleep/60000");
        async move { send("GET", &url, "").await }
    });
    until_written(&app, "begun").await;
    let started = Instant::now();
    app.stop().await;
    assert!(request.await.unwrap().is_err());
    assert!(send("GET", &format!("{origin}/count"), "").await.is_err());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());

    let port = origin.rsplit_once(':').unwrap().1.parse().unwrap();
    let again = start(Options { port, ..Options::default() }).await;
    assert_eq!(again.origin(), origin);
    assert_eq!(get(&again, "/count").await, ok("1"));
}

#[tokio::test]
async fn a_dropped_app_is_a_stopped_one() {
    let app = start(Options::default()).await;
    let url = format!("{}/loop", app.origin());
    let request = tokio::spawn(async move { send("GET", &url, "").await });
    until_written(&app, "begun").await;
    drop(app);
    assert!(request.await.unwrap().is_err());
}

#[tokio::test]
async fn a_client_that_leaves_does_not_end_the_request() {
    let app = start(Options::default()).await;
    let url = format!("{}/sleep/200", app.origin());
    let request = tokio::spawn(async move { send("GET", &url, "").await });
    until_written(&app, "begun").await;
    request.abort();
    assert!(request.await.is_err());
    until_written(&app, "done").await;
}
