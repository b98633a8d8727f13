//! Runs a connector plugin in a sandbox.
//!
//! This is the embedding that a platform would write: small, complete and there to be copied. The command line in `host-test`
//! uses nothing but this library.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use handoff_host::{AllowList, Engine, EngineSettings, HttpClient, Plugin, Sandbox};
//!
//! // Once per process.
//! let engine = Engine::new(EngineSettings::default())?;
//! let plugin = Plugin::load(&engine, "target/plugin/freshworks.wasm".as_ref(), None)?;
//! let client = HttpClient::new()?;
//!
//! // Once per tenant.
//! let settings = r#"{"chat_url": "https://acme.freshchat.com", "api_key": "..."}"#;
//! let mut allow = AllowList::none();
//! allow.allow("https://acme.freshchat.com")?;
//! let sandbox = Sandbox::new(client).allow(allow);
//!
//! // Once per call, each in an instance of its own.
//! let call = plugin.connect(&sandbox, settings).await;
//! println!("{} requests in {:?}", call.report.http.len(), call.report.wall);
//! for finding in call.result?.findings {
//!     println!("{}: {}", finding.check, finding.detail);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Map
//!
//! | file | what is in it |
//! |---|---|
//! | `bindings.rs` | the contract's types, generated from `wit/` |
//! | `engine.rs` | engine settings, instance pool, epoch clock |
//! | `plugin.rs` | loading and linking; a method for each function of the contract |
//! | `call.rs` | one call: fresh store, meters, what came of it |
//! | `sandbox.rs`, `limits.rs` | what a call may do, and how much |
//! | `imports.rs` | what a plugin imports and may import |
//! | `cache.rs` | compiled plugins on disk |
//! | `allow.rs`, `address.rs` | which origins may be reached |
//! | `credentials.rs` | headers that the host adds, so that the plugin sees no secret |
//! | `http.rs`, `http/` | the HTTP hook: pooled client, time-outs, size limit, no private addresses |
//! | `intercept.rs` | counting, faking and failing requests, for tests |
//! | `report.rs`, `error.rs` | what a call cost; why it gave no result |
//! | `json.rs`, `json/` | the contract's types as JSON |

pub mod bindings;
pub mod json;

mod address;
mod allow;
mod cache;
mod call;
mod credentials;
mod engine;
mod error;
mod http;
mod imports;
mod intercept;
mod limits;
mod plugin;
mod report;
mod sandbox;

pub use allow::{AllowList, Origin, OriginError, Scheme};
pub use cache::TrustedCache;
pub use call::Call;
pub use credentials::{CredentialError, CredentialInjector};
pub use engine::{Allocation, Engine, EngineSettings};
pub use error::{CallError, Trap, TrapKind};
pub use http::HttpClient;
pub use imports::{ALLOWED_IMPORTS, Import, Objection, TYPES_ONLY, imports, verify};
pub use intercept::{After, Before, HttpErrorCode, Interceptor, Outgoing, Untouched};
pub use limits::Limits;
pub use plugin::Plugin;
pub use report::{CallReport, HttpCall};
pub use sandbox::Sandbox;
