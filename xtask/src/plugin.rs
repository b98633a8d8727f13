//! Builds the plugin.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::release::{metadata, wit};
use crate::{process, shrink, tools};

/// Target of the plugin.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The finished component.
pub(crate) fn path() -> PathBuf {
    process::root().join("target/plugin/freshworks.wasm")
}

/// Builds the component and leaves it with an unstripped copy and its import list in `target/plugin`.
pub(crate) fn build() -> Result<()> {
    prepare_target(TARGET)?;
    process::say("building the plugin");
    compile("freshworks-plugin")?;
    let built = std::fs::read(process::target().join(TARGET).join("guest/freshworks_plugin.wasm"))?;
    let folder = process::root().join("target/plugin");
    std::fs::create_dir_all(&folder)?;
    let stamp = folder.join("built-from");
    let fingerprint = fingerprint(&built);
    if path().exists() && std::fs::read_to_string(&stamp).ok() == Some(fingerprint.clone()) {
        return Ok(());
    }
    process::say("optimising the plugin");
    let optimised = shrink::optimise(&built, &folder)?;
    std::fs::write(folder.join("freshworks.debug.wasm"), &optimised)?;
    let stripped = shrink::strip(&optimised)?;
    let stripped = metadata::add(&stripped, &metadata::PLUGIN, &[("binaryen", tools::wasm_opt_version()?)], None)?;
    std::fs::write(path(), &stripped)?;
    std::fs::write(folder.join("freshworks.imports.txt"), imports(&stripped)?)?;
    std::fs::write(stamp, fingerprint)?;
    eprintln!("    {} bytes: target/plugin/freshworks.wasm", stripped.len());
    Ok(())
}

fn compile(package: &str) -> Result<()> {
    let arguments = ["build", "--locked", "--profile", "guest", "--target", TARGET, "--package", package];
    let mut cargo = process::cargo_command();
    // Nothing of this target needs the adapter to older WASI; with it, the linker would ask for newer interfaces than we do.
    let flags = format!("{}\u{1f}-Clink-arg=--wasi-adapter=none", remap_paths()?);
    process::run(cargo.args(arguments).env("CARGO_ENCODED_RUSTFLAGS", flags))
}

/// Builds the connector of the tests, from the published form of the contract alone; the tests look for it where cargo leaves it.
pub(crate) fn build_mock() -> Result<()> {
    prepare_target(TARGET)?;
    wit::build()?;
    process::say("building the mock connector");
    compile("mock-connector")?;
    let built = std::fs::read(process::target().join(TARGET).join("guest/mock_connector.wasm"))?;
    wit::targets(&built)
}

/// The component's imports, one per line.
pub(crate) fn imports(component: &[u8]) -> Result<String> {
    let decoded = wit_parser::decoding::decode(component).context("the component cannot be read")?;
    let (resolve, world) = match &decoded {
        wit_parser::decoding::DecodedWasm::Component(resolve, world) => (resolve, &resolve.worlds[*world]),
        wit_parser::decoding::DecodedWasm::WitPackage(..) => anyhow::bail!("this is a WIT package, not a component"),
    };
    let mut names: Vec<String> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    names.sort();
    Ok(names.join("\n") + "\n")
}

/// Fresh machines lack the targets, and the C compiler that one of our libraries needs for them.
pub(crate) fn prepare_target(target: &str) -> Result<()> {
    tools::clang()?;
    let sysroot = process::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    if PathBuf::from(sysroot.trim()).join("lib/rustlib").join(target).is_dir() {
        return Ok(());
    }
    process::say(&format!("{target} is missing: rustup target add {target}"));
    process::run(Command::new("rustup").args(["target", "add", target]))
}

/// Panic messages contain source paths; without this they would contain this machine's folders, and builds would not
/// be reproducible.
pub(crate) fn remap_paths() -> Result<String> {
    let flags = remapped()?.into_iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
    Ok(flags.collect::<Vec<_>>().join("\u{1f}"))
}

/// Folders of this machine, and what stands for them.
pub(crate) fn remapped() -> Result<Vec<(String, &'static str)>> {
    let mut remapped = vec![(process::root().display().to_string(), ".")];
    if let Some(sources) = cargo_home().map(|home| home.join("registry/src"))
        && sources.is_dir()
    {
        for registry in std::fs::read_dir(sources)? {
            remapped.push((format!("{}/", registry?.path().display()), "/"));
        }
    }
    Ok(remapped)
}

/// Where cargo keeps the sources of what we depend on.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))
}

/// Enough to notice that cargo has rebuilt it.
fn fingerprint(bytes: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    let ours = [include_str!("shrink.rs"), include_str!("panics.rs"), include_str!("release/metadata.rs")];
    (bytes, ours, include_str!("../../tools/package-lock.json"), include_str!("../../Cargo.toml")).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
