//! The person at the terminal as the end user, while human agents answer in the simulator's inbox page.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::sync::mpsc;

use super::Stage;

/// How long nothing may happen: an hour is a human agent's lunch, more is a forgotten terminal.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// The lines of standard input as they are typed.
///
/// Read on a separate thread, because a read cannot be cancelled: the runtime would wait for one more line at its end.
#[must_use]
pub fn typed_lines() -> mpsc::Receiver<String> {
    let (typed, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if typed.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// Until a human agent resolves the conversation, or the end user leaves.
pub(super) async fn play(stage: &Stage, key: &str, mut lines: mpsc::Receiver<String>) -> Result<()> {
    let Stage { freshworks, platform, screen, .. } = stage;
    screen.link("Answer as a human agent in a browser", &format!("{}/", freshworks.origin()));
    screen.line("Type the end user's messages. /end leaves; resolving the conversation in the browser also ends it.");
    loop {
        tokio::select! {
            // Past events take precedence over the next input.
            biased;
            returned = platform.returned(key) => return returned,
            line = lines.recv() => match line.as_deref().map(str::trim) {
                None | Some("/end") => return platform.close(key).await,
                Some("") => {}
                Some(text) => platform.relay(key, text).await?,
            },
            () = tokio::time::sleep(PATIENCE) => bail!("nothing happened for an hour"),
        }
    }
}
