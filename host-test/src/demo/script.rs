//! A human agent and an end user who follow a script, with the mishaps that every platform meets.

use anyhow::{Context as _, Result, ensure};
use axum::http::Request;
use bytes::Bytes;
use freshworks_simulator::{Action, Assignee, Delivery, WebhookFault};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use super::claims::Claim;
use super::screen::Side;
use super::{Stage, within};

const FIRST_ANSWER: &str =
    "Hello, this is Maya. I have your parcel in front of me.\nIt is lost, so a new one leaves today.";
const NOTE: &str = "INTERNAL: the carrier confirms the loss, up to 60 EUR is fine. Do not promise a date.";
const QUESTION: &str = "Thank you Maya! 🙏 To the right door, 3.º esq.?";
const LAST_ANSWER: &str = "Yes, to that door.";
const BUTTON: (&str, &str) = ("Follow the parcel", "https://parcels.example/4712-ES");

/// Plays to the end; returns the claims that only this script can make.
pub(super) async fn play(stage: &Stage, key: &str, id: &str) -> Result<Vec<Claim>> {
    let Stage { freshworks, platform, screen, .. } = stage;
    let maya = freshworks.agent_id("Maya Chen").context("the simulator has no Maya Chen")?;
    let inbox = |text: &str| screen.side(Side::Inbox, text);

    inbox("Maya Chen takes the conversation");
    within("the assignment", freshworks.assign(id, &maya, Assignee::Agent(&maya))).await??;

    inbox(&format!("Maya Chen writes: {FIRST_ANSWER}"));
    let answered = within("the answer", freshworks.reply(id, &maya, FIRST_ANSWER)).await??;

    inbox(&format!("Maya Chen writes a private note: {NOTE}"));
    within("the private note", freshworks.note(id, &maya, NOTE)).await??;

    platform.relay(key, QUESTION).await?;
    // The next fault must not hit the echo of this.
    within("the echo", freshworks.settled()).await?;

    screen.side(Side::Stranger, "replays Maya's last webhook with altered text");
    let status = send_altered(stage.receiver.url(), answered.first().context("no webhook of the answer")?).await?;

    inbox(&format!("Maya Chen writes, and Freshworks delivers it twice: {LAST_ANSWER}"));
    freshworks.fail_webhooks_of(Action::MessageCreate, WebhookFault::Duplicate, 1);
    let button = json!({ "url_button": { "label": BUTTON.0, "url": BUTTON.1 } });
    let parts = vec![json!({ "text": { "content": LAST_ANSWER } }), button];
    let twice = within("the last answer", freshworks.reply_parts(id, &maya, parts)).await??;
    ensure!(twice.len() == 2, "the simulator did not deliver twice as requested");

    inbox("Maya Chen resolves the conversation");
    within("the resolution", freshworks.resolve(id, &maya)).await??;
    within("the handback", platform.returned(key)).await??;

    let seen = platform.seen(key).await?;
    Ok(vec![
        Claim::new(
            "a webhook that was delivered twice took effect once",
            seen.ignored.iter().any(|it| it == "duplicate"),
        ),
        Claim::new("an altered webhook was refused with 401", status == 401),
    ])
}

/// What an attacker can do who has seen one webhook and knows the URL.
async fn send_altered(url: &str, seen: &Delivery) -> Result<u16> {
    let body = String::from_utf8_lossy(&seen.body).replace("It is lost", "Pay 500 EUR");
    ensure!(body.as_bytes() != seen.body, "nothing was altered");
    let mut request = Request::post(url);
    for (name, value) in &seen.headers {
        request = request.header(name, value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = request.body(Full::new(Bytes::from(body)))?;
    Ok(within("the answer to the altered webhook", client.request(request)).await??.status().as_u16())
}
