//! Whether a webhook is from Freshworks: RSA PKCS#1 v1.5 with SHA-256 over the exact bytes of the body.
//!
//! There is no timestamp and no nonce in it: replays are recognised by event ids.

use base64ct::{Base64Unpadded, Encoding};
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::signature::Verifier;
use sha2::Sha256;

use super::public_key;
use crate::error::{Error, ErrorKind};
use crate::model::Delivery;

/// The header that carries the signature, lower case. Others write it `X-FreshChat-Signature`.
pub const HEADER: &str = "x-freshchat-signature";

/// Checks the delivery's signature. Nothing of the body may be read before this.
pub fn verify(delivery: &Delivery, public_key: Option<&str>) -> Result<(), Error> {
    let key = public_key.ok_or_else(|| {
        Error::settings(
            "webhook_public_key",
            "no webhook public key is set, so no webhook can be verified",
            "Paste the public key that the webhook page of Freshworks shows.",
        )
    })?;
    let key = public_key::parse(key)
        .map_err(|fault| Error::settings("webhook_public_key", fault.detail(), fault.remedy()))?;

    let mut signatures = delivery.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(HEADER));
    let (_, header) = signatures.next().ok_or_else(|| refused("the signature header is missing"))?;
    if signatures.next().is_some() {
        return Err(refused("there are several signature headers"));
    }
    let letters = header.trim().trim_end_matches('=');
    let signature = Base64Unpadded::decode_vec(letters).map_err(|_| refused("the signature is not base64"))?;
    let signature =
        Signature::try_from(signature.as_slice()).map_err(|_| refused("the signature has a wrong length"))?;
    VerifyingKey::<Sha256>::new(key)
        .verify(&delivery.body, &signature)
        .map_err(|_| refused("the signature does not match the body"))
}

fn refused(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSignature, why).with_remedy(
        "Answer 401 and drop it. When every webhook is refused, paste the public key from Freshworks again, and pass the body's bytes unchanged.",
    )
}
