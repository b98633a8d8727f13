//! An account's initial content and behaviour.

use std::time::Duration;

use crate::ids::IdForm;
use crate::tickets::{TicketField, TicketProduct};
use crate::webhooks::Era;

/// An account to simulate. The default is a small one, ready for a handoff.
#[derive(Clone, Debug)]
pub struct Config {
    /// The account's name; with `.freshchat.com` it is its domain.
    pub account: String,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The bearer token that the API wants.
    pub api_key: String,
    /// Receiver of webhooks. Without it they are only recorded.
    pub webhook: Option<String>,
    /// The topics, in the order the API lists them.
    pub topics: Vec<TopicSpec>,
    /// The human agents.
    pub agents: Vec<AgentSpec>,
    /// The groups.
    pub groups: Vec<GroupSpec>,
    /// The port of the ticket service on 127.0.0.1; 0 takes a free one.
    pub ticket_port: u16,
    /// Which product the ticket service is.
    pub ticket_product: TicketProduct,
    /// The key that the ticket service wants, as the user name of HTTP Basic authentication.
    pub ticket_api_key: String,
    /// The names of the ticket service's groups. Its human agents are those of the account.
    pub ticket_groups: Vec<String>,
    /// Tickets' custom fields.
    pub ticket_fields: Vec<TicketField>,
    /// Seed of all ids: the same seed and the same calls give the same ids.
    pub seed: u64,
    /// A separate signing key for this simulator. Otherwise all simulators of a process share one.
    pub own_key: bool,
    /// How the account behaves from the start.
    pub behaviour: Behaviour,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            account: "acme".into(),
            port: 0,
            api_key: "simulator-api-key".into(),
            webhook: None,
            topics: vec![TopicSpec::named("Inbox"), TopicSpec::named("Sendbird Integration")],
            agents: vec![
                AgentSpec {
                    avatar_url: Some("https://avatars.example/maya-chen.png".into()),
                    groups: vec!["Support".into()],
                    ..AgentSpec::named("Maya Chen", "maya@acme.example")
                },
                AgentSpec::named("Tom Okafor", "tom@acme.example"),
            ],
            groups: vec![GroupSpec::named("Support")],
            ticket_port: 0,
            ticket_product: TicketProduct::Freshdesk,
            ticket_api_key: "simulator-ticket-key".into(),
            ticket_groups: vec!["Support".into()],
            ticket_fields: vec!["cf_order".into()],
            seed: 1,
            own_key: false,
            behaviour: Behaviour::default(),
        }
    }
}

/// A topic (the API calls it channel) to set up.
#[derive(Clone, Debug)]
pub struct TopicSpec {
    /// The name; names need not be unique.
    pub name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether the widget shows it.
    pub public: bool,
    /// `FRESHCHAT` for web topics; other transports have their own.
    pub source: String,
    /// The language; live accounts do not always have it.
    pub locale: Option<String>,
    /// Visibility tags.
    pub tags: Vec<String>,
    /// The name of the group that gets new conversations of this topic.
    pub group: Option<String>,
}

impl TopicSpec {
    /// An ordinary topic, switched on and public.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            enabled: true,
            public: true,
            source: "FRESHCHAT".into(),
            locale: Some("en".into()),
            tags: Vec::new(),
            group: None,
        }
    }
}

/// A human agent to set up.
#[derive(Clone, Debug, Default)]
pub struct AgentSpec {
    /// First name.
    pub first_name: String,
    /// Last name; may be empty.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
    /// The photo's URL.
    pub avatar_url: Option<String>,
    /// Names of the groups the agent belongs to.
    pub groups: Vec<String>,
    /// Whether an admin switched the agent off.
    pub deactivated: bool,
    /// Whether the agent takes conversations now.
    pub availability: Availability,
}

/// Whether a human agent takes conversations: `availability_status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Availability {
    /// Yes.
    #[default]
    Available,
    /// No.
    Unavailable,
    /// Not at the desk.
    Away,
    /// Has enough to do.
    Busy,
}

