//! Each call of the Freshchat API v2 as a value: into a request, and out of an answer.
//!
//! Only what handoffs need. Answers are read leniently: fields come and go between accounts and years, so each
//! reader takes what it needs and gives up only without it.

use serde_json::{Map, Value, json};

use super::wire::{self, VendorMessage};
use crate::conversation::identity;
use crate::http::Method;
use crate::http::client::{Endpoint, Page, Paged, encode};
use crate::http::json::{self, Writer};
use crate::text::{plain_text, time};
use handoff_contract::model::{
    AgentId, ChannelId, ConversationId, EndUser, GroupId, MessageId, Priority, Timestamp, UserId,
};

/// Integrators use 20 to 100; no maximum is published.
const ITEMS_PER_PAGE: u32 = 100;
/// Messages of one page: enough to find our marker again without reading a whole conversation.
const NEWEST_MESSAGES: u32 = 50;

fn list_path(list: &str, page: u32) -> String {
    format!("/{list}?page={page}&items_per_page={ITEMS_PER_PAGE}")
}

/// The error that the vendor's definitions have for a page that does not exist. Its status is unknown; pages are asked
/// for in order, so it means the end of the list.
fn is_past_the_end(body: &Value) -> bool {
    wire::text(body, "status").as_deref() == Some("WRONG_PAGE")
}

/// Stops on an empty page, on a page that does not exist, on the last of a known number, or without a link to the next.
/// Pages are followed by number: the version in the links differs between the vendor's texts, and may not be ours.
fn page_of<T>(body: &Value, key: &str, item: impl Fn(&Value) -> Option<T>) -> Option<Page<T>> {
    if is_past_the_end(body) {
        return Some(Page { items: Vec::new(), total_pages: None, has_next: false });
    }
    let raw = body.get(key)?.as_array()?;
    let number = |name: &str| wire::number(body.get("pagination")?, name).and_then(|number| u32::try_from(number).ok());
    let (current, total_pages) = (number("current_page"), number("total_pages"));
    let has_link = body.pointer("/links/next_page/href").is_some_and(Value::is_string);
    let is_last = current.zip(total_pages).is_some_and(|(current, total)| current >= total);
    let has_next = !raw.is_empty() && !is_last && (has_link || total_pages.is_some());
    Some(Page { items: raw.iter().filter_map(item).collect(), total_pages, has_next })
}

/// The account behind a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// Host name of the account, or its organisation's, as the vendor names it.
    pub name: Option<String>,
}

/// `GET /accounts/configuration`: the cheapest proof that host and key belong together.
pub(crate) struct GetAccount;

impl Endpoint for GetAccount {
    type Output = Account;
    const NAME: &'static str = "get-account";
    const METHOD: Method = Method::Get;

    fn path(&self) -> String {
        "/accounts/configuration".to_owned()
    }

    // Integrators take a truthy `organisation_id` as the sign of a right answer.
    fn answer(body: &Value) -> Option<Account> {
        let present = |key: &str| wire::text(body, key).filter(|text| !text.is_empty() && text != "0");
        present("organisation_id").or_else(|| present("account_id")).or_else(|| present("app_id"))?;
        Some(Account { name: present("account_domain").or_else(|| present("organisation_domain")) })
    }
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    /// Opaque.
    pub id: ChannelId,
    /// Case-sensitive, not unique.
    pub name: String,
    /// Switched on by the admin.
    pub enabled: bool,
    /// A topic of the web messenger, not a WhatsApp number or the like.
    pub is_messenger: bool,
}

/// `GET /channels`: the topics, in pages.
pub(crate) struct ListChannels {
    page: u32,
}

impl Endpoint for ListChannels {
    type Output = Page<Channel>;
    const NAME: &'static str = "list-channels";
    const METHOD: Method = Method::Get;

    fn path(&self) -> String {
        list_path("channels", self.page)
    }

    fn answer(body: &Value) -> Option<Page<Channel>> {
        page_of(body, "channels", |channel| {
            Some(Channel {
                id: ChannelId(wire::text(channel, "id")?),
                name: wire::text(channel, "name")?,
                enabled: channel.get("enabled").and_then(Value::as_bool).unwrap_or(true),
                is_messenger: wire::text(channel, "source")
                    .is_none_or(|source| source.eq_ignore_ascii_case("freshchat")),
            })
        })
    }
}

