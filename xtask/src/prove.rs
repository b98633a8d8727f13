//! The proof by brute force, and its own test: with any one protection broken, the plugin must fail it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::Step;
use crate::{plugin, process};

/// One protection, broken on purpose.
struct Mutation {
    /// The resulting misbehaviour.
    name: &'static str,
    file: &'static str,
    /// Occurs exactly once in the file.
    original: &'static str,
    replacement: &'static str,
    /// Flows that show it: the beginning of a name, or `=` and a name; or [`BRIDGE`].
    flows: &'static [&'static str],
}

/// Shown by the bridge's tests that kill its instances, not by the prover, which only drives the plugin.
const BRIDGE: &[&str] = &["bridge"];

const MUTATIONS: [Mutation; 30] = [
    Mutation {
        name: "private notes reach the end user",
        file: "src/use_cases/webhook/translate.rs",
        original: "    if message.private {\n        return Err(\"private-note\");",
        replacement: "    if false {\n        return Err(\"private-note\");",
        flows: &["=agent-answers"],
    },
    Mutation {
        name: "webhooks are not verified",
        file: "src/use_cases/webhook.rs",
        original: "    verify(&settings, delivery)?;\n",
        replacement: "    let _ = verify(&settings, delivery);\n",
        flows: &["=resolve"],
    },
    Mutation {
        name: "a message without a type is treated as an answer",
        file: "src/use_cases/webhook.rs",
        original: "    let could_be_an_answer = ",
        replacement: "    let could_be_an_answer = false && ",
        flows: &["=agent-answers"],
    },
    Mutation {
        name: "a write of unknown outcome is repeated without a look-up",
        file: "src/conversation/journal.rs",
        original: "    if *unsure && !is_over {",
        replacement: "    if false && !is_over {",
        flows: &["=relay-text"],
    },
    Mutation {
        name: "a message that was refused and stored is sent again",
        file: "src/conversation/journal.rs",
        original: "        FailureKind::Refused => {\n            let behind",
        replacement: "        FailureKind::Refused if false => {\n            let behind",
        flows: &["=relay-text"],
    },
    Mutation {
        name: "an interrupted relay without a session is not looked for",
        file: "src/conversation/session/relaying.rs",
        original: "        if retry {\n            (journal.unsure",
        replacement: "        if false {\n            (journal.unsure",
        flows: &["=relay-text"],
    },
    Mutation {
        name: "only the first piece of an interrupted relay is looked for",
        file: "src/use_cases/relay.rs",
        original: "        journal.unsure = sent == Sent::Perhaps || journal.untracked;",
        replacement: "        journal.unsure = sent == Sent::Perhaps;",
        flows: &["=relay-long-text"],
    },
    Mutation {
        name: "a relayed message is not remembered",
        file: "src/conversation/session.rs",
        original: "        push_bounded(&mut self.own_messages, message);",
        replacement: "        let _ = message;",
        flows: &["=relay-equal-texts"],
    },
    Mutation {
        name: "a conversation of unknown outcome is created again without a look-up",
        file: "src/use_cases/handoff/live.rs",
        original: "        if session.look || session.is_unsure(Unsure::Conversation) {",
        replacement: "        if session.look {",
        flows: &["=first-handoff"],
    },
    Mutation {
        name: "what a lost session had created is not looked for",
        file: "src/use_cases/handoff.rs",
        original: "    session.look |= request.retry;\n",
        replacement: "",
        flows: &["=first-handoff"],
    },
    Mutation {
        name: "ends after a lost session have the ids of earlier ones",
        file: "src/conversation/session.rs",
        original: "Self { lost: true, rounds: number,",
        replacement: "Self { lost: true, rounds: 0 * number,",
        flows: &["=session-lost-after-reopen"],
    },
    Mutation {
        name: "the note about the end is repeated without a look-up",
        file: "src/use_cases/close.rs",
        original: "        let mut unsure = retry || session.is_unsure(Unsure::EndNote);",
        replacement: "        let mut unsure = retry && false;",
        flows: &["=leave"],
    },
    Mutation {
        name: "the echo of our own close is reported as an agent's resolution",
        file: "src/use_cases/webhook/translate.rs",
        original: "session.end.map_or(Outcome::Resolved, close::outcome)",
        replacement: "Outcome::Resolved",
        flows: &["=leave"],
    },
    Mutation {
        name: "outdated webhooks take effect",
        file: "src/use_cases/webhook/translate.rs",
        original: "    if changes_status && event.at.is_some_and(|at| at < session.changed_at) {",
        replacement: "    if false && changes_status && event.at.is_some_and(|at| at < session.changed_at) {",
        flows: &["=reopen"],
    },
    Mutation {
        name: "the timer does not look for lost answers",
        file: "src/use_cases/tick.rs",
        original: "        if matches!(message.actor, Actor::Agent(_)) {",
        replacement: "        if false && matches!(message.actor, Actor::Agent(_)) {",
        flows: &["=agent-answers"],
    },
    Mutation {
        name: "the timer does not look for a lost reopening",
        file: "src/use_cases/tick.rs",
        original: "    if session.state == SessionState::Returned && !is_resolved",
        replacement: "    if false && session.state == SessionState::Returned && !is_resolved",
        flows: &["=reopen-after-leave"],
    },
    Mutation {
        name: "a message in doubt is looked for only after our newest",
        file: "src/use_cases/relay.rs",
        original: "    let (behind, candidates) = (journal.behind.clone(), journal.candidates.clone());",
        replacement: "    let (behind, candidates) = (session.own_messages.last().cloned(), journal.candidates.clone());",
        flows: &["interleavings"],
    },
    Mutation {
        name: "a successful end note also settles whether a conversation was opened",
        file: "src/conversation/session.rs",
        original: "        self.unsure.retain(|other| *other != write);",
        replacement: "        self.unsure.clear();",
        flows: &["interleavings"],
    },
    Mutation {
        name: "each message opens another conversation after a superseded one",
        file: "src/use_cases/relay.rs",
        original: "    if adopt_replacement(freshchat, session, old, user)?.is_some() {\n        return Ok(Sent::Perhaps);\n    }\n",
        replacement: "",
        flows: &["interleavings"],
    },
    Mutation {
        name: "search results are not compared with the query",
        file: "src/use_cases/handoff/target.rs",
        original: "found.retain(|user| search.is_answered_by(user));",
        replacement: "found.retain(|_| true);",
        flows: &["=search-finds-everybody", "=search-by-prefix"],
    },
    Mutation {
        name: "an unverified address opens a known record",
        file: "crates/contract/src/model.rs",
        original: "address.filter(|_| is_verified)",
        replacement: "address",
        flows: &["=unverified-address"],
    },
    Mutation {
        name: "another person's record is taken for a new one",
        file: "src/use_cases/handoff/target.rs",
        original: "Ok(user) if is_own(&user, wanted, has_address) =>",
        replacement: "Ok(user) if true =>",
        flows: &["=address-of-another"],
    },
    Mutation {
        name: "a refused search fails the handoff",
        file: "src/use_cases/handoff/target.rs",
        original: "Err(failure) if is_refused(&failure) => {",
        replacement: "Err(failure) if false && is_refused(&failure) => {",
        flows: &["=search-refused"],
    },
    Mutation {
        name: "a deleted conversation is waited for",
        file: "src/use_cases/tick.rs",
        original: "journal::is_gone(freshchat, id) => Ok(None)",
        replacement: "false && journal::is_gone(freshchat, id) => Ok(None)",
        flows: &["=gone"],
    },
    Mutation {
        name: "an interrupted handoff keeps a deleted conversation",
        file: "src/use_cases/handoff/live.rs",
        original: "failure.kind == FailureKind::NotFound && journal::is_gone(self.freshchat, conversation)",
        replacement: "{ let _ = (failure, conversation); false }",
        flows: &["=gone-half-made"],
    },
    Mutation {
        name: "a refusing account holds the conversation for ever",
        file: "src/conversation/timers.rs",
        original: "_ => waited >= if may_pass { SILENT_FOR_MS } else { REFUSED_FOR_MS },",
        replacement: "_ => false,",
        flows: &["=key-revoked"],
    },
    Mutation {
        name: "a single wrong response ends a ticket",
        file: "src/conversation/ticket.rs",
        original: "FailureKind::NotFound => match desk.call(&get) {",
        replacement: "FailureKind::NotFound => match Err::<Ticket, Failure>(failure) {",
        flows: &["=ticket"],
    },
    Mutation {
        name: "interrupted relays are not passed on to the session",
        file: "crates/bridge/src/lease.rs",
        original: ".for_each(|key| session.doubt(key));",
        replacement: ".for_each(drop);",
        flows: BRIDGE,
    },
    Mutation {
        name: "the session forgets messages in doubt",
        file: "src/conversation/session/relaying.rs",
        original: "self.put_off(Relaying { unsure: true, untracked: true, ..journal });",
        replacement: "drop(journal);",
        flows: BRIDGE,
    },
    Mutation {
        name: "a delivery leaves the inbox before its effects are stored",
        file: "crates/bridge/src/webhooks/inbox.rs",
        original: "            let done = self.take_effect(",
        replacement: "            self.state.next_delivery(&connection.id, id, Some(&delivery.id))?;\n            let done = self.take_effect(",
        flows: BRIDGE,
    },
];

