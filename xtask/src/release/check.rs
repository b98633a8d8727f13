//! Holds a release against programs that we did not write, and against a second build in another folder.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{ARTEFACTS, Artefact, Repeats, metadata, oci, sign::Key, wit};
use crate::{plugin, process, spin, tools};

/// Names the history of a copy of the sources. Not `GIT_DIR`: build scripts ask git, too, and write into components what it says.
pub(crate) const HISTORY: &str = "XTASK_HISTORY";

/// Makes a release without a tag and shows that everything which is said of releases is true of it. With `full` programs are built as they
/// are published, and twice, too; with `only` these artefacts are enough (of what is pushed and run all are needed).
pub(crate) fn run(full: bool, only: Option<&[String]>) -> Result<()> {
    let folder = process::root().join("target/release-check");
    let (first, second) = (folder.join("first"), folder.join("second"));
    let keys = folder.join("keys");
    process::steps(vec![
        (
            "making a release",
            Box::new(|| {
                super::make(
                    &first,
                    only,
                    super::Options { untagged: true, development: !full, key: Some(new_key(&keys)?) },
                )
            }),
        ),
        ("verifying checksums and signature", Box::new(|| signature(&first, &keys))),
        ("reading what the components say of themselves", Box::new(|| components(&first))),
        ("holding its documents against the published schemas", Box::new(|| documents(&first))),
        ("pushing the images to a registry, pulling and running them", Box::new(|| images(&first, &folder))),
        ("building everything again in another folder", Box::new(|| build_again(&second, full, only))),
        ("comparing the two builds", Box::new(|| compare(&first, &second))),
    ])
}

/// A new key pair of minisign's own program.
fn new_key(folder: &Path) -> Result<Key> {
    tools::debian("minisign", &["minisign"])?;
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    // It asks for a password twice. Keys that its version 0.11 makes without one have no checksum, and are refused by others.
    let password = super::sha256(format!("{:?}", std::time::Instant::now()).as_bytes());
    let mut minisign = Command::new("minisign");
    minisign.args(["-G", "-f", "-p", "release.pub", "-s", "release.key"]).current_dir(folder);
    let mut making = minisign.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    write!(making.stdin.take().context("no input")?, "{password}\n{password}\n")?;
    ensure!(making.wait()?.success(), "minisign makes no key");
    Ok(Key { text: std::fs::read_to_string(folder.join("release.key"))?, password: Some(password) })
}

/// The commands of docs/releases.md.
fn signature(release: &Path, keys: &Path) -> Result<()> {
    let verify = |folder: &Path| {
        let mut minisign = Command::new("minisign");
        minisign.args(["-V", "-m", "SHA256SUMS", "-p"]).arg(keys.join("release.pub")).current_dir(folder);
        process::output(&mut minisign)
    };
    let said = verify(release)?;
    ensure!(said.contains(metadata::PLUGIN.name), "minisign does not show what was signed: {said}");
    let mut sums = Command::new("sha256sum");
    process::output(sums.args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(release))?;

    // The same with one sum changed.
    let altered = keys.join("altered");
    std::fs::create_dir_all(&altered)?;
    let list = std::fs::read_to_string(release.join("SHA256SUMS"))?;
    let (sum, rest) = list.split_at(1);
    std::fs::write(altered.join("SHA256SUMS"), format!("{}{rest}", if sum == "0" { "1" } else { "0" }))?;
    std::fs::copy(release.join("SHA256SUMS.minisig"), altered.join("SHA256SUMS.minisig"))?;
    ensure!(verify(&altered).is_err(), "minisign accepts a list that was changed after it was signed");
    Ok(())
}

