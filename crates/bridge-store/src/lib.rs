//! Where the bridge keeps its state: Spin's SQLite, or Redis.

#![cfg(target_family = "wasm")]

mod redis;
mod spin;
mod sqlite;

pub use spin::SpinState;
