//! Connections: settings come in, are checked against the account, and are shown without their secrets.

pub mod status;

use base64ct::{Base64UrlUnpadded, Encoding};
use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::settings::{Settings, chat_url, schema::JSON_SCHEMA, ticket_domain};
use freshworks_handoff::use_cases::choices::{self, List};
use freshworks_handoff::use_cases::connect;
use freshworks_handoff::use_cases::webhook::public_key;
use handoff_contract::model::{Finding, FindingLevel, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::access::Caller;
use crate::http::json::Fields;
use crate::http::problem::{FieldProblem, Problem, read};
use crate::http::responses::{
    CheckedConnectionResponse, ChoiceResponse, ChoicesResponse, ConnectionResponse, PlatformKind, SettingsResponse,
    WebhookAddresses,
};
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::platform::{Platform, PlatformSettings, Webhooks, web_url};
use crate::service::Service;
use crate::state::{Connection, OldSecret, Outage};

/// What `PUT /v1/connections/{connection}` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectBody {
    /// The settings of the Freshworks account, as the schema `Settings` of this document has them. As forms send them: null
    /// and blank texts mean "not set". Settings that are not known are kept, and named in a warning.
    pub settings: Map<String, Value>,
    /// The platform's side.
    pub platform: PlatformSettings,
    /// Who else gets what Freshworks sends: an http or https URL.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = web_url::PATTERN)))]
    pub forward_url: Option<String>,
    /// For how many days what has ended is kept: handoffs with their timelines, events that nobody fetched, and webhooks that could
    /// not be worked off. Counted from the last change; none for 30. Left out together with `keep_secrets`, it stays as it is.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 3650)))]
    pub keep_days: Option<u16>,
    /// Secrets that are blank or left out stay as they are, those of the platform as long as its kind does; null removes one. For
    /// forms, which never get to see them.
    #[serde(default)]
    pub keep_secrets: bool,
}

/// As long as addresses of webhooks may be good beside those that replace them: 30 days.
const MAX_OVERLAP_HOURS: u32 = 720;

/// What `POST /v1/connections/{connection}/webhook-secret` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeWebhooksBody {
    /// For how many hours the addresses so far are good beside the new ones. 0 ends them at once: webhooks are lost until the new ones
    /// are pasted.
    #[cfg_attr(feature = "schema", schemars(range(max = 720)))]
    pub overlap_hours: u32,
}
/// Days for which what has ended can be kept.
const KEEP_DAYS: std::ops::RangeInclusive<u16> = 1..=3650;

/// What `POST /v1/webhook-key` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookKeyBody {
    /// What was pasted.
    pub key: String,
}

/// What a pasted text is.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookKeyResponse {
    /// Webhooks can be verified with it.
    pub is_usable: bool,
    /// Its length; null where it is no usable key.
    pub bits: Option<usize>,
    /// The beginning of its SHA-256, so that two keys can be told apart; null where it is no usable key.
    pub fingerprint: Option<String>,
    /// What is wrong with it, in the words of findings.
    pub code: Option<&'static str>,
    /// What it is.
    pub detail: String,
    /// What to do.
    pub remedy: Option<&'static str>,
}

/// Says what a pasted key is.
pub(crate) fn recognise(body: &WebhookKeyBody) -> WebhookKeyResponse {
    match public_key::parse(&body.key) {
        Ok(key) => {
            let bits = key.n.len() * 8;
            WebhookKeyResponse {
                is_usable: true,
                bits: Some(bits),
                fingerprint: Some(digest(&[&Base64UrlUnpadded::encode_string(&key.n)], 8)),
                code: None,
                detail: format!("an RSA public key of {bits} bits"),
                remedy: None,
            }
        }
        Err(fault) => WebhookKeyResponse {
            is_usable: false,
            bits: None,
            fingerprint: None,
            code: Some(fault.code()),
            detail: fault.detail().to_owned(),
            remedy: Some(fault.remedy()),
        },
    }
}

/// Names of the settings that are never shown.
fn secret_settings() -> Vec<String> {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap_or_default();
    let properties = schema.field("properties").as_object().cloned().unwrap_or_default();
    properties.into_iter().filter(|(_, property)| property.field("writeOnly") == true).map(|(name, _)| name).collect()
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    }
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

