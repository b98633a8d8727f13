//! Values of the contract from JSON and to it, with errors that name the place and hold none of its text.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use super::repaired;

/// JSON that is not what the contract wants. Names the place, and holds none of the text there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// A dotted path, for example `request.history[3].sender.role`.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path, self.problem)
    }
}

impl std::error::Error for ReadError {}

/// Reads one value of the contract. `name` is what the value is called in errors, for example `request`. An unknown field of what a
/// platform passes is refused: it is a typing error that would go unnoticed. What may be missing may also be null.
///
/// # Errors
///
/// When the text is not JSON, or not of the right shape.
pub fn from_json<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, ReadError> {
    match read(text.as_bytes(), name) {
        Ok(value) => Ok(value),
        Err(error) => match repaired(text.as_bytes()) {
            Some(repaired) => read(&repaired, name),
            None => Err(error),
        },
    }
}

/// Writes one value of the contract: field names in snake case, enum values as in the WIT file.
///
/// # Panics
///
/// Never for the types of the contract: they are records, lists, text, numbers, flags, enums and options.
pub fn to_json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn read<T: DeserializeOwned>(text: &[u8], name: &str) -> Result<T, ReadError> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { name.to_owned() } else { format!("{name}.{path}") };
        refused(error.inner(), name, path)
    })?;
    reader.end().map_err(|error| refused(&error, name, name.to_owned()))?;
    Ok(value)
}

/// The message of the library may quote what people wrote: of that, only what was expected in its place is told, which are words of
/// the contract, and the kind of what was found.
fn refused(error: &serde_json::Error, name: &str, path: String) -> ReadError {
    if error.classify() != Category::Data {
        let problem = format!("is not JSON (line {}, column {})", error.line(), error.column());
        return ReadError { path: name.to_owned(), problem };
    }
    let text = error.to_string();
    let said = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said);
    if let Some(field) = said.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return ReadError { path: format!("{path}.{field}"), problem: "is missing".to_owned() };
    }
    let (found, expected) = said.rsplit_once(", expected ").unwrap_or((said, ""));
    let words = || expected.split('`').skip(1).step_by(2).collect::<Vec<_>>().join(", ");
    let problem = if found.starts_with("unknown field ") {
        format!("is not a field here; the fields are {}", words())
    } else if found.starts_with("unknown variant ") {
        format!("must be one of {}", words())
    } else if found.starts_with("duplicate field ") {
        "is there twice".to_owned()
    } else if let Some(length) = expected.strip_prefix("a tuple of size ") {
        format!("must be a list of {length}")
    } else if found.starts_with("invalid value: integer `") && !found.contains('-') && !expected.is_empty() {
        "is too large".to_owned()
    } else {
        format!("must be {}, not {}", wanted(expected), kind(found))
    };
    ReadError { path, problem }
}

fn wanted(expected: &str) -> &str {
    match expected {
        "a string" | "string or map" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        number if number.starts_with('u') => "a whole number from 0 on",
        record if record.starts_with("struct ") => "an object",
        _ => "something else",
    }
}

fn kind(found: &str) -> &'static str {
    let found = found.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
    match found.split([' ', ',', '`']).next().unwrap_or_default() {
        "null" | "unit" => "null",
        "boolean" => "true or false",
        "integer" | "floating" | "number" => "a number",
        "string" => "text",
        "sequence" => "a list",
        "map" => "an object",
        _ => "that",
    }
}

#[cfg(test)]
mod tests;
