//! Tests the finished plugin against the contract: each function with a successful case and one for each documented error.
//!
//! The plugin runs in the host's sandbox and talks HTTP to its own simulator. People's messages in these tests contain one
//! rare word, and the API key is another: no error, finding, step, report or session may contain either, in any test (see
//! `watch.rs`).

mod choices;
mod close;
mod connect;
mod connect_settings;
mod coverage;
mod describe;
mod erase;
mod estimates_and_ratings;
#[path = "../support/file_host.rs"]
mod file_host;
mod files;
mod gone;
mod handoff;
mod handoff_errors;
mod handoff_repeats;
mod history;
mod http_calls;
mod identity;
mod largest;
mod lost_and_doubled;
mod masked;
mod observed;
mod peek;
#[path = "../support/plugin.rs"]
mod plugin;
mod preview;
mod reading;
mod relay;
mod relay_repeats;
mod secrets;
mod sessions;
mod shapes;
mod summary;
mod support;
mod tick;
mod tickets;
mod times;
mod undelivered;
mod watch;
mod webhook;
mod webhook_events;
mod webhook_order;
mod webhook_payloads;
