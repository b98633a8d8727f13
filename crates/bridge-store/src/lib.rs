//! Where the bridge keeps its state: Spin's SQLite, or Redis.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
#![cfg(target_family = "wasm")]

mod open;
mod redis;
mod sqlite;

pub use open::open;
