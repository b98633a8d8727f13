//! `on-webhook` and the bodies that Freshworks has published or is known to send, of every era.

use freshworks_simulator::{Assignee, Era};
use handoff_host::bindings::EventKind;
use serde_json::Value;

use crate::support::{Desk, Talk, ignored, kinds, of_simulator, said};

pub(crate) const ERAS: [Era; 6] = [Era::Y2018, Era::Y2019, Era::Y2020, Era::Y2021, Era::Y2022, Era::Y2024];

pub(crate) fn published() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/webhook");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let bodies = files.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    });
    let mut bodies: Vec<_> = bodies.filter(|(name, _)| !name.starts_with("signature")).collect();
    bodies.sort();
    bodies
}

/// The meaning of each published body: an event, or the reason for ignoring it.
const MEANING: [(&str, Result<EventKind, &str>); 12] = [
    ("conversation_assignment.2020.agent.json", Ok(EventKind::AgentAssigned)),
    ("conversation_reopen.2018.agent.json", Ok(EventKind::Reopened)),
    ("conversation_reopen.2020.user.json", Ok(EventKind::Reopened)),
    ("conversation_reopen.2022-11.user.json", Ok(EventKind::Reopened)),
    ("conversation_resolution.2020.agent.json", Ok(EventKind::Resolved)),
    ("conversation_resolution.2022-04.agent.PARTIAL.json", Ok(EventKind::Resolved)),
    ("message_create.2018.user.json", Err("end-user-message")),
    ("message_create.2019.user.json", Err("end-user-message")),
    ("message_create.2020.agent.json", Ok(EventKind::AgentMessage)),
    ("message_create.2020.user.json", Err("end-user-message")),
    ("message_create.2022-11.agent.json", Ok(EventKind::AgentMessage)),
    ("outbound_message_event.2026.json", Err("unknown-action")),
];

/// The only conversation id in a body.
fn conversation_id(body: &Value) -> Option<&str> {
    let data = body["data"].as_object()?.values().next()?;
    data["conversation_id"].as_str().or_else(|| data["conversation"]["conversation_id"].as_str())
}

#[tokio::test]
async fn every_published_body_means_what_it_says() {
    let desk = Desk::new().await;
    let bodies = published();
    assert_eq!(bodies.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), MEANING.map(|(name, _)| name));
    for ((name, body), (_, meaning)) in bodies.into_iter().zip(MEANING) {
        let json: Value = serde_json::from_str(&body).unwrap();
        let update = desk.on_webhook(&desk.signed(body), None).await.result.unwrap();
        let event = &update.events[0];
        assert_eq!(event.conversation_id.as_deref(), conversation_id(&json), "{name}");
        match meaning {
            Err(word) => assert_eq!(ignored(&update.events), word, "{name}"),
            Ok(kind) => assert_eq!(kinds(&update.events), [kind], "{name}"),
        }
        let by_agent = json["actor"]["actor_type"] == "agent";
        let agent = event.agent.as_ref().and_then(|agent| agent.id.as_deref());
        assert_eq!(agent, by_agent.then(|| json["actor"]["actor_id"].as_str().unwrap()), "{name}");
        if meaning == Ok(EventKind::AgentMessage) {
            let text = &json["data"]["message"]["message_parts"][0]["text"]["content"];
            assert_eq!(event.message.as_ref().unwrap().parts[0].text.as_deref(), text.as_str(), "{name}");
        }
    }
}

#[tokio::test]
async fn published_bodies_are_foreign_to_a_connected_account() {
    let talk = Talk::begin().await;
    for (name, body) in published() {
        let delivery = talk.desk.signed(body);
        let update = talk.desk.on_webhook(&delivery, Some(&talk.session)).await.result.unwrap();
        let word = ignored(&update.events);
        assert!(["foreign-conversation", "unknown-action"].contains(&word), "{name}: {word}");
    }
}

#[tokio::test]
async fn every_era_tells_the_same_story() {
    for era in ERAS {
        let mut talk = Talk::begin().await;
        talk.desk.sim.set_behaviour(|it| it.era = era);
        let (maya, tom) = (talk.desk.maya(), talk.desk.tom());
        let sim = &talk.desk.sim;
        let mut webhooks = sim.assign(&talk.id, &maya, Assignee::Agent(&maya)).await.unwrap();
        webhooks.extend(sim.reply(&talk.id, &maya, &said("hello")).await.unwrap());
        webhooks.extend(sim.note(&talk.id, &maya, &said("between us")).await.unwrap());
        webhooks.extend(sim.user_writes(&talk.id, &said("hello")).await.unwrap());
        webhooks.extend(sim.system_says(&talk.id, &said("we value you")).await.unwrap());
        webhooks.extend(sim.assign(&talk.id, &maya, Assignee::Agent(&tom)).await.unwrap());
        webhooks.extend(sim.resolve(&talk.id, &tom).await.unwrap());
        webhooks.extend(sim.reopen(&talk.id, &tom).await.unwrap());
        let events = talk.hear(&webhooks).await;
        use EventKind::{AgentAssigned, AgentMessage, Ignored, Reopened, Resolved, ReturnedToAi, Transferred};
        assert_eq!(
            kinds(&events),
            [AgentAssigned, AgentMessage, Ignored, Ignored, Ignored, Transferred, Resolved, ReturnedToAi, Reopened],
            "{era:?}"
        );
        let words: Vec<_> =
            events.iter().filter(|it| it.kind == Ignored).filter_map(|it| it.detail.as_deref()).collect();
        assert_eq!(words, ["private-note", "end-user-message", "system-message"], "{era:?}");
        assert_eq!(events[1].message.as_ref().unwrap().parts[0].text, Some(said("hello")), "{era:?}");
        assert_eq!(events[1].agent.as_ref().unwrap().name.as_deref(), Some("Maya Chen"), "{era:?}");
        let first = webhooks.first().map(of_simulator).unwrap();
        assert_eq!(ignored(&talk.hear_one(&first).await.events), "duplicate", "{era:?}");
    }
}
