//! The console and the inbox, for people in a browser or a program that plays them.

use std::io::Read as _;

use anyhow::Result;
use clap::Args;
use e2e::{Environment, Store, TOKEN};
use freshworks_simulator::KeyForm;
use serde_json::json;
use spin_emulator::SqliteFile;

/// How to start.
#[derive(Args)]
pub(crate) struct Options {
    /// Write all addresses as one line of JSON, and stop when standard input ends.
    #[arg(long)]
    json: bool,
    /// Another origin that the bridge may reach, such as a platform's callback.
    #[arg(long)]
    reaches: Vec<String>,
}

/// Starts an account that is not connected yet.
pub(crate) async fn serve(options: &Options) -> Result<()> {
    let reaches: Vec<&str> = options.reaches.iter().map(String::as_str).collect();
    let stage = Environment::start(Store::Sqlite(SqliteFile::default()), 1, &reaches).await?;
    // As Freshworks does it: a webhook that was not taken comes a few times more.
    stage.freshworks.set_behaviour(|it| it.webhook_retries.truncate(3));
    let (console, inbox) = (format!("{}/console", stage.front.origin()), stage.freshworks.origin().to_owned());
    let (api_key, public_key) = (stage.freshworks.api_key(), stage.freshworks.public_key(KeyForm::Vendor));
    if options.json {
        let line = json!({
            "console": console, "inbox": inbox, "token": TOKEN, "chat_url": "acme.freshchat.com", "api_key": api_key,
            "public_key": public_key, "ticket_domain": "acme.freshdesk.com", "ticket_api_key": stage.freshworks.ticket_api_key(),
        });
        println!("{line}");
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        eprint!("{}", stage.log());
        return Ok(());
    }
    println!(
        "
The admin's console   {console}
   API token          {TOKEN}

The human agent's inbox, in a simulated Freshworks
                      {inbox}

1  Log in to the console, create a connection, and fill in what the page \"Simulator\" of the inbox shows under \"Account\":
   API Key            {api_key}
   Chat URL           acme.freshchat.com
   Topic name         Sendbird Integration
   Paste the console's Webhook URL under \"Conversation Webhooks\" there, and the public key from there under \"Authentication\" here.
2  Connect: every check appears with what to do.
3  Try it: be the end user, press Handoff, and answer as the human agent in the inbox.

Ctrl+C ends it."
    );
    tokio::signal::ctrl_c().await?;
    Ok(())
}
