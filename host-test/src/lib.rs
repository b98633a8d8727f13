//! The command line of `handoff-host`, and a handoff played from both sides.

pub mod cli;
pub mod demo;
