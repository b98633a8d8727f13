//! Compiled plugins on disk, so that a process starts in milliseconds.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use wasmtime::component::Component;

use crate::engine::Engine;

/// A directory of compiled plugins.
///
/// What lies there is machine code that runs outside of any sandbox: whoever can write there owns the process. So it is used only
/// while it is a directory of the user that this process runs as, with mode 0700, and so is each file in it only while that user
/// alone can write it. Both are looked at each time. Otherwise plugins are compiled, and
/// [`Plugin::cache_refused`](crate::Plugin::cache_refused) says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedCache {
    directory: PathBuf,
}

/// A plugin, and why the cache was not used for it.
pub(crate) struct Loaded {
    pub(crate) component: Component,
    pub(crate) refused: Option<String>,
}

impl TrustedCache {
    /// A cache in this directory, which is made with mode 0700 when something is first stored.
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

    /// The compiled plugin from the cache, or compiled and stored. A cache that cannot be read, written or trusted costs time
    /// and nothing else.
    pub(crate) fn load(&self, engine: &Engine, wasm: &[u8]) -> anyhow::Result<Loaded> {
        if let Err(reason) = self.prepare() {
            let refused = format!("the compiled-code cache {} is not used: {reason}", self.directory.display());
            return Ok(Loaded { component: compile(engine, wasm)?, refused: Some(refused) });
        }
        let file = self.file(engine, wasm);
        if let Some(component) = read_own(&file).and_then(|code| deserialize(engine, &code)) {
            return Ok(Loaded { component, refused: None });
        }
        let component = compile(engine, wasm)?;
        if let Ok(code) = component.serialize() {
            // A failure to store means that the next start compiles again.
            let _ = store(&file, &code);
        }
        Ok(Loaded { component, refused: None })
    }

    /// Makes the directory where there is none, and looks at whose it is.
    fn prepare(&self) -> Result<(), String> {
        make_private(&self.directory).map_err(|error| format!("it cannot be made: {error}"))?;
        // Not through a link: somebody else could turn it.
        let found =
            std::fs::symlink_metadata(&self.directory).map_err(|error| format!("it cannot be read: {error}"))?;
        if !found.is_dir() {
            return Err("it is no directory".to_owned());
        }
        objection(&found)
    }
}

#[cfg(unix)]
fn make_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    match std::fs::DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn objection(directory: &std::fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let (owner, mode, user) = (directory.uid(), directory.mode() & 0o7777, rustix::process::geteuid().as_raw());
    match (owner == user, mode) {
        (true, 0o700) => Ok(()),
        (true, _) => Err(format!("its mode is {mode:04o} and must be 0700; remove it, and it is made anew")),
        (false, _) => Err(format!("it belongs to user {owner}, and this process runs as user {user}")),
    }
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn objection(_: &std::fs::Metadata) -> Result<(), String> {
    Err("on this system it cannot be checked who may write there".to_owned())
}

/// What a file holds that this user alone can write. Asked of the open file, so that nobody can put another in its place meanwhile.
fn read_own(file: &Path) -> Option<Vec<u8>> {
    let mut file = std::fs::File::open(file).ok()?;
    let found = file.metadata().ok()?;
    if !found.is_file() || !is_written_by_us_alone(&found) {
        return None;
    }
    let mut code = Vec::new();
    file.read_to_end(&mut code).ok()?;
    Some(code)
}

#[cfg(unix)]
fn is_written_by_us_alone(file: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.uid() == rustix::process::geteuid().as_raw() && file.mode() & 0o022 == 0
}

#[cfg(not(unix))]
fn is_written_by_us_alone(_: &std::fs::Metadata) -> bool {
    false
}

/// Compiles a component.
pub(crate) fn compile(engine: &Engine, wasm: &[u8]) -> anyhow::Result<Component> {
    recognise(wasm)?;
    Component::new(engine.wasmtime(), wasm)
        .map_err(anyhow::Error::from)
        .context("not a component that this host can run")
}

/// Says what a file is that is not a component: the compiler's words are many and help nobody.
fn recognise(wasm: &[u8]) -> anyhow::Result<()> {
    // The format of the binary, behind its name: a version of two bytes, then the kind of file.
    match wasm {
        [] => anyhow::bail!("the file is empty"),
        [b'\0', b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', _, _, 0, 0, ..] => {
            anyhow::bail!("this is a WebAssembly module, not a component (`wasm-tools component new` makes one of it)")
        }
        _ => anyhow::bail!("this is not a WebAssembly component: the file does not begin as one"),
    }
}

#[expect(unsafe_code, reason = "wasmtime trusts compiled code; a TrustedCache has looked at who can write it")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: these bytes are from a file that only this user can write, in a directory that only this user can write to:
    // `store` has put them there.
    unsafe { Component::deserialize(engine.wasmtime(), code) }.ok()
}

