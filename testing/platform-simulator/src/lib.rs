//! The AI agent's platform, for tests and demonstrations of a bridge between it and a help desk.
//!
//! Two platforms: [`Delight`] (Delight AI agent, formerly Sendbird AI agent) implements the Chat Platform API v3, the AI agent's
//! API and both kinds of webhooks, as far as the vendor's documentation and generated SDK describe them; [`Generic`] is any other platform, and
//! uses Standard Webhooks through that scheme's published implementation. Each runs on its own port and stops when it is
//! dropped. They share nothing with any bridge, so that both cannot share a mistake.

#![cfg_attr(test, allow(missing_docs))]

mod client;
mod delight;
mod faults;
mod generic;
mod server;

pub use delight::{AGENT_NAME, Config, Delight, Delivery, ExternalCase, FileForm, Kind, Seen, UserSpec, Webhook};
pub use faults::{Effect, Fault, How, WebhookFault};
pub use generic::{Caller, Generic};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock; a panic leaves valid state behind, because every change is atomic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
