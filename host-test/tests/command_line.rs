//! The command line's exit codes and output.

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
fn help_exits_with_success() {
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
    assert!(listener.accept().is_err(), "there was no connection");
    // With the operator's permission it connects. Nothing responds, so there is a finding.
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

/// A separate folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("host-test-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn plugin() -> String {
    let plugin = std::env::var("FRESHWORKS_PLUGIN");
    plugin.unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").to_owned())
}

/// Exit code, standard output, standard error.
fn outcome(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn invalid_json_is_reported_with_file_cause_and_position() {
    let folder = folder("json");
    for (name, text, says) in [
        ("comma.json", "{\n  \"chat_url\": \"acme\"\n  \"api_key\": \"secret-key\" }", "(line 3, column 3)"),
        ("comma.json", "{ \"chat_url\": \"acme\" \"api_key\" }", "expected `,` or `}`"),
        ("cut.json", "{ \"api_key\": \"secret-key\"", "EOF while parsing an object"),
        ("empty.json", " \n", "is empty: it must hold JSON"),
        ("list.json", "[\"secret-key\"]", "the settings must be a JSON object {...}, not a list"),
        ("text.json", "\"secret-key\"", "the settings must be a JSON object {...}, not a text"),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        let output = host_test(&["connect", "--settings", file.to_str().unwrap()]);
        let (code, _, errors) = outcome(&output);
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains(file.to_str().unwrap()) && errors.contains(says), "{errors}");
        assert!(!errors.contains("secret-key"), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
    let file = folder.join("windows.json");
    std::fs::write(&file, [0xff, 0xfe, b'{', 0]).unwrap();
    check(&["connect", "--settings", file.to_str().unwrap()], 2, "windows.json is not UTF-8 (byte 0)");
    let request = folder.join("request.json");
    std::fs::write(&request, "{ \"key\": {} }").unwrap();
    let arguments = ["handoff", "--settings", "-", "--request", request.to_str().unwrap()];
    check(&arguments, 2, "request.json: `request.key.");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn json_that_an_editor_marked_as_unicode_is_read() {
    let folder = folder("mark");
    let file = folder.join("settings.json");
    std::fs::write(&file, "\u{feff}{ \"chat_url\": \"acme\" }").unwrap();
    let output = host_test(&["describe", "--plugin", &plugin(), "--no-cache", "--settings", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_that_is_not_a_component_is_refused_on_one_line() {
    let folder = folder("wasm");
    for (name, bytes, says) in [
        ("text.wasm", &b"[package]\nname = \"x\"\n"[..], "not a WebAssembly component"),
        ("empty.wasm", b"", "the file is empty"),
        ("module.wasm", b"\0asm\x01\0\0\0", "a WebAssembly module, not a component"),
        ("cut.wasm", b"\0asm\x0d\0\x01\0\x01\xff", "not a component that this host can run"),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, bytes).unwrap();
        for command in ["describe", "imports"] {
            let (code, _, errors) = outcome(&host_test(&[command, "--plugin", file.to_str().unwrap()]));
            assert_eq!(code, Some(3), "{errors}");
            assert!(errors.contains(file.to_str().unwrap()) && errors.contains(says), "{errors}");
            assert_eq!(errors.lines().count(), 1, "{errors}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_missing_plugin_names_the_command_that_builds_it() {
    for command in ["describe", "imports", "demo"] {
        let (code, _, errors) = outcome(&host_test(&[command, "--plugin", "no-such-plugin.wasm"]));
        assert_eq!(code, Some(3), "{errors}");
        assert!(errors.contains("cargo xtask build") && errors.contains("--plugin FILE"), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}

/// An address without a server, so that a call gets as far as findings.
fn nobody(folder: &std::path::Path) -> (PathBuf, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let file = folder.join("settings.json");
    let settings = serde_json::json!({
        "chat_url": "acme", "api_key": "k", "test_origin": origin,
        "connect_timeout_ms": 300, "response_timeout_ms": 300, "retry_budget_ms": 0,
    });
    std::fs::write(&file, settings.to_string()).unwrap();
    (file, origin)
}

#[test]
fn output_paths_are_checked_before_any_request() {
    let folder = folder("save");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let settings = folder.join("settings.json");
    let text = serde_json::json!({ "chat_url": "acme", "api_key": "k", "test_origin": origin }).to_string();
    std::fs::write(&settings, text).unwrap();
    let request = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/conversation.json");
    let plugin = plugin();
    let base =
        ["--plugin", &plugin, "--no-cache", "--allow-internal", &origin, "--settings", settings.to_str().unwrap()];
    let missing = folder.join("no-such-folder/out");
    for (target, why) in [(&missing, "no such folder:"), (&folder, "it is a folder")] {
        let target = target.to_str().unwrap();
        let connect = [&["connect"], &base[..], &["--save", target]].concat();
        let handoff = [&["handoff"], &base[..], &["--request", request, "--save-session", target]].concat();
        for arguments in [connect, handoff] {
            let (code, _, errors) = outcome(&host_test(&arguments));
            assert_eq!(code, Some(2), "{errors}");
            assert!(errors.contains(target) && errors.contains(why), "{errors}");
        }
    }
    assert!(listener.accept().is_err(), "there was no request");
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn findings_are_shown_although_the_settings_cannot_be_saved() {
    let folder = folder("full");
    let (settings, origin) = nobody(&folder);
    let plugin = plugin();
    // A disk that is full.
    let base = ["connect", "--plugin", &plugin, "--no-cache", "--allow-internal", &origin, "--save", "/dev/full"];
    for more in [&[][..], &["--json"]] {
        let arguments = [&base[..], &["--settings", settings.to_str().unwrap()], more].concat();
        let (code, shown, errors) = outcome(&host_test(&arguments));
        assert!(shown.contains("unreachable") || shown.contains("no usable answer"), "{shown}\n{errors}");
        assert!(errors.contains("/dev/full") && errors.contains("the settings were not saved"), "{errors}");
        assert!(code.is_some_and(|code| code > 0), "{code:?}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn with_json_standard_output_holds_one_document_and_nothing_else() {
    let folder = folder("alone");
    let (settings, origin) = nobody(&folder);
    let (plugin, settings) = (plugin(), settings.to_str().unwrap().to_owned());
    let body = folder.join("body.json");
    std::fs::write(&body, "not a webhook").unwrap();
    let internal = ["--allow-internal", &origin, "--settings", &settings];
    for arguments in [
        vec!["describe"],
        vec!["imports", "--verify"],
        [&["connect", "--verbose"], &internal[..]].concat(),
        vec!["peek", "--body", body.to_str().unwrap()],
        vec!["demo"],
        [&["webhook", "--body", body.to_str().unwrap()], &internal[..]].concat(),
    ] {
        let arguments = [&arguments[..], &["--json", "--plugin", &plugin, "--no-cache"]].concat();
        let (_, shown, errors) = outcome(&host_test(&arguments));
        let read = serde_json::from_str::<serde_json::Value>(&shown);
        assert!(read.is_ok(), "{arguments:?}: {shown}\n{errors}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_demonstration_has_limits() {
    check(&["demo", "--messages", "10001"], 2, "10001 is not in 0..=10000");
    let (code, _, errors) = outcome(&host_test(&["demo", "--time-limit", "0", "--plugin", &plugin(), "--no-cache"]));
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("--time-limit"), "{errors}");
}

#[test]
fn help_has_exit_codes_and_examples() {
    for (arguments, says) in [
        (&["--help"][..], &["Exit codes:", "Examples:"][..]),
        (&["connect", "--help"], &["Example:", "--save connected.json"]),
        (&["help", "webhook"], &["Example:", "--header"]),
    ] {
        let (code, shown, _) = outcome(&host_test(arguments));
        assert_eq!(code, Some(0));
        says.iter().for_each(|it| assert!(shown.contains(it), "{shown}"));
    }
    let (code, shown, _) = outcome(&host_test(&["completions", "bash"]));
    assert!(code == Some(0) && shown.contains("complete -F"), "{shown}");
    let (code, shown, _) = outcome(&host_test(&["man"]));
    assert!(code == Some(0) && shown.starts_with(".ie") || shown.contains(".TH"), "{shown}");
}
