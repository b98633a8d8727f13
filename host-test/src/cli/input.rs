//! What the command line reads: files, standard input, headers.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::session::Exit;
use handoff_contract::json::from_slice;
use handoff_host::bindings::{Delivery, Message, Part, PartKind, Sender, SenderRole};
use handoff_host::json::from_json;

/// Reads files, and standard input once.
#[derive(Debug, Default)]
pub(super) struct Input {
    stdin_read: bool,
}

impl Input {
    /// The bytes of a file, or of standard input for `-`.
    pub(super) fn bytes(&mut self, file: &Path) -> Result<Vec<u8>, Exit> {
        if file != Path::new("-") {
            return read(file);
        }
        if std::mem::replace(&mut self.stdin_read, true) {
            return Err(Exit::usage("only one of the files can be standard input"));
        }
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(|error| Exit::usage(format!("standard input: {error}")))?;
        Ok(bytes)
    }

    fn text(&mut self, file: &Path, name: &str) -> Result<String, Exit> {
        String::from_utf8(self.bytes(file)?).map_err(|_| Exit::usage(format!("`{name}` is not UTF-8")))
    }

    /// One value of the contract.
    pub(super) fn json<T: DeserializeOwned>(&mut self, file: &Path, name: &str) -> Result<T, Exit> {
        from_json(&self.text(file, name)?, name).map_err(|error| Exit::usage(error.to_string()))
    }

    /// A JSON object whose fields the plugin alone knows.
    pub(super) fn object(&mut self, file: &Path, name: &str) -> Result<Map<String, Value>, Exit> {
        from_slice(self.text(file, name)?.as_bytes()).map_err(|error| {
            // serde_json's own text may quote the value, which may be a secret.
            Exit::usage(format!("`{name}` is not a JSON object (line {}, column {})", error.line(), error.column()))
        })
    }
}

/// The bytes of a file.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Exit> {
    std::fs::read(file).map_err(|error| Exit::usage(format!("{}: {error}", file.display())))
}

/// Writes a file that only its owner can read: sessions name people, settings hold secrets.
pub(super) fn write(file: &PathBuf, bytes: &[u8]) -> Result<(), Exit> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut open| open.write_all(bytes));
    written.map_err(|error| Exit::host(format!("{}: {error}", file.display())))
}

/// Reads `Name: value`.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("not `Name: value`".to_owned()),
    }
}

/// A webhook request that arrives now.
pub(super) fn delivery(headers: Vec<(String, String)>, body: Vec<u8>, now: u64) -> Delivery {
    Delivery { headers, body, received_at: now }
}

/// A text of the end user, with an id made from the time.
pub(super) fn message(text: String, now: u64) -> Message {
    let part = Part {
        kind: PartKind::Text,
        text: Some(text),
        url: None,
        name: None,
        media_type: None,
        bytes: None,
        choices: Vec::new(),
    };
    let sender = Sender { role: SenderRole::EndUser, id: None, name: None, avatar_url: None };
    Message { id: format!("host-test-{now}"), sender, sent_at: now, parts: vec![part] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value() {
        assert_eq!(header("X-Sig: a:b=="), Ok(("X-Sig".to_owned(), "a:b==".to_owned())));
        assert_eq!(header("X-Empty:"), Ok(("X-Empty".to_owned(), String::new())));
        assert!(header("nothing").is_err());
        assert!(header(": value").is_err());
    }
}
