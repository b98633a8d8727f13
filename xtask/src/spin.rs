//! The Spin side: the bridge and its tests' requirements (the target, the probes, a Redis).

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{plugin, process, tools};

pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Target of the bridge and the probes.
const PROFILE: &str = "bridge";

/// How the bridge is built for hosted Spin that has no SQLite, as `spin-hosted.toml` says.
pub(crate) const HOSTED: &[&str] = &["--no-default-features", "--features", "cron,mcp"];

/// Probes: what a component can do to its host; the bridge's stores.
const PROBES: [&str; 2] = ["spin-probe", "store-probe"];

/// Lints the code that is only built for Spin.
pub(crate) fn lint() -> Result<()> {
    plugin::prepare_target(TARGET)?;
    let lint = |what: &[&str]| {
        let mut clippy = process::cargo_command();
        clippy.args(["clippy", "--quiet", "--locked", "--target", TARGET, "--profile", PROFILE]);
        process::run(clippy.args(what).args(["--", "-D", "warnings"]))
    };
    let probes = PROBES.map(|probe| format!("--package={probe}"));
    let usual = ["--package=freshworks-bridge", "--package=handoff-bridge-store"];
    lint(&[&usual[..], &process::refs(&probes)].concat())?;
    lint(&[&["--package=freshworks-bridge"], HOSTED].concat())
}

/// Builds the components for the Spin emulator's tests, and installs `redis-server` if needed.
pub(crate) fn prepare_tests() -> Result<()> {
    plugin::prepare_target(TARGET)?;
    process::say("building the probes of the Spin emulator");
    // As the tests build them.
    let probes = PROBES.map(|probe| format!("--package={probe}"));
    process::run(cargo_build()?.args(probes))?;
    build_bridge()?;
    // What the steps of docs/operations.md call.
    tools::debian("curl", &["curl"])?;
    tools::debian("openssl", &["openssl"])?;
    install_redis()
}

/// Builds the bridge and demonstrates it between a platform and Freshworks. Arguments after `--spin` go to the demo.
pub(crate) fn demo(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).filter(|it| *it != "--spin").collect();
    if arguments.contains(&"--redis") {
        install_redis()?;
    }
    in_environment("playing the demo", &[&["demo"], &arguments[..]].concat())
}

/// Builds the bridge and starts its console between an account and a human agent. Arguments after `--console` go to the environment.
pub(crate) fn console(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).filter(|it| *it != "--console").collect();
    in_environment("starting the console", &[&["console"], &arguments[..]].concat())
}

/// Builds the bridge and the end-to-end environment, and runs it.
fn in_environment(what: &'static str, arguments: &[&str]) -> Result<()> {
    process::steps(vec![
        ("building the bridge (some minutes the first time)", Box::new(|| build_bridge().map(drop))),
        ("building the end-to-end environment (some minutes the first time)", Box::new(compile_environment)),
        (what, Box::new(|| process::run(Command::new(environment()).args(arguments)))),
    ])
}

fn environment() -> PathBuf {
    process::target().join("debug/e2e")
}

fn compile_environment() -> Result<()> {
    process::cargo(&["build", "--package", "e2e", "--bins"])
}

/// Builds the bridge and the end-to-end environment; returns the program's path.
pub(crate) fn build_environment() -> Result<PathBuf> {
    build_bridge()?;
    process::say("building the end-to-end environment (some minutes the first time)");
    compile_environment()?;
    Ok(environment())
}

/// Builds the bridge as an operator does; returns its path, where the end-to-end tests expect it.
pub(crate) fn build_bridge() -> Result<PathBuf> {
    plugin::prepare_target(TARGET)?;
    process::say("building the bridge");
    build_bridge_with(&[])
}

/// The same with further arguments, such as features. It takes the place of the usual build.
pub(crate) fn build_bridge_with(arguments: &[&str]) -> Result<PathBuf> {
    process::run(cargo_build()?.args(["--package", "freshworks-bridge"]).args(arguments))?;
    Ok(bridge_component())
}

/// Builds for Spin the same bytes in every folder.
fn cargo_build() -> Result<Command> {
    let mut cargo = process::cargo_command();
    cargo.args(["build", "--locked", "--target", TARGET, "--profile", PROFILE]);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", plugin::remap_paths()?);
    // spin-sdk writes into the component at which commit git says it is: of whatever repository lies around cargo's home.
    cargo.env_remove("GIT_DIR");
    if let Some(home) = plugin::cargo_home() {
        cargo.env("GIT_CEILING_DIRECTORIES", home.join("registry"));
    }
    Ok(cargo)
}

/// Path of the built bridge component.
pub(crate) fn bridge_component() -> PathBuf {
    process::target().join(TARGET).join(PROFILE).join("freshworks_bridge.wasm")
}

/// The tests need a real Redis; without one they fail.
pub(crate) fn install_redis() -> Result<()> {
    tools::debian("redis-server", &["redis-server"])
}
