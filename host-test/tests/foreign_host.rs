//! The plugin in a host that was not written here: the wasmtime command line, with HTTP switched on and nothing else.
//!
//! `cargo xtask test` installs it and names it in `FOREIGN_WASMTIME`.

use std::process::Output;

use freshworks_simulator::{Config, KeyForm, Simulator};

async fn invoke(call: &str) -> Output {
    let program =
        std::env::var_os("FOREIGN_WASMTIME").expect("run `cargo xtask test`: it installs the wasmtime command line");
    let plugin = std::env::var_os("FRESHWORKS_PLUGIN").map(std::path::PathBuf::from);
    let plugin =
        plugin.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").into());
    let mut command = tokio::process::Command::new(program);
    command.args(["run", "-S", "http", "--invoke", call]).arg(plugin);
    command.output().await.unwrap()
}

fn stdout(output: &Output) -> &str {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::str::from_utf8(&output.stdout).unwrap()
}

/// A text as the command line wants it.
fn wave(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn settings(simulator: &Simulator) -> String {
    let settings = serde_json::json!({
        "chat_url": "acme",
        "api_key": simulator.api_key(),
        "webhook_public_key": simulator.public_key(KeyForm::OneLine),
        "test_origin": simulator.origin(),
    });
    wave(&settings.to_string())
}

#[tokio::test]
async fn the_plugin_describes_itself_in_a_foreign_host() {
    let output = invoke("describe(none)").await;
    assert!(stdout(&output).contains("https://*.freshchat.com"), "{}", stdout(&output));
}

#[tokio::test]
async fn the_plugin_connects_an_account_in_a_foreign_host() {
    let simulator = Simulator::start(Config::default()).await.unwrap();
    let output = invoke(&format!("connect({})", settings(&simulator))).await;
    assert!(stdout(&output).contains("connected: true"), "{}", stdout(&output));
}

#[tokio::test]
async fn the_plugin_hands_over_in_a_foreign_host() {
    let simulator = Simulator::start(Config::default()).await.unwrap();
    // What may be left out is left out.
    let request = "{key: {application: \"a\", channel: \"c\", conversation: \"1\"}, \
        user: {id: \"u\", name: some(\"Ana\"), email-verified: false, phone-verified: false}, \
        mode: live, reason: user-asked, summary: some(\"Parcel is late\"), retry: false}";
    let output = invoke(&format!("handoff({}, {request}, none, 1795000000000)", settings(&simulator))).await;
    assert!(stdout(&output).contains("state: queued"), "{}", stdout(&output));
    assert_eq!(simulator.conversations().len(), 1);
}