impl Paged for ListChannels {
    type Item = Channel;
    fn page(number: u32) -> Self {
        Self { page: number }
    }
}

/// A group of human agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Opaque.
    pub id: GroupId,
    /// As the admin wrote it.
    pub name: String,
}

/// `GET /groups`, in pages.
pub(crate) struct ListGroups {
    page: u32,
}

impl Endpoint for ListGroups {
    type Output = Page<Group>;
    const NAME: &'static str = "list-groups";
    const METHOD: Method = Method::Get;

    fn path(&self) -> String {
        list_path("groups", self.page)
    }

    fn answer(body: &Value) -> Option<Page<Group>> {
        page_of(body, "groups", |group| {
            Some(Group { id: GroupId(wire::text(group, "id")?), name: wire::text(group, "name")? })
        })
    }
}

impl Paged for ListGroups {
    type Item = Group;
    fn page(number: u32) -> Self {
        Self { page: number }
    }
}

/// A human agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agent {
    /// Opaque.
    pub id: AgentId,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Photo.
    pub avatar_url: Option<String>,
    /// Neither deleted nor deactivated: notes in the name of a former agent silently vanish.
    pub active: bool,
    /// Takes conversations now; true where the account does not say.
    pub available: bool,
    /// Ids of the groups the agent is in.
    pub groups: Vec<GroupId>,
}

impl Agent {
    /// Never the e-mail address: end users see this.
    pub(crate) fn display_name(&self) -> Option<String> {
        let names = [self.first_name.as_deref(), self.last_name.as_deref()];
        let full =
            names.into_iter().flatten().map(str::trim).filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
        Some(full).filter(|name| !name.is_empty())
    }

    fn read(agent: &Value) -> Option<Self> {
        let flag = |key: &str| agent.get(key).and_then(Value::as_bool).unwrap_or(false);
        let groups = agent.get("groups").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            id: AgentId(wire::text(agent, "id")?),
            first_name: wire::text(agent, "first_name"),
            last_name: wire::text(agent, "last_name"),
            email: wire::text(agent, "email"),
            avatar_url: agent
                .get("avatar")
                .and_then(|avatar| wire::text(avatar, "url"))
                // A page shows it to the end user: it is the address of a picture, or nothing.
                .filter(|url| plain_text::is_web(url) && plain_text::is_link(url)),
            active: !flag("is_deleted") && !flag("is_deactivated"),
            available: wire::filled(agent, "availability_status").is_none_or(|word| word == "AVAILABLE"),
            groups: groups.filter_map(Value::as_str).map(GroupId::from).collect(),
        })
    }
}

/// `GET /agents/{id}`.
pub(crate) struct GetAgent {
    /// The agent.
    pub id: AgentId,
}

impl Endpoint for GetAgent {
    type Output = Agent;
    const NAME: &'static str = "get-agent";
    const METHOD: Method = Method::Get;

    fn path(&self) -> String {
        format!("/agents/{}", encode(self.id.as_str()))
    }

    fn answer(body: &Value) -> Option<Agent> {
        Agent::read(body)
    }
}

/// `GET /agents`, in pages. A filter by e-mail address is not documented, so lists are searched here.
pub(crate) struct ListAgents {
    path: String,
}

impl ListAgents {
    /// The question for one who is available, of this group or of the whole account, with the published filters. An account may
    /// not know them: whoever comes back has to be compared with what was asked.
    pub(crate) fn available(group: Option<&GroupId>) -> Self {
        let of = group.map(|group| format!("groups={}&", encode(group.as_str()))).unwrap_or_default();
        Self { path: format!("/agents?{of}availability_status=AVAILABLE&items_per_page=1") }
    }
}

impl Endpoint for ListAgents {
    type Output = Page<Agent>;
    const NAME: &'static str = "list-agents";
    const METHOD: Method = Method::Get;

