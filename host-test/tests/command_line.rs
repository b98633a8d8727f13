//! The command line's manners: exit codes and where it writes.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

fn host_test(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_host-test")).args(arguments).output().unwrap()
}

#[track_caller]
fn check(arguments: &[&str], code: i32, says: &str) {
    let output = host_test(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert!(errors.contains(says), "{errors}");
    assert_eq!(output.stdout, b"");
}

#[test]
fn wrong_usage_is_code_2() {
    check(&["no-such-command"], 2, "no-such-command");
    check(&["relay", "--settings", "-", "--text", "hi"], 2, "--session FILE");
    check(&["peek", "--body", "no-such-file"], 2, "no-such-file");
    check(&["describe", "--settings", "Cargo.toml"], 2, "settings");
}

#[test]
fn a_plugin_that_cannot_be_loaded_is_code_3() {
    check(&["describe", "--plugin", "no-such-plugin.wasm"], 3, "no-such-plugin.wasm");
    check(&["imports", "--plugin", "Cargo.toml"], 3, "");
}

#[test]
fn help_is_no_failure() {
    let output = host_test(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("handoff"));
}

#[test]
fn settings_of_a_tenant_lead_nowhere_inside() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let plugin = std::env::var_os("FRESHWORKS_PLUGIN").map(PathBuf::from);
    let plugin =
        plugin.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").into());
    let plugin = plugin.to_str().unwrap();
    let folder = std::env::temp_dir().join(format!("host-test-inside-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("settings.json");
    let connect = |settings: &serde_json::Value, more: &[&str]| {
        std::fs::write(&file, settings.to_string()).unwrap();
        let base = ["connect", "--plugin", plugin, "--no-cache", "--settings", file.to_str().unwrap()];
        host_test(&[&base, more].concat())
    };
    let origin = format!("http://127.0.0.1:{port}");
    let here = |name: &str, value: serde_json::Value| {
        let mut settings = serde_json::json!({ "chat_url": "acme", "api_key": "k", "connect_timeout_ms": 500, "response_timeout_ms": 500 });
        settings[name] = value;
        settings
    };
    for settings in [
        here("test_origin", origin.clone().into()),
        here("test_origin", format!("http://localhost:{port}").into()),
        here("test_origin", format!("http://[::1]:{port}").into()),
        here("test_ticket_origin", origin.clone().into()),
        here("file_hosts", vec![format!("127.0.0.1:{port}")].into()),
    ] {
        let output = connect(&settings, &[]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{settings}: {errors}");
        assert!(errors.contains("--allow-internal"), "{errors}");
    }
    assert!(listener.accept().is_err(), "nobody has connected");
    // With the operator's word it goes there. Nobody answers, so the finding says that nothing came.
    let output = connect(&here("test_origin", origin.clone().into()), &["--allow-internal", &origin]);
    assert!(listener.accept().is_ok());
    assert_eq!(output.status.code(), Some(1));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_says_in_which_state_the_account_is_and_fails_when_it_is_not_connected() {
    use freshworks_simulator::{Config, KeyForm, Simulator};
    let sim = Simulator::start(Config::default()).await.unwrap();
    let plugin = std::env::var_os("FRESHWORKS_PLUGIN").map(PathBuf::from);
    let plugin =
        plugin.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").into());
    let folder = std::env::temp_dir().join(format!("host-test-states-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("settings.json");
    let key = serde_json::Value::from(sim.public_key(KeyForm::Vendor));
    for (name, value, code, says) in [
        ("webhook_public_key", key.clone(), 0, "connected to acme.freshchat.com\n"),
        (
            "webhook_public_key",
            serde_json::Value::Null,
            0,
            "answers of human agents do not arrive yet: no webhook public key",
        ),
        (
            "note_author",
            "nobody@acme.example".into(),
            0,
            "connected to acme.freshchat.com, except for one part (note-author)",
        ),
        ("api_key", "wrong".into(), 1, "NOT connected: Freshworks refused the API key"),
        ("topics", serde_json::json!(["Nowhere"]), 1, "NOT connected to acme.freshchat.com: none of the"),
    ] {
        let mut settings = serde_json::json!({
            "chat_url": "acme", "api_key": sim.api_key(), "webhook_public_key": key, "test_origin": sim.origin(),
        });
        settings[name] = value;
        std::fs::write(&file, settings.to_string()).unwrap();
        for format in [None, Some("--json")] {
            let arguments: Vec<&str> = ["connect", "--no-cache", "--allow-internal", sim.origin()]
                .into_iter()
                .chain(["--plugin", plugin.to_str().unwrap(), "--settings", file.to_str().unwrap()])
                .chain(format)
                .map(|argument| argument as &str)
                .collect();
            let output = host_test(&arguments);
            let said = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(code), "{settings}: {said}");
            match format {
                None => assert!(said.starts_with("connected") || said.starts_with("NOT") && code == 1, "{said}"),
                Some(_) => {
                    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
                    assert_eq!(said["connected"], code == 0);
                }
            }
            assert!(format.is_some() || said.contains(says), "{says}: {said}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}
