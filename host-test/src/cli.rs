//! The command line: one command for each function of the contract, JSON in and out.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | it worked |
//! | 1 | the plugin returned an error of the contract, `connect` found a failure, or the plugin's imports are not allowed |
//! | 2 | wrong usage: options, files, JSON |
//! | 3 | the plugin was stopped, or the host failed |

mod help;
mod input;
mod render;
mod session;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::demo;
use handoff_host::bindings::{CloseReason, HandoffRequest, Mode, Rating};
use session::{Exit, Host, SessionFiles};

/// Runs a connector plugin in a sandbox.
#[derive(Debug, Parser)]
#[command(name = "host-test", version, about, max_term_width = 100, after_help = help::AFTER)]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// Options of all commands.
#[derive(Debug, Args)]
struct Options {
    /// The plugin.
    #[arg(long, global = true, value_name = "FILE", default_value = "target/plugin/freshworks.wasm")]
    plugin: PathBuf,
    /// Write the result as JSON: standard output then contains exactly one JSON document.
    #[arg(long, global = true)]
    json: bool,
    /// Also write each HTTP request and the call's cost to standard error.
    #[arg(long, short, global = true)]
    verbose: bool,
    /// Allow one more origin, such as `https://acme.example` or `https://*.acme.example`. The origins that the plugin describes
    /// for these settings are allowed anyway, if they are on the internet.
    #[arg(long, global = true, value_name = "ORIGIN")]
    allow: Vec<String>,
    /// Allow one origin on this machine or in a private network, such as `http://127.0.0.1:8080` of a simulator. Without it, no
    /// setting can reach it.
    #[arg(long, global = true, value_name = "ORIGIN")]
    allow_internal: Vec<String>,
    /// Keep the credentials from the plugin: take them out of the settings and add them to its requests.
    #[arg(long, global = true)]
    host_credentials: bool,
    /// The current time for the plugin, in milliseconds since 1970. Default: the clock.
    #[arg(long, global = true, value_name = "MS")]
    now: Option<u64>,
    /// Recompile the plugin instead of caching the result in `compiled/` beside it.
    #[arg(long, global = true)]
    no_cache: bool,
}

