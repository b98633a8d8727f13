//! Delight AI agent, formerly Sendbird AI agent: its webhooks in, its Platform API out.
//!
//! Each human agent who answers becomes a user of the application with name and photo, joins the channel for as long as the
//! human part lasts, and leaves it at the end. Everything that is written carries a `dedup_id` derived from the event's id, so telling
//! something again shows nothing again.
//!
//! The platform offers no public call that ends a handoff or gives a conversation back to the AI agent. So the outcome is written
//! into the AI agent's context, a line says it in the channel, and `callback`, where configured, tells whoever can act on it.

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::http::Http;
use freshworks_handoff::text::transcript;
use handoff_contract::model::{
    Event, EventKind, Finding, HandoffRequest, Message, Mode, Outcome, Part, Reason, Sender, SenderRole, Timestamp,
    WaitEstimate,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::files::FileAccess;
use super::{Asked, DeliveryError, Generic, Inbound, News, Platform, Prepared, WebhookEndpoint, Webhooks, web_url};
use crate::access::secret::Secret;
use crate::http::IncomingRequest;
use crate::http::json::Fields;
use crate::http::problem::Problem;
use crate::state::{Connection, Handoff};

mod api;
mod csat;
mod inbound;
mod texts;

use api::{Api, ApiError, Content};
pub(crate) use inbound::sent_at;
use texts::Line;
pub use texts::Texts;

/// Marks what the bridge writes, so that it does not come back as somebody's message.
const OWN: &str = "freshworks-handoff";
/// What the AI agent's webhook is subscribed to.
const CATEGORIES: [&str; 3] = ["handoff", "message:user_sent", "conversation:closed"];
/// The same, where the account offers it: only newer documentation has it, and a category that is not known may be refused.
const REDACTED: &str = "conversation:redacted";
/// Messages that go over with a handoff at most: five requests.
const MAX_HISTORY: usize = 1_000;
/// What one page of the platform's list holds at most (vendor documentation).
const PAGE: usize = 200;

/// How a Delight AI agent is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Delight {
    /// The application's id: letters, digits and hyphens.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[A-Za-z0-9-]{1,64}$")))]
    pub app_id: String,
    /// The AI agent's id.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 128)))]
    pub ai_agent_id: String,
    /// The application's master API token. It signs the Chat webhook, too.
    #[cfg_attr(feature = "schema", schemars(with = "String", regex(pattern = r"^[!-~]+$")))]
    #[cfg_attr(feature = "schema", schemars(extend("format" = "password", "writeOnly" = true)))]
    pub api_token: Secret,
    /// Signs the AI agent's webhook. Needed only where the bridge may not set that webhook up itself.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "password", "writeOnly" = true)))]
    pub signature_secret: Option<Secret>,
    /// Gets the same events as any other platform: for what the platform has no public call for.
    #[serde(default)]
    pub callback: Option<Generic>,
    /// What the end user reads.
    #[serde(default)]
    pub texts: Texts,
    /// Which facts of the AI agent's context say who the end user is.
    #[serde(default)]
    pub identity: Identity,
    /// Which fields say what the handoff is about.
    #[serde(default)]
    pub about: About,
    /// The e-mail address in the AI agent's context finds the end user's record in Freshworks, and joins the conversation to it.
    /// Switch this on only when your server sets that address from an account whose owner has confirmed it by a link or a code,
    /// and when neither the end user, nor the app on their device, nor the AI agent can set it: whoever can would read the
    /// answers meant for somebody else. Otherwise the address is only shown to the human agent, as not verified.
    #[serde(default)]
    pub email_verified: bool,
    /// The same for the phone number. Switch this on only when your server sets it and its owner has confirmed it by a code sent
    /// there.
    #[serde(default)]
    pub phone_verified: bool,
    /// Loopback address of a simulator, instead of the platform.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^http://(127\.0\.0\.1|localhost):[0-9]+$")))]
    pub test_origin: Option<String>,
}

/// Names of facts in the AI agent's context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// Holds the e-mail address.
    pub email: String,
    /// Holds the phone number. Where this is `phone`, `phone_number` is tried beside it.
    pub phone: String,
    /// Holds the name, where the user record has none.
    pub name: String,
}

