//! Everything that a release consists of, made from the checkout into one folder.
//!
//! Each artefact is an entry of [`ARTEFACTS`]; lists of contents, checksums, provenance and signature follow from the entries.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{node, plugin, process, python, spin};
use sbom::{Ingredients, Lock};
use sign::Key;

pub(crate) mod check;
pub(crate) mod metadata;
mod notes;
mod oci;
mod provenance;
mod sbom;
mod sign;
pub(crate) mod wit;

/// One thing that people take from a release.
struct Artefact {
    /// For `--only`.
    name: &'static str,
    /// Makes it in the folder; answers the names of its files.
    make: fn(&Job) -> Result<Vec<String>>,
    /// What goes into its list of contents.
    ingredients: Ingredients,
    /// When the check builds it a second time, in another folder, and compares the bytes.
    repeats: Repeats,
}

/// When a second build is compared with the first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeats {
    /// Always.
    Checked,
    /// With `--full`: it takes an optimised wasmtime, which is compiled for a quarter of an hour.
    InFull,
    /// Never: it promises nothing.
    Not,
}

const ARTEFACTS: &[Artefact] = &[
    Artefact {
        name: "plugin",
        make: |job| {
            plugin::build()?;
            job.take(&plugin::path(), "freshworks.wasm")
        },
        ingredients: Ingredients::Cargo { package: "freshworks-plugin", target: Some(plugin::TARGET) },
        repeats: Repeats::Checked,
    },
    Artefact {
        name: "bridge",
        make: |job| {
            let component = std::fs::read(spin::build_bridge()?)?;
            job.write("freshworks-bridge.wasm", &metadata::add(&component, &metadata::BRIDGE, &[], None)?)
        },
        ingredients: Ingredients::Cargo { package: "freshworks-bridge", target: Some(spin::TARGET) },
        repeats: Repeats::Checked,
    },
    Artefact {
        name: "wit",
        make: |job| {
            wit::build()?;
            job.take(&wit::path(), "agent-handoff-connector.wasm")
        },
        ingredients: Ingredients::Crates(&[wit::WASI]),
        repeats: Repeats::Checked,
    },
    Artefact {
        name: "contract-crate",
        make: |job| package(job, "handoff-contract"),
        ingredients: Ingredients::Cargo { package: "handoff-contract", target: None },
        repeats: Repeats::Not,
    },
    Artefact {
        name: "host-crate",
        make: |job| package(job, "handoff-host"),
        ingredients: Ingredients::Cargo { package: "handoff-host", target: None },
        repeats: Repeats::Not,
    },
    Artefact {
        name: "npm",
        make: |job| {
            plugin::build()?;
            let tarball = node::pack()?;
            let name = tarball.file_name().context("a tarball without a name")?.to_string_lossy().into_owned();
            job.take(&tarball, &name)
        },
        // It has no dependencies: the plugin is in it.
        ingredients: Ingredients::Cargo { package: "freshworks-plugin", target: Some(plugin::TARGET) },
        repeats: Repeats::Checked,
    },
    Artefact {
        name: "wheel",
        make: |job| {
            plugin::build()?;
            let wheel = python::wheel(!job.development)?;
            let name = wheel.file_name().context("a wheel without a name")?.to_string_lossy().into_owned();
            job.take(&wheel, &name)
        },
        ingredients: Ingredients::Cargo { package: "freshworks-handoff-python", target: None },
        repeats: Repeats::InFull,
    },
    Artefact {
        name: "host-test",
        make: |job| {
            let profile: &[&str] = if job.development { &[] } else { &["--release"] };
            process::cargo(
                &[&["build", "--locked", "--package", "host-test", "--bin", "host-test"], profile].concat(),
            )?;
            let built = if job.development { "debug" } else { "release" };
            job.take(&process::target().join(built).join("host-test"), &format!("host-test-{}", machine()?))
        },
        ingredients: Ingredients::Cargo { package: "host-test", target: None },
        repeats: Repeats::InFull,
    },
];

