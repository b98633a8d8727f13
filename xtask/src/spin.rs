//! The Spin side: the bridge, and what its tests need (the target, the probes, a Redis).

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{plugin, process, tools};

const TARGET: &str = "wasm32-wasip2";

/// The bridge.
const BRIDGE: &str = "spin";

/// What a component can do to its host; the bridge's stores.
const PROBES: [&str; 2] = ["spin-host/probe", "spin-host/state-probe"];

/// Format and lint of the probes, which are no members of the workspace.
pub(crate) fn check_probes() -> Result<()> {
    plugin::prepare_target(TARGET)?;
    for folder in PROBES.map(|probe| process::root().join(probe)) {
        process::run(process::cargo_command().args(["fmt", "--check"]).current_dir(&folder))?;
        let mut clippy = process::cargo_command();
        clippy.args(["clippy", "--quiet", "--locked", "--target", TARGET, "--target-dir"]).arg(target()?);
        process::run(clippy.args(["--", "-D", "warnings"]).current_dir(folder))?;
    }
    Ok(())
}

/// Format and lint of the bridge, which is a workspace of its own.
pub(crate) fn check_bridge() -> Result<()> {
    plugin::prepare_target(TARGET)?;
    let folder = process::root().join(BRIDGE);
    process::run(process::cargo_command().args(["fmt", "--check"]).current_dir(&folder))?;
    let native = ["--all-targets", "--all-features"];
    for (command, chosen) in [("clippy", &native[..]), ("clippy", &["--target", TARGET])] {
        let mut cargo = process::cargo_command();
        cargo.args([command, "--quiet", "--locked"]).args(chosen).arg("--target-dir").arg(bridge_target()?);
        process::run(cargo.args(["--", "-D", "warnings"]).current_dir(&folder))?;
    }
    Ok(())
}

/// The tests of the bridge that need no component.
pub(crate) fn test_bridge() -> Result<crate::features::Passed> {
    let mut cargo = process::cargo_command();
    cargo.args(["test", "--locked", "--all-targets", "--all-features", "--target-dir"]);
    crate::checks::run_tests(cargo.arg(bridge_target()?).current_dir(process::root().join(BRIDGE)))
}

/// Where the bridge is built.
pub(crate) fn bridge_target() -> Result<PathBuf> {
    Ok(std::path::absolute(process::target())?.join("spin"))
}

/// Where the tests look for the probe, too.
fn target() -> Result<PathBuf> {
    Ok(std::path::absolute(process::target())?.join("spin-probe"))
}

/// Builds the components that the tests of spin-host run, where they look for them, and sees to a `redis-server`.
pub(crate) fn prepare_tests() -> Result<()> {
    plugin::prepare_target(TARGET)?;
    process::say("building the probes of spin-host");
    for probe in PROBES {
        let mut cargo = process::cargo_command();
        cargo.args(["build", "--locked", "--release", "--target", TARGET, "--target-dir"]);
        process::run(cargo.arg(target()?).current_dir(process::root().join(probe)))?;
    }
    build_bridge()?;
    // What the steps of docs/operations.md call.
    tools::debian("curl", &["curl"])?;
    tools::debian("openssl", &["openssl"])?;
    install_redis()
}

/// Builds the bridge and shows it between a platform and Freshworks. Everything after `--spin` goes to the story.
pub(crate) fn demo(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).filter(|it| *it != "--spin").collect();
    if arguments.contains(&"--redis") {
        install_redis()?;
    }
    on_stage("playing the demo", &[&["demo"], &arguments[..]].concat())
}

/// Builds the bridge and starts its console between an account and a human agent. Everything after `--console` goes to the stage.
pub(crate) fn console(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).filter(|it| *it != "--console").collect();
    on_stage("starting the console", &[&["console"], &arguments[..]].concat())
}

/// Builds bridge and stage, and runs the stage.
fn on_stage(what: &'static str, arguments: &[&str]) -> Result<()> {
    process::steps(vec![
        ("building the bridge (some minutes the first time)", Box::new(|| build_bridge().map(drop))),
        ("building the stage (some minutes the first time)", Box::new(compile_stage)),
        (what, Box::new(|| process::run(Command::new(stage()).args(arguments)))),
    ])
}

fn stage() -> PathBuf {
    process::target().join("debug/triangle")
}

fn compile_stage() -> Result<()> {
    process::cargo(&["build", "--package", "triangle", "--bins"])
}

/// Builds the bridge and the program that puts it between a platform and Freshworks; answers where that is.
pub(crate) fn build_stage() -> Result<PathBuf> {
    build_bridge()?;
    process::say("building the stage (some minutes the first time)");
    compile_stage()?;
    Ok(stage())
}

/// Builds the bridge, as an operator does; answers where it is. `triangle` looks for it there.
pub(crate) fn build_bridge() -> Result<PathBuf> {
    plugin::prepare_target(TARGET)?;
    process::say("building the bridge");
    let target = bridge_target()?;
    let mut cargo = process::cargo_command();
    cargo.args(["build", "--locked", "--release", "--target", TARGET, "--target-dir"]).arg(&target);
    process::run(cargo.current_dir(process::root().join(BRIDGE)))?;
    bridge_component()
}

/// Where the bridge's component is when it is built.
pub(crate) fn bridge_component() -> Result<PathBuf> {
    Ok(bridge_target()?.join(TARGET).join("release/freshworks_bridge.wasm"))
}

/// The tests need a real Redis; without one they fail.
fn install_redis() -> Result<()> {
    tools::debian("redis-server", &["redis-server"])
}
