//! Tests of the console and the inbox in a real browser, and the steps of the page about HTTP, which need none.

use std::process::Command;

use anyhow::Result;

use crate::features::{self, Passed};
use crate::{process, spin, tools};

/// Builds everything and runs the tests; returns those that passed. `--screenshots` redraws the documentation's pictures; other arguments go to `node --test`.
pub(crate) fn run(arguments: &[String]) -> Result<Passed> {
    let environment = spin::build_environment()?;
    let (modules, chromium) = tools::browser()?;
    tools::debian("curl", &["curl"])?;
    let pictures = arguments.iter().any(|it| it == "--screenshots");
    let rest = arguments.iter().filter(|it| *it != "--screenshots");
    let tests = process::root().join("testing/browser");
    // Node looks for packages beside the files, so they are copied to the installed ones.
    for file in std::fs::read_dir(&tests)? {
        let file = file?.path();
        if let Some(name) = file.file_name().filter(|_| file.extension().is_some_and(|it| it == "mjs")) {
            std::fs::copy(&file, modules.join(name))?;
        }
    }
    process::say("testing the console and the inbox in Chromium");
    let mut node = Command::new("node");
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]).args(rest);
    node.args(["console.test.mjs", "watch.test.mjs", "inbox.test.mjs", "http.test.mjs"]).current_dir(&modules);
    node.env("HTTP_PAGE", process::root().join("docs/embed-http.md"));
    node.env("ENVIRONMENT", std::path::absolute(environment)?).env("CHROMIUM", chromium);
    if pictures {
        node.env("SCREENSHOTS", process::root().join("docs/console"));
    }
    features::passed_in_node(&mut node)
}
