//! The bridge: the handoff as an HTTP service on Spin.
//!
//! A platform calls `/v1`, Freshworks calls the webhook endpoint, and what happens goes to the platform's callback. The
//! core is the same library as in the plugin; this crate adds what a service needs: who may call, what is stored, in which order.
//!
//! | room | what is in it |
//! |---|---|
//! | [`route`] | which request is meant |
//! | [`service`] | what each request does, over the two traits below and [`freshworks_handoff::http::Http`] |
//! | [`problem`] | errors as RFC 9457 has them |
//! | [`state`] | what is stored, as a trait; in memory for tests |
//! | [`callback`] | signed events to the platform |
//! | `spin_state`, `spin_app` | the edges: Spin's SQLite, Spin's HTTP |

pub mod callback;
pub mod problem;
pub mod route;
pub mod service;
pub mod state;

#[cfg(target_family = "wasm")]
mod spin_app;
#[cfg(target_family = "wasm")]
mod spin_state;

#[cfg(test)]
mod testing;
