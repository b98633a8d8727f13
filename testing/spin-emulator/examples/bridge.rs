//! The bridge on the Spin emulator, with one connected account of a simulated Freshworks: for programs that try the API.
//!
//! `bridge <component>` prints one line of JSON (`origin`, `token`, `connection`, the `settings` and the `platform` that it was
//! connected with, the addresses of its webhooks, and `sign`, which returns the simulated account's signature of the body of a
//! POST), and runs until its standard input ends. Then it prints the logs of app and host.

use std::io::Read as _;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use freshworks_simulator::{Config, KeyForm, Simulator};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use spin_emulator::{App, Component, Options};

const TOKEN: &str = "token-of-the-example-bridge";
const CONNECTION: &str = "acme";
/// A Standard Webhooks secret.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let component = std::env::args().nth(1).context("usage: bridge <component>")?;
    let component = Component::load(component.as_ref()).await?;
    let freshworks = Simulator::start(Config::default()).await?;
    let freshworks = Arc::new(freshworks);
    let platform_origin = serve_platform(freshworks.clone()).await?;
    let options = Options {
        // The simulators are on this machine.
        variables: [
            ("api_token", TOKEN),
            ("encryption_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("internal_hosts", "127.0.0.1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        allowed_outbound_hosts: vec![freshworks.origin().to_owned(), platform_origin.clone()],
        ..Options::default()
    };
    let app = App::start(&component, options).await?;
    let settings = json!({
        "chat_url": "acme.freshchat.com",
        "api_key": freshworks.api_key(),
        "webhook_public_key": freshworks.public_key(KeyForm::Vendor),
        "test_origin": freshworks.origin(),
    });
    let platform = json!({ "kind": "generic", "callback_url": format!("{platform_origin}/events"), "secret": SECRET });
    let body = json!({ "settings": settings, "platform": platform });
    let connected = connect(app.origin(), &body).await?;
    ensure!(connected["connected"] == true, "the simulated account cannot be connected: {}", connected["findings"]);
    freshworks.set_webhook(connected["webhooks"]["freshchat"].as_str().map(|path| format!("{}{path}", app.origin())));
    let line = json!({
        "origin": app.origin(),
        "token": TOKEN,
        "connection": CONNECTION,
        "settings": settings,
        "platform": platform,
        "webhooks": connected["webhooks"],
        "sign": format!("{platform_origin}/sign"),
    });
    println!("{line}");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    print!("{}{}", app.log(), app.host_log());
    app.stop().await;
    Ok(())
}

/// A platform that accepts every event, and the signing service. Returns their origin.
async fn serve_platform(freshworks: Arc<Simulator>) -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let sign = move |body: bytes::Bytes| async move { freshworks.sign(&body) };
    let router = axum::Router::new()
        .route("/sign", axum::routing::post(sign))
        .fallback(|| async { axum::http::StatusCode::NO_CONTENT });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(origin)
}

async fn connect(origin: &str, body: &Value) -> anyhow::Result<Value> {
    let authority = origin.trim_start_matches("http://");
    let stream = tokio::net::TcpStream::connect(authority).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(Method::PUT)
        .uri(format!("/v1/connections/{CONNECTION}"))
        .header("host", authority)
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Full::new(bytes::Bytes::from(body.to_string())))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let answer = response.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        bail!("connecting was answered with {status}: {}", String::from_utf8_lossy(&answer));
    }
    Ok(serde_json::from_slice(&answer)?)
}
