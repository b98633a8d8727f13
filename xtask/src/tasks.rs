//! The tasks, their options, and what to try next. Options are checked before anything is built.

use anyhow::{Result, bail};

/// What a task accepts besides its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// Nothing.
    Nothing,
    /// Words, such as names of tests.
    Words,
    /// Everything after `--`, for the program that does the work.
    Behind,
    /// Everything, for a program that checks its own arguments.
    Everything,
}

/// One task.
pub(crate) struct Task {
    pub(crate) name: &'static str,
    /// One line, for the list.
    line: &'static str,
    /// Further text of `cargo xtask help <task>`.
    more: &'static str,
    /// Names, with `=` at the end if they take a value.
    options: &'static [&'static str],
    rest: Rest,
    /// What to try after success.
    pub(crate) next: &'static str,
}

const fn task(name: &'static str, line: &'static str) -> Task {
    Task { name, line, more: "", options: &[], rest: Rest::Nothing, next: "" }
}

pub(crate) const TASKS: &[Task] = &[
    Task {
        more: "\
--interactive    play the end user yourself, and answer in the inbox of the simulated Freshworks
--messages N, --conversation FILE, --note-author, --json, --verbose, --time-limit SECONDS    as in `host-test demo`
--spin           platform, bridge and Freshworks together (--redis: state in a Redis)
--console        the admin's console and the inbox, both in your browser (--json: their addresses, for programs)",
        options: &[
            "--interactive",
            "--messages=",
            "--conversation=",
            "--note-author",
            "--json",
            "--verbose",
            "--time-limit=",
            "--spin",
            "--redis",
            "--console",
        ],
        next: "cargo xtask demo --interactive (be the end user), cargo xtask demo --console (the admin's pages), cargo xtask demo --spin",
        ..task("demo", "play a handoff from both sides, against a simulated Freshworks")
    },
    Task {
        more: "Words select tests by parts of their names; arguments after -- go to the tests. Without words, FEATURES.md is checked, too.",
        rest: Rest::Words,
        next: "cargo xtask prove --every 8 (what CI proves), cargo xtask ci (everything that must hold)",
        ..task("test", "run every test, or those whose names contain a word")
    },
    Task {
        more: "Writes target/plugin/freshworks.wasm, an unstripped copy and the list of imports.",
        next: "cargo xtask host describe, cargo xtask host connect --settings settings.json",
        ..task("build", "build the plugin")
    },
    Task {
        more: "All arguments after `host` go to host-test: cargo xtask host help. Standard output contains only host-test's output.",
        rest: Rest::Everything,
        ..task("host", "build the plugin and run the command line host-test with these arguments")
    },
    Task {
        more: "\
Every fault at every place of every flow, pairs of faults, random walks, interleaved calls; then each protection is broken on purpose.
--every N          every n-th of the runs with one fault (8: what CI runs)
--size N           N times the pairs and walks
--time-limit MINUTES    stop after this time: then nothing is proved, and it fails
--no-mutations, --only-mutations [words]    skip breaking protections; only break protections: with these words in their names, or a part such as 1/2
--flow NAME, --fault FAULT, --walk N, --pair N, --interleaving N, --trace    run and show one run or flow
--doubles N, --walks N, --interleavings N, --seed N, --threads N, --until-first-violation",
        options: &[
            "--every=",
            "--size=",
            "--time-limit=",
            "--no-mutations",
            "--only-mutations",
            "--flow=",
            "--fault=",
            "--walk=",
            "--pair=",
            "--interleaving=",
            "--trace",
            "--doubles=",
            "--walks=",
            "--interleavings=",
            "--seed=",
            "--threads=",
            "--until-first-violation",
        ],
        rest: Rest::Words,
        next: "target/prove.json has the figures",
        ..task("prove", "prove by brute force that nothing is lost and nothing is duplicated")
    },
    Task {
        more: "--screenshots    redraw docs/console/\nArguments after -- go to `node --test`.",
        options: &["--screenshots"],
        rest: Rest::Behind,
        ..task("browser", "test the console and the inbox in a headless Chromium")
    },
    Task {
        more: "\
Makes target/node/freshworks-handoff-<version>.tgz, installs it into an empty folder, and runs the example and the tests there.
--no-tests    only make it
--figures     measure it instead
FRESHWORKS_PLUGIN names another plugin to make it from.",
        options: &["--no-tests", "--figures"],
        next: "npm install target/node/freshworks-handoff-*.tgz, in a project of your own",
        ..task("node", "make the npm package, and test it")
    },
    Task {
        more: "Responses must match the description and must not be server errors. It takes some minutes; --max-examples N after -- \
               makes it shorter or longer.\nArguments after -- go to `schemathesis run`.",
        rest: Rest::Behind,
        next: "cargo xtask fuzz-code (parsers and text functions)",
        ..task("fuzz", "call the bridge's API with valid and invalid requests according to its description")
    },
    Task {
        more: "--seconds N    for each target (default 4)\n--inputs N     for each target, without a time limit",
        options: &["--seconds=", "--inputs="],
        ..task("fuzz-code", "feed every parser and text function its corpus and random inputs")
    },
    Task {
        more: "--check    fail if a limit is exceeded or FIGURES.md is out of date",
        options: &["--check"],
        ..task("report", "measure size, imports, HTTP calls and times; write FIGURES.md")
    },
    Task {
        more: "--quick          only counts, like `report --check`\n--bridge [part]  only the bridge under load",
        options: &["--quick", "--bridge"],
        rest: Rest::Words,
        ..task("bench", "compare the plugin with the native core, Node and Python; draw docs/bench/")
    },
    Task {
        more: "\
Builds the wheel into target/python, installs it into a new environment outside of the repository, and runs the example, the tests and
mypy there.
--release            as it is published: optimised, the same bytes on every machine
--figures            measure calls there instead of testing; with --release
--python PROGRAM     the interpreter to try it with (default: python3)",
        options: &["--release", "--figures", "--python="],
        ..task("python", "build the Python package and try it")
    },
    Task {
        more: "--check    fail if a table is out of date",
        options: &["--check"],
        ..task("tables", "write the generated tables and the description of the API")
    },
    Task {
        more: "Builds docs/ as a site into target/book.\n--check    fail if llms.txt is out of date",
        options: &["--check"],
        ..task("book", "build the book, write llms.txt, and check every link and anchor")
    },
    Task {
        more: "Renders deploy/helm with several sets of values, holds every object against the schemas of Kubernetes and of custom resources, and\n\
               builds the bridge without SQLite.\n--chart    only the chart",
        options: &["--chart"],
        ..task("deploy", "check the Helm chart, and the bridge for hosted Spin without SQLite")
    },
    Task {
        more: "RUSTSEC_DB names a copy of the database; without it nothing is checked, and the output says so.",
        ..task("advisories", "check the lock files against a copy of the RustSec database")
    },
    Task {
        more: "\
--out DIR     where to (default target/release-files): a new or empty folder, or one with a release of before, which is replaced
--only LIST   these artefacts, with commas: plugin, bridge, wit, ...
--untagged    although HEAD carries no tag of this version, or files are changed
--check       make it without a tag, build everything a second time elsewhere, compare, and verify it with outside programs
--full        with --check: build programs as they are published, and those twice, too (most of an hour)
MINISIGN_SECRET_KEY (the text of the key file) and MINISIGN_PASSWORD sign it; RELEASE_BUILDER and RELEASE_INVOCATION go into the provenance.",
        options: &["--out=", "--only=", "--untagged", "--check", "--full"],
        next: "docs/releases.md (how to publish and verify it)",
        ..task("release", "make everything that a release consists of, in one folder")
    },
    Task { next: "commit", ..task("ci", "everything that must pass before a change lands (most of an hour)") },
];