impl Default for Identity {
    fn default() -> Self {
        Self { email: "email".to_owned(), phone: "phone".to_owned(), name: "name".to_owned() }
    }
}

/// Names of fields that say what a handoff is about. Each is looked for among the facts of the AI agent's context, then in the
/// handoff webhook and in its conversation; only texts count. The vendor documents no such field: fill the facts from your server
/// or from a tool of the AI agent. Without a summary the human agent reads an extract of the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct About {
    /// Why the AI agent hands over.
    pub reason: String,
    /// What the conversation is about, in a word or two.
    pub topic: String,
    /// What happened so far.
    pub summary: String,
}

impl Default for About {
    fn default() -> Self {
        Self { reason: "handoff_reason".to_owned(), topic: "topic".to_owned(), summary: "summary".to_owned() }
    }
}

impl About {
    /// What the webhook says under these names, beside the AI agent's context.
    fn in_webhook(&self, data: &Value) -> Value {
        let find = |name: &String| {
            let found = [data.field(name), data.field("conversation").field(name)];
            found.into_iter().find_map(|value| value.as_str().filter(|text| !text.trim().is_empty())).map(str::to_owned)
        };
        json!({ "reason": find(&self.reason), "topic": find(&self.topic), "summary": find(&self.summary) })
    }
}

/// What a handoff webhook says, as it is stored until the handoff has come about.
#[derive(Deserialize)]
struct AskedFor {
    key: handoff_contract::model::ConversationKey,
    user: String,
    from: Timestamp,
    until: Timestamp,
    #[serde(default)]
    context: Value,
    /// As [`About::in_webhook`] found it; nothing in events of earlier versions.
    #[serde(default)]
    about: Value,
}

impl Delight {
    /// Where the API is.
    fn origin(&self) -> String {
        match &self.test_origin {
            Some(origin) => origin.clone(),
            None => format!("https://api-{}.sendbird.com", self.app_id.to_ascii_lowercase()),
        }
    }

    /// Files of applications that encrypt them (`require_auth`) are opened by the API token, as the vendor's staff says
    /// (community.sendbird.com/t/1472). They lie on hosts such as `file-us-1.sendbird.com`, as samples show, never on the API's.
    pub(super) fn file_access(&self) -> FileAccess<'_> {
        FileAccess {
            header: "api-token",
            secret: self.api_token.reveal(),
            test_origin: self.test_origin.as_deref(),
            serves: serves_files,
        }
    }

    /// The user that stands for a human agent. Derived, so that it is the same one in every conversation.
    fn persona(&self, connection: &str, agent: &Sender) -> Persona {
        let id = agent.id.as_deref().unwrap_or("nobody");
        let name =
            agent.name.clone().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| self.texts.agent.clone());
        let photo = agent.avatar_url.clone();
        Persona { id: format!("fw-{}", digest(&[connection, id], 12)), name, photo }
    }

    fn join(&self, api: &Api<'_>, handoff: &mut Handoff, persona: &Persona) -> Result<(), ApiError> {
        let look = digest(&[&persona.id, &persona.name, persona.photo.as_deref().unwrap_or_default()], 8);
        if !handoff.platform.personas.contains(&look) {
            api.save_user(&persona.id, &persona.name, persona.photo.as_deref())?;
            handoff.platform.personas.push(look);
        }
        if !handoff.platform.members.contains(&persona.id) {
            api.invite(&handoff.key.channel, &persona.id)?;
            handoff.platform.members.push(persona.id.clone());
        }
        Ok(())
    }

    fn tell_one(
        &self,
        api: &Api<'_>,
        connection: &Connection,
        handoff: &mut Handoff,
        event: &Event,
        asked: bool,
    ) -> Result<(), ApiError> {
        let channel = handoff.key.channel.clone();
        // Who it was may be unknown; what was said must not be lost for that.
        let nobody = Sender { role: SenderRole::HumanAgent, id: None, name: None, avatar_url: None };
        let persona = self.persona(&connection.id, event.agent.as_ref().unwrap_or(&nobody));
        let line = match event.kind {
            EventKind::AgentAssigned => Some(Line::Joined),
            EventKind::Transferred => Some(Line::Transferred),
            EventKind::Reopened => Some(Line::Reopened),
            // Nobody reads it in a conversation that the platform has closed.
            EventKind::ReturnedToAi if event.outcome == Some(Outcome::Ticketed) => Some(Line::Ticketed),
            EventKind::ReturnedToAi if !asked => Some(Line::Returned),
            _ => None,
        };
        let line = line.and_then(|line| self.texts.of(line, handoff.platform.locale.as_deref()));
        let line = line.map(|line| line.replace("{name}", &persona.name));
        if matches!(event.kind, EventKind::AgentAssigned | EventKind::AgentMessage | EventKind::TicketReplied) {
            self.join(api, handoff, &persona)?;
        }
        if let (EventKind::AgentMessage | EventKind::TicketReplied, Some(message)) = (event.kind, &event.message) {
            for (number, content) in pieces(message).iter().enumerate() {
                let dedup_id = digest(&[&event.id, &number.to_string()], 16);
                api.write(&channel, Some(&persona.id), &content.as_content(), &dedup_id)?;
            }
        }
        if let Some(line) = line {
            api.write(&channel, None, &Content::System(&line), &digest(&[&event.id, "line"], 16))?;
        }
        if event.kind == EventKind::ReturnedToAi {
            let members = std::mem::take(&mut handoff.platform.members);
            if !members.is_empty() {
                api.leave(&channel, &members)?;
            }
            let ticket = event.id.strip_prefix("ticket:").map(str::to_owned);
            let case = event.conversation_id.as_ref().map(|id| format!("fc:{id}")).or(ticket).unwrap_or_default();
            let outcome = event.outcome.map_or("unknown", outcome_word);
            let mut facts = vec![("handoff_outcome", outcome.to_owned()), ("handoff_case_id", case)];
            facts.extend(event.summary.clone().map(|summary| ("handoff_summary", summary)));
            api.add_to_context(&channel, &facts)?;
        }
        Ok(())
    }
}

