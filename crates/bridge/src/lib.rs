//! The bridge: the handoff as an HTTP service on Spin.
//!
//! A platform calls `/v1`, Freshworks calls the webhook endpoint, and what happens goes to the platform's callback. The
//! core is the same library as in the plugin; this crate adds what a service needs: who may call, what is stored, in which order.
//!
//! | room | what is in it |
//! |---|---|
//! | [`http`] | requests and responses as values, the table of operations, errors as RFC 9457 has them |
//! | [`service`] | what a request finds: HTTP, store, clock, policy; admitted, carried out, answered |
//! | [`access`] | who calls and what they may do; who changed what; where tenants may send the bridge; secrets; people's data |
//! | [`connections`] | settings, checked and shown; how a connection stands |
//! | [`handoffs`] | what happens to a handoff: its timeline, its rating, events that wait to be fetched |
//! | [`webhooks`] | from Freshworks, the ticket desk and the platform; the inbox where those of Freshworks wait for their effects |
//! | [`metrics`] | counts, the log of deliveries, alerts, lines for the operator |
//! | `lease`, [`state`] | work under a lease; what is stored, as a trait |
//! | [`platform`] | the platform's side, as a trait: Delight, and any other one |
//! | `console` | the admin's pages |
//! | `mcp` | the door for agents that speak the Model Context Protocol; a feature |

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod access;
pub mod connections;
mod console;
pub mod handoffs;
pub mod http;
mod lease;
#[cfg(feature = "mcp")]
mod mcp;
pub mod metrics;
pub mod platform;
pub mod service;
pub mod state;
pub mod webhooks;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
