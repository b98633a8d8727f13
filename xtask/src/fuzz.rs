//! Fuzzes the bridge's API with valid and invalid requests.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{process, spin, tools};

/// Runs the fuzzer against the release build of the bridge. The same code gives the same requests.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    process::steps(vec![
        ("installing the fuzzer", Box::new(|| tools::schemathesis().map(drop))),
        ("building the bridge (some minutes the first time)", Box::new(|| spin::build_bridge().map(drop))),
        (
            "building the Spin emulator (some minutes the first time)",
            // With the features of the tests' build: otherwise wasmtime is recompiled.
            Box::new(|| process::cargo(&["build", "--workspace", "--example", "bridge"])),
        ),
        ("fuzzing the bridge's API", Box::new(|| play(arguments))),
    ])
}

fn play(arguments: &[String]) -> Result<()> {
    let schemathesis = tools::schemathesis()?;
    let component = spin::bridge_component();
    let mut app = Command::new(process::target().join("debug/examples/bridge"));
    let mut app = app.arg(component).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut output = BufReader::new(app.stdout.take().context("the bridge has no output")?);
    let mut line = String::new();
    output.read_line(&mut line)?;
    let outcome = fuzz(&schemathesis, &line, arguments);
    let log = stop(app, output)?;
    outcome.with_context(|| format!("output of app and host:\n{log}"))
}

fn fuzz(schemathesis: &std::path::Path, line: &str, arguments: &[String]) -> Result<()> {
    let bridge: Value = serde_json::from_str(line).context("the bridge did not start")?;
    let text = |name: &str| bridge[name].as_str().with_context(|| format!("the bridge does not say its {name}"));
    let folder = process::root().join("tools/fuzz");
    let mut command = Command::new(schemathesis);
    command.arg("--config-file").arg(folder.join("schemathesis.toml")).arg("run");
    command.arg(format!("{}/v1/openapi.json", text("origin")?));
    command.args(["--header", &format!("Authorization: Bearer {}", text("token")?)]).args(arguments);
    command.env("BRIDGE", line).env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", folder);
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(process::target());
    process::run(&mut command)
}

/// Stops the bridge; returns its output.
fn stop(mut app: Child, mut output: BufReader<std::process::ChildStdout>) -> Result<String> {
    drop(app.stdin.take());
    let mut log = String::new();
    output.read_to_string(&mut log)?;
    let status = app.wait()?;
    if !status.success() {
        bail!("the bridge failed ({status}): {log}");
    }
    Ok(log)
}
