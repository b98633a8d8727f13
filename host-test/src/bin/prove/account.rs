//! The account of a run: its own simulator, the plugin in a sandbox, and the requests of the flow.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use freshworks_simulator::{Assignee, Config, Conversation, KeyForm, Simulator, User, UserSpec};
use handoff_host::bindings::{
    ConversationKey, EndUser, HandoffRequest, Message, Mode, Part, PartKind, Reason, Sender, SenderRole,
};
use handoff_host::{AllowList, HttpClient, Limits, Plugin, Sandbox};
use serde_json::{Value, json};

use crate::faults::{AtHost, Fault, Kind, Place, SHORT_TIMEOUT_MS};
use crate::flows::{Flow, Known, Others, Who, Words};
use crate::people::{FILES, inbox};
use crate::tap::{SMALL_MEMORY, Tap};

const USER: &str = "user-1";
const EMAIL: &str = "ana@example.com";
/// Placeholders for the simulator's origins in reused settings.
const ORIGIN: &str = "http://127.0.0.1:1";
const TICKET_ORIGIN: &str = "http://127.0.0.1:2";

/// The marks of other people's conversations: no end user of a flow may see one.
pub(crate) const OTHERS_MARK: &str = "⟨b";

/// State shared by all runs.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) plugin: Plugin,
    pub(crate) client: HttpClient,
}

/// The settings that `connect` returned for a flow. Accounts of one flow have the same ids, so that all runs can use them.
#[derive(Clone)]
pub(crate) struct Connected(String);

/// An account with the plugin before it.
pub(crate) struct Account {
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) tap: Arc<Tap>,
    pub(crate) plugin: Plugin,
    pub(crate) sandbox: Sandbox,
    pub(crate) settings: String,
    /// How many people it knows before the flow.
    pub(crate) people: usize,
    /// The other people, each with their own conversation.
    pub(crate) others: Vec<Other>,
}

/// Another person, as before the flow.
pub(crate) struct Other {
    user: User,
    /// The conversation.
    pub(crate) conversation: String,
    /// The marks that it must contain by now.
    pub(crate) marks: Vec<String>,
}

/// The people whom a flow must not affect.
fn others(flow: &Flow) -> Vec<UserSpec> {
    let zoe = UserSpec { first_name: Some("Zoe".into()), ..UserSpec::default() };
    let of = |reference: Option<&str>, email: Option<&str>| UserSpec {
        reference_id: reference.map(str::to_owned),
        email: email.map(str::to_owned),
        ..zoe.clone()
    };
    match flow.others {
        Others::Nobody => Vec::new(),
        Others::SameAddress => vec![of(None, Some(EMAIL))],
        Others::SameAddressOtherId => vec![of(Some("user-9"), Some(EMAIL))],
        Others::Alike => vec![
            of(Some(&format!("{USER}0")), Some("zoe@example.com")),
            of(None, Some(&format!("{EMAIL}.br"))),
            of(Some("somebody"), None),
        ],
    }
}

/// Adds the people whom a flow must not affect, each with an open conversation that Maya has taken.
async fn seed_others(simulator: &Simulator, flow: &Flow) -> Result<Vec<Other>> {
    let topic = simulator.topic_id("Sendbird Integration").unwrap_or_default();
    let maya = simulator.agent_id(Who::Maya.name()).unwrap_or_default();
    let refused = |refusal| anyhow::anyhow!("the account refuses another person's conversation: {refusal:?}");
    let mut all = Vec::new();
    for spec in others(flow) {
        let id = simulator.seed_user(spec);
        let mark = format!("{OTHERS_MARK}{}⟩", all.len());
        let begun = simulator.user_starts(&topic, &id, &format!("{mark} my own matter")).await;
        let conversation = begun.map_err(refused)?.0;
        simulator.assign(&conversation, &maya, Assignee::Agent(&maya)).await.map_err(refused)?;
        let user = simulator.users().into_iter().find(|user| user.id == id).context("no user")?;
        all.push(Other { user, conversation, marks: vec![mark] });
    }
    // There is no session yet that they could belong to.
    simulator.clear_deliveries();
    Ok(all)
}