/// A crate as crates.io takes it. The tests have built it; what counts here is what goes in.
fn package(job: &Job, package: &str) -> Result<Vec<String>> {
    // Together, because one depends on the other and neither may be published yet.
    let mut arguments =
        vec!["package", "--quiet", "--locked", "--no-verify", "--package=handoff-contract", "--package=handoff-host"];
    if !job.source.tagged {
        arguments.push("--allow-dirty");
    }
    process::cargo(&arguments)?;
    let file = format!("{package}-{}.crate", job.source.version);
    job.take(&process::target().join("package").join(&file), &file)
}

/// What a release is made from.
pub(crate) struct Source {
    /// Of the workspace.
    version: String,
    /// Where the source is published.
    repository: String,
    /// Of git, in full.
    commit: String,
    /// When the commit was made, as RFC 3339: the time of everything that has one, so that two builds agree.
    time: String,
    /// The tag, or the commit where there is none.
    reference: String,
    /// Whether this is the tag of this version, without changes.
    tagged: bool,
}

impl Source {
    fn read() -> Result<Self> {
        let metadata = cargo_metadata(&["--no-deps"])?;
        let packages = metadata["packages"].as_array().context("cargo lists no packages")?;
        let plugin = packages.iter().find(|package| package["name"] == metadata::PLUGIN.package);
        let plugin = plugin.context("there is no plugin")?;
        let text = |key: &str| plugin[key].as_str().map(str::to_owned).with_context(|| format!("no `{key}`"));
        let version = text("version")?;
        let commit = git(&["rev-parse", "HEAD"])?;
        let tag = format!("v{version}");
        let tags = git(&["tag", "--points-at", "HEAD"])?;
        let tagged = tags.lines().any(|it| it == tag) && git(&["status", "--porcelain"])?.is_empty();
        Ok(Self {
            repository: text("repository")?,
            time: git(&["log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"])?,
            reference: if tagged { format!("refs/tags/{tag}") } else { commit.clone() },
            version,
            commit,
            tagged,
        })
    }
}

/// One run of the task.
struct Job {
    source: Source,
    out: PathBuf,
    /// Takes the development build of programs, which the tests have built already.
    development: bool,
}

impl Job {
    fn write(&self, name: &str, bytes: &[u8]) -> Result<Vec<String>> {
        std::fs::write(self.out.join(name), bytes)?;
        Ok(vec![name.to_owned()])
    }

    fn take(&self, from: &Path, name: &str) -> Result<Vec<String>> {
        std::fs::copy(from, self.out.join(name)).with_context(|| from.display().to_string())?;
        Ok(vec![name.to_owned()])
    }
}

/// `cargo xtask release`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        let behind = at.and_then(|at| arguments.get(at + 1)).cloned();
        behind.or_else(|| arguments.iter().find_map(|it| Some(it.strip_prefix(name)?.strip_prefix('=')?.to_owned())))
    };
    let out = value("--out").unwrap_or_else(|| "target/release-files".to_owned());
    let only = value("--only").map(|only| only.split(',').map(str::to_owned).collect::<Vec<_>>());
    if has("--check") {
        return check::run(has("--full"), only.as_deref());
    }
    let options = Options { untagged: has("--untagged"), development: false, key: Key::given() };
    make(&process::root().join(out), only.as_deref(), options)
}

/// How a release is made.
struct Options {
    /// Although there is no tag.
    untagged: bool,
    /// With the development build of programs, which the tests have built already.
    development: bool,
    /// Signs it.
    key: Option<Key>,
}

