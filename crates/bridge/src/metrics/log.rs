//! Lines for the operator's log, in the form `logfmt` that log collectors read: `key=value`, texts in quotation marks.
//!
//! `time=2026-11-27T16:25:03.041Z level=warn connection=acme handoff=5f1c message="the platform does not answer"`
//!
//! Lines hold ids, symbols and counts; never text of people, never a secret.

use freshworks_handoff::text::time;
use handoff_contract::model::Timestamp;

use crate::service::Service;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something worth knowing was done.
    Info,
    /// Something failed that is tried again, or that costs one message or one line.
    Warn,
    /// Nothing works, or something is lost, until the operator acts.
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// The connection and the handoff that a request's path names, both empty where it names none. Whoever calls may write anything there, so
/// only what can be an id is taken for one.
pub fn place(path: &str) -> (&str, &str) {
    let parts: Vec<&str> = path.splitn(7, '/').collect();
    match parts[..] {
        ["", "v1", "connections", connection, "handoffs", handoff, ..] => (id(connection), id(handoff)),
        ["", "v1", "connections", connection, ..] | ["", "webhooks", _, connection, ..] => (id(connection), ""),
        _ => ("", ""),
    }
}

/// This part of a path, if it can be an id.
fn id(part: &str) -> &str {
    let is_id = part.len() <= 64 && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_id { part } else { "" }
}

/// A line. `connection` and `handoff` may be empty: then the line does not name them.
pub fn line(at: Timestamp, level: Level, connection: &str, handoff: &str, message: &str) -> String {
    // To the second: milliseconds stand behind it. Empty beyond the year 9999.
    let second = time::to_iso(at);
    let second = second.strip_suffix("000Z").unwrap_or_default();
    let mut line = ["time=", second].concat();
    let ms = at % 1000;
    for digit in [ms / 100, ms / 10 % 10, ms % 10] {
        line.push(char::from_digit(u32::try_from(digit).unwrap_or(0), 10).unwrap_or('0'));
    }
    line += "Z level=";
    line += level.word();
    for (name, id) in [(" connection=", connection), (" handoff=", handoff)] {
        if !id.is_empty() {
            line += name;
            line += id;
        }
    }
    line += " message=\"";
    for letter in message.chars() {
        match letter {
            '"' | '\\' => line.extend(['\\', letter]),
            // One line, whatever a host or a store has said.
            letter if letter.is_control() => line.push(' '),
            letter => line.push(letter),
        }
    }
    line.push('"');
    line
}

impl Service<'_> {
    /// Writes a line about a handoff, a connection (`handoff` is empty), or the bridge (both are empty).
    pub(crate) fn say(&self, level: Level, connection: &str, handoff: &str, message: &str) {
        (self.log)(&line((self.clock)(), level, connection, handoff, message));
    }

    /// Something failed that is tried again, or that costs little.
    pub(crate) fn warn(&self, connection: &str, handoff: &str, message: &str) {
        self.say(Level::Warn, connection, handoff, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_time_level_ids_and_a_text_in_quotation_marks() {
        let told = line(1_795_796_703_041, Level::Warn, "acme", "5f1c", "the platform does not answer");
        let wanted = "time=2026-11-27T16:25:03.041Z level=warn connection=acme handoff=5f1c \
                      message=\"the platform does not answer\"";
        assert_eq!(told, wanted);
        assert_eq!(line(7, Level::Error, "", "", "down"), "time=1970-01-01T00:00:00.007Z level=error message=\"down\"");
    }

    #[test]
    fn a_path_names_connection_and_handoff_and_nothing_else() {
        assert_eq!(place("/v1/connections/acme/handoffs/h-1/messages"), ("acme", "h-1"));
        assert_eq!(place("/v1/connections/acme/handoffs"), ("acme", ""));
        assert_eq!(place("/webhooks/freshchat/acme/the-secret"), ("acme", ""));
        assert_eq!(place("/webhooks/freshchat/a\" level=error/x"), ("", ""));
        for path in ["/v1/people/ana%40example.com", "/v1/tick", "/", "", "/v1/connections"] {
            assert_eq!(place(path), ("", ""), "{path}");
        }
    }

    #[test]
    fn whatever_a_message_holds_it_stays_one_text_on_one_line() {
        let told = line(0, Level::Info, "acme", "", "a \"b\" \\ c\nlevel=error\r\u{1b}[31m");
        assert_eq!(told.lines().count(), 1);
        assert!(told.ends_with("message=\"a \\\"b\\\" \\\\ c level=error  [31m\""), "{told}");
    }
}