/// Metadata is complete; the plugin fits the published world and the bridge, which imports Spin's interfaces, does not.
fn components(release: &Path) -> Result<()> {
    let version = super::Source::read()?.version;
    for (file, about) in [("freshworks.wasm", metadata::PLUGIN), ("freshworks-bridge.wasm", metadata::BRIDGE)] {
        let component = std::fs::read(release.join(file))?;
        let payload = wasm_metadata::Payload::from_binary(&component)?;
        let said = payload.metadata();
        ensure!(said.name.as_deref() == Some(about.name), "{file} is named {:?}", said.name);
        ensure!(said.version.as_ref().map(ToString::to_string) == Some(version.clone()), "{file}: {:?}", said.version);
        let all = [
            said.description.as_ref().map(ToString::to_string),
            said.licenses.as_ref().map(ToString::to_string),
            said.source.as_ref().map(ToString::to_string),
            said.homepage.as_ref().map(ToString::to_string),
            said.authors.as_ref().map(ToString::to_string),
        ];
        ensure!(all.iter().all(|it| it.as_ref().is_some_and(|it| !it.is_empty())), "{file} says {all:?}");
        ensure!(said.producers.as_ref().is_some_and(|it| !it.is_empty()), "{file} does not say what made it");
    }
    wit::targets(&std::fs::read(release.join("freshworks.wasm"))?)?;
    let bridge = std::fs::read(release.join("freshworks-bridge.wasm"))?;
    ensure!(wit::targets(&bridge).is_err(), "a component that imports something else fits the world");
    wit::has_docs(&std::fs::read(release.join("agent-handoff-connector.wasm"))?)
}

fn documents(release: &Path) -> Result<()> {
    let mut verify = Command::new(tools::release_verifier()?);
    verify.arg(process::root().join("tools/release/verify.py")).arg("documents").arg(release);
    println!("    {}", process::output(&mut verify)?.trim());
    Ok(())
}

/// A registry of its own. Ends with its value.
struct Registry {
    process: Child,
    address: String,
}

impl Registry {
    fn start(folder: &Path) -> Result<Self> {
        tools::debian("docker-registry", &["docker-registry"])?;
        let storage = folder.join("registry");
        if storage.exists() {
            std::fs::remove_dir_all(&storage)?;
        }
        std::fs::create_dir_all(&storage)?;
        let settings = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:0\"}}\n",
            storage.join("data").display()
        );
        std::fs::write(storage.join("settings.yml"), settings)?;
        let mut registry = Command::new("docker-registry");
        registry.arg("serve").arg(storage.join("settings.yml")).stdin(Stdio::null());
        let mut process = registry.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let log = BufReader::new(process.stderr.take().context("no log")?);
        let mut started = Self { process, address: String::new() };
        let mut lines = log.lines();
        for line in lines.by_ref() {
            if let Some((_, rest)) = line?.split_once("listening on ") {
                started.address = rest.split('"').next().unwrap_or_default().to_owned();
                break;
            }
        }
        ensure!(!started.address.is_empty(), "the registry ended before it listened");
        // It must not wait for somebody to read on.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(started)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Each image goes to a registry with one client and comes back with another, with the same bytes; then what came back is run.
fn images(release: &Path, folder: &Path) -> Result<()> {
    tools::debian("skopeo", &["skopeo"])?;
    let registry = Registry::start(folder)?;
    let mut back = Vec::new();
    for (name, file) in
        [("plugin", "freshworks.wasm"), ("wit", "agent-handoff-connector.wasm"), ("bridge", "freshworks-bridge.wasm")]
    {
        let image = format!("{}/handoff/{name}:test", registry.address);
        let mut push = Command::new("skopeo");
        push.args(["copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false"]);
        push.arg(format!("oci:{}", release.join("oci").join(name).display())).arg(format!("docker://{image}"));
        process::output(&mut push)?;

        let pulled = folder.join("pulled").join(name);
        if pulled.exists() {
            std::fs::remove_dir_all(&pulled)?;
        }
        std::fs::create_dir_all(&pulled)?;
        let mut pull = Command::new(tools::release_verifier()?);
        pull.arg(process::root().join("tools/release/verify.py")).args(["pull", &image]).arg(&pulled);
        let said: Value = serde_json::from_str(&process::output(&mut pull)?)?;
        back.push(same_image(name, &said, &pulled, &std::fs::read(release.join(file))?)?);
    }
    let [plugin, _, bridge] = &back[..] else { bail!("an image is missing") };

    let host = std::fs::read_dir(release)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut hosts =
        host.filter(|path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("host-test-")));
    let host = hosts.find(|path| path.extension().is_none()).context("the release has no host-test")?;
    let demo = process::output(Command::new(&host).args(["demo", "--json", "--plugin"]).arg(plugin))?;
    ensure!(demo.contains("returned-to-ai"), "the pulled plugin does not play the whole job");
    let mut environment = Command::new(spin::build_environment()?);
    process::output(environment.arg("demo").env("BRIDGE_WASM", bridge)).context("the pulled bridge").map(drop)
}

