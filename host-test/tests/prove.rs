//! The prover itself: it accepts correct behaviour, and detects violations. `cargo xtask prove` is the whole proof.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn plugin() -> PathBuf {
    let path = std::env::var_os("FRESHWORKS_PLUGIN").map(PathBuf::from);
    let path = path.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").into());
    assert!(path.exists(), "run `cargo xtask build` first");
    path
}

fn prove(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_prove")).arg(plugin()).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_first_handoff_and_a_relay_survive_every_fault_at_every_place() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prove.json");
    let file = file.to_str().unwrap();
    let flows = ["--flow", "=first-handoff", "--flow", "=relay-text"];
    let output = prove(&[&flows[..], &["--doubles", "0", "--json", file]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!((&figures["flows"], &figures["violations"]), (&2.into(), &0.into()));
    assert!(figures["single_runs"].as_u64().unwrap() > 250, "{figures}");
}

#[test]
fn a_platform_that_does_not_say_what_it_lost_is_noticed_with_the_way_to_see_it_again() {
    let output = prove(&["--careless", "--flow", "=relay-text", "--doubles", "0", "--until-first-violation"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let shown = text(&output.stdout);
    assert!(shown.contains("cargo xtask prove --flow =relay-text --fault "), "{shown}");
    assert!(shown.contains("inbox: human agents see ⟨opening⟩⟨h0⟩⟨h1⟩⟨summary⟩⟨u1⟩⟨u1⟩"), "{shown}");
}

#[test]
fn one_run_can_be_looked_at() {
    let output = prove(&["--flow", "=relay-text", "--fault", "cut-after@0"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("relay -> OutcomeUnknown with session"));
}

#[test]
fn wrong_usage_and_a_violation_have_different_exit_codes() {
    assert_eq!(prove(&["--flow", "no-such-flow"]).status.code(), Some(2));
    assert_eq!(prove(&["--fault", "nonsense@1"]).status.code(), Some(2));
}

#[test]
fn a_proof_that_runs_out_of_time_proves_nothing() {
    let output = prove(&["--flow", "=relay-text", "--doubles", "0", "--time-limit", "0"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    let said = text(&output.stderr);
    assert!(said.contains("the time limit is reached, so nothing is proved"), "{said}");
}
