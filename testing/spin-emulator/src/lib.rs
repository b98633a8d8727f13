//! Emulates Spin for tests and demonstrations: runs a Spin HTTP component (WASI 0.2, as spin-sdk 5 builds it) on
//! a port of this machine, with Spin's variables, SQLite, key-value store and outgoing Redis.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use spin_emulator::{App, Component, Options, SqliteFile};
//!
//! let component = Component::load("target/spin/app.wasm".as_ref()).await?;
//! let sqlite = SqliteFile::in_memory();
//! let options = Options {
//!     variables: [("greeting".to_owned(), "hello".to_owned())].into(),
//!     allowed_outbound_hosts: vec!["http://127.0.0.1:8079".to_owned()],
//!     sqlite: sqlite.clone(),
//!     ..Options::default()
//! };
//! // Two instances of the app over one database, as behind a load balancer.
//! let (one, two) = (App::start(&component, options.clone()).await?, App::start(&component, options).await?);
//! println!("{} and {}", one.origin(), two.origin());
//! one.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What is as in Spin
//!
//! Each request gets a fresh instance. A trap is a 500 without body for that request alone. The end of the response ends
//! the instance (in Spin up to 4.0 it does not: [`Options::goes_on_after_response`]); a client that leaves before its response begins does not. [`App::stop`] is SIGTERM: nothing is drained. A
//! database connection lives as long as the component holds it. Redis is connected to anew by each `open`.
//!
//! # What is not
//!
//! One component behind the route `/...`; no manifest. `TCP_NODELAY` is set on connections, which Spin leaves out. SQLite
//! runs in WAL mode (in memory: without journal file), and the key-value store is a table of the same database. Spin
//! bounds neither time nor memory by default, [`Limits`] does. `allowed_outbound_hosts` knows no templates, address ranges
//! or `self`.
//!
//! # Map
//!
//! | file | contents |
//! |---|---|
//! | `component.rs` | compiling and linking, once |
//! | `options.rs`, `allow.rs` | what an app is given, and how much |
//! | `app.rs`, `server.rs` | the running app; a request's way through an instance |
//! | `state.rs`, `log.rs` | what an instance holds; what was written |
//! | `outbound.rs` | outgoing HTTP |
//! | `redis_server.rs` | a real `redis-server` to run against |
//! | `variables.rs`, `sqlite.rs`, `key_value.rs`, `redis.rs` | Spin's own interfaces |

mod allow;
mod app;
mod bindings;
mod component;
mod key_value;
mod log;
mod options;
mod outbound;
mod redis;
mod redis_server;
mod server;
mod sqlite;
mod state;
mod variables;

pub use app::App;
pub use component::Component;
pub use options::{Limits, Options};
pub use redis_server::RedisServer;
pub use sqlite::SqliteFile;
