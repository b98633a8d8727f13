//! The Python package: a wheel with the plugin in it, tried where nothing of the repository is.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{plugin, process, tools};

const PACKAGE: &str = "packages/python";
const EXAMPLE: &str = "examples/python/handoff.py";

/// The time of every file in the wheel, in seconds since 1970: the first that a zip archive can hold. Two builds are then equal.
const TIME: &str = "315532800";

/// Builds the wheel and tries it.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let release = arguments.iter().any(|argument| argument == "--release");
    let figures = arguments.iter().any(|argument| argument == "--figures");
    let python = arguments.iter().position(|argument| argument == "--python").and_then(|at| arguments.get(at + 1));
    let python = python.map_or("python3", String::as_str);
    let mut built = None;
    process::steps(vec![
        ("building the plugin", Box::new(plugin::build)),
        (
            if release { "building the wheel for a release" } else { "building the wheel" },
            Box::new(|| wheel(release).map(|wheel| built = Some(wheel))),
        ),
        (
            "building the simulator",
            Box::new(|| process::cargo(&["build", "--locked", "--package", "freshworks-simulator"])),
        ),
    ])?;
    let wheel = built.context("no wheel was built")?;
    process::steps(vec![("trying the wheel outside of the repository", Box::new(|| try_it(&wheel, python, figures)))])
}

/// Builds the wheel from the plugin in `target/plugin`; answers where it is. Without `release` in the profile of the tests, so that
/// wasmtime is compiled once.
pub(crate) fn wheel(release: bool) -> Result<PathBuf> {
    let root = process::root();
    let package = root.join(PACKAGE);
    // Neither is in Git there.
    std::fs::copy(plugin::path(), package.join("freshworks_handoff/freshworks.wasm"))
        .context("the plugin is not built")?;
    std::fs::copy(root.join("LICENSE"), package.join("LICENSE"))?;
    let folder = root.join("target/python").join(if release { "release" } else { "dev" });
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut maturin = Command::new(tools::maturin()?);
    maturin.args(["build", "--locked", "--manifest-path"]).arg(package.join("Cargo.toml")).arg("--out").arg(&folder);
    if release {
        // Without a release this would have wasmtime compiled anew: the builders of C code look at it.
        maturin.env("SOURCE_DATE_EPOCH", TIME);
        maturin.arg("--release").env("CARGO_ENCODED_RUSTFLAGS", plugin::remap_paths()?);
        // The C parts, too.
        let c = plugin::remapped()?.into_iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}"));
        maturin.env("CFLAGS", c.collect::<Vec<_>>().join(" "));
    } else {
        maturin.args(["--profile", "dev", "--compatibility", "linux"]);
    }
    process::run(&mut maturin)?;
    let wheels: Vec<PathBuf> = std::fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let [wheel] = &wheels[..] else { anyhow::bail!("{} holds {} wheels", folder.display(), wheels.len()) };
    eprintln!(
        "    {} bytes: {}",
        std::fs::metadata(wheel)?.len(),
        wheel.strip_prefix(&root).unwrap_or(wheel).display()
    );
    Ok(wheel.clone())
}

/// A folder that goes when it is dropped.
struct Elsewhere(PathBuf);

impl Elsewhere {
    fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("freshworks-handoff-wheel-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        ensure!(!folder.starts_with(process::root()), "{} is inside of the repository", folder.display());
        Ok(Self(folder))
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // What stays behind lies among the system's temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Installs the wheel into a new environment in a folder of its own, and runs the example, the tests and a type checker there.
fn try_it(wheel: &Path, python: &str, figures: bool) -> Result<()> {
    let (root, elsewhere) = (process::root(), Elsewhere::new()?);
    let folder = &elsewhere.0;
    process::run(Command::new(python).args(["-m", "venv"]).arg(folder.join("venv")))
        .context("Python 3.10 with venv is needed")?;
    let python = folder.join("venv/bin/python");
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"];
    process::run(Command::new(&python).args(install).arg(wheel))?;
    let mut tests = Vec::new();
    for file in std::fs::read_dir(root.join(PACKAGE).join("tests"))? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "py") {
            let name = file.file_name().context("a file without a name")?.to_owned();
            std::fs::copy(&file, folder.join(&name))?;
            tests.push(name);
        }
    }
    std::fs::copy(root.join(EXAMPLE), folder.join("handoff.py"))?;
    let simulator = process::target().join("debug/freshworks-simulator");
    let in_python = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-W", "error"]).args(arguments).current_dir(folder);
        process::run(command.env("SIMULATOR", &simulator).env_remove("PYTHONPATH"))
    };
    if figures {
        return in_python(&["figures.py"]);
    }
    in_python(&["-m", "unittest", "--verbose"])?;
    let mut mypy = Command::new(tools::mypy()?);
    mypy.args(["--strict", "--python-executable"]).arg(&python).arg("handoff.py").args(tests).current_dir(folder);
    process::run(&mut mypy)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an embedder writes: without imports, empty lines, comments and the text at the top.
    #[test]
    fn the_example_is_at_most_25_lines() {
        let text = std::fs::read_to_string(process::root().join(EXAMPLE)).unwrap();
        let code = text.split("\"\"\"").nth(2).unwrap();
        let is_own = |line: &&str| !["#", "import ", "from "].iter().any(|start| line.starts_with(start));
        let lines = code.lines().map(str::trim).filter(|line| !line.is_empty()).filter(is_own).count();
        assert!((15..=25).contains(&lines), "{lines}");
    }
}
