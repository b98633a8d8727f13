//! What is in each artefact, as CycloneDX 1.6, made from the lock files.
//!
//! Of a Rust artefact the list is what `cargo tree` resolves for this package and this target alone: the features of the workspace's
//! other packages do not count. Crates that only run during the build (build scripts, macros and what they need) are listed with the
//! scope `excluded`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Source;
use crate::process;

/// Where an artefact's ingredients are locked.
pub(crate) enum Ingredients {
    /// `Cargo.lock`: this package, for this target; none: the machine's own.
    Cargo { package: &'static str, target: Option<&'static str> },
    /// These, as `name version` of crates whose text is inside.
    Crates(&'static [&'static str]),
}

/// Of one dependency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    name: String,
    version: String,
}

/// What a tree of cargo says: who depends on whom. The first is the package itself.
struct Tree {
    root: Id,
    edges: BTreeMap<Id, BTreeSet<Id>>,
}

fn cargo_tree(package: &str, target: Option<&str>, edges: &str) -> Result<Tree> {
    let mut cargo = process::cargo_command();
    cargo.args(["tree", "--locked", "--package", package, "--edges", edges, "--prefix", "depth", "--format", " {p}"]);
    if let Some(target) = target {
        cargo.args(["--target", target]);
    }
    parse_tree(&process::output(cargo.current_dir(process::root()))?)
}

/// Lines such as `2 serde v1.0.229 (*)`, each below the one it belongs to.
fn parse_tree(text: &str) -> Result<Tree> {
    let mut path: Vec<Id> = Vec::new();
    let mut edges: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let (Some(depth), Some(name), Some(version)) = (words.next(), words.next(), words.next()) else {
            bail!("cargo tree says `{line}`")
        };
        let depth: usize = depth.parse().with_context(|| format!("cargo tree says `{line}`"))?;
        let id = Id { name: name.to_owned(), version: version.trim_start_matches('v').to_owned() };
        path.truncate(depth);
        if let Some(parent) = path.last() {
            edges.entry(parent.clone()).or_default().insert(id.clone());
        }
        edges.entry(id.clone()).or_default();
        path.push(id);
    }
    Ok(Tree { root: path.into_iter().next().context("cargo tree says nothing")?, edges })
}

/// Licences and checksums of everything in `Cargo.lock`.
pub(crate) struct Lock {
    licences: BTreeMap<Id, String>,
    checksums: BTreeMap<Id, String>,
}

impl Lock {
    pub(crate) fn read() -> Result<Self> {
        let metadata = super::cargo_metadata(&[])?;
        let id = |package: &Value| -> Id {
            let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
            Id { name: text("name"), version: text("version") }
        };
        let packages = metadata["packages"].as_array().context("cargo lists no packages")?;
        let licences = packages.iter().filter_map(|package| {
            // Before expressions there were lists with a slash.
            Some((id(package), package["license"].as_str()?.replace('/', " OR ")))
        });
        let text = std::fs::read_to_string(process::root().join("Cargo.lock"))?;
        let mut checksums = BTreeMap::new();
        for entry in text.split("[[package]]").skip(1) {
            let value = |key: &str| {
                let line = entry.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
                line.map(|line| line.trim_end_matches('"').to_owned())
            };
            if let (Some(name), Some(version), Some(checksum)) = (value("name"), value("version"), value("checksum")) {
                checksums.insert(Id { name, version }, checksum);
            }
        }
        Ok(Self { licences: licences.collect(), checksums })
    }
}

fn purl(kind: &str, id: &Id) -> String {
    // What npm writes before a scope's slash, and a build's plus, are escaped in a purl.
    format!("pkg:{kind}/{}@{}", id.name.replace('@', "%40"), id.version.replace('+', "%2B"))
}

fn component(kind: &str, id: &Id, licence: Option<&String>, hash: Option<(&str, &str)>, runs: bool) -> Value {
    let purl = purl(kind, id);
    let mut component = json!({
        "type": "library", "bom-ref": purl, "name": id.name, "version": id.version, "purl": purl,
        "scope": if runs { "required" } else { "excluded" },
    });
    if let Some(licence) = licence {
        component["licenses"] = json!([{ "expression": licence }]);
    }
    if let Some((algorithm, content)) = hash {
        component["hashes"] = json!([{ "alg": algorithm, "content": content }]);
    }
    component
}

