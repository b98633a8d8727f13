//! Benchmarks: all comparisons, or only what is the same on every machine.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{plugin, process, report, spin, tools};

/// Runs all of them on this machine; with `--quick`, only counts what does not depend on it, and checks that against the record.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--quick") {
        return report::run(true);
    }
    process::steps(vec![
        ("building the plugin", Box::new(plugin::build)),
        ("building the bridge and the probes", Box::new(spin::prepare_tests)),
        ("installing Node and Python packages", Box::new(|| tools::node_peer().and(tools::python_peer()).map(drop))),
        (
            "building the benchmarks (ten minutes the first time)",
            Box::new(|| process::cargo(&["build", "--release", "--package", "freshworks-bench"])),
        ),
        (
            "measuring (about ten minutes; leave the machine alone)",
            Box::new(|| {
                let mut bench = Command::new(process::target().join("release/bench"));
                bench.arg(plugin::path()).arg(tools::node_peer()?).arg(tools::python_peer()?);
                process::run(bench.args(arguments))
            }),
        ),
    ])
}

/// Instructions that the native core takes for one operation, as callgrind counts them: a difference of two counts, so that
/// starting does not matter.
pub(crate) fn instructions(operation: &str) -> Result<u64> {
    tools::debian("valgrind", &["valgrind"])?;
    let build =
        ["build", "--release", "--quiet", "--package", "freshworks-bench", "--no-default-features", "--bin", "core"];
    // Apart from the other release builds, whose choice of features differs.
    let target = process::target().join("core");
    process::run(process::cargo_command().args(build).arg("--target-dir").arg(&target))?;
    let count = |operations: u64| -> Result<u64> {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        valgrind.arg(target.join("release/core")).args([operation, &operations.to_string()]);
        let output = valgrind.output().context("valgrind could not be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let counted = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
        counted.with_context(|| format!("callgrind counted nothing: {said}"))
    };
    const MORE: u64 = 100;
    Ok((count(10 + MORE)? - count(10)?) / MORE)
}
