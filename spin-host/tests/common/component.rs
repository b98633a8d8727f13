//! The components that the tests run.

use std::path::{Path, PathBuf};
use std::process::Command;

use spin_host::Component;

const TARGET: &str = "wasm32-wasip2";

/// Builds and compiles the component of the crate in this folder of spin-host.
pub(crate) fn built(folder: &str, name: &str) -> Component {
    let path = build(folder, name);
    let load = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Component::load(&path)).unwrap()
    };
    // A thread of its own: a test's runtime has none to block.
    std::thread::spawn(load).join().unwrap()
}

fn build(folder: &str, name: &str) -> PathBuf {
    let library = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output().unwrap();
    let library = String::from_utf8(library.stdout).unwrap();
    assert!(Path::new(library.trim()).is_dir(), "the target {TARGET} is not installed: run `cargo xtask test`");

    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("spin-probe");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--locked", "--release", "--target", TARGET, "--target-dir"])
        .arg(&target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .status();
    assert!(built.unwrap().success(), "the component of {folder} cannot be built");
    target.join(TARGET).join(format!("release/{name}.wasm"))
}
