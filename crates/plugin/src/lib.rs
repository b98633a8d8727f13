//! EDGE: the exports of `wit/connector.wit`. Translates between the contract's records and the core's values, and nothing
//! else; the only file that sees generated bindings.

#![cfg(target_family = "wasm")]

use freshworks_handoff::conversation::session_text;
use freshworks_handoff::use_cases::{
    Receipt, Update, close, connect, describe, erase, handoff, rate, relay, tick, undelivered, webhook,
};
use freshworks_handoff::vocabulary;
use freshworks_handoff::wasi_http::WasiHttp;
use handoff_contract::error::{Details, Error, ErrorKind};
use handoff_contract::model;
use handoff_contract::model::SessionState;

// Generated code follows its generator's style, not ours.
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin" });
    export!(Component);
    use super::Component;
}

use bindings::exports::agent_handoff::connector::connector as wit;

struct Component;

fn answer<A, B: From<A>>(result: Result<A, Error>) -> Result<B, wit::CallError> {
    result.map(B::from).map_err(wit::CallError::from)
}

impl wit::Guest for Component {
    fn describe(settings: Option<wit::Settings>) -> Result<wit::Descriptor, wit::CallError> {
        let descriptor = describe::describe(settings.as_deref())?;
        Ok(wit::Descriptor {
            name: describe::NAME.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: describe::VENDOR.to_owned(),
            settings_schema: descriptor.settings_schema.to_owned(),
            capabilities: vocabulary::CAPABILITIES.map(|(word, _)| word.to_owned()).to_vec(),
            outbound: descriptor
                .outbound
                .into_iter()
                .map(|host| wit::OutboundHost {
                    origin: host.origin,
                    purpose: host.purpose.to_owned(),
                    credential: host.credential.map(str::to_owned),
                })
                .collect(),
            webhook_headers: describe::WEBHOOK_HEADERS.map(str::to_owned).to_vec(),
        })
    }

    fn connect(settings: wit::Settings) -> Result<wit::Connection, wit::CallError> {
        let connection = connect::connect(&WasiHttp, &settings)?;
        Ok(wit::Connection {
            connected: connection.connected,
            account: connection.account,
            findings: list(connection.findings),
            settings: connection.settings,
        })
    }

    fn preview(
        settings: wit::Settings,
        request: wit::HandoffRequest,
        now: wit::Timestamp,
    ) -> Result<wit::Plan, wit::CallError> {
        let plan = handoff::preview(&WasiHttp, &settings, &request.into(), now)?;
        Ok(wit::Plan {
            mode: plan.mode.into(),
            steps: list(plan.steps),
            findings: list(plan.findings),
            decisions: list(plan.decisions),
            texts: plan.texts,
            fields: plan.fields,
        })
    }

    fn handoff(
        settings: wit::Settings,
        request: wit::HandoffRequest,
        session: Option<wit::Session>,
        now: wit::Timestamp,
    ) -> Result<wit::Receipt, wit::CallError> {
        answer(handoff::handoff(&WasiHttp, &settings, &request.into(), session.map(bytes).as_deref(), now))
    }

    fn relay(
        settings: wit::Settings,
        session: wit::Session,
        message: wit::Message,
        retry: bool,
        now: wit::Timestamp,
    ) -> Result<wit::Update, wit::CallError> {
        answer(relay::relay(&WasiHttp, &settings, &bytes(session), &message.into(), retry, now))
    }

    fn close(
        settings: wit::Settings,
        session: wit::Session,
        reason: wit::CloseReason,
        retry: bool,
        now: wit::Timestamp,
    ) -> Result<wit::Update, wit::CallError> {
        answer(close::close(&WasiHttp, &settings, &bytes(session), reason.into(), retry, now))
    }

    fn undelivered(
        settings: wit::Settings,
        session: wit::Session,
        message_id: String,
        retry: bool,
        now: wit::Timestamp,
    ) -> Result<wit::Update, wit::CallError> {
        answer(undelivered::undelivered(&WasiHttp, &settings, &bytes(session), &message_id, retry, now))
    }

