//! What operators deploy from: the Helm chart, and the build for hosted Spin without SQLite.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{checks, plugin, process, spin, tools};

/// A copy of the build without SQLite, beside the usual one.
const HOSTED: &str = "freshworks_bridge_hosted.wasm";

/// What hosted Spin without SQLite does not have, by the names of two generations of interfaces.
const NOT_HOSTED: [&str; 2] = ["fermyon:spin/sqlite", "spin:sqlite/"];

/// Checks both.
pub(crate) fn run(chart_only: bool) -> Result<()> {
    let mut steps: Vec<process::Step<'_>> = vec![("the chart", Box::new(chart))];
    if !chart_only {
        steps.push(("the bridge without SQLite", Box::new(hosted)));
    }
    process::steps(steps)
}

/// Renders the chart and holds what comes out against the schemas of Kubernetes and of custom resources.
fn chart() -> Result<()> {
    let root = process::root();
    let mut check = Command::new(tools::helm()?);
    check.arg(root.join("tools/deploy/check.py"));
    for file in [
        "deploy/helm/freshworks-bridge",
        "fixtures/kubernetes/crds.json",
        "deploy/prometheus-rules.yml",
        "deploy/grafana-dashboard.json",
        "spin/spin.toml",
        "deploy/wasmcloud/bridge.yaml",
    ] {
        check.arg(root.join(file));
    }
    process::run(&mut check)
}

/// Builds the bridge as `spin-hosted.toml` says, but for the folder, so that nothing is compiled twice; the usual build is put back.
fn hosted() -> Result<()> {
    plugin::prepare_target(spin::TARGET)?;
    let component = spin::build_bridge_with(spin::HOSTED)?;
    let bytes = std::fs::read(&component)?;
    std::fs::write(component.with_file_name(HOSTED), &bytes)?;
    spin::build_bridge()?;
    ensure!(std::fs::read(&component)? != bytes, "the feature `sqlite` changes nothing");
    let imports = plugin::imports(&bytes).context("the build without SQLite")?;
    let asks: Vec<&str> =
        imports.lines().filter(|line| NOT_HOSTED.iter().any(|interface| line.starts_with(interface))).collect();
    ensure!(asks.is_empty(), "the build without SQLite imports {asks:?}");
    process::say(&format!("the bridge without SQLite: {} bytes", bytes.len()));
    spin::install_redis()?;
    let mut cargo = process::cargo_command();
    cargo.args(["test", "--workspace", "--test", "e2e", "--", "--ignored", "hosted::"]);
    let passed = checks::run_tests(cargo.env("BRIDGE_WASM", component.with_file_name(HOSTED)))?;
    ensure!(passed.len() > 1, "the tests of the build without SQLite have not run");
    Ok(())
}
