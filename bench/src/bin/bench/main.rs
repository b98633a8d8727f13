//! All benchmarks: `bench <plugin> <axios folder> <python>`, called by `cargo xtask bench`. Prints tables, writes curves to
//! `docs/bench/` and `target/bench.json`. With `--bridge`: only the bridge at `BRIDGE_WASM`; with `--bridge acknowledge`: how long Freshworks waits
//! for its response.

mod bridge;
mod growth;
mod picture;
mod results;
mod sides;
mod starts;

use std::path::PathBuf;

use anyhow::{Context, Result};

use results::Results;

/// The programs to run, and their arguments.
pub(crate) struct Bench {
    /// The stripped component.
    pub(crate) plugin: PathBuf,
    /// npm's folder with the Node side's client.
    pub(crate) node: PathBuf,
    /// A Python that has the Python side's client.
    pub(crate) python: PathBuf,
    /// The repository.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let mut next = || arguments.next().context("usage: bench <plugin> <node folder> <python>");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let bench = Bench {
        plugin: next()?,
        node: next()?,
        python: next()?,
        target: std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from),
        root,
    };
    let mut results = Results::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if next().is_ok_and(|word| word.as_os_str() == "--bridge") {
        let only_acknowledge = next().is_ok_and(|word| word.as_os_str() == "acknowledge");
        return match only_acknowledge {
            true => runtime.block_on(bridge::acknowledge(&mut results)),
            false => runtime.block_on(bridge::run(&mut results)),
        };
    }
    sides::run(&bench, &runtime, &mut results)?;
    runtime.block_on(starts::run(&bench, &mut results))?;
    runtime.block_on(growth::run(&bench, &mut results))?;
    runtime.block_on(bridge::run(&mut results))?;
    results.finish(&bench)
}
