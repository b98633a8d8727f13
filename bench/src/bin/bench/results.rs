//! Results as tables and as JSON; goals.

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::Bench;

/// A goal: the name of a figure, its upper or lower bound, and a description.
const GOALS: [(&str, Wanted, &str); 16] = [
    ("handoff_20ms_wall_wasm_to_native", Wanted::AtMost(1.02), "handoff, upstream of 20 ms: time to native"),
    ("handoff_1_cpu_wasm_to_native", Wanted::AtMost(1.5), "handoff, one at a time: processor to native"),
    ("handoff_64_cpu_wasm_to_native", Wanted::AtMost(1.7), "handoff, 64 at once: processor to native"),
    (
        "handoff_64_cpu_node_fetch_to_wasm",
        Wanted::AtLeast(6.0),
        "handoff, 64 at once: processor of Node with fetch to ours",
    ),
    (
        "handoff_64_cpu_node_axios_to_wasm",
        Wanted::AtLeast(6.0),
        "handoff, 64 at once: processor of Node with axios to ours",
    ),
    (
        "handoff_64_cpu_aiohttp_to_wasm",
        Wanted::AtLeast(4.0),
        "handoff, 64 at once: processor of Python with aiohttp to ours",
    ),
    ("start_node_worker_to_instance", Wanted::AtLeast(1000.0), "start: Node worker to instance"),
    ("start_node_process_to_instance", Wanted::AtLeast(1000.0), "start: Node process to instance"),
    (
        "start_v8_context_to_instance",
        Wanted::AtLeast(100.0),
        "start: V8 context to instance (an isolate costs more, and could not be had here)",
    ),
    (
        "webhook_verify_and_translate_rate",
        Wanted::AtLeast(4000.0),
        "webhooks verified and translated in a second on a core",
    ),
    ("component_bytes", Wanted::AtMost(400_000.0), "bytes of the component"),
    ("load_precompiled_us", Wanted::AtMost(500.0), "loading the compiled component, µs"),
    ("growth_history_slope", Wanted::AtMost(1.15), "time by length of the history: exponent of the curve's end"),
    ("growth_webhook_slope", Wanted::AtMost(1.15), "time by size of the webhook: exponent of the curve's end"),
    ("growth_tenants_slope", Wanted::AtMost(1.15), "time by number of tenants: exponent of the curve's end"),
    ("idle_1000_tenants_mib", Wanted::AtMost(100.0), "memory of 1,000 idle tenants, MiB"),
];

#[derive(Clone, Copy)]
enum Wanted {
    AtMost(f64),
    AtLeast(f64),
}

/// Figures by name.
#[derive(Default)]
pub(crate) struct Results {
    figures: Map<String, Value>,
}

impl Results {
    pub(crate) fn put(&mut self, name: &str, value: f64) {
        let rounded = if value.abs() >= 1000.0 { value.round() } else { (value * 1000.0).round() / 1000.0 };
        self.figures.insert(name.to_owned(), rounded.into());
    }

    pub(crate) fn get(&self, name: &str) -> f64 {
        self.figures.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN)
    }

    /// Keeps `name`, one figure as a multiple of another.
    pub(crate) fn ratio(&mut self, name: &str, of: &str, to: &str) {
        self.put(name, self.get(of) / self.get(to));
    }

    /// Goals as a table, and everything as JSON.
    pub(crate) fn finish(&self, bench: &Bench) -> Result<()> {
        println!("\n## Goals\n\n| What | Measured | Goal | |\n|---|---:|---:|---|");
        let mut goals = Vec::new();
        for (name, wanted, meaning) in GOALS {
            let value = self.get(name);
            let (is_met, goal) = match wanted {
                Wanted::AtMost(most) => (value <= most, format!("at most {most}")),
                Wanted::AtLeast(least) => (value >= least, format!("at least {least}")),
            };
            println!("| {meaning} | {} | {goal} | {} |", shown(value), if is_met { "met" } else { "**missed**" });
            goals.push(json!({ "name": name, "value": value, "goal": goal, "met": is_met }));
        }
        let all = json!({ "figures": self.figures, "goals": goals });
        std::fs::write(bench.target.join("bench.json"), serde_json::to_string_pretty(&all)? + "\n")?;
        println!("\nWritten: target/bench.json, docs/bench/");
        Ok(())
    }
}

/// A figure with three digits that count.
pub(crate) fn shown(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