    fn path(&self) -> String {
        self.path.clone()
    }

    fn answer(body: &Value) -> Option<Page<Agent>> {
        page_of(body, "agents", Agent::read)
    }
}

impl Paged for ListAgents {
    type Item = Agent;
    fn page(number: u32) -> Self {
        Self { path: list_path("agents", number) }
    }
}

/// `GET /business-hours/within-bh`: whether the group, or the account, is inside its business hours.
pub(crate) struct WithinHours<'a> {
    /// The group.
    pub group: Option<&'a GroupId>,
}

impl Endpoint for WithinHours<'_> {
    /// None where the answer does not say: its form is not published.
    type Output = Option<bool>;
    const NAME: &'static str = "within-business-hours";
    const METHOD: Method = Method::Get;

    fn path(&self) -> String {
        let of = self.group.map(|group| format!("?group_id={}", encode(group.as_str()))).unwrap_or_default();
        format!("/business-hours/within-bh{of}")
    }

    // The one truth value, wherever it stands.
    fn answer(body: &Value) -> Option<Option<bool>> {
        let mut flags = body.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_bool());
        Some(body.as_bool().or_else(|| flags.next().filter(|_| flags.next().is_none())))
    }
}

/// `GET /conversations/fields`: the names of declared properties. An array without an envelope.
pub(crate) struct ListFields;

impl Endpoint for ListFields {
    type Output = Vec<String>;
    const NAME: &'static str = "list-conversation-fields";
    const METHOD: Method = Method::Get;

    fn path(&self) -> String {
        "/conversations/fields".to_owned()
    }

    fn answer(body: &Value) -> Option<Vec<String>> {
        Some(body.as_array()?.iter().filter_map(|field| wire::filled(field, "name")).collect())
    }
}

/// Freshchat's record of an end user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// Opaque.
    pub id: UserId,
    /// The platform's id, when the record has one.
    pub reference_id: Option<String>,
    /// E-mail address, where the answer says.
    pub email: Option<String>,
    /// Phone number, where the answer says.
    pub phone: Option<String>,
    /// It has a name.
    pub is_named: bool,
    /// The answer is the whole record: what it leaves out is not there.
    pub is_whole: bool,
}

impl User {
    /// It has an e-mail address, or may have one.
    pub(crate) fn has_email(&self) -> bool {
        !self.is_whole || self.email.is_some()
    }

    /// It has a phone number, or may have one.
    pub(crate) fn has_phone(&self) -> bool {
        !self.is_whole || self.phone.is_some()
    }
}

/// What is read of a user's record, and of a list of them.
const USER_FIELDS: &[&str] =
    &["created_time", "email", "first_name", "id", "last_name", "phone", "reference_id", "users"];

fn read_user(user: &Value) -> Option<User> {
    let reference_id = wire::text(user, "reference_id").filter(|id| !id.is_empty());
    // What an abridged record leaves out is not known to be missing.
    let is_whole = user.get("created_time").is_some();
    let is_named = |key: &str| !is_whole || wire::filled(user, key).is_some();
    Some(User {
        id: UserId(wire::text(user, "id")?),
        reference_id,
        email: wire::filled(user, "email"),
        phone: wire::filled(user, "phone"),
        is_named: is_named("first_name") || is_named("last_name"),
        is_whole,
    })
}

/// What a user is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The platform's id.
    Reference,
    /// E-mail address.
    Email,
    /// Phone number.
    Phone,
}

/// `GET /users` with one filter. Published are `first_name`, `last_name`, `email`, `reference_id`, `phone_no` and four times; one
/// is required (the vendor's reference as read by polymetrics-ai/cli in July and August 2026). Compare what comes with
/// [`FindUsers::is_answered_by`]: how filters match is not published.
pub(crate) struct FindUsers<'a> {
    /// What to look up by.
    pub by: Identity,
    /// Its value.
    pub value: &'a str,
}

