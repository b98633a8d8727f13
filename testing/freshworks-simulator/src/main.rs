//! The simulator as a program: an account to connect to, with an inbox to answer from in a browser.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use freshworks_simulator::{Config, Delivery, Exchange, KeyForm, Outcome, Simulator, TicketProduct, TopicSpec};

/// A Freshchat account with a ticket desk on this machine, and an agent's inbox page.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Port of the ticket service on 127.0.0.1 [default: the one after the other port]
    #[arg(long)]
    ticket_port: Option<u16>,
    /// Simulate Freshservice instead of Freshdesk for tickets.
    #[arg(long)]
    freshservice: bool,
    /// Receiver of webhooks; can be changed on the inbox page.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// The API key to require.
    #[arg(long, value_name = "KEY", default_value = "simulator-api-key")]
    api_key: String,
    /// The ticket service's API key to require.
    #[arg(long, value_name = "KEY", default_value = "simulator-ticket-key")]
    ticket_api_key: String,
    /// A topic to have instead of the usual ones; may be repeated.
    #[arg(long = "topic", value_name = "NAME")]
    topics: Vec<String>,
    /// Write settings that connect to this account into a file: what the admin would type.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Print webhooks whole, with headers and body: what your receiver gets. There need not be one.
    #[arg(long)]
    print_webhooks: bool,
    /// Do not print API calls and webhooks.
    #[arg(long)]
    quiet: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // Next to a port that was chosen freely there is nothing to find.
    let next_port = if arguments.port == 0 { 0 } else { arguments.port.wrapping_add(1) };
    let mut config = Config {
        port: arguments.port,
        webhook: arguments.webhook,
        api_key: arguments.api_key,
        ticket_port: arguments.ticket_port.unwrap_or(next_port),
        ticket_api_key: arguments.ticket_api_key,
        ..Config::default()
    };
    if arguments.freshservice {
        config.ticket_product = TicketProduct::Freshservice;
    }
    if !arguments.topics.is_empty() {
        config.topics = arguments.topics.iter().map(|name| TopicSpec::named(name)).collect();
    }
    // People watch here, so tries come as far apart as they are guessed to be in the real service.
    config.behaviour.webhook_retries = [1, 5, 30, 60].map(Duration::from_secs).to_vec();

    let sim = Simulator::start(config).await?;
    if let Some(file) = &arguments.settings {
        write_settings(&sim, file)?;
    }
    introduce(&sim);
    loop {
        tokio::select! {
            exchange = sim.next_exchange() => if !arguments.quiet { print_exchange(&exchange) },
            delivery = sim.next_delivery() => {
                if !arguments.quiet || arguments.print_webhooks {
                    print_delivery(&delivery);
                }
                if arguments.print_webhooks {
                    print_whole(&delivery);
                }
            }
        }
    }
}

fn write_settings(sim: &Simulator, file: &Path) -> anyhow::Result<()> {
    let settings = serde_json::json!({
        "chat_url": "acme.freshchat.com",
        "api_key": sim.api_key(),
        "webhook_public_key": sim.public_key(KeyForm::Vendor),
        "test_origin": sim.origin(),
    });
    let text = serde_json::to_string_pretty(&settings)? + "\n";
    std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

fn introduce(sim: &Simulator) {
    println!("Chat URL    {}/v2", sim.origin());
    println!("API key     {}", sim.api_key());
    println!("Ticket URL  {}", sim.ticket_origin());
    println!("Ticket key  {}", sim.ticket_api_key());
    for topic in sim.topics() {
        println!("Topic       {:<24} {}", topic.spec.name, topic.id);
    }
    for agent in sim.agents() {
        println!("Agent       {:<24} {}", agent.name(), agent.id);
    }
    for group in sim.groups() {
        println!("Group       {:<24} {}", group.spec.name, group.id);
    }
    println!("Public key of the webhooks:\n\n{}", sim.public_key(KeyForm::Vendor));
    println!("Inbox       {}/\n", sim.origin());
}

/// What people wrote is in it, so it is printed on request alone.
fn print_whole(delivery: &Delivery) {
    for (name, value) in &delivery.headers {
        println!("{name}: {value}");
    }
    println!("\n{}\n", String::from_utf8_lossy(&delivery.body));
}

/// Method, path and status: never a query or a body, which speak of people.
fn print_exchange(exchange: &Exchange) {
    let status = exchange.status.map_or("cut".into(), |status| status.to_string());
    println!("<- {} {status}", exchange.line());
}

fn print_delivery(delivery: &Delivery) {
    let outcome = match delivery.outcome {
        Outcome::Recorded => "not sent: no webhook URL".into(),
        Outcome::Dropped => "dropped".into(),
        Outcome::Answered(status) => status.to_string(),
        Outcome::TimedOut => "timed out".into(),
        Outcome::Failed => "receiver not reached".into(),
    };
    let retry = if delivery.retry_count > 0 { format!(" (try {})", delivery.retry_count + 1) } else { String::new() };
    println!("-> {}{retry} {outcome}", delivery.action.name());
}
