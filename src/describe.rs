//! Who the connector is and what a host must provide for it.

use crate::error::Error;
use crate::settings::{Settings, schema};

/// One origin that will be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundHost {
    /// Scheme, host and port.
    pub origin: String,
    /// For the person who allows it.
    pub purpose: &'static str,
    /// Header and setting, for hosts that add the credential themselves.
    pub credential: Option<&'static str>,
}

/// The answer of `describe`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The JSON Schema of the settings.
    pub settings_schema: &'static str,
    /// Every origin that will be called.
    pub outbound: Vec<OutboundHost>,
}

/// Short name of the connector.
pub const NAME: &str = "freshworks";
/// The help desk's name.
pub const VENDOR: &str = "Freshworks";
/// Headers that `on-webhook` needs.
pub const WEBHOOK_HEADERS: [&str; 1] = [crate::webhook::signature::HEADER];

/// Describes the connector, with the exact origin when settings are given.
pub fn describe(settings: Option<&str>) -> Result<Descriptor, Error> {
    let origin = match settings {
        Some(settings) => Settings::parse(settings)?.origin()?,
        None => "https://*.freshchat.com".to_owned(),
    };
    let chat = OutboundHost {
        origin,
        purpose: "the Freshchat API of the account",
        credential: Some("authorization: Bearer {api_key}"),
    };
    Ok(Descriptor { settings_schema: schema::JSON_SCHEMA, outbound: vec![chat] })
}
