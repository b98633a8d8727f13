//! A stage to be used by hand, or by another program.

use std::io::Read as _;

use e2e::{Stage, Store, TOKEN, delight_settings};
use platform_simulator::{Config, Delight};
use serde_json::json;
use spin_emulator::SqliteFile;

/// Starts everything and connects the account `acme`; ends with the standard input.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let platform = Delight::start(Config::default()).await?;
    let stage = Stage::start(Store::Sqlite(SqliteFile::default()), 1, &[platform.origin()]).await?;
    let answer = stage.connect("acme", &delight_settings(&platform)).await?;
    platform.set_chat_webhook(answer.body["webhooks"]["chat"].as_str().map(str::to_owned));
    let line = json!({
        "bridge": stage.front.origin(),
        "token": TOKEN,
        "connection": "acme",
        "settings": stage.settings(),
        "webhooks": answer.body["webhooks"],
        "freshworks": stage.freshworks.origin(),
        "platform": platform.origin(),
    });
    println!("{line}");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    eprint!("{}", stage.log());
    Ok(())
}
