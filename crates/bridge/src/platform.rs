//! The platform's side: what it sends, and what it is told. One adapter for each kind of platform.

use freshworks_handoff::http::Http;
use handoff_contract::model::{
    CloseReason, ConversationKey, Event, Finding, HandoffRequest, Message, Rating, SessionInfo, Timestamp, WaitEstimate,
};
use serde::{Deserialize, Serialize};

use crate::http::IncomingRequest;
use crate::http::problem::Problem;
use crate::state::{Connection, Handoff};

pub mod delight;
pub mod files;
pub mod generic;
pub mod polling;
pub mod standard_webhooks;
pub mod web_url;

pub use delight::Delight;
use files::FileAccess;
pub use generic::Generic;
pub use polling::Polling;

/// Which platform, and how it is reached: `kind` says which of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PlatformSettings {
    /// Any platform: it calls the API or sends signed webhooks, and gets events at a callback.
    Generic(Generic),
    /// Delight AI agent, formerly Sendbird AI agent.
    Delight(Box<Delight>),
    /// Any platform that takes no callback: it calls the API, and fetches events.
    Polling(Polling),
}

static POLLING: PlatformSettings = PlatformSettings::Polling(Polling {});

impl PlatformSettings {
    /// Who is told about this handoff: of trials, whoever tries.
    pub fn of(&self, handoff: &Handoff) -> &Self {
        if handoff.event_queue.as_ref().is_some_and(|event_queue| event_queue.is_trial) { &POLLING } else { self }
    }

    /// How the platform's own files are fetched; none where they need nothing but their address.
    pub(crate) fn file_access(&self) -> Option<FileAccess<'_>> {
        match self {
            Self::Delight(delight) => Some(delight.file_access()),
            Self::Generic(_) | Self::Polling(_) => None,
        }
    }

    /// When a webhook of the platform was sent, as far as nothing but its body says so: Standard Webhooks have their own time.
    pub(crate) fn sent_at(&self, body: &[u8]) -> Option<Timestamp> {
        match self {
            Self::Delight(_) => delight::sent_at(body),
            Self::Generic(_) | Self::Polling(_) => None,
        }
    }

    /// The names of its secrets.
    pub fn secrets(&self) -> &'static [&'static str] {
        match self {
            Self::Generic(_) => &["secret"],
            Self::Delight(_) => &["api_token", "signature_secret"],
            Self::Polling(_) => &[],
        }
    }
}

/// Which of a connection's webhooks was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookEndpoint {
    /// `/webhooks/platform/...`.
    Platform,
    /// `/webhooks/sendbird/...`: the Chat webhook, which is signed with another key than Delight's own.
    Chat,
}

/// What a platform's webhook asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Inbound {
    /// Nothing.
    Nothing,
    /// Nothing, because it is about something that is not of this connection: a word for the counts, none of the webhook's own.
    Foreign(&'static str),
    /// A person is needed.
    HandOff {
        /// The webhook's own id: the same one is carried out once.
        id: String,
        /// Which conversation.
        key: ConversationKey,
        /// What to hand over.
        asked: Asked,
    },
    /// The end user wrote.
    Message {
        /// In which conversation.
        place: Place,
        /// What.
        message: Message,
    },
    /// The platform has redacted what was said in the conversation.
    Redacted {
        /// Which conversation.
        key: ConversationKey,
    },
    /// The platform has ended the conversation.
    Closed {
        /// The webhook's own id.
        id: String,
        /// Which conversation.
        key: ConversationKey,
        /// Why.
        reason: CloseReason,
        /// How the end user has rated the human part, where the webhook says so.
        rating: Option<Rating>,
    },
    /// The end user has rated the human part.
    Rated {
        /// Of which conversation.
        key: ConversationKey,
        /// How.
        rating: Rating,
    },
}

/// What is to be handed over.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Everything is there.
    Complete(Box<HandoffRequest>),
    /// The same, and the platform is to learn nothing of it: events wait to be fetched.
    Trial(Box<HandoffRequest>),
    /// The adapter has to fetch the rest; this is what it needs for that, as text that can be stored.
    Event(String),
}

impl Asked {
    /// The platform's id of the end user, as far as it is known before anything is fetched.
    pub(crate) fn user(&self) -> Option<String> {
        match self {
            Self::Complete(request) | Self::Trial(request) => Some(request.user.id.clone()),
            Self::Event(text) => {
                serde_json::from_str::<serde_json::Value>(text).ok()?.get("user")?.as_str().map(str::to_owned)
            }
        }
    }

    /// For platforms that send whole requests.
    fn as_it_came(&self) -> Result<Prepared, DeliveryError> {
        match self {
            Self::Complete(request) | Self::Trial(request) => {
                Ok(Prepared { request: (**request).clone(), user: request.user.id.clone(), carried_until: 0 })
            }
            Self::Event(_) => Err(DeliveryError::Permanent("this platform sends whole requests".to_owned())),
        }
    }
}

/// Where a message was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this conversation.
    Conversation(ConversationKey),
    /// In the newest conversation of this channel.
    Channel(String),
}

/// A request, with what the adapter wants to remember.
pub struct Prepared {
    /// What the core gets.
    pub request: HandoffRequest,
    /// The platform's id of the end user.
    pub user: String,
    /// Messages up to here are in the request. 0: the platform itself sends what is to be relayed.
    pub carried_until: Timestamp,
}

/// Why something could not be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryError {
    /// It may work later: whoever brought the news has to bring it again.
    Retryable(String),
    /// It will never work.
    Permanent(String),
}

impl DeliveryError {
    /// For the operator's log.
    pub fn text(&self) -> &str {
        match self {
            Self::Retryable(text) | Self::Permanent(text) => text,
        }
    }
}

