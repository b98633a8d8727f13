//! The component, the apps made of it, and a client for them.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use spin_emulator::{App, Component, Options};

pub(crate) use crate::client::send;
use crate::component::built;

/// Compiled once for all tests.
fn component() -> Component {
    static COMPONENT: OnceLock<Component> = OnceLock::new();
    COMPONENT.get_or_init(|| built("spin_probe")).clone()
}

pub(crate) async fn start(options: Options) -> App {
    App::start(&component(), options).await.unwrap()
}

pub(crate) async fn try_start(options: Options) -> anyhow::Result<App> {
    App::start(&component(), options).await
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
