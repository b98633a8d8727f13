//! From a tenant's settings and the operator's options to a sandbox.

use std::time::Duration;

use handoff_host::{AllowList, CredentialError, CredentialInjector, Limits, Plugin, Sandbox};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::call;

/// What the operator says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// More origins on the internet, or wildcards such as `https://*.files.example`.
    allow: Vec<String>,
    /// Origins wherever they are.
    allow_internal: Vec<String>,
    /// The host adds the credentials, and the plugin does not see them.
    host_credentials: bool,
    calls_at_once: u32,
    limits: Bounds,
}

/// [`Limits`]; what is missing is the default.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    memory_bytes: Option<usize>,
    cpu_seconds: Option<f64>,
    wall_seconds: Option<f64>,
    max_response_bytes: Option<u64>,
    max_requests: Option<u32>,
    max_total_bytes: Option<u64>,
}

impl Bounds {
    fn limits(&self) -> Result<Limits, String> {
        let usual = Limits::default();
        let time = |name: &str, given: Option<f64>, usual| match given.map(Duration::try_from_secs_f64) {
            None => Ok(usual),
            Some(Ok(time)) if !time.is_zero() => Ok(time),
            Some(_) => Err(call::invalid(
                &format!("limits.{name}"),
                &format!("`limits.{name}` is not a time"),
                "Give a number of seconds above 0.",
            )),
        };
        Ok(Limits {
            memory_bytes: self.memory_bytes.unwrap_or(usual.memory_bytes),
            cpu: time("cpu_seconds", self.cpu_seconds, usual.cpu)?,
            wall: time("wall_seconds", self.wall_seconds, usual.wall)?,
            max_response_bytes: self.max_response_bytes.unwrap_or(usual.max_response_bytes),
            max_requests: self.max_requests.unwrap_or(usual.max_requests),
            max_total_bytes: self.max_total_bytes.unwrap_or(usual.max_total_bytes),
        })
    }
}

/// The sandbox, and the settings for the plugin. Makes no request.
///
/// # Errors
///
/// An answer as of a call, as JSON: the plugin's own, or what is wrong with an origin or a credential. It holds no secret.
pub(crate) async fn make(
    plugin: &Plugin,
    nowhere: Sandbox,
    settings: &str,
    options: &Options,
) -> Result<(Sandbox, String), String> {
    let limits = options.limits.limits()?;
    let described = plugin.describe(&nowhere, Some(settings)).await.result.map_err(|error| {
        let (name, value) = call::failure(&error);
        Value::Object(Map::from_iter([(name.to_owned(), value)])).to_string()
    })?;
    let mut allow = operator(options)?;
    // A wildcard here means that the settings do not name the account; only the operator may allow one.
    for host in described.outbound.iter().filter(|host| !host.origin.contains('*')) {
        // What a tenant wrote leads to the internet, or to what the operator has named.
        if !allow.allows_internal(&host.origin) {
            allow.allow(&host.origin).map_err(|error| {
                call::error(
                    "invalid-settings",
                    "settings",
                    &format!("the settings lead to {error}"),
                    &format!(
                        "Correct them, or pass allow_internal=[\"{}\"] for a simulator or a service inside.",
                        host.origin
                    ),
                )
            })?;
        }
    }
    let mut sandbox = nowhere.allow(allow).limits(limits).calls_at_once(options.calls_at_once);
    let mut settings: Map<String, Value> = serde_json::from_str(settings).map_err(|_| {
        call::error("invalid-settings", "settings", "the settings are no JSON object", "Pass a dictionary.")
    })?;
    if options.host_credentials {
        sandbox = sandbox.credentials(take(&described.outbound, &mut settings)?);
    }
    Ok((sandbox, Value::Object(settings).to_string()))
}

/// What the operator allows besides.
fn operator(options: &Options) -> Result<AllowList, String> {
    let mut allow = AllowList::none();
    let remedy = "Give origins such as `https://files.example` or `https://*.files.example`.";
    for origin in &options.allow {
        let allowed = if origin.contains("://*.") { allow.allow_subdomains(origin) } else { allow.allow(origin) };
        allowed.map_err(|error| call::invalid("allow", &error.to_string(), remedy))?;
    }
    for origin in &options.allow_internal {
        let remedy = "Give origins such as `http://127.0.0.1:8787`.";
        allow.allow_internal(origin).map_err(|error| call::invalid("allow_internal", &error.to_string(), remedy))?;
    }
    Ok(allow)
}

fn take(
    outbound: &[handoff_host::bindings::OutboundHost],
    settings: &mut Map<String, Value>,
) -> Result<CredentialInjector, String> {
    CredentialInjector::take_from(outbound, settings).map_err(|error| {
        let (field, remedy) = match &error {
            CredentialError::MissingSetting(name) => {
                (format!("settings.{name}"), "Enter it, or pass host_credentials=False when somebody else adds it.")
            }
            CredentialError::BadSetting(name) => (format!("settings.{name}"), "Copy it again, without line breaks."),
            _ => ("settings".to_owned(), "Report it: the plugin describes a credential that no host can add."),
        };
        call::error("invalid-settings", &field, &error.to_string(), remedy)
    })
}
