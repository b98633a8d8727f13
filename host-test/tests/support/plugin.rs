//! The plugin under test.

use std::path::PathBuf;
use std::sync::OnceLock;

use handoff_host::{Engine, EngineSettings, Plugin};

/// Compiled once for all tests of a binary.
pub(crate) fn plugin() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        let path = std::env::var_os("FRESHWORKS_PLUGIN").map(PathBuf::from);
        let path =
            path.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").into());
        assert!(path.exists(), "run `cargo xtask build` first");
        Plugin::load(&Engine::new(EngineSettings::default()).unwrap(), &path, None).unwrap()
    })
}
