//! The program of the tutorial runs.

#[allow(dead_code)]
#[path = "../../crates/host/examples/embed.rs"]
mod example;

#[tokio::test]
async fn the_tutorials_program_hands_over_and_receives_an_answer() {
    let plugin = std::env::var_os("FRESHWORKS_PLUGIN").map(std::path::PathBuf::from);
    let plugin =
        plugin.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugin/freshworks.wasm").into());
    assert!(plugin.exists(), "run `cargo xtask build` first");
    assert_eq!(example::embed(&plugin).await.unwrap(), "Maya Chen: Hello Ana, I am looking into it.");
}