/// Builds quickly, and is never shipped. Dependencies stay optimised: they check signatures.
const PROFILE: &str = "
[profile.mutant]
inherits = \"release\"
opt-level = 1
lto = false
codegen-units = 16
incremental = true
panic = \"abort\"
debug = false

[profile.mutant.package.\"*\"]
opt-level = 3
";

/// Runs the proof with the arguments of `prove`; then breaks plugin and bridge in every known way.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let with_mutations = !arguments.iter().any(|argument| argument == "--no-mutations");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).filter(|it| *it != "--no-mutations").collect();
    let file = process::root().join("target/prove.json");
    let mut steps: Vec<Step<'_>> = vec![
        ("building the plugin", Box::new(plugin::build)),
        (
            "building the prover (some minutes the first time)",
            Box::new(|| process::cargo(&["build", "--package", "host-test", "--bin", "prove"])),
        ),
    ];
    if let Some((&"--only-mutations", words)) = arguments.split_first() {
        steps.push(("breaking protections on purpose", Box::new(|| break_plugins(&file, words))));
        return process::steps(steps);
    }
    let prove = || {
        let mut proof = Command::new(program());
        process::run(proof.arg(plugin::path()).args(&arguments).arg("--json").arg(&file))
    };
    steps.push(("proving the plugin", Box::new(prove)));
    // A single run or flow is not a proof.
    let is_whole = !arguments.iter().any(|it| {
        ["--flow", "--fault", "--walk", "--pair", "--interleaving", "--trace"].iter().any(|part| it.starts_with(part))
    });
    if is_whole {
        steps.push(("proving the bridge", Box::new(|| prove_bridge(every(&arguments), &file))));
    }
    if is_whole && with_mutations {
        steps.push(("breaking protections on purpose", Box::new(|| break_plugins(&file, &[]))));
    }
    process::steps(steps)
}

