//! The components that the tests run.

use std::path::{Path, PathBuf};
use std::process::Command;

use spin_emulator::Component;

const TARGET: &str = "wasm32-wasip2";

/// Builds the probes, and compiles one of them.
pub(crate) fn built(name: &str) -> Component {
    let path = build(name);
    let load = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Component::load(&path)).unwrap()
    };
    // A separate thread, because a test's runtime must not block.
    std::thread::spawn(load).join().unwrap()
}

fn build(name: &str) -> PathBuf {
    let library = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output().unwrap();
    let library = String::from_utf8(library.stdout).unwrap();
    assert!(Path::new(library.trim()).is_dir(), "the target {TARGET} is not installed: run `cargo xtask test`");

    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    // Both at once, as in `cargo xtask test`: building one alone may change the features of its dependencies.
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--locked", "--target", TARGET, "--profile", "bridge"])
        .args(["--package", "spin-probe", "--package", "store-probe", "--target-dir"])
        .arg(target)
        .status();
    assert!(built.unwrap().success(), "the probes cannot be built");
    target.join(TARGET).join(format!("bridge/{name}.wasm"))
}
