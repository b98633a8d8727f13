//! Outgoing HTTP.
//!
//! Requests that fail go without a body: with one, the SDK says `StreamError::Closed` instead of the reason when the host is
//! faster than the component's writing, on Spin as here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing;
use spin_emulator::Options;
use tokio::net::TcpListener;

use crate::probe::{get, ok, post, start};

/// An echo server that counts its connections.
async fn echo_server() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let listener = axum::serve::ListenerExt::tap_io(listener, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let router = Router::new().route("/", routing::post(|body: String| async move { format!("got: {body}") }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (origin, connections)
}

fn allowing(hosts: &[&str]) -> Options {
    Options { allowed_outbound_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(), ..Options::default() }
}

#[tokio::test]
async fn an_allowed_host_is_reached_over_one_connection() {
    let (origin, connections) = echo_server().await;
    let app = start(allowing(&[&origin])).await;
    for _ in 0..5 {
        assert_eq!(post(&app, &format!("/fetch?{origin}/"), "a body").await, ok("200 got: a body"));
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn any_other_host_is_refused_without_a_connection() {
    let (origin, connections) = echo_server().await;
    let (other, _) = echo_server().await;
    let app = start(allowing(&[&other])).await;
    let (status, text) = get(&app, &format!("/fetch?{origin}/")).await;
    assert_eq!(status, 422);
    assert!(text.contains("HttpRequestDenied"), "{text}");
    assert_eq!(connections.load(Ordering::Relaxed), 0);
    assert_eq!(app.host_log(), format!("refused: {origin} is not in allowed_outbound_hosts\n"));

    let by_name = origin.replace("127.0.0.1", "localhost");
    let app = start(allowing(&[&by_name])).await;
    assert_eq!(get(&app, &format!("/fetch?{origin}/")).await.0, 422, "a name does not stand for its address");
}

#[tokio::test]
async fn an_origin_that_is_elsewhere_is_reached_there_by_its_own_right() {
    let (origin, connections) = echo_server().await;
    let elsewhere = std::collections::BTreeMap::from([("https://acme.example".to_owned(), origin.clone())]);
    let allowed = Options { elsewhere: elsewhere.clone(), ..allowing(&["https://acme.example"]) };
    let app = start(allowed).await;
    assert_eq!(post(&app, "/fetch?https://acme.example/", "a body").await, ok("200 got: a body"));
    assert_eq!(get(&app, &format!("/fetch?{origin}/")).await.0, 422, "the place is not allowed by the name");
    let app = start(Options { elsewhere, ..allowing(&[&origin]) }).await;
    assert_eq!(get(&app, "/fetch?https://acme.example/").await.0, 422, "the name is not allowed by the place");
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_server_that_is_away_is_a_refused_connection() {
    let closed: SocketAddr = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let origin = format!("http://{closed}");
    let app = start(allowing(&[&origin])).await;
    let (status, text) = get(&app, &format!("/fetch?{origin}/")).await;
    assert_eq!(status, 422);
    assert!(text.contains("ConnectionRefused"), "{text}");
}
