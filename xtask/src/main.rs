//! The project's tasks: `cargo xtask <task>`. Each does its own set-up, so it works on a fresh machine.

use std::process::ExitCode;

use anyhow::{Result, bail};
use tasks::Task;

mod bench;
mod book;
mod browser;
mod checks;
mod deploy;
mod features;
mod fuzz;
mod fuzz_code;
#[cfg(test)]
mod layout;
mod node;
mod panics;
mod plugin;
mod process;
mod prove;
mod python;
mod python_types;
mod release;
mod report;
mod shrink;
mod spin;
#[cfg(test)]
mod spin_manifest;
mod tables;
mod tasks;
mod tools;
mod typescript;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match run(&task, &rest) {
        Ok(next) => {
            if !next.is_empty() {
                eprintln!("\nNext: {next}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("\nxtask {task}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the plugin and its host, and runs host-test. Builds print progress; the run's output is unchanged.
fn host_test(what: &'static str, arguments: &[&str]) -> Result<()> {
    process::steps(vec![
        ("building the plugin", Box::new(plugin::build)),
        (
            "building the host (some minutes the first time)",
            Box::new(|| process::cargo(&["build", "--package", "host-test", "--bin", "host-test"])),
        ),
        (what, Box::new(|| process::cargo(&[&["run", "--quiet", "--package", "host-test", "--"], arguments].concat()))),
    ])
}

/// Runs a task; returns what to try next.
fn run(name: &str, arguments: &[String]) -> Result<&'static str> {
    if ["", "help", "--help", "-h"].contains(&name) {
        let about = arguments.first().map(|task| Task::named(task).map(Task::help)).transpose()?;
        print!("{}", about.unwrap_or_else(tasks::list));
        return Ok("");
    }
    let task = Task::named(name)?;
    // host-test checks its own arguments.
    if name != "host" && arguments.iter().take_while(|it| *it != "--").any(|it| ["--help", "-h"].contains(&it.as_str()))
    {
        print!("{}", task.help());
        return Ok("");
    }
    let rest = &task.check(arguments)?;
    std::env::set_current_dir(process::root())?;
    let check = rest.iter().any(|argument| argument == "--check");
    match name {
        "demo" if rest.iter().any(|argument| argument == "--spin") => spin::demo(rest),
        "demo" if rest.iter().any(|argument| argument == "--console") => spin::console(rest),
        "browser" => browser::run(rest).map(drop),
        "node" => node::run(rest).map(drop),
        "demo" => host_test("playing the demo", &[&["demo"], &process::refs(rest)[..]].concat()),
        "host" => host_test("running host-test", &process::refs(rest)),
        "test" => checks::test(rest),
        "build" => plugin::build(),
        "report" => report::run(check),
        "bench" => bench::run(rest),
        "prove" => prove::run(rest),
        "fuzz" => fuzz::run(rest),
        "fuzz-code" => fuzz_code::run(rest),
        "python" => python::run(rest),
        "tables" => tables::run(check),
        "book" => book::run(check),
        "deploy" => deploy::run(rest.iter().any(|argument| argument == "--chart")),
        "advisories" => checks::advisories(),
        "release" => release::run(rest),
        "ci" => checks::all(),
        other => bail!("task `{other}` is not implemented"),
    }
    .map(|()| task.next)
}
