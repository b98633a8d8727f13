//! Fuzzes parsers and text functions: `testing/fuzz` holds the targets, `bolero` the engines.
//!
//! This runs its random engine, which only needs a stable compiler. `docs/security/fuzzing.md` says how to run the same targets with
//! coverage-guided engines.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{plugin, process, spin};

/// For each target; two run at once.
const SECONDS: u64 = 4;

#[derive(Default)]
struct Sum {
    inputs: u64,
    slowest_us: u64,
    targets: usize,
}

/// Runs the corpora, then random scripts. A panic, or an input that takes a minute, fails.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (mut seconds, mut inputs) = (SECONDS, u64::MAX);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let number = || rest.clone().next().and_then(|text| text.replace('_', "").parse::<u64>().ok());
        match (argument.as_str(), number()) {
            ("--seconds", Some(number)) => seconds = number,
            // No time limit.
            ("--inputs", Some(number)) => (seconds, inputs) = (7 * 24 * 3600, number),
            _ => bail!("usage: cargo xtask fuzz-code [--seconds <for each target>] [--inputs <for each target>]"),
        }
        rest.next();
    }
    let cargo = |arguments: &[&str]| {
        let mut cargo = process::cargo_command();
        cargo.args(["test", "--locked", "--quiet", "--package", "fuzz", "--profile", "fuzz", "--test", "targets"]);
        cargo.args(arguments);
        cargo
    };
    process::steps(vec![
        (
            "building the fuzz targets (some minutes the first time)",
            Box::new(|| process::run(&mut cargo(&["--no-run"]))),
        ),
        ("fuzzing parsers and text functions", Box::new(|| play(&cargo, seconds, inputs))),
    ])
}

fn play(cargo: &dyn Fn(&[&str]) -> Command, seconds: u64, inputs: u64) -> Result<()> {
    let mut tests = cargo(&["--", "--nocapture", "--test-threads", "2"]);
    tests.env("BOLERO_RANDOM_TEST_TIME_MS", (seconds * 1000).to_string());
    tests.env("BOLERO_RANDOM_ITERATIONS", inputs.min(1 << 60).to_string());
    let sum = sum(&mut tests)?;
    if sum.targets == 0 {
        bail!("no target reported its number of inputs");
    }
    println!(
        "    {} targets, {} inputs, no panic, no time-out; slowest {} µs",
        sum.targets, sum.inputs, sum.slowest_us
    );
    Ok(())
}

/// Builds the probes whose instructions the growth tests count: of the core, and of the bridge for the target that it is built for.
pub(crate) fn build_probes() -> Result<()> {
    for target in [plugin::TARGET, spin::TARGET] {
        plugin::prepare_target(target)?;
        process::say(&format!("building the probe of the growth tests for {target}"));
        let mut cargo = process::cargo_command();
        cargo.args([
            "build",
            "--locked",
            "--quiet",
            "--profile",
            "guest",
            "--package",
            "fuzz",
            "--lib",
            "--target",
            target,
        ]);
        // Plain modules, unlike the plugin and bridge components; in a separate folder, because those use other linkers.
        cargo.arg("--target-dir").arg(process::target().join("growth"));
        for linker in ["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "CARGO_TARGET_WASM32_WASIP2_LINKER"] {
            cargo.env(linker, "rust-lld");
        }
        process::run(&mut cargo)?;
    }
    Ok(())
}

/// Shows lines about findings; adds up progress lines.
fn sum(tests: &mut Command) -> Result<Sum> {
    let mut sum = Sum::default();
    let mut shown = Vec::new();
    let ran = process::lines(tests, &mut |line| match counted(line) {
        Some((inputs, slowest_us)) => {
            println!("    {} {line}", sum.targets + 1);
            sum.inputs += inputs;
            sum.slowest_us = sum.slowest_us.max(slowest_us);
            sum.targets += 1;
        }
        None => shown.push(line.to_owned()),
    });
    ran.with_context(|| shown.join("\n"))?;
    Ok(sum)
}

/// `fuzzed <target> inputs <n> slowest_us <n>`: both numbers.
fn counted(line: &str) -> Option<(u64, u64)> {
    let words: Vec<&str> = line.split("fuzzed ").nth(1)?.split(' ').collect();
    match words[..] {
        [_, "inputs", inputs, "slowest_us", slowest] => Some((inputs.parse().ok()?, slowest.parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_has_done_is_added_up() {
        assert_eq!(counted("fuzzed masking inputs 12 slowest_us 345"), Some((12, 345)));
        assert_eq!(counted("test masking ... ok"), None);
    }
}
