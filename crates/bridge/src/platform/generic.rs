//! Any platform: it calls `/v1`, or sends webhooks signed by the Standard Webhooks scheme, and gets events at a callback that are
//! signed the same way.

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::http::{Http, Method, Request};
use freshworks_handoff::text::time;
use handoff_contract::model::{
    CloseReason, ConversationKey, Event, Finding, HandoffRequest, Message, Rating, SessionInfo, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Asked, DeliveryError, Inbound, News, Place, Platform, Prepared, WebhookEndpoint, Webhooks, web_url};
use crate::access::secret::Secret;
use crate::http::IncomingRequest;
use crate::http::json::Fields;
use crate::http::problem::{self, Problem};
use crate::platform::standard_webhooks;
use crate::state::{Connection, Handoff};

const CONNECT_TIMEOUT_MS: u32 = 2_000;
/// Freshworks has its answer already. Hosts end what takes longer than 30 seconds.
const RESPONSE_TIMEOUT_MS: u32 = 15_000;

/// How any platform is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Generic {
    /// Where events go: an http or https URL. The app must be allowed to reach it.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = web_url::PATTERN)))]
    pub callback_url: String,
    /// Signs what goes out, and what comes in: `whsec_` and 24 to 64 random bytes as base64.
    #[cfg_attr(feature = "schema", schemars(with = "String", regex(pattern = r"^whsec_[A-Za-z0-9+/]{32,86}={0,2}$")))]
    #[cfg_attr(feature = "schema", schemars(extend("format" = "password", "writeOnly" = true)))]
    pub secret: Secret,
}

/// What a platform may send to `/webhooks/platform/...`.
#[derive(Deserialize)]
#[serde(tag = "type", content = "data")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum Webhook {
    /// A person is needed.
    #[serde(rename = "handoff.requested")]
    HandOff(Box<HandoffRequest>),
    /// The end user wrote. It is relayed while human agents have the conversation.
    #[serde(rename = "message.created")]
    Message {
        /// In which conversation.
        key: ConversationKey,
        /// What.
        message: Message,
    },
    /// The platform has ended the conversation.
    #[serde(rename = "conversation.closed")]
    Closed {
        /// Which.
        key: ConversationKey,
        /// Why.
        reason: CloseReason,
    },
    /// The end user has rated the human part, after its end.
    #[serde(rename = "conversation.rated")]
    Rated {
        /// Which conversation.
        key: ConversationKey,
        /// How.
        rating: Rating,
    },
}

/// What the callback gets: news of one handoff. The same `webhook-id` is the same news again.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct HandoffNews<'a> {
    /// The connection.
    connection: &'a str,
    /// The handoff's id in this API.
    handoff: &'a str,
    /// The platform's conversation.
    key: &'a ConversationKey,
    /// What happened, in order; at least one, none of the kind `ignored`.
    events: &'a [Event],
    /// How it stands now; null where that is not known.
    info: Option<&'a SessionInfo>,
}

/// What the callback gets about a handoff that a webhook has asked for and that will not come about.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct HandoffFailed<'a> {
    /// The connection.
    connection: &'a str,
    /// The handoff's id in this API.
    handoff: &'a str,
    /// The platform's conversation.
    key: &'a ConversationKey,
}

impl Generic {
    /// Sends one signed request of this kind. `ids` name what is told, so that a repeat can be told by its id.
    pub(crate) fn post(
        &self,
        http: &dyn Http,
        kind: &str,
        ids: &[&str],
        data: impl Serialize,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let never = |text: &str| DeliveryError::Permanent(text.to_owned());
        let (origin, path) = web_url::split(&self.callback_url).ok_or_else(|| never("the callback URL is none"))?;
        let body = json!({ "type": kind, "timestamp": rfc3339(now), "data": data }).to_string().into_bytes();
        let id = format!("evt_{}", digest(ids, 16));
        let signed = standard_webhooks::headers(self.secret.reveal(), &id, now, &body);
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(signed.ok_or_else(|| never("the callback secret is none"))?);
        let (connect_timeout_ms, response_timeout_ms) = (CONNECT_TIMEOUT_MS, RESPONSE_TIMEOUT_MS);
        let method = Method::Post;
        let request = Request { method, origin, path, headers, body, connect_timeout_ms, response_timeout_ms };
        match http.send(request) {
            Ok(response) if (200..300).contains(&response.status) => Ok(()),
            // The scheme's word for "this endpoint is gone".
            Ok(response) if response.status == 410 => Err(never("the callback answered 410: it is gone")),
            Ok(response) => Err(DeliveryError::Retryable(format!("the callback answered {}", response.status))),
            Err(error) => Err(DeliveryError::Retryable(format!("the callback failed: {}", error.reason))),
        }
    }

