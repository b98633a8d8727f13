//! Figures of the plugin: measured, recorded, checked against their limits.
//!
//! Times are for reading only: they are never checked, because machines differ.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::{bench, plugin, process, spin};

const FILE: &str = "FIGURES.md";
/// Largest stripped component, in bytes.
const MAX_BYTES: u64 = 563_000;
/// Largest component of the bridge, in bytes.
const MAX_BRIDGE_BYTES: u64 = 2_280_000;
/// Largest console, compressed file by file, in bytes.
const MAX_CONSOLE_BYTES: u64 = 120 * 1024;
/// How much the size may differ from the record before it must be updated.
const SIZE_TOLERANCE: f64 = 0.01;
/// The same for instruction counts, which differ a little with the machine's copying routines and with random ids.
const INSTRUCTIONS_TOLERANCE: f64 = 0.03;
/// Interfaces without their versions: a patch release of WASI changes nothing that matters.
const IMPORTS: [&str; 6] = [
    "wasi:clocks/monotonic-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];
/// Figure and the most it may be.
const LIMITS: [(&str, u64); 9] = [
    ("component_bytes", MAX_BYTES),
    ("bridge_component_bytes", MAX_BRIDGE_BYTES),
    ("console_gzip_bytes", MAX_CONSOLE_BYTES),
    ("http_calls_first_handoff", 4),
    ("http_calls_known_user", 2),
    ("fuel_handoff", 900_000),
    ("fuel_relay", 260_000),
    ("native_instructions_handoff", 315_000),
    ("native_instructions_relay", 85_000),
];

/// Key, unit, what it is. In the order of the table.
const ROWS: [(&str, &str, &str); 34] = [
    ("component_bytes", "bytes", "the stripped component"),
    ("component_gzip_bytes", "bytes", "the same, compressed with gzip"),
    ("bridge_component_bytes", "bytes", "the bridge's component, for Spin"),
    ("console_gzip_bytes", "bytes", "the console's pages, each compressed with gzip"),
    ("http_calls_connect", "requests", "connect (they go out together)"),
    ("http_calls_first_handoff", "requests", "handoff of a new user with e-mail address, 40 messages of history"),
    ("http_calls_known_user", "requests", "handoff of a known user, 40 messages of history"),
    ("http_calls_incomplete_user", "requests", "the first handoff of a known user whose record lacks what is known"),
    ("http_calls_relay", "requests", "relay of a message"),
    ("http_calls_first_webhook", "requests", "first message of a human agent (name and photo are looked up)"),
    ("http_calls_next_webhook", "requests", "each further message"),
    ("http_calls_close", "requests", "close, with the summary of what a human agent wrote"),
    ("history_2000_messages_http_calls", "requests", "handoff with 2,000 messages"),
    ("history_1_mb_http_calls", "requests", "handoff with 1 MB of text"),
    ("session_bytes", "bytes", "session after handoff, relay and two webhooks"),
    ("fuel_connect", "instructions", "connect, in wasm (wasmtime's fuel)"),
    ("fuel_handoff", "instructions", "handoff of a new user, 40 messages, in wasm"),
    ("fuel_relay", "instructions", "relay, in wasm"),
    ("fuel_webhook", "instructions", "a webhook verified and translated, in wasm"),
    ("native_instructions_handoff", "instructions", "the same handoff, core natively (callgrind)"),
    ("native_instructions_relay", "instructions", "the same relay, core natively (callgrind)"),
    ("instantiate_us", "µs", "making an instance, pooled"),
    ("peek_us", "µs", "a whole call of `peek` on a fresh instance"),
    ("peek_256_kib_us", "µs", "the same with the largest body that a webhook may have"),
    ("relay_us", "µs", "a whole relay on a fresh instance, simulator on loopback"),
    ("handoff_40_messages_us", "µs", "a whole handoff on a fresh instance, simulator on loopback"),
    ("webhook_verify_and_translate_us", "µs", "a whole `on-webhook` on a fresh instance, no request"),
    ("history_2000_messages_ms", "ms", "handoff with 2,000 messages"),
    ("history_1_mb_ms", "ms", "handoff with 1 MB of text"),
    ("compile_ms", "ms", "compiling the component, two cores"),
    ("idle_instance_linear_memory_kib", "KiB", "linear memory of an instance (mostly untouched)"),
    ("waiting_instance_resident_kib", "KiB", "resident memory of an instance that waits for an answer, HTTP included"),
    ("history_2000_messages_memory_kib", "KiB", "linear memory, handoff with 2,000 messages"),
    ("history_1_mb_memory_kib", "KiB", "linear memory, handoff with 1 MB of text"),
];

/// Measures and writes the table, or with `check` compares limits and counts with it.
pub(crate) fn run(check: bool) -> Result<()> {
    plugin::build()?;
    process::say("measuring");
    // Built like the tests: other target selections change crate features, and wasmtime would be recompiled.
    process::cargo(&["build", "--workspace", "--all-targets"])?;
    let mut program = std::process::Command::new(process::target().join("debug/figures"));
    let mut figures: Map<String, Value> = serde_json::from_str(&process::output(program.arg(plugin::path()))?)?;
    for operation in ["handoff", "relay"] {
        figures.insert(format!("native_instructions_{operation}"), bench::instructions(operation)?.into());
    }
    let component = std::fs::read(plugin::path())?;
    let imports = plugin::imports(&component)?;
    figures.insert("component_bytes".to_owned(), component.len().into());
    figures.insert("component_gzip_bytes".to_owned(), gzip_bytes(&plugin::path())?.into());
    figures.insert("console_gzip_bytes".to_owned(), console_bytes()?.into());
    let bridge = std::fs::metadata(spin::build_bridge()?)?.len();
    figures.insert("bridge_component_bytes".to_owned(), bridge.into());
    figures.insert("imports".to_owned(), imports.lines().collect::<Vec<_>>().into());
    std::fs::write(process::root().join("target/report.json"), serde_json::to_string_pretty(&figures)? + "\n")?;

    let table = table(&figures)?;
    println!("\n{table}");
    hold_limits(&figures, &imports)?;
    let path = process::root().join(FILE);
    if check {
        return compare(&std::fs::read_to_string(&path).unwrap_or_default(), &figures);
    }
    std::fs::write(path, table)?;
    process::say("written: FIGURES.md, target/report.json");
    Ok(())
}

fn console_bytes() -> Result<u64> {
    let files = std::fs::read_dir(process::root().join("crates/bridge/console"))?;
    files.map(|file| gzip_bytes(&file?.path())).sum()
}

fn gzip_bytes(file: &std::path::Path) -> Result<u64> {
    let mut gzip = std::process::Command::new("gzip");
    let output = gzip.args(["-9", "-c"]).arg(file).output().context("gzip is required")?;
    Ok(output.stdout.len() as u64)
}

fn hold_limits(figures: &Map<String, Value>, imports: &str) -> Result<()> {
    let interfaces: Vec<&str> = imports.lines().map(|name| name.split('@').next().unwrap_or(name)).collect();
    if interfaces != IMPORTS {
        bail!("the plugin imports {interfaces:?}; it may only import {IMPORTS:?}");
    }
    for (key, most) in LIMITS {
        let figure = figures.get(key).and_then(Value::as_u64).with_context(|| format!("`{key}` was not measured"))?;
        if figure > most {
            bail!("`{key}` is {figure}; the limit is {most}");
        }
    }
    Ok(())
}

fn table(figures: &Map<String, Value>) -> Result<String> {
    let mut text = "# Figures\n\nMeasured by `cargo xtask report` on two cores, in a development build with an optimised runtime. \
                    Counts are exact; times are medians and differ between machines.\n\n\
                    | Figure | Value | Limit | What it is |\n|---|---:|---:|---|\n"
        .to_owned();
    for (key, unit, meaning) in ROWS {
        let value = figures.get(key).with_context(|| format!("`{key}` was not measured"))?;
        let limit =
            LIMITS.iter().find(|(limited, _)| *limited == key).map(|(_, most)| most.to_string()).unwrap_or_default();
        text += &format!("| `{key}` | {value} {unit} | {limit} | {meaning} |\n");
    }
    text += "\nImports of the component:\n\n";
    for import in figures.get("imports").and_then(Value::as_array).into_iter().flatten() {
        text += &format!("- `{}`\n", import.as_str().unwrap_or_default());
    }
    Ok(text)
}

/// Request counts must match the record; sizes and instructions may differ a little.
fn compare(recorded: &str, figures: &Map<String, Value>) -> Result<()> {
    for (key, unit, _) in ROWS {
        let line = recorded.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
        let old = line.and_then(|line| line.split('|').nth(2)?.split_whitespace().next()?.parse::<f64>().ok());
        let new = figures.get(key).and_then(Value::as_f64);
        let (Some(old), Some(new)) = (old, new) else { bail!("{FILE} has no `{key}`: run `cargo xtask report`") };
        let same = match unit {
            "requests" => old == new,
            "bytes" => (new - old).abs() <= old * SIZE_TOLERANCE,
            "instructions" => (new - old).abs() <= old * INSTRUCTIONS_TOLERANCE,
            _ => true,
        };
        if !same {
            bail!("`{key}` is {new}, {FILE} says {old}: find out why, then run `cargo xtask report`");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_beyond_its_tolerance_is_noticed() {
        let mut figures: Map<String, Value> = ROWS.iter().map(|(key, ..)| ((*key).to_owned(), 1000.into())).collect();
        figures.insert("imports".to_owned(), Value::Array(Vec::new()));
        let recorded = table(&figures).unwrap();
        for (key, now, passes) in [
            ("fuel_handoff", 1029, true),
            ("fuel_handoff", 1031, false),
            ("native_instructions_relay", 1031, false),
            ("component_bytes", 1011, false),
            ("http_calls_relay", 1001, false),
            ("compile_ms", 9000, true),
        ] {
            let mut figures = figures.clone();
            figures.insert(key.to_owned(), now.into());
            assert_eq!(compare(&recorded, &figures).is_ok(), passes, "{key} {now}");
        }
        assert!(hold_limits(&figures, "wasi:io/poll@0.2.6\nwasi:random/random@0.2.6\n").is_err());
    }
}
