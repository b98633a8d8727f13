//! The bridge: the handoff as an HTTP service on Spin.
//!
//! A platform calls `/v1`, Freshworks calls the webhook endpoint, and what happens goes to the platform's callback. The
//! core is the same library as in the plugin; this crate adds what a service needs: who may call, what is stored, in which order.
//!
//! | room | what is in it |
//! |---|---|
//! | [`http`], [`responses`], [`problem`] | a request and its answer as values; what is answered; errors as RFC 9457 has them |
//! | [`route`], [`access`], [`service`] | which request is meant; who calls and what they may do; what is done |
//! | [`audit`], [`log`] | who changed what; lines for the operator |
//! | [`connections`], [`status`], `console` | settings, checked and shown; how a connection stands; the admin's pages |
//! | [`destinations`] | where tenants may send the bridge |
//! | [`activity`], [`counters`], [`journal`] | what was counted, and what happened to a handoff |
//! | [`watch`], `alerts` | deliveries one by one, what failed is sent again; the operator is told |
//! | `openapi` | the description of all that, made from the code |
//! | `handoffs`, `ratings`, `webhooks`, `mailbox` | what happens to a handoff; how it is rated; what webhooks bring; events that wait to be fetched |
//! | [`inbox`] | webhooks of Freshworks between their arrival and their effects |
//! | `lease`, [`state`] | work under a lease; what is stored, as a trait |
//! | [`platform`] | the platform's side, as a trait: Delight, and any other one |
//! | [`vault`] | secrets at rest |
//! | [`standard_webhooks`], [`secret`] | signatures; text that must not be seen |

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod access;
pub mod activity;
mod alerts;
pub mod audit;
pub mod connections;
mod console;
pub mod counters;
pub mod destinations;
pub mod handoffs;
pub mod http;
pub mod inbox;
pub mod journal;
mod lease;
pub mod log;
mod mailbox;
#[cfg(all(feature = "schema", not(target_family = "wasm")))]
pub mod openapi;
pub mod people;
pub mod platform;
pub mod problem;
mod ratings;
pub mod responses;
pub mod route;
pub mod secret;
pub mod service;
pub mod standard_webhooks;
pub mod state;
pub mod status;
mod ticket_webhook;
pub mod vault;
pub mod watch;
mod webhooks;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