    /// Address and secret have the right form; `field` is where they stand in the request.
    pub(crate) fn check_at(&self, field: &str) -> Result<(), Problem> {
        if web_url::split(&self.callback_url).is_none() {
            return Err(Problem::new(422, "invalid-settings", "the callback URL is no http or https URL")
                .at(format!("{field}.callback_url"))
                .with_remedy("Pass the URL at which the platform takes events, without user, password or fragment."));
        }
        if !standard_webhooks::is_secret(self.secret.reveal()) {
            return Err(Problem::new(422, "invalid-settings", "the secret is not of the Standard Webhooks form")
                .at(format!("{field}.secret"))
                .with_remedy("Pass `whsec_` and 24 to 64 random bytes as base64."));
        }
        Ok(())
    }
}

impl Platform for Generic {
    fn check(&self) -> Result<(), Problem> {
        self.check_at("platform")
    }

    fn connect(&mut self, _: &dyn Http, _: &Webhooks) -> Vec<Finding> {
        Vec::new()
    }

    fn read(&self, endpoint: WebhookEndpoint, call: &IncomingRequest<'_>) -> Result<Inbound, Problem> {
        if endpoint != WebhookEndpoint::Platform {
            return Err(Problem::not_allowed());
        }
        let id = standard_webhooks::verify(self.secret.reveal(), call)?;
        let known = ["handoff.requested", "message.created", "conversation.closed", "conversation.rated"];
        let kind: Value = problem::read(call.body, "webhook")?;
        // Kinds that are not for us may share the subscription.
        if !known.iter().any(|known| kind.field("type") == *known) {
            return Ok(Inbound::Nothing);
        }
        Ok(match problem::read(call.body, "webhook")? {
            Webhook::HandOff(request) => {
                Inbound::HandOff { id, key: request.key.clone(), asked: Asked::Complete(request) }
            }
            Webhook::Message { key, message } => Inbound::Message { place: Place::Conversation(key), message },
            Webhook::Closed { key, reason } => Inbound::Closed { id, key, reason, rating: None },
            Webhook::Rated { key, rating } => Inbound::Rated { key, rating },
        })
    }

    fn prepare(&self, _: &dyn Http, asked: &Asked) -> Result<Prepared, DeliveryError> {
        asked.as_it_came()
    }

    fn tell(
        &self,
        http: &dyn Http,
        _: &Connection,
        handoff: &mut Handoff,
        news: &News<'_>,
    ) -> Result<(), DeliveryError> {
        let ids: Vec<&str> = news.events.iter().map(|event| event.id.as_str()).collect();
        let data = HandoffNews {
            connection: &handoff.connection,
            handoff: &handoff.id,
            key: &handoff.key,
            events: news.events,
            info: news.info,
        };
        self.post(http, "handoff.events", &ids, data, news.now)
    }

    fn tell_again(
        &self,
        http: &dyn Http,
        handoff: &Handoff,
        events: &[Value],
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let ids: Vec<&str> = events.iter().filter_map(|event| event.field("id").as_str()).collect();
        // How it stands now is not what it was when this happened.
        let data = json!({
            "connection": handoff.connection, "handoff": handoff.id, "key": handoff.key, "events": events, "info": null,
        });
        self.post(http, "handoff.events", &ids, data, now)
    }

    fn give_up(&self, http: &dyn Http, _: &Connection, handoff: &Handoff, now: Timestamp) -> Result<(), DeliveryError> {
        let since = handoff.platform.failing_since.unwrap_or(0).to_string();
        let data = HandoffFailed { connection: &handoff.connection, handoff: &handoff.id, key: &handoff.key };
        self.post(http, "handoff.failed", &[&handoff.connection, &handoff.id, "failed", &since], data, now)
    }

    fn written(&self, _: &dyn Http, _: &Handoff) -> Result<Vec<Message>, DeliveryError> {
        Ok(Vec::new())
    }
}

/// For example `2026-11-23T10:00:30Z`; empty beyond the year 9999.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let text = |(day, minute)| format!("{}T{minute}:{:02}Z", time::date(day), at / 1000 % 60);
    time::day_and_minute(at).map(text).unwrap_or_default()
}