impl FindUsers<'_> {
    /// The record is of the person who was asked for.
    pub(crate) fn is_answered_by(&self, user: &User) -> bool {
        let has = |found: &Option<String>, same: fn(&str, &str) -> bool| {
            found.as_deref().is_some_and(|found| same(found, self.value))
        };
        match self.by {
            Identity::Reference => has(&user.reference_id, |found, wanted| found == wanted),
            Identity::Email => has(&user.email, identity::same_email),
            Identity::Phone => has(&user.phone, identity::same_phone),
        }
    }
}

impl Endpoint for FindUsers<'_> {
    type Output = Vec<User>;
    const NAME: &'static str = "find-users";
    const METHOD: Method = Method::Get;
    const FIELDS: &'static [&'static str] = USER_FIELDS;

    fn path(&self) -> String {
        let filter = match self.by {
            Identity::Reference => "reference_id",
            Identity::Email => "email",
            Identity::Phone => "phone_no",
        };
        format!("/users?{filter}={}", encode(self.value))
    }

    fn answer(body: &Value) -> Option<Vec<User>> {
        Some(body.get("users")?.as_array()?.iter().filter_map(read_user).collect())
    }
}

/// `POST /users`.
pub(crate) struct CreateUser<'a> {
    /// Only what is known is sent, and of addresses only what is verified.
    pub user: &'a EndUser,
    /// Custom properties.
    pub properties: &'a [(String, String)],
}

/// Longer names are no names.
const MAX_NAME: usize = 200;

/// The writable fields of a record. User properties are an array, unlike those of conversations.
///
/// An address that is not verified never goes into a record, not even into a new one: what Freshchat does with an address that
/// another record has is not published. It may answer with that record or join the two, and agents may merge them by hand.
fn user_fields(user: &EndUser, properties: &[(String, String)]) -> Vec<u8> {
    let filled = |value: Option<&'_ str>| value.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
    let name = crate::text::transcript::one_line(user.name.as_deref().unwrap_or_default(), MAX_NAME);
    let name = name.trim();
    let (first, last) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
    let mut body = Writer::object(512);
    if let Some(url) = filled(user.avatar_url.as_deref()) {
        body.name("avatar").open(b'{').field("url", &url).close(b'}');
    }
    for (name, value) in [
        ("email", user.verified_email()),
        ("first_name", Some(first)),
        ("last_name", Some(last)),
        ("phone", user.verified_phone()),
    ] {
        if let Some(value) = filled(value) {
            body.field(name, &value);
        }
    }
    if !properties.is_empty() {
        body.name("properties").open(b'[');
        for (name, value) in properties {
            body.item().open(b'{').field("name", name).field("value", value).close(b'}');
        }
        body.close(b']');
    }
    // As it is: it is compared letter by letter when it comes back.
    if !user.id.is_empty() {
        body.field("reference_id", &user.id);
    }
    body.finish()
}

impl Endpoint for CreateUser<'_> {
    type Output = User;
    const NAME: &'static str = "create-user";
    const METHOD: Method = Method::Post;
    const FIELDS: &'static [&'static str] = USER_FIELDS;

    fn path(&self) -> String {
        "/users".to_owned()
    }

    fn written(&self) -> Option<Vec<u8>> {
        Some(user_fields(self.user, self.properties))
    }

    fn answer(body: &Value) -> Option<User> {
        read_user(body)
    }
}

/// `PUT /users/{id}`, which gives a known person what the record lacks. The answer's body is empty.
pub(crate) struct UpdateUser<'a> {
    /// The record.
    pub id: &'a UserId,
    /// Only what is to be set, and of addresses only what is verified; an empty id is not.
    pub fields: &'a EndUser,
    /// Custom properties.
    pub properties: &'a [(String, String)],
}

impl Endpoint for UpdateUser<'_> {
    type Output = ();
    const NAME: &'static str = "update-user";
    const METHOD: Method = Method::Put;

    fn path(&self) -> String {
        format!("/users/{}", encode(self.id.as_str()))
    }

    fn written(&self) -> Option<Vec<u8>> {
        Some(user_fields(self.fields, self.properties))
    }

    fn answer(_: &Value) -> Option<()> {
        Some(())
    }
}

