//! What a component says of itself: name, version, description, licence, source, homepage, authors, and what made it. Registries and
//! `wasm-tools metadata show` read it.

use std::process::Command;

use anyhow::{Context, Result};
use wasm_metadata::{AddMetadata, AddMetadataField, Authors, Description, Homepage, Licenses, Source};

use crate::process;

/// A component by its name and purpose; the rest stands in the manifest of its package.
pub(crate) struct About {
    /// As registries show it.
    pub(crate) name: &'static str,
    /// One sentence for somebody who has never heard of it.
    pub(crate) description: &'static str,
    /// The package it is built from.
    pub(crate) package: &'static str,
}

pub(crate) const PLUGIN: About = About {
    name: "freshworks-handoff",
    description: "Hands an AI agent's conversation to human agents in Freshworks, and brings it back",
    package: "freshworks-plugin",
};

pub(crate) const BRIDGE: About = About {
    name: "freshworks-bridge",
    description: "Hands an AI agent's conversations to human agents in Freshworks, and brings them back",
    package: "freshworks-bridge",
};

/// The component with its metadata. `tools` are those that had a hand in it besides the compiler. The version is the package's unless
/// another is given.
pub(crate) fn add(
    component: &[u8],
    about: &About,
    tools: &[(&str, String)],
    version: Option<String>,
) -> Result<Vec<u8>> {
    let metadata = super::cargo_metadata(&["--no-deps"])?;
    let packages = metadata["packages"].as_array().context("cargo lists no packages")?;
    let package = packages.iter().find(|package| package["name"] == about.package);
    let package = package.with_context(|| format!("there is no package `{}`", about.package))?;
    let text = |key: &str| package[key].as_str().with_context(|| format!("{} has no `{key}`", about.package));
    let authors = package["authors"].as_array().into_iter().flatten().filter_map(|author| author.as_str());
    let version = match version {
        Some(version) => version,
        None => text("version")?.to_owned(),
    };

    let mut add = AddMetadata::default();
    add.name = AddMetadataField::Set(about.name.to_owned());
    add.description = AddMetadataField::Set(Description::new(about.description));
    add.version = AddMetadataField::Set(version.parse()?);
    add.licenses = AddMetadataField::Set(Licenses::new(text("license")?)?);
    add.source = AddMetadataField::Set(Source::new(text("repository")?)?);
    add.homepage = AddMetadataField::Set(Homepage::new(text("homepage")?)?);
    add.authors = AddMetadataField::Set(Authors::new(authors.collect::<Vec<_>>().join(", ")));
    if !tools.is_empty() {
        add.language = vec![("Rust".to_owned(), text("edition")?.to_owned())];
        add.processed_by = vec![("rustc".to_owned(), rustc()?)];
        add.processed_by.extend(tools.iter().map(|(name, version)| ((*name).to_owned(), version.clone())));
    }
    add.to_wasm(component)
}

/// The compiler's version, without the date.
fn rustc() -> Result<String> {
    let version = process::output(Command::new("rustc").arg("--version"))?;
    Ok(version.split(' ').nth(1).context("rustc has no version")?.to_owned())
}
