//! Checks the dependencies between packages against the table in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Around the table: `| package | folder | contents | may depend on |`.
const TABLE: [&str; 2] = ["<!-- packages -->\n", "<!-- end packages -->"];

/// Forbidden for every package that embedders build, and for what depends on the guest.
const NOT_IN_THE_HOST: [&str; 5] = ["axum", "clap", "freshworks-handoff", "freshworks-simulator", "spin-sdk"];

type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// The packages of the table with what each may depend on.
fn allowed(architecture: &str) -> Result<Dependencies> {
    let (_, rest) = architecture.split_once(TABLE[0]).context("ARCHITECTURE.md has no table of packages")?;
    let (table, _) = rest.split_once(TABLE[1]).context("the table of packages in ARCHITECTURE.md has no end")?;
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<String>>();
    let mut allowed = Dependencies::new();
    for row in table.lines().skip(2) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let [package, _, _, on] = cells[..] else { bail!("not a row of the table of packages: {row}") };
        let package = words(package).into_iter().next().with_context(|| format!("a row without a package: {row}"))?;
        allowed.insert(package, words(on));
    }
    Ok(allowed)
}

/// The packages of the workspace with their dependencies in the workspace, except development dependencies.
fn declared(metadata: &Value) -> Result<Dependencies> {
    let packages = metadata["packages"].as_array().context("cargo lists no packages")?;
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let names: BTreeSet<String> = packages.iter().map(name).collect();
    let on = |package: &Value| {
        let all = package["dependencies"].as_array().into_iter().flatten();
        all.filter(|one| one["kind"] != "dev").map(name).filter(|one| names.contains(one)).collect()
    };
    Ok(packages.iter().map(|package| (name(package), on(package))).collect())
}

/// The violations, one per line.
fn faults(allowed: &Dependencies, declared: &Dependencies) -> Vec<String> {
    let mut faults = Vec::new();
    for (package, on) in declared {
        match allowed.get(package) {
            None => faults.push(format!("`{package}` is missing from the table")),
            Some(may) => faults.extend(on.difference(may).map(|one| format!("`{package}` must not depend on `{one}`"))),
        }
    }
    let gone = allowed.keys().filter(|package| !declared.contains_key(*package));
    faults.extend(gone.map(|package| format!("unknown package `{package}`")));
    faults
}

/// A declaration that other packages can name.
struct Item {
    name: String,
    /// The declaration without its own name: the names it exposes.
    names: BTreeSet<String>,
}

fn identifiers(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.split(|letter| !is_part(letter)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The `pub` items of a source file, without its tests.
fn public_items(source: &str) -> Vec<Item> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut items = Vec::new();
    for (start, _) in source.match_indices("pub ") {
        let rest = &source[start + 4..];
        let rest = ["const ", "async "].iter().fold(rest, |rest, word| match rest.strip_prefix(word) {
            Some(function) if function.starts_with("fn ") => function,
            _ => rest,
        });
        let Some((kind, declaration)) = rest.split_once(' ') else { continue };
        if !["fn", "struct", "enum", "const", "static", "type", "trait", "mod"].contains(&kind) {
            continue;
        }
        let end = declaration.find(['{', ';']).unwrap_or(declaration.len());
        // Fields, variants and trait functions are part of the declaration; function bodies are not.
        let end = if ["struct", "enum", "trait"].contains(&kind) && declaration[end..].starts_with('{') {
            let closing = declaration[end..].find("\n}").unwrap_or(declaration.len() - end);
            end + closing
        } else {
            end
        };
        let mut names = identifiers(&declaration[..end]);
        let length = declaration.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(end);
        let name = declaration[..length].to_owned();
        names.remove(&name);
        items.push(Item { name, names });
    }
    items
}

/// Public items that no other package names, directly or through another named item.
fn unused(items: &[Item], outside: &BTreeSet<String>) -> Vec<String> {
    let mut named = outside.clone();
    loop {
        let used = items.iter().filter(|item| named.contains(&item.name));
        let more: BTreeSet<String> =
            used.flat_map(|item| &item.names).filter(|name| !named.contains(*name)).cloned().collect();
        if more.is_empty() {
            break;
        }
        named.extend(more);
    }
    items.iter().filter(|item| !named.contains(&item.name)).map(|item| item.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process;

    /// All Rust sources below a folder.
    fn sources(folder: &str) -> Vec<String> {
        let (mut folders, mut found) = (vec![process::root().join(folder)], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    found.push(std::fs::read_to_string(path).unwrap());
                }
            }
        }
        found
    }

    /// Compares names only: every item it reports is certainly unused, but an ambiguous name may hide an unused item.
    #[test]
    fn what_is_public_in_the_core_is_used_outside() {
        let outside = [
            "bench",
            "crates/bridge",
            "crates/plugin",
            "examples",
            "spin/src",
            "testing/fuzz",
            "testing/spin-emulator",
            "tests",
        ];
        let outside: BTreeSet<String> =
            outside.into_iter().flat_map(sources).flat_map(|text| identifiers(&text)).collect();
        let items: Vec<Item> = sources("src").iter().flat_map(|text| public_items(text)).collect();
        assert!(items.len() > 200, "{}", items.len());
        assert_eq!(unused(&items, &outside), Vec::<String>::new(), "make them pub(crate), or remove them");
    }

    #[test]
    fn an_item_that_nobody_names_is_unused() {
        let source = "pub fn used(of: Said) {}\npub struct Said {\n    pub part: Part,\n}\npub enum Part {\n}\npub const fn alone() {}\n";
        let items = public_items(source);
        assert_eq!(unused(&items, &identifiers("core::used(1)")), ["alone"]);
    }

    fn cargo(arguments: &[&str]) -> String {
        let mut cargo = process::cargo_command();
        process::output(cargo.args(arguments).args(["--offline", "--locked"]).current_dir(process::root())).unwrap()
    }

    #[test]
    fn packages_depend_on_what_the_architecture_allows() {
        let text = std::fs::read_to_string(process::root().join("ARCHITECTURE.md")).unwrap();
        let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
        let declared = declared(&serde_json::from_str(&metadata).unwrap()).unwrap();
        assert_eq!(faults(&allowed(&text).unwrap(), &declared), Vec::<String>::new());
    }

    #[test]
    fn a_forbidden_dependency_is_a_fault() {
        let table = format!(
            "{}| Package | Folder | What | May depend on |\n|---|---|---|---|\n| `a` | `a/` | . | `b` |\n| `gone` | . | . | |\n{}",
            TABLE[0], TABLE[1]
        );
        let metadata = serde_json::json!({ "packages": [
            { "name": "a", "dependencies": [{ "name": "b" }, { "name": "c" }, { "name": "serde" }, { "name": "new", "kind": "dev" }] },
            { "name": "b" }, { "name": "c" },
        ] });
        let found = faults(&allowed(&table).unwrap(), &declared(&metadata).unwrap());
        let wrong = ["`a` must not depend on `c`", "`b` is missing from the table", "`c` is missing from the table"];
        assert_eq!(found[..3], wrong);
        assert_eq!(found[3..], ["unknown package `gone`"]);
    }

    #[test]
    fn the_host_library_brings_neither_simulator_nor_server_nor_guest() {
        let tree = cargo(&["tree", "--package", "handoff-host", "--edges", "normal", "--prefix", "none"]);
        let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(crates.contains("wasmtime"), "{tree}");
        for one in NOT_IN_THE_HOST {
            assert!(!crates.contains(one), "handoff-host depends on {one}");
        }
    }
}