    fn rate(
        settings: wit::Settings,
        session: wit::Session,
        rating: wit::Rating,
        retry: bool,
    ) -> Result<wit::Update, wit::CallError> {
        answer(rate::rate(&WasiHttp, &settings, &bytes(session), &rating.into(), retry))
    }

    fn peek(body: String) -> Vec<String> {
        webhook::peek(body.as_bytes())
    }

    fn on_webhook(
        settings: wit::Settings,
        delivery: wit::Delivery,
        session: Option<wit::Session>,
    ) -> Result<wit::Update, wit::CallError> {
        let wit::Delivery { headers, body, received_at } = delivery;
        let delivery = model::Delivery { headers, body, received_at };
        answer(webhook::on_webhook(&WasiHttp, &settings, &delivery, session.map(bytes).as_deref()))
    }

    fn tick(
        settings: wit::Settings,
        session: wit::Session,
        now: wit::Timestamp,
    ) -> Result<wit::Update, wit::CallError> {
        answer(tick::tick(&WasiHttp, &settings, &bytes(session), now))
    }

    fn erase(settings: wit::Settings, user_id: String) -> Result<wit::Erasure, wit::CallError> {
        let erasure = erase::erase(&WasiHttp, &settings, &user_id)?;
        Ok(wit::Erasure { steps: list(erasure.steps), findings: list(erasure.findings) })
    }
}

/// A session as the core knows it. Text that no session has becomes no bytes, which the core refuses in its own words.
#[inline(never)]
fn bytes(session: wit::Session) -> Vec<u8> {
    session_text::decode(&session).unwrap_or_default()
}

/// A session as the contract knows it: text that JSON, URLs and logs leave as it is.
#[inline(never)]
fn text(session: Vec<u8>) -> wit::Session {
    session_text::encode(&session)
}

fn list<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(B::from).collect()
}

/// Enums whose cases bear the same names on both sides.
macro_rules! same_cases {
    ($from:path => $to:path: $($case:ident)+) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                match value {
                    $(<$from>::$case => Self::$case,)+
                }
            }
        }
    };
}

same_cases!(wit::SenderRole => model::SenderRole: EndUser AiAgent HumanAgent System);
same_cases!(model::SenderRole => wit::SenderRole: EndUser AiAgent HumanAgent System);
same_cases!(wit::PartKind => model::PartKind: Text Image File Video Audio Button Choices Unsupported);
same_cases!(model::PartKind => wit::PartKind: Text Image File Video Audio Button Choices Unsupported);
same_cases!(wit::Mode => model::Mode: Automatic Live Ticket);
same_cases!(model::Mode => wit::Mode: Automatic Live Ticket);
same_cases!(wit::Reason => model::Reason: UserButton UserAsked FlowStep ModelDecision Safety Api);
same_cases!(wit::Priority => model::Priority: Low Medium High Urgent);
same_cases!(wit::CloseReason => model::CloseReason: UserLeft UserCancelled PlatformClosed ReturnedToAi TimedOut);
same_cases!(model::FindingLevel => wit::FindingLevel: Ok Warning Failure);
same_cases!(model::Owner => wit::Owner: AiAgent HumanAgent);
same_cases!(SessionState => wit::SessionState: Requesting Queued Active Closing Returned Failed Ticketed);
same_cases!(model::Outcome => wit::Outcome: Resolved Abandoned NobodyAvailable TimedOut Failed Ticketed);
same_cases!(model::EventKind => wit::EventKind: AgentAssigned Transferred AgentMessage Resolved Reopened TicketReplied
    ReturnedToAi Ignored);
same_cases!(ErrorKind => wit::ErrorKind: InvalidSettings InvalidRequest Unauthorized NotFound Rejected RateLimited
    Unavailable OutcomeUnknown NeedsEmail InvalidSignature Malformed Unsupported Internal);

