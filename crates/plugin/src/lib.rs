//! EDGE: the exports of `wit/connector.wit`. Renames between the contract's records and the core's nouns, and nothing
//! else; the only file that sees generated bindings.

#![cfg(target_family = "wasm")]

use freshworks_handoff::use_cases::{
    close, connect, describe, erase, handoff, rate, relay, tick, undelivered, webhook,
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

fn answer<A, B: From<A>>(result: Result<A, Error>) -> Result<B, wit::Error> {
    result.map(B::from).map_err(wit::Error::from)
}

impl wit::Guest for Component {
    fn describe(settings: Option<wit::Settings>) -> Result<wit::Descriptor, wit::Error> {
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

    fn connect(settings: wit::Settings) -> Result<wit::Connection, wit::Error> {
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
        _: wit::Timestamp,
    ) -> Result<wit::Plan, wit::Error> {
        let plan = handoff::preview(&WasiHttp, &settings, &request.into())?;
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
    ) -> Result<wit::Receipt, wit::Error> {
        answer(handoff::handoff(&WasiHttp, &settings, &request.into(), session.as_deref(), now))
    }

    fn relay(
        settings: wit::Settings,
        session: wit::Session,
        message: wit::Message,
        retry: bool,
        now: wit::Timestamp,
    ) -> Result<wit::Update, wit::Error> {
        answer(relay::relay(&WasiHttp, &settings, &session, &message.into(), retry, now))
    }

    fn close(
        settings: wit::Settings,
        session: wit::Session,
        reason: wit::CloseReason,
        retry: bool,
        now: wit::Timestamp,
    ) -> Result<wit::Update, wit::Error> {
        answer(close::close(&WasiHttp, &settings, &session, reason.into(), retry, now))
    }

    fn undelivered(
        settings: wit::Settings,
        session: wit::Session,
        message_id: String,
        retry: bool,
        now: wit::Timestamp,
    ) -> Result<wit::Update, wit::Error> {
        answer(undelivered::undelivered(&WasiHttp, &settings, &session, &message_id, retry, now))
    }

    fn rate(
        settings: wit::Settings,
        session: wit::Session,
        rating: wit::Rating,
        retry: bool,
    ) -> Result<wit::Update, wit::Error> {
        answer(rate::rate(&WasiHttp, &settings, &session, &rating.into(), retry))
    }

    fn peek(body: Vec<u8>) -> Vec<String> {
        webhook::peek(&body)
    }

    fn on_webhook(
        settings: wit::Settings,
        delivery: wit::Delivery,
        session: Option<wit::Session>,
    ) -> Result<wit::Update, wit::Error> {
        let delivery =
            model::Delivery { headers: delivery.headers, body: delivery.body, received_at: delivery.received_at };
        answer(webhook::on_webhook(&WasiHttp, &settings, &delivery, session.as_deref()))
    }

    fn tick(settings: wit::Settings, session: wit::Session, now: wit::Timestamp) -> Result<wit::Update, wit::Error> {
        answer(tick::tick(&WasiHttp, &settings, &session, now))
    }

    fn erase(settings: wit::Settings, user_id: String) -> Result<wit::Erasure, wit::Error> {
        let erasure = erase::erase(&WasiHttp, &settings, &user_id)?;
        Ok(wit::Erasure { steps: list(erasure.steps), findings: list(erasure.findings) })
    }
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
same_fields!(wit::Message => model::Message: id sender sent_at; parts);
same_fields!(model::Message => wit::Message: id sender sent_at; parts);
same_fields!(model::Step => wit::Step: action target detail);
same_fields!(model::Decision => wit::Decision: subject rule choice);
same_fields!(wit::Rating => model::Rating: id score comment);
same_fields!(model::WaitEstimate => wit::WaitEstimate: average_wait_seconds waiting);
same_fields!(model::SessionInfo => wit::SessionInfo: state owner conversation_ids ticket_id next_tick_at);

impl From<model::Finding> for wit::Finding {
    #[inline(never)]
    fn from(finding: model::Finding) -> Self {
        Self {
            check: finding.check.into(),
            level: finding.level.into(),
            code: finding.code.into(),
            detail: finding.detail.into(),
            remedy: finding.remedy.map(String::from),
        }
    }
}

impl From<Details> for wit::Error {
    #[inline(never)]
    fn from(details: Details) -> Self {
        Self {
            kind: details.kind.into(),
            field: details.field,
            message: details.message.into(),
            remedy: details.remedy.map(String::from),
            retry_after_ms: details.retry_after_ms,
            log: details.log,
            session: details.session,
        }
    }
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        error.into_details().into()
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
            history: list(request.history),
            context: request.context,
            routing: model::Routing {
                topic: request.routing.topic,
                group: request.routing.group,
                agent: request.routing.agent,
                priority: request.routing.priority.map(model::Priority::from),
                skill: request.routing.skill,
            },
            retry: request.retry,
        }
    }
}

impl From<model::Receipt> for wit::Receipt {
    #[inline(never)]
    fn from(receipt: model::Receipt) -> Self {
        Self {
            external_case: wit::ExternalCase { case_id: receipt.case_id, kind: describe::NAME.to_owned() },
            agent_url: receipt.agent_url,
            steps: list(receipt.steps),
            findings: list(receipt.findings),
            decisions: list(receipt.decisions),
            estimate: receipt.estimate.map(wit::WaitEstimate::from),
            session: receipt.session,
            info: receipt.info.into(),
        }
    }
}

impl From<model::Update> for wit::Update {
    #[inline(never)]
    fn from(update: model::Update) -> Self {
        Self {
            events: list(update.events),
            session: update.session,
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