/// `DELETE /users/{id}`: deletes the record for good, with the person's conversations (the description of a third party's tool for this
/// call; the vendor's inventory of operations lists it without a word). That an answer may say `ACCEPTED`, as the vendor's answer to the
/// deletion of an agent does, is a belief.
pub(crate) struct DeleteUser<'a> {
    /// The record.
    pub id: &'a UserId,
}

impl Endpoint for DeleteUser<'_> {
    /// True when Freshworks deletes later.
    type Output = bool;
    const NAME: &'static str = "delete-user";
    const METHOD: Method = Method::Delete;

    fn path(&self) -> String {
        format!("/users/{}", encode(self.id.as_str()))
    }

    fn answer(body: &Value) -> Option<bool> {
        Some(wire::text(body, "status").as_deref() == Some("ACCEPTED"))
    }
}

/// `GET /users/{id}/conversations`. The items carry nothing but an id.
pub(crate) struct ListUserConversations<'a> {
    /// The record.
    pub user: &'a UserId,
}

impl Endpoint for ListUserConversations<'_> {
    type Output = Vec<ConversationId>;
    const NAME: &'static str = "list-user-conversations";
    const METHOD: Method = Method::Get;

    fn path(&self) -> String {
        format!("/users/{}/conversations", encode(self.user.as_str()))
    }

    fn answer(body: &Value) -> Option<Vec<ConversationId>> {
        let id =
            |item: &Value| wire::text(item, "id").or_else(|| wire::text(item, "conversation_id")).map(ConversationId);
        Some(body.get("conversations")?.as_array()?.iter().filter_map(id).collect())
    }
}

/// Who a message is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// The end user: an ordinary message.
    User(UserId),
    /// A human agent: a private note, which the end user never sees.
    NoteBy(AgentId),
}

/// `POST /images/upload`, below the version; the part is `image`.
pub(crate) const IMAGE_UPLOAD: &str = "/images/upload";
/// `POST /files/upload`, below the version; the part is `file`.
pub(crate) const FILE_UPLOAD: &str = "/files/upload";

/// A file that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentFile {
    name: String,
    media_type: String,
    /// Of pictures.
    url: Option<String>,
    /// Of all other files.
    hash: Option<String>,
    bytes: Option<u64>,
}

impl SentFile {
    /// Reads the answer to an upload: pictures get an address, files a hash and no address.
    pub fn read(body: &[u8], name: &str, media_type: &str) -> Option<Self> {
        let body = json::read(body, &[]).ok()?;
        let (url, hash) = (wire::filled(&body, "url"), wire::filled(&body, "file_hash"));
        if url.is_none() && hash.is_none() {
            return None;
        }
        let bytes = wire::number(&body, "file_size");
        Some(Self { name: name.to_owned(), media_type: media_type.to_owned(), url, hash, bytes })
    }

    /// As the one part of a message: text and media together were seen to be refused.
    fn to_part(&self) -> Value {
        if let (Some(url), None) = (&self.url, &self.hash) {
            return json!({ "image": { "url": url } });
        }
        let extension = self.name.rsplit_once('.').map_or("", |(_, extension)| extension);
        json!({ "file": {
            "name": self.name,
            "contentType": self.media_type,
            "fileHash": self.hash,
            "fileSource": "FRESHCHAT",
            "file_size_in_bytes": self.bytes.unwrap_or(0),
            "file_extension": extension,
        } })
    }
}

/// A message to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// In whose name.
    pub author: Author,
    /// Plain text; not sent where there is a file.
    pub text: String,
    /// Instead of the text.
    pub file: Option<SentFile>,
}

impl NewMessage {
    /// A text.
    pub fn text(author: Author, text: String) -> Self {
        Self { author, text, file: None }
    }

    /// Writes it into a body, with the topic where a conversation is created and the end user where it is not.
    fn write(&self, body: &mut Writer, channel: Option<&ChannelId>, user: Option<&UserId>) {
        let (actor_type, actor_id, message_type) = match &self.author {
            Author::User(id) => ("user", id.as_str(), "normal"),
            Author::NoteBy(id) => ("agent", id.as_str(), "private"),
        };
        body.field("actor_id", actor_id).field("actor_type", actor_type);
        if let Some(channel) = channel {
            body.field("channel_id", channel.as_str());
        }
        body.name("message_parts").open(b'[').item();
        match &self.file {
            Some(file) => body.value(&file.to_part()),
            None => body.open(b'{').name("text").open(b'{').field("content", &self.text).close(b'}').close(b'}'),
        };
        body.close(b']').field("message_type", message_type);
        if let Some(user) = user {
            body.field("user_id", user.as_str());
        }
    }

