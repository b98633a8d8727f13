//! OCI image layouts (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>), ready to be pushed with any client.
//!
//! The plugin and the WIT package have the form that `wkg` and other Wasm hosts expect: one layer `application/wasm`, a config that names imports
//! and exports (the CNCF's Wasm OCI artifact; facts from the crate oci-wasm 0.6 and bytecodealliance/wasm-pkg-tools). The bridge has the
//! form of a Spin app: its component and the locked application (facts from spinframework/spin, crates/oci and crates/locked-app).

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use wit_parser::decoding::{DecodedWasm, decode};

use super::Source;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
const WASM_LAYER: &str = "application/wasm";
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const SPIN_LAYER: &str = "application/vnd.wasm.content.layer.v1+wasm";
/// By which container runtimes tell one app from another.
pub(crate) const LOCKED_APP: &str = "com.fermyon.spin.lockedAppDigest";
const SPIN_APP: &str = "application/vnd.fermyon.spin.application.v1+config";

/// One layout on its way to disk.
struct Layout<'a> {
    folder: &'a Path,
}

impl Layout<'_> {
    /// Stores the bytes under their digest; answers what refers to them.
    fn blob(&self, media_type: &str, bytes: &[u8]) -> Result<Value> {
        let digest = super::sha256(bytes);
        let folder = self.folder.join("blobs/sha256");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(&digest), bytes)?;
        Ok(json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len() }))
    }

    /// Writes manifest and index; answers the digest by which the image is known.
    fn finish(&self, config: &Value, layers: &[Value], annotations: &Map<String, Value>, tag: &str) -> Result<String> {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers, "annotations": annotations,
        });
        let mut manifest = self.blob(MANIFEST, &serde_json::to_vec(&manifest)?)?;
        let digest = manifest["digest"].as_str().unwrap_or_default().to_owned();
        manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
        let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
        std::fs::write(self.folder.join("index.json"), serde_json::to_vec(&index)?)?;
        std::fs::write(self.folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        Ok(digest)
    }
}

/// What registries show: from the metadata that is inside the component, as `wkg` does, and the commit.
fn annotations(wasm: &[u8], source: &Source) -> Result<(Map<String, Value>, Option<String>)> {
    let payload = wasm_metadata::Payload::from_binary(wasm)?;
    let about = payload.metadata();
    let authors = about.authors.as_ref().map(ToString::to_string);
    let all = [
        ("title", about.name.clone()),
        ("description", about.description.as_ref().map(ToString::to_string)),
        ("version", about.version.as_ref().map(ToString::to_string)),
        ("licenses", about.licenses.as_ref().map(ToString::to_string)),
        ("source", about.source.as_ref().map(ToString::to_string)),
        ("url", about.homepage.as_ref().map(ToString::to_string)),
        ("authors", authors.clone()),
        ("created", Some(source.time.clone())),
        ("revision", Some(source.commit.clone())),
    ];
    let known =
        all.into_iter().filter_map(|(name, value)| Some((format!("org.opencontainers.image.{name}"), value?.into())));
    Ok((known.collect(), authors))
}

/// Imports and exports by name. Of a WIT package: what it defines.
fn interfaces(wasm: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
    match decode(wasm).context("neither a component nor a WIT package")? {
        DecodedWasm::Component(resolve, world) => {
            let world = &resolve.worlds[world];
            let names =
                |items: Vec<&wit_parser::WorldKey>| items.into_iter().map(|key| resolve.name_world_key(key)).collect();
            Ok((names(world.imports.keys().collect()), names(world.exports.keys().collect())))
        }
        DecodedWasm::WitPackage(resolve, package) => {
            let package = &resolve.packages[package];
            let mut exports: Vec<String> = package.interfaces.values().filter_map(|id| resolve.id_of(*id)).collect();
            let named = |world: &String| resolve.id_of_name(package_id(&resolve, package), world);
            exports.extend(package.worlds.keys().map(named));
            Ok((Vec::new(), exports))
        }
    }
}