/// The tenant's settings.
#[derive(Debug, Args)]
struct SettingsFile {
    /// The settings: a JSON file, or - for standard input.
    #[arg(long, value_name = "FILE")]
    settings: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Describe the plugin and what it needs.
    #[command(after_help = help::DESCRIBE)]
    Describe {
        /// The settings, to learn the exact hosts: a JSON file, or - for standard input.
        #[arg(long, value_name = "FILE")]
        settings: Option<PathBuf>,
    },
    /// Check the settings against the account.
    #[command(after_help = help::CONNECT)]
    Connect {
        #[command(flatten)]
        settings: SettingsFile,
        /// The file for the completed settings. It is checked first that it can be written.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Show what a handoff would do.
    #[command(after_help = help::PREVIEW)]
    Preview {
        #[command(flatten)]
        settings: SettingsFile,
        /// The request: a JSON file, or - for standard input.
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
    },
    /// Hand a conversation over to human agents.
    #[command(after_help = help::HANDOFF)]
    Handoff {
        #[command(flatten)]
        settings: SettingsFile,
        /// The request: a JSON file, or - for standard input.
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        #[command(flatten)]
        session: SessionFiles,
    },
    /// Relay a message of the end user.
    #[command(after_help = help::RELAY)]
    Relay {
        #[command(flatten)]
        settings: SettingsFile,
        #[command(flatten)]
        session: SessionFiles,
        /// The message: a JSON file, or - for standard input.
        #[arg(long, value_name = "FILE", required_unless_present = "text", conflicts_with = "text")]
        message: Option<PathBuf>,
        /// The message's text, instead of a file.
        #[arg(long)]
        text: Option<String>,
        /// An earlier try ended without a session: look before sending.
        #[arg(long)]
        retry: bool,
    },
    /// End the human part.
    #[command(after_help = help::CLOSE)]
    Close {
        #[command(flatten)]
        settings: SettingsFile,
        #[command(flatten)]
        session: SessionFiles,
        /// The reason.
        #[arg(long)]
        reason: CloseReasonArgument,
        /// An earlier try ended without a session: look before sending.
        #[arg(long)]
        retry: bool,
    },
    /// File a ticket: a handoff whose mode is `ticket`.
    #[command(after_help = help::TICKET)]
    Ticket {
        #[command(flatten)]
        settings: SettingsFile,
        /// The request: a JSON file, or - for standard input.
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        #[command(flatten)]
        session: SessionFiles,
    },
    /// Verify a webhook request and turn it into events.
    #[command(after_help = help::WEBHOOK)]
    Webhook {
        #[command(flatten)]
        settings: SettingsFile,
        /// The exact body: a file, or - for standard input.
        #[arg(long, value_name = "FILE")]
        body: PathBuf,
        /// A header of the request.
        #[arg(long, value_name = "NAME: VALUE", value_parser = input::header)]
        header: Vec<(String, String)>,
        #[command(flatten)]
        session: SessionFiles,
    },
    /// List the conversations in a webhook body.
    #[command(after_help = help::PEEK)]
    Peek {
        /// The exact body: a file, or - for standard input.
        #[arg(long, value_name = "FILE")]
        body: PathBuf,
    },
    /// Tell the human agents that one of their messages was not delivered.
    #[command(after_help = help::UNDELIVERED)]
    Undelivered {
        #[command(flatten)]
        settings: SettingsFile,
        #[command(flatten)]
        session: SessionFiles,
        /// The message's id, as in the event.
        #[arg(long)]
        message_id: String,
        /// An earlier try ended without a session: look before writing.
        #[arg(long)]
        retry: bool,
    },
    /// Pass on the end user's rating of the human part.
    #[command(after_help = help::RATE)]
    Rate {
        #[command(flatten)]
        settings: SettingsFile,
        #[command(flatten)]
        session: SessionFiles,
        /// The rating's id: the same one is sent once.
        #[arg(long)]
        id: String,
        /// 1 (worst) to 5 (best).
        #[arg(long, value_parser = clap::value_parser!(u8).range(1..=5))]
        score: u8,
        /// The end user's comment.
        #[arg(long)]
        comment: Option<String>,
        /// An earlier try ended without a session: do not send it a second time.
        #[arg(long)]
        retry: bool,
    },
    /// Poll Freshworks and apply time-outs.
    #[command(after_help = help::TICK)]
    Tick {
        #[command(flatten)]
        settings: SettingsFile,
        #[command(flatten)]
        session: SessionFiles,
    },
    /// Permanently delete Freshchat's record of one person, with the person's conversations.
    #[command(after_help = help::ERASE)]
    Erase {
        #[command(flatten)]
        settings: SettingsFile,
        /// The platform's id of the person, as in the handoff.
        #[arg(long)]
        user_id: String,
    },
    /// Play a handoff from both sides, against a simulated Freshworks.
    #[command(after_help = help::DEMO)]
    Demo {
        /// The conversation to hand over: a handoff request as JSON, or - for standard input. Default: a late parcel.
        #[arg(long, value_name = "FILE")]
        conversation: Option<PathBuf>,
        /// Play the end user yourself, line by line, and answer as a human agent in the simulator's inbox page.
        #[arg(long, conflicts_with = "json")]
        interactive: bool,
        /// Set an author of private notes: the history is then sent as notes.
        #[arg(long)]
        note_author: bool,
        /// Set the history's length, up to 10,000 messages, by truncating or repeating it.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=10_000))]
        messages: Option<u16>,
        /// Fail if the scripted demo takes longer than this many seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = 300, conflicts_with = "interactive")]
        time_limit: u64,
    },
    /// List the plugin's imports.
    #[command(after_help = help::IMPORTS)]
    Imports {
        /// Fail if it has imports that a connector may not have.
        #[arg(long)]
        verify: bool,
    },
    /// Write a script that completes this command line in a shell.
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual page.
    #[command(after_help = help::MAN)]
    Man,
}

/// The contract's close reasons for clap.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CloseReasonArgument {
    UserLeft,
    UserCancelled,
    PlatformClosed,
    ReturnedToAi,
    TimedOut,
}

