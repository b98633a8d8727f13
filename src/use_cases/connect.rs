//! Checks settings against the account and explains what an admin should do.

use crate::freshchat::endpoints::{
    Agent, Channel, GetAccount, GetAgent, Group, ListAgents, ListChannels, ListFields, ListGroups,
};
use crate::freshdesk::endpoints::{ListTicketFields, ListTicketGroups, ListTickets};
use crate::freshdesk::fields::{self, FieldKind, TicketField};
use crate::http::client::{Client, Endpoint, Failure, FailureKind, Kind, MAX_PAGES, Page, Paged, read};
use crate::http::{Http, Response, TransportError};
use crate::settings::context_map::ContextTarget;
use crate::settings::names::{self, TopicChoice};
use crate::settings::{Resolved, Settings, schema};
use crate::use_cases::webhook::public_key;
use handoff_contract::error::Error;
use handoff_contract::model::{Connection, Finding, FindingLevel};

/// What to do when the host refuses requests to an address.
const ALLOW_HOSTS: &str = "Allow the hosts that `describe` lists for these settings. On Spin they stand in allowed_outbound_hosts of spin.toml; \
                           one of your own network in the variable internal_hosts, too.";

const FORM: [&str; 12] = [
    "chat-url",
    "account",
    "topic",
    "webhook-key",
    "group",
    "agent",
    "note-author",
    "context",
    "skill",
    "ticket-desk",
    "ticket-group",
    "ticket-fields",
];

/// Checks of parts that live handoffs do without: names that are optional (what does not exist is left out at a handoff), and the
/// ticket desk.
const OPTIONAL: [&str; 8] =
    ["group", "agent", "note-author", "context", "skill", "ticket-desk", "ticket-group", "ticket-fields"];

/// Failures that pass by themselves, as far as can be told: nothing usable answered, or not now. A wrong address may look the same.
const OUTAGES: [&str; 4] = ["unreachable", "rate-limited", "unreadable", "ticket-desk-unreachable"];

/// Whether live handoffs need what this check looks at. A failure of any other check concerns its own part alone.
pub fn is_needed(check: &str) -> bool {
    !OPTIONAL.contains(&check)
}

/// Whether the code of a failure tells of an outage, so that a later check may come out right although nobody has changed anything.
pub fn is_outage(code: &str) -> bool {
    OUTAGES.contains(&code)
}

/// Whether this finding keeps live handoffs from working.
pub fn stops_handoffs(finding: &Finding) -> bool {
    finding.level == FindingLevel::Failure && is_needed(&finding.check)
}

/// Makes every check, independent ones at once, and returns the settings with the ids that were found.
pub fn connect(http: &dyn Http, settings: &str) -> Result<Connection, Error> {
    let settings = Settings::parse(settings)?;
    let mut findings = Vec::new();
    let mut resolved = Resolved::default();
    let mut account = None;

    match Client::chat(http, &settings) {
        Err(error) => {
            let error = error.into_details();
            let remedy = error.remedy.unwrap_or_default();
            findings.push(Finding::failure("chat-url", "chat-url-refused", error.message, remedy));
        }
        Ok(freshchat) => {
            findings.push(Finding::ok("chat-url", "chat-url-valid", format!("requests go to {}", freshchat.origin())));
            resolved.origin = freshchat.origin().to_owned();
            account = check_account(&freshchat, &settings, &mut resolved, &mut findings);
        }
    }
    findings.push(check_key(&settings));
    match Client::tickets(http, &settings) {
        Ok(None) => {}
        Ok(Some(desk)) => check_tickets(&desk, &settings, &mut resolved, &mut findings),
        Err(error) => {
            let error = error.into_details();
            let remedy = error.remedy.unwrap_or_default();
            findings.push(Finding::failure("ticket-desk", "ticket-domain-refused", error.message, remedy));
        }
    }
    let mut findings = in_order_of_form(findings);
    findings.extend(settings.unknown.iter().map(|name| unknown_setting(name)));

    let connected = !findings.iter().any(stops_handoffs);
    Ok(Connection { connected, account, findings, settings: settings.to_json(&resolved) })
}

