//! The core without any network: `core <handoff|relay> <operations>`. Counted under callgrind, the difference of two
//! counts gives the cost of an operation.

use std::cell::RefCell;
use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use freshworks_bench::upstream::answer;
use freshworks_handoff::http::{Http, Method, Request, Response, TransportError};
use freshworks_handoff::use_cases::{handoff, relay};
use handoff_contract::model::{HandoffRequest, Message};
use serde_json::json;

const NOW: u64 = 1_795_000_000_000;

/// Method and path.
type Asked = (&'static str, String);

/// Responds immediately. What an operation is answered is made the first time, so that only the core is counted.
#[derive(Default)]
struct Canned {
    answers: RefCell<HashMap<Asked, (u16, Vec<u8>)>>,
}

impl Http for Canned {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        let answer = |request: Request| {
            let method = match request.method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Put => "PUT",
                Method::Delete => "DELETE",
            };
            let mut answers = self.answers.borrow_mut();
            let known = answers.entry((method, request.path));
            let (status, body) = known.or_insert_with_key(|(_, path)| answer(method, path, &request.body)).clone();
            Ok(Response { status, headers: vec![("content-type".to_owned(), "application/json".to_owned())], body })
        };
        requests.into_iter().map(answer).collect()
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let operation = arguments.next().context("usage: core <handoff|relay> <operations>")?;
    let operations: usize = arguments.next().context("how many operations?")?.parse()?;

    let settings = json!({
        "chat_url": "https://acme.freshchat.com", "api_key": "key",
        "resolved": {
            "agents": {}, "groups": {}, "origin": "https://acme.freshchat.com", "ticket_groups": {},
            "topics": { "Sendbird Integration": "6775dc77-0156-4f61-9afc-d44d14cf8bfe" },
        },
    })
    .to_string();
    let message = |id: usize| {
        json!({
            "id": id.to_string(), "sent_at": NOW + id as u64 * 1000,
            "sender": { "role": if id.is_multiple_of(2) { "end-user" } else { "ai-agent" } },
            "parts": [{ "kind": "text", "text": "All work and no play. ".repeat(5)[..100] }],
        })
    };
    let request: HandoffRequest = serde_json::from_value(json!({
        "key": { "application": "app", "channel": "channel", "conversation": "ana" },
        "user": { "id": "ana", "name": "Ana Silva", "email": "ana@example.com", "email_verified": true },
        "mode": "live", "reason": "user-asked", "summary": "Her parcel is late.",
        "history": (0..40).map(message).collect::<Vec<_>>(),
    }))?;
    let failed = |error: handoff_contract::error::Error| anyhow::anyhow!("{error:?}");
    let upstream = Canned::default();
    let receipt = handoff::handoff(&upstream, &settings, &request, None, NOW).map_err(failed)?;
    let message: Message = serde_json::from_value(message(1000))?;
    for _ in 0..operations {
        match operation.as_str() {
            "handoff" => drop(handoff::handoff(&upstream, &settings, &request, None, NOW).map_err(failed)?),
            "relay" => {
                drop(relay::relay(&upstream, &settings, &receipt.session, &message, false, NOW).map_err(failed)?);
            }
            other => bail!("unknown operation {other}"),
        }
    }
    Ok(())
}