/// What happened, for one handoff.
pub struct News<'a> {
    /// In order; none is `ignored`.
    pub events: &'a [Event],
    /// How the session stands now.
    pub info: Option<&'a SessionInfo>,
    /// The platform has asked for it itself.
    pub asked: bool,
    /// When.
    pub now: Timestamp,
}

/// What the bridge needs of a platform.
pub trait Platform {
    /// Whether the settings have the right form. Pure.
    fn check(&self) -> Result<(), Problem>;

    /// Completes settings that were [checked](Platform::check) by what the platform says, and sets up there what the bridge may.
    /// `webhooks`: where this connection takes webhooks.
    fn connect(&mut self, http: &dyn Http, webhooks: &Webhooks) -> Vec<Finding>;

    /// Verifies a webhook and says what it asks for. Pure; whatever is wrong with the signature, the problem is the same.
    fn read(&self, endpoint: WebhookEndpoint, call: &IncomingRequest<'_>) -> Result<Inbound, Problem>;

    /// Completes a request.
    fn prepare(&self, http: &dyn Http, asked: &Asked) -> Result<Prepared, DeliveryError>;

    /// Tells what happened, as often as it is called with the same news: nobody sees it twice.
    fn tell(
        &self,
        http: &dyn Http,
        connection: &Connection,
        handoff: &mut Handoff,
        news: &News<'_>,
    ) -> Result<(), DeliveryError>;

    /// Tells the end user of a handoff that the platform has asked for by webhook how long others wait. `case` tells one handoff of a
    /// conversation from the next. Platforms that are told by events learn nothing: there is no event for it.
    fn tell_estimate(
        &self,
        _http: &dyn Http,
        _handoff: &Handoff,
        _case: &str,
        _estimate: &WaitEstimate,
    ) -> Result<(), DeliveryError> {
        Ok(())
    }

    /// Says that human agents have it now, as often as it is called: nobody sees it twice. `case`: what the handoff has made.
    /// `is_nobody_there`: it waits until somebody comes.
    fn handed_over(
        &self,
        _http: &dyn Http,
        _handoff: &Handoff,
        _case: &str,
        _is_nobody_there: bool,
    ) -> Result<(), DeliveryError> {
        Ok(())
    }

    /// Says that a handoff which the platform has asked for by webhook will not come about.
    fn give_up(
        &self,
        http: &dyn Http,
        connection: &Connection,
        handoff: &Handoff,
        now: Timestamp,
    ) -> Result<(), DeliveryError>;

    /// Tells anew what was refused for good, with the same id.
    fn tell_again(
        &self,
        _http: &dyn Http,
        _handoff: &Handoff,
        _events: &[serde_json::Value],
        _now: Timestamp,
    ) -> Result<(), DeliveryError> {
        Err(DeliveryError::Permanent("this platform refuses nothing for good".to_owned()))
    }

    /// What the end user wrote after the handoff, oldest first, as far as the platform can be asked.
    fn written(&self, http: &dyn Http, handoff: &Handoff) -> Result<Vec<Message>, DeliveryError>;
}

/// Where a connection takes webhooks.
pub struct Webhooks {
    /// For Freshworks, the platform and the Chat webhook. Complete URLs where the operator has said under which address the
    /// app is reached, otherwise paths.
    pub freshchat: String,
    /// See `freshchat`.
    pub platform: String,
    /// See `freshchat`.
    pub chat: String,
    /// They are URLs.
    pub are_urls: bool,
}

macro_rules! forward {
    ($self:ident, $it:ident => $call:expr) => {
        match $self {
            Self::Generic($it) => $call,
            Self::Delight($it) => $call,
            Self::Polling($it) => $call,
        }
    };
}

impl Platform for PlatformSettings {
    fn check(&self) -> Result<(), Problem> {
        forward!(self, it => it.check())
    }

    fn connect(&mut self, http: &dyn Http, webhooks: &Webhooks) -> Vec<Finding> {
        forward!(self, it => it.connect(http, webhooks))
    }

    fn read(&self, endpoint: WebhookEndpoint, call: &IncomingRequest<'_>) -> Result<Inbound, Problem> {
        forward!(self, it => it.read(endpoint, call))
    }

    fn prepare(&self, http: &dyn Http, asked: &Asked) -> Result<Prepared, DeliveryError> {
        forward!(self, it => it.prepare(http, asked))
    }

    fn tell(
        &self,
        http: &dyn Http,
        connection: &Connection,
        handoff: &mut Handoff,
        news: &News<'_>,
    ) -> Result<(), DeliveryError> {
        forward!(self, it => it.tell(http, connection, handoff, news))
    }

    fn tell_estimate(
        &self,
        http: &dyn Http,
        handoff: &Handoff,
        case: &str,
        estimate: &WaitEstimate,
    ) -> Result<(), DeliveryError> {
        forward!(self, it => it.tell_estimate(http, handoff, case, estimate))
    }

    fn handed_over(
        &self,
        http: &dyn Http,
        handoff: &Handoff,
        case: &str,
        is_nobody_there: bool,
    ) -> Result<(), DeliveryError> {
        forward!(self, it => it.handed_over(http, handoff, case, is_nobody_there))
    }

    fn give_up(
        &self,
        http: &dyn Http,
        connection: &Connection,
        handoff: &Handoff,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        forward!(self, it => it.give_up(http, connection, handoff, now))
    }

    fn tell_again(
        &self,
        http: &dyn Http,
        handoff: &Handoff,
        events: &[serde_json::Value],
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        forward!(self, it => it.tell_again(http, handoff, events, now))
    }

    fn written(&self, http: &dyn Http, handoff: &Handoff) -> Result<Vec<Message>, DeliveryError> {
        forward!(self, it => it.written(http, handoff))
    }
}
