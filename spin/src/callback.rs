//! Events to the platform: one signed request for what one webhook or tick has brought.
//!
//! Signed as Standard Webhooks 1.0 has it: `webhook-id`, `webhook-timestamp`, and `webhook-signature` with an HMAC-SHA256 over
//! id, time and body.

use base64ct::{Base64, Encoding};
use freshworks_handoff::http::{Http, Method, Request};
use freshworks_handoff::model::{Event, SessionInfo, Timestamp};
use freshworks_handoff::session::digest;
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::state::{Connection, Handoff};

const SECRET_PREFIX: &str = "whsec_";
const CONNECT_TIMEOUT_MS: u32 = 2_000;
/// Freshworks waits for our answer meanwhile, and gives up after a few seconds.
const RESPONSE_TIMEOUT_MS: u32 = 5_000;

/// Delivers events. An error is a short text for the operator; the caller keeps the events by not storing what led to them.
pub async fn deliver<H: Http>(
    http: &H,
    connection: &Connection,
    handoff: &Handoff,
    events: &[Event],
    info: Option<&SessionInfo>,
    now: Timestamp,
) -> Result<(), String> {
    let (origin, path) = split(&connection.callback_url).ok_or("the callback URL is none")?;
    let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    // The same events get the same id, so that a repeat can be told.
    let id = format!("evt_{}", digest(&ids, 16));
    let body = json!({
        "connection": handoff.connection,
        "handoff": handoff.id,
        "key": handoff.key,
        "events": events,
        "info": info,
    });
    let body = body.to_string().into_bytes();
    let seconds = now / 1000;
    let signature = sign(&connection.callback_secret, &id, seconds, &body).ok_or("the callback secret is none")?;
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature),
    ];
    let request = Request {
        method: Method::Post,
        origin,
        path,
        headers,
        body,
        connect_timeout_ms: CONNECT_TIMEOUT_MS,
        response_timeout_ms: RESPONSE_TIMEOUT_MS,
    };
    match http.send(request).await {
        Ok(response) if (200..300).contains(&response.status) => Ok(()),
        Ok(response) => Err(format!("the callback answered {}", response.status)),
        Err(error) => Err(format!("the callback failed: {}", error.reason)),
    }
}

/// The value of `webhook-signature`. None when the secret is not `whsec_` and base64.
pub fn sign(secret: &str, id: &str, seconds: u64, body: &[u8]) -> Option<String> {
    let key = Base64::decode_vec(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes())))
}

/// True for a secret that events can be signed with: 24 to 64 bytes, as the scheme asks.
pub fn is_secret(text: &str) -> bool {
    let key = text.strip_prefix(SECRET_PREFIX).and_then(|key| Base64::decode_vec(key).ok());
    key.is_some_and(|key| (24..=64).contains(&key.len()))
}

/// Origin and path of an http or https URL without user, password or fragment.
pub fn split(url: &str) -> Option<(String, String)> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| url.starts_with(scheme))?;
    let rest = url.strip_prefix(scheme)?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let is_clean = !authority.is_empty() && authority.bytes().all(is_plain);
    let visible = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    (is_clean && visible).then(|| (format!("{scheme}{authority}"), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_published_example() {
        // From the specification of Standard Webhooks.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = br#"{"test": 2432232314}"#;
        let signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn urls_are_split_into_origin_and_path() {
        let of = |url: &str| split(url).map(|(origin, path)| format!("{origin} {path}"));
        assert_eq!(of("https://example.com").as_deref(), Some("https://example.com /"));
        assert_eq!(of("http://127.0.0.1:80/a?b=c").as_deref(), Some("http://127.0.0.1:80 /a?b=c"));
        for bad in ["", "example.com", "ftp://x/", "https://", "https:///a", "https://u:p@x/", "https://x/a b", "https://x/#f"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
