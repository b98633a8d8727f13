//! The emulator, tried with a real component.

#[path = "../common/client.rs"]
mod client;
#[path = "../common/component.rs"]
mod component;
mod outbound;
mod probe;
mod redis;
mod requests;
mod sqlite;
#[path = "../common/tls.rs"]
mod tls;