impl AgentSpec {
    /// An agent with a name and an e-mail address. The last word of the name is the last name.
    pub fn named(name: &str, email: &str) -> Self {
        let (first, last) = name.rsplit_once(' ').unwrap_or((name, ""));
        Self { first_name: first.into(), last_name: last.into(), email: email.into(), ..Self::default() }
    }
}

/// A group to set up.
#[derive(Clone, Debug, Default)]
pub struct GroupSpec {
    /// The name.
    pub name: String,
    /// A sentence about it.
    pub description: String,
}

impl GroupSpec {
    /// A group with a name.
    pub fn named(name: &str) -> Self {
        Self { name: name.into(), description: String::new() }
    }
}

/// A user who is known already.
#[derive(Clone, Debug, Default)]
pub struct UserSpec {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// The caller's own id of the user.
    pub reference_id: Option<String>,
    /// The picture's URL.
    pub avatar_url: Option<String>,
    /// Custom properties, as name and value.
    pub properties: Vec<(String, String)>,
}

/// How the account behaves if public material is silent or sources disagree. The defaults are the most likely
/// reading; each switch is an alternative that a connector must cope with.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Status of calls that create something. Clients expect 200; some texts mention 201.
    pub created_status: u16,
    /// Status for a missing or wrong API key; 403 is the alternative.
    pub unauthorized_status: u16,
    /// Reply an unknown path with a page instead of the error object, as a gateway would.
    pub html_errors: bool,
    /// Send `X-Trace-ID` and `X-Server-Processing-Time-MS` (seen in integrators' logs).
    pub trace_headers: bool,
    /// The form of the ids of users and conversations.
    pub id_form: IdForm,
    /// What `GET /v2/conversations/{id}` returns.
    pub conversation_form: ConversationForm,
    /// How the next page of a list of messages is named.
    pub message_paging: MessagePaging,
    /// The most items of a page; more is cut to this. None for no limit.
    pub max_items_per_page: Option<usize>,
    /// Write the numbers of `pagination` as strings; one client converts them, so both may occur.
    pub pagination_as_strings: bool,
    /// Prefix of the links between pages. The vendor's definitions have `/v1`, other clients read `/v2`.
    pub page_link_version: &'static str,
    /// What a page past the end of a list is.
    pub page_past_end: PagePastEnd,
    /// What the filters `groups` and `availability_status` of `GET /v2/agents` do.
    pub agent_filters: AgentFilters,
    /// What `GET /v2/agents/status` calls its list.
    pub status_list: StatusList,
    /// What a second `POST /v2/conversations` of a user in a topic does while one is open.
    pub create_while_open: CreateWhileOpen,
    /// What a user's message to a resolved conversation does.
    pub send_to_resolved: SendToResolved,
    /// What `POST /v2/users` does when the e-mail address, phone number or reference id is taken.
    pub duplicate_user: DuplicateUser,
    /// What `GET /v2/users` does with its filters.
    pub user_search: UserSearch,
    /// What `DELETE /v2/users/{id}` does.
    pub user_deletion: UserDeletion,
    /// Keep `bot` as actor type of bot messages instead of storing them as `system`.
    pub keep_bot_actor: bool,
    /// Longest text part in characters. None for no limit: none is published.
    pub max_text_chars: Option<usize>,
    /// Reply 400 to image parts that do not point to an uploaded image (seen once; works for others).
    pub refuse_external_images: bool,
    /// Require the bearer token for downloads of uploaded files.
    pub private_uploads: bool,
    /// Treat conversations as e-mail ones: a text part is stored, but returns 400.
    pub email_quirk: bool,
    /// Requests per minute; more get 429. None for no limit.
    pub requests_per_minute: Option<u32>,
    /// What a conversation's custom property does that `GET /v2/conversations/fields` does not list.
    pub undeclared_properties: UndeclaredProperties,
    /// What `GET /v2/business-hours/within-bh` says.
    pub within_business_hours: bool,
    /// How it says so.
    pub business_hours_form: BusinessHoursForm,
    /// What `GET /v2/metrics/historical` says about waiting.
    pub wait_figures: Vec<WaitFigures>,
    /// Refuse the second rating of a conversation. The real behaviour is not published; the default keeps each, so that a duplicate
    /// is visible.
    pub one_rating: bool,
    /// Add lines of type `system` to the thread when a conversation is assigned, resolved or reopened.
    pub system_lines: bool,
    /// Send those lines as webhooks too.
    pub system_line_webhooks: bool,
    /// The agent in whose name changes through the API are reported. None for the account's service account.
    pub api_acts_as: Option<String>,

    /// Calls of the ticket service per minute; more get 429. None for no limit.
    pub ticket_requests_per_minute: Option<u32>,
    /// Give tickets without a status or a priority the documented defaults (2 and 1). Otherwise they are refused, as
    /// integrators have seen.
    pub ticket_defaults: bool,
    /// Fields that the account made mandatory for new tickets, such as `type`, `group_id` or a custom one.
    pub ticket_required: Vec<String>,
    /// Endings of file names that the desk takes in no ticket, such as `.exe`. That the refusal names `attachments` is a
    /// belief, from the errors about files that integrators have met.
    pub refused_files: Vec<String>,
    /// What filtering tickets by an unknown requester does.
    pub unknown_requester: UnknownRequester,
    /// The most characters of a subject, and of a custom field. None for no limit.
    pub max_ticket_line_chars: Option<usize>,
    /// The most bytes of a ticket's text and files together. None for the product's own limit: 20 MB, 15 MB in
    /// Freshservice and in older texts.
    pub max_ticket_bytes: Option<usize>,
    /// Status of tickets over that size; 413 is the alternative.
    pub ticket_too_large_status: u16,

    /// Write U+FFFD as the escape of half an emoji, in responses and webhooks, like JavaScript for a text cut by `slice`. And begin
    /// each object with a number beyond the range of a double.
    pub loose_json: bool,

    /// The era of webhook bodies.
    pub era: Era,
    /// Send `message_create` for messages that came through the API.
    pub echo_messages: bool,
    /// Send webhooks for assignments, resolutions and reopenings that came through the API.
    pub echo_changes: bool,
    /// Delay the response of an API call until its webhooks were tried: the race that every receiver must survive.
    pub echo_before_answer: bool,
    /// `X-Freshchat-Payload-Version`. The real value is not published.
    pub payload_version: String,
    /// How long the receiver may take. 3 seconds, by two outside sources.
    pub webhook_timeout: Duration,
    /// How long to wait before each further try of a delivery that failed; there are as many of them. With the first that makes 5 by
    /// default, by the same sources.
    pub webhook_retries: Vec<Duration>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            created_status: 200,
            unauthorized_status: 401,
            html_errors: false,
            trace_headers: true,
            id_form: IdForm::Uuid,
            conversation_form: ConversationForm::Header,
            message_paging: MessagePaging::Cursor,
            max_items_per_page: Some(100),
            pagination_as_strings: false,
            page_link_version: "/v1",
            page_past_end: PagePastEnd::WrongPage(400),
            agent_filters: AgentFilters::Honoured,
            status_list: StatusList::States,
            create_while_open: CreateWhileOpen::Append,
            send_to_resolved: SendToResolved::Reopen,
            duplicate_user: DuplicateUser::Allow,
            user_search: UserSearch::Exact,
            user_deletion: UserDeletion::Accepted,
            keep_bot_actor: false,
            max_text_chars: None,
            refuse_external_images: false,
            private_uploads: false,
            email_quirk: false,
            requests_per_minute: None,
            undeclared_properties: UndeclaredProperties::Accept,
            within_business_hours: true,
            business_hours_form: BusinessHoursForm::WithinBusinessHours,
            wait_figures: Vec::new(),
            one_rating: false,
            system_lines: true,
            system_line_webhooks: false,
            api_acts_as: None,
            ticket_requests_per_minute: None,
            ticket_defaults: false,
            ticket_required: Vec::new(),
            refused_files: Vec::new(),
            unknown_requester: UnknownRequester::Refuse,
            // Seen for texts of one line; for subjects it is a reading.
            max_ticket_line_chars: Some(255),
            max_ticket_bytes: None,
            ticket_too_large_status: 400,
            loose_json: false,
            era: Era::Y2024,
            echo_messages: true,
            echo_changes: true,
            echo_before_answer: false,
            payload_version: "1.0".into(),
            webhook_timeout: Duration::from_secs(3),
            // The real service's waits are not published; these keep tests fast.
            webhook_retries: [20, 100, 600, 1_200].map(Duration::from_millis).to_vec(),
        }
    }
}

