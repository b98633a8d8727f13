//! Every operation of the API, each declared once: method and path, who may call it, what carries it out, and its description. The
//! router, the access check, the OpenAPI document and the tests read this table.

use crate::access::Access;
use crate::connections::recognise;
#[cfg(all(feature = "schema", not(target_family = "wasm")))]
use crate::http::openapi::described::*;
use crate::http::problem::Problem;
use crate::http::{Call, OutgoingResponse};
use crate::platform::WebhookEndpoint;
use crate::service::{CloseBody, EventsBody, Service, UndeliveredBody};

/// Made from this table by `cargo xtask tables`.
const OPENAPI: &[u8] = include_bytes!("openapi.json");

/// Carries an operation out.
type Handler = fn(&Service<'_>, &Call<'_>) -> Result<OutgoingResponse, Problem>;

/// An operation of the API.
pub struct Operation {
    /// Upper case.
    pub method: &'static str,
    /// The path, with at most two names in braces.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    pub(crate) handler: Handler,
    /// What the OpenAPI document says, which the component carries as text.
    #[cfg(all(feature = "schema", not(target_family = "wasm")))]
    pub(crate) described: Described,
}

macro_rules! operations {
    ($($(#[$if:meta])* $method:literal $path:literal $access:ident $handler:expr, { $($described:tt)* })*) => {
        /// See the module.
        pub static OPERATIONS: &[Operation] = &[$(
            $(#[$if])*
            Operation {
                method: $method,
                path: $path,
                access: Access::$access,
                handler: $handler,
                #[cfg(all(feature = "schema", not(target_family = "wasm")))]
                described: Described { $($described)* },
            },
        )*];
    };
}

operations! {
    "GET" "/v1/health" Open
        |service, _| service.health(),
    {
        id: "health",
        tag: "operation",
        summary: "Says that the app runs and its store answers",
        description: "Needs no token.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<HealthResponse>, links: &[] },
        about: "It runs.",
        problems: &[503],
    }

    "GET" "/v1/openapi.json" Open
        |_, _| Ok(OutgoingResponse::bytes("application/json", OPENAPI)),
    {
        id: "openapi",
        tag: "operation",
        summary: "This document",
        description: "Needs no token.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: |_| json!({ "type": "object", "required": ["openapi"] }), links: &[] },
        about: "This document.",
        problems: &[],
    }

    "GET" "/v1/connections" Token
        |service, call| service.list_connections(&call.caller),
    {
        id: "connections",
        tag: "connections",
        summary: "Lists the connections",
        description: "Shows how each stands.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<ConnectionsResponse>, links: &[] },
        about: "All connections.",
        problems: &[401, 403, 429, 503],
    }

    "GET" "/v1/connections/{connection}" Connection
        |service, call| service.shown(&call.connection(service)?),
    {
        id: "connection",
        tag: "connections",
        summary: "Shows a connection",
        description: "How it stands, with what the last check found.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<CheckedConnectionResponse>, links: &CHECKED_LINKS },
        about: "The connection.",
        problems: TOKEN_IN_PATH,
    }

    "PUT" "/v1/connections/{connection}" Connection
        |service, call| service.connect(call.first(), &call.caller, call.request),
    {
        id: "connect",
        tag: "connections",
        summary: "Checks an account and keeps its settings",
        description: "Makes every check, then keeps the settings. Where they would break a connection that works, nothing is kept and the \
                      answer is 409 (`would-break`); with `save=anyway` they are. A failure of the ticket desk or of an optional name \
                      concerns its own part: handoffs are taken all the same. A connection that exists keeps its webhooks' addresses.",
        headers: &[],
        query: &[("save", "`anyway`: keep the settings whatever the check finds.", anyway)],
        body: body::<ConnectBody>(connect_example),
        reply: Reply::Json { schema: of::<CheckedConnectionResponse>, links: &CHECKED_LINKS },
        about: "The settings are kept. `status` says whether handoffs will work, the findings what to do otherwise.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 429, 503],
    }

    "DELETE" "/v1/connections/{connection}" Connection
        |service, call| service.disconnect(&call.connection(service)?, &call.caller),
    {
        id: "disconnect",
        tag: "connections",
        summary: "Forgets a connection",
        description: "With its settings, and everything about its handoffs. Conversations that are open in Freshworks stay open there.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Empty,
        about: "It is forgotten.",
        problems: TOKEN_IN_PATH,
    }

    "POST" "/v1/connections/{connection}/check" Connection
        |service, call| service.check(&call.connection(service)?, call.request.now),
    {
        id: "check",
        tag: "connections",
        summary: "Checks a connection anew",
        description: "Makes every check with the settings that are stored, and keeps what comes out. Where the account cannot be reached, the \
                      verdict of before stands, `status.unreachable_since` says so, and `/v1/tick` checks again.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<CheckedConnectionResponse>, links: &CHECKED_LINKS },
        about: "What was found.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 429, 503],
    }

    "POST" "/v1/connections/{connection}/choices" Connection
        |service, call| service.choices(call.first(), call.request),
    {
        id: "choices",
        tag: "connections",
        summary: "Lists what settings may name",
        description: "Topics, groups, human agents, properties and groups of the ticket desk, for a form that offers them. Takes the body of \
                      `connect`, so that a key can be used before it is stored: a new connection needs no other call first. Stores nothing.",
        headers: &[],
        query: &[],
        body: body::<ConnectBody>(connect_example),
        reply: Reply::Json { schema: of::<ChoicesResponse>, links: &[] },
        about: "The names in the account.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    }

    "POST" "/v1/connections/{connection}/restore" Connection
        |service, call| service.restore(&call.connection(service)?, &call.caller, call.request.now),
    {
        id: "restore",
        tag: "connections",
        summary: "Brings back the settings that last connected",
        description: "Those before the ones that are stored, with their secrets and the platform's side. They are checked and kept whatever \
                      comes out; an outage says nothing against them.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<CheckedConnectionResponse>, links: &CHECKED_LINKS },
        about: "The settings are back.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 429, 503],
    }

    "POST" "/v1/connections/{connection}/webhook-secret" Connection
        |service, call| service.change_webhooks(&call.connection(service)?, &call.caller, call.request),
    {
        id: "changeWebhooks",
        tag: "connections",
        summary: "Changes the addresses of webhooks",
        description: "Makes every check anew. The addresses so far are good for `overlap_hours` more: paste the new ones meanwhile, and nothing is lost. \
                      Delight's own webhook moves along where the bridge may set it up.",
        headers: &[],
        query: &[],
        body: body::<ChangeWebhooksBody>(|| json!({ "overlap_hours": 72 })),
        reply: Reply::Json { schema: of::<CheckedConnectionResponse>, links: &CHECKED_LINKS },
        about: "The new addresses, and what was found.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 429, 503],
    }

    "GET" "/v1/connections/{connection}/settings" Connection
        |service, call| service.settings(&call.connection(service)?),
    {
        id: "settings",
        tag: "connections",
        summary: "Shows the settings of a connection",
        description: "Without secrets: only which of them are set.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<SettingsResponse>, links: &[] },
        about: "What a form shows.",
        problems: TOKEN_IN_PATH,
    }

    "GET" "/v1/connections/{connection}/activity" Connection
        |service, call| service.activity(&call.connection(service)?),
    {
        id: "activity",
        tag: "connections",
        summary: "Says what a connection has done",
        description: "Whether webhooks of Freshworks arrive and can be believed, what failed and why, and how long it took.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<ActivityResponse>, links: &[] },
        about: "Numbers since the connection was made.",
        problems: TOKEN_IN_PATH,
    }

    "GET" "/v1/connections/{connection}/deliveries" Connection
        |service, call| service.list_deliveries(&call.connection(service)?, call.request),
    {
        id: "deliveries",
        tag: "watching",
        summary: "Lists deliveries one by one",
        description: "Webhooks that came, and news that went to the platform: when, what became of them, and why. Of the last seven days, at \
                      most 500 that succeeded and 500 that failed. No texts. Parameters narrow it down.",
        headers: &[],
        query: &[
            ("result", "Only those with this result; `bad`: all that failed.", result),
            ("since", "Only those whose last try was then or later; milliseconds since 1970.", time),
            ("until", "Only those whose last try was then or earlier.", time),
            ("user", "Only those of the end user with this id.", any_text),
            ("conversation", "Only those of handoffs that this leads to, as `find` of the handoffs.", any_text),
        ],
        body: None,
        reply: Reply::Json { schema: of::<DeliveriesResponse>, links: &[] },
        about: "The deliveries, and what failed by cause.",
        problems: &[400, 401, 403, 404, 429, 503],
    }

    "POST" "/v1/connections/{connection}/deliveries/{delivery}/resend" Connection
        |service, call| service.resend(&call.connection(service)?, call.second()),
    {
        id: "resend",
        tag: "watching",
        summary: "Sends one delivery again",
        description: "With the ids that it had, so that it takes effect once. News goes to the platform; a webhook of Freshworks is worked off \
                      from where it is kept; both in the order of their conversation.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<ResentResponse>, links: &[] },
        about: "What became of it.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    }

    "POST" "/v1/connections/{connection}/resend" Connection
        |service, call| service.resend_since(&call.connection(service)?, call.request.query),
    {
        id: "resendSince",
        tag: "watching",
        summary: "Sends everything again that failed since then",
        description: "As for one delivery. None is begun after 12 seconds: repeat it while something is left.",
        headers: &[],
        query: &[("since", "Only what was tried last then or later; left out: everything that is kept.", time)],
        body: None,
        reply: Reply::Json { schema: of::<ResentResponse>, links: &[] },
        about: "What became of them.",
        problems: &[400, 401, 403, 404, 413, 429, 503],
    }

    "GET" "/v1/connections/{connection}/trends" Connection
        |service, call| service.trends(&call.connection(service)?),
    {
        id: "trends",
        tag: "watching",
        summary: "Shows handoffs, waiting time and failures over time",
        description: "By hours of the last day and by days of the last 30. The numbers are close, not exact.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<TrendsResponse>, links: &[] },
        about: "Hours and days.",
        problems: TOKEN_IN_PATH,
    }

    "POST" "/v1/webhook-key" Token
        |_, call| Ok(OutgoingResponse::ok(recognise(&call.body("webhook_key")?))),
    {
        id: "webhookKey",
        tag: "connections",
        summary: "Says what a pasted public key is",
        description: "Line breaks and labels do not matter. Stores nothing.",
        headers: &[],
        query: &[],
        body: body::<WebhookKeyBody>(|| json!({ "key": "MIIBIjANBgkqh" })),
        reply: Reply::Json { schema: of::<WebhookKeyResponse>, links: &[] },
        about: "What it is.",
        problems: &[400, 401, 403, 413, 429, 503],
    }

    "POST" "/v1/connections/{connection}/preview" Connection
        |service, call| service.preview(&call.connected(service)?, &call.body("request")?),
    {
        id: "preview",
        tag: "handoffs",
        summary: "Says what a handoff would do",
        description: "Creates nothing and stores nothing; reads from Freshworks.",
        headers: &[],
        query: &[],
        body: body::<HandoffRequest>(handoff_example),
        reply: Reply::Json { schema: of::<Plan>, links: &[] },
        about: "What would be done, what human agents would read, and why.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 424, 429, 502, 503],
    }

    "GET" "/v1/connections/{connection}/handoffs" Connection
        |service, call| service.list_handoffs(&call.connection(service)?, call.request.query),
    {
        id: "handoffs",
        tag: "handoffs",
        summary: "Lists handoffs",
        description: "Without parameters those that human agents have. With `find`, those of an end user or a conversation: everything that \
                      is kept of the user; of the platform's conversations, the newest 200 open and 200 ended ones.",
        headers: &[],
        query: &[
            ("which", "Those that are open, or those that have ended.", which),
            (
                "find",
                "Only handoffs of the end user with this id, or that this leads to: a conversation, channel, ticket or handoff. \
                 Not together with `which`.",
                any_text,
            ),
        ],
        body: None,
        reply: Reply::Json { schema: of::<HandoffsResponse>, links: &HANDOFFS_LINKS },
        about: "The handoffs.",
        problems: &[400, 401, 403, 404, 429, 503],
    }

    "POST" "/v1/connections/{connection}/handoffs" Connection
        |service, call| service.hand_off_once(&call.connected(service)?, call.request),
    {
        id: "handOff",
        tag: "handoffs",
        summary: "Hands a conversation over",
        description: "Happens once for each key, as often as it is called, until the conversation has ended; then it begins anew. \
                      At most 10,000 messages, and 2 MiB of text. Ids are at most 255 bytes in UTF-8.",
        headers: &[(
            "Idempotency-Key",
            "The request's own id. The same one is carried out once, even when the conversation has ended in between; with another body it is refused (`key-reused`). Kept for 30 days.",
        )],
        query: &[],
        body: body::<HandoffRequest>(handoff_example),
        reply: Reply::Json { schema: of::<HandedOverResponse>, links: &HANDED_OVER_LINKS },
        about: "Human agents have it.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 424, 429, 502, 503],
    }

    "GET" "/v1/connections/{connection}/handoffs/{handoff}" Connection
        |service, call| service.show_handoff(&call.connection(service)?, call.second()),
    {
        id: "handoff",
        tag: "handoffs",
        summary: "Shows a handoff",
        description: "Kept for 30 days after its end.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<HandoffResponse>, links: &[] },
        about: "How it stands.",
        problems: TOKEN_IN_PATH,
    }

    "POST" "/v1/connections/{connection}/handoffs/{handoff}/messages" Connection
        |service, call| service.relay(&call.connection(service)?, call.second(), &call.body("message")?),
    {
        id: "relay",
        tag: "handoffs",
        summary: "Passes a message of the end user on",
        description: "While `owner` is `human-agent`. The same message id goes over once. At most 2 MiB of text.",
        headers: &[],
        query: &[],
        body: Some(Body { schema: relayed, example: || message_example("m-2") }),
        reply: Reply::Json { schema: of::<RelayedResponse>, links: &[] },
        about: "Human agents see it.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    }

    "POST" "/v1/connections/{connection}/handoffs/{handoff}/undelivered" Connection
        |service, call| {
            let (connection, body) = (call.connection(service)?, call.body::<UndeliveredBody>("undelivered")?);
            service.undelivered(&connection, call.second(), &body.message)
        },
    {
        id: "undelivered",
        tag: "handoffs",
        summary: "Tells the human agents that a message of theirs could not be shown",
        description: "One note is written for each message, however often this is called.",
        headers: &[],
        query: &[],
        body: body::<UndeliveredBody>(|| json!({ "message": "m-7" })),
        reply: Reply::Json { schema: of::<RelayedResponse>, links: &[] },
        about: "The human agents know.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    }

    "POST" "/v1/connections/{connection}/handoffs/{handoff}/rating" Connection
        |service, call| service.rate(&call.connection(service)?, call.second(), &call.body("rating")?),
    {
        id: "rate",
        tag: "handoffs",
        summary: "Passes on how the end user rates the human part",
        description: "After the human part has ended. The same rating id is sent once; one whose outcome is not known is not sent \
                      again, and the repeat says so in a finding. Tickets take no rating.",
        headers: &[],
        query: &[],
        body: body::<Rating>(rating_example),
        reply: Reply::Json { schema: of::<RelayedResponse>, links: &[] },
        about: "Freshworks has it, or may have it.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    }

    "POST" "/v1/connections/{connection}/handoffs/{handoff}/close" Connection
        |service, call| {
            let (connection, body) = (call.connection(service)?, call.body::<CloseBody>("close")?);
            service.close(&connection, call.second(), body.reason, None)
        },
    {
        id: "close",
        tag: "handoffs",
        summary: "Ends the human part",
        description: "Tells the human agents why, and resolves the conversation. Closing what is closed does nothing.",
        headers: &[],
        query: &[],
        body: body::<CloseBody>(|| json!({ "reason": "user-left" })),
        reply: Reply::Json { schema: of::<ClosedResponse>, links: &[] },
        about: "The AI agent answers from now on.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    }

    "POST" "/v1/connections/{connection}/handoffs/{handoff}/tick" Connection
        |service, call| service.look(&call.connection(service)?, call.second()),
    {
        id: "look",
        tag: "handoffs",
        summary: "Looks after one handoff now",
        description: "What `/v1/tick` does when its time has come: repairs what lost webhooks left behind, on both sides, and tries again \
                      what failed.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<HandoffResponse>, links: &[] },
        about: "How it stands now.",
        problems: &[400, 401, 403, 404, 413, 422, 424, 429, 502, 503],
    }

    "POST" "/v1/connections/{connection}/trials" Connection
        |service, call| service.try_out(&call.connected(service)?, call.body("request")?),
    {
        id: "tryOut",
        tag: "handoffs",
        summary: "Tries a handoff out",
        description: "A real handoff, of which the platform learns nothing: its events wait to be fetched. Where the conversation was handed over \
                      otherwise, nothing changes about that.",
        headers: &[],
        query: &[],
        body: body::<HandoffRequest>(handoff_example),
        reply: Reply::Json { schema: of::<HandedOverResponse>, links: &HANDED_OVER_LINKS },
        about: "Human agents have it.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 424, 429, 502, 503],
    }

    "POST" "/v1/connections/{connection}/handoffs/{handoff}/events" Connection
        |service, call| {
            let (connection, body) = (call.connection(service)?, call.body::<EventsBody>("events")?);
            service.events(&connection, call.second(), body.after)
        },
    {
        id: "events",
        tag: "handoffs",
        summary: "Fetches events that wait",
        description: "Of trials, and of handoffs of a connection whose platform is `polling`. What is up to `after` is deleted; the rest comes again. At \
                      most 200 wait.",
        headers: &[],
        query: &[],
        body: body::<EventsBody>(|| json!({ "after": 0 })),
        reply: Reply::Json { schema: of::<EventsResponse>, links: &[] },
        about: "What happened after that.",
        problems: &[400, 401, 403, 404, 413, 422, 429, 503],
    }

    "GET" "/v1/connections/{connection}/handoffs/{handoff}/timeline" Connection
        |service, call| service.timeline(&call.connection(service)?, call.second()),
    {
        id: "timeline",
        tag: "handoffs",
        summary: "Says what happened to a handoff",
        description: "States, events, choices, requests and failures; no word of anybody.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<TimelineResponse>, links: &[] },
        about: "What happened.",
        problems: TOKEN_IN_PATH,
    }

    "GET" "/v1/connections/{connection}/photos/{photo}" Connection
        |service, call| service.photo(&call.connection(service)?, call.second()),
    {
        id: "photo",
        tag: "handoffs",
        summary: "Shows the photo of a human agent",
        description: "As events that were fetched name it. Fetched from where Freshworks keeps it, if the app may reach that host.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Other(&["image/png", "image/jpeg", "image/webp", "image/gif"]),
        about: "The photo.",
        problems: TOKEN_IN_PATH,
    }

    "GET" "/v1/tokens" Admin
        |service, call| service.tokens(call.request.now),
    {
        id: "tokens",
        tag: "operation",
        summary: "Lists the tokens",
        description: "Those that are good, without their texts.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<TokensResponse>, links: &[] },
        about: "The tokens.",
        problems: &[401, 403, 429, 503],
    }

    "POST" "/v1/tokens" Admin
        |service, call| service.create_token(&call.caller, call.request),
    {
        id: "createToken",
        tag: "operation",
        summary: "Creates a token",
        description: "Its text is in the answer and nowhere else: the store keeps a digest.",
        headers: &[],
        query: &[],
        body: body::<TokenBody>(token_example),
        reply: Reply::Json { schema: of::<CreatedTokenResponse>, links: &[] },
        about: "The token.",
        problems: &[400, 401, 403, 409, 413, 429, 503],
    }

    "DELETE" "/v1/tokens/{id}" Admin
        |service, call| service.revoke_token(&call.caller, call.first(), call.request.now),
    {
        id: "revokeToken",
        tag: "operation",
        summary: "Revokes a token",
        description: "It opens nothing any more, and the console's sessions that were begun with it have ended.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Empty,
        about: "It is revoked.",
        problems: TOKEN_IN_PATH,
    }

    "GET" "/v1/audit" Admin
        |service, call| service.audit_log(call.request.now),
    {
        id: "audit",
        tag: "operation",
        summary: "Says who changed what",
        description: "Changes of connections, tokens and keys, and who logged in. No secrets, and no word of end users. The last 1,000 are kept.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<AuditResponse>, links: &[] },
        about: "The changes, newest first.",
        problems: &[401, 403, 429, 503],
    }

    "POST" "/v1/rotate" Admin
        |service, call| service.rotate(&call.caller),
    {
        id: "rotate",
        tag: "operation",
        summary: "Encrypts what is stored with the newest key",
        description: "After a change of `encryption_key`, with the key before it in `encryption_key_old`; also what was stored before there was a key. \
                      May be repeated: what is encrypted with the newest key stays as it is. Once nothing is `unreadable`, the old key is no longer needed.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<RotatedResponse>, links: &[] },
        about: "What was written anew.",
        problems: &[401, 403, 409, 429, 503],
    }

    "POST" "/v1/tick" Tick
        |service, _| service.tick(),
    {
        id: "tick",
        tag: "operation",
        summary: "Does everything that is due",
        description: "Call it each minute: it repairs what lost webhooks left behind, ends what has waited for too long, tries again \
                      what failed, works off webhooks that wait, and forgets what is old. Accounts take turns; what fails is tried less and \
                      less often, and ends after a day at most. At most 200 handoffs, and none is begun after 12 seconds.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: of::<TickResponse>, links: &[] },
        about: "What was done. What is left has its turn at the next call.",
        problems: &[401, 403, 413, 429, 503],
    }

    "GET" "/v1/people/{person}" Person
        |service, call| service.export_person(call.first(), call.request.query),
    {
        id: "exportPerson",
        tag: "people",
        summary: "Shows everything that is held about an end user",
        description: "Handoffs with their timelines, events that wait to be fetched, and webhooks that wait to be worked off; of all \
                      connections (scope `admin`), or of one. What Freshworks holds is not among it. Handoffs that have gone by `keep_days` are not, \
                      either. Texts of people are: treat the answer accordingly.",
        headers: &[],
        query: &[ONE_CONNECTION],
        body: None,
        reply: Reply::Json { schema: of::<PersonResponse>, links: &[] },
        about: "What is held. Empty when nothing is.",
        problems: &[400, 401, 403, 404, 413, 429, 503],
    }

    "DELETE" "/v1/people/{person}" Person
        |service, call| service.erase_person_for(&call.caller, call.first(), call.request.query),
    {
        id: "erasePerson",
        tag: "people",
        summary: "Erases everything that is held about an end user",
        description: "Of all connections (scope `admin`), or of one. A handoff that human agents have is ended first, as by the platform, and the platform \
                      learns it; where it cannot be ended now, it stays, and the answer is an error. With `freshworks=true` the account of \
                      the connection then deletes the record of Freshchat that carries exactly this id, with its conversations, for good. \
                      Tickets and contacts of a ticket desk stay. May be repeated: what is gone counts as done, and after an error the \
                      repeat goes on.",
        headers: &[],
        query: &[
            ONE_CONNECTION,
            ("freshworks", "Delete the person's record in Freshchat, too. Needs `connection`.", no_unless_said),
        ],
        body: None,
        reply: Reply::Json { schema: of::<ErasedResponse>, links: &[] },
        about: "Nothing is held any more.",
        problems: &[400, 401, 403, 404, 409, 413, 422, 424, 429, 502, 503],
    }

    "GET" "/metrics" Metrics
        |service, call| service.metrics(call.request),
    {
        id: "metrics",
        tag: "operation",
        summary: "Says what is counted, for a monitoring system",
        description: "In the OpenMetrics format 1.0.0, for all connections.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Other(&["application/openmetrics-text"]),
        about: "The counts.",
        problems: &[401, 403, 429, 503],
    }

    #[cfg(feature = "mcp")]
    "POST" "/mcp" Token
        |service, call| service.mcp(call),
    {
        id: "mcp",
        tag: "agents",
        summary: "Takes a message of the Model Context Protocol",
        description: "Streamable HTTP: one JSON-RPC request, answered as one JSON object. Revision 2026-07-28 with the extension \
                      `io.modelcontextprotocol/tasks`; 2025-11-25 and 2025-06-18 without sessions. The tools do what the operations on handoffs \
                      do, for the connection of the token. What goes wrong in a tool is in its result; what goes wrong with the message is an \
                      `error` of JSON-RPC, with 400, 403 or 404 where the protocol says so.",
        headers: &[
            ("MCP-Protocol-Version", "The revision, as in the message."),
            ("Mcp-Method", "The message's method; since 2026-07-28."),
            ("Mcp-Name", "The name of the tool or the id of the task; since 2026-07-28."),
        ],
        query: &[],
        body: Some(Body {
            schema: rpc_message,
            example: || json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }),
        }),
        reply: Reply::Message { refused: &[400, 403, 404] },
        about: "The answer.",
        problems: &[401, 413, 429, 503],
    }

    #[cfg(feature = "mcp")]
    "GET" "/.well-known/oauth-protected-resource/mcp" Open
        |service, _| service.mcp_metadata(),
    {
        id: "mcpMetadata",
        tag: "agents",
        summary: "Says what `/mcp` asks of its callers",
        description: "As RFC 9728 has it. Needs no token. There is no authorization server: an admin gives out tokens. 404 where the variable \
                      `public_url` is not set.",
        headers: &[],
        query: &[],
        body: None,
        reply: Reply::Json { schema: |_| json!({ "type": "object", "required": ["resource"] }), links: &[] },
        about: "The metadata.",
        problems: &[404],
    }

    "POST" "/webhooks/freshchat/{connection}/{secret}" PathSecret
        |service, call| service.freshchat_webhook(call.addressed()?, call.request),
    {
        id: "freshworksWebhook",
        tag: "webhooks",
        summary: "Takes a webhook of Freshworks",
        description: "The exact bytes that were signed. Acknowledged when it is verified and stored, without waiting for the platform or Freshworks: what follows from it is \
                      done at once where that takes a second at most, and otherwise after the answer or by `/v1/tick`, once and in order.",
        headers: &[("X-Freshchat-Signature", "Signature of the body with the account's key.")],
        query: &[],
        body: foreign_body(|| json!({ "action": "message_create", "data": {} })),
        reply: Reply::Empty,
        about: "Acknowledged.",
        problems: WEBHOOK,
    }

    "POST" "/webhooks/freshdesk/{connection}" HeaderSecret
        |service, call| service.ticket_webhook(call.addressed()?, call.request),
    {
        id: "ticketWebhook",
        tag: "webhooks",
        summary: "Takes a webhook of the ticket desk",
        description: "From a rule of the admin's own, as connecting has answered it. It is not signed, so it only makes the next look at \
                      that ticket come now. Acknowledged when that look is done.",
        headers: &[("X-Webhook-Secret", "The secret that connecting has answered.")],
        query: &[],
        body: foreign_body(|| json!({ "ticket_id": "17" })),
        reply: Reply::Empty,
        about: "Acknowledged.",
        problems: &[400, 401, 404, 413, 503],
    }

    "POST" "/webhooks/platform/{connection}/{secret}" PathSecret
        |service, call| service.platform_webhook(call.addressed()?, WebhookEndpoint::Platform, call.request),
    {
        id: "platformWebhook",
        tag: "webhooks",
        summary: "Takes a webhook of the platform",
        description: "The exact bytes that were signed: as Standard Webhooks 1.0 has it, or by Delight's own scheme. Acknowledged when \
                      it is carried out, or never will be.",
        headers: &[
            ("webhook-id", "The webhook's own id: the same one is carried out once."),
            ("webhook-timestamp", "Seconds since 1970; at most five minutes off."),
            ("webhook-signature", "`v1,` and the HMAC-SHA256 of id, time and body, as base64."),
            ("x-sendbird-signature", "Delight's signature of the body."),
        ],
        query: &[],
        body: Some(Body { schema: platform_webhook, example: webhook_example }),
        reply: Reply::Empty,
        about: "Acknowledged.",
        problems: WEBHOOK,
    }

    "POST" "/webhooks/sendbird/{connection}/{secret}" PathSecret
        |service, call| service.platform_webhook(call.addressed()?, WebhookEndpoint::Chat, call.request),
    {
        id: "chatWebhook",
        tag: "webhooks",
        summary: "Takes a Chat webhook of the platform",
        description: "The exact bytes that were signed with the application's API token. Brings files of the end user.",
        headers: &[("x-sendbird-signature", "Signature of the body.")],
        query: &[],
        body: foreign_body(|| json!({ "category": "group_channel:message_send" })),
        reply: Reply::Empty,
        about: "Acknowledged.",
        problems: WEBHOOK,
    }
}
