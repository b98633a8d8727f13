//! The published form of the contract: one binary file with the docs, both worlds, and the WASI interfaces that they name.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use wit_parser::{PackageId, Resolve, WorldId};

use crate::process;

/// The world that names every import.
pub(crate) const WORLD: &str = "wasi-plugin";

/// Brings the text of the WASI interfaces, so that none is copied into this repository: the crate whose bindings the plugin uses.
pub(crate) const WASI: &str = "wasip2";

/// Where it is when it is built. Connectors of other vendors, and the mock connector of the tests, are generated from it alone.
pub(crate) fn path() -> PathBuf {
    process::root().join("target/wit/agent-handoff-connector.wasm")
}

/// Encodes the package and leaves it where [`path`] says.
pub(crate) fn build() -> Result<()> {
    process::say("encoding the WIT package");
    let (resolve, package) = read()?;
    let encoded = wit_component::encode(&resolve, package).context("the WIT package cannot be encoded")?;
    let about = super::metadata::About {
        name: "agent-handoff:connector",
        description: "The contract between an AI-agent platform and a connector to a help desk",
        package: "handoff-contract",
    };
    let version = resolve.packages[package].name.version.as_ref().context("the WIT package has no version")?;
    let encoded = super::metadata::add(&encoded, &about, &[], Some(version.to_string()))?;
    std::fs::create_dir_all(path().parent().context("no folder")?)?;
    // Whoever builds from it should not build anew when nothing has changed.
    if std::fs::read(path()).ok().as_ref() != Some(&encoded) {
        std::fs::write(path(), &encoded)?;
    }
    Ok(())
}

/// The contract and what it refers to, from its sources: `wit/`, `packages/wit/`, and WASI's from the crate.
fn read() -> Result<(Resolve, PackageId)> {
    let folder = process::root().join("target/wit/source");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    for from in ["wit", "packages/wit"] {
        for file in files(&process::root().join(from))? {
            std::fs::copy(&file, folder.join(file.file_name().context("a file without a name")?))?;
        }
    }
    copy(&wasi()?, &folder.join("deps"))?;
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&folder).context("the contract cannot be read")?;
    Ok((resolve, package))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|it| it == "wit"));
    files.sort();
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The folder with the WASI packages, one each.
fn wasi() -> Result<PathBuf> {
    let metadata = super::cargo_metadata(&[])?;
    let packages = metadata["packages"].as_array().context("cargo lists no packages")?;
    let mut found = packages.iter().filter(|package| package["name"] == WASI);
    let package = found.next().with_context(|| format!("`{WASI}` is not among the dependencies"))?;
    ensure!(found.next().is_none(), "`{WASI}` comes in more than one version");
    let manifest = PathBuf::from(package["manifest_path"].as_str().context("no manifest")?);
    Ok(manifest.with_file_name("wit").join("deps"))
}

/// The world with all imports, as the published file has it.
pub(crate) fn published() -> Result<(Resolve, WorldId)> {
    let bytes = std::fs::read(path()).context("cargo xtask release --only wit makes it")?;
    let decoded = wit_parser::decoding::decode(&bytes)?;
    let resolve = decoded.resolve().clone();
    let world = resolve.packages[decoded.package()].worlds.get(WORLD).copied();
    Ok((resolve, world.with_context(|| format!("the package has no world `{WORLD}`"))?))
}

/// Whether a component imports no more than the world names, and exports what it names. What `wasm-tools component targets` does.
pub(crate) fn targets(component: &[u8]) -> Result<()> {
    let (resolve, world) = published()?;
    wit_component::targets(&resolve, world, component).with_context(|| format!("it does not fit the world `{WORLD}`"))
}

/// Fails when an item of the contract has lost its documentation in the published file.
pub(crate) fn has_docs(package: &[u8]) -> Result<()> {
    let decoded = wit_parser::decoding::decode(package)?;
    let (published, package) = (decoded.resolve(), decoded.package());
    let (sources, of_sources) = read()?;
    let docs = |resolve: &Resolve, package: PackageId| -> Vec<(String, String)> {
        let interfaces = resolve.packages[package].interfaces.values().map(|id| &resolve.interfaces[*id]);
        let functions = interfaces.flat_map(|it| it.functions.values());
        let mut docs: Vec<_> =
            functions.map(|it| (it.name.clone(), it.docs.contents.clone().unwrap_or_default())).collect();
        docs.extend(
            resolve.packages[package]
                .worlds
                .iter()
                .map(|(name, id)| (name.clone(), resolve.worlds[*id].docs.contents.clone().unwrap_or_default())),
        );
        docs
    };
    let (published, expected) = (docs(published, package), docs(&sources, of_sources));
    ensure!(
        published == expected && expected.len() > 10,
        "the docs of the published package are not those of its sources"
    );
    ensure!(expected.iter().all(|(_, docs)| !docs.is_empty()), "an item of the contract has no docs");
    Ok(())
}