/// The waiting figures of one group. Figures are strings, as in the vendor's definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitFigures {
    /// Name of the group; none for conversations that no group has.
    pub group: Option<&'static str>,
    /// Seconds; none leaves the group out.
    pub average_wait: Option<&'static str>,
    /// Unassigned conversations; none leaves the group out.
    pub waiting: Option<&'static str>,
}

/// What `GET /v2/conversations/{id}` returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationForm {
    /// Twelve fields without messages, and the assignment if there is one (2025).
    Header,
    /// Five fields (2022).
    Minimal,
    /// The header with messages and users, as the reference promises.
    WithMessages,
}

/// How the next page of a list of messages is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessagePaging {
    /// Page 1 again, with `from_time` set to the time of the next older message.
    Cursor,
    /// The next page number.
    Pages,
}

/// What a page past the end of a list is. Page 1 always exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagePastEnd {
    /// The error `WRONG_PAGE` of the vendor's definitions, with this status: theirs is not published.
    WrongPage(u16),
    /// An empty page; one shipped client stops there.
    Empty,
}

/// What the filters of `GET /v2/agents` do. Their existence is published; the effect of an invalid one is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentFilters {
    /// Only agents that fit are listed.
    Honoured,
    /// All agents are listed.
    Ignored,
    /// 400.
    Refused,
}