async fn simulator(flow: &Flow) -> Result<(Simulator, Vec<Other>)> {
    let simulator = Simulator::start(Config { behaviour: flow.behaviour.clone(), ..Config::default() }).await?;
    // First, so that code that takes the first of many records takes a wrong one.
    let others = seed_others(&simulator, flow).await?;
    let ana = UserSpec { first_name: Some("Ana".into()), ..UserSpec::default() };
    match flow.known {
        Known::No => {}
        Known::ByReference => drop(simulator.seed_user(UserSpec { reference_id: Some(USER.into()), ..ana })),
        Known::ByEmail => drop(simulator.seed_user(UserSpec { email: Some(EMAIL.into()), ..ana })),
    }
    Ok((simulator, others))
}

fn reaching(stage: &Stage, simulator: &Simulator) -> Result<Sandbox> {
    let mut allow = AllowList::none();
    allow.allow_internal(simulator.origin())?;
    allow.allow_internal(simulator.ticket_origin())?;
    Ok(Sandbox::new(stage.client.clone()).allow(allow))
}

/// Connects once for all runs of a flow.
pub(crate) async fn connect(stage: &Stage, flow: &Flow) -> Result<Connected> {
    let (simulator, _) = simulator(flow).await?;
    let mut settings = json!({
        "chat_url": "acme",
        "api_key": simulator.api_key(),
        "webhook_public_key": simulator.public_key(KeyForm::Vendor),
        "test_origin": simulator.origin(),
    });
    for (name, value) in flow.settings.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    if flow.has_desk {
        settings["test_ticket_origin"] = simulator.ticket_origin().into();
        settings["ticket_api_key"] = simulator.ticket_api_key().into();
    }
    let sandbox = reaching(stage, &simulator)?;
    let connection = stage.plugin.connect(&sandbox, &settings.to_string()).await.result.context("connect")?;
    anyhow::ensure!(connection.connected, "connect found: {:?}", connection.findings);
    let settings = connection.settings.replace(simulator.ticket_origin(), TICKET_ORIGIN);
    Ok(Connected(settings.replace(simulator.origin(), ORIGIN)))
}

impl Account {
    pub(crate) async fn open(stage: &Stage, flow: &Flow, connected: &Connected, faults: &[Fault]) -> Result<Self> {
        let (simulator, others) = simulator(flow).await?;
        let simulator = Arc::new(simulator);
        // With the closing quote, because one port may be a prefix of another.
        let settings = connected.0.replace(&format!("{TICKET_ORIGIN}\""), &format!("{}\"", simulator.ticket_origin()));
        let mut settings = settings.replace(&format!("{ORIGIN}\""), &format!("{}\"", simulator.origin()));
        if faults.iter().any(|fault| fault.kind.is_slow()) {
            let mut fields: Value = serde_json::from_str(&settings)?;
            fields["response_timeout_ms"] = SHORT_TIMEOUT_MS.into();
            settings = fields.to_string();
        }
        let of_requests = faults.iter().filter(|fault| fault.kind.place() == Place::Request).copied().collect();
        let tap = Arc::new(Tap::new(simulator.clone(), of_requests));
        let mut sandbox = reaching(stage, &simulator)?.interceptor(tap.clone());
        let needs_memory = |fault: &Fault| matches!(fault.kind, Kind::Host { what: AtHost::OutOfMemory, .. });
        if faults.iter().any(needs_memory) {
            sandbox = sandbox.limits(Limits { memory_bytes: SMALL_MEMORY, ..Limits::default() });
        }
        let people = simulator.users().len();
        Ok(Self { simulator, tap, plugin: stage.plugin.clone(), sandbox, settings, people, others })
    }

    pub(crate) fn agent(&self, who: Who) -> String {
        self.simulator.agent_id(who.name()).unwrap_or_default()
    }

    /// The conversation in which human agents act: the newest of the person.
    pub(crate) fn newest(&self) -> Option<String> {
        let of_person = self.conversations_of_person();
        of_person.last().map(|conversation| conversation.id.clone())
    }

    /// The records of the person.
    pub(crate) fn records(&self) -> Vec<String> {
        let is_person = |user: &freshworks_simulator::User| {
            let is_other = self.others.iter().any(|other| other.user.id == user.id);
            !is_other && (user.reference_id.as_deref() == Some(USER) || user.email.as_deref() == Some(EMAIL))
        };
        self.simulator.users().into_iter().filter(is_person).map(|user| user.id).collect()
    }

