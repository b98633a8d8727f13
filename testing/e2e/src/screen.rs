//! The demo's output: one line for each event, with its side.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

/// Writes to standard output, in colours on a terminal that wants them.
pub(crate) struct Screen {
    colours: bool,
    started: Instant,
    claims: Vec<(String, bool)>,
}

/// The side of an event.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    /// In front of the end user.
    Messenger,
    /// In the AI agent's platform.
    Platform,
    /// In the bridge.
    Bridge,
    /// In front of the human agent.
    Inbox,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { colours, started: Instant::now(), claims: Vec::new() }
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn write(&self, text: &str) {
        // A closed pipe ends the output.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    pub(crate) fn title(&self, number: usize, text: &str) {
        self.write(&self.painted("1", &format!("\n{number}  {text}")));
    }

    pub(crate) fn plain(&self, text: &str) {
        self.write(&format!("   {text}"));
    }

    pub(crate) fn line(&self, side: Side, text: &str) {
        let (word, colour) = match side {
            Side::Messenger => ("messenger", "36"),
            Side::Platform => ("platform", "2"),
            Side::Bridge => ("bridge", "33"),
            Side::Inbox => ("inbox", "35"),
        };
        let at = self.started.elapsed().as_secs_f64();
        self.write(&format!("   {at:6.3} s  {}  {text}", self.painted(colour, &format!("{word:9}"))));
    }

    /// A claim.
    pub(crate) fn claim(&mut self, text: &str, holds: bool) {
        self.claims.push((text.to_owned(), holds));
    }

    /// Shows a claim and whether it holds.
    pub(crate) fn verdict(&self) -> bool {
        for (text, holds) in &self.claims {
            let word = if *holds { self.painted("32", "holds") } else { self.painted("31", "FAILS") };
            self.write(&format!("   {word}   {text}"));
        }
        self.claims.iter().all(|(_, holds)| *holds)
    }
}