    /// About as many bytes as it takes in a body.
    fn size(&self) -> usize {
        300 + self.text.len() + self.text.len() / 16
    }
}

/// A conversation as far as answers tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The id for paths.
    pub id: ConversationId,
    /// The other id, of digits, that webhooks may use.
    pub numeric_id: Option<String>,
    /// Where human agents open it.
    pub url: Option<String>,
    /// `resolved`, or one of the open states.
    pub status: Option<String>,
    /// The topic.
    pub channel: Option<ChannelId>,
    /// Who has it, where the answer says.
    pub agent: Option<AgentId>,
    /// Which group has it, where the answer says.
    pub group: Option<GroupId>,
    /// When it last changed, where the answer says.
    pub updated_at: Option<Timestamp>,
    /// Ids of the messages that the answer lists.
    pub messages: Vec<MessageId>,
}

impl Conversation {
    /// What is read of it.
    const FIELDS: &'static [&'static str] = &[
        "assigned_agent_id",
        "assigned_group_id",
        "channel_id",
        "conversation_id",
        "conversation_internal_id",
        "error_message",
        "freshchat_conversation_id",
        "id",
        "messages",
        "status",
        "updated_time",
        "url",
    ];

    /// Ended by a human agent or by us.
    pub fn is_resolved(&self) -> bool {
        self.status.as_deref() == Some("resolved")
    }

    fn read(body: &Value) -> Option<Self> {
        let messages: Vec<&Value> = body.get("messages").and_then(Value::as_array).into_iter().flatten().collect();
        // A failure of a message can hide in a success of the conversation.
        let failed = |message: &&&Value| wire::text(message, "error_message").is_some_and(|text| !text.is_empty());
        if messages.iter().any(|message| failed(&message)) {
            return None;
        }
        let numeric_of = |message: &&Value| wire::text(message, "freshchat_conversation_id");
        Some(Self {
            id: ConversationId(wire::text(body, "conversation_id")?),
            numeric_id: wire::text(body, "conversation_internal_id").or_else(|| messages.iter().find_map(numeric_of)),
            url: wire::text(body, "url").filter(|url| url.starts_with("https://")),
            status: wire::text(body, "status"),
            channel: wire::text(body, "channel_id").map(ChannelId),
            agent: wire::filled(body, "assigned_agent_id").map(AgentId),
            group: wire::filled(body, "assigned_group_id").map(GroupId),
            updated_at: wire::text(body, "updated_time").as_deref().and_then(time::from_iso),
            messages: messages.iter().filter_map(|message| wire::text(message, "id").map(MessageId)).collect(),
        })
    }
}

/// Who should get a conversation, in the vendor's ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// A group.
    pub group: Option<GroupId>,
    /// A human agent.
    pub agent: Option<AgentId>,
    /// Urgency.
    pub priority: Option<Priority>,
    /// Other properties, by name: only declared ones are accepted.
    pub properties: Vec<(String, String)>,
}

/// `POST /conversations` with all its first messages, so that they cannot overtake one another.
pub(crate) struct CreateConversation<'a> {
    /// The topic.
    pub channel: &'a ChannelId,
    /// The end user.
    pub user: &'a UserId,
    /// Oldest first; at least one.
    pub messages: &'a [NewMessage],
    /// Who should get it.
    pub assignment: &'a Assignment,
}

