//! One run of the command line: the plugin, the tenant's sandbox, the result, the exit code.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::input::{Input, check_target, read, write};
use super::{Options, render};
use handoff_host::json::to_json;
use handoff_host::{
    AllowList, Call, CallError, CredentialInjector, Engine, EngineSettings, HttpClient, Plugin, Sandbox, TrustedCache,
    imports, verify,
};

/// Why the run ends without a result.
#[derive(Debug)]
pub(super) struct Exit {
    code: u8,
    message: String,
}

impl Exit {
    /// The plugin returned an error.
    fn plugin(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// `connect` returned, but handoffs would not work.
    pub(super) fn not_connected() -> Self {
        Self::plugin("not connected: follow the findings, and connect again")
    }

    /// The command line, a file or its JSON is wrong.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// The plugin was stopped, or the host failed.
    pub(super) fn host(message: impl Into<String>) -> Self {
        Self { code: 3, message: message.into() }
    }

    /// The demonstration showed that something does not hold.
    pub(super) fn broken(error: anyhow::Error) -> Self {
        Self::plugin(format!("{error:#}"))
    }

    /// Says why on standard error.
    pub(super) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            eprintln!("host-test: {}", self.message);
        }
        ExitCode::from(self.code)
    }
}

/// The session's files.
#[derive(Debug, clap::Args)]
pub(super) struct SessionFiles {
    /// The session of the last call.
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,
    /// The file for the new session, also if the call fails halfway. May be the same file.
    #[arg(long, value_name = "FILE")]
    save_session: Option<PathBuf>,
}

impl SessionFiles {
    /// Also makes sure that the new session can be written: after the call it is too late.
    pub(super) fn load(&self) -> Result<Option<String>, Exit> {
        if let Some(file) = &self.save_session {
            check_target(file)?;
        }
        self.session.as_deref().map(session).transpose()
    }

    pub(super) fn load_required(&self) -> Result<String, Exit> {
        self.load()?.ok_or_else(|| Exit::usage("this command needs --session FILE"))
    }
}

/// The session in a file; an editor may have put a line break behind it.
fn session(file: &Path) -> Result<String, Exit> {
    let text = String::from_utf8(read(file)?).map_err(|_| {
        Exit::usage(format!("{} does not hold a session: pass the file that --save-session wrote", file.display()))
    })?;
    Ok(text.trim_end().to_owned())
}

/// Writes to standard output. A closed pipe, as with `head`, is not an error.
pub(super) fn print(text: &str) -> Result<(), Exit> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Exit::host(format!("standard output: {error}"))),
        _ => Ok(()),
    }
}

/// A session that could not be saved is written to the terminal: without it, the next call may duplicate work.
fn lost(file: &Path, error: &std::io::Error, session: &str) -> Exit {
    Exit::host(format!("{}: {error}. The new session is not saved; keep it: echo {session} > FILE", file.display()))
}

/// The plugin and its environment, created on first use.
pub(super) struct Host {
    options: Options,
    engine: Engine,
    pub(super) input: Input,
    /// Settings that the host keeps from the plugin.
    kept: Map<String, Value>,
}

impl Host {
    pub(super) fn new(options: Options) -> Result<Self, Exit> {
        let settings = EngineSettings { concurrent_calls: 1, ..EngineSettings::default() };
        let engine = Engine::new(settings).map_err(|error| Exit::host(format!("{error:#}")))?;
        Ok(Self { options, engine, input: Input::default(), kept: Map::new() })
    }

    /// The current time for the plugin, in milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        self.options.now.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }

    /// Whether results are written as JSON.
    pub(super) fn is_json(&self) -> bool {
        self.options.json
    }

    /// Writes a document if the output is JSON.
    pub(super) fn show_json(&self, document: &Value) -> Result<(), Exit> {
        if self.is_json() { print(&format!("{document:#}\n")) } else { Ok(()) }
    }

    pub(super) fn plugin(&self) -> Result<Plugin, Exit> {
        // Write access to the plugin's directory allows replacing the plugin, so the directory is as trusted as the plugin.
        let directory = self.options.plugin.parent().unwrap_or(Path::new(""));
        let cache = (!self.options.no_cache).then(|| TrustedCache::new(directory.join("compiled")));
        let plugin =
            Plugin::load(&self.engine, &self.options.plugin, cache.as_ref()).map_err(|error| self.unusable(&error))?;
        if let Some(refused) = plugin.cache_refused() {
            eprintln!("host-test: {refused}");
        }
        Ok(plugin)
    }

    /// Why the plugin cannot be loaded, in one line, with the remedy.
    fn unusable(&self, error: &anyhow::Error) -> Exit {
        let words = format!("{error:#}");
        let mut line = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if !self.options.plugin.exists() {
            line += ". `cargo xtask build` makes target/plugin/freshworks.wasm; --plugin FILE names another one";
        }
        Exit::host(line)
    }

    /// A sandbox with the command line's allow-list.
    pub(super) fn sandbox(&self) -> Result<Sandbox, Exit> {
        let client = HttpClient::new().map_err(|error| Exit::host(format!("{error:#}")))?;
        Ok(Sandbox::new(client).allow(self.allowed()?))
    }