fn platform_object(platform: &PlatformSettings) -> Map<String, Value> {
    match serde_json::to_value(platform) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

/// Takes the secrets that a form has left blank from what is stored. A secret that would go to another destination than it was
/// given for is not taken: it is asked for again.
fn keep_secrets(body: &mut Value, before: &Connection) -> Result<(), Problem> {
    let stored = object(&before.settings);
    if let Some(settings) = body.get_mut("settings").and_then(Value::as_object_mut) {
        let moved = [
            ("api_key", "chat_url", account_of(settings) != account_of(&stored)),
            ("ticket_api_key", "ticket_domain", desk_of(settings) != desk_of(&stored)),
        ];
        for (secret, destination, is_moved) in moved {
            may_keep(settings, &stored, "settings", secret, destination, is_moved)?;
        }
        keep(settings, &stored, secret_settings().iter().map(String::as_str));
    }
    let stored = platform_object(&before.platform);
    if let Some(platform) =
        body.get_mut("platform").and_then(Value::as_object_mut).filter(|it| it.get("kind") == stored.get("kind"))
    {
        let is_moved = text_of(platform, "callback_url") != text_of(&stored, "callback_url");
        may_keep(platform, &stored, "platform", "secret", "callback_url", is_moved)?;
        let is_moved = application_of(platform) != application_of(&stored);
        may_keep(platform, &stored, "platform", "api_token", "app_id", is_moved)?;
        if is_moved && is_blank(platform.get("signature_secret")) {
            // The other application's, which that one is asked for.
            platform.insert("signature_secret".to_owned(), Value::Null);
        }
        keep(platform, &stored, before.platform.secrets().iter().copied());
        // The callback's secret is one level deeper.
        if let (Some(Value::Object(callback)), Some(Value::Object(stored))) =
            (platform.get_mut("callback"), stored.get("callback"))
        {
            let is_moved = text_of(callback, "callback_url") != text_of(stored, "callback_url");
            may_keep(callback, stored, "platform.callback", "secret", "callback_url", is_moved)?;
            keep(callback, stored, ["secret"].into_iter());
        }
    }
    Ok(())
}

/// Fails where a stored secret would be kept for a destination that it was not given for.
fn may_keep(
    given: &Map<String, Value>,
    stored: &Map<String, Value>,
    place: &str,
    secret: &str,
    destination: &str,
    is_moved: bool,
) -> Result<(), Problem> {
    let is_kept =
        !is_blank(stored.get(secret)) && given.get(secret) != Some(&Value::Null) && is_blank(given.get(secret));
    if !is_moved || !is_kept {
        return Ok(());
    }
    let detail =
        format!("`{destination}` or a test origin has changed, and the stored secret goes to no new destination");
    Err(Problem::new(422, "invalid-settings", detail)
        .at(format!("{place}.{secret}"))
        .with_remedy("Enter the secret of the new destination, or null to remove the stored one."))
}

fn text_of(object: &Map<String, Value>, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}

/// Where the key of the account goes: every form of an address is the same one.
fn account_of(settings: &Map<String, Value>) -> [String; 2] {
    let written = text_of(settings, "chat_url");
    let origin = chat_url::account_origin(&written).unwrap_or(written);
    [origin, text_of(settings, "test_origin")]
}

/// Where the key of the ticket desk goes.
fn desk_of(settings: &Map<String, Value>) -> [String; 2] {
    let written = text_of(settings, "ticket_domain");
    let origin = ticket_domain::desk(&written).map_or(written, |desk| desk.origin);
    [origin, text_of(settings, "test_ticket_origin")]
}

/// Where the token of a Delight application goes.
fn application_of(platform: &Map<String, Value>) -> [String; 2] {
    [text_of(platform, "app_id").to_ascii_lowercase(), text_of(platform, "test_origin")]
}

/// What a form that does not know it leaves out.
fn keep_retention(body: &mut Value, before: &Connection) {
    if let (Some(object), Some(days)) = (body.as_object_mut(), before.keep_days) {
        object.entry("keep_days").or_insert_with(|| days.into());
    }
}

fn keep<'a>(object: &mut Map<String, Value>, stored: &Map<String, Value>, names: impl Iterator<Item = &'a str>) {
    for name in names.filter(|name| !is_blank(stored.get(*name))) {
        if object.get(name) != Some(&Value::Null) && is_blank(object.get(name)) {
            object.insert(name.to_owned(), stored[name].clone());
        }
    }
}

