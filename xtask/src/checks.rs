//! The checks that must pass before a change lands.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::process::Step;
use crate::release::{self, wit};
use crate::{
    book, browser, deploy, features, fuzz, fuzz_code, node, plugin, process, prove, python, report, spin, tables, tools,
};

/// Builds and installs what the tests need, and runs all of them.
pub(crate) fn test(filter: &[String]) -> Result<()> {
    let spin = tools::spin();
    let passed = RefCell::new(features::Passed::new());
    let keep = |some: features::Passed| passed.borrow_mut().extend(some);
    let mut steps: Vec<Step<'_>> = vec![
        ("building the plugin", Box::new(plugin::build)),
        ("building the mock connector", Box::new(plugin::build_mock)),
        ("building the bridge and the probes", Box::new(spin::prepare_tests)),
        ("building the probes of the growth tests", Box::new(fuzz_code::build_probes)),
        ("installing what the tests are held against", Box::new(|| tools::clients().and(tools::wasmtime()).map(drop))),
        (
            "building the tests (some minutes the first time)",
            Box::new(|| process::cargo(&["test", "--workspace", "--all-targets", "--no-run"])),
        ),
        (
            "running the tests",
            Box::new(|| {
                let mut cargo = process::cargo_command();
                cargo.args(["test", "--workspace", "--all-targets", "--no-fail-fast"]).args(filter);
                run_tests(cargo.env("FOREIGN_WASMTIME", tools::wasmtime()?).envs(tools::clients()?)).map(keep)
            }),
        ),
    ];
    if filter.is_empty() {
        steps.push(("playing the pages in a browser", Box::new(|| browser::run(&[]).map(keep))));
        steps.push(("making and testing the npm package", Box::new(|| node::run(&[]).map(keep))));
    }
    steps.push((
        "running the examples in the documentation",
        Box::new(|| {
            let mut cargo = process::cargo_command();
            cargo.args(["test", "--workspace", "--doc", "--quiet"]).args(filter);
            process::run(cargo.env("FOREIGN_WASMTIME", tools::wasmtime()?))
        }),
    ));
    if let Some(spin) = &spin {
        steps.push(("playing a round on a real Spin", Box::new(|| round_on_spin(spin).map(keep))));
    }
    process::steps(steps)?;
    if filter.is_empty() {
        features::check(&passed.borrow())?;
    }
    if spin.is_none() {
        println!("{NO_SPIN}");
    }
    Ok(())
}

const NO_SPIN: &str = "    NOT RUN: round::a_round_on_a_real_spin: there is no `spin` on the PATH (Spin 3.4 or newer; it is in no registry)";

/// Of the tests that are ignored because they need Spin.
fn round_on_spin(spin: &Path) -> Result<features::Passed> {
    let mut cargo = process::cargo_command();
    cargo.args(["test", "--workspace", "--test", "e2e", "--", "--ignored", "--exact", "round::a_round_on_a_real_spin"]);
    let passed = run_tests(cargo.env("REAL_SPIN", spin))?;
    ensure!(!passed.is_empty(), "no test of this name has run");
    Ok(passed)
}

/// Runs tests and returns those that passed, without listing them.
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
    process::steps(vec![
        ("format", Box::new(|| process::cargo(&["fmt", "--all", "--check"]))),
        ("spelling", Box::new(|| process::run(Command::new(tools::typos()?).args(["--format", "brief"])))),
        ("tables of the documentation", Box::new(|| tables::run(true))),
        ("book and links", Box::new(|| book::run(true))),
        // Lints before tests: they fail four times faster.
        (
            "lint, native",
            Box::new(|| process::cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])),
        ),
        (
            "lint, wasm",
            Box::new(|| {
                let wasm = ["clippy", "--quiet", "--package", "freshworks-plugin", "--target", plugin::TARGET];
                let core = ["--package", "freshworks-handoff", "--features", "wasi-http", "--", "-D", "warnings"];
                plugin::prepare_target(plugin::TARGET)?;
                // It is generated from it.
                wit::build()?;
                process::cargo(&[&wasm[..], &["--package", "mock-connector"], &core].concat())?;
                spin::lint()
            }),
        ),
        (
            "documentation",
            Box::new(|| {
                let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"];
                process::run(process::cargo_command().args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
            }),
        ),
        ("tests", Box::new(|| test(&[]))),
        ("the Python package", Box::new(|| python::run(&[]))),
        ("the bridge's API", Box::new(|| fuzz::run(&[]))),
        ("parsers and text functions", Box::new(|| fuzz_code::run(&[]))),
        ("what operators deploy from", Box::new(|| deploy::run(false))),
        ("release", Box::new(|| release::check::run(false, None))),
        ("dependencies", Box::new(dependencies)),
        ("advisories", Box::new(advisories)),
        ("figures", Box::new(|| report::run(true))),
        // An eighth of the runs with one fault and half of the mutations, to save time; `cargo xtask prove` does all of them.
        ("proof", Box::new(|| prove::run(&["--every", "8", "--no-mutations"].map(str::to_owned)))),
        ("broken plugins", Box::new(|| prove::run(&["--only-mutations".to_owned(), prove::half()]))),
    ])?;
    // Said again where it is seen.
    if tools::spin().is_none() {
        println!("{NO_SPIN}");
    }
    Ok(())
}