impl Platform for Delight {
    fn check(&self) -> Result<(), Problem> {
        let wrong = |field: &str, what: &str, remedy: &str| {
            Err(Problem::new(422, "invalid-settings", what).at(format!("platform.{field}")).with_remedy(remedy))
        };
        let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if self.app_id.is_empty() || self.app_id.len() > 64 || !is_name(&self.app_id) {
            return wrong(
                "app_id",
                "this is no application id",
                "Copy it from the dashboard: letters, digits and hyphens.",
            );
        }
        if self.ai_agent_id.is_empty() || self.ai_agent_id.len() > 128 {
            return wrong("ai_agent_id", "this is no id of an AI agent", "Copy it from the dashboard.");
        }
        let token = self.api_token.reveal();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("api_token", "this is no API token", "Copy the master API token from the dashboard.");
        }
        if self.test_origin.as_deref().is_some_and(|origin| !web_url::is_loopback(origin)) {
            return wrong("test_origin", "this is no loopback address", "Leave it out: it is for simulators.");
        }
        self.callback.as_ref().map_or(Ok(()), |callback| callback.check_at("platform.callback"))
    }

    fn connect(&mut self, http: &dyn Http, webhooks: &Webhooks) -> Vec<Finding> {
        let mut findings = vec![Finding::warning(
            "chat-webhook",
            "set-up-by-hand",
            format!("files of the end user come through the Chat webhook {}", webhooks.chat),
            "Add it in the dashboard (Settings, Chat, Webhooks) with the event group_channel:message_send.",
        )];
        let connected = self.connect_webhook(&Api::new(http, self), webhooks);
        findings.push(match connected {
            Ok(secret) => {
                self.signature_secret = secret.or(self.signature_secret.take());
                Finding::ok(
                    "platform-webhook",
                    "set-up",
                    format!("the AI agent sends its events to {}", webhooks.platform),
                )
            }
            Err(finding) => finding,
        });
        findings
    }

    fn read(&self, endpoint: WebhookEndpoint, call: &IncomingRequest<'_>) -> Result<Inbound, Problem> {
        inbound::read(self, endpoint, call)
    }

    fn prepare(&self, http: &dyn Http, asked: &Asked) -> Result<Prepared, DeliveryError> {
        let asked: AskedFor = match asked {
            Asked::Complete(request) | Asked::Trial(request) => {
                let user = request.user.id.clone();
                return Ok(Prepared { request: (**request).clone(), user, carried_until: 0 });
            }
            Asked::Event(text) => serde_json::from_str(text)
                .map_err(|_| DeliveryError::Permanent("the stored handoff cannot be read".to_owned()))?,
        };
        let api = Api::new(http, self);
        let found = match api.user(&asked.user) {
            Ok(found) => found,
            // Without a name is better than not at all.
            Err(ApiError::Refused(..)) => Value::Null,
            Err(error) => return Err(error.into()),
        };
        let history = self.history(&api, &asked)?;
        let context = facts(asked.context.field("context"));
        let fact = |name: &str| context.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let words = |name: &str| found.field(name).as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        let user = handoff_contract::model::EndUser {
            id: asked.user.clone(),
            name: words("nickname").or_else(|| fact(&self.identity.name)),
            email: fact(&self.identity.email)
                .filter(|email| email.contains('@') && !email.contains(char::is_whitespace)),
            email_verified: self.email_verified,
            phone: fact(&self.identity.phone)
                .or_else(|| fact("phone_number").filter(|_| self.identity.phone == Identity::default().phone)),
            phone_verified: self.phone_verified,
            locale: asked.context.field("language").as_str().filter(|text| !text.is_empty()).map(str::to_owned),
            avatar_url: words("profile_url"),
        };
        let about = |name: &String, field: &str| {
            let of_context = fact(name).filter(|text| !text.trim().is_empty());
            of_context.or_else(|| asked.about.field(field).as_str().map(str::to_owned))
        };
        let has_address = user.email.is_some() || user.phone.is_some();
        let request = HandoffRequest {
            key: asked.key,
            user,
            // A ticket needs an address; whoever has none waits for a person all the same.
            mode: if has_address { Mode::Automatic } else { Mode::Live },
            // The webhook does not say who asked.
            reason: Reason::Api,
            reason_text: about(&self.about.reason, "reason"),
            category: about(&self.about.topic, "topic"),
            summary: about(&self.about.summary, "summary"),
            history: Some(history),
            context: Some(context),
            routing: None,
            retry: false,
        };
        Ok(Prepared { request, user: asked.user, carried_until: asked.until })
    }

    fn tell(
        &self,
        http: &dyn Http,
        connection: &Connection,
        handoff: &mut Handoff,
        news: &News<'_>,
    ) -> Result<(), DeliveryError> {
        let api = Api::new(http, self);
        let mut never = None;
        for event in news.events {
            match self.tell_one(&api, connection, handoff, event, news.asked) {
                Ok(()) => {}
                Err(ApiError::Retryable(text)) => return Err(DeliveryError::Retryable(text)),
                // The rest may still arrive.
                Err(refused) => never = Some(DeliveryError::from(refused)),
            }
        }
        if let Some(callback) = &self.callback {
            callback.tell(http, connection, handoff, news)?;
        }
        never.map_or(Ok(()), Err)
    }

    fn tell_estimate(
        &self,
        http: &dyn Http,
        handoff: &Handoff,
        case: &str,
        estimate: &WaitEstimate,
    ) -> Result<(), DeliveryError> {
        let line = self.texts.of_estimate(estimate);
        if line.is_empty() {
            return Ok(());
        }
        let dedup_id = digest(&[&handoff.id, case, "estimate"], 16);
        Api::new(http, self).write(&handoff.key.channel, None, &Content::System(&line), &dedup_id)?;
        Ok(())
    }

    fn handed_over(
        &self,
        http: &dyn Http,
        handoff: &Handoff,
        case: &str,
        is_nobody_there: bool,
    ) -> Result<(), DeliveryError> {
        let line = if is_nobody_there { Line::Nobody } else { Line::Waiting };
        if let Some(text) = self.texts.of(line, handoff.platform.locale.as_deref()) {
            let dedup_id = digest(&[&handoff.id, case, "handed-over"], 16);
            Api::new(http, self).write(&handoff.key.channel, None, &Content::System(text), &dedup_id)?;
        }
        Ok(())
    }

    fn give_up(
        &self,
        http: &dyn Http,
        connection: &Connection,
        handoff: &Handoff,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let api = Api::new(http, self);
        let channel = &handoff.key.channel;
        let dedup_id = digest(&[&handoff.id, "failed", &handoff.platform.failing_since.unwrap_or(0).to_string()], 16);
        if let Some(line) = self.texts.of(Line::Failed, handoff.platform.locale.as_deref()) {
            api.write(channel, None, &Content::System(line), &dedup_id)?;
        }
        api.add_to_context(channel, &[("handoff_outcome", outcome_word(Outcome::Failed).to_owned())])?;
        match &self.callback {
            Some(callback) => callback.give_up(http, connection, handoff, now),
            None => Ok(()),
        }
    }

    fn written(&self, http: &dyn Http, handoff: &Handoff) -> Result<Vec<Message>, DeliveryError> {
        let notes = &handoff.platform;
        let found = Api::new(http, self).messages(&handoff.key.channel, notes.carried_until, true)?;
        let read = found.iter().filter_map(|found| inbound::message(found, &notes.user, &self.ai_agent_id));
        let is_new = |message: &Message| {
            message.sent_at > notes.carried_until && message.sender.id.as_deref() == Some(notes.user.as_str())
        };
        Ok(read.filter(is_new).collect())
    }
}

