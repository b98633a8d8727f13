//! The project's tasks: `cargo xtask <task>`. Each does its own set-up, so that it works on a fresh machine.

use std::process::ExitCode;

use anyhow::{Result, bail};

mod bench;
mod book;
mod browser;
mod checks;
mod features;
mod fuzz;
mod fuzz_code;
#[cfg(test)]
mod layout;
mod panics;
mod plugin;
mod process;
mod prove;
mod report;
mod shrink;
mod spin;
mod tables;
mod tools;

const USAGE: &str = "\
Usage: cargo xtask <task>

  demo [options]    builds the plugin and shows a handoff against the simulator, from both sides
                    (--interactive: be the end user yourself; --help: all options)
  demo --spin       builds the bridge and shows the whole triangle: platform, bridge, Freshworks (--redis: state in Redis)
  demo --console    starts the bridge with the admin's console and a simulated Freshworks with a human agent's inbox, both for
                    your browser, and says what to fill in
  test [filter]     builds the plugin, runs every test, and holds FEATURES.md against what has passed
  build             builds the plugin: target/plugin/freshworks.wasm, an unstripped copy, the import list
  report [--check]  measures size, imports, HTTP calls and times; writes FIGURES.md and target/report.json
                    (--check: fails on a broken limit, or when FIGURES.md is out of step)
  bench [--quick]   compares the plugin with the native core, Node and Python, starts, memory and growth; prints tables, draws
                    docs/bench/ and writes target/bench.json (--quick: only counts, held against FIGURES.md, as
                    `report --check` does; --bridge: only the bridge under load)
  prove [options]   runs every flow with every fault at every place, with pairs of faults and at random, and holds what
                    both people see against a reference model; then breaks the plugin on purpose, which must be
                    noticed; writes target/prove.json (--no-mutations; --only-mutations [words of their names]; --size N;
                    --help: all options)
  browser [options] plays the console and the inbox in a headless Chromium (--screenshots: draws docs/console/ anew; other
                    options are those of `node --test`)
  fuzz [options]    calls the bridge's API with what its description allows and with what it does not, against the simulator:
                    no answer may be a failure of the server, or other than described (options of `schemathesis run`)
  fuzz-code [options]
                    feeds every parser and text function its corpus and random inputs: no panic, no hang (--seconds N: for each
                    target; --inputs N: for each target, however long it takes)
  tables [--check]  writes the tables of docs/ and ARCHITECTURE.md, and the description of the API, from the contract and
                    the code
  book [--check]    builds the book (docs/ as a site) into target/book, writes llms.txt, and checks every link and anchor
                    (--check: fails when llms.txt is out of step)
  host <arguments>  builds everything and runs host-test with these arguments
  advisories        holds the lock files against a copy of the RustSec database, which RUSTSEC_DB names; says so when it names none
  ci                everything that must hold before a change lands
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match run(&task, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask {task}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the plugin and its host, and runs host-test. The builds say what they do; the run is undisturbed.
fn host_test(arguments: &[&str]) -> Result<()> {
    plugin::build()?;
    process::say("building the host (some minutes the first time)");
    process::cargo(&["build", "--package", "host-test", "--bin", "host-test"])?;
    process::cargo(&[&["run", "--quiet", "--package", "host-test", "--"], arguments].concat())
}

fn run(task: &str, rest: &[String]) -> Result<()> {
    std::env::set_current_dir(process::root())?;
    let check = rest.iter().any(|argument| argument == "--check");
    match task {
        "demo" if rest.iter().any(|argument| argument == "--spin") => spin::demo(rest),
        "demo" if rest.iter().any(|argument| argument == "--console") => spin::console(rest),
        "browser" => browser::run(rest).map(drop),
        "demo" => host_test(&[&["demo"], &process::refs(rest)[..]].concat()),
        "host" => host_test(&process::refs(rest)),
        "test" => checks::test(rest),
        "build" => plugin::build(),
        "report" => report::run(check),
        "bench" => bench::run(rest),
        "prove" => prove::run(rest),
        "fuzz" => fuzz::run(rest),
        "fuzz-code" => fuzz_code::run(rest),
        "tables" => tables::run(check),
        "book" => book::run(check),
        "advisories" => checks::advisories(),
        "ci" => checks::all(),
        "" | "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no task `{other}`\n\n{USAGE}"),
    }
}
