//! A stage to be used by hand, or by another program.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use e2e::{Environment, Store, TOKEN, delight_settings};
use platform_simulator::{Config, Delight};
use serde_json::json;
use spin_emulator::SqliteFile;

/// The bridge's store.
#[derive(Args)]
pub(crate) struct Options {
    /// In this SQLite file, which stays. Default: in memory.
    #[arg(long, value_name = "FILE")]
    sqlite: Option<PathBuf>,
    /// In this Redis.
    #[arg(long, value_name = "URL", conflicts_with = "sqlite")]
    redis: Option<String>,
}

/// Starts everything and connects the account `acme`; ends with the standard input.
pub(crate) async fn serve(options: &Options) -> anyhow::Result<()> {
    let platform = Delight::start(Config::default()).await?;
    let sqlite = || options.sqlite.as_deref().map_or_else(SqliteFile::default, SqliteFile::at);
    let store = options.redis.clone().map_or_else(|| Store::Sqlite(sqlite()), Store::Redis);
    let stage = Environment::start(store, 1, &[platform.origin()]).await?;
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
