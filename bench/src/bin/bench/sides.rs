//! Compares the sides: each a process on the first core, the upstream on the second.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use freshworks_bench::measure::Cost;
use freshworks_bench::work;
use tokio::runtime::Runtime;

use crate::Bench;
use crate::results::{Results, shown};

/// Name of the side, and the word for it in names of figures.
const SIDES: [(&str, &str); 5] = [
    ("native core, ureq", "native"),
    ("plugin, an instance for each call", "wasm"),
    ("Node, fetch", "node_fetch"),
    ("Node, axios", "node_axios"),
    ("Python, aiohttp", "aiohttp"),
];

/// Operation, milliseconds of the upstream, how many at once, how many.
const CASES: [(&str, u64, usize, usize); 6] = [
    ("handoff", 0, 1, 1500),
    ("handoff", 0, 64, 4000),
    ("handoff", 20, 1, 40),
    ("relay", 0, 1, 2500),
    ("relay", 0, 64, 6000),
    ("webhook", 0, 1, 3000),
];

/// The upstream, until it is dropped.
struct Upstream {
    child: Child,
    origin: String,
}

impl Upstream {
    fn start(program: &Path, delay: u64) -> Result<Self> {
        let mut command = pinned(1, program);
        let mut child = command
            .arg(delay.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("no upstream")?;
        let mut origin = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut origin)?;
        Ok(Self { child, origin: origin.trim().to_owned() })
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pinned(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

pub(crate) fn run(bench: &Bench, runtime: &Runtime, results: &mut Results) -> Result<()> {
    let programs = bench.target.join("release");
    for (operation, delay, in_flight, operations) in CASES {
        let upstream = Upstream::start(&programs.join("upstream"), delay)?;
        let work = runtime.block_on(work::make(&bench.plugin, &upstream.origin))?;
        let file = bench.target.join("bench-work.json");
        std::fs::write(&file, serde_json::to_vec(&work)?)?;
        let case = if delay > 0 { format!("{operation}_{delay}ms") } else { format!("{operation}_{in_flight}") };
        println!("\n## {operation}, {in_flight} at once, upstream {delay} ms\n");
        println!(
            "| Side | p50 µs | p99 µs | processor µs | a second | processor to native |\n|---|---:|---:|---:|---:|---:|"
        );
        for (name, word) in SIDES {
            // In two rounds, of which the better counts: the machine has other things to do, too.
            let mut best: Option<Cost> = None;
            for _ in 0..2 {
                let peer = bench.root.join("bench/peers");
                let mut command = match word {
                    "native" | "wasm" => pinned(0, &programs.join("side")),
                    "aiohttp" => pinned(0, &bench.python),
                    _ => pinned(0, Path::new("node")),
                };
                match word {
                    "native" | "wasm" => command.arg(word),
                    "aiohttp" => command.arg(peer.join("peer.py")).arg("aiohttp"),
                    _ => command.arg(bench.node.join("peer.mjs")).arg(word.trim_start_matches("node_")),
                };
                command.args([operation, &operations.to_string(), &in_flight.to_string()]).arg(&file);
                if word == "wasm" {
                    command.arg(&bench.plugin);
                }
                let output = command.stderr(Stdio::inherit()).output()?;
                ensure!(output.status.success(), "{name} failed");
                let cost: Cost = serde_json::from_slice(&output.stdout)?;
                best = Some(best.filter(|best| best.cpu_us <= cost.cpu_us).unwrap_or(cost));
            }
            let cost = best.context("no round")?;
            for (figure, value) in
                [("wall", cost.p50_us), ("p99", cost.p99_us), ("cpu", cost.cpu_us), ("rate", cost.rate)]
            {
                results.put(&format!("{case}_{figure}_{word}"), value);
            }
            println!(
                "| {name} | {} | {} | {} | {} | {} |",
                shown(cost.p50_us),
                shown(cost.p99_us),
                shown(cost.cpu_us),
                shown(cost.rate),
                shown(cost.cpu_us / results.get(&format!("{case}_cpu_native"))),
            );
        }
        for figure in ["wall", "cpu"] {
            let of = |word: &str| format!("{case}_{figure}_{word}");
            results.ratio(&format!("{case}_{figure}_wasm_to_native"), &of("wasm"), &of("native"));
            for other in ["node_fetch", "node_axios", "aiohttp"] {
                results.ratio(&format!("{case}_{figure}_{other}_to_wasm"), &of(other), &of("wasm"));
            }
        }
    }
    results.put("webhook_verify_and_translate_rate", results.get("webhook_1_rate_wasm"));
    Ok(())
}