/// Stable. The library's sort is made for long lists: it would add 3 KB to the plugin.
fn in_order_of_form(findings: Vec<Finding>) -> Vec<Finding> {
    let place = |finding: &Finding| FORM.iter().position(|check| **check == finding.check);
    let mut ordered = Vec::with_capacity(findings.len());
    for finding in findings {
        let index = ordered.partition_point(|earlier| place(earlier) <= place(&finding));
        ordered.insert(index, finding);
    }
    ordered
}

/// Everything that needs the account. The first request of each list goes out together with the others.
fn check_account(
    freshchat: &Client<'_>,
    settings: &Settings,
    resolved: &mut Resolved,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let wanted_agents = WantedAgents::of(settings);
    let get_agents: Vec<GetAgent> = wanted_agents.by_id().map(|id| GetAgent { id }).collect();
    let mut requests = vec![freshchat.request(&GetAccount), freshchat.request(&ListChannels::page(1))];
    requests.extend(settings.group.is_some().then(|| freshchat.request(&ListGroups::page(1))));
    requests.extend(wanted_agents.any_by_email().then(|| freshchat.request(&ListAgents::page(1))));
    requests.extend(get_agents.iter().map(|endpoint| freshchat.request(endpoint)));
    let has_properties = settings.skill_property.is_some() || !wanted_properties(settings).is_empty();
    requests.extend(has_properties.then(|| freshchat.request(&ListFields)));
    let mut responses = freshchat.send_all(requests).into_iter();
    let mut next = || responses.next().unwrap_or_else(|| Err(TransportError::no_answer()));

    let account = read::<GetAccount>(next());
    let channels = next();
    let groups = settings.group.is_some().then(&mut next);
    let agents = wanted_agents.any_by_email().then(&mut next);
    let agents_by_id: Vec<_> = get_agents.iter().map(|_| read::<GetAgent>(next())).collect();
    let fields = has_properties.then(|| read::<ListFields>(next()));

    let name = match account {
        Ok(account) => {
            let name = account.name;
            let shown = name.clone().unwrap_or_else(|| "the account".to_owned());
            findings.push(Finding::ok("account", "account-open", format!("the API key opens {shown}")));
            name
        }
        Err(failure) => {
            // The other checks would only repeat the same fault in other words.
            findings.push(account_failure(&failure, settings));
            return None;
        }
    };
    let channels = complete::<ListChannels>(freshchat, channels);
    check_topics(channels, settings, resolved, findings);
    if let Some(fields) = fields {
        findings.extend(settings.skill_property.as_deref().map(|wanted| check_skill(&fields, wanted)));
        let wanted = wanted_properties(settings);
        findings.extend((!wanted.is_empty()).then(|| check_properties(fields, &wanted)));
    }
    if let Some((wanted, groups)) = settings.group.as_deref().zip(groups) {
        let groups = complete::<ListGroups>(freshchat, groups);
        findings.push(check_group(groups, wanted, resolved));
    }
    let by_email = match agents {
        Some(agents) => complete::<ListAgents>(freshchat, agents),
        None => Ok(Vec::new()),
    };
    let mut by_id = agents_by_id.into_iter();
    for (check, wanted) in wanted_agents.all() {
        let found = match names::agent_id(wanted) {
            Some(id) => match by_id.next().unwrap_or_else(|| Err(lost(GetAgent::KIND))) {
                Ok(agent) if agent.id != id => {
                    findings.push(other_agent(check));
                    continue;
                }
                found => found,
            },
            None => match &by_email {
                Ok(agents) => names::choose_agent(agents, wanted).cloned().ok_or_else(|| missing(ListAgents::KIND)),
                Err(failure) => Err(failure.clone()),
            },
        };
        findings.push(check_agent(check, wanted, found, resolved));
    }
    name
}

/// The rest of a list whose first page came with the first requests.
fn complete<E: Paged>(
    freshchat: &Client<'_>,
    first: Result<Response, TransportError>,
) -> Result<Vec<E::Item>, Failure> {
    freshchat.list_from::<E>(first, MAX_PAGES)
}

/// The human agents that settings name, each with the check that speaks of it.
struct WantedAgents<'a>(Vec<(&'static str, &'a str)>);

impl<'a> WantedAgents<'a> {
    fn of(settings: &'a Settings) -> Self {
        let wanted = [("agent", settings.agent.as_deref()), ("note-author", settings.note_author.as_deref())];
        Self(wanted.into_iter().filter_map(|(check, wanted)| Some((check, wanted?))).collect())
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.0.iter().copied()
    }

