//! Running other programs, with progress messages.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The repository's top folder; another copy of it when the check of releases builds everything a second time there.
pub(crate) fn root() -> PathBuf {
    if let Some(root) = std::env::var_os("XTASK_ROOT") {
        return PathBuf::from(root);
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Names of the steps in progress, the innermost last.
static UNDER_WAY: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Prints a progress message to standard error, because standard output belongs to the program that is run.
pub(crate) fn say(what: &str) {
    let under_way = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
    match under_way.last() {
        None => eprintln!("==> {what}"),
        // The step's name has been printed.
        Some(step) if step.starts_with(what) => {}
        Some(_) => eprintln!("    {what}"),
    }
}

/// A part of a task: its name, and the work.
pub(crate) type Step<'a> = (&'static str, Box<dyn FnOnce() -> Result<()> + 'a>);

/// Runs steps one after the other, and prints the number of each, and how long it took last time. Nested steps are indented.
pub(crate) fn steps(steps: Vec<Step<'_>>) -> Result<()> {
    let total = steps.len();
    let depth = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).len();
    for (at, (name, work)) in steps.into_iter().enumerate() {
        let before = times().get(name).copied();
        eprintln!("{}", heading(depth, at + 1, total, name, before));
        UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
        let started = Instant::now();
        let done = work();
        UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).pop();
        done.with_context(|| if total > 1 { format!("step {} of {total}, {name}", at + 1) } else { name.to_owned() })?;
        remember(name, started.elapsed().as_secs());
    }
    Ok(())
}

fn heading(depth: usize, number: usize, total: usize, name: &str, before: Option<u64>) -> String {
    let mark = if depth == 0 { "==>" } else { "  ->" };
    let roughly = match before {
        None | Some(0..5) => String::new(),
        Some(seconds @ 5..90) => format!(", {seconds} s last time"),
        Some(seconds) => format!(", {} min last time", (seconds + 30) / 60),
    };
    format!("{mark} ({number} of {total}) {name}{roughly}")
}

/// Seconds that each step took last time.
fn times() -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(target().join("xtask-times.json"));
    text.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn remember(name: &str, seconds: u64) {
    let mut times = times();
    times.insert(name.to_owned(), seconds);
    // Best effort.
    let _ = std::fs::write(target().join("xtask-times.json"), serde_json::to_string_pretty(&times).unwrap_or_default());
}

/// Runs a program; it inherits our output.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let started = Instant::now();
    let status = command.status().with_context(|| format!("`{shown}` could not be started"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status}) after {:.0?}", started.elapsed());
    }
    Ok(())
}

/// Runs a program and passes on each line of its output; it inherits our standard error.
pub(crate) fn lines(command: &mut Command, line: &mut dyn FnMut(&str)) -> Result<()> {
    let shown = shown(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("`{shown}` could not be started"))?;
    for read in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
        line(&read?);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs a program and returns its output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command.output().with_context(|| format!("`{shown}` could not be started"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The cargo that runs this program.
pub(crate) fn cargo_command() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs cargo.
pub(crate) fn cargo(arguments: &[&str]) -> Result<()> {
    run(cargo_command().args(arguments))
}

/// Borrowed arguments.
pub(crate) fn refs(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(name).chain(command.get_args().take(6));
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_which_of_how_many_it_is_and_roughly_how_long_it_takes() {
        assert_eq!(heading(0, 2, 4, "building the host", None), "==> (2 of 4) building the host");
        assert_eq!(heading(0, 2, 4, "building the host", Some(40)), "==> (2 of 4) building the host, 40 s last time");
        assert_eq!(
            heading(1, 1, 9, "building the plugin", Some(610)),
            "  -> (1 of 9) building the plugin, 10 min last time"
        );
    }

    #[test]
    fn a_step_that_fails_is_named_and_ends_the_task() {
        let mut done = Vec::new();
        let all: Vec<Step<'_>> = vec![
            ("a test: one", Box::new(|| Ok(()))),
            ("a test: two", Box::new(|| bail!("broken"))),
            (
                "a test: three",
                Box::new(|| {
                    done.push(3);
                    Ok(())
                }),
            ),
        ];
        let error = format!("{:#}", steps(all).unwrap_err());
        assert_eq!(error, "step 2 of 3, a test: two: broken");
        assert!(done.is_empty());
    }
}
