//! The webhook's public key, in every form in which admins paste it.
//!
//! Freshworks shows a PEM block labelled `RSA PUBLIC KEY` that holds an SPKI structure, so the label is of no use; and
//! forms strip or escape its line breaks. The bytes inside tell what they are.

use base64ct::{Base64Unpadded, Encoding};
use pkcs1::RsaPublicKey;
use ring::signature::RsaPublicKeyComponents;
use spki::der::Decode;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

/// Modulus and exponent, as big-endian numbers without leading zeros.
pub type PublicKey = RsaPublicKeyComponents<Vec<u8>>;

/// `rsaEncryption` (RFC 8017, appendix C).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// Freshworks uses 2048 bits; shorter keys can be broken.
const LEAST_BITS: usize = 2048;
/// Verification time grows with the key.
const MAX_BITS: usize = 4096;
/// A structure around a key of [`MAX_BITS`] is smaller than this.
const MAX_DER_BYTES: usize = MAX_BITS / 8 + 100;

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// It is a private key.
    Private,
    /// It is a certificate.
    Certificate,
    /// It is not base64.
    NotBase64,
    /// It is not an RSA public key.
    NotRsa,
    /// It has fewer than 2048 bits.
    TooShort,
    /// It has more than 4096 bits.
    TooLong,
}

impl KeyFault {
    /// The word of the manual.
    pub fn code(self) -> &'static str {
        match self {
            Self::Private => "webhook-key-is-private",
            Self::Certificate => "webhook-key-is-a-certificate",
            Self::NotBase64 => "webhook-key-broken",
            Self::NotRsa => "webhook-key-not-rsa",
            Self::TooShort => "webhook-key-too-short",
            Self::TooLong => "webhook-key-too-long",
        }
    }

    /// What is wrong.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Private => "this is a private key; the webhook needs the public one",
            Self::Certificate => "this is a certificate, not a public key",
            Self::NotBase64 => "the webhook public key is truncated or contains invalid characters",
            Self::NotRsa => "this is not an RSA public key",
            Self::TooShort => "the key is shorter than 2048 bits and not safe",
            Self::TooLong => "the key is longer than 4096 bits",
        }
    }

    /// What to do.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Private => {
                "Remove it everywhere it was pasted, replace it at its owner, and paste the public key that the webhook page of Freshworks shows."
            }
            _ => "Copy the whole key from the webhook page of Freshworks, from -----BEGIN to -----END.",
        }
    }
}

/// Reads a key from PEM with any label, from base64 alone, on one line, with spaces or with literal `\n`.
pub fn parse(text: &str) -> Result<PublicKey, KeyFault> {
    let upper = text.to_ascii_uppercase();
    if upper.contains("PRIVATE KEY") {
        return Err(KeyFault::Private);
    }
    if upper.contains("CERTIFICATE") {
        return Err(KeyFault::Certificate);
    }
    let der = decode(body(text)).ok_or(KeyFault::NotBase64)?;
    if der.len() > MAX_DER_BYTES && !looks_private(&der) {
        return Err(KeyFault::TooLong);
    }
    let key = rsa_key(&der).ok_or(if looks_private(&der) { KeyFault::Private } else { KeyFault::NotRsa })?;
    match bits(&key.n) {
        ..LEAST_BITS => Err(KeyFault::TooShort),
        LEAST_BITS..=MAX_BITS => Ok(key),
        _ => Err(KeyFault::TooLong),
    }
}

/// A key as it stands in a SubjectPublicKeyInfo (RFC 5280), or alone (RFC 8017, A.1.1).
fn rsa_key(der: &[u8]) -> Option<PublicKey> {
    let key = match SubjectPublicKeyInfoRef::from_der(der) {
        Ok(info) if info.algorithm.oid == RSA => info.subject_public_key.as_bytes()?,
        Ok(_) => return None,
        Err(_) => der,
    };
    let key = RsaPublicKey::from_der(key).ok()?;
    Some(PublicKey { n: key.modulus.as_bytes().to_vec(), e: key.public_exponent.as_bytes().to_vec() })
}

fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

