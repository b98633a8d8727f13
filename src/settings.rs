//! Settings in, checked.
//!
//! Two kinds of fault are kept apart. A wrong *shape* (no JSON object, a number where text belongs) is an error at
//! once. A wrong *value* that an admin can see in the form (a Freshdesk address, a broken key) is found by
//! `connect` as a finding, and stops every other call that needs the value.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::freshdesk::fields::{self, FieldKind};
use crate::http::json;
use crate::text::languages::{self, Language};
use crate::text::masking::Masking;
use crate::text::time_zone::TimeZone;
use handoff_contract::destination;
use handoff_contract::error::Error;
use handoff_contract::model::{AgentId, ChannelId, GroupId, Priority};

pub mod chat_url;
pub(crate) mod context_map;
pub mod names;
pub mod schema;
pub mod ticket_domain;

use context_map::ContextTarget;
use ticket_domain::TicketDesk;

/// The topics that the platform tells admins to create, in the order in which they are tried.
pub(crate) const DEFAULT_TOPICS: [&str; 2] = ["Sendbird Integration", "Delight AI agent Integration"];

/// Longest text of one message, in characters. Freshchat publishes no limit; integrators stay below 10,000.
pub(crate) const DEFAULT_MESSAGE_CHARS: u32 = 5_000;
const DEFAULT_CONNECT_TIMEOUT_MS: u32 = 5_000;
const DEFAULT_RESPONSE_TIMEOUT_MS: u32 = 20_000;
/// One request at the default time-outs.
const DEFAULT_RETRY_BUDGET_MS: u32 = DEFAULT_CONNECT_TIMEOUT_MS + DEFAULT_RESPONSE_TIMEOUT_MS;
const DEFAULT_REOPEN_WINDOW_MINUTES: u32 = 24 * 60;
/// Four weeks.
const MAX_MINUTES: u32 = 28 * 24 * 60;
const MAX_SETTINGS_BYTES: usize = 256 * 1024;

/// What must not travel on by accident.
pub(crate) const DEFAULT_MASKING: [&str; 2] = ["card-numbers", "tokens"];
/// Freshdesk's limit.
const MAX_TAG: usize = 32;

/// What is looked at before a live conversation is opened. Each costs one request or more, so it is off by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Nothing.
    Off,
    /// The business hours of the group, or of the account.
    Hours,
    /// Whether a human agent of the group, or of the account, is available now.
    Agents,
}

/// A text that must not appear in any log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one header that carries it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What `connect` found out about the names in the settings, so that a handoff need not look them up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The origin that it was found at. Of no use for another one.
    pub origin: String,
    /// Topic name to [`ChannelId`].
    pub topics: BTreeMap<String, String>,
    /// Group name to [`GroupId`].
    pub groups: BTreeMap<String, String>,
    /// Human agent's e-mail address, or id, to [`AgentId`].
    pub agents: BTreeMap<String, String>,
    /// Group of the ticket desk, by name, to its number.
    pub ticket_groups: BTreeMap<String, String>,
    /// The ticket desk at which groups and fields of tickets were found; empty in settings of an older version.
    pub ticket_origin: String,
    /// How the values of ticket fields are written, for the fields that the settings fill.
    pub ticket_fields: Vec<(String, FieldKind)>,
}

impl Resolved {
    /// How the values of this ticket field are written: as the desk's list says, else as far as it is known without.
    pub(crate) fn ticket_field(&self, name: &str) -> FieldKind {
        let listed = self.ticket_fields.iter().find(|(known, _)| known == name);
        listed.map_or_else(|| fields::kind_of(name), |(_, kind)| kind.clone())
    }

    /// The topic of that name.
    pub fn topic(&self, name: &str) -> Option<ChannelId> {
        self.topics.get(name).cloned().map(ChannelId)
    }

    /// The group of that name.
    pub fn group(&self, name: &str) -> Option<GroupId> {
        self.groups.get(name).cloned().map(GroupId)
    }

