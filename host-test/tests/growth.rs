//! Doubling the input may at most double the work: for every function over people's text or a vendor's body, in counted instructions.
//!
//! The probe (`testing/fuzz/src/growth.rs`) holds the functions and the tokens that each is sensitive to. Repeats of every token, and for
//! functions over text of every pair of tokens, are what an attacker would send.

use wasmtime::{Config, Engine, Linker, Module, Store, TypedFunc};

/// The maximum growth for a doubled input.
const MOST: f64 = 2.2;
/// For a single function, which shows quadratic growth early, and for calls that read a text ten times.
const FUNCTION_BYTES: u32 = 4096;
const CALL_BYTES: u32 = 1024;
const PAIR_BYTES: u32 = 512;
/// Whose tokens are also tried in pairs.
const IN_PAIRS: [&str; 3] = ["masking", "plain_text", "quoted_mail"];
/// Functions of the bridge.
const BRIDGE: [&str; 4] = ["bridge_bodies", "platform_events", "standard_webhooks", "bridge_paths"];
/// No token: the input is a repeat of one.
const ALONE: u32 = u32::MAX;

struct Probe {
    store: Store<()>,
    memory: wasmtime::Memory,
    run: TypedFunc<(u32, u32, u32, u32, u32), ()>,
    count: TypedFunc<(), u32>,
    tokens: TypedFunc<u32, u32>,
    name: TypedFunc<u32, u64>,
}

impl Probe {
    fn load(module: &Module) -> Self {
        let mut store = Store::new(module.engine(), ());
        store.set_fuel(u64::MAX).unwrap();
        let mut linker = Linker::new(module.engine());
        linker.define_unknown_imports_as_traps(module).unwrap();
        let instance = linker.instantiate(&mut store, module).unwrap();
        Self {
            memory: instance.get_memory(&mut store, "memory").unwrap(),
            run: instance.get_typed_func(&mut store, "run").unwrap(),
            count: instance.get_typed_func(&mut store, "count").unwrap(),
            tokens: instance.get_typed_func(&mut store, "tokens").unwrap(),
            name: instance.get_typed_func(&mut store, "name").unwrap(),
            store,
        }
    }

    fn name(&mut self, case: u32) -> String {
        let place = self.name.call(&mut self.store, case).unwrap();
        let (start, length) = ((place & 0xffff_ffff) as usize, (place >> 32) as usize);
        String::from_utf8_lossy(&self.memory.data(&self.store)[start..start + length]).into_owned()
    }

    /// Instructions of one run, without those that make its input.
    fn work(&mut self, case: u32, one: u32, other: u32, bytes: u32) -> u64 {
        let mut spent = |work: u32| {
            let before = self.store.get_fuel().unwrap();
            self.run.call(&mut self.store, (case, one, other, bytes, work)).unwrap();
            before - self.store.get_fuel().unwrap()
        };
        spent(1).saturating_sub(spent(0))
    }
}

fn module(variable: &str, target: &str) -> Module {
    let path = std::env::var_os(variable).map(std::path::PathBuf::from);
    let built = format!("{}/../target/growth/{target}/guest/fuzz.wasm", env!("CARGO_MANIFEST_DIR"));
    let path = path.unwrap_or_else(|| built.into());
    assert!(path.exists(), "run `cargo xtask test` once, or build the probe as xtask does");
    let mut config = Config::new();
    config.consume_fuel(true);
    Module::from_file(&Engine::new(&config).unwrap(), path).unwrap()
}

/// Excessive growth: the case, its tokens, and the factor.
fn too_fast(module: &Module, case: u32) -> Vec<String> {
    let mut probe = Probe::load(module);
    let (name, tokens) = (probe.name(case), probe.tokens.call(&mut probe.store, case).unwrap());
    let is_function = IN_PAIRS.contains(&name.as_str());
    let bytes = if is_function { FUNCTION_BYTES } else { CALL_BYTES };
    let mut tries: Vec<(u32, u32, u32)> = (0..tokens).map(|one| (one, ALONE, bytes)).collect();
    if is_function {
        tries.extend((0..tokens).flat_map(|one| (0..tokens).map(move |other| (one, other, PAIR_BYTES))));
    }
    let mut found = Vec::new();
    for (one, other, bytes) in tries {
        let (small, large) = (probe.work(case, one, other, bytes), probe.work(case, one, other, bytes * 2));
        let growth = large as f64 / small as f64;
        if growth > MOST {
            found
                .push(format!("{name}, tokens {one} and {other}: {small} and {large} instructions, {growth:.2} times"));
        }
    }
    found
}

#[test]
fn twice_the_input_takes_at_most_twice_the_work() {
    let module = module("FRESHWORKS_GROWTH", "wasm32-unknown-unknown");
    let mut probe = Probe::load(&module);
    let cases = probe.count.call(&mut probe.store, ()).unwrap();
    assert!(cases >= 28, "{cases} cases");
    none_grows_too_fast(&module, 0..cases);
}

/// The bridge's cases follow the core's, in a probe that is built like the bridge.
#[test]
fn twice_the_input_takes_the_bridge_at_most_twice_the_work() {
    let module = module("FRESHWORKS_BRIDGE_GROWTH", "wasm32-wasip2");
    let mut probe = Probe::load(&module);
    let cases = probe.count.call(&mut probe.store, ()).unwrap();
    let names: Vec<String> = (0..cases).map(|case| probe.name(case)).collect();
    let first = names.iter().position(|name| name == "bridge_bodies").expect("the bridge's are there");
    assert_eq!(names[first..], BRIDGE);
    none_grows_too_fast(&module, u32::try_from(first).unwrap()..cases);
}

fn none_grows_too_fast(module: &Module, cases: std::ops::Range<u32>) {
    let next = std::sync::atomic::AtomicU32::new(cases.start);
    let found = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if case >= cases.end {
                        return;
                    }
                    found.lock().unwrap().extend(too_fast(module, case));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{}:\n{}", found.len(), found.join("\n"));
}
