//! Lists what settings may name, so that a form offers the names of the account instead of asking for them.

use crate::freshchat::endpoints::{ListAgents, ListChannels, ListFields, ListGroups};
use crate::freshdesk::endpoints::ListTicketGroups;
use crate::http::client::{Client, Failure, MAX_CHOICE_PAGES, Paged, read};
use crate::http::{Http, TransportError};
use crate::settings::Settings;
use handoff_contract::error::Error;

/// One thing that a setting may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What goes into the setting: letter by letter as the account has it, blanks included.
    pub value: String,
    /// What people know it by, where the value is not that: the name of a human agent. None otherwise.
    pub label: Option<String>,
    /// False for what exists and would be refused: a topic that is switched off.
    pub is_usable: bool,
}

/// A list of the account; none where it could not be read, or was not asked for.
pub type List = Option<Vec<Choice>>;

/// What settings of one account may name. Each list has at most `MAX_CHOICE_PAGES` pages of 100 items; names beyond them can
/// still be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// Topics, by name.
    pub topics: List,
    /// Groups of human agents, by name.
    pub groups: List,
    /// Active human agents, by e-mail address, or by id where the account does not tell the address.
    pub agents: List,
    /// Names of the declared properties of conversations.
    pub properties: List,
    /// Groups of the ticket desk, by name; none without a ticket desk.
    pub ticket_groups: List,
}

/// Reads the lists. Reads only, so it may be repeated.
///
/// Fails when the settings cannot be used, or when the account does not answer with its topics: without them nothing can be chosen.
/// Any other list that fails is left out.
pub fn choices(http: &dyn Http, settings: &str) -> Result<Choices, Error> {
    let settings = Settings::parse(settings)?;
    let freshchat = Client::chat(http, &settings)?;
    // A fault of the desk's address must not hide the rest.
    let desk = Client::tickets(http, &settings).ok().flatten();
    let mut requests = vec![
        freshchat.request(&ListChannels::page(1)),
        freshchat.request(&ListGroups::page(1)),
        freshchat.request(&ListAgents::page(1)),
        freshchat.request(&ListFields),
    ];
    requests.extend(desk.as_ref().map(|desk| desk.request(&ListTicketGroups::page(1))));
    let mut responses = freshchat.send_all(requests).into_iter();
    let mut next = || responses.next().unwrap_or_else(|| Err(TransportError::no_answer()));

    let topics = freshchat.list_from::<ListChannels>(next(), MAX_CHOICE_PAGES).map_err(Failure::into_error)?;
    let groups = freshchat.list_from::<ListGroups>(next(), MAX_CHOICE_PAGES);
    let agents = freshchat.list_from::<ListAgents>(next(), MAX_CHOICE_PAGES);
    let fields = read::<ListFields>(next());
    let ticket_groups =
        desk.as_ref().and_then(|desk| desk.list_from::<ListTicketGroups>(next(), MAX_CHOICE_PAGES).ok());
    Ok(Choices {
        topics: Some(
            topics.into_iter().map(|topic| Choice { is_usable: topic.enabled, ..named(topic.name) }).collect(),
        ),
        groups: groups.ok().map(|groups| groups.into_iter().map(|group| named(group.name)).collect()),
        agents: agents.ok().map(|agents| {
            let active = agents.into_iter().filter(|agent| agent.active);
            active
                .map(|agent| {
                    let label = agent.display_name();
                    let value = agent.email.filter(|email| email.contains('@')).unwrap_or(agent.id.0);
                    Choice { label, ..named(value) }
                })
                .collect()
        }),
        properties: fields.ok().map(|fields| fields.into_iter().map(named).collect()),
        ticket_groups: ticket_groups.map(|groups| groups.into_iter().map(|group| named(group.name)).collect()),
    })
}

fn named(value: String) -> Choice {
    Choice { value, label: None, is_usable: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Script;

    const SETTINGS: &str =
        r#"{"chat_url": "acme", "api_key": "k", "ticket_domain": "acme.freshdesk.com", "ticket_api_key": "t"}"#;

    fn values(list: &List) -> Vec<&str> {
        list.as_ref().unwrap().iter().map(|choice| choice.value.as_str()).collect()
    }

    #[test]
    fn choices_are_what_settings_take_letter_by_letter() {
        let script = Script::default()
            .then(
                200,
                r#"{"channels": [{"id": "t-1", "name": "Support "}, {"id": "t-2", "name": "Old", "enabled": false}]}"#,
            )
            .then(200, r#"{"groups": [{"id": "g-1", "name": "Returns"}]}"#)
            .then(
                200,
                r#"{"agents": [
                    {"id": "a-1", "first_name": "Maya", "last_name": "Chen", "email": "maya@acme.example"},
                    {"id": "a-2", "first_name": "Tom"},
                    {"id": "a-3", "email": "gone@acme.example", "is_deactivated": true}]}"#,
            )
            .then(200, r#"[{"name": "cf_skill"}]"#)
            .then(200, r#"[{"id": 7, "name": "Billing"}]"#);
        let found = choices(&script, SETTINGS).unwrap();
        assert_eq!(script.batches(), [5], "everything goes out together");
        assert_eq!(values(&found.topics), ["Support ", "Old"]);
        assert_eq!(found.topics.unwrap().iter().map(|topic| topic.is_usable).collect::<Vec<_>>(), [true, false]);
        assert_eq!(values(&found.groups), ["Returns"]);
        assert_eq!(values(&found.agents), ["maya@acme.example", "a-2"], "a former agent cannot be chosen");
        assert_eq!(found.agents.unwrap()[0].label.as_deref(), Some("Maya Chen"));
        assert_eq!(values(&found.properties), ["cf_skill"]);
        assert_eq!(values(&found.ticket_groups), ["Billing"]);
    }

    #[test]
    fn a_list_that_fails_hides_no_other_and_a_refused_key_is_an_error() {
        let script = Script::default()
            .then(200, r#"{"channels": [{"id": "t-1", "name": "Support"}]}"#)
            .then(403, "{}")
            .then(200, r#"{"agents": []}"#)
            .then(500, "{}")
            .then(401, "{}");
        let found = choices(&script, SETTINGS).unwrap();
        assert_eq!((values(&found.topics), values(&found.agents)), (vec!["Support"], vec![]));
        assert_eq!((found.groups, found.properties, found.ticket_groups), (None, None, None));
        let script = Script::default().then(401, "{}").then(401, "{}").then(401, "{}").then(401, "{}").then(401, "{}");
        let error = choices(&script, SETTINGS).unwrap_err();
        assert_eq!(error.kind, handoff_contract::error::ErrorKind::Unauthorized);
    }

    #[test]
    fn a_list_without_end_is_read_to_the_bound() {
        let page = |number: u32| {
            format!(
                r#"{{"channels": [{{"id": "t-{number}", "name": "T{number}"}}], "pagination": {{"current_page": {number}, "total_pages": 900}}}}"#
            )
        };
        let mut script = Script::default().then(200, &page(1)).then(200, "{}").then(200, "{}").then(200, "[]");
        for number in 2..=MAX_CHOICE_PAGES {
            script = script.then(200, &page(number));
        }
        let found = choices(&script, r#"{"chat_url": "acme", "api_key": "k"}"#).unwrap();
        assert_eq!(values(&found.topics).len(), MAX_CHOICE_PAGES as usize);
        assert!(script.is_used_up());
    }
}