/// Takes secrets out; the names of those that are set.
fn without(object: &mut Map<String, Value>, names: impl Iterator<Item = String>) -> Vec<String> {
    names.filter(|name| object.remove(name).is_some_and(|value| !is_blank(Some(&value)))).collect()
}

/// Names of the settings that differ. Never a value: some are secrets.
fn what_changed(before: Option<&Connection>, after: &Connection) -> String {
    let Some(before) = before else { return "new".to_owned() };
    let mut names = Vec::new();
    let parts = [
        ("settings", object(&before.settings), object(&after.settings)),
        ("platform", platform_object(&before.platform), platform_object(&after.platform)),
    ];
    for (part, before, after) in &parts {
        let all: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let changed = all.into_iter().filter(|name| before.get(*name) != after.get(*name) && *name != "resolved");
        names.extend(changed.map(|name| format!("{part}.{name}")));
    }
    if before.forward_url != after.forward_url {
        names.push("forward_url".to_owned());
    }
    names.join(", ")
}

/// What a platform's form must have, by its kind. The same stands in the types; here it is found all at once, and blank texts count.
const NEEDED: [(&str, &[&str]); 2] =
    [("generic", &["callback_url", "secret"]), ("delight", &["app_id", "ai_agent_id", "api_token"])];

/// The fields that are to be filled in and are not. What is of the wrong type is left to whoever reads it.
fn unfilled(body: &Value) -> Vec<FieldProblem> {
    let Some(body) = body.as_object() else { return Vec::new() };
    let mut fields = Vec::new();
    let mut need = |place: &str, object: &Map<String, Value>, names: &[&str]| {
        for name in names.iter().filter(|name| is_blank(object.get(**name))) {
            let problem = if object.contains_key(*name) { "is empty" } else { "is missing" };
            fields.push(FieldProblem { path: format!("{place}{name}"), problem });
        }
    };
    need("", body, &["settings", "platform"]);
    if let Some(platform) = body.get("platform").and_then(Value::as_object) {
        need("platform.", platform, &["kind"]);
        let kind = text_of(platform, "kind");
        if let Some((_, names)) = NEEDED.iter().find(|(known, _)| *known == kind) {
            need("platform.", platform, names);
        }
        if let Some(callback) = platform.get("callback").and_then(Value::as_object) {
            need("platform.callback.", callback, NEEDED[0].1);
        }
    }
    fields
}

/// Whether `?save=anyway` was asked for. What is not understood is refused: it could have been meant to spare a connection.
fn anyway(query: &str) -> Result<bool, Problem> {
    match query.trim_matches('&') {
        "" => Ok(false),
        "save=anyway" => Ok(true),
        _ => Err(Problem::new(400, "invalid-request", "the only parameter is `save=anyway`")
            .at("query")
            .with_remedy("Leave it out to store only what breaks nothing.")),
    }
}

/// Why settings are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Somebody has entered them. `anyway`: whatever comes out.
    Entered { anyway: bool },
    /// They are stored already. `overlap_ms`: draws another secret for webhooks' paths, and keeps the one so far good for so long.
    Stored { overlap_ms: Option<u64> },
    /// They connected earlier, and are wanted back.
    Restored,
}

/// The settings, without what was found by them.
fn entered(settings: &str) -> Map<String, Value> {
    let mut settings = object(settings);
    settings.remove("resolved");
    settings
}

/// Fails where these settings would break what works: with what their check found and the last one of this connection had not.
fn spare(before: Option<&Connection>, findings: &[Finding]) -> Result<(), Problem> {
    let Some(before) = before.filter(|before| before.connected) else { return Ok(()) };
    let had = |finding: &Finding| {
        let fails = |known: &&Value| *known.field("check") == *finding.check && known.field("level") == "failure";
        before.findings.iter().any(|known| fails(&known))
    };
    let breaks = |finding: &&Finding| finding.level == FindingLevel::Failure && !had(finding);
    let breaking: Vec<Finding> = findings.iter().filter(breaks).cloned().collect();
    let Some(first) = breaking.first() else { return Ok(()) };
    let detail =
        format!("nothing was stored, because these settings would break a connection that works: {}", first.detail);
    let mut problem = Problem::new(409, "would-break", detail)
        .with_remedy("Do what the findings say, or store the settings all the same with `?save=anyway`.");
    problem.findings = breaking;
    Err(problem)
}