    fn by_id(&self) -> impl Iterator<Item = handoff_contract::model::AgentId> {
        self.0.iter().filter_map(|(_, wanted)| names::agent_id(wanted))
    }

    fn any_by_email(&self) -> bool {
        self.0.iter().any(|(_, wanted)| names::agent_id(wanted).is_none())
    }
}

fn lost(call: Kind) -> Failure {
    Failure { kind: FailureKind::Unavailable, call, retry_after_ms: None, log: String::new(), faulty: String::new() }
}

fn missing(call: Kind) -> Failure {
    Failure { kind: FailureKind::NotFound, call, retry_after_ms: None, log: String::new(), faulty: String::new() }
}

fn account_failure(failure: &Failure, settings: &Settings) -> Finding {
    let key_remedy = match settings.api_key {
        Some(_) => {
            "Is the Chat URL this account's address, and its region's? Compare it with \"Your chat URL\" beside the API key. If it is, copy the key again from Admin Settings > Marketplace and Integrations > API > API Settings > API details for chat. Only one token exists at a time: generating a new one, or deactivating the admin who made it, ends the old one."
        }
        None => {
            "The settings hold no API key: fill it in, or let the host add the Authorization header. If it does: is the Chat URL this account's address, and its region's?"
        }
    };
    let address_remedy = "Compare the Chat URL with the one that Freshworks shows beside the API key.";
    match failure.kind {
        FailureKind::Unauthorized => {
            Finding::failure("account", "api-key-refused", "Freshworks refused the API key", key_remedy)
        }
        FailureKind::Forbidden => Finding::failure(
            "account",
            "api-key-lacks-rights",
            "the API key may not read the account",
            "Delete the token and generate a new one: it gets the newest rights.",
        ),
        FailureKind::NotFound | FailureKind::Malformed | FailureKind::Refused => Finding::failure(
            "account",
            "address-is-no-freshchat",
            "what answers at this address is not a Freshchat account",
            address_remedy,
        ),
        FailureKind::RateLimited => Finding::failure(
            "account",
            "rate-limited",
            "Freshworks asks to send fewer requests",
            "Wait a minute and connect again.",
        ),
        FailureKind::Denied => Finding::failure(
            "account",
            "host-not-allowed",
            "the host does not allow requests to this address",
            ALLOW_HOSTS,
        ),
        FailureKind::Unavailable | FailureKind::OutcomeUnknown | FailureKind::NotLatest => Finding::failure(
            "account",
            "unreachable",
            "no usable answer comes from this address",
            format!("{address_remedy} When it is right, connect again later."),
        ),
    }
}

/// A list that could not be read: the key opens the account, so it is a passing fault or a missing right.
fn unreadable(check: &'static str, what: &str, failure: &Failure) -> Finding {
    match failure.kind {
        FailureKind::Unauthorized | FailureKind::Forbidden => Finding::failure(
            check,
            "api-key-lacks-rights",
            format!("the API key may not read {what}"),
            "Delete the token and generate a new one: it gets the newest rights.",
        ),
        _ => Finding::failure(check, "unreadable", format!("{what} could not be read"), "Connect again in a minute."),
    }
}

/// The list of topics, then each topic that belongs to a language.
fn check_topics(
    channels: Result<Vec<Channel>, Failure>,
    settings: &Settings,
    resolved: &mut Resolved,
    findings: &mut Vec<Finding>,
) {
    let channels = match channels {
        Ok(channels) => channels,
        Err(failure) => return findings.push(unreadable("topic", "the topics", &failure)),
    };
    findings.push(check_topic(&channels, &settings.topics, resolved));
    for topic in settings.topic_by_locale.values() {
        let is_known = resolved.topics.contains_key(topic);
        if !is_known {
            let mut finding = check_topic(&channels, std::slice::from_ref(topic), resolved);
            if finding.level == FindingLevel::Failure {
                // A handoff in that language goes to the topic of all others.
                finding.level = FindingLevel::Warning;
            }
            findings.push(finding);
        }
    }
}

