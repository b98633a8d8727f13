//! The command line's manners: exit codes and where it writes.

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
