//! The platform's state, and the webhooks that its changes cause.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::delivery::Outgoing;
use super::webhooks::CATEGORIES;
use super::{AGENT_NAME, Config, FileForm};
use crate::now_ms;

/// A person who opens the messenger.
#[derive(Clone, Debug, Default)]
pub struct UserSpec {
    /// The user's id in the application.
    pub id: String,
    /// As others see it.
    pub nickname: String,
    /// URL of a photo.
    pub photo: String,
}

/// A case in a help desk, as an integration names it to the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalCase {
    /// The case.
    pub case_id: String,
    /// The help desk: `type` on the wire, for example `sprinklr` (vendor's samples).
    pub kind: String,
}

/// What a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// `MESG`.
    #[default]
    Text,
    /// `ADMM`: a line without a sender.
    System,
    /// `FILE`.
    File,
}

/// A message as the user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: u64,
    /// What it is.
    pub kind: Kind,
    /// The sender's user id in the application; empty for lines without a sender.
    pub sender: String,
    /// The sender's name now.
    pub name: String,
    /// The sender's photo now.
    pub photo: String,
    /// Text.
    pub text: String,
    /// URL of a file.
    pub url: String,
    /// Name of a file.
    pub file_name: String,
    /// The sender's mark; empty without one.
    pub custom_type: String,
}

/// A message that has no id yet.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    /// Empty for lines without a sender.
    pub(crate) sender: String,
    pub(crate) text: String,
    pub(crate) custom_type: String,
    pub(crate) data: String,
    /// `url`, `name`, `type` and `size`; null without a file.
    pub(crate) file: Value,
    pub(crate) dedup_id: Option<String>,
}

struct Message {
    id: u64,
    created_at: u64,
    draft: Draft,
}

pub(crate) struct Channel {
    pub(super) user: String,
    members: Vec<String>,
    messages: Vec<Message>,
    pub(super) conversation: u64,
    pub(super) started_at: u64,
    pub(super) status: &'static str,
    /// Of the current conversation; null as long as no integration has it.
    pub(super) external_case: Value,
    /// The user's rating of the human part: fields of the conversation.
    pub(super) rating: Value,
    pub(crate) context: Value,
    pub(crate) metadata: Map<String, Value>,
}

pub(crate) struct Store {
    pub(crate) origin: String,
    pub(super) app_id: String,
    pub(super) ai_agent_id: String,
    pub(super) file_form: FileForm,
    private_files: bool,
    pub(crate) users: BTreeMap<String, Value>,
    pub(crate) channels: BTreeMap<String, Channel>,
    pub(crate) files: BTreeMap<String, (String, Vec<u8>)>,
    pub(crate) chat_webhook: Option<String>,
    pub(crate) webhook: Value,
    pub(crate) signature_secret: String,
    pub(crate) journal: Vec<String>,
    next: u64,
    last_time: u64,
}

impl Store {
    pub(crate) fn new(config: &Config) -> Self {
        let agent = json!({ "user_id": config.ai_agent_id, "nickname": AGENT_NAME, "profile_url": "" });
        Self {
            origin: String::new(),
            app_id: if config.small_app_id { config.app_id.to_ascii_lowercase() } else { config.app_id.clone() },
            ai_agent_id: config.ai_agent_id.clone(),
            file_form: config.file_form,
            private_files: config.private_files,
            users: [(config.ai_agent_id.clone(), agent)].into(),
            channels: BTreeMap::new(),
            files: BTreeMap::new(),
            chat_webhook: None,
            webhook: json!({ "enabled": false, "url": "", "category_subscriptions": [] }),
            signature_secret: String::new(),
            journal: Vec::new(),
            next: 7_000_000_000,
            last_time: 0,
        }
    }

    pub(super) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Grows with each message, so that order by time is order by writing.
    pub(super) fn time(&mut self) -> u64 {
        self.last_time = now_ms().max(self.last_time + 1);
        self.last_time
    }

    pub(crate) fn webhook_settings(&self) -> Value {
        let mut shown = self.webhook.clone();
        shown["available_categories"] = json!(CATEGORIES);
        if !self.signature_secret.is_empty() {
            shown["signature_secret"] = json!(self.signature_secret);
        }
        shown
    }