    fn allowed(&self) -> Result<AllowList, Exit> {
        let mut allow = AllowList::none();
        for origin in &self.options.allow {
            let result = if origin.contains("://*.") { allow.allow_subdomains(origin) } else { allow.allow(origin) };
            result.map_err(|error| Exit::usage(format!("--allow {error}")))?;
        }
        for origin in &self.options.allow_internal {
            allow.allow_internal(origin).map_err(|error| Exit::usage(format!("--allow-internal {error}")))?;
        }
        Ok(allow)
    }

    /// The plugin, the sandbox for a tenant, and the settings to pass to the plugin.
    pub(super) async fn tenant(&mut self, settings: &Path) -> Result<(Plugin, Sandbox, String), Exit> {
        let mut settings = self.input.object(settings, "settings")?;
        let plugin = self.plugin()?;
        let sandbox = self.sandbox()?;
        let described = plugin.describe(&sandbox, Some(&Value::Object(settings.clone()).to_string())).await;
        let outbound = match described.result {
            Ok(descriptor) => descriptor.outbound,
            Err(error) => return Err(self.failure(&error)),
        };
        let mut allow = self.allowed()?;
        // A wildcard here means that the settings do not name the account; only the operator may allow one.
        for host in outbound.iter().filter(|host| !host.origin.contains('*')) {
            // A tenant's settings can only reach the internet, and what the operator has named explicitly.
            if !allow.allows_internal(&host.origin) {
                allow.allow(&host.origin).map_err(|error| {
                    Exit::usage(format!("the settings lead to {error}: --allow-internal {}", host.origin))
                })?;
            }
        }
        let mut sandbox = sandbox.allow(allow);
        if self.options.host_credentials {
            let before = settings.clone();
            let credentials = CredentialInjector::take_from(&outbound, &mut settings)
                .map_err(|error| Exit::usage(format!("--host-credentials: {error}")))?;
            self.kept = before.into_iter().filter(|(name, _)| !settings.contains_key(name)).collect();
            sandbox = sandbox.credentials(credentials);
        }
        Ok((plugin, sandbox, Value::Object(settings).to_string()))
    }

    /// Writes the settings that `connect` gave back, with those that were kept from it.
    pub(super) fn save_settings(&self, file: &Path, settings: &str) -> Result<(), Exit> {
        let mut settings: Map<String, Value> = serde_json::from_str(settings)
            .map_err(|_| Exit::host("the plugin returned settings that are not a JSON object"))?;
        settings.extend(self.kept.clone());
        write(file, format!("{:#}\n", Value::Object(settings)).as_bytes()).map_err(|error| {
            Exit::host(format!("{}: {error}; the settings were not saved, so connect again", file.display()))
        })
    }

    /// Writes the result to standard output, and saves the session.
    pub(super) fn answer<T: Serialize>(
        &self,
        call: Call<T>,
        files: Option<&SessionFiles>,
        session: impl Fn(&T) -> Option<&String>,
        render: impl Fn(&T) -> String,
    ) -> Result<(), Exit> {
        if self.options.verbose {
            eprint!("{}", render::report(&call.report));
        }
        let kept = match &call.result {
            Ok(value) => session(value),
            Err(CallError::Plugin(error)) => error.session.as_ref(),
            Err(_) => None,
        };
        // The result is shown even if the file cannot be written.
        let mut unsaved = Ok(());
        if let (Some(session), Some(files)) = (kept, files) {
            match &files.save_session {
                Some(file) => unsaved = write(file, session.as_bytes()).map_err(|error| lost(file, &error, session)),
                None => eprintln!("host-test: the new session is not kept; use --save-session FILE"),
            }
        }
        let answered = match call.result {
            Ok(value) if self.options.json => print(&format!("{:#}\n", to_json(&value))),
            Ok(value) => print(&render(&value)),
            Err(error) => Err(self.failure(&error)),
        };
        match unsaved {
            Ok(()) => answered,
            Err(unsaved) => {
                if let Err(exit) = answered {
                    exit.report();
                }
                Err(unsaved)
            }
        }
    }

    /// Writes an error: to standard output as JSON, else to standard error.
    fn failure(&self, error: &CallError) -> Exit {
        let exit: fn(String) -> Exit = match error {
            CallError::Plugin(_) => Exit::plugin,
            CallError::Trap(_) | CallError::Host(_) => Exit::host,
        };
        if !self.options.json {
            return exit(render::error(error));
        }
        let error = match error {
            CallError::Plugin(error) => json!({"error": to_json(error)}),
            CallError::Trap(trap) => json!({"trap": {
                "kind": trap.kind.as_str(), "message": trap.message, "backtrace": trap.backtrace,
            }}),
            CallError::Host(message) => json!({"host": message}),
        };
        print(&format!("{error:#}\n")).err().unwrap_or_else(|| exit(String::new()))
    }

    /// Lists the plugin's imports.
    pub(super) fn imports(&self, must_be_allowed: bool) -> Result<(), Exit> {
        let imports = imports(&self.engine, &self.options.plugin).map_err(|error| self.unusable(&error))?;
        print(&if self.options.json { format!("{:#}\n", json!(imports)) } else { render::imports(&imports) })?;
        match verify(&imports) {
            Err(objection) if must_be_allowed => Err(Exit::plugin(objection.to_string())),
            _ => Ok(()),
        }
    }
}