fn check_topic(channels: &[Channel], topics: &[String], resolved: &mut Resolved) -> Finding {
    let first = topics.first().cloned().unwrap_or_default();
    match names::choose_topic(channels, topics) {
        TopicChoice::Found { id, name, count } => {
            resolved.topics.insert(name.clone(), id.0);
            if count == 1 {
                return Finding::ok("topic", "topic-found", format!("handoffs go to the topic `{name}`"));
            }
            Finding::warning(
                "topic",
                "topic-duplicate",
                format!("{count} topics are named `{name}`; one that is switched on is used"),
                "Rename or delete the others, so that it is clear where handoffs arrive.",
            )
        }
        TopicChoice::Disabled { name } => Finding::failure(
            "topic",
            "topic-disabled",
            format!("the topic `{name}` exists but is switched off"),
            "Switch it on under Admin Settings > Configuration and Workflows > Web Chat Topics. To hide it from visitors, use a tag instead.",
        ),
        TopicChoice::Near { wanted, exists } => Finding::failure(
            "topic",
            "topic-other-case",
            format!(
                "a topic named `{exists}` exists; the name wanted is `{wanted}`, and names are compared letter by letter"
            ),
            format!("Rename the topic to `{wanted}`, or write `{exists}` into the settings."),
        ),
        TopicChoice::Missing => Finding::failure(
            "topic",
            "topic-missing",
            format!(
                "none of the {} topics of the account has a name of the settings: {}",
                channels.len(),
                topics.join(", ")
            ),
            format!(
                "Create a topic named `{first}` under Admin Settings > Configuration and Workflows > Web Chat Topics: letters and spaces as written here."
            ),
        ),
    }
}

fn check_group(groups: Result<Vec<Group>, Failure>, wanted: &str, resolved: &mut Resolved) -> Finding {
    let groups = match groups {
        Ok(groups) => groups,
        Err(failure) => return unreadable("group", "the groups", &failure),
    };
    match names::choose_group(&groups, wanted) {
        Some(id) => {
            resolved.groups.insert(wanted.to_owned(), id.0);
            Finding::ok("group", "group-found", format!("handoffs are assigned to the group `{wanted}`"))
        }
        None => Finding::failure(
            "group",
            "group-missing",
            format!("no group is named `{wanted}`"),
            "Correct the name, or leave it out to let the topic's own rules assign handoffs.",
        ),
    }
}

fn check_agent(check: &'static str, wanted: &str, found: Result<Agent, Failure>, resolved: &mut Resolved) -> Finding {
    match found {
        Ok(agent) if agent.active => {
            let shown = agent.display_name().unwrap_or_else(|| wanted.to_owned());
            resolved.agents.insert(wanted.to_owned(), agent.id.0);
            Finding::ok(check, "agent-found", format!("{shown} is an active human agent"))
        }
        Ok(_) => Finding::failure(
            check,
            "agent-inactive",
            format!("the human agent `{wanted}` is deactivated or deleted"),
            "Name an active human agent: notes in the name of a former one are lost without a word.",
        ),
        Err(failure) if failure.kind == FailureKind::NotFound => Finding::failure(
            check,
            "agent-missing",
            format!("no human agent has the id or e-mail address `{wanted}`"),
            "Correct it, or leave it out.",
        ),
        Err(failure) => unreadable(check, "the human agents", &failure),
    }
}

/// What was found under an id is compared with it, like everything that is looked up.
fn other_agent(check: &'static str) -> Finding {
    Finding::failure(
        check,
        "lookup-mismatch",
        "Freshworks answers with another human agent than the one whose id the settings name",
        "Enter the e-mail address of the human agent instead of the id.",
    )
}

/// The properties of conversations that values of the context go to.
fn wanted_properties(settings: &Settings) -> Vec<&str> {
    let mut properties = Vec::new();
    for (_, target) in &settings.context {
        if let ContextTarget::Conversation(name) = target {
            properties.push(name.as_str());
        }
    }
    properties
}

fn check_properties(fields: Result<Vec<String>, Failure>, wanted: &[&str]) -> Finding {
    let fields = match fields {
        Ok(fields) => fields,
        Err(failure) => return unreadable("context", "the properties of conversations", &failure),
    };
    let missing: Vec<&str> = wanted.iter().copied().filter(|name| !fields.iter().any(|field| field == name)).collect();
    if missing.is_empty() {
        return Finding::ok("context", "properties-known", "the account has all properties that the context goes to");
    }
    Finding::failure(
        "context",
        "properties-missing",
        format!("conversations have no property {}", missing.join(", ")),
        format!("Create it in Freshworks, or correct the setting `context`. There are: {}.", fields.join(", ")),
    )
}