    /// The receiver of events of this category.
    pub(crate) fn subscribed(&self, category: &str) -> Option<String> {
        let wanted = self.webhook["category_subscriptions"].as_array()?;
        let is_wanted = wanted.iter().any(|one| one == category || one == "*");
        (self.webhook["enabled"] == true && is_wanted)
            .then(|| self.webhook["url"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn open(&mut self, user: &UserSpec, context: &[(&str, &str)]) -> (String, Vec<Outgoing>) {
        let record =
            json!({ "user_id": user.id, "nickname": user.nickname, "profile_url": user.photo, "metadata": {} });
        self.users.insert(user.id.clone(), record);
        let url = format!("sendbird_group_channel_{}_{}", self.id(), user.id);
        let facts: Map<String, Value> =
            context.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let channel = Channel {
            user: user.id.clone(),
            members: vec![user.id.clone(), self.ai_agent_id.clone()],
            messages: Vec::new(),
            conversation: self.id(),
            started_at: self.time(),
            status: "open",
            external_case: Value::Null,
            rating: Value::Null,
            context: json!({ "language": "en", "country": "US", "context": facts }),
            metadata: Map::new(),
        };
        self.channels.insert(url.clone(), channel);
        let event = self.event(&url, "conversation:started", json!({}));
        (url, vec![event])
    }

    pub(crate) fn next_conversation(&mut self, url: &str) -> Outgoing {
        let (conversation, started_at) = (self.id(), self.time());
        let channel = self.channel(url);
        (channel.conversation, channel.started_at, channel.status) = (conversation, started_at, "open");
        channel.external_case = Value::Null;
        channel.rating = Value::Null;
        self.event(url, "conversation:started", json!({}))
    }

    fn channel(&mut self, url: &str) -> &mut Channel {
        self.channels.get_mut(url).expect("the caller names a channel of its own")
    }

    pub(crate) fn say(&mut self, url: &str, author: Option<&str>, text: &str) -> (u64, Vec<Outgoing>) {
        let sender = author.map_or_else(|| self.channel(url).user.clone(), str::to_owned);
        let id = self.add(url, Draft { sender, text: text.to_owned(), ..Draft::default() });
        let category = if author.is_some() { "message:ai_agent_sent" } else { "message:user_sent" };
        let message = json!({ "message_id": id, "content": text });
        let sent_at = iso(self.last_time);
        let event = self.event(url, category, json!({ "message": message, "sent_at": sent_at }));
        (id, vec![event, self.chat_event(url, id, "SDK")])
    }

    pub(crate) fn send_file(&mut self, url: &str, name: &str, media_type: &str, bytes: &[u8]) -> (u64, Vec<Outgoing>) {
        let sender = self.channel(url).user.clone();
        let file = self.keep_file(name, media_type, bytes);
        let id = self.add(url, Draft { kind: Kind::File, sender, file, ..Draft::default() });
        (id, vec![self.chat_event(url, id, "SDK")])
    }

    pub(crate) fn send_files(&mut self, url: &str, files: &[(&str, &str, &[u8])]) -> (u64, Vec<Outgoing>) {
        let sender = self.channel(url).user.clone();
        let text = files.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ");
        let kept = files.iter().map(|(name, media_type, bytes)| self.keep_file(name, media_type, bytes)).collect();
        let id = self.add(url, Draft { kind: Kind::File, sender, text, file: Value::Array(kept), ..Draft::default() });
        (id, vec![self.chat_event(url, id, "SDK")])
    }

    pub(crate) fn keep_file(&mut self, name: &str, media_type: &str, bytes: &[u8]) -> Value {
        let id = format!("{}-{name}", self.id());
        self.files.insert(id.clone(), (media_type.to_owned(), bytes.to_vec()));
        let escaped = percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC);
        let url = format!("{}/files/{escaped}", self.origin);
        json!({ "url": url, "name": name, "type": media_type, "size": bytes.len(), "require_auth": self.private_files })
    }

    pub(crate) fn hand_off(&mut self, url: &str, case: Option<&ExternalCase>) -> Outgoing {
        let at = iso(self.time());
        let case = self.take(url, case);
        self.event(url, "handoff", json!({ "external_case": case, "handoff_at": at }))
    }

    pub(crate) fn close(&mut self, url: &str, reason: &str, case: Option<&ExternalCase>) -> Outgoing {
        self.channel(url).status = "closed";
        let case = self.take(url, case);
        let mut event = self.event(url, "conversation:closed", json!({ "external_case": case }));
        let at = iso(self.time());
        let conversation = &mut event.body["data"]["conversation"];
        (conversation["closed_reason"], conversation["closed_at"]) = (json!(reason), json!(at));
        event
    }

    pub(crate) fn rate(&mut self, url: &str, score: u8, reason: &str) -> Outgoing {
        self.channel(url).rating = json!({ "helpdesk_csat": score, "helpdesk_csat_reason": reason });
        self.event(url, "conversation:analyzed", json!({}))
    }

    /// If this names an integration, it takes the conversation. Returns the new owner.
    fn take(&mut self, url: &str, case: Option<&ExternalCase>) -> Value {
        let channel = self.channel(url);
        if let Some(case) = case {
            channel.external_case = json!({ "case_id": case.case_id, "type": case.kind });
        }
        channel.external_case.clone()
    }

    pub(crate) fn add(&mut self, url: &str, draft: Draft) -> u64 {
        let (id, created_at) = (self.id(), self.time());
        self.channel(url).messages.push(Message { id, created_at, draft });
        id
    }

    /// The message that had this `dedup_id` first.
    pub(crate) fn repeated(&self, url: &str, dedup_id: &str) -> Option<u64> {
        let messages = &self.channels.get(url)?.messages;
        messages.iter().find(|message| message.draft.dedup_id.as_deref() == Some(dedup_id)).map(|message| message.id)
    }

    pub(crate) fn is_member(&self, url: &str, user: &str) -> bool {
        self.channels.get(url).is_some_and(|channel| channel.members.iter().any(|member| member == user))
    }

    pub(crate) fn join(&mut self, url: &str, user: &str) {
        if !self.is_member(url, user) {
            self.channel(url).members.push(user.to_owned());
        }
    }

    pub(crate) fn leave(&mut self, url: &str, user: &str) {
        self.channel(url).members.retain(|member| member != user);
    }

    pub(super) fn words(&self, user: &str, name: &str) -> String {
        self.users.get(user).and_then(|user| user[name].as_str()).unwrap_or_default().to_owned()
    }

    pub(crate) fn seen(&self, url: &str) -> Vec<Seen> {
        let see = |&Message { id, ref draft, .. }: &Message| Seen {
            id,
            kind: draft.kind,
            sender: draft.sender.clone(),
            name: self.words(&draft.sender, "nickname"),
            photo: self.words(&draft.sender, "profile_url"),
            text: draft.text.clone(),
            url: draft.file["url"].as_str().unwrap_or_default().to_owned(),
            file_name: draft.file["name"].as_str().unwrap_or_default().to_owned(),
            custom_type: draft.custom_type.clone(),
        };
        self.channels.get(url).map(|channel| channel.messages.iter().map(see).collect()).unwrap_or_default()
    }

    pub(crate) fn context(&self, url: &str) -> Value {
        self.channels.get(url).map(|channel| channel.context.clone()).unwrap_or_default()
    }

    pub(crate) fn members(&self, url: &str) -> Vec<String> {
        self.channels.get(url).map(|channel| channel.members.clone()).unwrap_or_default()
    }

    /// A message as the API shows it.
    pub(crate) fn view(&self, url: &str, id: u64) -> Value {
        let message =
            self.channels.get(url).and_then(|channel| channel.messages.iter().find(|message| message.id == id));
        message.map(|message| self.view_of(url, message)).unwrap_or_default()
    }

    fn view_of(&self, url: &str, message: &Message) -> Value {
        let draft = &message.draft;
        let mut view = json!({
            "message_id": message.id,
            "type": word(draft.kind),
            "custom_type": draft.custom_type,
            "channel_url": url,
            "message": draft.text,
            "data": draft.data,
            "created_at": message.created_at,
        });
        if draft.kind == Kind::File {
            view[if draft.file.is_array() { "files" } else { "file" }] = draft.file.clone();
        }
        if !draft.sender.is_empty() {
            view["user"] = self.users.get(&draft.sender).cloned().unwrap_or_default();
        }
        view
    }

    /// When this message was written.
    pub(crate) fn time_of(&self, url: &str, id: u64) -> Option<u64> {
        let messages = &self.channels.get(url)?.messages;
        messages.iter().find(|message| message.id == id).map(|message| message.created_at)
    }

    /// Messages around a time: this many before and after it, including that moment, oldest first.
    pub(crate) fn list(&self, url: &str, at: u64, before: usize, after: usize) -> Vec<Value> {
        let Some(channel) = self.channels.get(url) else { return Vec::new() };
        let split = channel.messages.partition_point(|message| message.created_at < at);
        let exactly = channel.messages.get(split).is_some_and(|message| message.created_at == at);
        let end = split + usize::from(exactly);
        let first = split.saturating_sub(before);
        let last = (end + after).min(channel.messages.len());
        channel.messages[first..last].iter().map(|message| self.view_of(url, message)).collect()
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "MESG",
        Kind::System => "ADMM",
        Kind::File => "FILE",
    }
}

/// For example `2026-11-23T10:00:30.125Z`.
pub(super) fn iso(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map(|time| format!("{time:.3}")).unwrap_or_default()
}
