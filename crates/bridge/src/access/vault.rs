//! Secrets at rest: connections are sealed before they reach the store.
//!
//! A sealed record is `fwh1.<key id>.<base64url of nonce and ciphertext>`, encrypted and authenticated with XChaCha20-Poly1305.
//! The record's name is authenticated with it, so a record that is moved to another name does not open. The key id is a digest of
//! the key: operators need not name their keys. A record that begins with a brace is one of the time before there were keys, or of a
//! bridge that is told to write plaintext: it is read as it is, and sealed when it is next written.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use freshworks_handoff::conversation::session::digest;
use serde::Serialize;

use crate::state::StateError;

/// What the variable says in place of a key.
const PLAINTEXT: &str = "plaintext";
const FORMAT: &str = "fwh1.";
const NONCE_BYTES: usize = 24;

/// How secrets are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Protection {
    /// Encrypted with the key of the variable `encryption_key`.
    Encrypted,
    /// Readable for whoever reads the store: the operator has chosen so.
    Plaintext,
    /// Not at all: there is no key. Connections can be used, but not saved.
    None,
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// The keys of the app.
pub struct Keys {
    /// With [`Protection::Encrypted`] the first one writes.
    keys: Vec<Key>,
    protection: Protection,
    draw: fn() -> [u8; NONCE_BYTES],
}

impl Keys {
    /// Reads the variables: the key that writes (or `plaintext`, or nothing), and the one before it, which only reads. Each is 32
    /// random bytes as base64. `draw`: 24 random bytes, for nonces.
    ///
    /// # Errors
    ///
    /// A sentence for the operator when a variable holds no key.
    pub fn read(current: &str, old: &str, draw: fn() -> [u8; NONCE_BYTES]) -> Result<Self, String> {
        let mut keys = Vec::new();
        for (variable, text) in [("encryption_key", current), ("encryption_key_old", old)] {
            let text = text.trim();
            if text.is_empty() || text == PLAINTEXT {
                continue;
            }
            let bytes = Base64::decode_vec(text).ok().filter(|bytes| bytes.len() == 32);
            let cipher = bytes.and_then(|bytes| XChaCha20Poly1305::new_from_slice(&bytes).ok());
            let no_key = || {
                format!("the variable {variable} is not 32 bytes as base64: make one with `openssl rand -base64 32`")
            };
            let id = digest(&["encryption-key", text], 4);
            keys.push(Key { id, cipher: cipher.ok_or_else(no_key)? });
        }
        let current = current.trim();
        let protection = match current {
            "" => Protection::None,
            PLAINTEXT => Protection::Plaintext,
            _ => Protection::Encrypted,
        };
        Ok(Self { keys, protection, draw })
    }

    /// No key, and no leave to write without one.
    pub fn none(draw: fn() -> [u8; NONCE_BYTES]) -> Self {
        Self { keys: Vec::new(), protection: Protection::None, draw }
    }

    /// How secrets are stored from now on.
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// What to store for this text. `name`: what the record is called in the store.
    ///
    /// # Errors
    ///
    /// When there is no key and no leave to write plaintext.
    pub fn seal(&self, name: &str, text: String) -> Result<String, StateError> {
        match self.protection {
            Protection::Plaintext => return Ok(text),
            Protection::None => {
                return Err(StateError("secrets are not stored: the variable encryption_key is not set".to_owned()));
            }
            Protection::Encrypted => {}
        }
        let key = self.keys.first();
        let nonce = (self.draw)();
        let payload = Payload { msg: text.as_bytes(), aad: name.as_bytes() };
        let sealed = key.and_then(|key| Some((key, key.cipher.encrypt(XNonce::from_slice(&nonce), payload).ok()?)));
        let (key, sealed) = sealed.ok_or_else(|| StateError("a record cannot be encrypted".to_owned()))?;
        let whole = Base64UrlUnpadded::encode_string(&[&nonce[..], &sealed].concat());
        Ok(format!("{FORMAT}{}.{whole}", key.id))
    }

