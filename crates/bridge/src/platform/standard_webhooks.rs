//! Signatures as Standard Webhooks 1.0 has them, for both directions: `webhook-id`, `webhook-timestamp`, and
//! `webhook-signature` with an HMAC-SHA256 over id, time and body.

use base64ct::{Base64, Encoding};
use handoff_contract::model::Timestamp;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::http::IncomingRequest;
use crate::http::problem::Problem;

const SECRET_PREFIX: &str = "whsec_";
/// As far as a request's time may be off; the scheme's own choice.
const TOLERANCE_SECONDS: u64 = 5 * 60;

/// Headers for a body that is sent. None when the secret is not one.
pub fn headers(secret: &str, id: &str, now: Timestamp, body: &[u8]) -> Option<[(&'static str, String); 3]> {
    let seconds = now / 1000;
    let signature = mac(secret, id, seconds, body)?.finalize().into_bytes();
    Some([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", format!("v1,{}", Base64::encode_string(&signature))),
    ])
}

/// The id of a request that is signed and not older than five minutes. Whatever is wrong, the answer is the same.
pub fn verify(secret: &str, call: &IncomingRequest<'_>) -> Result<String, Problem> {
    let not_allowed = Problem::not_allowed;
    let id = call.header("webhook-id").filter(|id| !id.is_empty() && id.len() <= 255).ok_or_else(not_allowed)?;
    let seconds = call.header("webhook-timestamp").and_then(|text| text.parse::<u64>().ok()).ok_or_else(not_allowed)?;
    if seconds.abs_diff(call.now / 1000) > TOLERANCE_SECONDS {
        return Err(not_allowed());
    }
    let mac = mac(secret, id, seconds, call.body).ok_or_else(not_allowed)?;
    // Several while secrets are being changed.
    let given = call.header("webhook-signature").unwrap_or_default().split(' ');
    let signatures = given.filter_map(|one| Base64::decode_vec(one.strip_prefix("v1,")?).ok());
    for signature in signatures.take(8) {
        if mac.clone().verify_slice(&signature).is_ok() {
            return Ok(id.to_owned());
        }
    }
    Err(not_allowed())
}

/// True for a secret that can sign: `whsec_` and 24 to 64 bytes as base64, as the scheme asks.
pub fn is_secret(text: &str) -> bool {
    let key = text.strip_prefix(SECRET_PREFIX).and_then(|key| Base64::decode_vec(key).ok());
    key.is_some_and(|key| (24..=64).contains(&key.len()))
}

fn mac(secret: &str, id: &str, seconds: u64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let key = Base64::decode_vec(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the specification of Standard Webhooks.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const SECONDS: u64 = 1_614_265_330;

    fn is_accepted(secret: &str, headers: &[(&str, &str)], body: &[u8], seconds: u64) -> bool {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let call = IncomingRequest { method: "POST", path: "/", query: "", headers, body, now: seconds * 1000 };
        verify(secret, &call).is_ok_and(|id| id == ID)
    }

    #[test]
    fn the_signature_is_that_of_the_published_example() {
        let [id, time, signature] = headers(SECRET, ID, SECONDS * 1000 + 999, BODY).unwrap();
        assert_eq!((id.1.as_str(), time.1.as_str(), signature.1.as_str()), (ID, "1614265330", SIGNATURE));
    }

    #[test]
    fn only_what_is_signed_and_fresh_is_accepted() {
        let time = SECONDS.to_string();
        let good = [("webhook-id", ID), ("webhook-timestamp", time.as_str()), ("webhook-signature", SIGNATURE)];
        assert!(is_accepted(SECRET, &good, BODY, SECONDS));
        assert!(is_accepted(SECRET, &good, BODY, SECONDS + TOLERANCE_SECONDS));
        let among_others = format!("v1,AAAA v1a,ignored {SIGNATURE}");
        assert!(is_accepted(SECRET, &[good[0], good[1], ("webhook-signature", &among_others)], BODY, SECONDS));

        assert!(!is_accepted(SECRET, &good, BODY, SECONDS + TOLERANCE_SECONDS + 1), "replayed later");
        assert!(!is_accepted(SECRET, &good, BODY, SECONDS - TOLERANCE_SECONDS - 1), "from the future");
        assert!(!is_accepted(SECRET, &good, br#"{"test": 2432232315}"#, SECONDS), "altered");
        assert!(!is_accepted("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx", &good, BODY, SECONDS), "another secret");
        assert!(!is_accepted("", &good, BODY, SECONDS), "no secret");
        assert!(!is_accepted(SECRET, &good[..2], BODY, SECONDS), "no signature");
        let later = (SECONDS + 1).to_string();
        assert!(!is_accepted(SECRET, &[good[0], ("webhook-timestamp", &later), good[2]], BODY, SECONDS), "other time");
        assert!(!is_accepted(SECRET, &[("webhook-id", "msg_2"), good[1], good[2]], BODY, SECONDS), "other id");
    }

    #[test]
    fn secrets_have_the_form_of_the_scheme() {
        assert!(is_secret(SECRET));
        for bad in
            ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_short", "whsec_!fKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
        {
            assert!(!is_secret(bad), "{bad}");
        }
    }
}
