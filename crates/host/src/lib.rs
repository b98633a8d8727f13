//! Runs a connector plugin in a sandbox: the embedding that a platform needs, small and complete.
//!
//! A connector is a WebAssembly component that exports the contract `agent-handoff:connector` (`wit/connector.wit`): it hands a
//! conversation over to human agents in a help desk, relays messages both ways, and brings the conversation back. This library loads it,
//! limits what it may do, and has one method on [`Plugin`] for each function of the contract. The command line beside it uses
//! nothing else.
//!
//! This page is the manual. Every example compiles; `examples/embed.rs` is a complete program that runs against the simulator.
//!
//! # Set up
//!
//! Build one [`Engine`] and load each [`Plugin`] once per process; both are cheap to clone. Loading compiles the component
//! (about half a second), checks its imports against [`ALLOWED_IMPORTS`], and runs nothing of it. A [`TrustedCache`] keeps the machine
//! code in a private directory.
//!
//! ```no_run
//! use handoff_host::{Engine, EngineSettings, Plugin, TrustedCache};
//!
//! # fn example() -> anyhow::Result<()> {
//! let engine = Engine::new(EngineSettings { concurrent_calls: 128, ..EngineSettings::default() })?;
//! let cache = TrustedCache::new("/var/cache/my-platform/plugins");
//! let plugin = Plugin::load(&engine, "freshworks.wasm".as_ref(), Some(&cache))?;
//! if let Some(why) = plugin.cache_refused() {
//!     eprintln!("the plugin cache is not used: {why}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # One sandbox per tenant
//!
//! A [`Sandbox`] says what a tenant's calls may do: which origins they reach, with which credentials, within which [`Limits`], and how many
//! run at once. `describe` lists the origins that the tenant's settings need, and the header that proves who we are.
//! [`CredentialInjector::take_from`] moves the secrets out of the settings, so that the plugin never sees them.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use handoff_host::{AllowList, CredentialInjector, HttpClient, Limits, Plugin, Sandbox};
//! use serde_json::{Map, Value};
//!
//! # async fn example(plugin: Plugin) -> anyhow::Result<()> {
//! // One client for all tenants: it pools connections, and refuses addresses that are not of the internet.
//! let client = HttpClient::new()?;
//! let mut settings: Map<String, Value> =
//!     serde_json::from_str(r#"{"chat_url": "acme.freshchat.com", "api_key": "..."}"#)?;
//!
//! // A sandbox that reaches nothing is enough for `describe`.
//! let nowhere = Sandbox::new(client.clone());
//! let descriptor = plugin.describe(&nowhere, Some(&Value::from(settings.clone()).to_string())).await.result?;
//!
//! let mut allow = AllowList::none();
//! for host in &descriptor.outbound {
//!     allow.allow(&host.origin)?; // show `host.purpose` to the person who allows it
//! }
//! let credentials = CredentialInjector::take_from(&descriptor.outbound, &mut settings)?;
//! let sandbox = Sandbox::new(client)
//!     .allow(allow)
//!     .credentials(credentials)
//!     .limits(Limits { wall: Duration::from_secs(60), ..Limits::default() })
//!     .calls_at_once(8);
//! # Ok(())
//! # }
//! ```
//!
//! An origin on this machine or in a private network (a simulator, a proxy) needs [`AllowList::allow_internal`]. Nothing that a tenant
//! writes leads there.
//!
//! # Connect
//!
//! [`Plugin::connect`] checks the settings against the account. What is wrong with the account is a finding, not an error. Keep the
//! settings that come back: they hold the vendor's ids of the names in them.
//!
//! ```no_run
//! # use handoff_host::{Plugin, Sandbox};
//! # async fn example(plugin: Plugin, sandbox: Sandbox, settings: &str) -> anyhow::Result<()> {
//! let call = plugin.connect(&sandbox, settings).await;
//! println!("{} requests in {:?}", call.report.http.len(), call.report.wall);
//! let connection = call.result?;
//! for finding in &connection.findings {
//!     println!("{}: {}", finding.check, finding.detail);
//!     if let Some(remedy) = &finding.remedy {
//!         println!("  {remedy}");
//!     }
//! }
//! if connection.connected {
//!     let settings_to_store = connection.settings;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Hand off, relay, close
//!
//! Each call returns the newest session: store it, and pass it to the next call of the same conversation. Calls for one
//! conversation must not overlap. The plugin has no clock: `now` is in milliseconds since 1970, from one clock for all calls.
//!
//! ```no_run
//! # use handoff_host::{Plugin, Sandbox};
//! use handoff_host::bindings::{CloseReason, HandoffRequest, Message};
//! use handoff_host::json;
//!
//! # async fn example(plugin: Plugin, sandbox: Sandbox, settings: &str, now: u64) -> anyhow::Result<()> {
//! let request: HandoffRequest = json::from_json(
//!     r#"{"key": {"application": "app-1", "channel": "channel-7", "conversation": "42"},
//!         "user": {"id": "user-1", "name": "Ana Silva"}, "mode": "automatic", "reason": "user-asked"}"#,
//!     "request",
//! )?;
//! let receipt = plugin.handoff(&sandbox, settings, &request, None, now).await.result?;
//! let mut session = receipt.session;
//!
//! let message: Message = json::from_json(
//!     r#"{"id": "2", "sender": {"role": "end-user"}, "sent_at": 1795000000000,
//!         "parts": [{"kind": "text", "text": "Are you there?"}]}"#,
//!     "message",
//! )?;
//! let update = plugin.relay(&sandbox, settings, &session, &message, false, now).await.result?;
//! session = update.session.unwrap_or(session);
//!
//! let update = plugin.close(&sandbox, settings, &session, CloseReason::UserLeft, false, now).await.result?;
//! # Ok(())
//! # }
//! ```
//!
//! # Webhooks
//!
//! [`Plugin::peek`] names the conversations that a body speaks of, to find the session; it proves nothing. [`Plugin::on_webhook`]
//! verifies the signature on the raw bytes: pass the body on as it came, at most 256 KiB. Act on the events, store the session, and only then answer 200: the vendor's retry is the queue.
//!
//! ```no_run
//! # use handoff_host::{Plugin, Sandbox};
//! use handoff_host::bindings::{Delivery, ErrorKind, EventKind};
//!
//! # fn session_of(conversations: &[String]) -> Option<String> { None }
//! # async fn example(plugin: Plugin, sandbox: Sandbox, settings: &str, now: u64, headers: Vec<(String, String)>, body: Vec<u8>)
//! # -> anyhow::Result<u16> {
//! let Ok(body) = String::from_utf8(body) else { return Ok(400) }; // nothing the vendor sends
//! let session = session_of(&plugin.peek(&sandbox, &body).await.result?);
//! let delivery = Delivery { headers, body, received_at: now };
//! let update = match plugin.on_webhook(&sandbox, settings, &delivery, session.as_deref()).await.result {
//!     Ok(update) => update,
//!     Err(error) => {
//!         return Ok(match error.plugin().map(|error| error.kind) {
//!             Some(ErrorKind::InvalidSignature) => 401,
//!             _ => 503, // the vendor sends it again
//!         });
//!     }
//! };
//! for event in &update.events {
//!     match event.kind {
//!         EventKind::AgentMessage => { /* show `event.message` to the end user, unless `event.id` was seen */ }
//!         EventKind::ReturnedToAi => { /* wake the AI agent; `event.summary` says what happened */ }
//!         _ => {}
//!     }
//! }
//! // Store `update.session` here.
//! # Ok(200)
//! # }
//! ```
//!
//! # Time
//!
//! Call [`Plugin::tick`] when `next_tick_at` of the last `info` has passed. It reports what no webhook did, applies time-outs,
//! finishes a close that was cut off, and brings answers to tickets.
//!
//! ```no_run
//! # use handoff_host::{Plugin, Sandbox};
//! # async fn example(plugin: Plugin, sandbox: Sandbox, settings: &str, session: &str, next_tick_at: u64, now: u64)
//! # -> anyhow::Result<()> {
//! if next_tick_at <= now {
//!     let update = plugin.tick(&sandbox, settings, session, now).await.result?;
//!     // The same as after a webhook: act on `update.events`, then store `update.session`.
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # When a call fails
//!
//! [`CallError`] separates three cases, because different people act on them. An error of the plugin says what to do by its kind, and may
//! carry a session: store it, wait, and repeat with it. A trap has no session: the call may have done part of its work, so repeat with
//! the last stored session and `retry: true` (for a handoff: `request.retry`). Retries lose and duplicate nothing.
//!
//! ```no_run
//! # use handoff_host::{Plugin, Sandbox};
//! use handoff_host::CallError;
//! use handoff_host::bindings::HandoffRequest;
//!
//! # fn store(session: &str) {}
//! # async fn example(plugin: Plugin, sandbox: Sandbox, settings: &str, mut request: HandoffRequest, now: u64) {
//! match plugin.handoff(&sandbox, settings, &request, None, now).await.result {
//!     Ok(receipt) => store(&receipt.session),
//!     Err(CallError::Plugin(error)) => {
//!         if let Some(session) = &error.session {
//!             store(session); // pass it to the next try
//!         }
//!         match error.retry_after_ms {
//!             Some(wait) => println!("repeat in {wait} ms"),
//!             None => println!("{}", error.line), // kind, field, message and remedy
//!         }
//!     }
//!     Err(CallError::Trap(trap)) => {
//!         eprintln!("stopped ({}): {}", trap.kind.as_str(), trap.message);
//!         request.retry = true; // wait some seconds, then repeat
//!     }
//!     Err(CallError::Host(why)) => eprintln!("the host could not make the call: {why}"),
//! }
//! # }
//! ```
//!
//! # What a call cost
//!
//! [`Call::report`] has wall and processor time, memory, and each HTTP request with method, status, bytes and duration, whatever came of
//! the call. It holds no body and no header.
//!
//! # Tracing and metrics
//!
//! Each call is a span of [`tracing`](https://docs.rs/tracing) (`connector call`: function, tenant, outcome, times, memory, number of requests), with one span for
//! each HTTP request in it (`connector request`: method, host, status or error). Spans hold no path, no body, no header, no text of
//! people. An [`Observer`] is told the same with the whole report when a call has ended. A [`Traceparent`] joins the calls to a trace of
//! yours; only then do requests carry its ids.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use handoff_host::{Observed, Observer, Sandbox, Traceparent};
//!
//! struct Metrics;
//!
//! impl Observer for Metrics {
//!     fn called(&self, call: Observed<'_>) {
//!         println!("{}{{tenant={:?},outcome={:?}}} {:?}", call.function, call.tenant, call.outcome, call.report.wall);
//!     }
//! }
//!
//! # fn example(sandbox: Sandbox, header: &str) -> anyhow::Result<()> {
//! let sandbox = sandbox.tenant("acme").observer(Arc::new(Metrics));
//! // For one call, with the header of the request that caused it:
//! let traced = sandbox.clone().traceparent(Traceparent::new(header)?);
//! # Ok(())
//! # }
//! ```
//!
//! # Replace a plugin while calls run
//!
//! A [`Plugin`] is a value: keep the current one behind a lock, and clone it for each call. Calls in flight finish on the plugin that they
//! began with; the next ones take the new one. Sessions survive: a plugin reads what the version before it wrote.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::{PoisonError, RwLock};
//!
//! use handoff_host::{Engine, Plugin};
//!
//! struct Current(RwLock<Plugin>);
//!
//! impl Current {
//!     fn get(&self) -> Plugin {
//!         self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
//!     }
//!
//!     /// Loads first: a file that cannot be used changes nothing.
//!     fn replace(&self, engine: &Engine, file: &Path) -> anyhow::Result<()> {
//!         let plugin = Plugin::load(engine, file, None)?;
//!         *self.0.write().unwrap_or_else(PoisonError::into_inner) = plugin;
//!         Ok(())
//!     }
//! }
//! ```
//!
//! # Testing
//!
//! An [`Interceptor`] stands between the plugin and the network: it counts, fakes or fails requests, before or after they take
//! effect.
//!
//! ```
//! use handoff_host::{After, Before, HttpErrorCode, Interceptor, Outgoing};
//!
//! /// Loses the response of the third request, which has taken effect.
//! struct LoseThird;
//!
//! impl Interceptor for LoseThird {
//!     fn after(&self, request: Outgoing<'_>, _status: u16) -> After {
//!         if request.index == 2 { After::Fail(HttpErrorCode::ConnectionTerminated) } else { After::Pass }
//!     }
//! }
//! ```
//!
//! # Map
//!
//! | file | what is in it |
//! |---|---|
//! | `bindings.rs` | the contract's types and functions |
//! | `engine.rs` | engine settings, instance pool, epoch clock |
//! | `plugin.rs` | loading and linking; a method for each function of the contract |
//! | `call.rs` | one call: fresh store, meters, what came of it |
//! | `sandbox.rs`, `limits.rs` | what a call may do, and how much |
//! | `contract.rs` | which version of the contract a plugin exports |
//! | `imports.rs` | what a plugin imports and may import |
//! | `cache.rs` | compiled plugins on disk |
//! | `allow.rs` | which origins may be reached |
//! | `credentials.rs` | headers that the host adds, so that the plugin sees no secret |
//! | `http.rs`, `http/` | the HTTP hook: pooled client, time-outs, size limit, no private addresses |
//! | `intercept.rs` | counting, faking and failing requests, for tests |
//! | `observe.rs` | spans, metrics, trace ids |
//! | `report.rs`, `error.rs` | what a call cost; why it gave no result |
//! | `json.rs` | the contract's types as JSON |

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod bindings;

pub mod json;

mod allow;
mod cache;
mod call;
mod contract;
mod credentials;
mod engine;
mod error;
mod http;
mod imports;
mod intercept;
mod limits;
mod observe;
mod plugin;
mod report;
mod sandbox;

pub use allow::{AllowList, Origin, OriginError, Scheme};
pub use cache::TrustedCache;
pub use call::Call;
pub use contract::{CONTRACT_VERSION, ContractMismatch};
pub use credentials::{CredentialError, CredentialInjector};
pub use engine::{Allocation, Engine, EngineSettings};
pub use error::{CallError, Trap, TrapKind};
pub use http::HttpClient;
pub use imports::{ALLOWED_IMPORTS, Import, Objection, TYPES_ONLY, imports, verify};
pub use intercept::{After, Before, HttpErrorCode, Interceptor, Outgoing, Untouched};
pub use limits::Limits;
pub use observe::{Observed, Observer, Traceparent, TraceparentError};
pub use plugin::Plugin;
pub use report::{CallReport, HttpCall};
pub use sandbox::Sandbox;
/// The wasmtime that [`Engine::wasmtime`] and errors are of: 48.0, from 48.0.8 on.
pub use wasmtime;
