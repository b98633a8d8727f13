//! What the descriptions in the table of [operations](super::super::operations) are made of.

use handoff_contract::model::ConversationKey;
pub(crate) use handoff_contract::model::{HandoffRequest, Plan, Rating};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
pub(crate) use serde_json::json;

pub(crate) use crate::access::TokenBody;
pub(crate) use crate::access::people::{ErasedResponse, PersonResponse};
pub(crate) use crate::connections::{ChangeWebhooksBody, ConnectBody, WebhookKeyBody, WebhookKeyResponse};
use crate::handoffs::handoff_id;
pub(crate) use crate::http::responses::*;
pub(crate) use crate::metrics::activity::ActivityResponse;
pub(crate) use crate::metrics::deliveries::{DeliveriesResponse, ResentResponse, TrendsResponse};
use crate::platform::generic::Webhook;

/// What the document says about an operation.
pub(crate) struct Described {
    /// Names it for programs.
    pub(crate) id: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    /// Name, and what it is for.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) query: &'static [Parameter],
    pub(crate) body: Option<Body>,
    pub(crate) reply: Reply,
    /// What the reply is.
    pub(crate) about: &'static str,
    /// Statuses of the problems that can happen.
    pub(crate) problems: &'static [u16],
}

/// A parameter of a query: name, what it is for, schema.
pub(crate) type Parameter = (&'static str, &'static str, fn() -> Value);

/// What a request carries.
pub(crate) struct Body {
    pub(crate) schema: fn(&mut SchemaGenerator) -> Value,
    pub(crate) example: fn() -> Value,
}

/// What is answered when it was carried out.
pub(crate) enum Reply {
    Empty,
    Json {
        schema: fn(&mut SchemaGenerator) -> Value,
        links: &'static [Link],
    },
    /// Media types.
    Other(&'static [&'static str]),
    /// An answer of JSON-RPC, or none to a notification; refusals have these statuses, and are answers of JSON-RPC, too.
    Message {
        refused: &'static [u16],
    },
}

/// An operation that goes on from here, and its parameters.
pub(crate) type Link = (&'static str, &'static [(&'static str, &'static str)]);

pub(crate) const CHECKED_LINKS: [Link; 2] =
    [("connection", &[("connection", "$response.body#/id")]), ("handOff", &[("connection", "$response.body#/id")])];

const HANDED_OVER: &[(&str, &str)] = &[("connection", "$request.path.connection"), ("handoff", "$response.body#/id")];
pub(crate) const HANDED_OVER_LINKS: [Link; 3] =
    [("handoff", HANDED_OVER), ("relay", HANDED_OVER), ("close", HANDED_OVER)];
pub(crate) const HANDOFFS_LINKS: [Link; 1] =
    [("handoff", &[("connection", "$request.path.connection"), ("handoff", "$response.body#/handoffs/0/id")])];

pub(crate) fn of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

pub(crate) const fn body<T: JsonSchema>(example: fn() -> Value) -> Option<Body> {
    Some(Body { schema: of::<T>, example })
}

/// What others define.
pub(crate) const fn foreign_body(example: fn() -> Value) -> Option<Body> {
    Some(Body { schema: |_| json!({}), example })
}

pub(crate) fn platform_webhook(schemas: &mut SchemaGenerator) -> Value {
    let description = "What a Delight connection's webhook sends, and events of other types: they are ignored.";
    json!({ "anyOf": [of::<Webhook>(schemas), { "description": description }] })
}

/// A request or a notification of JSON-RPC.
pub(crate) fn rpc_message(_: &mut SchemaGenerator) -> Value {
    json!({
        "type": "object",
        "required": ["jsonrpc", "method"],
        "properties": {
            "jsonrpc": { "const": "2.0" },
            "id": { "type": ["string", "integer"] },
            "method": { "type": "string" },
            "params": { "type": "object" },
        },
    })
}

/// A message that may be relayed: the core asks more of it than of one in a history.
pub(crate) fn relayed(schemas: &mut SchemaGenerator) -> Value {
    json!({
        "allOf": [of::<handoff_contract::model::Message>(schemas)],
        "properties": {
            "id": { "minLength": 1, "maxLength": 255, "pattern": "\\S" },
            "sender": { "properties": { "role": { "const": "end-user" } } },
            "parts": { "minItems": 1 },
        },
    })
}

pub(crate) fn time() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX })
}

pub(crate) fn any_text() -> Value {
    json!({ "type": "string", "maxLength": 255 })
}

pub(crate) fn which() -> Value {
    json!({ "type": "string", "enum": ["open", "ended"], "default": "open" })
}

pub(crate) fn result() -> Value {
    json!({ "type": "string", "enum": crate::metrics::deliveries::RESULTS })
}

pub(crate) fn anyway() -> Value {
    json!({ "type": "string", "enum": ["anyway"] })
}

pub(crate) fn no_unless_said() -> Value {
    json!({ "type": "boolean", "default": false })
}

pub(crate) const ONE_CONNECTION: Parameter = (
    "connection",
    "Only this connection; left out: all, for which the token needs the scope `admin`.",
    || json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }),
);

pub(crate) fn token_example() -> Value {
    json!({ "name": "acme-platform", "scopes": ["connection:acme"], "expires_at": 1_893_456_000_000_u64 })
}

/// One status of problems.
pub(crate) struct Status {
    pub(crate) status: u16,
    /// Its name among the components.
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) kinds: &'static [&'static str],
}

pub(crate) const STATUSES: [Status; 12] = [
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

pub(crate) const TOKEN_IN_PATH: &[u16] = &[401, 403, 404, 429, 503];
/// What names a token in paths.
pub(crate) const TOKEN_EXAMPLE: &str = "0123456789abcdef";
pub(crate) const WEBHOOK: &[u16] = &[400, 401, 404, 413, 422, 424, 502, 503];

pub(crate) const PHOTO_EXAMPLE: &str = "00112233445566778899aabbccddeeff-0011223344556677";
pub(crate) const SECRET_EXAMPLE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

pub(crate) fn connect_example() -> Value {
    json!({
        "settings": { "chat_url": "acme.freshchat.com", "api_key": "eyJhbGciOi" },
        "platform": {
            "kind": "generic",
            "callback_url": "https://platform.example/events",
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        },
    })
}

pub(crate) fn handoff_example() -> Value {
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
pub(crate) fn handoff_id_example() -> String {
    let [application, channel, conversation] = ["shop", "channel-7", "1001"].map(str::to_owned);
    handoff_id(&ConversationKey { application, channel, conversation })
}

/// What an end user thinks of the human part.
pub(crate) fn rating_example() -> Value {
    json!({ "id": "r-1", "score": 4, "comment": "Quick and friendly." })
}

pub(crate) fn message_example(id: &str) -> Value {
    json!({
        "id": id,
        "sender": { "role": "end-user", "id": "user-42", "name": "Ana Silva" },
        "sent_at": 1_795_000_000_000_u64,
        "parts": [{ "kind": "text", "text": "Where is my parcel?" }],
    })
}

pub(crate) fn webhook_example() -> Value {
    json!({
        "type": "message.created",
        "data": {
            "key": { "application": "shop", "channel": "channel-7", "conversation": "1001" },
            "message": message_example("m-3"),
        },
    })
}