impl Delight {
    /// What was said in this conversation before the handoff, oldest first.
    fn history(&self, api: &Api<'_>, asked: &AskedFor) -> Result<Vec<Message>, DeliveryError> {
        let mut history: Vec<Message> = Vec::new();
        let mut at = asked.until;
        while history.len() < MAX_HISTORY {
            let page = match api.messages(&asked.key.channel, at, false) {
                Ok(page) => page,
                // A conversation without history is better than none.
                Err(ApiError::Refused(..)) => break,
                Err(error) => return Err(error.into()),
            };
            let oldest = page.iter().filter_map(|found| found.field("created_at").as_u64()).min();
            let is_of_it = |message: &Message| (asked.from..=asked.until).contains(&message.sent_at);
            let known = |message: &Message| history.iter().any(|known| known.id == message.id);
            let read = page.iter().filter_map(|found| inbound::message(found, &asked.user, &self.ai_agent_id));
            let new: Vec<Message> = read.filter(|message| is_of_it(message) && !known(message)).collect();
            history.extend(new);
            match oldest {
                Some(oldest) if page.len() >= PAGE && oldest > asked.from && oldest < at => at = oldest,
                _ => break,
            }
        }
        history.sort_by(|one, other| (one.sent_at, &one.id).cmp(&(other.sent_at, &other.id)));
        Ok(history)
    }