/// How long to wait before an account is looked at again that could not be reached: as long as that has lasted, within these bounds.
const MIN_LOOK_MS: u64 = 30_000;
const MAX_LOOK_MS: u64 = 15 * 60 * 1000;
/// Looks that one call of `tick` makes: each may take as long as its time-outs.
const MAX_LOOKS: usize = 4;

impl Service<'_> {
    pub(crate) fn connect(
        &self,
        id: &str,
        caller: &Caller,
        call: &IncomingRequest<'_>,
    ) -> Result<OutgoingResponse, Problem> {
        self.can_store_secrets()?;
        let why = Why::Entered { anyway: anyway(call.query)? };
        let before = self.state.connection(id)?;
        let mut body: Value = read(call.body, "")?;
        let is_form = body.field("keep_secrets") == true;
        if let (true, Some(before)) = (is_form, &before) {
            keep_secrets(&mut body, before)?;
            keep_retention(&mut body, before);
        }
        if let Some(problem) = Problem::of_fields(unfilled(&body)) {
            return Err(problem);
        }
        // As it came, where nothing was added: faults are told with their place.
        let body = if is_form { read(body.to_string().as_bytes(), "")? } else { read(call.body, "")? };
        let after = self.keep_connection(id, body, before.as_ref(), why, call.now)?;
        self.audit(caller.name(), "connection-saved", Some(id), what_changed(before.as_ref(), &after));
        self.shown(&after)
    }

    /// Checks, and keeps what comes out.
    fn keep_connection(
        &self,
        id: &str,
        body: ConnectBody,
        before: Option<&Connection>,
        why: Why,
        now: Timestamp,
    ) -> Result<Connection, Problem> {
        if body.forward_url.as_deref().is_some_and(|url| web_url::split(url).is_none()) {
            return Err(Problem::new(422, "invalid-settings", "the forward URL is no http or https URL")
                .at("forward_url")
                .with_remedy("Pass the URL that gets what Freshworks sends, or leave it out."));
        }
        if body.keep_days.is_some_and(|days| !KEEP_DAYS.contains(&days)) {
            return Err(Problem::new(422, "invalid-settings", "this is no time for which data can be kept")
                .at("keep_days")
                .with_remedy("Pass 1 to 3650 days, or leave it out for 30."));
        }
        self.destinations.check(&body.settings, &body.platform, body.forward_url.as_deref())?;
        body.platform.check()?;
        // The URL is pasted into Freshworks: it stays.
        let drawn = || Base64UrlUnpadded::encode_string(&(self.draw)());
        let (webhook_secret, old_webhook_secret) = match (before, why) {
            (None, _) => (drawn(), None),
            (Some(before), Why::Stored { overlap_ms: Some(overlap_ms) }) => {
                let until = now.saturating_add(overlap_ms);
                (drawn(), Some(OldSecret { secret: before.webhook_secret.clone(), until }))
            }
            (Some(before), _) => (before.webhook_secret.clone(), before.old_webhook_secret.clone()),
        };
        let mut platform = body.platform;
        let report = connect::connect(self.http, &Value::Object(body.settings).to_string())?;
        // What an earlier check of the very same settings has found.
        let is_same =
            |known: &&Connection| entered(&known.settings) == entered(&report.settings) && known.platform == platform;
        let known = match why {
            Why::Entered { .. } => before.filter(is_same),
            Why::Stored { .. } => before,
            Why::Restored => before.and_then(|before| before.earlier.as_deref()),
        };
        let must_spare = why == Why::Entered { anyway: false } && known.is_none();
        let mut findings = report.findings;
        if must_spare {
            // Before anything is set up at the platform.
            spare(before, &findings)?;
        }
        findings.extend(platform.connect(self.http, &self.webhooks(id, &webhook_secret)));
        if must_spare {
            spare(before, &findings)?;
        }
        let is_out = |finding: &Finding| finding.level == FindingLevel::Failure && connect::is_outage(&finding.code);
        let is_stopped = findings.iter().any(connect::stops_handoffs);
        let is_wrong = findings.iter().any(|finding| connect::stops_handoffs(finding) && !is_out(finding));
        let is_outage = findings.iter().any(is_out);
        // An outage says nothing about settings: what was known of them stands.
        let known_before = known.filter(|_| is_outage && !is_wrong);
        let connected = if is_stopped { known_before.is_some_and(|known| known.connected) } else { true };
        let (mut settings, mut account) = (report.settings, report.account);
        let mut told = Vec::new();
        for finding in &findings {
            let level =
                if connected && connect::stops_handoffs(finding) { FindingLevel::Warning } else { finding.level };
            // Fails for maps whose keys are no texts; a finding has none.
            told.push(serde_json::to_value(Finding { level, ..finding.clone() }).unwrap_or_default());
        }
        if let Some(known) = known_before {
            settings.clone_from(&known.settings);
            account = account.or_else(|| known.account.clone());
            let is_told = |one: &Value| findings.iter().any(|finding| *one.field("check") == *finding.check);
            told.extend(known.findings.iter().filter(|one| !is_told(one)).cloned());
        }
        let outage = is_outage.then(|| {
            let began = known.and_then(|known| known.outage.as_ref()).map_or(now, |outage| outage.since);
            let wait = now.saturating_sub(began).clamp(MIN_LOOK_MS, MAX_LOOK_MS);
            Outage { since: began, look_at: now.saturating_add(wait) }
        });
        let key = |settings: &str| object(settings).get("webhook_public_key").cloned();
        let same_key = before.filter(|before| key(&before.settings) == key(&settings));
        let same_verdict = before.filter(|before| before.connected == connected);
        let connection = Connection {
            id: id.to_owned(),
            account,
            connected,
            checked_at: now,
            key_since: same_key.map_or_else(|| (self.clock)(), |before| before.key_since),
            platform,
            webhook_secret,
            old_webhook_secret: old_webhook_secret.filter(|old| now < old.until),
            forward_url: body.forward_url,
            findings: told,
            keep_days: body.keep_days,
            verdict_since: same_verdict.map_or(now, Connection::since),
            outage,
            earlier: before.and_then(|before| earlier(before, why, &settings)),
            settings,
        };
        // Checks take seconds: what came meanwhile is newer, and what is gone stays so.
        if self.state.connection(id)?.as_ref() != before {
            return Err(Problem::new(503, "busy", "the connection was changed or deleted while it was checked")
                .at("connection")
                .with_remedy("Look at it, and repeat what is still wanted.")
                .after(1_000));
        }
        self.state.save_connection(&connection)?;
        Ok(connection)
    }

    /// Checks what is stored anew.
    pub(crate) fn check(&self, connection: &Connection, now: Timestamp) -> Result<OutgoingResponse, Problem> {
        self.shown(&self.check_anew(connection, None, now)?)
    }

    /// Brings the settings back that last connected.
    pub(crate) fn restore(
        &self,
        connection: &Connection,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<OutgoingResponse, Problem> {
        self.can_store_secrets()?;
        let Some(earlier) = &connection.earlier else {
            return Err(Problem::new(409, "nothing-to-restore", "no other settings of this connection have connected")
                .at("connection")
                .with_remedy("Enter the settings, and save them."));
        };
        let body = ConnectBody {
            settings: entered(&earlier.settings),
            platform: earlier.platform.clone(),
            forward_url: earlier.forward_url.clone(),
            keep_days: connection.keep_days,
            keep_secrets: false,
        };
        let after = self.keep_connection(&connection.id, body, Some(connection), Why::Restored, now)?;
        let detail = what_changed(Some(connection), &after);
        self.audit(caller.name(), "connection-restored", Some(&connection.id), detail);
        self.shown(&after)
    }

    /// Checks those again that could not be reached, the longest overdue first, as far as there is time before `until`.
    pub(crate) fn look_again(&self, connections: &[Connection], until: Timestamp) {
        let mut after = 0;
        for _ in 0..MAX_LOOKS {
            let now = (self.clock)();
            let due = connections.iter().filter_map(|one| Some((one.outage.as_ref()?.look_at, one)));
            let next = due.filter(|(at, _)| (after..=now).contains(at)).min_by_key(|(at, _)| *at);
            let Some((at, connection)) = next.filter(|_| now < until) else { break };
            after = at.saturating_add(1);
            // Whoever changes it meanwhile checks it, too.
            if let Err(problem) = self.check_anew(connection, None, now) {
                self.warn(&connection.id, "", &format!("it was not checked again: {}", problem.detail));
            }
        }
    }

    /// Other addresses for webhooks. Where the platform lets the bridge set up its webhook, that moves along.
    pub(crate) fn change_webhooks(
        &self,
        connection: &Connection,
        caller: &Caller,
        call: &IncomingRequest<'_>,
    ) -> Result<OutgoingResponse, Problem> {
        let ChangeWebhooksBody { overlap_hours } = read(call.body, "change")?;
        if overlap_hours > MAX_OVERLAP_HOURS {
            return Err(Problem::new(400, "invalid-request", "the overlap is too long")
                .at("change.overlap_hours")
                .with_remedy(format!("Pass 0 to {MAX_OVERLAP_HOURS} hours.")));
        }
        let after = self.check_anew(connection, Some(u64::from(overlap_hours) * 60 * 60 * 1000), call.now)?;
        let detail = format!("the addresses so far are good for {overlap_hours} hours");
        self.audit(caller.name(), "webhook-secret-changed", Some(&connection.id), detail);
        self.shown(&after)
    }

    fn check_anew(
        &self,
        connection: &Connection,
        overlap_ms: Option<u64>,
        now: Timestamp,
    ) -> Result<Connection, Problem> {
        self.can_store_secrets()?;
        let body = ConnectBody {
            // What was found is to be found anew.
            settings: entered(&connection.settings),
            platform: connection.platform.clone(),
            forward_url: connection.forward_url.clone(),
            keep_days: connection.keep_days,
            keep_secrets: false,
        };
        self.keep_connection(&connection.id, body, Some(connection), Why::Stored { overlap_ms }, now)
    }

    /// What the settings of a form may name, asked with the form's key or with the stored one. Stores nothing.
    pub(crate) fn choices(&self, id: &str, call: &IncomingRequest<'_>) -> Result<OutgoingResponse, Problem> {
        let mut body: Value = read(call.body, "connection")?;
        if let (true, Some(before)) = (body.field("keep_secrets") == true, self.state.connection(id)?) {
            keep_secrets(&mut body, &before)?;
        }
        let body: ConnectBody = read(body.to_string().as_bytes(), "connection")?;
        self.destinations.check(&body.settings, &body.platform, body.forward_url.as_deref())?;
        let found = choices::choices(self.http, &Value::Object(body.settings).to_string())?;
        let list = |list: List| -> Option<Vec<ChoiceResponse>> {
            let answer =
                |one: choices::Choice| ChoiceResponse { value: one.value, label: one.label, is_usable: one.is_usable };
            Some(list?.into_iter().map(answer).collect())
        };
        Ok(OutgoingResponse::ok(ChoicesResponse {
            topics: list(found.topics),
            groups: list(found.groups),
            agents: list(found.agents),
            properties: list(found.properties),
            ticket_groups: list(found.ticket_groups),
        }))
    }

    /// What a form shows.
    pub(crate) fn settings(&self, connection: &Connection) -> Result<OutgoingResponse, Problem> {
        let mut settings = object(&connection.settings);
        settings.remove("resolved");
        let secrets = without(&mut settings, secret_settings().into_iter());
        let mut platform = platform_object(&connection.platform);
        let names = connection.platform.secrets().iter().map(|name| (*name).to_owned());
        let mut platform_secrets = without(&mut platform, names);
        if let Some(Value::Object(callback)) = platform.get_mut("callback") {
            let found = without(callback, ["secret".to_owned()].into_iter());
            platform_secrets.extend(found.into_iter().map(|name| format!("callback.{name}")));
        }
        let (forward_url, keep_days) = (connection.forward_url.clone(), connection.keep_days);
        Ok(OutgoingResponse::ok(SettingsResponse {
            settings,
            secrets,
            platform,
            platform_secrets,
            forward_url,
            keep_days,
        }))
    }

    fn webhooks(&self, id: &str, secret: &str) -> Webhooks {
        let at = |who: &str| format!("{}/webhooks/{who}/{id}/{secret}", self.public_url);
        let are_urls = web_url::split(self.public_url).is_some();
        Webhooks { freshchat: at("freshchat"), platform: at("platform"), chat: at("sendbird"), are_urls }
    }

    /// How it stands, with what the last check found.
    pub(crate) fn shown(&self, connection: &Connection) -> Result<OutgoingResponse, Problem> {
        let (connection, findings) = (self.status_of(connection)?, connection.findings.clone());
        Ok(OutgoingResponse::ok(CheckedConnectionResponse { connection, findings }))
    }

    pub(crate) fn status_of(&self, connection: &Connection) -> Result<ConnectionResponse, Problem> {
        let counts = self.state.counts(&connection.id)?;
        let webhooks = self.webhooks(&connection.id, &connection.webhook_secret);
        let (kind, platform, chat) = match connection.platform {
            PlatformSettings::Generic(_) => (PlatformKind::Generic, Some(webhooks.platform), None),
            PlatformSettings::Delight(_) => (PlatformKind::Delight, Some(webhooks.platform), Some(webhooks.chat)),
            PlatformSettings::Polling(_) => (PlatformKind::Polling, None, None),
        };
        Ok(ConnectionResponse {
            id: connection.id.clone(),
            connected: connection.connected,
            status: status::of(connection, &counts, (self.clock)()),
            restorable_at: connection.earlier.as_ref().map(|earlier| earlier.checked_at),
            account: connection.account.clone(),
            topic: topic_of(&connection.settings),
            checked_at: connection.checked_at,
            old_webhooks_until: connection.old_webhook_secret.as_ref().map(|old| old.until),
            platform: kind,
            webhooks: WebhookAddresses {
                freshchat: webhooks.freshchat,
                tickets: self.ticket_webhook_of(connection),
                platform,
                chat,
            },
        })
    }
}

