//! Input of the command line: files, standard input, headers.

use std::io::Read as _;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::session::Exit;
use handoff_contract::json::from_slice;
use handoff_host::bindings::{Delivery, Message, Part, PartKind, Sender, SenderRole};
use handoff_host::json::from_json;

/// The byte order mark that editors on Windows write.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads files, and standard input once.
#[derive(Debug, Default)]
pub(super) struct Input {
    stdin_read: bool,
}

impl Input {
    /// The body of a webhook, exactly as it arrived.
    pub(super) fn body(&mut self, file: &Path) -> Result<String, Exit> {
        String::from_utf8(self.bytes(file)?).map_err(|error| {
            let place = error.utf8_error().valid_up_to();
            Exit::usage(format!("{} is not UTF-8 (byte {place}): the vendor sends no such webhook", shown(file)))
        })
    }

    /// The bytes of a file, or of standard input for `-`.
    fn bytes(&mut self, file: &Path) -> Result<Vec<u8>, Exit> {
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

    fn text(&mut self, file: &Path) -> Result<String, Exit> {
        let text = String::from_utf8(self.bytes(file)?).map_err(|error| {
            let place = error.utf8_error().valid_up_to();
            Exit::usage(format!("{} is not UTF-8 (byte {place}): save it with the encoding UTF-8", shown(file)))
        })?;
        Ok(text.strip_prefix(BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text))
    }

    /// One value of the contract. Errors call it `name`.
    pub(super) fn json<T: DeserializeOwned>(&mut self, file: &Path, name: &str) -> Result<T, Exit> {
        let text = self.text(file)?;
        value(&text, file, name)?;
        from_json(&text, name).map_err(|error| Exit::usage(format!("{}: {error}", shown(file))))
    }

    /// A JSON object whose fields only the plugin knows.
    pub(super) fn object(&mut self, file: &Path, name: &str) -> Result<Map<String, Value>, Exit> {
        match value(&self.text(file)?, file, name)? {
            Value::Object(object) => Ok(object),
            other => {
                let found = match other {
                    Value::Null => "null",
                    Value::Bool(_) => "true or false",
                    Value::Number(_) => "a number",
                    Value::String(_) => "a text",
                    Value::Array(_) | Value::Object(_) => "a list",
                };
                Err(Exit::usage(format!("{}: the {name} must be a JSON object {{...}}, not {found}", shown(file))))
            }
        }
    }
}

/// A file's name in errors.
fn shown(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

/// JSON of any shape. Syntax errors never quote the file's content.
fn value(text: &str, file: &Path, name: &str) -> Result<Value, Exit> {
    if text.trim().is_empty() {
        return Err(Exit::usage(format!("{} ({name}) is empty: it must hold JSON", shown(file))));
    }
    from_slice(text.as_bytes()).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let cause = error.to_string();
        let cause = cause.split(" at line ").next().unwrap_or_default();
        Exit::usage(format!("{} ({name}) is not valid JSON: {cause} (line {line}, column {column})", shown(file)))
    })
}

/// The bytes of a file.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Exit> {
    std::fs::read(file).map_err(|error| Exit::usage(format!("{} cannot be read: {error}", file.display())))
}

/// Checks, before any request, that a file can be written afterwards.
pub(super) fn check_target(file: &Path) -> Result<(), Exit> {
    let refuse = |why: &dyn std::fmt::Display| Exit::usage(format!("{} cannot be written: {why}", file.display()));
    if file.is_dir() {
        return Err(refuse(&"it is a folder"));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(refuse(&format!("no such folder: {}", folder.display())));
    }
    let is_new = !file.exists();
    options().truncate(false).open(file).map_err(|error| refuse(&error))?;
    if is_new {
        // A leftover of a call that fails would look like its result.
        std::fs::remove_file(file).map_err(|error| refuse(&error))?;
    }
    Ok(())
}

/// For files that only their owner can read: sessions name people, settings hold secrets.
fn options() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes a file that only its owner can read, replacing an old one atomically.
pub(super) fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let is_special = std::fs::metadata(file).is_ok_and(|about| !about.is_file());
    if !is_special {
        // A link stays one.
        let target = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let beside = target.with_file_name(name);
        // If no file can be created beside it, it is written in place.
        if let Ok(mut open) = options().create_new(true).open(&beside) {
            let written = open.write_all(bytes).and_then(|()| open.sync_all());
            return written.and_then(|()| std::fs::rename(&beside, target)).inspect_err(|_| {
                let _ = std::fs::remove_file(&beside);
            });
        }
    }
    options().truncate(true).open(file).and_then(|mut open| open.write_all(bytes))
}

/// Reads `Name: value`.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("not `Name: value`".to_owned()),
    }
}

/// A webhook request that arrives now.
pub(super) fn delivery(headers: Vec<(String, String)>, body: String, now: u64) -> Delivery {
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
        choices: None,
    };
    let sender = Sender { role: SenderRole::EndUser, id: None, name: None, avatar_url: None };
    Message { id: format!("host-test-{now}"), sender, sent_at: now, parts: vec![part] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_atomically_and_is_private() {
        let folder = std::env::temp_dir().join(format!("host-test-write-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("settings.json");
        check_target(&file).unwrap();
        assert!(!file.exists(), "a check leaves nothing behind");
        for text in ["a longer text", "short"] {
            write(&file, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_header_is_a_name_and_a_value() {
        assert_eq!(header("X-Sig: a:b=="), Ok(("X-Sig".to_owned(), "a:b==".to_owned())));
        assert_eq!(header("X-Empty:"), Ok(("X-Empty".to_owned(), String::new())));
        assert!(header("nothing").is_err());
        assert!(header(": value").is_err());
    }
}
