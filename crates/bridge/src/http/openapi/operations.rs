//! What the API can do, as a table.

use handoff_contract::model::ConversationKey;
use serde_json::{Value, json};

use crate::handoffs::handoff_id;

/// One operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Names it for programs.
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// Needs no token.
    pub(super) is_open: bool,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: Body,
    pub(super) reply: Reply,
    /// What the reply is.
    pub(super) about: &'static str,
    /// Statuses of the problems that can happen.
    pub(super) problems: &'static [u16],
}

/// What a request carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Connect,
    HandOff,
    Relay,
    Undelivered,
    Rate,
    Close,
    WebhookKey,
    ChangeWebhooks,
    Token,
    Events,
    Freshworks,
    Ticket,
    Platform,
    Chat,
}

/// What is answered when it was carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Plan,
    Empty,
    Document,
    Health,
    Connections,
    Checked,
    Choices,
    Settings,
    Activity,
    Deliveries,
    Resent,
    Trends,
    WebhookKey,
    Events,
    Timeline,
    Photo,
    Metrics,
    HandedOver,
    Handoffs,
    Handoff,
    Relayed,
    Closed,
    Tick,
    Rotated,
    Tokens,
    CreatedToken,
    Audit,
    Person,
    Erased,
}

/// One status of problems.
pub(super) struct Status {
    pub(super) status: u16,
    /// Its name among the components.
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) kinds: &'static [&'static str],
}

pub(super) const STATUSES: [Status; 12] = [
    Status {
        status: 400,
        name: "InvalidRequest",
        description: "The body cannot be read, or holds what cannot be carried: `field` says where. Fix the call.",
        kinds: &["invalid-request"],
    },
    Status {
        status: 401,
        name: "NotAllowed",
        description: "No token or a wrong one; for webhooks: the path's secret or the signature is wrong. Nothing tells which.",
        kinds: &["not-allowed"],
    },
    Status {
        status: 403,
        name: "NotPermitted",
        description: "The token is good, and its scopes do not cover this. The same whether or not there is what was asked for.",
        kinds: &["not-permitted"],
    },
    Status {
        status: 404,
        name: "Unknown",
        description: "There is no such connection or handoff (`field` says which), or nothing at this path.",
        kinds: &["unknown", "no-such-path"],
    },
    Status {
        status: 405,
        name: "WrongMethod",
        description: "The path takes other methods: those of the header `Allow`.",
        kinds: &["wrong-method"],
    },
    Status {
        status: 409,
        name: "NotNow",
        description: "`not-connected`: the last check of the connection found a failure; do what its findings say, and connect again. \
                      `would-break`: the check of new settings has found what would break a connection that works (`findings`); nothing was \
                      stored. `nothing-to-restore`: no other settings have connected. \
                      `no-encryption-key`: the app has no key to encrypt secrets with; set the variable `encryption_key`. \
                      `too-many`: revoke tokens that nobody uses. `ambiguous-person`: people of several applications have this id; name the \
                      connection.",
        kinds: &[
            "not-connected",
            "would-break",
            "nothing-to-restore",
            "no-encryption-key",
            "too-many",
            "ambiguous-person",
        ],
    },
    Status { status: 413, name: "TooLarge", description: "The body is larger than 8 MiB.", kinds: &["too-large"] },
    Status {
        status: 422,
        name: "CannotBe",
        description: "`invalid-settings`: fix the settings. `needs-email`: a ticket needs an address; ask the end user. \
                      `unsupported`: this version cannot do it. `key-reused`: another request came with this `Idempotency-Key`. `stale`: the \
                      webhook is genuine, and older than any that is still repeated.",
        kinds: &["invalid-settings", "needs-email", "unsupported", "key-reused", "stale"],
    },
    Status {
        status: 424,
        name: "Refused",
        description: "Freshworks refuses, and will again. `unauthorized`: replace the credentials. `not-found`: fix the name or \
                      id. `rejected`: report it.",
        kinds: &["unauthorized", "not-found", "rejected"],
    },
    Status {
        status: 429,
        name: "SlowDown",
        description: "Too many wrong tokens came from this address. Wait, and use the right one.",
        kinds: &["slow-down"],
    },
    Status {
        status: 502,
        name: "Malformed",
        description: "Freshworks has answered something that cannot be read. Report it.",
        kinds: &["malformed"],
    },
    Status {
        status: 503,
        name: "Unavailable",
        description: "Repeat it after the wait: Freshworks, the platform or the store cannot be reached or asks for a pause, or \
                      another request works on the same conversation or has changed the connection (`busy`). After `outcome-unknown` the repeat looks first \
                      what got through.",
        kinds: &["unavailable", "busy", "inbox-full", "rate-limited", "outcome-unknown"],
    },
];

