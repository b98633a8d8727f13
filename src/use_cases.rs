//! The use cases, one for each function of the contract.

pub mod choices;
pub mod close;
pub mod connect;
pub mod describe;
pub mod erase;
pub mod files;
pub mod handoff;
pub mod rate;
pub mod relay;
pub mod tick;
pub mod times;
pub mod undelivered;
pub mod webhook;

pub use crate::conversation::session::{Receipt, Update};
