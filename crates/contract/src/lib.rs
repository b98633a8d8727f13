//! The contract's values as plain Rust: what core, host and bridge agree on.
//!
//! Knows neither Freshworks nor WebAssembly, and does no I/O.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

/// The contract itself, in WIT: the package `agent-handoff:connector`.
pub const WIT: &str = include_str!("connector.wit");

pub mod destination;
pub mod error;
pub mod json;
pub mod model;
mod words;