/// Runs only every n-th of the runs with one fault.
fn every(arguments: &[&str]) -> usize {
    let given = arguments.iter().position(|it| *it == "--every").and_then(|at| arguments.get(at + 1)).copied();
    let given = given.or_else(|| arguments.iter().find_map(|it| it.strip_prefix("--every=")));
    given.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// The tests that kill instances of the bridge at each step. `folder`: where its sources are.
fn bridge(folder: &Path, every: usize) -> Result<Command> {
    let mut cargo = process::cargo_command();
    cargo.args(["test", "--quiet", "--package", "handoff-bridge", "--lib"]);
    cargo.current_dir(folder).env("CARGO_TARGET_DIR", std::path::absolute(process::target())?);
    cargo.env("BRIDGE_PROOF_EVERY", every.to_string());
    Ok(cargo)
}

/// Kills instances of the bridge, and adds the runs to the figures of the previous proof.
fn prove_bridge(every: usize, file: &Path) -> Result<()> {
    process::say("proving the bridge");
    let mut shown = Vec::new();
    let mut tests = bridge(&process::root(), every)?;
    process::lines(tests.args(["tests::proof::", "--", "--nocapture"]), &mut |line| {
        println!("{line}");
        shown.extend(line.trim_start_matches('.').strip_prefix("bridge: ").map(Value::from));
    })?;
    if shown.len() != 2 {
        bail!("the proof of the bridge did not run");
    }
    let mut figures: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    figures["bridge"] = shown.into();
    Ok(std::fs::write(file, serde_json::to_string_pretty(&figures)? + "\n")?)
}

/// Breaks the plugin in every known way, and adds the results to the figures of the previous proof. With `words`: only in the
/// ways whose names contain one of them, which is not a proof and leaves the figures unchanged.
fn break_plugins(file: &Path, words: &[&str]) -> Result<()> {
    let started = Instant::now();
    let is_chosen = |(at, mutation): &(usize, &Mutation)| {
        words.is_empty() || words.iter().any(|word| part(word, *at).unwrap_or_else(|| mutation.name.contains(word)))
    };
    let chosen: Vec<&Mutation> = MUTATIONS.iter().enumerate().filter(is_chosen).map(|(_, mutation)| mutation).collect();
    let caught = mutations(&chosen)?;
    if words.is_empty()
        && let Ok(text) = std::fs::read_to_string(file)
    {
        let mut figures: Value = serde_json::from_str(&text)?;
        figures["mutations"] = MUTATIONS.len().into();
        figures["mutations_caught"] = caught.into();
        figures["seconds"] =
            (figures["seconds"].as_f64().unwrap_or(0.0) + started.elapsed().as_secs_f64()).round().into();
        std::fs::write(file, serde_json::to_string_pretty(&figures)? + "\n")?;
    }
    if caught < chosen.len() {
        bail!("{} of {} broken protections were not noticed", chosen.len() - caught, chosen.len());
    }
    Ok(())
}

/// Whether `1/2` (the first half) or the like holds this place; none if the word is not of this form.
fn part(word: &str, at: usize) -> Option<bool> {
    let (number, parts) = word.split_once('/')?;
    let (number, parts): (usize, usize) = (number.parse().ok()?, parts.parse().ok()?);
    Some(at.checked_rem(parts)? + 1 == number)
}

/// One half of the mutations, then the other, by the number of commits: CI breaks half of the protections each time.
pub(crate) fn half() -> String {
    let mut count = Command::new("git");
    count.args(["rev-list", "--count", "HEAD"]).current_dir(process::root());
    let commits = process::output(&mut count).ok().and_then(|text| text.trim().parse::<usize>().ok());
    format!("{}/2", commits.unwrap_or(0) % 2 + 1)
}

fn program() -> PathBuf {
    process::target().join("debug/prove")
}

/// Breaks the plugin in every known way; returns how many of them the proof noticed.
fn mutations(chosen: &[&Mutation]) -> Result<usize> {
    let workshop = process::root().join("target/mutants");
    process::say("breaking the plugin on purpose");
    copy_sources(&workshop)?;
    // Before the first build, because builds are slow.
    for mutation in &MUTATIONS {
        let whole = std::fs::read_to_string(workshop.join(mutation.file))?;
        if whole.matches(mutation.original).count() != 1 {
            bail!("the list of mutations is out of date with {}: \"{}\"", mutation.file, mutation.name);
        }
    }
    let of_plugin = chosen.iter().filter(|mutation| mutation.flows != BRIDGE);
    let all: Vec<&str> = of_plugin.flat_map(|mutation| mutation.flows).copied().collect();
    // The same build without a mutation, so that the proof later detects the mutation, not the cheap build.
    if !all.is_empty() && violates(&build(&workshop, "whole")?, &all)? {
        bail!("the cheaply built plugin fails the proof without any mutation");
    }
    if chosen.iter().any(|mutation| mutation.flows == BRIDGE) && bridge_violates(&workshop)? {
        bail!("the bridge fails the proof without any mutation");
    }
    let mut caught = 0;
    for (number, mutation) in chosen.iter().enumerate() {
        process::say(&format!("{} of {}: {}", number + 1, chosen.len(), mutation.name));
        let started = Instant::now();
        let path = workshop.join(mutation.file);
        let whole = std::fs::read_to_string(&path)?;
        std::fs::write(&path, whole.replace(mutation.original, mutation.replacement))?;
        let noticed = if mutation.flows == BRIDGE {
            bridge_violates(&workshop)
        } else {
            build(&workshop, &format!("mutant-{number}")).and_then(|built| violates(&built, mutation.flows))
        };
        std::fs::write(&path, &whole)?;
        let noticed = noticed?;
        caught += usize::from(noticed);
        let word = if noticed { "noticed" } else { "NOT NOTICED" };
        println!("    {word:11}  {} ({:.0?})", mutation.name, started.elapsed());
    }
    Ok(caught)
}

/// The sources of the plugin and the bridge's tests, with a separate profile.
fn copy_sources(workshop: &Path) -> Result<()> {
    let root = process::root();
    let manifest = std::fs::read_to_string(root.join("Cargo.toml"))?;
    let (before, rest) = manifest.split_once("members = [").context("Cargo.toml lists no members")?;
    let (_, after) = rest.split_once(']').context("the members in Cargo.toml have no end")?;
    let members = "members = [\"crates/bridge\", \"crates/contract\", \"crates/plugin\"]";
    std::fs::create_dir_all(workshop.join(".cargo"))?;
    write(&workshop.join("Cargo.toml"), &format!("{before}{members}{after}{PROFILE}"))?;
    write(&workshop.join("Cargo.lock"), &std::fs::read_to_string(root.join("Cargo.lock"))?)?;
    write(&workshop.join(".cargo/config.toml"), &std::fs::read_to_string(root.join(".cargo/config.toml"))?)?;
    // The tests of the bridge read from documentation, deployment files and fixtures.
    let crates = ["crates/bridge", "crates/contract", "crates/plugin", "spin/no-router", "src"];
    for folder in crates.into_iter().chain(["deploy", "docs", "fixtures", "wit"]) {
        // Deleted files must not remain.
        let copy = workshop.join(folder);
        if copy.exists() {
            std::fs::remove_dir_all(&copy)?;
        }
        copy_folder(&root.join(folder), &copy)?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let from = entry?.path();
        let to = to.join(from.file_name().unwrap_or_default());
        // Build output there is large and useless here.
        if from.ends_with("target") {
            continue;
        }
        if from.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            std::fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// Builds the workshop.
fn build(workshop: &Path, name: &str) -> Result<PathBuf> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let target = workshop.join("target");
    let arguments = ["build", "--quiet", "--package", "freshworks-plugin", "--profile", "mutant", "--target", TARGET];
    let mut cargo = process::cargo_command();
    process::run(
        cargo.args(arguments).current_dir(workshop).env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", "-Awarnings"),
    )?;
    let kept = workshop.join(format!("{name}.wasm"));
    std::fs::copy(target.join(TARGET).join("mutant/freshworks_plugin.wasm"), &kept)?;
    Ok(kept)
}

/// Whether the bridge in the workshop fails its proof. A compile error is not a broken protection.
fn bridge_violates(workshop: &Path) -> Result<bool> {
    const EVERY: usize = 11;
    // With the usual flags, so that dependencies are not rebuilt.
    let built = bridge(workshop, EVERY)?.arg("--no-run").output()?;
    if !built.status.success() {
        bail!("the bridge does not compile: {}", String::from_utf8_lossy(&built.stderr).trim());
    }
    Ok(!bridge(workshop, EVERY)?.arg("tests::proof::").output()?.status.success())
}

/// Whether the proof finds a violation in these flows.
fn violates(plugin: &Path, flows: &[&str]) -> Result<bool> {
    let mut proof = Command::new(program());
    proof.arg(plugin).args(["--until-first-violation", "--doubles", "0", "--interleavings", "1500"]);
    for flow in flows {
        proof.args(["--flow", flow]);
    }
    let output = proof.output().context("the prover cannot be started")?;
    match output.status.code() {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => bail!("the prover failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_hold_every_mutation_once() {
        for at in 0..MUTATIONS.len() {
            assert_eq!((1..=2).filter(|number| part(&format!("{number}/2"), at) == Some(true)).count(), 1);
        }
        assert_eq!((part("brief", 0), part("1/0", 0), part("a/2", 0)), (None, None, None));
    }
}