impl Endpoint for CreateConversation<'_> {
    type Output = Conversation;
    const NAME: &'static str = "create-conversation";
    const METHOD: Method = Method::Post;
    const FIELDS: &'static [&'static str] = Conversation::FIELDS;

    fn path(&self) -> String {
        "/conversations".to_owned()
    }

    fn written(&self) -> Option<Vec<u8>> {
        let Assignment { group, agent, priority, properties } = self.assignment;
        let mut body = Writer::object(500 + self.messages.iter().map(NewMessage::size).sum::<usize>());
        if let Some(agent) = agent {
            body.field("assigned_agent_id", agent.as_str());
        }
        if let Some(group) = group {
            body.field("assigned_group_id", group.as_str());
        }
        body.field("channel_id", self.channel.as_str());
        body.name("messages").open(b'[');
        for message in self.messages {
            body.item().open(b'{');
            message.write(&mut body, Some(self.channel), None);
            body.close(b'}');
        }
        body.close(b']');
        let mut all = Map::new();
        if let Some(priority) = priority {
            all.insert("priority".to_owned(), json!(priority_word(*priority)));
        }
        for (name, value) in properties {
            all.insert(name.clone(), json!(value));
        }
        if !all.is_empty() {
            body.name("properties").value(&Value::Object(all));
        }
        // With a group alone the status stays `new`: as `assigned` without an agent nobody would pick it up.
        if group.is_some() || agent.is_some() {
            body.field("status", if agent.is_some() { "assigned" } else { "new" });
        }
        body.name("users").open(b'[').item().open(b'{').field("id", self.user.as_str()).close(b'}').close(b']');
        Some(body.finish())
    }

    fn answer(body: &Value) -> Option<Conversation> {
        Conversation::read(body)
    }
}

/// The vendor's word.
pub(crate) fn priority_word(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Low",
        Priority::Medium => "Medium",
        Priority::High => "High",
        Priority::Urgent => "Urgent",
    }
}

/// `GET /conversations/{id}`. Holds no messages, whatever the reference says.
pub(crate) struct GetConversation<'a> {
    /// The conversation.
    pub id: &'a ConversationId,
}

impl Endpoint for GetConversation<'_> {
    type Output = Conversation;
    const NAME: &'static str = "get-conversation";
    const METHOD: Method = Method::Get;
    const FIELDS: &'static [&'static str] = Conversation::FIELDS;

    fn path(&self) -> String {
        format!("/conversations/{}", encode(self.id.as_str()))
    }

    fn answer(body: &Value) -> Option<Conversation> {
        Conversation::read(body)
    }
}

/// `PUT /conversations/{id}` with status `resolved`. Setting a state twice changes nothing.
pub(crate) struct Resolve<'a> {
    /// The conversation.
    pub id: &'a ConversationId,
}

impl Endpoint for Resolve<'_> {
    type Output = ();
    const NAME: &'static str = "resolve-conversation";
    const METHOD: Method = Method::Put;

    fn path(&self) -> String {
        format!("/conversations/{}", encode(self.id.as_str()))
    }

    fn body(&self) -> Option<Value> {
        Some(json!({ "status": "resolved" }))
    }

    fn answer(_: &Value) -> Option<()> {
        Some(())
    }
}

/// `GET /conversations/{id}/messages`: the newest messages, newest first.
pub(crate) struct ListMessages<'a> {
    /// The conversation.
    pub id: &'a ConversationId,
    /// The first is 1 and holds the newest.
    pub page: u32,
}

/// Some messages of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessagePage {
    /// Newest first.
    pub messages: Vec<VendorMessage>,
    /// There are older ones.
    pub has_next: bool,
}

impl Endpoint for ListMessages<'_> {
    type Output = MessagePage;
    const NAME: &'static str = "list-messages";
    const METHOD: Method = Method::Get;

    fn path(&self) -> String {
        let (id, page) = (encode(self.id.as_str()), self.page);
        format!("/conversations/{id}/messages?page={page}&items_per_page={NEWEST_MESSAGES}")
    }

    // Here the next page is `link`, not `links.next_page` as in other lists.
    fn answer(body: &Value) -> Option<MessagePage> {
        if is_past_the_end(body) {
            return Some(MessagePage { messages: Vec::new(), has_next: false });
        }
        let messages = body.get("messages")?.as_array()?;
        let has_next = !messages.is_empty() && body.pointer("/link/href").is_some_and(Value::is_string);
        let messages = messages.iter().filter_map(|message| VendorMessage::read(message, None)).collect();
        Some(MessagePage { messages, has_next })
    }
}

