//! What the platform knows, and the webhooks that its changes cause.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::delivery::{Outgoing, Webhook};
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

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `MESG`.
    Text,
    /// `ADMM`: a line of nobody.
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
    /// Who wrote it: the user's id in the application; empty for lines of nobody.
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
}

#[derive(Clone)]
struct Message {
    id: u64,
    kind: Kind,
    sender: String,
    text: String,
    custom_type: String,
    data: String,
    file: Value,
    created_at: u64,
    dedup_id: Option<String>,
}

pub(crate) struct Channel {
    user: String,
    members: Vec<String>,
    messages: Vec<Message>,
    conversation: u64,
    started_at: u64,
    status: &'static str,
    pub(crate) context: Value,
    pub(crate) metadata: Map<String, Value>,
}

pub(crate) struct Store {
    pub(crate) origin: String,
    app_id: String,
    ai_agent_id: String,
    file_form: FileForm,
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

/// Categories of the AI agent's webhook.
pub(crate) const CATEGORIES: [&str; 7] = [
    "conversation:started",
    "conversation:closed",
    "handoff",
    "message:user_sent",
    "message:ai_agent_sent",
    "message:human_agent_sent",
    "flagged_message:hallucination_detected",
];

impl Store {
    pub(crate) fn new(config: &Config) -> Self {
        let agent = json!({ "user_id": config.ai_agent_id, "nickname": AGENT_NAME, "profile_url": "" });
        Self {
            origin: String::new(),
            app_id: config.app_id.clone(),
            ai_agent_id: config.ai_agent_id.clone(),
            file_form: config.file_form,
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

    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Grows with each message, so that order by time is order by writing.
    fn time(&mut self) -> u64 {
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

    /// Where events of this category go.
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
        self.event(url, "conversation:started", json!({}))
    }

    fn channel(&mut self, url: &str) -> &mut Channel {
        self.channels.get_mut(url).expect("the caller names a channel of its own")
    }

    pub(crate) fn say(&mut self, url: &str, author: Option<&str>, text: &str) -> (u64, Vec<Outgoing>) {
        let sender = author.map_or_else(|| self.channel(url).user.clone(), str::to_owned);
        let id = self.add(url, Kind::Text, &sender, text, Value::Null, "", "", None);
        let category = if author.is_some() { "message:ai_agent_sent" } else { "message:user_sent" };
        let message = json!({ "message_id": id, "content": text });
        let sent_at = iso(self.last_time);
        let event = self.event(url, category, json!({ "message": message, "sent_at": sent_at }));
        (id, vec![event, self.chat_event(url, id, "SDK")])
    }

    pub(crate) fn send_file(&mut self, url: &str, name: &str, media_type: &str, bytes: &[u8]) -> (u64, Vec<Outgoing>) {
        let sender = self.channel(url).user.clone();
        let file = self.keep_file(name, media_type, bytes);
        let id = self.add(url, Kind::File, &sender, "", file, "", "", None);
        (id, vec![self.chat_event(url, id, "SDK")])
    }

    pub(crate) fn keep_file(&mut self, name: &str, media_type: &str, bytes: &[u8]) -> Value {
        let id = format!("{}-{name}", self.id());
        self.files.insert(id.clone(), (media_type.to_owned(), bytes.to_vec()));
        let escaped = percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC);
        json!({ "url": format!("{}/files/{escaped}", self.origin), "name": name, "type": media_type, "size": bytes.len() })
    }

    pub(crate) fn hand_off(&mut self, url: &str) -> Outgoing {
        let at = iso(self.time());
        self.event(url, "handoff", json!({ "external_case": null, "handoff_at": at }))
    }

    pub(crate) fn close(&mut self, url: &str, reason: &str) -> Outgoing {
        self.channel(url).status = "closed";
        let mut event = self.event(url, "conversation:closed", json!({}));
        let at = iso(self.time());
        let conversation = &mut event.body["data"]["conversation"];
        (conversation["closed_reason"], conversation["closed_at"]) = (json!(reason), json!(at));
        event
    }

    /// A message through the API. The id of the first one where it repeats a `dedup_id`.
    #[allow(clippy::too_many_arguments)] // What a message has.
    pub(crate) fn add(
        &mut self,
        url: &str,
        kind: Kind,
        sender: &str,
        text: &str,
        file: Value,
        custom_type: &str,
        data: &str,
        dedup_id: Option<String>,
    ) -> u64 {
        let (id, created_at) = (self.id(), self.time());
        let (sender, text) = (sender.to_owned(), text.to_owned());
        let (custom_type, data) = (custom_type.to_owned(), data.to_owned());
        self.channel(url).messages.push(Message {
            id,
            kind,
            sender,
            text,
            custom_type,
            data,
            file,
            created_at,
            dedup_id,
        });
        id
    }

    pub(crate) fn repeated(&self, url: &str, dedup_id: &str) -> Option<u64> {
        let messages = &self.channels.get(url)?.messages;
        messages.iter().find(|message| message.dedup_id.as_deref() == Some(dedup_id)).map(|message| message.id)
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

    fn words(&self, user: &str, name: &str) -> String {
        self.users.get(user).and_then(|user| user[name].as_str()).unwrap_or_default().to_owned()
    }

    pub(crate) fn seen(&self, url: &str) -> Vec<Seen> {
        let see = |message: &Message| Seen {
            id: message.id,
            kind: message.kind,
            sender: message.sender.clone(),
            name: self.words(&message.sender, "nickname"),
            photo: self.words(&message.sender, "profile_url"),
            text: message.text.clone(),
            url: message.file["url"].as_str().unwrap_or_default().to_owned(),
            file_name: message.file["name"].as_str().unwrap_or_default().to_owned(),
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
        let mut view = json!({
            "message_id": message.id,
            "type": word(message.kind),
            "custom_type": message.custom_type,
            "channel_url": url,
            "message": message.text,
            "data": message.data,
            "created_at": message.created_at,
        });
        if message.kind == Kind::File {
            view["file"] = message.file.clone();
        }
        if !message.sender.is_empty() {
            view["user"] = self.users.get(&message.sender).cloned().unwrap_or_default();
        }
        view
    }

    /// Messages around a time: so many before it and after it, that moment included, oldest first.
    pub(crate) fn list(&self, url: &str, at: u64, before: usize, after: usize) -> Vec<Value> {
        let Some(channel) = self.channels.get(url) else { return Vec::new() };
        let split = channel.messages.partition_point(|message| message.created_at < at);
        let exactly = channel.messages.get(split).is_some_and(|message| message.created_at == at);
        let end = split + usize::from(exactly);
        let first = split.saturating_sub(before);
        let last = (end + after).min(channel.messages.len());
        channel.messages[first..last].iter().map(|message| self.view_of(url, message)).collect()
    }

    /// The AI agent's envelope (vendor documentation).
    fn event(&mut self, url: &str, category: &str, rest: Value) -> Outgoing {
        let (id, at) = (format!("event-{}", self.id()), iso(self.time()));
        let channel = &self.channels[url];
        let mut data = json!({
            "ai_agent_id": self.ai_agent_id,
            "conversation": {
                "id": channel.conversation,
                "user_id": channel.user,
                "channel_url": url,
                "channel_type": "messenger",
                "started_at": iso(channel.started_at),
                "status": channel.status,
                "ai_agent_context": channel.context,
            },
        });
        for (name, value) in rest.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        let body = json!({ "id": id, "app_id": self.app_id, "category": category, "created_at": at, "data": data });
        Outgoing { kind: Webhook::AiAgent, channel: url.to_owned(), category: category.to_owned(), body }
    }

    /// `group_channel:message_send` (a third-party copy of the vendor's sample).
    pub(crate) fn chat_event(&self, url: &str, id: u64, sdk: &str) -> Outgoing {
        let view = self.view(url, id);
        let sender = view["user"]["user_id"].as_str().unwrap_or_default();
        let mut payload = json!({
            "message_id": id,
            "custom_type": view["custom_type"],
            "translations": {},
            "created_at": view["created_at"],
            "data": view["data"],
        });
        match (&view["type"], self.file_form) {
            (kind, FileForm::Nested) if kind == "FILE" => payload["file"] = view["file"].clone(),
            (kind, FileForm::Flat) if kind == "FILE" => {
                for (name, from) in
                    [("url", "url"), ("filename", "name"), ("content_type", "type"), ("filesize", "size")]
                {
                    payload[name] = view["file"][from].clone();
                }
            }
            _ => payload["message"] = view["message"].clone(),
        }
        let body = json!({
            "category": "group_channel:message_send",
            "sender": {
                "user_id": sender,
                "nickname": self.words(sender, "nickname"),
                "profile_url": self.words(sender, "profile_url"),
                "metadata": {},
            },
            "silent": false,
            "sender_ip_addr": "127.0.0.1",
            "custom_type": view["custom_type"],
            "mention_type": "users",
            "mentioned_users": [],
            "type": view["type"],
            "payload": payload,
            "channel": { "name": "", "channel_url": url, "custom_type": "SB_@I_@GENT", "is_distinct": false, "is_public": false,
                         "is_super": false, "is_ephemeral": false, "is_discoverable": false, "data": "" },
            "sdk": sdk,
            "app_id": self.app_id,
        });
        let category = "group_channel:message_send".to_owned();
        Outgoing { kind: Webhook::Chat, channel: url.to_owned(), category, body }
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
fn iso(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map(|time| format!("{time:.3}")).unwrap_or_default()
}
