//! The component, the apps made of it, and a client for them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use spin_host::{App, Component, Options};

const TARGET: &str = "wasm32-wasip2";

/// Built and compiled once for all tests.
fn component() -> Component {
    static COMPONENT: OnceLock<Component> = OnceLock::new();
    let load = || {
        let path = build();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Component::load(&path)).unwrap()
    };
    // A thread of its own: a test's runtime has none to block.
    COMPONENT.get_or_init(|| std::thread::spawn(load).join().unwrap()).clone()
}

fn build() -> PathBuf {
    let library = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output().unwrap();
    let library = String::from_utf8(library.stdout).unwrap();
    assert!(Path::new(library.trim()).is_dir(), "the target {TARGET} is not installed: run `cargo xtask test`");

    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("spin-probe");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--locked", "--release", "--target", TARGET, "--target-dir"])
        .arg(&target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("probe"))
        .status();
    assert!(built.unwrap().success(), "the probe cannot be built");
    target.join(TARGET).join("release/spin_probe.wasm")
}

pub(crate) async fn start(options: Options) -> App {
    App::start(&component(), options).await.unwrap()
}

pub(crate) async fn try_start(options: Options) -> anyhow::Result<App> {
    App::start(&component(), options).await
}

/// Status and body; an error when there is no whole response.
pub(crate) async fn send(method: &str, url: &str, body: &str) -> anyhow::Result<(u16, String)> {
    // A client of its own: no connection is left over from another request.
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request =
        http::Request::builder().method(method).uri(url).header("x-own", "1").header("spin-full-url", "forged");
    let response = client.request(request.body(Full::from(body.to_owned()))?).await?;
    let status = response.status().as_u16();
    Ok((status, String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?))
}

pub(crate) async fn get(app: &App, path: &str) -> (u16, String) {
    send("GET", &format!("{}{path}", app.origin()), "").await.unwrap()
}

pub(crate) async fn post(app: &App, path: &str, body: &str) -> (u16, String) {
    send("POST", &format!("{}{path}", app.origin()), body).await.unwrap()
}

pub(crate) fn ok(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

pub(crate) fn failed(text: &str) -> (u16, String) {
    (422, text.to_owned())
}

/// Waits until the component has written this.
pub(crate) async fn until_written(app: &App, text: &str) {
    let started = Instant::now();
    while !app.log().contains(text) {
        assert!(started.elapsed() < Duration::from_secs(20), "`{text}` was not written");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