impl From<CloseReasonArgument> for CloseReason {
    fn from(reason: CloseReasonArgument) -> Self {
        match reason {
            CloseReasonArgument::UserLeft => Self::UserLeft,
            CloseReasonArgument::UserCancelled => Self::UserCancelled,
            CloseReasonArgument::PlatformClosed => Self::PlatformClosed,
            CloseReasonArgument::ReturnedToAi => Self::ReturnedToAi,
            CloseReasonArgument::TimedOut => Self::TimedOut,
        }
    }
}

/// Runs the command and writes the result to standard output.
pub async fn run(arguments: Arguments) -> ExitCode {
    match execute(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => exit.report(),
    }
}

async fn execute(Arguments { options, command }: Arguments) -> Result<(), Exit> {
    match command {
        Command::Completions { shell } => return session::print(&help::completions(shell)),
        Command::Man => return session::print(&help::manual_page().map_err(|error| Exit::host(error.to_string()))?),
        _ => {}
    }
    let mut host = Host::new(options)?;
    match command {
        // Done above: they need no engine.
        Command::Completions { .. } | Command::Man => Ok(()),
        Command::Imports { verify } => host.imports(verify),
        Command::Demo { conversation, interactive, note_author, messages, time_limit } => {
            if interactive && conversation.as_deref() == Some("-".as_ref()) {
                return Err(Exit::usage("standard input is what the end user types; name a file as --conversation"));
            }
            let request = match conversation {
                Some(file) => host.input.json(&file, "conversation")?,
                None => demo::conversation().map_err(|error| Exit::host(error.to_string()))?,
            };
            let request = match messages {
                Some(count) => demo::with_messages(request, count.into()),
                None => request,
            };
            let plugin = host.plugin()?;
            let story = if interactive { demo::Story::Interactive(demo::typed_lines()) } else { demo::Story::Scripted };
            let screen = Arc::new(demo::Screen::new(host.is_json()));
            let options = demo::Options { request, story, note_author };
            // People take their time.
            let limit = if interactive { Duration::MAX } else { Duration::from_secs(time_limit) };
            let played = tokio::time::timeout(limit, demo::run(&plugin, options, Arc::clone(&screen))).await;
            let played = played.unwrap_or_else(|_| {
                Err(anyhow::anyhow!("the demonstration was stopped after {time_limit} s (--time-limit)"))
            });
            host.show_json(&screen.to_json())?;
            played.map_err(Exit::broken)
        }
        Command::Describe { settings } => {
            let settings = settings.map(|file| host.input.object(&file, "settings")).transpose()?;
            let text = settings.map(|settings| serde_json::Value::Object(settings).to_string());
            let call = host.plugin()?.describe(&host.sandbox()?, text.as_deref()).await;
            host.answer(call, None, |_| None, render::descriptor)
        }
        Command::Peek { body } => {
            let body = host.input.body(&body)?;
            let call = host.plugin()?.peek(&host.sandbox()?, &body).await;
            host.answer(call, None, |_| None, |ids| render::ids(ids))
        }
        Command::Connect { settings, save } => {
            save.as_deref().map(input::check_target).transpose()?;
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.connect(&sandbox, &settings).await;
            let is_connected = call.result.as_ref().map_or(true, |connection| connection.connected);
            let completed = call.result.as_ref().ok().map(|connection| connection.settings.clone());
            // Show the findings even if the file cannot be written.
            let answered = host.answer(call, None, |_| None, render::connection);
            let saved = match (&save, completed) {
                (Some(file), Some(settings)) => host.save_settings(file, &settings),
                _ => Ok(()),
            };
            answered.and(saved)?;
            if is_connected { Ok(()) } else { Err(Exit::not_connected()) }
        }
        Command::Preview { settings, request } => {
            let request = host.input.json(&request, "request")?;
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.preview(&sandbox, &settings, &request, host.now()).await;
            host.answer(call, None, |_| None, render::plan)
        }
        Command::Handoff { settings, request, session } => {
            let request = host.input.json(&request, "request")?;
            let old = session.load()?;
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.handoff(&sandbox, &settings, &request, old.as_deref(), host.now()).await;
            host.answer(call, Some(&session), |receipt| Some(&receipt.session), render::receipt)
        }
        Command::Ticket { settings, request, session } => {
            let request = HandoffRequest { mode: Mode::Ticket, ..host.input.json(&request, "request")? };
            let old = session.load()?;
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.handoff(&sandbox, &settings, &request, old.as_deref(), host.now()).await;
            host.answer(call, Some(&session), |receipt| Some(&receipt.session), render::receipt)
        }
        Command::Relay { settings, session, message, text, retry } => {
            let message = match (message, text) {
                (Some(file), _) => host.input.json(&file, "message")?,
                (None, text) => input::message(text.unwrap_or_default(), host.now()),
            };
            let old = session.load_required()?;
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.relay(&sandbox, &settings, &old, &message, retry, host.now()).await;
            host.answer(call, Some(&session), |update| update.session.as_ref(), render::update)
        }
        Command::Close { settings, session, reason, retry } => {
            let old = session.load_required()?;
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.close(&sandbox, &settings, &old, reason.into(), retry, host.now()).await;
            host.answer(call, Some(&session), |update| update.session.as_ref(), render::update)
        }
        Command::Webhook { settings, body, header, session } => {
            let delivery = input::delivery(header, host.input.body(&body)?, host.now());
            let old = session.load()?;
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.on_webhook(&sandbox, &settings, &delivery, old.as_deref()).await;
            host.answer(call, Some(&session), |update| update.session.as_ref(), render::update)
        }
        Command::Undelivered { settings, session, message_id, retry } => {
            let old = session.load_required()?;
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.undelivered(&sandbox, &settings, &old, &message_id, retry, host.now()).await;
            host.answer(call, Some(&session), |update| update.session.as_ref(), render::update)
        }
        Command::Rate { settings, session, id, score, comment, retry } => {
            let (old, rating) = (session.load_required()?, Rating { id, score, comment });
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.rate(&sandbox, &settings, &old, &rating, retry).await;
            host.answer(call, Some(&session), |update| update.session.as_ref(), render::update)
        }
        Command::Tick { settings, session } => {
            let old = session.load_required()?;
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.tick(&sandbox, &settings, &old, host.now()).await;
            host.answer(call, Some(&session), |update| update.session.as_ref(), render::update)
        }
        Command::Erase { settings, user_id } => {
            let (plugin, sandbox, settings) = host.tenant(&settings.settings).await?;
            let call = plugin.erase(&sandbox, &settings, &user_id).await;
            host.answer(call, None, |_| None, render::erasure)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_relay_has_a_message_or_a_text() {
        let relay = |more: &[&str]| {
            let base = ["host-test", "relay", "--settings", "s", "--session", "x"];
            Arguments::try_parse_from(base.iter().chain(more)).is_ok()
        };
        assert!(relay(&["--text", "hi"]));
        assert!(relay(&["--message", "m.json"]));
        assert!(!relay(&[]));
        assert!(!relay(&["--text", "hi", "--message", "m.json"]));
    }

    #[test]
    fn close_reasons_are_spelt_as_in_wit() {
        for reason in CloseReasonArgument::value_variants() {
            let word = reason.to_possible_value().unwrap().get_name().to_owned();
            assert_eq!(handoff_host::json::to_json(&CloseReason::from(*reason)), serde_json::json!(word));
        }
    }
}
