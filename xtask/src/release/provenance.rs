//! Who built what from what: an in-toto Statement with the SLSA provenance v1 predicate (<https://slsa.dev/spec/v1.0/provenance>).

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Source;
use crate::process;

/// The lock files and the list of tools: with the commit they decide every byte that goes in.
const MATERIALS: [&str; 4] =
    ["Cargo.lock", "tools/package-lock.json", "tools/node/package-lock.json", "tools/python/requirements.txt"];

/// Names the builder, as a URI; a forge's workflow sets it. By default it is somebody's own machine.
const BUILDER: &str = "RELEASE_BUILDER";

/// Names the run of the builder, as a URI.
const INVOCATION: &str = "RELEASE_INVOCATION";

/// The statement about these files, each with its SHA-256.
pub(crate) fn statement(files: &[(String, String)], source: &Source) -> Result<Value> {
    let subject = files.iter().map(|(name, sha256)| json!({ "name": name, "digest": { "sha256": sha256 } }));
    let mut materials = vec![json!({
        "name": "source",
        "uri": format!("git+{}", source.repository),
        "digest": { "gitCommit": source.commit },
    })];
    for path in MATERIALS {
        let bytes = std::fs::read(process::root().join(path)).with_context(|| path)?;
        materials.push(json!({ "name": path, "digest": { "sha256": super::sha256(&bytes) } }));
    }
    let rustc = process::output(std::process::Command::new("rustc").arg("--version"))?;
    materials.push(
        json!({ "name": "rustc", "uri": format!("pkg:generic/rust@{}", rustc.split(' ').nth(1).unwrap_or_default()) }),
    );

    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let builder = variable(BUILDER).unwrap_or_else(|| format!("{}#local-build", source.repository));
    let mut run = json!({ "builder": { "id": builder, "version": { "xtask": source.version } } });
    if let Some(invocation) = variable(INVOCATION) {
        run["metadata"] = json!({ "invocationId": invocation });
    }
    Ok(json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject.collect::<Vec<_>>(),
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": format!("{}/blob/main/docs/releases.md#build-type", source.repository),
                "externalParameters": { "repository": source.repository, "ref": source.reference },
                "internalParameters": { "task": "cargo xtask release" },
                "resolvedDependencies": materials,
            },
            "runDetails": run,
        },
    }))
}