    /// Sees to it that the AI agent's webhook leads here. Answers its secret; a finding when that cannot be done.
    fn connect_webhook(&self, api: &Api<'_>, webhooks: &Webhooks) -> Result<Option<Secret>, Finding> {
        let by_hand = |code: &'static str, detail: String| {
            let remedy = format!(
                "Ask the platform to send the events handoff, message:user_sent and conversation:closed to {}, and enter the \
                 signature secret of that webhook as platform.signature_secret.",
                webhooks.platform
            );
            if self.signature_secret.is_some() {
                Finding::warning("platform-webhook", code, detail, remedy)
            } else {
                Finding::failure("platform-webhook", code, detail, remedy)
            }
        };
        let failed = |error: ApiError| match error {
            ApiError::Refused(401, _) => Finding::failure(
                "platform-webhook",
                "token-refused",
                "the platform refuses the API token",
                "Copy the master API token from the dashboard again.",
            ),
            ApiError::Refused(status, code) => {
                by_hand("not-permitted", format!("the webhook cannot be set up from here ({status}, {code})"))
            }
            ApiError::Retryable(text) => {
                Finding::failure("platform-webhook", "unreachable", text, "Connect again later.")
            }
        };
        let there = api.webhook().map_err(failed)?;
        if !webhooks.are_urls {
            let detail = "the operator has not said under which address this app is reached".to_owned();
            return Err(by_hand("address-unknown", detail));
        }
        let subscribed: Vec<&str> =
            there.field("category_subscriptions").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let offered = there.field("available_categories").as_array().into_iter().flatten().any(|one| one == REDACTED);
        let wanted: Vec<&str> = CATEGORIES.into_iter().chain(offered.then_some(REDACTED)).collect();
        let has_all = subscribed == ["*"] || wanted.iter().all(|wanted| subscribed.contains(wanted));
        let is_right = there.field("enabled") == true && there.field("url") == &webhooks.platform && has_all;
        let settings = if is_right {
            there
        } else {
            let categories = if subscribed == ["*"] {
                vec!["*".to_owned()]
            } else {
                let mut all: Vec<String> = subscribed.into_iter().chain(wanted).map(str::to_owned).collect();
                all.sort();
                all.dedup();
                all
            };
            api.set_webhook(&webhooks.platform, &categories).map_err(failed)?
        };
        match settings.field("signature_secret").as_str().filter(|secret| !secret.is_empty()) {
            Some(secret) => Ok(Some(Secret::new(secret))),
            None if self.signature_secret.is_some() => Ok(None),
            None => Err(by_hand("no-secret", "the platform did not say the webhook's signature secret".to_owned())),
        }
    }
}