/// What `GET /v2/agents/status` calls its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusList {
    /// `states`, as in the vendor's definitions.
    States,
    /// `statuses`, as an integrator read the page in 2026.
    Statuses,
}

/// What creating a conversation does while the user has an open one in the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateWhileOpen {
    /// The messages go to the open one, whose id is returned.
    Append,
    /// A new one supersedes it.
    AlwaysNew,
}

/// What a user's message to a resolved conversation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendToResolved {
    /// It reopens the conversation: `conversation_reopen`, then `message_create`.
    Reopen,
    /// It is refused: 400, `not the latest conversation`.
    NotLatest,
}

/// What creating a user does when the e-mail address, phone number or reference id is taken. Not published: integrators look up
/// first, and one handles 409.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateUser {
    /// A second user.
    Allow,
    /// 409.
    Conflict,
    /// The user who is there.
    ReturnExisting,
}

/// What `GET /v2/users` does with its filters. How the real service matches is not published; callers must survive all but
/// the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserSearch {
    /// Values must be equal: e-mail addresses in any case, phone numbers by their digits.
    Exact,
    /// The filters are ignored: everybody is found.
    Everybody,
    /// Also matches by prefix, ignoring case.
    Prefix,
    /// 400.
    Refused,
    /// 404.
    NotFound,
}

/// What deleting a user does. Not published: deleting an agent returns 202, so this may, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserDeletion {
    /// 202 and the vendor's object for accepted work. The record is gone.
    Accepted,
    /// 204. The record is gone.
    Done,
    /// 400. The record stays.
    Refused,
}

/// What a conversation's custom property does that the account did not declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndeclaredProperties {
    /// It is stored.
    Accept,
    /// The call is refused: 400.
    Refuse,
}

/// The response of `GET /v2/business-hours/within-bh`. The real form is not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusinessHoursForm {
    /// `{"within_business_hours": true}`
    WithinBusinessHours,
    /// `{"within_bh": true}`
    WithinBh,
}

/// What filtering tickets by an unknown requester does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownRequester {
    /// 400, `There is no contact matching the given email` (in several integrators' clients).
    Refuse,
    /// An empty list.
    Empty,
}
