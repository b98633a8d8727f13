//! Hands an AI agent's conversation to human agents in Freshworks, and brings it back.
//!
//! The core is pure Rust without I/O of its own: it reaches the outside through [`http::Http`] and keeps
//! nothing between calls. The shells around it are thin: `component` (the plugin, behind the feature
//! `plugin`), the Spin app, and native tests.
//!
//! | room | what is in it |
//! |---|---|
//! | [`model`] | the nouns of the contract in `wit/`, as plain Rust |
//! | [`files`], [`multipart`] | files of the end user on their way to Freshworks |
//! | [`masking`], [`plain_text`], [`languages`] | what must not travel on; text between people and pages; the labels that human agents read |
//! | [`settings`] | settings in, checked; their JSON Schema |
//! | [`describe`], [`connect`], [`handoff`], [`relay`], [`close`], [`undelivered`], [`rate`], [`webhook`], [`tick`] | the use cases, one for each function of the contract |
//! | [`choices`] | what settings may name, for forms: topics, groups, human agents, properties |
//! | [`ticket`], [`summary`] | a ticket after it was filed; what the AI agent reads about the human part |
//! | [`session`], [`lifecycle`], [`timers`] | what is remembered about a conversation, the table of its states, and what time does to it |
//! | [`transcript`] | summary and history as the human agent reads them |
//! | [`manual`] | every word that programs may match |
//! | [`names`] | names that admins write, matched against the account |
//! | [`conversation`] | writing into a conversation so that nothing is written twice |
//! | [`freshchat`], [`freshdesk`] | the vendor's APIs: each call as a value |
//! | [`client`], [`retry`] | sends those values; failures sorted by what the caller should do; which are sent again |
//! | [`http`], `wasi_http` | the one trait to the outside, and its WASI 0.2 implementation |
//! | [`json`] | JSON as other programs write it |

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod choices;
pub mod client;
pub mod close;
pub mod connect;
pub mod conversation;
pub mod describe;
pub mod destination;
pub mod erase;
pub mod error;
pub mod files;
pub mod freshchat;
pub mod freshdesk;
pub mod handoff;
pub mod http;
pub mod identity;
pub mod json;
pub mod languages;
pub mod lifecycle;
pub mod manual;
pub mod masking;
pub mod model;
pub mod multipart;
pub mod names;
pub mod plain_text;
pub mod rate;
pub mod relay;
pub mod retry;
pub mod session;
pub mod settings;
pub mod summary;
pub mod tick;
pub mod ticket;
pub mod time;
pub mod time_zone;
pub mod timers;
pub mod transcript;
pub mod undelivered;
pub mod webhook;

#[cfg(all(feature = "plugin", target_family = "wasm"))]
pub mod component;
#[cfg(all(feature = "wasi-http", target_family = "wasm"))]
pub mod wasi_http;

#[cfg(test)]
mod testing;