/// A human agent as a user of the platform.
struct Persona {
    id: String,
    name: String,
    photo: Option<String>,
}

/// A piece of a message, as the platform takes it.
enum Piece {
    Text(String),
    File { url: String, name: String, media_type: String },
}

impl Piece {
    fn as_content(&self) -> Content<'_> {
        match self {
            Self::Text(text) => Content::Text(text),
            Self::File { url, name, media_type } => Content::File { url, name, media_type },
        }
    }
}

/// Files go as files, everything between them as text.
fn pieces(message: &Message) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut words: Vec<Part> = Vec::new();
    let flush = |words: &mut Vec<Part>, pieces: &mut Vec<Piece>| {
        let parts = std::mem::take(words);
        let text = transcript::message_text(&Message { parts, ..message.clone() });
        if !text.trim().is_empty() {
            pieces.push(Piece::Text(text));
        }
    };
    for part in &message.parts {
        match &part.url {
            Some(url) if part.kind.is_file() => {
                flush(&mut words, &mut pieces);
                pieces.push(Piece::File {
                    url: url.clone(),
                    name: part.name.clone().unwrap_or_else(|| "file".to_owned()),
                    media_type: part.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
                });
                if let Some(caption) = part.text.clone() {
                    words.push(Part::text(caption));
                }
            }
            _ => words.push(part.clone()),
        }
    }
    flush(&mut words, &mut pieces);
    pieces
}