/// Makes the release, or the named parts of it, in an empty folder.
fn make(out: &Path, only: Option<&[String]>, options: Options) -> Result<()> {
    let source = Source::read()?;
    if !source.tagged && !options.untagged {
        bail!(
            "this is no release: HEAD must carry the tag v{} and nothing may be changed. To see what would come out, add --untagged",
            source.version
        );
    }
    ensure!(
        !source.tagged || !source.repository.contains(".example"),
        "`repository` in Cargo.toml is a placeholder: set where the source is published, and `homepage`"
    );
    for name in only.into_iter().flatten() {
        ensure!(
            ARTEFACTS.iter().any(|artefact| artefact.name == name),
            "there is no artefact `{name}`: {}",
            ARTEFACTS.iter().map(|artefact| artefact.name).collect::<Vec<_>>().join(", ")
        );
    }
    empty(out)?;
    let job = Job { source, out: out.to_owned(), development: options.development };
    let lock = Lock::read()?;
    let chosen = |artefact: &&Artefact| only.is_none_or(|only| only.iter().any(|name| name == artefact.name));
    let mut subjects = Vec::new();
    for artefact in ARTEFACTS.iter().filter(chosen) {
        process::say(&format!("release: {}", artefact.name));
        for file in (artefact.make)(&job).with_context(|| artefact.name)? {
            let digest = sha256(&std::fs::read(out.join(&file))?);
            let list =
                sbom::of(&file, &digest, &artefact.ingredients, &lock, &job.source).with_context(|| file.clone())?;
            job.write(&format!("{file}.cdx.json"), pretty(&list)?.as_bytes())?;
            subjects.push((file, digest));
        }
    }
    layouts(&job)?;
    spin_manifest(&job)?;
    job.write("RELEASE-NOTES.md", notes::of(&job.source, &changelog()?, &digests(out)?)?.as_bytes())?;
    job.write("provenance.intoto.json", pretty(&provenance::statement(&subjects, &job.source)?)?.as_bytes())?;
    let sums = sums(out)?;
    job.write("SHA256SUMS", sums.as_bytes())?;
    let comment = format!("{} {} {}", metadata::PLUGIN.name, job.source.version, job.source.commit);
    match options.key {
        Some(key) => drop(job.write("SHA256SUMS.minisig", key.sign(sums.as_bytes(), &comment)?.as_bytes())?),
        None => process::say("not signed: MINISIGN_SECRET_KEY is not set"),
    }
    process::say(&format!("{} files in {}", sums.lines().count(), out.display()));
    Ok(())
}

/// Makes the folder new. One that holds something else than a release of before, outside of `target`, is left alone.
fn empty(out: &Path) -> Result<()> {
    if out.exists() {
        let ours = out.starts_with(process::root().join("target")) || out.join("SHA256SUMS").exists();
        let free = ours || std::fs::read_dir(out)?.next().is_none();
        ensure!(free, "{} holds other files: name an empty or new folder with --out", out.display());
        std::fs::remove_dir_all(out)?;
    }
    Ok(std::fs::create_dir_all(out)?)
}

/// Images of what registries take, below `oci/`.
fn layouts(job: &Job) -> Result<()> {
    let (oci, tag) = (job.out.join("oci"), job.source.version.clone());
    let read = |file: &str| std::fs::read(job.out.join(file)).ok();
    if let Some(wasm) = read("freshworks.wasm") {
        oci::wasm(&oci.join("plugin"), "freshworks.wasm", &wasm, &tag, &job.source)?;
    }
    if let Some(wasm) = read("agent-handoff-connector.wasm") {
        let contract = contract_version(&wasm)?;
        oci::wasm(&oci.join("wit"), "agent-handoff-connector.wasm", &wasm, &contract, &job.source)?;
    }
    if let Some(wasm) = read("freshworks-bridge.wasm") {
        let manifest = std::fs::read_to_string(process::root().join("spin/spin.toml"))?;
        oci::spin(&oci.join("bridge"), &manifest, &wasm, &tag, &job.source)?;
    }
    Ok(())
}