/// A message that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentMessage {
    /// Its id.
    pub id: MessageId,
    /// The conversation's other id.
    pub numeric_conversation_id: Option<String>,
}

/// `POST /conversations/{id}/messages`: one message object, not a list.
pub(crate) struct SendMessage<'a> {
    /// The conversation.
    pub conversation: &'a ConversationId,
    /// The end user, named in every message of the conversation.
    pub user: &'a UserId,
    /// What to write.
    pub message: &'a NewMessage,
}

impl Endpoint for SendMessage<'_> {
    type Output = SentMessage;
    const NAME: &'static str = "send-message";
    const METHOD: Method = Method::Post;
    const FIELDS: &'static [&'static str] = &["error_message", "freshchat_conversation_id", "id"];

    fn path(&self) -> String {
        format!("/conversations/{}/messages", encode(self.conversation.as_str()))
    }

    fn written(&self) -> Option<Vec<u8>> {
        let mut body = Writer::object(self.message.size());
        self.message.write(&mut body, None, Some(self.user));
        Some(body.finish())
    }

    fn answer(body: &Value) -> Option<SentMessage> {
        let failed = wire::text(body, "error_message").is_some_and(|text| !text.is_empty());
        let id = wire::text(body, "id").filter(|_| !failed)?;
        Some(SentMessage { id: MessageId(id), numeric_conversation_id: wire::text(body, "freshchat_conversation_id") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_photo_of_a_human_agent_is_a_page_or_nothing() {
        let photo = |url: &str| Agent::read(&json!({ "id": "a-1", "avatar": { "url": url } })).unwrap().avatar_url;
        assert_eq!(photo("https://avatars.example/1.png").as_deref(), Some("https://avatars.example/1.png"));
        for url in
            ["", "javascript:alert(1)", "data:text/html,x", "mailto:a@b.example", "https://x.example/\"onload=\"y"]
        {
            assert_eq!(photo(url), None, "{url}");
        }
    }

    fn page(links: Value, pagination: Value) -> (usize, bool) {
        let body = json!({ "channels": [{ "id": "t-1", "name": "Inbox" }], "links": links, "pagination": pagination });
        let page = ListChannels::answer(&body).unwrap();
        (page.items.len(), page.has_next)
    }

    #[test]
    fn the_version_in_a_link_does_not_matter() {
        for href in ["/v1/channels?page=2", "/v2/channels?page=2", "https://acme.freshchat.com/v1/channels?page=2"] {
            assert_eq!(page(json!({ "next_page": { "href": href } }), Value::Null), (1, true), "{href}");
        }
        assert_eq!(page(json!({ "next_page": {} }), Value::Null), (1, false));
        assert_eq!(page(Value::Null, json!({ "current_page": 1, "total_pages": 2 })), (1, true));
        let stray = json!({ "next_page": { "href": "/v1/channels?page=3" } });
        assert_eq!(page(stray, json!({ "current_page": "2", "total_pages": "2" })), (1, false));
    }

    #[test]
    fn a_page_that_does_not_exist_is_the_end_of_every_list() {
        let body =
            json!({ "code": 400, "status": "WRONG_PAGE", "message": "The page does not exist in the search result" });
        let end = Page { items: Vec::new(), total_pages: None, has_next: false };
        assert_eq!(ListChannels::answer(&body), Some(end));
        let end = MessagePage { messages: Vec::new(), has_next: false };
        assert_eq!(ListMessages::answer(&body), Some(end));
        assert_eq!(ListChannels::answer(&json!({ "status": "OTHER" })), None);
    }

    #[test]
    fn the_group_in_the_question_for_somebody_available_is_encoded() {
        let group = GroupId("a b&c".into());
        let path = "/agents?groups=a%20b%26c&availability_status=AVAILABLE&items_per_page=1";
        assert_eq!(ListAgents::available(Some(&group)).path(), path);
        assert_eq!(ListAgents::available(None).path(), "/agents?availability_status=AVAILABLE&items_per_page=1");
    }
}
