//! Calls of the platform's API: Chat Platform API v3, and the AI agent's paths beside it (vendor documentation and the vendor's
//! generated SDK).

use crate::http::json::{Fields, set};
use freshworks_handoff::http::{Http, Method, Request};
use handoff_contract::json;
use serde_json::{Value, json};

use super::super::DeliveryError;
use super::Delight;

const CONNECT_TIMEOUT_MS: u32 = 2_000;
const RESPONSE_TIMEOUT_MS: u32 = 5_000;
/// "User exists already": from memory of the vendor's error list, so it only spares a request.
const EXISTS: i64 = 400_202;

/// Why a call has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// It may work later.
    Retryable(String),
    /// The platform refuses it: HTTP status and the vendor's code.
    Refused(u16, i64),
}

impl From<ApiError> for DeliveryError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Retryable(text) => Self::Retryable(text),
            ApiError::Refused(status, code) => Self::Permanent(format!("the platform answered {status} ({code})")),
        }
    }
}

/// What a message looks like.
pub(crate) enum Content<'a> {
    Text(&'a str),
    /// A line of nobody.
    System(&'a str),
    File {
        url: &'a str,
        name: &'a str,
        media_type: &'a str,
    },
}

/// The API of one application.
pub(crate) struct Api<'a> {
    http: &'a dyn Http,
    settings: &'a Delight,
}

impl<'a> Api<'a> {
    pub(crate) fn new(http: &'a dyn Http, settings: &'a Delight) -> Self {
        Self { http, settings }
    }

    /// Writes into a channel. The platform shows messages with the same `dedup_id` once.
    pub(crate) fn write(
        &self,
        channel: &str,
        author: Option<&str>,
        content: &Content<'_>,
        dedup_id: &str,
    ) -> Result<(), ApiError> {
        let mut body = json!({ "dedup_id": dedup_id, "custom_type": super::OWN });
        match content {
            Content::Text(text) => {
                set(&mut body, "message_type", "MESG");
                set(&mut body, "message", *text);
            }
            Content::System(text) => {
                set(&mut body, "message_type", "ADMM");
                set(&mut body, "message", *text);
            }
            Content::File { url, name, media_type } => {
                set(&mut body, "message_type", "FILE");
                set(&mut body, "url", json!(url));
                set(&mut body, "file_name", json!(name));
                set(&mut body, "file_type", json!(media_type));
            }
        }
        if let Some(author) = author {
            set(&mut body, "user_id", author);
        }
        self.call(Method::Post, &format!("/v3/group_channels/{}/messages", escape(channel)), Some(&body)).map(drop)
    }

    /// Messages of a channel, oldest first: up to 200 from this time on, or up to it.
    pub(crate) fn messages(&self, channel: &str, at: u64, forward: bool) -> Result<Vec<Value>, ApiError> {
        let (before, after) = if forward { (0, 200) } else { (200, 0) };
        let path = format!(
            "/v3/group_channels/{}/messages?message_ts={at}&prev_limit={before}&next_limit={after}&include=true",
            escape(channel)
        );
        let mut found = self.call(Method::Get, &path, None)?;
        Ok(found.get_mut("messages").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
    }

    /// Creates a user, or changes the one that is there.
    pub(crate) fn save_user(&self, id: &str, name: &str, photo: Option<&str>) -> Result<(), ApiError> {
        let mut body = json!({ "user_id": id, "nickname": name, "profile_url": photo.unwrap_or_default() });
        match self.call(Method::Post, "/v3/users", Some(&body)) {
            Err(ApiError::Refused(status, code)) if code == EXISTS || status == 400 || status == 409 => {
                if let Some(object) = body.as_object_mut() {
                    object.remove("user_id");
                }
                self.call(Method::Put, &format!("/v3/users/{}", escape(id)), Some(&body)).map(drop)
            }
            other => other.map(drop),
        }
    }

    pub(crate) fn user(&self, id: &str) -> Result<Value, ApiError> {
        self.call(Method::Get, &format!("/v3/users/{}", escape(id)), None)
    }

    pub(crate) fn invite(&self, channel: &str, user: &str) -> Result<(), ApiError> {
        let body = json!({ "user_ids": [user] });
        self.call(Method::Post, &format!("/v3/group_channels/{}/invite", escape(channel)), Some(&body)).map(drop)
    }

    pub(crate) fn leave(&self, channel: &str, users: &[String]) -> Result<(), ApiError> {
        let body = json!({ "user_ids": users });
        self.call(Method::Put, &format!("/v3/group_channels/{}/leave", escape(channel)), Some(&body)).map(drop)
    }

    /// Adds to the AI agent's context. The platform's PUT replaces all of it, so the rest is read first.
    pub(crate) fn add_to_context(&self, channel: &str, facts: &[(&str, String)]) -> Result<(), ApiError> {
        let agent = escape(&self.settings.ai_agent_id);
        let path = format!("/v3/ai_agent/ai_agents/{agent}/channels/{}/ai_agent_context", escape(channel));
        let found = self.call(Method::Get, &path, None)?;
        let mut context = found.field("context").as_object().cloned().unwrap_or_default();
        context.extend(facts.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        let mut body = json!({ "context": context });
        for kept in ["language", "country"] {
            if found.field(kept).is_string() {
                set(&mut body, kept, found.field(kept).clone());
            }
        }
        self.call(Method::Put, &path, Some(&body)).map(drop)
    }

    pub(crate) fn webhook(&self) -> Result<Value, ApiError> {
        let path = format!("/v3/ai_agent/settings/webhook?ai_agent_id={}", escape(&self.settings.ai_agent_id));
        self.call(Method::Get, &path, None)
    }

    pub(crate) fn set_webhook(&self, url: &str, categories: &[String]) -> Result<Value, ApiError> {
        let body = json!({
            "ai_agent_id": self.settings.ai_agent_id,
            "enabled": true,
            "url": url,
            "category_subscriptions": categories,
        });
        self.call(Method::Put, "/v3/ai_agent/settings/webhook", Some(&body))
    }

    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, ApiError> {
        let request = Request {
            method,
            origin: self.settings.origin(),
            path: path.to_owned(),
            headers: vec![
                ("api-token", self.settings.api_token.reveal().to_owned()),
                ("content-type", "application/json; charset=utf8".to_owned()),
            ],
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            connect_timeout_ms: CONNECT_TIMEOUT_MS,
            response_timeout_ms: RESPONSE_TIMEOUT_MS,
        };
        let response = self.http.send(request);
        let response = response
            .map_err(|error| ApiError::Retryable(format!("the platform cannot be reached: {}", error.reason)))?;
        let answer = json::from_slice::<Value>(&response.body);
        match response.status {
            200..=299 => answer.map_err(|_| ApiError::Retryable("the platform's answer is no JSON".to_owned())),
            status @ (408 | 429 | 500..) => Err(ApiError::Retryable(format!("the platform answered {status}"))),
            status => {
                Err(ApiError::Refused(status, answer.map_or(0, |answer| answer.field("code").as_i64().unwrap_or(0))))
            }
        }
    }
}

/// For one segment of a path, or a value in a query.
pub(crate) fn escape(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
