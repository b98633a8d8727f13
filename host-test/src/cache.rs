//! Compiled plugins on disk, so that a process starts in milliseconds.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use wasmtime::component::Component;

use crate::engine::Engine;

/// A directory of compiled plugins.
///
/// What lies there is machine code that runs outside of any sandbox. Use a directory that only the operator and this
/// process can write to; whoever else can write there owns the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedCache {
    directory: PathBuf,
}

impl TrustedCache {
    /// A cache in this directory, which is made when something is first stored.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The compiled plugin's file. Its name holds the plugin's content and everything that the machine code depends on
    /// (wasmtime's version and settings, the processor), so that a change of either is a miss and never a wrong hit.
    fn file(&self, engine: &Engine, wasm: &[u8]) -> PathBuf {
        let content: String =
            digest(&SHA256, wasm).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let mut hasher = DefaultHasher::new();
        engine.wasmtime().precompile_compatibility_hash().hash(&mut hasher);
        self.directory.join(format!("{content}-{:016x}.cwasm", hasher.finish()))
    }

    /// The compiled plugin from the cache, or compiled and stored. A cache that cannot be read or written costs time and
    /// nothing else.
    pub(crate) fn load(&self, engine: &Engine, wasm: &[u8]) -> anyhow::Result<Component> {
        let file = self.file(engine, wasm);
        if file.is_file()
            && let Ok(component) = deserialize(engine, &file)
        {
            return Ok(component);
        }
        let component = compile(engine, wasm)?;
        if let Ok(code) = component.serialize() {
            // A failure to store means that the next start compiles again.
            let _ = store(&file, &code);
        }
        Ok(component)
    }
}

/// Compiles a component.
pub(crate) fn compile(engine: &Engine, wasm: &[u8]) -> anyhow::Result<Component> {
    Component::new(engine.wasmtime(), wasm)
        .map_err(anyhow::Error::from)
        .context("not a component that this host can run")
}

#[expect(unsafe_code, reason = "wasmtime trusts compiled code; so does whoever made a TrustedCache")]
fn deserialize(engine: &Engine, file: &Path) -> anyhow::Result<Component> {
    // SAFETY: the file was written by `store` into a directory that, by the contract of `TrustedCache`, nobody else can
    // write to.
    Ok(unsafe { Component::deserialize_file(engine.wasmtime(), file) }?)
}

/// Writes beside the target and renames, so that no other process reads half a file.
fn store(file: &Path, code: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let unfinished = file.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&unfinished, code)?;
    std::fs::rename(&unfinished, file).inspect_err(|_| {
        let _ = std::fs::remove_file(&unfinished);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Allocation, EngineSettings};

    const EMPTY: &str = "(component)";

    /// A directory that goes with the test.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let directory = std::env::temp_dir().join(format!("host-test-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&directory).unwrap();
            Self(directory)
        }

        fn files(&self) -> Vec<PathBuf> {
            std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect()
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn engine() -> Engine {
        Engine::new(EngineSettings { allocation: Allocation::OnDemand, ..EngineSettings::default() }).unwrap()
    }

    #[test]
    fn a_plugin_is_compiled_once_and_then_read() {
        let (directory, engine) = (Directory::new("once"), engine());
        let cache = TrustedCache::new(&directory.0);
        let wasm = wat::parse_str(EMPTY).unwrap();
        cache.load(&engine, &wasm).unwrap();
        assert_eq!(directory.files(), [cache.file(&engine, &wasm)]);
        assert!(deserialize(&engine, &cache.file(&engine, &wasm)).is_ok());
    }

    #[test]
    fn another_content_is_another_file() {
        let (cache, engine) = (TrustedCache::new("unused"), engine());
        assert_ne!(cache.file(&engine, b"a"), cache.file(&engine, b"b"));
        assert_eq!(cache.file(&engine, b"a"), cache.file(&engine, b"a"));
    }

    #[test]
    fn a_damaged_file_is_compiled_again() {
        let (directory, engine) = (Directory::new("damaged"), engine());
        let cache = TrustedCache::new(&directory.0);
        let wasm = wat::parse_str(EMPTY).unwrap();
        std::fs::write(cache.file(&engine, &wasm), b"not machine code").unwrap();
        cache.load(&engine, &wasm).unwrap();
        assert!(deserialize(&engine, &cache.file(&engine, &wasm)).is_ok());
    }

    #[test]
    fn a_directory_that_cannot_be_written_costs_only_time() {
        let (directory, engine) = (Directory::new("readonly"), engine());
        let file = directory.0.join("file");
        std::fs::write(&file, "").unwrap();
        assert!(TrustedCache::new(file.join("below")).load(&engine, &wat::parse_str(EMPTY).unwrap()).is_ok());
    }
}
