//! Credentials that the host adds, so that the plugin never sees them.
//!
//! `describe` says for each origin which header proves who we are, as `authorization: Bearer {api_key}`. The host fills
//! the braces from the tenant's settings, leaves that setting out of what it passes to the plugin, and adds the header
//! to requests to that origin only.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::allow::{Origin, OriginError};
use crate::bindings::OutboundHost;

/// Adds a header to requests to one origin.
struct Rule {
    origin: Origin,
    header: HeaderName,
    value: HeaderValue,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: [redacted]", self.origin, self.header)
    }
}

/// The headers that the host adds, by origin.
#[derive(Debug, Default)]
pub struct CredentialInjector {
    rules: Vec<Rule>,
    override_plugin: bool,
}

/// Why a credential cannot be added. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialError {
    /// `describe` names an origin that is not one.
    Origin(OriginError),
    /// Not `<header>: <scheme> {<setting>}`.
    Template(String),
    /// The settings do not hold this text.
    MissingSetting(String),
    /// The setting holds characters that a header cannot.
    BadSetting(String),
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin(error) => error.fmt(f),
            Self::Template(template) => write!(f, "`{template}` is not `<header>: <scheme> {{<setting>}}`"),
            Self::MissingSetting(name) => write!(f, "the setting `{name}` is missing"),
            Self::BadSetting(name) => write!(f, "the setting `{name}` holds characters that a header cannot"),
        }
    }
}

impl std::error::Error for CredentialError {}

impl CredentialInjector {
    /// The injector that adds nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Replaces a header that the plugin set itself. Without this the plugin's own header stays.
    #[must_use]
    pub fn overriding(mut self) -> Self {
        self.override_plugin = true;
        self
    }

    /// Adds `header: value` to requests to `origin`.
    ///
    /// # Errors
    ///
    /// When one of the three is malformed.
    pub fn add(&mut self, origin: &str, header: &str, value: &str) -> Result<(), CredentialError> {
        let origin = origin.parse().map_err(CredentialError::Origin)?;
        let header = header.parse().map_err(|_| CredentialError::Template(header.to_owned()))?;
        let mut value =
            HeaderValue::from_str(value).map_err(|_| CredentialError::BadSetting("a credential".to_owned()))?;
        value.set_sensitive(true);
        self.rules.push(Rule { origin, header, value });
        Ok(())
    }

    /// Reads the credentials that `describe` asks for out of a tenant's settings, and takes them out of the settings.
    ///
    /// A setting may be used by several origins. An origin whose setting is missing is skipped when it is optional for
    /// the plugin too; that is why a missing setting is an error only if no origin got its credential.
    ///
    /// # Errors
    ///
    /// When `describe` or a setting is malformed, or none of the settings is there.
    pub fn take_from(outbound: &[OutboundHost], settings: &mut Map<String, Value>) -> Result<Self, CredentialError> {
        let mut injector = Self::none();
        let mut used = Vec::new();
        let mut missing = None;
        for host in outbound {
            let Some(template) = &host.credential else { continue };
            let credential = Template::parse(template)?;
            let Some(secret) = settings.get(credential.setting).and_then(Value::as_str) else {
                missing = Some(CredentialError::MissingSetting(credential.setting.to_owned()));
                continue;
            };
            injector.add(&host.origin, credential.header, &credential.fill(secret)).map_err(|error| match error {
                CredentialError::BadSetting(_) => CredentialError::BadSetting(credential.setting.to_owned()),
                other => other,
            })?;
            used.push(credential.setting);
        }
        if let (true, Some(missing)) = (used.is_empty(), missing) {
            return Err(missing);
        }
        for name in used {
            settings.remove(name);
        }
        Ok(injector)
    }

    /// Adds what belongs to this origin.
    pub(crate) fn apply(&self, origin: &Origin, headers: &mut HeaderMap) {
        for rule in self.rules.iter().filter(|rule| rule.origin == *origin) {
            if self.override_plugin || !headers.contains_key(&rule.header) {
                headers.insert(rule.header.clone(), rule.value.clone());
            }
        }
    }
}

/// `<header>: <before>{<setting>}<after>`.
struct Template<'a> {
    header: &'a str,
    before: &'a str,
    setting: &'a str,
    after: &'a str,
}

impl<'a> Template<'a> {
    fn parse(template: &'a str) -> Result<Self, CredentialError> {
        let parse = || {
            let (header, value) = template.split_once(':')?;
            let (before, rest) = value.trim().split_once('{')?;
            let (setting, after) = rest.split_once('}')?;
            let plain = !setting.is_empty() && !after.contains(['{', '}']) && header.parse::<HeaderName>().is_ok();
            plain.then_some(Self { header, before, setting, after })
        };
        parse().ok_or_else(|| CredentialError::Template(template.to_owned()))
    }

