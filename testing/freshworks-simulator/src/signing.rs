//! The webhook signature, and the public key in the forms people paste.
//!
//! SHA256withRSA (RSASSA-PKCS1-v1_5) over the exact body bytes, in base64 with padding. The implementation is
//! deliberately not the one that the plugin verifies with.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64ct::{Base64, Encoding};

/// A form in which an account's public key reaches a settings page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// As Freshchat shows it: the label says `RSA PUBLIC KEY` (PKCS#1), the content is an X.509 structure (SPKI). Strict
    /// readers of either format refuse it.
    Vendor,
    /// SPKI under its right label, `PUBLIC KEY`.
    Spki,
    /// PKCS#1 under its right label, `RSA PUBLIC KEY`.
    Pkcs1,
    /// The vendor's form with spaces for line breaks, as a one-line form field leaves it.
    OneLine,
    /// The vendor's form with a backslash and an `n` for each line break, as configuration files have it.
    EscapedNewlines,
    /// Only the base64 of the vendor's form.
    BareBase64,
}

/// An account's signing key.
#[derive(Clone, Debug)]
pub(crate) struct SigningKey(Arc<KeyPair>);

impl SigningKey {
    /// A new RSA-2048 key. Takes some hundred milliseconds of one core.
    pub(crate) fn generate() -> anyhow::Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| anyhow::anyhow!("no RSA key could be made"))?;
        Ok(Self(Arc::new(pair)))
    }

    /// The key that all simulators of this process share, unless they ask for their own: making one for each test
    /// would take longer than the test.
    pub(crate) fn shared() -> anyhow::Result<Self> {
        static SHARED: OnceLock<SigningKey> = OnceLock::new();
        if let Some(key) = SHARED.get() {
            return Ok(key.clone());
        }
        let key = Self::generate()?;
        Ok(SHARED.get_or_init(|| key).clone())
    }

    /// The signature of these bytes, as the header carries it: 344 characters.
    pub(crate) fn sign(&self, body: &[u8]) -> String {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body, &mut signature)
            .expect("an RSA-2048 key signs any message");
        Base64::encode_string(&signature)
    }

    /// The public half, in the requested form.
    pub(crate) fn public_key(&self, form: KeyForm) -> String {
        let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(self.0.public_key()).expect("a made key can be written");
        let vendor = || pem("RSA PUBLIC KEY", spki.as_ref());
        match form {
            KeyForm::Vendor => vendor(),
            KeyForm::Spki => pem("PUBLIC KEY", spki.as_ref()),
            KeyForm::Pkcs1 => pem("RSA PUBLIC KEY", self.0.public_key().as_ref()),
            KeyForm::OneLine => vendor().trim_end().replace('\n', " "),
            KeyForm::EscapedNewlines => vendor().replace('\n', "\\n"),
            KeyForm::BareBase64 => Base64::encode_string(spki.as_ref()),
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = Base64::encode_string(der);
    while !rest.is_empty() {
        let tail = rest.split_off(rest.len().min(64));
        text.push_str(&rest);
        text.push('\n');
        rest = tail;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendor_form_is_spki_under_the_pkcs1_label() {
        let key = SigningKey::shared().unwrap();
        let vendor = key.public_key(KeyForm::Vendor);
        assert!(vendor.starts_with("-----BEGIN RSA PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"), "{vendor}");
        assert!(vendor.lines().all(|line| line.len() <= 64));
        assert_eq!(vendor.replace("RSA PUBLIC", "PUBLIC"), key.public_key(KeyForm::Spki));
        assert_ne!(vendor, key.public_key(KeyForm::Pkcs1));
        assert_eq!(key.public_key(KeyForm::OneLine).lines().count(), 1);
        assert_eq!(key.public_key(KeyForm::EscapedNewlines).replace("\\n", "\n"), vendor);
    }

    #[test]
    fn keys_of_their_own_differ() {
        let own = SigningKey::generate().unwrap();
        assert_ne!(own.public_key(KeyForm::Spki), SigningKey::shared().unwrap().public_key(KeyForm::Spki));
    }
}
