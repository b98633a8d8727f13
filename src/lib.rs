//! Hands an AI agent's conversation to human agents in Freshworks, and brings it back.
//!
//! The core is pure Rust without I/O of its own: it reaches the outside through [`http::Http`] and keeps
//! nothing between calls. The shells around it are thin: `component` (the plugin, behind the feature
//! `plugin`), the Spin app, and native tests.
//!
//! | module | what is in it |
//! |---|---|
//! | [`use_cases`] | one for each function of the contract |
//! | [`conversation`] | the journal by which nothing is written twice, the session, states, timers, tickets |
//! | [`text`] | transcript, masking, markup, languages, times |
//! | [`settings`] | settings in, checked; their JSON Schema; names matched against the account |
//! | [`freshchat`], [`freshdesk`] | the vendor's APIs: each call as a value |
//! | [`http`], `wasi_http` | the one trait to the outside, the client on top of it, and its WASI 0.2 implementation |
//! | [`vocabulary`] | every word that programs may match |

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod conversation;
pub mod freshchat;
pub mod freshdesk;
pub mod http;
pub mod settings;
pub mod text;
pub mod use_cases;
pub mod vocabulary;

#[cfg(all(feature = "wasi-http", target_family = "wasm"))]
pub mod wasi_http;

#[cfg(test)]
mod testing;