/// Writes beside the target and renames, so that no other process reads half a file.
fn store(file: &Path, code: &[u8]) -> std::io::Result<()> {
    let unfinished = file.with_extension(format!("{}.part", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&unfinished)?.write_all(code)?;
    std::fs::rename(&unfinished, file).inspect_err(|_| {
        let _ = std::fs::remove_file(&unfinished);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Allocation, EngineSettings};

    const EMPTY: &str = "(component)";

    /// A directory that goes with the test, and in it the one for a cache, which is not there yet.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let directory = std::env::temp_dir().join(format!("host-test-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&directory).unwrap();
            Self(directory)
        }

        fn cache(&self) -> TrustedCache {
            TrustedCache::new(self.0.join("compiled"))
        }

        fn files(&self) -> Vec<PathBuf> {
            std::fs::read_dir(self.0.join("compiled")).unwrap().map(|entry| entry.unwrap().path()).collect()
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn set_mode(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn engine() -> Engine {
        Engine::new(EngineSettings { allocation: Allocation::OnDemand, ..EngineSettings::default() }).unwrap()
    }

    /// The bytes of the component are those of another one: whoever loads them has trusted the file.
    fn plant(engine: &Engine, file: &Path) {
        let other = compile(engine, &wat::parse_str(PLANTED).unwrap()).unwrap();
        store(file, &other.serialize().unwrap()).unwrap();
    }

    fn exports(engine: &Engine, component: &Component) -> usize {
        component.component_type().exports(engine.wasmtime()).count()
    }

    const PLANTED: &str = r#"(component
        (core module $m (func (export "run")))
        (core instance $i (instantiate $m))
        (func (export "planted") (canon lift (core func $i "run"))))"#;

    #[test]
    fn a_plugin_is_compiled_once_and_then_read() {
        let (directory, engine) = (Directory::new("once"), engine());
        let (cache, wasm) = (directory.cache(), wat::parse_str(EMPTY).unwrap());
        assert_eq!(cache.load(&engine, &wasm).unwrap().refused, None);
        let file = cache.file(&engine, &wasm);
        assert_eq!(directory.files(), std::slice::from_ref(&file));
        assert_eq!((mode(&directory.0.join("compiled")), mode(&file)), (0o700, 0o600));
        plant(&engine, &file);
        assert_eq!(exports(&engine, &cache.load(&engine, &wasm).unwrap().component), 1, "it was read");
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
        let (cache, wasm) = (directory.cache(), wat::parse_str(EMPTY).unwrap());
        cache.load(&engine, &wasm).unwrap();
        let file = cache.file(&engine, &wasm);
        std::fs::write(&file, b"not machine code").unwrap();
        cache.load(&engine, &wasm).unwrap();
        assert!(deserialize(&engine, &read_own(&file).unwrap()).is_some());
    }

    #[test]
    fn a_directory_that_others_could_write_is_not_used() {
        let (directory, engine) = (Directory::new("shared"), engine());
        let (cache, wasm) = (directory.cache(), wat::parse_str(EMPTY).unwrap());
        cache.load(&engine, &wasm).unwrap();
        let file = cache.file(&engine, &wasm);
        plant(&engine, &file);
        for shared in [0o755, 0o777, 0o770, 0o1777, 0o710] {
            set_mode(&directory.0.join("compiled"), shared);
            let loaded = cache.load(&engine, &wasm).unwrap();
            assert_eq!(exports(&engine, &loaded.component), 0, "{shared:o}: what lay there was not run");
            let refused = loaded.refused.unwrap();
            assert!(refused.contains("is not used") && refused.contains("0700"), "{refused}");
            assert!(!refused.contains('\n'), "one line");
        }
        set_mode(&directory.0.join("compiled"), 0o700);
        // Nor a file that others could write.
        set_mode(&file, 0o622);
        assert_eq!(exports(&engine, &cache.load(&engine, &wasm).unwrap().component), 0);
    }

    #[test]
    fn a_link_to_a_directory_is_not_used() {
        let (directory, engine) = (Directory::new("link"), engine());
        make_private(&directory.0.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(directory.0.join("elsewhere"), directory.0.join("compiled")).unwrap();
        let loaded = directory.cache().load(&engine, &wat::parse_str(EMPTY).unwrap()).unwrap();
        assert!(loaded.refused.unwrap().contains("no directory"));
        assert_eq!(directory.files().len(), 0);
    }

    #[test]
    fn a_directory_of_another_user_is_not_used() {
        // Belongs to root everywhere, and root may make it belong to somebody else.
        let (directory, engine) = (Directory::new("foreign"), engine());
        let is_root = rustix::process::geteuid().is_root();
        let cache = if is_root { directory.cache() } else { TrustedCache::new("/") };
        if is_root {
            make_private(&directory.0.join("compiled")).unwrap();
            std::os::unix::fs::chown(directory.0.join("compiled"), Some(65_534), None).unwrap();
        }
        let loaded = cache.load(&engine, &wat::parse_str(EMPTY).unwrap()).unwrap();
        assert!(loaded.refused.unwrap().contains("belongs to user"));
    }

    #[test]
    fn a_directory_that_cannot_be_written_costs_only_time() {
        let (directory, engine) = (Directory::new("readonly"), engine());
        let file = directory.0.join("file");
        std::fs::write(&file, "").unwrap();
        let loaded = TrustedCache::new(file.join("below")).load(&engine, &wat::parse_str(EMPTY).unwrap()).unwrap();
        assert!(loaded.refused.unwrap().contains("cannot be made"));
    }
}
