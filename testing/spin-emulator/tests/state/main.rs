//! The bridge's two stores, tried as they run in Spin: the same tests for both.

#[path = "../common/client.rs"]
mod client;
#[path = "../common/component.rs"]
mod component;
mod connections;
mod handoffs;
mod inbox;
mod leases;
mod log;
mod on_disk;
mod outage;
mod people;
mod records;
mod store;
#[path = "../common/tls.rs"]
mod tls;
mod upgrade;
