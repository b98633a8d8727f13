//! `fermyon:spin/variables`.

use crate::bindings::variables::{Error, Host};
use crate::state::State;

impl Host for State {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        if !is_name(&name) {
            return Ok(Err(Error::InvalidName(name)));
        }
        Ok(self.app.variables.get(&name).cloned().ok_or(Error::Undefined(name)))
    }
}

/// Lowercase letters and digits, a letter first, in groups joined by one underscore each.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('_').all(|group| {
            !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_snake_case() {
        for name in ["a", "api_key", "key2_b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "_a", "a_", "a__b", "A", "2a", "a-b", "é"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