    /// The human agent of that e-mail address or id.
    pub fn agent(&self, wanted: &str) -> Option<AgentId> {
        self.agents.get(wanted).cloned().map(AgentId)
    }
}

/// The settings of one connected account.
#[derive(Clone, PartialEq)]
pub struct Settings {
    /// As the admin typed it; see [`Settings::origin`].
    pub chat_url: String,
    /// None when the host adds the `Authorization` header itself.
    pub api_key: Option<Secret>,
    /// Topic names in the order in which they are tried; never empty.
    pub topics: Vec<String>,
    /// As the admin pasted it; see [`crate::use_cases::webhook::public_key`].
    pub webhook_public_key: Option<String>,
    /// Group that gets handoffs unless the request names one.
    pub group: Option<String>,
    /// Human agent who gets handoffs unless the request names one.
    pub agent: Option<String>,
    /// Priority of handoffs unless the request names one.
    pub priority: Option<Priority>,
    /// The human agent in whose name private notes are written.
    pub note_author: Option<String>,
    /// Longest text of one message, in characters.
    pub max_message_chars: u32,
    /// How long to wait for a connection.
    pub connect_timeout_ms: u32,
    /// How long to wait for an answer.
    pub response_timeout_ms: u32,
    /// How long the repeats of failed requests may take in one call, all together. 0: none is repeated.
    pub retry_budget_ms: u32,
    /// How long a conversation waits for a human agent. 0: for ever.
    pub queue_timeout_minutes: u32,
    /// How long nobody may write. 0: for ever.
    pub inactivity_timeout_minutes: u32,
    /// How long after its end human agents can bring a conversation back.
    pub reopen_window_minutes: u32,
    /// Topic names by BCP 47 tag, or by its first part alone.
    pub topic_by_locale: BTreeMap<String, String>,
    /// Name of a context value, or `*`, and where it goes. A name may occur several times.
    pub context: Vec<(String, ContextTarget)>,
    /// What is masked in texts.
    pub masking: Masking,
    /// The language of the labels that human agents read.
    pub language: &'static Language,
    /// In which times of the history are shown.
    pub time_zone: TimeZone,
    /// What is looked at before a live conversation is opened.
    pub availability: Availability,
    /// Hosts from which files of the end user are fetched, to be uploaded. `*.` at the start stands for any sub-domain.
    pub file_hosts: Vec<String>,
    /// The AI agent gets a summary of the human part.
    pub return_summary: bool,
    /// Address of the ticket desk; see [`Settings::ticket_desk`].
    pub ticket_domain: Option<String>,
    /// None when the host adds the `Authorization` header itself, or there is no ticket desk.
    pub ticket_api_key: Option<Secret>,
    /// Group of the ticket desk, by name or number.
    pub ticket_group: Option<String>,
    /// Tags of every ticket.
    pub ticket_tags: Vec<String>,
    /// Values of fields of every ticket, by name.
    pub ticket_fields: BTreeMap<String, String>,
    /// The receipt of a handoff says how long others wait.
    pub wait_estimate: bool,
    /// The property of conversations that the skill of a handoff goes into.
    pub skill_property: Option<String>,
    /// Loopback address of a simulator, instead of the ticket desk.
    pub test_ticket_origin: Option<String>,
    /// Loopback address of a simulator, instead of the account.
    pub test_origin: Option<String>,
    /// What `connect` found; empty when it was found for another origin.
    pub resolved: Resolved,
    /// Settings that this version does not know.
    pub unknown: Vec<String>,
    object: Map<String, Value>,
}

