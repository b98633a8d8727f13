//! Which package may depend on which: what is declared is held against the table in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Around the table: `| package | folder | what is in it | may depend on |`.
const TABLE: [&str; 2] = ["<!-- packages -->\n", "<!-- end packages -->"];

/// What every package that embedders build must do without, and what depends on the guest.
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

/// The packages of the workspace with those of the workspace that each depends on; for tests does not count.
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

/// What is wrong, one a line.
fn faults(allowed: &Dependencies, declared: &Dependencies) -> Vec<String> {
    let mut faults = Vec::new();
    for (package, on) in declared {
        match allowed.get(package) {
            None => faults.push(format!("`{package}` is missing from the table")),
            Some(may) => faults.extend(on.difference(may).map(|one| format!("`{package}` must not depend on `{one}`"))),
        }
    }
    let gone = allowed.keys().filter(|package| !declared.contains_key(*package));
    faults.extend(gone.map(|package| format!("there is no package `{package}`")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process;

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
        assert_eq!(found[3..], ["there is no package `gone`"]);
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
