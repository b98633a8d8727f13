//! Signatures in minisign's format over the list of checksums, with a key from the environment.

use std::io::Cursor;

use anyhow::{Context, Result};
use minisign::SecretKeyBox;

/// Holds the whole text of a minisign secret key file.
const KEY: &str = "MINISIGN_SECRET_KEY";
/// Holds its password; empty or absent where the key has none (`minisign -G -W`).
const PASSWORD: &str = "MINISIGN_PASSWORD";

/// A secret key with what opens it.
pub(crate) struct Key {
    /// The text of the key file.
    pub(crate) text: String,
    /// None where the key has none.
    pub(crate) password: Option<String>,
}

impl Key {
    /// The environment's; none where it has none.
    pub(crate) fn given() -> Option<Self> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Some(Self { text: variable(KEY)?, password: variable(PASSWORD) })
    }

    /// The signature file's text over these bytes. The trusted comment says what is signed, and is signed itself.
    pub(crate) fn sign(self, bytes: &[u8], trusted_comment: &str) -> Result<String> {
        let key = SecretKeyBox::from_string(&self.text).with_context(|| format!("{KEY} is no minisign secret key"))?;
        let key = match self.password {
            Some(password) => {
                key.into_secret_key(Some(password)).with_context(|| format!("{PASSWORD} does not open the key"))
            }
            None => {
                key.into_unencrypted_secret_key().with_context(|| format!("{KEY} does not open without {PASSWORD}"))
            }
        }?;
        let comment = Some("signature of the release's SHA256SUMS");
        Ok(minisign::sign(None, &key, Cursor::new(bytes), Some(trusted_comment), comment)?.into_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_key_or_password_is_named_and_not_shown() {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        let key = pair.sk.to_box(None).unwrap().to_string();
        let sign = |key: &str, password: Option<&str>| {
            Key { text: key.to_owned(), password: password.map(str::to_owned) }.sign(b"sums", "test")
        };
        assert!(sign(&key, None).unwrap().contains("trusted comment: test"));
        for (key, password) in [("no key", None), (&key[..60], None), (key.as_str(), Some("hunter2"))] {
            let error = format!("{:#}", sign(key, password).unwrap_err());
            assert!(error.contains("MINISIGN_"), "{error}");
            assert!(!error.contains("hunter2") && !error.contains(key), "{error}");
        }
    }
}
