//! The steps of `docs/operations.md`, pasted line by line into a shell, against a bridge.

use std::path::Path;

use e2e::{Environment, Store, TOKEN};
use serde_json::Value;
use spin_emulator::SqliteFile;

/// The block after this mark, without its fences.
fn block(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("<!-- pasted: {name} -->")).unwrap_or_else(|| panic!("no block {name}"));
    let lines = rest.lines().skip_while(|line| !line.trim_start().starts_with("```")).skip(1);
    let lines = lines.take_while(|line| !line.trim_start().starts_with("```"));
    lines.map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned() + "\n").collect()
}

/// A shell's standard output.
async fn shell(folder: &Path, script: String) -> String {
    let mut shell = tokio::process::Command::new("sh");
    let output = shell.args(["-e", "-c", &script]).current_dir(folder).output().await.unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_steps_of_the_operations_page_work_when_they_are_pasted() {
    let (page, folder) = (page(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    // The first step is the operator's own; its token is the one that later steps send.
    let token = shell(folder, block(&page, "secrets") + "printf %s \"$API_TOKEN\"\n").await;
    assert!(token.len() >= 24, "{token}");
    let again = shell(folder, ". ./bridge.env\nprintf %s \"$API_TOKEN\"\n".to_owned()).await;
    assert_eq!(again, token);

    let mut stage = Environment::reaching(Store::Sqlite(SqliteFile::default()), &[]).await.unwrap();
    stage.set_variable("api_token", &token);
    let stage = stage.with_instances(1).await.unwrap();
    // Fills in the page's placeholders, as an operator does.
    let bridge = stage.front.origin();
    shell(folder, format!("echo 'export BRIDGE_URL={bridge}' >> bridge.env\n")).await;
    shell(folder, block(&page, "settings")).await;
    let written = std::fs::read_to_string(folder.join("connection.json")).unwrap();
    let mut connection: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(connection["platform"]["kind"], "delight");
    connection["settings"] = stage.settings();
    connection["platform"] = serde_json::json!({ "kind": "polling" });
    std::fs::write(folder.join("connection.json"), connection.to_string()).unwrap();
    let with_variables = |name: &str| format!(". ./bridge.env\n{}", block(&page, name));
    let connected = shell(folder, with_variables("connect")).await;
    assert!(connected.contains("\"connected\":true"), "{connected}");

    let timer: serde_json::Value = serde_json::from_str(&shell(folder, with_variables("timer")).await).unwrap();
    let line = format!("Authorization: Bearer {}\n", timer["token"].as_str().unwrap());
    std::fs::write(folder.join("authorization"), line).unwrap();
    let cron = block(&page, "cron");
    let call = cron.trim().strip_prefix("* * * * * ").unwrap();
    let call = call.replace("/etc/handoff-bridge", folder.to_str().unwrap());
    shell(folder, call.replace("https://bridge.example.com", bridge)).await;
    let metrics = with_variables("connect").lines().next().unwrap_or_default().to_owned();
    let ask = format!("{metrics}\ncurl -fsS -H \"Authorization: Bearer $API_TOKEN\" \"$BRIDGE_URL/metrics\"\n");
    let metrics = shell(folder, ask).await;
    assert!(metrics.contains("\nhandoff_timer_lateness_seconds 0.0\n"), "{metrics}");
    assert_ne!(token, TOKEN);
}

#[test]
fn files_for_timers_call_the_timer_and_commands_name_variables_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    for file in ["deploy/handoff-tick.service", "deploy/kubernetes-tick.yaml"] {
        let text = read(file);
        assert!(text.contains("/v1/tick") && text.contains("POST") && text.contains("authorization"), "{file}");
        assert!(page().contains(file), "{file}");
    }
    assert!(read("deploy/handoff-tick.timer").contains("OnCalendar=*-*-* *:*:00"));
    let manifest = read("spin/spin.toml");
    let (page, mut count) = (page(), 0);
    for part in page.split("SPIN_VARIABLE_").skip(1) {
        let name = part.split('=').next().unwrap().to_ascii_lowercase();
        assert!(manifest.contains(&format!("\n{name} = {{")), "{name}");
        count += 1;
    }
    assert!(count >= 9, "{count}");
}

/// Released Spins load no manifest in which an allowed host is empty by default: see the manifest.
#[tokio::test(flavor = "multi_thread")]
async fn what_redis_url_is_by_default_means_sqlite() {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin/spin.toml")).unwrap();
    let (_, rest) = manifest.split_once("\nredis_url = { default = \"").unwrap();
    let mut stage = Environment::reaching(Store::Sqlite(SqliteFile::default()), &[]).await.unwrap();
    stage.set_variable("redis_url", rest.split('"').next().unwrap());
    let stage = stage.with_instances(1).await.unwrap();
    assert_eq!(stage.api.call("GET", "/v1/health", &Value::Null).await.unwrap().status, 200);
}