fn package_id(resolve: &wit_parser::Resolve, package: &wit_parser::Package) -> wit_parser::PackageId {
    resolve.package_names[&package.name]
}

/// A component or WIT package for `wkg` and other Wasm hosts; answers its digest.
pub(crate) fn wasm(folder: &Path, file: &str, wasm: &[u8], tag: &str, source: &Source) -> Result<String> {
    let layout = Layout { folder };
    let (annotations, author) = annotations(wasm, source)?;
    let (imports, exports) = interfaces(wasm)?;
    let mut layer = layout.blob(WASM_LAYER, wasm)?;
    let config = json!({
        "created": source.time, "author": author, "architecture": "wasm", "os": "wasip2",
        "layerDigests": [layer["digest"]],
        "component": { "exports": exports, "imports": imports, "target": null },
    });
    layer["annotations"] = json!({ "org.opencontainers.image.title": file });
    let config = layout.blob(WASM_CONFIG, &serde_json::to_vec(&config)?)?;
    layout.finish(&config, &[layer], &annotations, tag)
}

/// A Spin app of one component without files; answers its digest.
pub(crate) fn spin(folder: &Path, manifest: &str, wasm: &[u8], tag: &str, source: &Source) -> Result<String> {
    let layout = Layout { folder };
    let (annotations, _) = annotations(wasm, source)?;
    let layer = layout.blob(SPIN_LAYER, wasm)?;
    let digest = layer["digest"].as_str().context("a layer without a digest")?;
    let app = layout.blob(SPIN_APP, &serde_json::to_vec(&locked(manifest, digest)?)?)?;
    let config = json!({
        "architecture": "wasm", "os": "Wasip1",
        "config": { "Labels": { LOCKED_APP: app["digest"] } },
        "rootfs": { "type": "layers", "diff_ids": [] },
    });
    let config = layout.blob(IMAGE_CONFIG, &serde_json::to_vec(&config)?)?;
    layout.finish(&config, &[layer, app], &annotations, tag)
}

/// What Spin makes of a manifest when it pushes it: the application with its component named by digest.
fn locked(manifest: &str, digest: &str) -> Result<Value> {
    let manifest: Value = serde_json::to_value(manifest.parse::<toml::Table>()?)?;
    let application = &manifest["application"];
    let triggers = manifest["trigger"].as_object().context("the manifest has no trigger")?;
    let mut metadata = Map::new();
    for key in ["name", "version", "description", "authors"] {
        if let Some(value) = application.get(key) {
            metadata.insert(key.to_owned(), value.clone());
        }
    }
    metadata.insert("trigger".to_owned(), json!({ "type": triggers.keys().next() }));
    metadata.insert("triggers".to_owned(), json!({}));
    let variables = manifest["variables"].as_object().into_iter().flatten().map(|(name, variable)| {
        let mut locked = Map::new();
        for key in ["description", "default"] {
            if let Some(value) = variable.get(key) {
                locked.insert(key.to_owned(), value.clone());
            }
        }
        if variable["secret"] == true {
            locked.insert("secret".to_owned(), true.into());
        }
        (name.clone(), Value::from(locked))
    });
    let components = manifest["component"].as_object().into_iter().flatten().map(|(id, component)| {
        json!({
            "id": id,
            "metadata": {
                "allowed_outbound_hosts": component["allowed_outbound_hosts"],
                "databases": component["sqlite_databases"],
            },
            "source": { "content_type": "application/wasm", "digest": digest },
            "config": component["variables"],
        })
    });
    let triggers = triggers.iter().flat_map(|(kind, all)| {
        all.as_array().into_iter().flatten().map(move |trigger| {
            let component = trigger["component"].as_str().unwrap_or_default();
            let id = format!("{component}-{kind}-trigger");
            json!({ "id": id, "trigger_type": kind, "trigger_config": trigger })
        })
    });
    Ok(json!({
        "spin_lock_version": 0,
        "metadata": metadata,
        "variables": variables.collect::<Map<_, _>>(),
        "triggers": triggers.collect::<Vec<_>>(),
        "components": components.collect::<Vec<_>>(),
    }))
}
