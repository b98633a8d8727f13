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
    connect(&here("test_origin", origin.clone().into()), &["--allow-internal", &origin]);
    assert!(listener.accept().is_ok());
    std::fs::remove_dir_all(folder).unwrap();
}
