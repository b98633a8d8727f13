//! The npm package: made from the plugin, packed, and tested as somebody would use it who has nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::features::{self, Passed};
use crate::{plugin, process, tools, typescript};

/// The package's own files.
const PACKAGE: &str = "packages/node";

/// Names another plugin than the one of this repository, for the package to be made from.
const PLUGIN: &str = "FRESHWORKS_PLUGIN";

/// Makes the package; tests it, or measures it with `--figures`, or neither with `--no-tests`.
pub(crate) fn run(arguments: &[String]) -> Result<Passed> {
    let mut passed = Passed::new();
    let mut steps: Vec<process::Step<'_>> = vec![
        ("the contract's types for JavaScript", Box::new(|| typescript::write(false))),
        ("building the plugin", Box::new(build_plugin)),
        ("packing the npm package twice", Box::new(|| pack().map(drop))),
    ];
    let has = |name: &str| arguments.iter().any(|it| it == name);
    if has("--figures") {
        steps.push(("measuring the npm package", Box::new(|| in_clean_folder(&tarball()?, figures))));
    } else if !has("--no-tests") {
        let test = || in_clean_folder(&tarball()?, test).map(|all| passed = all);
        steps.push(("testing the npm package", Box::new(test)));
    }
    process::steps(steps)?;
    Ok(passed)
}

fn given_plugin() -> Option<PathBuf> {
    std::env::var_os(PLUGIN).filter(|it| !it.is_empty()).map(PathBuf::from)
}

fn build_plugin() -> Result<()> {
    if given_plugin().is_some() { Ok(()) } else { plugin::build() }
}

fn folder() -> PathBuf {
    process::root().join("target/node")
}

/// The finished package.
pub(crate) fn tarball() -> Result<PathBuf> {
    Ok(folder().join(format!("freshworks-handoff-{}.tgz", version()?)))
}

/// The package's version, which is that of the workspace.
fn version() -> Result<String> {
    let text = std::fs::read(process::root().join(PACKAGE).join("package.json"))?;
    let package: Value = serde_json::from_slice(&text)?;
    let version = package["version"].as_str().context("packages/node/package.json has no version")?;
    ensure!(
        version == env!("CARGO_PKG_VERSION"),
        "packages/node/package.json has version {version}, the workspace {}",
        env!("CARGO_PKG_VERSION")
    );
    Ok(version.to_owned())
}

/// Packs it in two folders, and fails where the two differ in a byte: whoever builds the same source gets the same package.
pub(crate) fn pack() -> Result<PathBuf> {
    let once = pack_in(&folder().join("package"))?;
    let again = pack_in(&folder().join("again/package"))?;
    let (bytes, others) = (std::fs::read(&once)?, std::fs::read(&again)?);
    ensure!(bytes == others, "two builds differ: {} and {}", once.display(), again.display());
    std::fs::remove_dir_all(folder().join("again"))?;
    let finished = tarball()?;
    std::fs::rename(once, &finished)?;
    eprintln!("    {} bytes: {}", bytes.len(), finished.display());
    Ok(finished)
}

fn pack_in(stage: &Path) -> Result<PathBuf> {
    if stage.exists() {
        std::fs::remove_dir_all(stage)?;
    }
    std::fs::create_dir_all(stage.join("component"))?;
    let root = process::root();
    copy(&root.join(PACKAGE).join("src"), &stage.join("src"))?;
    for file in ["package.json", "README.md"] {
        std::fs::copy(root.join(PACKAGE).join(file), stage.join(file))?;
    }
    std::fs::copy(root.join("LICENSE"), stage.join("LICENSE"))?;
    let tools = tools::node_package()?;
    let mut transpile = Command::new("node");
    transpile.arg("transpile.mjs").arg(given_plugin().map_or_else(|| Ok(plugin::path()), std::path::absolute)?);
    process::run(transpile.arg(stage.join("component")).current_dir(tools))?;
    // npm sets the times and sorts the names.
    let to = stage.parent().context("a stage has a folder around it")?;
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--pack-destination"]).arg(to).current_dir(stage);
    let name = process::output(&mut npm)?;
    let packed = to.join(name.trim());
    let moved = stage.with_extension("tgz");
    std::fs::rename(packed, &moved)?;
    Ok(moved)
}

/// Copies the files of a folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for file in std::fs::read_dir(from)? {
        let file = file?;
        std::fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

/// Installs the package into an empty folder outside of the repository, puts the published example and the tests beside it, and works there.
fn in_clean_folder<T>(tarball: &Path, work: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    process::cargo(&["build", "--locked", "--package", "freshworks-simulator"])?;
    let clean = std::env::temp_dir().join(format!("freshworks-handoff-node-{}", std::process::id()));
    std::fs::create_dir_all(&clean)?;
    let result = install(&clean, tarball).and_then(|()| work(&clean));
    std::fs::remove_dir_all(&clean)?;
    result
}

fn install(clean: &Path, tarball: &Path) -> Result<()> {
    let root = process::root();
    std::fs::write(clean.join("package.json"), "{ \"private\": true, \"type\": \"module\" }\n")?;
    let install = ["install", "--no-audit", "--no-fund", "--offline", "--loglevel=error"];
    process::run(Command::new("npm").args(install).arg(tarball).current_dir(clean))?;
    copy(&root.join("examples/node"), clean)?;
    copy(&root.join(PACKAGE).join("test"), clean)?;
    std::fs::copy(root.join("fixtures/addresses/hosts.txt"), clean.join("hosts.txt"))?;
    Ok(())
}

/// Node in this folder, with what the tests need.
fn node(clean: &Path) -> Result<Command> {
    let mut node = Command::new("node");
    let simulator = process::target().join("debug/freshworks-simulator");
    node.env("SIMULATOR", std::path::absolute(simulator)?).env("TOOLS", tools::node_package()?).current_dir(clean);
    Ok(node)
}

fn figures(clean: &Path) -> Result<()> {
    process::run(node(clean)?.arg("figures.mjs"))
}

fn test(clean: &Path) -> Result<Passed> {
    let mut node = node(clean)?;
    node.args(["--test", "--test-reporter=spec"]);
    let tests = std::fs::read_dir(clean)?.collect::<Result<Vec<_>, _>>()?;
    let mut tests: Vec<_> = tests.iter().map(std::fs::DirEntry::file_name).collect();
    tests.retain(|name| name.to_string_lossy().ends_with(".test.mjs"));
    tests.sort();
    node.args(tests);
    let passed = features::passed_in_node(&mut node)?;
    if passed.is_empty() {
        bail!("no test of the npm package has run");
    }
    Ok(passed)
}
