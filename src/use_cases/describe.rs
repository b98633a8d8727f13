//! Who the connector is and what a host must provide for it.

use crate::settings::{Settings, schema};
use handoff_contract::error::Error;

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
pub const WEBHOOK_HEADERS: [&str; 1] = [crate::use_cases::webhook::signature::HEADER];

/// Describes the connector, with the exact origin when settings are given.
pub fn describe(settings: Option<&str>) -> Result<Descriptor, Error> {
    let settings = settings.map(Settings::parse).transpose()?;
    let any = |origin: &str| vec![origin.to_owned()];
    let (chat, tickets, files) = match &settings {
        None => (
            any("https://*.freshchat.com"),
            ["https://*.freshdesk.com", "https://*.freshservice.com"].map(str::to_owned).to_vec(),
            Vec::new(),
        ),
        Some(settings) => {
            let desk = settings.ticket_desk()?.map(|desk| desk.origin);
            let file_origin = |host: &String| {
                let scheme = if host.starts_with("127.0.0.1:") { "http" } else { "https" };
                format!("{scheme}://{host}")
            };
            let files = settings.file_hosts.iter().map(file_origin).collect();
            (vec![settings.origin()?], desk.into_iter().collect(), files)
        }
    };
    let mut outbound = Vec::new();
    let kinds = [
        (chat, "the Freshchat API of the account", Some("authorization: Bearer {api_key}")),
        (tickets, "the API of the ticket desk", Some("authorization: Basic {ticket_api_key}:X")),
        (files, "files of the end user, to be uploaded", None),
    ];
    for (origins, purpose, credential) in kinds {
        outbound.extend(origins.into_iter().map(|origin| OutboundHost { origin, purpose, credential }));
    }
    Ok(Descriptor { settings_schema: schema::JSON_SCHEMA, outbound })
}