/// The list of all tasks, a line each.
pub(crate) fn list() -> String {
    let mut text = "Usage: cargo xtask <task> [options]\n\n".to_owned();
    for task in TASKS {
        text += &format!("  {:<11} {}\n", task.name, task.line);
    }
    text + "\nBegin with: cargo xtask demo. Options of a task: cargo xtask help <task>.\n\
            With XTASK_NO_INSTALL=1, no system package is installed: missing ones are named instead.\n"
}

impl Task {
    /// The task of this name.
    pub(crate) fn named(name: &str) -> Result<&'static Self> {
        let Some(task) = TASKS.iter().find(|task| task.name == name) else {
            bail!("unknown task `{name}`\n\n{}", list());
        };
        Ok(task)
    }

    /// What it does and takes.
    pub(crate) fn help(&self) -> String {
        let mut text = format!("cargo xtask {}: {}\n", self.name, self.line);
        for line in self.more.lines() {
            text += &format!("  {line}\n");
        }
        text
    }

    /// Rejects unknown arguments. Returns those to pass on, without the first `--` if only the ones after it are passed on.
    pub(crate) fn check(&self, arguments: &[String]) -> Result<Vec<String>> {
        if self.rest == Rest::Everything {
            return Ok(arguments.to_vec());
        }
        let mut rest = arguments.iter();
        let mut checked = Vec::new();
        while let Some(argument) = rest.next() {
            if argument == "--" && matches!(self.rest, Rest::Words | Rest::Behind) {
                if self.rest == Rest::Words {
                    checked.push(argument.clone());
                }
                checked.extend(rest.cloned());
                return Ok(checked);
            }
            checked.push(argument.clone());
            if !argument.starts_with('-') {
                match self.rest {
                    Rest::Words => continue,
                    _ => bail!("unexpected argument `{argument}`\n\n{}", self.help()),
                }
            }
            let (name, value) =
                argument.split_once('=').map_or((argument.as_str(), None), |(name, it)| (name, Some(it)));
            let known = self.options.iter().find(|option| option.trim_end_matches('=') == name);
            match (known, value) {
                (Some(option), None) if option.ends_with('=') => match rest.next() {
                    Some(value) => checked.push(value.clone()),
                    None => bail!("`{name}` needs a value\n\n{}", self.help()),
                },
                (Some(option), Some(_)) if !option.ends_with('=') => {
                    bail!("`{name}` takes no value\n\n{}", self.help())
                }
                (Some(_), _) => {}
                (None, _) => bail!("unknown option `{name}`\n\n{}", self.help()),
            }
        }
        Ok(checked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(task: &str, line: &str) -> Result<Vec<String>> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Task::named(task).unwrap().check(&arguments)
    }

    #[test]
    fn a_task_refuses_options_that_it_does_not_know_and_names_those_it_does() {
        for (task, line, says) in [
            ("demo", "--talkative", "unknown option `--talkative`"),
            ("demo", "--messages", "`--messages` needs a value"),
            ("demo", "now", "unexpected argument `now`"),
            ("build", "--release", "unknown option `--release`"),
            ("report", "--check=yes", "`--check` takes no value"),
            ("prove", "--each 4", "unknown option `--each`"),
            ("ci", "--quick", "unknown option `--quick`"),
            ("deploy", "--charts", "unknown option `--charts`"),
            ("fuzz", "--max-examples 3", "unknown option `--max-examples`"),
        ] {
            let refused = check(task, line).unwrap_err().to_string();
            assert!(refused.starts_with(says), "{task} {line}: {refused}");
            assert!(refused.contains(&format!("cargo xtask {task}:")), "{refused}");
        }
        assert!(Task::named("tset").map(|_| ()).unwrap_err().to_string().contains("cargo xtask <task>"));
    }

    #[test]
    fn what_a_task_takes_is_passed_on() {
        for (task, line, on) in [
            ("demo", "--messages 40 --json", "--messages 40 --json"),
            ("demo", "--spin --redis", "--spin --redis"),
            ("test", "masking relay", "masking relay"),
            ("test", "masking -- --nocapture", "masking -- --nocapture"),
            ("prove", "--every=4 --flow =gone --trace", "--every=4 --flow =gone --trace"),
            ("prove", "--only-mutations brief", "--only-mutations brief"),
            ("bench", "--bridge acknowledge", "--bridge acknowledge"),
            ("fuzz", "-- --max-examples 3", "--max-examples 3"),
            ("host", "connect --anything", "connect --anything"),
        ] {
            assert_eq!(check(task, line).unwrap().join(" "), on);
        }
    }

    #[test]
    fn the_list_has_a_line_for_each_task() {
        let list = list();
        for task in TASKS {
            let lines: Vec<&str> =
                list.lines().filter(|line| line.trim_start().starts_with(&format!("{} ", task.name))).collect();
            assert!(lines.len() == 1 && lines[0].chars().count() < 100, "{lines:?}");
        }
    }

    /// Otherwise it would be rejected here, although the prover knows it.
    #[test]
    fn every_option_of_the_prover_is_known() {
        let prover = std::fs::read_to_string(crate::process::root().join("host-test/src/bin/prove/main.rs")).unwrap();
        let known = Task::named("prove").unwrap().options;
        let fields = prover.split("#[arg(long").skip(1).filter_map(|rest| {
            let (attribute, rest) = rest.split_once('\n')?;
            let name = rest.trim_start().split(':').next()?.replace('_', "-");
            (!attribute.contains("hide")).then_some(name)
        });
        let fields: Vec<String> = fields.filter(|name| name != "json").collect();
        assert!(fields.len() > 10, "{fields:?}");
        for field in fields {
            assert!(
                known.iter().any(|option| option.trim_start_matches("--").trim_end_matches('=') == field),
                "{field}"
            );
        }
    }
}