/// No failure: handoffs go on without the skill.
fn check_skill(fields: &Result<Vec<String>, Failure>, wanted: &str) -> Finding {
    match fields {
        Ok(fields) if fields.iter().any(|field| field == wanted) => {
            let detail = format!("the skill of a handoff goes into the property `{wanted}`");
            Finding::ok("skill", "skill-property-known", detail)
        }
        Ok(fields) => Finding::warning(
            "skill",
            "skill-property-missing",
            format!("conversations have no property `{wanted}`"),
            format!(
                "Create it in Freshworks, or correct the setting `skill_property`. There are: {}.",
                fields.join(", ")
            ),
        ),
        Err(_) => Finding::warning(
            "skill",
            "skill-property-unknown",
            "the properties of conversations could not be read",
            "Connect again in a minute; if that does not help, generate a new token.",
        ),
    }
}

/// Whether tickets can be filed: the key opens the desk and may read tickets, which is needed for looking before filing.
fn check_tickets(desk: &Client<'_>, settings: &Settings, resolved: &mut Resolved, findings: &mut Vec<Finding>) {
    let is_name = |group: &&str| !group.bytes().all(|byte| byte.is_ascii_digit());
    let group = settings.ticket_group.as_deref().filter(is_name);
    let is_freshservice = settings.is_freshservice();
    let mut requests = vec![
        desk.request(&ListTickets { email: None, page: 1, is_freshservice }),
        desk.request(&ListTicketFields { is_freshservice }),
    ];
    requests.extend(group.map(|_| desk.request(&ListTicketGroups::page(1))));
    let mut responses = desk.send_all(requests).into_iter();
    let mut next = || responses.next().unwrap_or_else(|| Err(TransportError::no_answer()));
    let tickets = read::<ListTickets<'_>>(next());
    let fields = read::<ListTicketFields>(next());
    let groups = group.map(|_| next());
    if let Err(failure) = tickets {
        let (code, detail) = match failure.kind {
            FailureKind::Unauthorized => ("ticket-key-refused", "the ticket desk refused its API key"),
            FailureKind::Forbidden => ("ticket-key-lacks-rights", "the key of the ticket desk may not read tickets"),
            _ => ("ticket-desk-unreachable", "no usable answer comes from the ticket desk"),
        };
        let remedy = match failure.kind {
            FailureKind::Unauthorized | FailureKind::Forbidden => {
                failure.into_error().remedy.clone().unwrap_or_default()
            }
            FailureKind::Denied => ALLOW_HOSTS.into(),
            _ => "Compare the address with the one in the browser; when it is right, connect again later.".into(),
        };
        findings.push(Finding::failure("ticket-desk", code, detail, remedy));
        return;
    }
    let detail = format!("tickets can be filed at {}", desk.origin());
    findings.push(Finding::ok("ticket-desk", "ticket-desk-open", detail));
    resolved.ticket_origin = desk.origin().to_owned();
    check_ticket_fields(fields, settings, resolved, findings);
    let Some((wanted, groups)) = group.zip(groups) else { return };
    let finding = match complete::<ListTicketGroups>(desk, groups) {
        Err(failure) => unreadable("ticket-group", "the groups of the ticket desk", &failure),
        Ok(groups) => match groups.into_iter().find(|group| group.name == wanted) {
            Some(found) => {
                resolved.ticket_groups.insert(wanted.to_owned(), found.id);
                Finding::ok("ticket-group", "ticket-group-found", format!("tickets go to the group `{wanted}`"))
            }
            None => Finding::failure(
                "ticket-group",
                "ticket-group-missing",
                format!("the ticket desk has no group named `{wanted}`"),
                "Correct the name, or leave it out to let the rules of the ticket desk assign.",
            ),
        },
    };
    findings.push(finding);
}

/// What handoffs fill in every ticket, whatever the settings say; `requester` is filled by e-mail address or phone number.
const ALWAYS_FILLED: [&str; 8] =
    ["requester", "requester_id", "email", "subject", "description", "status", "priority", "source"];