/// Of a WIT package.
fn contract_version(wasm: &[u8]) -> Result<String> {
    let decoded = wit_parser::decoding::decode(wasm)?;
    let name = &decoded.resolve().packages[decoded.package()].name;
    Ok(name.version.as_ref().context("the contract has no version")?.to_string())
}

/// The bridge's manifest, for `spin up` beside the component.
fn spin_manifest(job: &Job) -> Result<()> {
    if !job.out.join("freshworks-bridge.wasm").exists() {
        return Ok(());
    }
    let manifest = std::fs::read_to_string(process::root().join("spin/spin.toml"))?;
    let (before, rest) = manifest.split_once("source = \"").context("spin.toml names no component")?;
    let (_, rest) = rest.split_once('"').context("spin.toml names no component")?;
    let (build, after) =
        rest.split_once("[component.bridge.build]").context("spin.toml says nothing about the build")?;
    let (_, variables) = after.split_once("\n\n").context("spin.toml ends with the build")?;
    job.write("spin.toml", format!("{before}source = \"freshworks-bridge.wasm\"{build}{variables}").as_bytes())?;
    Ok(())
}

/// The images' digests, by which signatures and deployments name them.
fn digests(out: &Path) -> Result<Vec<(String, String)>> {
    let mut digests = Vec::new();
    for name in ["plugin", "bridge", "wit"] {
        let Ok(index) = std::fs::read(out.join("oci").join(name).join("index.json")) else { continue };
        let index: Value = serde_json::from_slice(&index)?;
        let digest = index["manifests"][0]["digest"].as_str().context("an index without a digest")?;
        digests.push((name.to_owned(), digest.to_owned()));
    }
    Ok(digests)
}

fn changelog() -> Result<String> {
    Ok(std::fs::read_to_string(process::root().join("CHANGELOG.md"))?)
}

/// A line for each file, as `sha256sum` writes and checks it.
fn sums(out: &Path) -> Result<String> {
    let (mut folders, mut lines) = (vec![out.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(out)?.to_string_lossy().replace('\\', "/");
            lines.push(format!("{}  {name}\n", sha256(&std::fs::read(&path)?)));
        }
    }
    lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
    Ok(lines.concat())
}

/// In hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// The triple that cargo builds for.
fn machine() -> Result<String> {
    let about = process::output(Command::new("rustc").arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    Ok(host.to_owned())
}

fn git(arguments: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    // A copy of the sources, in which the check builds again, has no history of its own.
    if let Some(history) = std::env::var_os(check::HISTORY) {
        git.env("GIT_DIR", history);
    }
    let output = process::output(git.args(arguments).env("TZ", "UTC").current_dir(process::root()))?;
    Ok(output.trim_end().to_owned())
}

/// What cargo knows about the workspace, and without `--no-deps` about all that it depends on.
pub(crate) fn cargo_metadata(arguments: &[&str]) -> Result<Value> {
    let mut cargo = process::cargo_command();
    cargo.args(["metadata", "--format-version", "1", "--locked"]).args(arguments).current_dir(process::root());
    Ok(serde_json::from_str(&process::output(&mut cargo)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_other_files_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("release-out-{}", std::process::id()));
        empty(&folder).unwrap();
        std::fs::write(folder.join("letter.txt"), "Dear Ana").unwrap();
        assert!(empty(&folder).unwrap_err().to_string().contains("--out"));
        assert!(folder.join("letter.txt").exists());
        std::fs::write(folder.join("SHA256SUMS"), "").unwrap();
        empty(&folder).unwrap();
        assert!(!folder.join("letter.txt").exists());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn checksums_are_written_as_sha256sum_writes_them() {
        let folder = std::env::temp_dir().join(format!("release-sums-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("oci")).unwrap();
        std::fs::write(folder.join("b"), "").unwrap();
        std::fs::write(folder.join("oci/a"), "a").unwrap();
        let sums = sums(&folder).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n";
        let a = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  oci/a\n";
        assert_eq!(sums, format!("{empty}{a}"));
    }
}
