//! What must hold before a change lands.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::{browser, features, fuzz, fuzz_code, plugin, process, prove, report, spin, tables, tools};

/// Builds what the tests run, installs what they need, and runs every one.
pub(crate) fn test(filter: &[String]) -> Result<()> {
    plugin::build()?;
    spin::prepare_tests()?;
    fuzz_code::build_probe()?;
    let wasmtime = tools::wasmtime()?;
    let clients = tools::clients()?;
    process::say("building the tests (some minutes the first time)");
    process::cargo(&["test", "--workspace", "--all-targets", "--no-run"])?;
    process::say("running the tests");
    let mut cargo = process::cargo_command();
    cargo
        .args(["test", "--workspace", "--all-targets", "--no-fail-fast"])
        .args(filter)
        .env("FOREIGN_WASMTIME", &wasmtime)
        .envs(clients);
    let mut passed = run_tests(&mut cargo)?;
    passed.extend(spin::test_bridge()?);
    if filter.is_empty() {
        passed.extend(browser::run(&[])?);
    }
    process::say("running the examples in the documentation");
    let mut cargo = process::cargo_command();
    process::run(
        cargo.args(["test", "--workspace", "--doc", "--quiet"]).args(filter).env("FOREIGN_WASMTIME", wasmtime),
    )?;
    if filter.is_empty() { features::check(&passed) } else { Ok(()) }
}

/// Runs tests and answers which have passed. Those are not shown one by one.
pub(crate) fn run_tests(cargo: &mut Command) -> Result<features::Passed> {
    let mut passed = features::Passed::new();
    process::lines(cargo, &mut |line| {
        let name = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... ok"));
        match name {
            Some(name) => drop(passed.insert(name.to_owned())),
            None if line.is_empty() || line.starts_with("running 0 ") || line.contains(" 0 passed; 0 failed") => {}
            None => println!("{line}"),
        }
    })?;
    Ok(passed)
}

/// Everything.
pub(crate) fn all() -> Result<()> {
    step("format", || process::cargo(&["fmt", "--all", "--check"]))?;
    step("tables of the README", || tables::run(true))?;
    step("tests", || test(&[]))?;
    step("lint, native", || {
        process::cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])
    })?;
    step("lint, wasm", || {
        let wasm = ["clippy", "--quiet", "--package", "freshworks-handoff", "--target", "wasm32-unknown-unknown"];
        process::cargo(&[&wasm[..], &["--features", "plugin", "--", "-D", "warnings"]].concat())
    })?;
    step("format and lint, probes", spin::check_probes)?;
    step("format and lint, bridge", spin::check_bridge)?;
    step("documentation", || {
        let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"];
        process::run(process::cargo_command().args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    step("the bridge's API", || fuzz::run(&[]))?;
    step("parsers and text functions", || fuzz_code::run(&[]))?;
    step("format and lint, fuzz targets", fuzz_code::check)?;
    step("dependencies", dependencies)?;
    step("figures", || report::run(true))?;
    // A quarter of the runs with one fault, for the sake of time; `cargo xtask prove` makes all of them.
    step("proof", || prove::run(&["--every", "4", "--no-mutations"].map(str::to_owned)))?;
    step("broken plugins", || prove::run(&["--only-mutations".to_owned()]))
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let started = Instant::now();
    println!("\n==> {name}");
    work().context(name.to_owned())?;
    println!("    {name}: {:.0?}", started.elapsed());
    Ok(())
}

/// Licences, sources and duplicates. Advisories need a database that is fetched from outside: they are checked where that
/// can be had, by `cargo deny check`.
fn dependencies() -> Result<()> {
    let folder = process::root().join("target/tools/cargo");
    let program = folder.join("bin/cargo-deny");
    if !program.exists() {
        process::say("installing cargo-deny (once; some minutes)");
        let install = ["install", "--quiet", "--locked", "cargo-deny@0.20.2", "--root"];
        let target = process::root().join("target/tools/cargo-build");
        process::run(process::cargo_command().args(install).arg(&folder).env("CARGO_TARGET_DIR", target))?;
    }
    for workspace in ["Cargo.toml", "spin/Cargo.toml"] {
        let mut check = Command::new(&program);
        check.args(["--manifest-path", workspace, "--workspace", "--config"]).arg(process::root().join("deny.toml"));
        // One list for both workspaces: neither needs all of it.
        check.args(["check", "--hide-inclusion-graph", "--allow", "license-not-encountered"]);
        check.args(["--allow", "license-exception-not-encountered", "bans", "licenses", "sources"]);
        process::run(&mut check)?;
    }
    Ok(())
}