/// What stands between the two lines of a PEM block, or everything.
fn body(text: &str) -> &str {
    let after_begin =
        text.split_once("-----BEGIN").and_then(|(_, rest)| rest.split_once("-----")).map(|(_, rest)| rest);
    let rest = after_begin.unwrap_or(text);
    rest.split("-----END").next().unwrap_or(rest)
}

fn decode(body: &str) -> Option<Vec<u8>> {
    let body = body.replace("\\n", "").replace("\\r", "");
    let letters: String =
        body.chars().filter(|letter| !letter.is_whitespace() && !matches!(letter, '"' | '\'')).collect();
    if letters.is_empty() {
        return None;
    }
    Base64Unpadded::decode_vec(letters.trim_end_matches('=')).ok()
}

/// Both private forms begin with a sequence whose first element is the number 0; no public form does.
fn looks_private(der: &[u8]) -> bool {
    let content = match der {
        [0x30, 0x82, _, _, rest @ ..] | [0x30, 0x81, _, rest @ ..] => rest,
        [0x30, _, rest @ ..] => rest,
        _ => return false,
    };
    content.starts_with(&[0x02, 0x01, 0x00])
}

#[cfg(test)]
mod tests {
    use pkcs1::UintRef;
    use spki::der::Encode;
    use spki::der::asn1::BitStringRef;

    use super::*;

    /// A number of that many bits that will do as a modulus where nothing is verified.
    fn modulus(bits: usize) -> Vec<u8> {
        let mut number = vec![0; bits.div_ceil(8)];
        number[0] = 1 << ((bits - 1) % 8);
        *number.last_mut().unwrap() |= 1;
        number
    }

    fn pkcs1(bits: usize) -> Vec<u8> {
        let modulus = modulus(bits);
        let key = RsaPublicKey {
            modulus: UintRef::new(&modulus).unwrap(),
            public_exponent: UintRef::new(&[1, 0, 1]).unwrap(),
        };
        key.to_der().unwrap()
    }

    fn spki(bits: usize) -> Vec<u8> {
        let key = pkcs1(bits);
        let algorithm = spki::AlgorithmIdentifierRef { oid: RSA, parameters: Some(spki::der::asn1::AnyRef::NULL) };
        let subject_public_key = BitStringRef::from_bytes(&key).unwrap();
        SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().unwrap()
    }

    fn base64(der: &[u8]) -> String {
        Base64Unpadded::encode_string(der) + "=="
    }

    fn is_right(parsed: Result<PublicKey, KeyFault>) -> bool {
        parsed.is_ok_and(|key| key.n == modulus(2048) && key.e == [1, 0, 1])
    }

    #[test]
    fn every_pasted_form_of_a_key_works() {
        let lines = |letters: &str| {
            letters.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>()
        };
        for letters in [base64(&spki(2048)), base64(&pkcs1(2048))] {
            for label in ["RSA PUBLIC KEY", "PUBLIC KEY"] {
                for between in ["\n", "\r\n", " ", "\\n", "\\r\\n", ""] {
                    let body = lines(&letters).join(between);
                    let text = format!("-----BEGIN {label}-----{between}{body}{between}-----END {label}-----\n");
                    assert!(is_right(parse(&text)), "{label} {between:?}");
                }
            }
            assert!(is_right(parse(&letters)));
            assert!(is_right(parse(&format!("\"{letters}\""))));
        }
    }

    #[test]
    fn what_is_no_public_key_is_named() {
        let short = base64(&spki(2047));
        let long = base64(&spki(6144));
        for (text, fault) in [
            ("", KeyFault::NotBase64),
            ("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", KeyFault::NotBase64),
            ("not a key!", KeyFault::NotBase64),
            ("AAAA", KeyFault::NotRsa),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", KeyFault::Private),
            ("-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", KeyFault::Certificate),
            // A PKCS#8 private key begins so, with its label lost.
            ("MAYCAQAwAQA=", KeyFault::Private),
            (&short, KeyFault::TooShort),
            (&long, KeyFault::TooLong),
        ] {
            assert_eq!(parse(text).err(), Some(fault), "{text}");
            assert!(!fault.detail().is_empty() && !fault.remedy().is_empty());
        }
    }
}
