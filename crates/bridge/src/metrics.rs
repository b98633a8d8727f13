//! What was counted and logged, and who learns of it.

pub mod activity;
pub(crate) mod alerts;
pub mod counters;
pub mod deliveries;
pub mod log;