impl fmt::Debug for Settings {
    // The object holds secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("chat_url", &self.chat_url).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads the settings' JSON. Values are checked for shape and range only.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_SETTINGS_BYTES {
            return Err(Error::settings("", "the settings are larger than 256 KiB", "Pass the settings alone."));
        }
        // As bytes, like everything else that is read here: a reader of texts would be 6 KB more.
        let object = match json::read(text.as_bytes(), &[]) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(not_an_object("they are JSON, but no object")),
            Err(_) => return Err(not_an_object("they are not JSON")),
        };
        let read = Reader { object: &object };
        let mut settings = Self {
            chat_url: read.text("chat_url")?.unwrap_or_default(),
            api_key: read.text("api_key")?.map(Secret),
            topics: read.texts("topics")?,
            webhook_public_key: read.text("webhook_public_key")?,
            group: read.text("group")?,
            agent: read.text("agent")?,
            priority: read.priority()?,
            note_author: read.text("note_author")?,
            max_message_chars: read.number("max_message_chars", 500, 20_000, DEFAULT_MESSAGE_CHARS)?,
            connect_timeout_ms: read.number("connect_timeout_ms", 100, 60_000, DEFAULT_CONNECT_TIMEOUT_MS)?,
            response_timeout_ms: read.number("response_timeout_ms", 100, 120_000, DEFAULT_RESPONSE_TIMEOUT_MS)?,
            retry_budget_ms: read.number("retry_budget_ms", 0, 600_000, DEFAULT_RETRY_BUDGET_MS)?,
            queue_timeout_minutes: read.number("queue_timeout_minutes", 0, MAX_MINUTES, 0)?,
            inactivity_timeout_minutes: read.number("inactivity_timeout_minutes", 0, MAX_MINUTES, 0)?,
            reopen_window_minutes: read.number(
                "reopen_window_minutes",
                0,
                MAX_MINUTES,
                DEFAULT_REOPEN_WINDOW_MINUTES,
            )?,
            topic_by_locale: read.names("topic_by_locale")?,
            context: read.context()?,
            masking: read.masking()?,
            language: read.language()?,
            time_zone: read.time_zone()?,
            availability: read.availability()?,
            file_hosts: read.file_hosts()?,
            return_summary: read.flag("return_summary", true)?,
            ticket_domain: read.text("ticket_domain")?,
            ticket_api_key: read.text("ticket_api_key")?.map(Secret),
            ticket_group: read.text("ticket_group")?,
            ticket_tags: read.texts("ticket_tags")?,
            ticket_fields: read.ticket_fields()?,
            wait_estimate: read.flag("wait_estimate", false)?,
            skill_property: read.skill_property()?,
            test_ticket_origin: read.text("test_ticket_origin")?,
            test_origin: read.text("test_origin")?,
            resolved: read.resolved()?,
            unknown: object.keys().filter(|key| !schema::is_known(key)).cloned().collect(),
            object: Map::new(),
        };
        if settings.topics.is_empty() {
            settings.topics = DEFAULT_TOPICS.map(str::to_owned).to_vec();
        }
        for (name, secret) in [("api_key", &settings.api_key), ("ticket_api_key", &settings.ticket_api_key)] {
            if let Some(secret) = secret
                && !secret.reveal().bytes().all(|byte| byte.is_ascii_graphic())
            {
                return Err(Error::settings(
                    name,
                    "the API key contains a space, a line break or a character that keys do not have",
                    "Copy the key again, without what stands around it.",
                ));
            }
        }
        if let Some(tag) = settings.ticket_tags.iter().find(|tag| tag.chars().count() > MAX_TAG) {
            let fault = format!("`ticket_tags` holds a tag of {} characters", tag.chars().count());
            return Err(Error::settings("ticket_tags", fault, "Tags have at most 32 characters."));
        }
        if settings.origin().ok().as_deref() != Some(settings.resolved.origin.as_str()) {
            settings.resolved = Resolved::default();
        }
        let ticket_origin = settings.ticket_desk().ok().flatten().map(|desk| desk.origin).unwrap_or_default();
        if !settings.resolved.ticket_origin.is_empty() && settings.resolved.ticket_origin != ticket_origin {
            settings.resolved.ticket_groups.clear();
            settings.resolved.ticket_fields.clear();
        }
        settings.object = object;
        Ok(settings)
    }

    /// Scheme, host and port that requests go to.
    ///
    /// Fails when the chat URL is no address of a Freshchat account: the key is sent to that host with every call.
    pub fn origin(&self) -> Result<String, Error> {
        if let Some(origin) = &self.test_origin {
            return chat_url::loopback_origin("test_origin", origin);
        }
        chat_url::account_origin(&self.chat_url)
    }

    /// Where tickets go; none when the settings name no ticket desk. Fails when its address is none of Freshdesk or
    /// Freshservice: its key is sent to that host with every call.
    pub fn ticket_desk(&self) -> Result<Option<TicketDesk>, Error> {
        let desk = self.ticket_domain.as_deref().map(ticket_domain::desk).transpose()?;
        let Some(origin) = &self.test_ticket_origin else { return Ok(desk) };
        let origin = chat_url::loopback_origin("test_ticket_origin", origin)?;
        Ok(Some(TicketDesk { origin, is_freshservice: desk.is_some_and(|desk| desk.is_freshservice) }))
    }

    /// True when tickets go to Freshservice, which differs from Freshdesk in places.
    pub fn is_freshservice(&self) -> bool {
        self.ticket_desk().ok().flatten().is_some_and(|desk| desk.is_freshservice)
    }

    /// The name of the topic for this locale: by the whole tag, else by its language alone.
    pub(crate) fn topic_for(&self, locale: Option<&str>) -> Option<&String> {
        let locale = locale.map(str::trim).filter(|locale| !locale.is_empty())?;
        let is = |tag: &str, wanted: &str| tag.replace('_', "-").eq_ignore_ascii_case(&wanted.replace('_', "-"));
        let exact = self.topic_by_locale.iter().find(|(tag, _)| is(tag, locale));
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        exact.or_else(|| self.topic_by_locale.iter().find(|(tag, _)| is(tag, language))).map(|(_, topic)| topic)
    }

    /// The names of the ticket fields that settings or context fill, each once.
    pub(crate) fn filled_ticket_fields(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.ticket_fields.keys().map(String::as_str).collect();
        for (_, target) in &self.context {
            if let ContextTarget::Ticket(name) = target
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    /// The settings as JSON with a tidy chat URL and what `connect` found; unknown settings stay.
    pub fn to_json(&self, resolved: &Resolved) -> String {
        let mut object = self.object.clone();
        let mut ticket_fields = Map::new();
        for (name, kind) in &resolved.ticket_fields {
            ticket_fields.insert(name.clone(), kind.to_json());
        }
        if let Ok(origin) = chat_url::account_origin(&self.chat_url) {
            object.insert("chat_url".to_owned(), Value::String(origin));
        }
        object.insert(
            "resolved".to_owned(),
            serde_json::json!({
                "origin": resolved.origin,
                "topics": resolved.topics,
                "groups": resolved.groups,
                "agents": resolved.agents,
                "ticket_groups": resolved.ticket_groups,
                "ticket_origin": resolved.ticket_origin,
                "ticket_fields": ticket_fields,
            }),
        );
        json::to_string(&Value::Object(object))
    }
}

fn not_an_object(why: &str) -> Error {
    Error::settings(
        "",
        format!("the settings cannot be read: {why}"),
        "Pass one JSON object, as the settings schema of `describe` says.",
    )
}

/// Reads one setting at a time; each fault names its setting.
struct Reader<'a> {
    object: &'a Map<String, Value>,
}