/// Whether tickets can be filed with what the settings fill: types, unknown names, and what the desk makes mandatory.
///
/// Warnings only: what the desk refuses at a handoff is left out then, and its list may call a field mandatory that it fills by
/// itself (the company of a contact, for example; a belief). Live conversations must not wait for that.
fn check_ticket_fields(
    fields: Result<Page<TicketField>, Failure>,
    settings: &Settings,
    resolved: &mut Resolved,
    findings: &mut Vec<Finding>,
) {
    let fields = match fields {
        Ok(fields) => fields.items,
        // Tickets are filed all the same; what the desk refuses is left out then.
        Err(failure) => {
            let unread = unreadable("ticket-fields", "the fields of tickets", &failure);
            return findings.push(Finding { level: FindingLevel::Warning, ..unread });
        }
    };
    let filled = settings.filled_ticket_fields();
    let before = findings.len();
    let is_listed = |name: &&str| fields.iter().any(|field| field.name == **name);
    let missing: Vec<&str> =
        filled.iter().copied().filter(|name| !is_listed(name) && !fields::is_standard(name)).collect();
    if !missing.is_empty() {
        let detail = format!("tickets have no field {}", missing.join(", "));
        let remedy = "Create it at the ticket desk, or correct the settings `context` and `ticket_fields`.";
        findings.push(Finding::warning("ticket-fields", "ticket-fields-missing", detail, remedy));
    }
    for field in &fields {
        let name = field.name.as_str();
        if filled.contains(&name) {
            resolved.ticket_fields.push((field.name.clone(), field.kind.clone()));
        }
        let fixed = settings.ticket_fields.get(name);
        if fixed.is_some_and(|value| field.kind.value(value).is_none()) {
            let detail =
                format!("the setting `ticket_fields` has a value for `{name}` that is not {}", field.kind.words());
            let remedy = match &field.kind {
                FieldKind::Choice(choices) => format!("Write one of: {}.", choices.join(", ")),
                kind => format!("Write {}.", kind.words()),
            };
            findings.push(Finding::warning("ticket-fields", "ticket-field-value", detail, remedy));
        }
        let is_filled = ALWAYS_FILLED.contains(&name)
            || filled.contains(&name)
            || name == "group_id" && settings.ticket_group.is_some();
        if field.is_mandatory && !is_filled {
            let detail = format!("the ticket desk refuses tickets without the field `{name}`, and no setting fills it");
            let remedy = match name {
                "group_id" => "Fill in the setting `ticket_group`, or make the group optional for agents.".to_owned(),
                _ => format!(
                    "Give it a value in the setting `ticket_fields`, or one of the context with `ticket.{name}` in the setting `context`; or make it optional for agents. It must be {}.",
                    field.kind.words()
                ),
            };
            findings.push(Finding::warning("ticket-fields", "ticket-field-mandatory", detail, remedy));
        }
    }
    if findings.len() == before && !filled.is_empty() {
        let detail = "the ticket desk has all fields that the settings fill";
        findings.push(Finding::ok("ticket-fields", "ticket-fields-known", detail));
    }
}

fn check_key(settings: &Settings) -> Finding {
    match settings.webhook_public_key.as_deref().map(public_key::parse) {
        None => Finding::warning(
            "webhook-key",
            "webhook-key-missing",
            "no webhook public key is set: answers of human agents cannot be verified and will be refused",
            "Enter the webhook URL in Freshworks under Admin Settings > Marketplace and Integrations > API > Conversation Webhooks, save, and paste the public key shown there.",
        ),
        Some(Ok(_)) => Finding::ok(
            "webhook-key",
            "webhook-key-valid",
            "the webhook public key can be used; the first webhook will prove it",
        ),
        Some(Err(fault)) => Finding::failure("webhook-key", fault.code(), fault.detail(), fault.remedy()),
    }
}