const TOKEN_IN_PATH: &[u16] = &[401, 403, 404, 429, 503];
/// What names a token in paths.
pub(super) const TOKEN_EXAMPLE: &str = "0123456789abcdef";
const WEBHOOK: &[u16] = &[400, 401, 404, 413, 422, 424, 502, 503];

pub(super) const OPERATIONS: [Operation; 43] = [
    Operation {
        method: "GET",
        path: "/v1/health",
        id: "health",
        tag: "operation",
        summary: "Says that the app runs and its store answers",
        description: "Needs no token.",
        is_open: true,
        headers: &[],
        body: Body::None,
        reply: Reply::Health,
        about: "It runs.",
        problems: &[503],
    },
    Operation {
        method: "GET",
        path: "/v1/openapi.json",
        id: "openapi",
        tag: "operation",
        summary: "This document",
        description: "Needs no token.",
        is_open: true,
        headers: &[],
        body: Body::None,
        reply: Reply::Document,
        about: "This document.",
        problems: &[],
    },
    Operation {
        method: "GET",
        path: "/v1/connections",
        id: "connections",
        tag: "connections",
        summary: "Lists the connections",
        description: "Shows how each stands.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Connections,
        about: "All connections.",
        problems: &[401, 403, 429, 503],
    },
    Operation {
        method: "GET",
        path: "/v1/connections/{connection}",
        id: "connection",
        tag: "connections",
        summary: "Shows a connection",
        description: "How it stands, with what the last check found.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Checked,
        about: "The connection.",
        problems: TOKEN_IN_PATH,
    },
    Operation {
        method: "PUT",
        path: "/v1/connections/{connection}",
        id: "connect",
        tag: "connections",
        summary: "Checks an account and keeps its settings",
        description: "Makes every check, then keeps the settings. Where they would break a connection that works, nothing is kept and the \
                      answer is 409 (`would-break`); with `save=anyway` they are. A failure of the ticket desk or of an optional name \
                      concerns its own part: handoffs are taken all the same. A connection that exists keeps its webhooks' addresses.",
        is_open: false,
        headers: &[],
        body: Body::Connect,
        reply: Reply::Checked,
        about: "The settings are kept. `status` says whether handoffs will work, the findings what to do otherwise.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 429, 503],
    },
    Operation {
        method: "DELETE",
        path: "/v1/connections/{connection}",
        id: "disconnect",
        tag: "connections",
        summary: "Forgets a connection",
        description: "With its settings, and everything about its handoffs. Conversations that are open in Freshworks stay open there.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Empty,
        about: "It is forgotten.",
        problems: TOKEN_IN_PATH,
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/check",
        id: "check",
        tag: "connections",
        summary: "Checks a connection anew",
        description: "Makes every check with the settings that are stored, and keeps what comes out. Where the account cannot be reached, the \
                      verdict of before stands, `status.unreachable_since` says so, and `/v1/tick` checks again.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Checked,
        about: "What was found.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 429, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/choices",
        id: "choices",
        tag: "connections",
        summary: "Lists what settings may name",
        description: "Topics, groups, human agents, properties and groups of the ticket desk, for a form that offers them. Takes the body of \
                      `connect`, so that a key can be used before it is stored: a new connection needs no other call first. Stores nothing.",
        is_open: false,
        headers: &[],
        body: Body::Connect,
        reply: Reply::Choices,
        about: "The names in the account.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/restore",
        id: "restore",
        tag: "connections",
        summary: "Brings back the settings that last connected",
        description: "Those before the ones that are stored, with their secrets and the platform's side. They are checked and kept whatever \
                      comes out; an outage says nothing against them.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Checked,
        about: "The settings are back.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 429, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/webhook-secret",
        id: "changeWebhooks",
        tag: "connections",
        summary: "Changes the addresses of webhooks",
        description: "Makes every check anew. The addresses so far are good for `overlap_hours` more: paste the new ones meanwhile, and nothing is lost. \
                      Delight's own webhook moves along where the bridge may set it up.",
        is_open: false,
        headers: &[],
        body: Body::ChangeWebhooks,
        reply: Reply::Checked,
        about: "The new addresses, and what was found.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 429, 503],
    },
    Operation {
        method: "GET",
        path: "/v1/connections/{connection}/settings",
        id: "settings",
        tag: "connections",
        summary: "Shows the settings of a connection",
        description: "Without secrets: only which of them are set.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Settings,
        about: "What a form shows.",
        problems: TOKEN_IN_PATH,
    },
    Operation {
        method: "GET",
        path: "/v1/connections/{connection}/activity",
        id: "activity",
        tag: "connections",
        summary: "Says what a connection has done",
        description: "Whether webhooks of Freshworks arrive and can be believed, what failed and why, and how long it took.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Activity,
        about: "Numbers since the connection was made.",
        problems: TOKEN_IN_PATH,
    },
    Operation {
        method: "GET",
        path: "/v1/connections/{connection}/deliveries",
        id: "deliveries",
        tag: "watching",
        summary: "Lists deliveries one by one",
        description: "Webhooks that came, and news that went to the platform: when, what became of them, and why. Of the last seven days, at \
                      most 500 that succeeded and 500 that failed. No texts. Parameters narrow it down.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Deliveries,
        about: "The deliveries, and what failed by cause.",
        problems: &[400, 401, 403, 404, 429, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/deliveries/{delivery}/resend",
        id: "resend",
        tag: "watching",
        summary: "Sends one delivery again",
        description: "With the ids that it had, so that it takes effect once. News goes to the platform; a webhook of Freshworks is worked off \
                      from where it is kept; both in the order of their conversation.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Resent,
        about: "What became of it.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/resend",
        id: "resendSince",
        tag: "watching",
        summary: "Sends everything again that failed since then",
        description: "As for one delivery. None is begun after 12 seconds: repeat it while something is left.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Resent,
        about: "What became of them.",
        problems: &[400, 401, 403, 404, 413, 429, 503],
    },
    Operation {
        method: "GET",
        path: "/v1/connections/{connection}/trends",
        id: "trends",
        tag: "watching",
        summary: "Shows handoffs, waiting time and failures over time",
        description: "By hours of the last day and by days of the last 30. The numbers are close, not exact.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Trends,
        about: "Hours and days.",
        problems: TOKEN_IN_PATH,
    },
    Operation {
        method: "POST",
        path: "/v1/webhook-key",
        id: "webhookKey",
        tag: "connections",
        summary: "Says what a pasted public key is",
        description: "Line breaks and labels do not matter. Stores nothing.",
        is_open: false,
        headers: &[],
        body: Body::WebhookKey,
        reply: Reply::WebhookKey,
        about: "What it is.",
        problems: &[400, 401, 403, 413, 429, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/preview",
        id: "preview",
        tag: "handoffs",
        summary: "Says what a handoff would do",
        description: "Creates nothing and stores nothing; reads from Freshworks.",
        is_open: false,
        headers: &[],
        body: Body::HandOff,
        reply: Reply::Plan,
        about: "What would be done, what human agents would read, and why.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "GET",
        path: "/v1/connections/{connection}/handoffs",
        id: "handoffs",
        tag: "handoffs",
        summary: "Lists handoffs",
        description: "Without parameters those that human agents have. With `find`, those of an end user or a conversation: everything that \
                      is kept of the user; of the platform's conversations, the newest 200 open and 200 ended ones.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Handoffs,
        about: "The handoffs.",
        problems: &[400, 401, 403, 404, 429, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/handoffs",
        id: "handOff",
        tag: "handoffs",
        summary: "Hands a conversation over",
        description: "Happens once for each key, as often as it is called, until the conversation has ended; then it begins anew. \
                      At most 10,000 messages, and 2 MiB of text. Ids are at most 255 bytes in UTF-8.",
        is_open: false,
        headers: &[(
            "Idempotency-Key",
            "The request's own id. The same one is carried out once, even when the conversation has ended in between; with another body it is refused (`key-reused`). Kept for 30 days.",
        )],
        body: Body::HandOff,
        reply: Reply::HandedOver,
        about: "Human agents have it.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "GET",
        path: "/v1/connections/{connection}/handoffs/{handoff}",
        id: "handoff",
        tag: "handoffs",
        summary: "Shows a handoff",
        description: "Kept for 30 days after its end.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Handoff,
        about: "How it stands.",
        problems: TOKEN_IN_PATH,
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/handoffs/{handoff}/messages",
        id: "relay",
        tag: "handoffs",
        summary: "Passes a message of the end user on",
        description: "While `owner` is `human-agent`. The same message id goes over once. At most 2 MiB of text.",
        is_open: false,
        headers: &[],
        body: Body::Relay,
        reply: Reply::Relayed,
        about: "Human agents see it.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/handoffs/{handoff}/undelivered",
        id: "undelivered",
        tag: "handoffs",
        summary: "Tells the human agents that a message of theirs could not be shown",
        description: "One note is written for each message, however often this is called.",
        is_open: false,
        headers: &[],
        body: Body::Undelivered,
        reply: Reply::Relayed,
        about: "The human agents know.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/handoffs/{handoff}/rating",
        id: "rate",
        tag: "handoffs",
        summary: "Passes on how the end user rates the human part",
        description: "After the human part has ended. The same rating id is sent once; one whose outcome is not known is not sent \
                      again, and the repeat says so in a finding. Tickets take no rating.",
        is_open: false,
        headers: &[],
        body: Body::Rate,
        reply: Reply::Relayed,
        about: "Freshworks has it, or may have it.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/handoffs/{handoff}/close",
        id: "close",
        tag: "handoffs",
        summary: "Ends the human part",
        description: "Tells the human agents why, and resolves the conversation. Closing what is closed does nothing.",
        is_open: false,
        headers: &[],
        body: Body::Close,
        reply: Reply::Closed,
        about: "The AI agent answers from now on.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/handoffs/{handoff}/tick",
        id: "look",
        tag: "handoffs",
        summary: "Looks after one handoff now",
        description: "What `/v1/tick` does when its time has come: repairs what lost webhooks left behind, on both sides, and tries again \
                      what failed.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Handoff,
        about: "How it stands now.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/trials",
        id: "tryOut",
        tag: "handoffs",
        summary: "Tries a handoff out",
        description: "A real handoff, of which the platform learns nothing: its events wait to be fetched. Where the conversation was handed over \
                      otherwise, nothing changes about that.",
        is_open: false,
        headers: &[],
        body: Body::HandOff,
        reply: Reply::HandedOver,
        about: "Human agents have it.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/connections/{connection}/handoffs/{handoff}/events",
        id: "events",
        tag: "handoffs",
        summary: "Fetches events that wait",
        description: "Of trials, and of handoffs of a connection whose platform is `polling`. What is up to `after` is deleted; the rest comes again. At \
                      most 200 wait.",
        is_open: false,
        headers: &[],
        body: Body::Events,
        reply: Reply::Events,
        about: "What happened after that.",
        problems: &[400, 401, 403, 404, 413, 422, 429, 503],
    },
    Operation {
        method: "GET",
        path: "/v1/connections/{connection}/handoffs/{handoff}/timeline",
        id: "timeline",
        tag: "handoffs",
        summary: "Says what happened to a handoff",
        description: "States, events, choices, requests and failures; no word of anybody.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Timeline,
        about: "What happened.",
        problems: TOKEN_IN_PATH,
    },
    Operation {
        method: "GET",
        path: "/v1/connections/{connection}/photos/{photo}",
        id: "photo",
        tag: "handoffs",
        summary: "Shows the photo of a human agent",
        description: "As events that were fetched name it. Fetched from where Freshworks keeps it, if the app may reach that host.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Photo,
        about: "The photo.",
        problems: TOKEN_IN_PATH,
    },
    Operation {
        method: "GET",
        path: "/v1/tokens",
        id: "tokens",
        tag: "operation",
        summary: "Lists the tokens",
        description: "Those that are good, without their texts.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Tokens,
        about: "The tokens.",
        problems: &[401, 403, 429, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/tokens",
        id: "createToken",
        tag: "operation",
        summary: "Creates a token",
        description: "Its text is in the answer and nowhere else: the store keeps a digest.",
        is_open: false,
        headers: &[],
        body: Body::Token,
        reply: Reply::CreatedToken,
        about: "The token.",
        problems: &[400, 401, 403, 409, 413, 429, 503],
    },
    Operation {
        method: "DELETE",
        path: "/v1/tokens/{id}",
        id: "revokeToken",
        tag: "operation",
        summary: "Revokes a token",
        description: "It opens nothing any more, and the console's sessions that were begun with it have ended.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Empty,
        about: "It is revoked.",
        problems: TOKEN_IN_PATH,
    },
    Operation {
        method: "GET",
        path: "/v1/audit",
        id: "audit",
        tag: "operation",
        summary: "Says who changed what",
        description: "Changes of connections, tokens and keys, and who logged in. No secrets, and no word of end users. The last 1,000 are kept.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Audit,
        about: "The changes, newest first.",
        problems: &[401, 403, 429, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/rotate",
        id: "rotate",
        tag: "operation",
        summary: "Encrypts what is stored with the newest key",
        description: "After a change of `encryption_key`, with the key before it in `encryption_key_old`; also what was stored before there was a key. \
                      May be repeated: what is encrypted with the newest key stays as it is. Once nothing is `unreadable`, the old key is no longer needed.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Rotated,
        about: "What was written anew.",
        problems: &[401, 403, 409, 429, 503],
    },
    Operation {
        method: "POST",
        path: "/v1/tick",
        id: "tick",
        tag: "operation",
        summary: "Does everything that is due",
        description: "IncomingRequest it each minute: it repairs what lost webhooks left behind, ends what has waited for too long, tries again \
                      what failed, works off webhooks that wait, and forgets what is old. Accounts take turns; what fails is tried less and \
                      less often, and ends after a day at most. At most 200 handoffs, and none is begun after 12 seconds.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Tick,
        about: "What was done. What is left has its turn at the next call.",
        problems: &[401, 403, 413, 429, 503],
    },
    Operation {
        method: "GET",
        path: "/v1/people/{person}",
        id: "exportPerson",
        tag: "people",
        summary: "Shows everything that is held about an end user",
        description: "Handoffs with their timelines, events that wait to be fetched, and webhooks that wait to be worked off; of all \
                      connections (scope `admin`), or of one. What Freshworks holds is not among it. Handoffs that have gone by `keep_days` are not, \
                      either. Texts of people are: treat the answer accordingly.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Person,
        about: "What is held. Empty when nothing is.",
        problems: &[400, 401, 403, 404, 413, 429, 503],
    },
    Operation {
        method: "DELETE",
        path: "/v1/people/{person}",
        id: "erasePerson",
        tag: "people",
        summary: "Erases everything that is held about an end user",
        description: "Of all connections (scope `admin`), or of one. A handoff that human agents have is ended first, as by the platform, and the platform \
                      learns it; where it cannot be ended now, it stays, and the answer is an error. With `freshworks=true` the account of \
                      the connection then deletes the record of Freshchat that carries exactly this id, with its conversations, for good. \
                      Tickets and contacts of a ticket desk stay. May be repeated: what is gone counts as done, and after an error the \
                      repeat goes on.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Erased,
        about: "Nothing is held any more.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 424, 429, 502, 503],
    },
    Operation {
        method: "GET",
        path: "/metrics",
        id: "metrics",
        tag: "operation",
        summary: "Says what is counted, for a monitoring system",
        description: "In the OpenMetrics format 1.0.0, for all connections.",
        is_open: false,
        headers: &[],
        body: Body::None,
        reply: Reply::Metrics,
        about: "The counts.",
        problems: &[401, 403, 429, 503],
    },
    Operation {
        method: "POST",
        path: "/webhooks/freshchat/{connection}/{secret}",
        id: "freshworksWebhook",
        tag: "webhooks",
        summary: "Takes a webhook of Freshworks",
        description: "The exact bytes that were signed. Acknowledged when it is verified and stored, without waiting for the platform or Freshworks: what follows from it is \
                      done at once where that takes a second at most, and otherwise after the answer or by `/v1/tick`, once and in order.",
        is_open: true,
        headers: &[("X-Freshchat-Signature", "Signature of the body with the account's key.")],
        body: Body::Freshworks,
        reply: Reply::Empty,
        about: "Acknowledged.",
        problems: WEBHOOK,
    },
    Operation {
        method: "POST",
        path: "/webhooks/freshdesk/{connection}",
        id: "ticketWebhook",
        tag: "webhooks",
        summary: "Takes a webhook of the ticket desk",
        description: "From a rule of the admin's own, as connecting has answered it. It is not signed, so it only makes the next look at \
                      that ticket come now. Acknowledged when that look is done.",
        is_open: true,
        headers: &[("X-Webhook-Secret", "The secret that connecting has answered.")],
        body: Body::Ticket,
        reply: Reply::Empty,
        about: "Acknowledged.",
        problems: &[400, 401, 404, 413, 503],
    },
    Operation {
        method: "POST",
        path: "/webhooks/platform/{connection}/{secret}",
        id: "platformWebhook",
        tag: "webhooks",
        summary: "Takes a webhook of the platform",
        description: "The exact bytes that were signed: as Standard Webhooks 1.0 has it, or by Delight's own scheme. Acknowledged when \
                      it is carried out, or never will be.",
        is_open: true,
        headers: &[
            ("webhook-id", "The webhook's own id: the same one is carried out once."),
            ("webhook-timestamp", "Seconds since 1970; at most five minutes off."),
            ("webhook-signature", "`v1,` and the HMAC-SHA256 of id, time and body, as base64."),
            ("x-sendbird-signature", "Delight's signature of the body."),
        ],
        body: Body::Platform,
        reply: Reply::Empty,
        about: "Acknowledged.",
        problems: WEBHOOK,
    },
    Operation {
        method: "POST",
        path: "/webhooks/sendbird/{connection}/{secret}",
        id: "chatWebhook",
        tag: "webhooks",
        summary: "Takes a Chat webhook of the platform",
        description: "The exact bytes that were signed with the application's API token. Brings files of the end user.",
        is_open: true,
        headers: &[("x-sendbird-signature", "Signature of the body.")],
        body: Body::Chat,
        reply: Reply::Empty,
        about: "Acknowledged.",
        problems: WEBHOOK,
    },
];

pub(super) const PHOTO_EXAMPLE: &str = "00112233445566778899aabbccddeeff-0011223344556677";
/// Parameters of a query: name, what it is for, schema.
pub(super) fn query(operation: &Operation) -> Vec<(&'static str, &'static str, Value)> {
    let time = || json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX });
    let text = || json!({ "type": "string", "maxLength": 255 });
    match operation.id {
        "handoffs" => {
            let which = json!({ "type": "string", "enum": ["open", "ended"], "default": "open" });
            let find = "Only handoffs of the end user with this id, or that this leads to: a conversation, channel, ticket or \
                        handoff. Not together with `which`.";
            return vec![("which", "Those that are open, or those that have ended.", which), ("find", find, text())];
        }
        "deliveries" => {
            let result = json!({ "type": "string", "enum": crate::metrics::deliveries::RESULTS });
            return vec![
                ("result", "Only those with this result; `bad`: all that failed.", result),
                ("since", "Only those whose last try was then or later; milliseconds since 1970.", time()),
                ("until", "Only those whose last try was then or earlier.", time()),
                ("user", "Only those of the end user with this id.", text()),
                ("conversation", "Only those of handoffs that this leads to, as `find` of the handoffs.", text()),
            ];
        }
        "resendSince" => {
            return vec![(
                "since",
                "Only what was tried last then or later; left out: everything that is kept.",
                time(),
            )];
        }
        "connect" => {
            let about = "`anyway`: keep the settings whatever the check finds.";
            return vec![("save", about, json!({ "type": "string", "enum": ["anyway"] }))];
        }
        _ => {}
    }
    if !operation.path.starts_with("/v1/people/") {
        return Vec::new();
    }
    let id = json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" });
    let mut found =
        vec![("connection", "Only this connection; left out: all, for which the token needs the scope `admin`.", id)];
    if operation.method == "DELETE" {
        let about = "Delete the person's record in Freshchat, too. Needs `connection`.";
        found.push(("freshworks", about, json!({ "type": "boolean", "default": false })));
    }
    found
}

pub(super) const SECRET_EXAMPLE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

/// Links to operations that take these parameters.
pub(super) fn links(operations: &[&str], parameters: &Value) -> Value {
    let link = |id: &&str| ((*id).to_owned(), json!({ "operationId": id, "parameters": parameters }));
    Value::Object(operations.iter().map(link).collect())
}

pub(super) fn connect_example() -> Value {
    json!({
        "settings": { "chat_url": "acme.freshchat.com", "api_key": "eyJhbGciOi" },
        "platform": {
            "kind": "generic",
            "callback_url": "https://platform.example/events",
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        },
    })
}

pub(super) fn handoff_example() -> Value {
    json!({
        "key": { "application": "shop", "channel": "channel-7", "conversation": "1001" },
        "user": { "id": "user-42", "name": "Ana Silva", "email": "ana@example.com", "email_verified": true },
        "mode": "live",
        "reason": "user-asked",
        "summary": "Ana's parcel has not arrived.",
        "history": [message_example("m-1")],
    })
}

/// The id of the handoff of [`handoff_example`].
pub(super) fn handoff_id_example() -> String {
    let [application, channel, conversation] = ["shop", "channel-7", "1001"].map(str::to_owned);
    handoff_id(&ConversationKey { application, channel, conversation })
}

/// What an end user thinks of the human part.
pub(super) fn rating_example() -> Value {
    json!({ "id": "r-1", "score": 4, "comment": "Quick and friendly." })
}

pub(super) fn message_example(id: &str) -> Value {
    json!({
        "id": id,
        "sender": { "role": "end-user", "id": "user-42", "name": "Ana Silva" },
        "sent_at": 1_795_000_000_000_u64,
        "parts": [{ "kind": "text", "text": "Where is my parcel?" }],
    })
}

pub(super) fn webhook_example() -> Value {
    json!({
        "type": "message.created",
        "data": {
            "key": { "application": "shop", "channel": "channel-7", "conversation": "1001" },
            "message": message_example("m-3"),
        },
    })
}
