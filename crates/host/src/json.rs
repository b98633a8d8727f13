//! The contract's types as JSON.
//!
//! Field names are those of the WIT file in snake case, enum values those of the WIT file as they are. Reading is strict
//! about names (an unknown field is a typing error that would go unnoticed) and lenient about gaps: a missing option is
//! none, a missing list is empty, and a missing flag is false.
//!
//! The generated types carry serde's derived code, which knows neither WIT's spelling nor those rules. Both sides are a
//! serde format of our own, small because the contract is flat.

mod read;
mod write;

// JSON is read as the plugin reads it: half an emoji or a huge number costs no body.
pub(crate) use handoff_contract::json::from_slice;

pub use read::{ReadError, from_json};
pub use write::to_json;

/// `AgentMessage` as `agent-message`: from Rust's spelling of an enum case to WIT's.
fn kebab(name: &str) -> String {
    let mut kebab = String::with_capacity(name.len() + 4);
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests;