    /// The header's value. What follows `Basic` is encoded, as RFC 7617 has it; the template holds it in clear, for
    /// example `Basic {freshdesk_key}:X`.
    fn fill(&self, secret: &str) -> String {
        match self.before.split_once(' ') {
            Some((scheme, before)) if scheme.eq_ignore_ascii_case("basic") => {
                let clear = format!("{before}{secret}{}", self.after);
                format!("{scheme} {}", Base64::encode_string(clear.as_bytes()))
            }
            _ => format!("{}{secret}{}", self.before, self.after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn host(origin: &str, credential: &str) -> OutboundHost {
        OutboundHost { origin: origin.to_owned(), purpose: String::new(), credential: Some(credential.to_owned()) }
    }

    fn settings(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn header(injector: &CredentialInjector, origin: &str, headers: &[(&'static str, &'static str)]) -> Option<String> {
        let mut map: HeaderMap =
            headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
        injector.apply(&origin.parse().unwrap(), &mut map);
        map.get("authorization").map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_credential_goes_to_its_own_origin_only() {
        let mut settings = settings(json!({"api_key": "s3cret", "topic": "Sales"}));
        let outbound = [host("https://acme.example", "authorization: Bearer {api_key}")];
        let injector = CredentialInjector::take_from(&outbound, &mut settings).unwrap();
        assert_eq!(header(&injector, "https://acme.example", &[]).as_deref(), Some("Bearer s3cret"));
        assert_eq!(header(&injector, "https://other.example", &[]), None);
        assert_eq!(header(&injector, "https://acme.example:444", &[]), None);
        assert_eq!(Value::Object(settings), json!({"topic": "Sales"}));
    }

    #[test]
    fn two_origins_may_share_a_setting() {
        let mut settings = settings(json!({"k": "x"}));
        let outbound =
            [host("https://a.example", "authorization: Bearer {k}"), host("https://b.example", "Authorization: {k}")];
        let injector = CredentialInjector::take_from(&outbound, &mut settings).unwrap();
        assert_eq!(header(&injector, "https://a.example", &[]).as_deref(), Some("Bearer x"));
        assert_eq!(header(&injector, "https://b.example", &[]).as_deref(), Some("x"));
        assert!(settings.is_empty());
    }

    #[test]
    fn basic_credentials_are_encoded() {
        let mut settings = settings(json!({"freshdesk_key": "abc"}));
        let outbound = [host("https://a.example", "authorization: Basic {freshdesk_key}:X")];
        let injector = CredentialInjector::take_from(&outbound, &mut settings).unwrap();
        assert_eq!(header(&injector, "https://a.example", &[]).as_deref(), Some("Basic YWJjOlg="));
    }

    #[test]
    fn the_plugins_own_header_stays_unless_configured() {
        let own = [("authorization", "Bearer own")];
        let mut injector = CredentialInjector::none();
        injector.add("https://a.example", "authorization", "Bearer host").unwrap();
        assert_eq!(header(&injector, "https://a.example", &own).as_deref(), Some("Bearer own"));
        assert_eq!(header(&injector.overriding(), "https://a.example", &own).as_deref(), Some("Bearer host"));
    }

    #[test]
    fn an_optional_origin_without_its_setting_is_skipped() {
        let outbound = [
            host("https://a.example", "authorization: Bearer {a}"),
            host("https://b.example", "authorization: Bearer {b}"),
        ];
        let injector = CredentialInjector::take_from(&outbound, &mut settings(json!({"a": "1"}))).unwrap();
        assert_eq!(header(&injector, "https://b.example", &[]), None);
        let error = CredentialInjector::take_from(&outbound, &mut settings(json!({}))).unwrap_err();
        assert_eq!(error, CredentialError::MissingSetting("b".to_owned()));
    }

    #[test]
    fn malformed_templates_are_refused() {
        for template in ["", "authorization", "authorization: Bearer", "a b: {x}", "x: {}", "x: {a", "x: {a}{b}"] {
            assert!(matches!(Template::parse(template), Err(CredentialError::Template(_))), "{template}");
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let mut all = settings(json!({"api_key": "s3cret", "bad": "s3cret\n"}));
        let injector =
            CredentialInjector::take_from(&[host("https://a.example", "authorization: Bearer {api_key}")], &mut all)
                .unwrap();
        assert_eq!(format!("{injector:?}").matches("s3cret").count(), 0);
        assert!(format!("{injector:?}").contains("[redacted]"));
        let error = CredentialInjector::take_from(&[host("https://a.example", "x: {bad}")], &mut all).unwrap_err();
        assert_eq!(error, CredentialError::BadSetting("bad".to_owned()));
    }
}