/// Names a folder with a copy of the RustSec database (github.com/rustsec/advisory-db: a clone, or its files).
const ADVISORIES: &str = "RUSTSEC_DB";

const NOT_CHECKED: &str = "NOT CHECKED for advisories: RUSTSEC_DB does not name a copy of the RustSec database";

/// The given database, if any.
fn database(given: Option<OsString>) -> Result<Option<PathBuf>> {
    let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(None) };
    let database = std::path::absolute(given)?;
    if !database.join("crates").is_dir() {
        bail!("{ADVISORIES}: {} is not a copy of the RustSec database: it has no folder `crates`", database.display());
    }
    Ok(Some(database))
}

/// Published advisories about crates in the lock files. This needs an external database: without a copy of it, nothing is checked, and
/// the output says so.
pub(crate) fn advisories() -> Result<()> {
    let Some(database) = database(std::env::var_os(ADVISORIES))? else {
        println!("    {NOT_CHECKED}");
        return Ok(());
    };
    hold_against(&database)
}

/// Fails if the database has an advisory about a crate in the lock file.
fn hold_against(database: &Path) -> Result<()> {
    let program = installed("cargo-audit", &["cargo-audit@0.22.2", "--no-default-features"])?;
    let mut audit = Command::new(&program);
    // Nothing is fetched. Unsound and unmaintained crates count as well.
    audit.args(["audit", "--no-fetch", "--stale", "--deny", "warnings", "--db"]).arg(database);
    process::run(audit.arg("--file").arg(process::root().join("Cargo.lock")))
}

/// A program that cargo installs from crates.io, once; returns its path.
fn installed(name: &str, what: &[&str]) -> Result<PathBuf> {
    let folder = process::root().join("target/tools/cargo");
    let program = folder.join("bin").join(name);
    if !program.exists() {
        process::say(&format!("installing {name} with cargo into {} (once; some minutes)", folder.display()));
        let mut install = process::cargo_command();
        install.args(["install", "--quiet", "--locked"]).args(what).arg("--root").arg(&folder);
        process::run(install.env("CARGO_TARGET_DIR", process::root().join("target/tools/cargo-build")))?;
    }
    Ok(program)
}

/// Licences, sources and duplicates.
fn dependencies() -> Result<()> {
    let program = installed("cargo-deny", &["cargo-deny@0.20.2"])?;
    let mut check = Command::new(&program);
    check.args(["--workspace", "--config"]).arg(process::root().join("deny.toml"));
    process::run(check.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_database_nothing_is_checked_and_that_is_said() {
        assert_eq!(database(None).unwrap(), None);
        assert_eq!(database(Some("".into())).unwrap(), None);
        assert!(NOT_CHECKED.contains("NOT CHECKED") && NOT_CHECKED.contains(ADVISORIES));
        // A wrong folder must not pass silently.
        let wrong = database(Some(env!("CARGO_MANIFEST_DIR").into())).unwrap_err();
        assert!(wrong.to_string().contains("not a copy of the RustSec database"), "{wrong}");
    }

    /// A database with one advisory.
    fn database_about(package: &str, kind: &str) -> PathBuf {
        let database = std::env::temp_dir().join(format!("advisories-{}-{package}-{}", std::process::id(), kind.len()));
        let folder = database.join("crates").join(package);
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"{package}\"\ndate = \"2026-01-01\"\n{kind}\n\
             [versions]\npatched = []\n```\n\n# A title\n\nA text.\n"
        );
        std::fs::write(folder.join("RUSTSEC-2026-0001.md"), text).unwrap();
        database
    }

    #[test]
    #[ignore = "installs cargo-audit, which takes minutes: cargo test -p xtask -- --ignored"]
    fn an_advisory_about_a_locked_crate_fails_and_one_about_another_does_not() {
        for (package, kind, is_told) in [
            ("serde_json", "", true),
            ("hmac", "", true),
            ("serde_json", "informational = \"unmaintained\"", true),
            ("no-crate-of-ours", "", false),
        ] {
            let database = database_about(package, kind);
            let checked = hold_against(&database);
            std::fs::remove_dir_all(&database).unwrap();
            assert_eq!(checked.is_err(), is_told, "{package} {kind}: {checked:?}");
        }
    }
}