/// True for `https://file-us-1.sendbird.com` and the like.
fn serves_files(origin: &str) -> bool {
    let region = origin.strip_prefix("https://file-").and_then(|rest| rest.strip_suffix(".sendbird.com"));
    region.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

/// The context's facts: it is a map of texts (vendor documentation), and anything else in it is left out.
fn facts(context: &Value) -> Vec<(String, String)> {
    let pair = |(name, value): (&String, &Value)| value.as_str().map(|value| (name.clone(), value.to_owned()));
    context.as_object().into_iter().flatten().filter_map(pair).collect()
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Resolved => "resolved",
        Outcome::Abandoned => "abandoned",
        Outcome::NobodyAvailable => "nobody-available",
        Outcome::TimedOut => "timed-out",
        Outcome::Failed => "failed",
        Outcome::Ticketed => "ticketed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Outside;

    /// The settings of a connection, with what is added to them.
    fn settings(more: Value) -> Delight {
        let mut settings = json!({ "app_id": "APP-1", "ai_agent_id": "helper", "api_token": "master" });
        settings.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        serde_json::from_value(settings).unwrap()
    }

    #[test]
    fn addresses_of_the_context_are_verified_only_where_the_settings_say_so() {
        let http = Outside::new(|_: &str| (200, "{}".to_owned()));
        let asked = Asked::Event(
            json!({
                "key": { "application": "APP-1", "channel": "c", "conversation": "1" }, "user": "ana", "from": 1, "until": 2,
                "context": { "context": { "email": "ana@example.com", "phone": "+15550100" } },
            })
            .to_string(),
        );
        for (more, verified) in [
            (json!({}), (false, false)),
            (json!({ "email_verified": true }), (true, false)),
            (json!({ "phone_verified": true }), (false, true)),
        ] {
            let user = settings(more).prepare(&http, &asked).unwrap().request.user;
            assert_eq!((user.email.as_deref(), user.phone.as_deref()), (Some("ana@example.com"), Some("+15550100")));
            assert_eq!((user.email_verified, user.phone_verified), verified);
        }
    }

    #[test]
    fn reason_topic_and_summary_come_from_context_or_webhook_under_names_of_the_settings() {
        let http = Outside::new(|_: &str| (200, "{}".to_owned()));
        let named = json!({ "about": { "reason": "why", "topic": "intent", "summary": "recap" } });
        let own = json!({ "handoff_reason": "angry", "topic": "parcel", "summary": "It is late." });
        let others = json!({ "why": "angry", "intent": "parcel", "recap": "It is late." });
        for (more, context, webhook, found) in [
            (json!({}), own.clone(), json!({}), true),
            (json!({}), json!({}), own.clone(), true),
            (json!({}), json!({ "topic": " " }), json!({ "conversation": own.clone() }), true),
            (named.clone(), others.clone(), json!({}), true),
            (named, own, json!({ "why": 7, "conversation": { "recap": "" } }), false),
            (json!({}), others, json!({}), false),
        ] {
            let settings = settings(more);
            let key = json!({ "application": "APP-1", "channel": "c", "conversation": "1" });
            let (context, about) = (json!({ "context": context }), settings.about.in_webhook(&webhook));
            let event = json!({ "key": key, "user": "ana", "from": 1, "until": 2, "context": context, "about": about });
            let request = settings.prepare(&http, &Asked::Event(event.to_string())).unwrap().request;
            let told = [request.reason_text.as_deref(), request.category.as_deref(), request.summary.as_deref()];
            assert_eq!(told, if found { [Some("angry"), Some("parcel"), Some("It is late.")] } else { [None; 3] });
        }
    }

    #[test]
    fn a_phone_number_is_found_under_either_usual_name() {
        let http = Outside::new(|_: &str| (200, "{}".to_owned()));
        for (context, phone) in [
            (json!({ "phone_number": "+15550100" }), Some("+15550100")),
            (json!({ "phone": "+15550101", "phone_number": "+15550100" }), Some("+15550101")),
            (json!({}), None),
        ] {
            let key = json!({ "application": "APP-1", "channel": "c", "conversation": "1" });
            let context = json!({ "context": context });
            let event = json!({ "key": key, "user": "ana", "from": 1, "until": 2, "context": context }).to_string();
            let user = settings(json!({})).prepare(&http, &Asked::Event(event)).unwrap().request.user;
            assert_eq!(user.phone.as_deref(), phone);
        }
        let event = json!({
            "key": { "application": "APP-1", "channel": "c", "conversation": "1" }, "user": "ana", "from": 1, "until": 2,
            "context": { "context": { "phone_number": "+15550100" } },
        });
        let other = settings(json!({ "identity": { "phone": "mobile" } }));
        let user = other.prepare(&http, &Asked::Event(event.to_string())).unwrap().request.user;
        assert_eq!(user.phone, None, "the settings name another field");
    }

    #[test]
    fn the_token_opens_files_of_the_platform_and_nothing_else() {
        for origin in ["https://file-us-1.sendbird.com", "https://file-ap-2.sendbird.com"] {
            assert!(serves_files(origin), "{origin}");
        }
        for origin in [
            "http://file-us-1.sendbird.com",
            "https://api-app-1.sendbird.com",
            "https://file-.sendbird.com",
            "https://file-us-1.sendbird.com:8443",
            "https://file-us-1.sendbird.com.evil.example",
            "https://file-us-1.evil.sendbird.com",
            "https://evil.example/file-us-1.sendbird.com",
            "https://file-a@evil.sendbird.com",
            "",
        ] {
            assert!(!serves_files(origin), "{origin}");
        }
    }
}