/// Records whose fields bear the same names on both sides.
macro_rules! same_fields {
    ($from:path => $to:path: $($field:ident)+ $(; $($list:ident)+)?) => {
        impl From<$from> for $to {
            // Once, not in each export.
            #[inline(never)]
            fn from(value: $from) -> Self {
                Self { $($field: value.$field.into(),)+ $($($list: list(value.$list),)+)? }
            }
        }
    };
}

same_fields!(wit::ConversationKey => model::ConversationKey: application channel conversation);
same_fields!(wit::EndUser => model::EndUser: id name email email_verified phone phone_verified locale avatar_url);
same_fields!(wit::Sender => model::Sender: role id name avatar_url);
same_fields!(model::Sender => wit::Sender: role id name avatar_url);
same_fields!(wit::Part => model::Part: kind text url name media_type bytes choices);
same_fields!(model::Part => wit::Part: kind text url name media_type bytes choices);
same_fields!(model::Finding => wit::Finding: check level code detail remedy);
same_fields!(model::ExternalCase => wit::ExternalCase: case_id kind);
same_fields!(wit::Message => model::Message: id sender sent_at; parts);
same_fields!(model::Message => wit::Message: id sender sent_at; parts);
same_fields!(model::Step => wit::Step: action target detail);
same_fields!(model::Decision => wit::Decision: subject rule choice);
same_fields!(wit::Rating => model::Rating: id score comment);
same_fields!(model::WaitEstimate => wit::WaitEstimate: average_wait_seconds waiting);
same_fields!(model::SessionInfo => wit::SessionInfo: state owner conversation_ids ticket_id next_tick_at);

impl From<Details> for wit::CallError {
    #[inline(never)]
    fn from(details: Details) -> Self {
        Self {
            line: details.line(),
            kind: details.kind.into(),
            field: details.field,
            message: details.message.into(),
            remedy: details.remedy.map(String::from),
            retry_after_ms: details.retry_after_ms,
            log: details.log,
            session: details.session.map(text),
        }
    }
}

impl From<Error> for wit::CallError {
    fn from(error: Error) -> Self {
        error.into_details().into()
    }
}

impl From<wit::Routing> for model::Routing {
    fn from(routing: wit::Routing) -> Self {
        let wit::Routing { topic, group, agent, priority, skill } = routing;
        Self { topic, group, agent, priority: priority.map(model::Priority::from), skill }
    }
}

impl From<wit::HandoffRequest> for model::HandoffRequest {
    #[inline(never)]
    fn from(request: wit::HandoffRequest) -> Self {
        Self {
            key: request.key.into(),
            user: request.user.into(),
            mode: request.mode.into(),
            reason: request.reason.into(),
            reason_text: request.reason_text,
            category: request.category,
            summary: request.summary,
            history: request.history.map(list),
            context: request.context,
            routing: request.routing.map(model::Routing::from),
            retry: request.retry,
        }
    }
}

impl From<Receipt> for wit::Receipt {
    #[inline(never)]
    fn from(receipt: Receipt) -> Self {
        Self {
            external_case: receipt.external_case.into(),
            agent_url: receipt.agent_url,
            steps: list(receipt.steps),
            findings: list(receipt.findings),
            decisions: list(receipt.decisions),
            estimate: receipt.estimate.map(wit::WaitEstimate::from),
            session: text(receipt.session),
            info: receipt.info.into(),
        }
    }
}

impl From<Update> for wit::Update {
    #[inline(never)]
    fn from(update: Update) -> Self {
        Self {
            events: list(update.events),
            session: update.session.map(text),
            info: update.info.map(wit::SessionInfo::from),
            findings: list(update.findings),
            decisions: list(update.decisions),
        }
    }
}

impl From<model::Event> for wit::Event {
    #[inline(never)]
    fn from(event: model::Event) -> Self {
        Self {
            id: event.id,
            kind: event.kind.into(),
            at: event.at,
            conversation_id: event.conversation_id,
            agent: event.agent.map(wit::Sender::from),
            message: event.message.map(wit::Message::from),
            outcome: event.outcome.map(wit::Outcome::from),
            summary: event.summary,
            detail: event.detail,
        }
    }
}