fn unknown_setting(name: &str) -> Finding {
    let remedy = match schema::nearest(name) {
        Some(nearest) => format!("Did you mean `{nearest}`?"),
        None => "Remove it; the settings that exist are in the schema of `describe`.".to_owned(),
    };
    let shown: String = name.chars().take(60).collect();
    Finding::warning("settings", "setting-unknown", format!("unknown setting `{shown}`; it has no effect"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Script;

    #[test]
    fn independent_requests_go_out_together_and_so_do_further_pages() {
        let settings = r#"{"chat_url": "acme", "api_key": "k", "group": "Support", "note_author": "maya@acme.example", "agent": "agent-2"}"#;
        let topics = |page: u32, topics: &str| {
            format!(r#"{{"channels": [{topics}], "pagination": {{"current_page": {page}, "total_pages": "3"}}}}"#)
        };
        let script = Script::default()
            .then(200, r#"{"organisation_id": 940890452607479808, "account_domain": "acme.freshchat.com"}"#)
            .then(200, &topics(1, r#"{"id": "t-1", "name": "Inbox"}"#))
            .then(200, r#"{"groups": [{"id": "g-1", "name": "support"}]}"#)
            .then(200, r#"{"agents": [{"id": "a-1", "email": "Maya@acme.example", "first_name": "Maya"}]}"#)
            .then(404, "{}")
            .then(200, &topics(2, r#"{"id": "t-2", "name": "Other"}"#))
            .then(200, &topics(3, r#"{"id": "t-3", "name": "Sendbird Integration"}"#));
        let connection = connect(&script, settings).unwrap();
        assert_eq!(script.batches(), [5, 2]);
        let codes: Vec<_> =
            connection.findings.iter().map(|finding| (finding.check.as_str(), finding.code.as_str())).collect();
        assert_eq!(
            codes,
            [
                ("chat-url", "chat-url-valid"),
                ("account", "account-open"),
                ("topic", "topic-found"),
                ("webhook-key", "webhook-key-missing"),
                ("group", "group-found"),
                ("agent", "agent-missing"),
                ("note-author", "agent-found"),
            ]
        );
        assert!(connection.connected, "live handoffs do without the agent of the settings");
        let kept = Settings::parse(&connection.settings).unwrap().resolved;
        assert_eq!(kept.topic("Sendbird Integration"), Some("t-3".into()));
        assert_eq!(kept.agent("maya@acme.example"), Some("a-1".into()));
    }

    #[test]
    fn a_list_of_unknown_length_ends_with_the_page_that_does_not_exist() {
        let settings = r#"{"chat_url": "acme", "api_key": "k", "topics": ["Late"]}"#;
        let topic = |name: &str| {
            format!(
                r#"{{"channels": [{{"id": "t-{name}", "name": "{name}"}}], "links": {{"next_page": {{"href": "/v1/channels?page=9"}}}}}}"#
            )
        };
        let script = Script::default()
            .then(200, r#"{"organisation_id": 940890452607479808}"#)
            .then(200, &topic("Inbox"))
            .then(200, &topic("Late"))
            .then(
                404,
                r#"{"code": 404, "status": "WRONG_PAGE", "message": "The page does not exist in the search result"}"#,
            );
        let connection = connect(&script, settings).unwrap();
        assert!(script.is_used_up());
        assert!(script.sent().iter().all(|line| line.starts_with("Get /v2/")), "{:?}", script.sent());
        assert!(connection.findings.iter().any(|finding| finding.code == "topic-found"));
    }

    #[test]
    fn a_refused_address_costs_no_request() {
        let script = Script::default();
        let connection = connect(&script, r#"{"chat_url": "acme.freshdesk.com", "api_key": "k"}"#).unwrap();
        assert_eq!((connection.findings[0].code.as_str(), script.sent().len()), ("chat-url-refused", 0));
        assert!(connection.findings[0].remedy.as_deref().is_some_and(|remedy| remedy.contains(".freshchat.com")));
    }

    #[test]
    fn a_human_agent_with_another_id_is_not_the_one_of_the_settings() {
        let settings = r#"{"chat_url": "acme", "api_key": "k", "agent": "agent-2"}"#;
        let script = Script::default()
            .then(200, r#"{"organisation_id": 1}"#)
            .then(200, r#"{"channels": []}"#)
            .then(200, r#"{"id": "agent-20", "first_name": "Tom"}"#);
        let connection = connect(&script, settings).unwrap();
        let finding = connection.findings.iter().find(|finding| finding.check == "agent").unwrap();
        assert_eq!((finding.code.as_str(), finding.level), ("lookup-mismatch", FindingLevel::Failure));
        assert_eq!(Settings::parse(&connection.settings).unwrap().resolved.agent("agent-2"), None);
    }
}
