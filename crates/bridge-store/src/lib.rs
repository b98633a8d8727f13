//! Where the bridge keeps its state: Spin's SQLite (feature `sqlite`), or Redis.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
#![cfg(target_family = "wasm")]

mod open;
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use open::open;