    /// The text of what is stored under this name.
    ///
    /// # Errors
    ///
    /// When the key is not among those of the variables, or the record was altered or moved.
    pub fn open(&self, name: &str, stored: &str) -> Result<String, StateError> {
        let Some(rest) = stored.strip_prefix(FORMAT) else { return Ok(stored.to_owned()) };
        let broken = || StateError(format!("the stored record {name} was altered, or belongs to another name"));
        let (id, whole) = rest.split_once('.').ok_or_else(broken)?;
        let missing = || {
            StateError(format!(
                "{name} is encrypted with the key {id}, which neither encryption_key nor encryption_key_old holds"
            ))
        };
        let key = self.keys.iter().find(|key| key.id == id).ok_or_else(missing)?;
        let whole = Base64UrlUnpadded::decode_vec(whole).map_err(|_| broken())?;
        let (nonce, sealed) = whole.split_at_checked(NONCE_BYTES).ok_or_else(broken)?;
        let payload = Payload { msg: sealed, aad: name.as_bytes() };
        let text = key.cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| broken())?;
        String::from_utf8(text).map_err(|_| broken())
    }

    /// Whether what is stored is as [`seal`](Self::seal) would write it now.
    pub fn is_current(&self, stored: &str) -> bool {
        let id = stored.strip_prefix(FORMAT).and_then(|rest| rest.split_once('.')).map(|(id, _)| id);
        match self.protection {
            Protection::Encrypted => id.is_some() && id == self.keys.first().map(|key| key.id.as_str()),
            Protection::Plaintext | Protection::None => id.is_none(),
        }
    }

    /// What to store instead of what is stored, so that it is [current](Self::is_current). None when it is.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`seal`](Self::seal).
    pub fn reseal(&self, name: &str, stored: &str) -> Result<Option<String>, StateError> {
        if self.is_current(stored) {
            return Ok(None);
        }
        self.seal(name, self.open(name, stored)?).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const TWO: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const TEXT: &str = r#"{"api_key":"k-1"}"#;

    fn keys(current: &str, old: &str) -> Keys {
        Keys::read(current, old, || [7; 24]).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_is_sealed_is_unreadable_and_opens_under_its_own_name_alone() {
        let sealed = keys(ONE, "").seal("acme", TEXT.to_owned()).unwrap();
        assert!(!sealed.contains("k-1") && !sealed.contains("api_key"), "{sealed}");
        assert_eq!(keys(ONE, "").open("acme", &sealed).unwrap(), TEXT);
        assert!(keys(ONE, "").open("other", &sealed).is_err(), "moved to another name");
        let mut altered = sealed.clone();
        altered.replace_range(sealed.len() - 4.., "AAAA");
        assert!(keys(ONE, "").open("acme", &altered).is_err());
        for torn in ["fwh1.", "fwh1.x", &sealed[..20], &sealed[..sealed.len() - 1]] {
            assert!(keys(ONE, "").open("acme", torn).is_err(), "{torn}");
        }
        let error = keys(TWO, "").open("acme", &sealed).unwrap_err();
        assert!(error.0.contains("encryption_key_old"), "{error:?}");
    }

    #[test]
    fn two_keys_at_a_time_let_records_change_from_one_to_the_other() {
        let sealed = keys(ONE, "").seal("acme", TEXT.to_owned()).unwrap();
        let both = keys(TWO, ONE);
        assert_eq!(both.open("acme", &sealed).unwrap(), TEXT);
        let resealed = both.reseal("acme", &sealed).unwrap().unwrap();
        assert_eq!(both.reseal("acme", &resealed).unwrap(), None, "nothing is left to do");
        assert_eq!(keys(TWO, "").open("acme", &resealed).unwrap(), TEXT, "the old key may go");
    }

    #[test]
    fn plaintext_of_before_stays_readable_and_is_sealed_when_it_is_written() {
        for keys in [keys(ONE, ""), keys("plaintext", ""), keys("", "")] {
            assert_eq!(keys.open("acme", TEXT).unwrap(), TEXT);
        }
        assert!(keys(ONE, "").reseal("acme", TEXT).unwrap().is_some());
        assert_eq!(keys("plaintext", "").seal("acme", TEXT.to_owned()).unwrap(), TEXT);
        // And back, as long as the key is there to read with.
        let sealed = keys(ONE, "").seal("acme", TEXT.to_owned()).unwrap();
        assert_eq!(keys("plaintext", ONE).reseal("acme", &sealed).unwrap().as_deref(), Some(TEXT));
    }

    #[test]
    fn without_a_key_nothing_is_stored() {
        let error = keys("", "").seal("acme", TEXT.to_owned()).unwrap_err();
        assert!(error.0.contains("encryption_key"), "{error:?}");
        assert!(keys("", ONE).seal("acme", TEXT.to_owned()).is_err(), "the old key reads only");
    }

    #[test]
    fn what_is_no_key_is_said_with_its_variable() {
        for (current, old, variable) in [("short", "", "encryption_key "), (ONE, "AAEC", "encryption_key_old ")] {
            let error = Keys::read(current, old, || [7; 24]).map(drop).unwrap_err();
            assert!(error.contains(variable) && !error.contains("AAEC"), "{error}");
        }
    }
}