/// Checks what came back; answers where the component is.
fn same_image(name: &str, said: &Value, pulled: &Path, wasm: &[u8]) -> Result<PathBuf> {
    let annotations = &said["manifest"]["annotations"];
    for key in ["title", "description", "version", "licenses", "source", "url", "authors", "created", "revision"] {
        let value = annotations[format!("org.opencontainers.image.{key}")].as_str().unwrap_or_default();
        ensure!(!value.is_empty(), "the image `{name}` has no annotation `{key}`");
    }
    let layer = &said["manifest"]["layers"][0];
    let digest = layer["digest"].as_str().context("no layer")?;
    let file = layer["annotations"]["org.opencontainers.image.title"].as_str().unwrap_or(digest);
    ensure!(std::fs::read(pulled.join(file))? == wasm, "the image `{name}` came back with other bytes");
    if name == "bridge" {
        let app = said["manifest"]["layers"][1]["digest"].as_str().context("no application")?;
        let app: Value = serde_json::from_slice(&std::fs::read(pulled.join(app))?)?;
        ensure!(app["components"][0]["source"]["digest"] == *digest, "the application names another component");
        ensure!(said["config"]["config"]["Labels"][oci::LOCKED_APP].is_string(), "{}", said["config"]);
    } else {
        ensure!(said["config"]["layerDigests"][0] == *digest, "the config names another component");
    }
    Ok(pulled.join(file))
}

/// Everything that must come out the same, built from a copy of the sources elsewhere, with another home of cargo.
fn build_again(out: &Path, full: bool, only: Option<&[String]>) -> Result<()> {
    if out.exists() {
        std::fs::remove_dir_all(out)?;
    }
    // Deeper than the first, so that a folder's name that gets into a file also changes its length.
    let base = std::env::temp_dir().join(format!("handoff-release-{}", std::process::id()));
    let copy = base.join("a/folder/somewhere/else");
    let built = copy_sources(&copy).and_then(|()| build_in(&base, &copy, out, full, only));
    std::fs::remove_dir_all(&base)?;
    built
}

fn copy_sources(copy: &Path) -> Result<()> {
    let files = super::git(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        let (from, to) = (process::root().join(file), copy.join(file));
        std::fs::create_dir_all(to.parent().context("a file without a folder")?)?;
        if from.is_symlink() {
            link(&std::fs::read_link(from)?, &to)?;
        } else if from.is_file() {
            std::fs::copy(from, to)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::Error::other("the second build needs symbolic links"))
}

fn build_in(base: &Path, copy: &Path, out: &Path, full: bool, only: Option<&[String]>) -> Result<()> {
    // Outside programs are the same; they are pinned.
    std::fs::create_dir_all(copy.join("target"))?;
    link(&process::root().join("target/tools"), &copy.join("target/tools"))?;
    let home = base.join("another-cargo-home");
    std::fs::create_dir_all(&home)?;
    let first = plugin::cargo_home().context("cargo has no home")?;
    for entry in std::fs::read_dir(first)? {
        let entry = entry?;
        link(&entry.path(), &home.join(entry.file_name()))?;
    }
    let repeats = |it: &&Artefact| it.repeats == Repeats::Checked || (full && it.repeats == Repeats::InFull);
    let chosen = |it: &&Artefact| only.is_none_or(|only| only.iter().any(|name| name == it.name));
    let names: Vec<&str> = ARTEFACTS.iter().filter(repeats).filter(chosen).map(|it| it.name).collect();
    let mut again = Command::new(std::env::current_exe()?);
    again.args(["release", "--untagged", "--only", &names.join(","), "--out"]).arg(out);
    again.env("XTASK_ROOT", copy).env("CARGO_HOME", home).env_remove("CARGO_TARGET_DIR");
    again.env(HISTORY, super::git(&["rev-parse", "--absolute-git-dir"])?);
    process::run(&mut again)
}

/// Every file of the second build is in the first with the same bytes, apart from what speaks of the whole release.
fn compare(first: &Path, second: &Path) -> Result<()> {
    let whole = ["provenance.intoto.json"];
    let mut compared = 0;
    for line in std::fs::read_to_string(second.join("SHA256SUMS"))?.lines() {
        let (_, file) = line.split_once("  ").context("not a line of SHA256SUMS")?;
        if whole.contains(&file) {
            continue;
        }
        let same = std::fs::read(first.join(file)).ok() == Some(std::fs::read(second.join(file))?);
        ensure!(same, "{file} differs between two builds: compare {} and {}", first.display(), second.display());
        compared += 1;
    }
    println!("    {compared} files are equal");
    Ok(())
}