/// What can be brought back after these settings are stored in place of those before: what connected, rather without a failed part.
fn earlier(before: &Connection, why: Why, settings: &str) -> Option<Box<Connection>> {
    let is_whole = !before.findings.iter().any(|finding| finding.field("level") == "failure");
    let is_replaced = entered(&before.settings) != entered(settings) || why == Why::Restored;
    if is_replaced && before.connected && (is_whole || before.earlier.is_none()) {
        return Some(Box::new(Connection { earlier: None, outage: None, old_webhook_secret: None, ..before.clone() }));
    }
    if why == Why::Restored { None } else { before.earlier.clone() }
}

/// The topic that handoffs go to: the first of the settings that was found.
fn topic_of(settings: &str) -> Option<String> {
    let found = object(settings);
    let topics = Settings::parse(settings).ok()?.topics;
    topics.into_iter().find(|topic| !found.field("resolved").field("topics").field(topic).is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_key_is_recognised_or_told_what_it_is_instead() {
        let key = include_str!("../../../fixtures/keys/rsa-3072.pub.pem");
        let seen = recognise(&WebhookKeyBody { key: key.replace('\n', " ") });
        assert_eq!((seen.is_usable, seen.bits), (true, Some(3072)));
        assert_eq!(seen.fingerprint.unwrap().len(), 16);
        let seen = recognise(&WebhookKeyBody { key: "-----BEGIN PRIVATE KEY-----".to_owned() });
        assert_eq!((seen.is_usable, seen.code), (false, Some("webhook-key-is-private")));
    }

    #[test]
    fn only_blank_secrets_are_kept() {
        let stored = object(r#"{ "api_key": "old", "ticket_api_key": "" }"#);
        let mut given = object(r#"{ "api_key": " ", "group": "" }"#);
        keep(&mut given, &stored, ["api_key", "ticket_api_key"].into_iter());
        assert_eq!(Value::Object(given.clone()), serde_json::json!({ "api_key": "old", "group": "" }));
        for changed in [Value::from("new"), Value::Null] {
            given["api_key"] = changed.clone();
            keep(&mut given, &stored, ["api_key"].into_iter());
            assert_eq!(given["api_key"], changed);
        }
    }
}