    /// Changes to another person's record and conversations, if any.
    pub(crate) fn harm_to_others(&self) -> Option<String> {
        let (users, conversations) = (self.simulator.users(), self.simulator.conversations());
        for other in &self.others {
            if !users.contains(&other.user) {
                return Some(format!("another person's record was changed: {:?}", other.user));
            }
            let theirs: Vec<&Conversation> = conversations.iter().filter(|it| it.user_id == other.user.id).collect();
            let seen: Vec<Vec<String>> = theirs.iter().map(|it| inbox(it)).collect();
            if seen != [other.marks.clone()] {
                return Some(format!(
                    "the conversations of another person contain {seen:?} instead of {:?}",
                    other.marks
                ));
            }
        }
        None
    }

    pub(crate) fn conversations_of_person(&self) -> Vec<Conversation> {
        let records = self.records();
        let mut all = self.simulator.conversations();
        all.retain(|conversation| records.contains(&conversation.user_id));
        all
    }

    /// The headers of a webhook whose body was changed on purpose.
    pub(crate) fn signature(&self, body: &[u8]) -> Vec<(String, String)> {
        vec![("X-Freshchat-Signature".to_owned(), self.simulator.sign(body))]
    }
}

pub(crate) fn request(flow: &Flow, now: u64) -> HandoffRequest {
    let (count, letters) = flow.history;
    let line = |number: usize| {
        let role = if number.is_multiple_of(2) { SenderRole::EndUser } else { SenderRole::AiAgent };
        let text = format!("⟨h{number}⟩ {}", "o".repeat(letters));
        Message {
            id: format!("history-{number}"),
            sender: sender(role),
            sent_at: now - 3_600_000 + number as u64 * 1_000,
            parts: vec![part(PartKind::Text, Some(text), None)],
        }
    };
    HandoffRequest {
        key: ConversationKey { application: "app-1".into(), channel: "channel-7".into(), conversation: "42".into() },
        user: EndUser {
            id: USER.into(),
            name: Some("Ana Silva".into()),
            email: Some(EMAIL.into()),
            email_verified: flow.is_verified,
            phone: None,
            phone_verified: false,
            locale: Some("pt-BR".into()),
            avatar_url: None,
        },
        mode: Mode::Live,
        reason: Reason::UserAsked,
        reason_text: None,
        category: None,
        summary: Some("⟨summary⟩ Her parcel is late".into()),
        history: Some((0..count).map(line).collect()),
        context: None,
        routing: None,
        retry: false,
    }
}

/// The marks of a request, in reading order.
pub(crate) fn request_marks(flow: &Flow) -> Vec<String> {
    (0..flow.history.0).map(|number| format!("⟨h{number}⟩")).chain(std::iter::once("⟨summary⟩".to_owned())).collect()
}

fn sender(role: SenderRole) -> Sender {
    Sender { role, id: None, name: None, avatar_url: None }
}

fn part(kind: PartKind, text: Option<String>, url: Option<String>) -> Part {
    Part { kind, text, url, name: None, media_type: None, bytes: None, choices: None }
}

/// The end user's message `number`, with its marks.
pub(crate) fn words(words: Words, number: usize, now: u64) -> (Message, Vec<String>) {
    let mark = format!("⟨u{number}⟩");
    let (parts, marks) = match words {
        Words::Line => (vec![part(PartKind::Text, Some(format!("{mark} Hello")), None)], vec![mark]),
        Words::Yes => (vec![part(PartKind::Text, Some("⟨yes⟩ please".into()), None)], vec!["⟨yes⟩".into()]),
        Words::Long => {
            let marks: Vec<String> = (0..3).map(|piece| format!("⟨u{number}.{piece}⟩")).collect();
            let text: String = marks.iter().map(|mark| format!("{mark} {}\n", "o".repeat(440))).collect();
            (vec![part(PartKind::Text, Some(text), None)], marks)
        }
        Words::File => {
            let url = format!("{FILES}u{number}.png");
            (vec![part(PartKind::Image, Some(mark.clone()), Some(url.clone()))], vec![mark, url])
        }
    };
    let message = Message { id: format!("message-{number}"), sender: sender(SenderRole::EndUser), sent_at: now, parts };
    (message, marks)
}
