//! The contract's types as JSON.
//!
//! Field names are those of the WIT file in snake case, enum values those of the WIT file as they are. Reading is strict
//! about the names of what a platform passes (an unknown field is a typing error that would go unnoticed) and lenient about gaps: a
//! missing option is none, and a missing flag is false.

pub use handoff_contract::json::{ReadError, from_json, to_json};