impl Reader<'_> {
    /// Absent, null and blank all mean "not set": forms send any of them.
    fn text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
            Some(_) => Err(wrong_type(name, "text")),
        }
    }

    /// Topic names are not trimmed: a space at the end is a difference that `connect` points out.
    fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        let items = match self.object.get(name) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::String(one)) => return Ok(vec![one.clone()]),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(wrong_type(name, "a list of texts")),
        };
        items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong_type(name, "a list of texts")))
            .collect()
    }

    fn number(&self, name: &str, least: u32, most: u32, default: u32) -> Result<u32, Error> {
        let number = match self.object.get(name) {
            None | Some(Value::Null) => return Ok(default),
            Some(value) => value.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
            let fault = format!("`{name}` must be a whole number from {least} to {most}");
            Error::settings(name, fault, format!("Leave it out for {default}."))
        })
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, Error> {
        match self.object.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| wrong_type(name, "true or false")),
        }
    }

    /// An object of texts.
    fn names(&self, name: &str) -> Result<BTreeMap<String, String>, Error> {
        let wrong = || wrong_type(name, "an object of texts");
        let pairs = match self.object.get(name) {
            None | Some(Value::Null) => return Ok(BTreeMap::new()),
            Some(value) => value.as_object().ok_or_else(wrong)?,
        };
        let mut names = BTreeMap::new();
        for (key, value) in pairs {
            names.insert(key.clone(), value.as_str().ok_or_else(wrong)?.to_owned());
        }
        Ok(names)
    }

    fn context(&self) -> Result<Vec<(String, ContextTarget)>, Error> {
        let mut map = Vec::new();
        // Several targets of one value are written into one text: an object has each name once.
        for (name, targets) in self.names("context")? {
            for target in targets.split(',').map(str::trim) {
                let target = ContextTarget::parse(target).ok_or_else(|| {
                    let fault = format!("`context` sends a value to `{}`, which does not exist", shortened(target));
                    let remedy =
                        "Write shown, conversation.<property>, user.<property> or ticket.<field>; several with commas.";
                    Error::settings("context", fault, remedy)
                })?;
                map.push((name.clone(), target));
            }
        }
        Ok(map)
    }

    /// Blank values are those of a form that was left empty.
    fn ticket_fields(&self) -> Result<BTreeMap<String, String>, Error> {
        let mut fields = self.names("ticket_fields")?;
        fields.retain(|_, value| !value.trim().is_empty());
        match fields.keys().find(|name| !context_map::is_name(name)) {
            None => Ok(fields),
            Some(name) => Err(Error::settings(
                "ticket_fields",
                format!("`{}` is not a valid ticket field name", shortened(name)),
                "Write the names that tickets use, for example type, product_id or cf_order.",
            )),
        }
    }

    fn skill_property(&self) -> Result<Option<String>, Error> {
        match self.text("skill_property")? {
            Some(name) if !context_map::is_name(&name) => Err(Error::settings(
                "skill_property",
                format!("`{}` is not a valid property name", shortened(&name)),
                "Write the name of a property of conversations, for example cf_skill.",
            )),
            name => Ok(name),
        }
    }

    fn masking(&self) -> Result<Masking, Error> {
        let rules = match self.object.get("masking") {
            None | Some(Value::Null) => DEFAULT_MASKING.map(str::to_owned).to_vec(),
            _ => self.texts("masking")?,
        };
        Masking::parse(&rules).map_err(|rule| {
            let fault = format!("`masking` has a rule `{}`, which does not exist", shortened(&rule));
            let remedy = "Use card-numbers, tokens, email-addresses, phone-numbers, iban, or a template with # for a digit and ? for a letter.";
            Error::settings("masking", fault, remedy)
        })
    }

    fn language(&self) -> Result<&'static Language, Error> {
        let Some(tag) = self.text("language")? else { return Ok(&languages::ENGLISH) };
        languages::of(&tag).ok_or_else(|| {
            let known: Vec<&str> = languages::all().map(|language| language.code).collect();
            let remedy = format!("Use one of {}; or leave it out for English.", known.join(", "));
            Error::settings("language", "unsupported `language`", remedy)
        })
    }

    fn time_zone(&self) -> Result<TimeZone, Error> {
        let Some(name) = self.text("time_zone")? else { return Ok(TimeZone::utc()) };
        TimeZone::named(&name).ok_or_else(|| {
            let remedy =
                "Use a name of the IANA database with area and place, such as Europe/Madrid; or leave it out for UTC.";
            Error::settings("time_zone", "`time_zone` names no time zone", remedy)
        })
    }

    fn availability(&self) -> Result<Availability, Error> {
        match self.text("availability")?.as_deref() {
            None | Some("off") => Ok(Availability::Off),
            Some("hours") => Ok(Availability::Hours),
            Some("agents") => Ok(Availability::Agents),
            Some(_) => Err(wrong_type("availability", "one of off, hours, agents")),
        }
    }

    fn file_hosts(&self) -> Result<Vec<String>, Error> {
        let hosts = self.texts("file_hosts")?;
        let is_host = |host: &String| {
            let name = host.strip_prefix("*.").unwrap_or(host);
            let name = name.split_once(':').map_or(name, |(name, _)| name);
            // A simulator's files; hosts allow it or not. Any other address leads into somebody's network.
            host.starts_with("127.0.0.1:") || destination::is_internet_name(&name.to_ascii_lowercase())
        };
        match hosts.iter().find(|host| !is_host(host)) {
            None => Ok(hosts),
            Some(host) => Err(Error::settings(
                "file_hosts",
                format!("`{}` is not a host name on the internet", shortened(host)),
                "Write host names such as files.example.com or *.example.com, without https:// and path. Addresses and names of \
                 internal networks are not accepted.",
            )),
        }
    }

    fn priority(&self) -> Result<Option<Priority>, Error> {
        let Some(text) = self.text("priority")? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "low" => Ok(Some(Priority::Low)),
            "medium" => Ok(Some(Priority::Medium)),
            "high" => Ok(Some(Priority::High)),
            "urgent" => Ok(Some(Priority::Urgent)),
            _ => Err(wrong_type("priority", "one of low, medium, high, urgent")),
        }
    }

    fn resolved(&self) -> Result<Resolved, Error> {
        let object = match self.object.get("resolved") {
            None | Some(Value::Null) => return Ok(Resolved::default()),
            Some(Value::Object(object)) => object,
            Some(_) => return Err(wrong_type("resolved", "what `connect` returned")),
        };
        let names = |key: &str| -> BTreeMap<String, String> {
            let pairs = object.get(key).and_then(Value::as_object).into_iter().flatten();
            // One by one: collecting would sort first, with 7 KB of code.
            let mut names = BTreeMap::new();
            for (name, id) in pairs {
                if let Some(id) = id.as_str() {
                    names.insert(name.clone(), id.to_owned());
                }
            }
            names
        };
        let mut ticket_fields = Vec::new();
        for (name, kind) in object.get("ticket_fields").and_then(Value::as_object).into_iter().flatten() {
            ticket_fields.push((name.clone(), FieldKind::from_json(kind)));
        }
        Ok(Resolved {
            origin: object.get("origin").and_then(Value::as_str).unwrap_or_default().to_owned(),
            topics: names("topics"),
            groups: names("groups"),
            agents: names("agents"),
            ticket_groups: names("ticket_groups"),
            ticket_origin: object.get("ticket_origin").and_then(Value::as_str).unwrap_or_default().to_owned(),
            ticket_fields,
        })
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

fn wrong_type(name: &str, wanted: &str) -> Error {
    Error::settings(name, format!("`{name}` must be {wanted}"), "See the settings schema of `describe`.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_contract::error::ErrorKind;

    #[test]
    fn files_come_from_named_hosts_of_the_internet_alone() {
        let parse = |host: &str| Settings::parse(&serde_json::json!({ "file_hosts": [host] }).to_string());
        for good in ["files.example.com", "*.Example.com", "files.example.com:8443", "127.0.0.1:8080"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        let list = include_str!("../fixtures/addresses/hosts.txt").lines();
        let internal = list.filter_map(|line| line.strip_prefix("internal "));
        for bad in
            internal.chain(["*.0.0.1", "*.local", "8.8.8.8", "127.0.0.1", "10.0.0.1:80", "", "a", "https://a.example"])
        {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("settings.file_hosts"), "{bad}");
        }
    }

    #[test]
    fn minimal_settings_get_the_defaults() {
        let settings =
            Settings::parse(r#"{"chat_url": " acme.freshchat.com ", "api_key": "k", "group": "  "}"#).unwrap();
        assert_eq!(settings.origin().unwrap(), "https://acme.freshchat.com");
        assert_eq!(settings.topics, DEFAULT_TOPICS);
        assert_eq!(settings.max_message_chars, 5_000);
        assert_eq!(settings.group, None, "a blank field of a form is not set");
    }

    #[test]
    fn each_wrong_shape_names_its_setting() {
        let check = |json: &str, field: &str| {
            let error = Settings::parse(json).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidSettings, "{json}");
            assert_eq!(error.field.as_deref(), Some(field), "{json}");
            assert!(error.remedy.is_some(), "{json}");
        };
        check("", "settings");
        check("[1]", "settings");
        check(r#"{"chat_url": 1}"#, "settings.chat_url");
        check(r#"{"api_key": "two words"}"#, "settings.api_key");
        check(r#"{"api_key": "line\nbreak"}"#, "settings.api_key");
        check(r#"{"topics": [1]}"#, "settings.topics");
        check(r#"{"topics": {}}"#, "settings.topics");
        check(r#"{"priority": "asap"}"#, "settings.priority");
        check(r#"{"max_message_chars": 10}"#, "settings.max_message_chars");
        check(r#"{"connect_timeout_ms": "fast"}"#, "settings.connect_timeout_ms");
        check(r#"{"resolved": 3}"#, "settings.resolved");
    }

    #[test]
    fn what_connect_found_is_kept_for_the_same_account_only() {
        let settings = Settings::parse(r#"{"chat_url": "acme", "api_key": "k", "extra": 1}"#).unwrap();
        assert_eq!(settings.unknown, ["extra"]);
        let mut resolved = Resolved { origin: settings.origin().unwrap(), ..Resolved::default() };
        resolved.topics.insert("Sendbird Integration".into(), "t1".into());
        let json = settings.to_json(&resolved);

        let kept = Settings::parse(&json).unwrap();
        assert_eq!(kept.resolved, resolved);
        assert_eq!(kept.chat_url, "https://acme.freshchat.com");

        let mut object: Value = serde_json::from_str(&json).unwrap();
        object["chat_url"] = "other".into();
        let moved = Settings::parse(&object.to_string()).unwrap();
        assert_eq!(moved.resolved, Resolved::default());
    }

    #[test]
    fn a_language_or_time_zone_that_is_not_there_is_refused_with_what_is() {
        for (name, value, remedy) in [
            ("language", "tlh", "ar, he, hi, it, ko, nl, pl, tr, zh"),
            ("language", "-", "Use one of en, de, fr"),
            ("time_zone", "Mars/Base", "Europe/Madrid"),
        ] {
            let json = format!(r#"{{"chat_url": "acme", "{name}": "{value}"}}"#);
            let error = Settings::parse(&json).unwrap_err();
            assert_eq!(error.field, Some(format!("settings.{name}")));
            assert!(error.remedy.as_deref().unwrap().contains(remedy), "{:?}", error.remedy);
        }
        let settings =
            Settings::parse(r#"{"chat_url": "acme", "language": "iw-IL", "time_zone": "asia/jerusalem"}"#).unwrap();
        assert_eq!((settings.language.code, settings.time_zone.name()), ("he", "Asia/Jerusalem"));
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let settings = Settings::parse(r#"{"chat_url": "acme", "api_key": "s3cr3t"}"#).unwrap();
        assert!(!format!("{settings:?} {:?}", settings.api_key).contains("s3cr3t"));
    }
}
