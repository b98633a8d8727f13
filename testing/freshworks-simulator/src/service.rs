//! The services of an account, and what differs between them at the gate.

use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::{Json, body::Body};
use base64ct::{Base64, Encoding};
use serde_json::json;

use crate::config::Behaviour;
use crate::gate::set;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::{Inner, lock};

/// A service of the account. Each has its own origin and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Freshchat.
    Chat,
    /// Freshdesk, or Freshservice.
    Tickets,
}

/// The limit that the headers of the ticket service name when none is set: the Pro plan's.
const TICKET_LIMIT: u32 = 400;

impl Service {
    /// Whether this path belongs to the API; all else is the simulator's own.
    pub(crate) fn has_in_api(self, path: &str) -> bool {
        let bases: &[&str] = match self {
            Self::Chat => &["/v2", "/v1"],
            Self::Tickets => &["/api/v2"],
        };
        let below = |base: &&str| path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        bases.iter().any(below)
    }

    /// Whether the key is right.
    pub(crate) fn authorizes(self, inner: &Inner, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match self {
            Self::Chat => given.strip_prefix("Bearer ") == Some(lock(&inner.api_key).as_str()),
            Self::Tickets => {
                let pair = given.strip_prefix("Basic ").and_then(|pair| Base64::decode_vec(pair).ok());
                let user = pair.as_deref().and_then(|pair| pair.split(|byte| *byte == b':').next());
                // The password is ignored; callers send an X.
                user == Some(lock(&inner.ticket_api_key).as_bytes())
            }
        }
    }

    /// The limit of calls per minute before 429.
    pub(crate) fn limit(self, behaviour: &Behaviour) -> Option<u32> {
        match self {
            Self::Chat => behaviour.requests_per_minute,
            Self::Tickets => behaviour.ticket_requests_per_minute,
        }
    }

    /// How many calls this one counts for. Tickets cost more with what is embedded in them; how much more is not
    /// published, one each is a guess.
    pub(crate) fn cost(self, uri: &Uri) -> u32 {
        match (self, Query::of(uri).get("include")) {
            (Self::Tickets, Some(included)) => 1 + u32::try_from(included.split(',').count()).unwrap_or(u32::MAX - 1),
            _ => 1,
        }
    }

    /// The response to a call with a wrong or missing key.
    pub(crate) fn unauthorized(self, behaviour: &Behaviour) -> Response<Body> {
        match self {
            Self::Chat => {
                let code = behaviour.unauthorized_status;
                let symbol = if code == 403 { "FORBIDDEN" } else { "UNAUTHORIZED" };
                Refusal::new(code, symbol, "the API key is missing or wrong").into_response()
            }
            Self::Tickets => {
                let body = json!({
                    "code": "invalid_credentials",
                    "message": "You have to be logged in to perform this action.",
                });
                (StatusCode::UNAUTHORIZED, Json(body)).into_response()
            }
        }
    }

    /// The response to a call over the limit, except `Retry-After`.
    pub(crate) fn too_many(self) -> Response<Body> {
        match self {
            Self::Chat => Refusal::new(429, "TOO_MANY_REQUESTS", "too many requests").into_response(),
            // The words are an invention; the facts are in the headers.
            Self::Tickets => {
                let body = json!({ "message": "You have exceeded the limit of requests per minute" });
                (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
            }
        }
    }

    /// The rate-limit headers of each response. `used`: the calls of this minute so far; `cost`: of this one. Freshchat
    /// sends none.
    pub(crate) fn write_limit(self, behaviour: &Behaviour, used: u32, cost: u32, headers: &mut HeaderMap) {
        if self == Self::Tickets {
            let total = self.limit(behaviour).unwrap_or(TICKET_LIMIT);
            set(headers, "x-ratelimit-total", &total.to_string());
            set(headers, "x-ratelimit-remaining", &total.saturating_sub(used).to_string());
            set(headers, "x-ratelimit-used-currentrequest", &cost.to_string());
        }
    }

    /// Identifies each response for support.
    pub(crate) fn write_trace(self, inner: &Inner, took_ms: u128, headers: &mut HeaderMap) {
        let mut ids = lock(&inner.traces);
        match self {
            // Seen in integrators' logs.
            Self::Chat => {
                set(headers, "x-trace-id", &format!("00-{}-{}-00", ids.hex32(), ids.hex16()));
                set(headers, "x-server-processing-time-ms", &took_ms.to_string());
            }
            // The one is printed in support cases, the other is read by older clients.
            Self::Tickets => {
                set(headers, "x-request-id", &ids.uuid());
                set(headers, "x-freshdesk-api-version", "latest=v2; requested=v2");
            }
        }
    }
}