/// Components and edges.
type Graph = (Vec<Value>, Vec<Value>);

fn cargo(package: &str, target: Option<&str>, lock: &Lock, root: &str) -> Result<Graph> {
    let all = cargo_tree(package, target, "normal,build")?;
    let inside = cargo_tree(package, target, "normal,no-proc-macro")?;
    ensure!(all.root == inside.root, "cargo tree begins with another package");
    let reference = |id: &Id| if *id == all.root { root.to_owned() } else { purl("cargo", id) };
    let components = all.edges.keys().filter(|id| **id != all.root).map(|id| {
        let hash = lock.checksums.get(id).map(|checksum| ("SHA-256", checksum.as_str()));
        component("cargo", id, lock.licences.get(id), hash, inside.edges.contains_key(id))
    });
    let edges = all
        .edges
        .iter()
        .map(|(id, on)| json!({ "ref": reference(id), "dependsOn": on.iter().map(reference).collect::<Vec<_>>() }));
    Ok((components.collect(), edges.collect()))
}

/// The document for one artefact.
pub(crate) fn of(
    artefact: &str,
    sha256: &str,
    ingredients: &Ingredients,
    lock: &Lock,
    source: &Source,
) -> Result<Value> {
    let root = format!("artefact:{artefact}");
    let flat = |components: Vec<Value>| -> Graph {
        let on: Vec<Value> = components.iter().map(|component| component["bom-ref"].clone()).collect();
        (components, vec![json!({ "ref": root, "dependsOn": on })])
    };
    let (components, dependencies) = match ingredients {
        Ingredients::Cargo { package, target } => cargo(package, *target, lock, &root)?,
        Ingredients::Crates(names) => flat(
            lock.checksums
                .iter()
                .filter(|(id, _)| names.contains(&id.name.as_str()))
                .map(|(id, sum)| component("cargo", id, lock.licences.get(id), Some(("SHA-256", sum)), true))
                .collect(),
        ),
    };
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": source.time,
            "tools": { "components": [{ "type": "application", "name": "cargo xtask release", "version": source.version }] },
            "component": {
                "type": "application", "bom-ref": root, "name": artefact, "version": source.version,
                "licenses": [{ "expression": "Apache-2.0" }],
                "hashes": [{ "alg": "SHA-256", "content": sha256 }],
                "externalReferences": [{ "type": "vcs", "url": source.repository }],
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    // The same content has the same number, in whichever folder it was made.
    let digest = super::sha256(document.to_string().as_bytes());
    let (a, b, c, d, e) = (&digest[..8], &digest[8..12], &digest[13..16], &digest[17..20], &digest[20..32]);
    document["serialNumber"] = format!("urn:uuid:{a}-{b}-8{c}-a{d}-{e}").into();
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_says_who_depends_on_whom() {
        let text = "0 plugin v0.1.0 (/somewhere)\n1 core v0.1.0 (/somewhere)\n2 serde v1.0.229\n3 serde_core v1.0.229\n1 serde v1.0.229 (*)\n\n";
        let tree = parse_tree(text).unwrap();
        assert_eq!((tree.root.name.as_str(), tree.root.version.as_str()), ("plugin", "0.1.0"));
        let on = |name: &str| -> Vec<&str> {
            let (_, on) = tree.edges.iter().find(|(id, _)| id.name == name).unwrap();
            on.iter().map(|id| id.name.as_str()).collect()
        };
        assert_eq!(on("plugin"), ["core", "serde"]);
        assert_eq!(on("core"), ["serde"]);
        assert_eq!(on("serde"), ["serde_core"]);
    }

    #[test]
    fn the_plugins_list_has_what_is_in_it_and_nothing_of_the_host() {
        let tree = cargo_tree("freshworks-plugin", Some(crate::plugin::TARGET), "normal,no-proc-macro").unwrap();
        let names: BTreeSet<&str> = tree.edges.keys().map(|id| id.name.as_str()).collect();
        for name in ["ring", "wasip2", "serde_json", "handoff-contract"] {
            assert!(names.contains(name), "{name}");
        }
        for name in ["wasmtime", "tokio", "serde_derive", "cc", "schemars"] {
            assert!(!names.contains(name), "{name}");
        }
    }
}
