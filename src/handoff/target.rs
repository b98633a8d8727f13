//! Who hands over to whom: the user's record, the topic, the assignment, the author of notes, and whether anybody is there.
//!
//! What the request asks for goes first, then the settings. What does not exist is left out with a finding: the handoff
//! matters more.

use super::Run;
use crate::client::{Failure, FailureKind};
use crate::error::{Error, ErrorKind};
use crate::freshchat::endpoints::{
    Agent, Assignment, CreateUser, FindUsers, GetAgent, Identity, ListAgents, ListChannels, ListGroups, UpdateUser,
    User, WithinHours,
};
use crate::model::{AgentId, ChannelId, EndUser, Finding, GroupId, Step, UserId};
use crate::names::{self, TopicChoice};
use crate::session::Session;
use crate::settings::Availability;

/// Why nobody would take a live conversation now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    OutsideHours,
    NobodyAvailable,
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

impl Run<'_> {
    /// The record, found or made. After an unknown outcome the next try finds it by the platform's id.
    pub(super) fn user(&mut self, session: &mut Session) -> Result<UserId, Error> {
        if let Some(user) = &session.user {
            return Ok(user.clone());
        }
        let user = match self.find_user()? {
            Some(user) => {
                self.complete_user(&user)?;
                user
            }
            None => self.create_user()?,
        };
        session.user = Some(user.id.clone());
        Ok(user.id)
    }

    /// External id first, then e-mail address; the phone number only where there is no e-mail address, because families share
    /// phones. Nobody is invented.
    pub(super) fn find_user(&mut self) -> Result<Option<User>, Error> {
        let wanted = &self.request.user;
        let by_reference = FindUsers { by: Identity::Reference, value: wanted.id.clone() };
        let found = self.freshchat.call(&by_reference).map_err(Failure::into_error)?;
        if let Some(user) = found.into_iter().next() {
            self.steps.push(Step::new("find-user", user.id.as_str(), "by the platform's id"));
            self.decide("user", "by-platform-id", user.id.as_str());
            return Ok(Some(User { reference_id: Some(wanted.id.clone()), ..user }));
        }
        let (by, value, rule, word) = match (filled(wanted.email.as_ref()), filled(wanted.phone.as_ref())) {
            (Some(email), _) => (Identity::Email, email, "by-email", "by e-mail address"),
            (None, Some(phone)) => (Identity::Phone, phone, "by-phone", "by phone number"),
            (None, None) => return Ok(None),
        };
        let by = FindUsers { by, value: value.to_owned() };
        let found = self.freshchat.call(&by).map_err(Failure::into_error)?;
        // A record that bears another id of the platform is somebody else, who must not see this conversation.
        let is_free = |user: &User| user.reference_id.as_ref().is_none_or(|reference| *reference == wanted.id);
        let found = found.into_iter().find(is_free);
        if let Some(user) = &found {
            self.steps.push(Step::new("find-user", user.id.as_str(), word));
            self.decide("user", rule, user.id.as_str());
        }
        Ok(found)
    }

    /// Adds what the record lacks; what is there is better than what the platform knows. The platform's id lets the next
    /// handoff find the person. A refusal costs that, and nothing else.
    fn complete_user(&mut self, user: &User) -> Result<(), Error> {
        let Some(fields) = self.lacking(user) else { return Ok(()) };
        let properties = &self.carried.user;
        let whole = UpdateUser { id: &user.id, fields: &fields, properties };
        let mut answer = self.freshchat.call(&whole);
        let is_refused =
            |answer: &Result<(), Failure>| matches!(answer, Err(failure) if failure.kind == FailureKind::Refused);
        let id_alone = EndUser { id: fields.id.clone(), ..EndUser::default() };
        if is_refused(&answer) && !id_alone.id.is_empty() && (id_alone != fields || !properties.is_empty()) {
            // An address may belong to one person only, and properties have to be declared; the id matters more.
            answer = self.freshchat.call(&UpdateUser { id: &user.id, fields: &id_alone, properties: &[] });
        }
        match answer {
            Ok(()) if fields.id.is_empty() => {
                self.steps.push(Step::new("update-user", user.id.as_str(), "what the record lacked was added"));
            }
            Ok(()) => self.steps.push(Step::new("update-user", user.id.as_str(), "platform's id added")),
            Err(failure) if failure.kind == FailureKind::Refused && fields.id.is_empty() => {
                self.findings.push(Finding::warning(
                    "user",
                    "update-refused",
                    "Freshworks refused to complete the record of this person",
                    "Nothing needs to be done; what is known stands in the first message.",
                ));
            }
            Err(failure) if failure.kind == FailureKind::Refused => self.findings.push(Finding::warning(
                "user",
                "reference-refused",
                "Freshworks refused to store the platform's id with this person",
                "Nothing needs to be done; the person is looked up by e-mail address or phone number again.",
            )),
            Err(failure) => return Err(failure.into_error()),
        }
        Ok(())
    }

    /// What is known of the person and not in the record, with an empty id where that is there; none when nothing is to be
    /// set.
    pub(super) fn lacking(&self, user: &User) -> Option<EndUser> {
        let wanted = &self.request.user;
        let lacking = |has: bool, value: &Option<String>| {
            if has { None } else { filled(value.as_ref()).map(str::to_owned) }
        };
        let fields = EndUser {
            id: if user.reference_id.is_none() { wanted.id.clone() } else { String::new() },
            name: lacking(user.is_named, &wanted.name),
            email: lacking(user.has_email, &wanted.email),
            phone: lacking(user.has_phone, &wanted.phone),
            ..EndUser::default()
        };
        (fields != EndUser::default() || !self.carried.user.is_empty()).then_some(fields)
    }

    fn create_user(&mut self) -> Result<User, Error> {
        let wanted = &self.request.user;
        let properties = &self.carried.user;
        let user = match self.freshchat.call(&CreateUser { user: wanted, properties }) {
            Err(failure) if failure.kind == FailureKind::Refused => {
                // What was refused may be there all the same: Freshchat was seen to refuse what it had stored.
                let by_reference = FindUsers { by: Identity::Reference, value: wanted.id.clone() };
                let found = self.freshchat.call(&by_reference).map_err(Failure::into_error)?;
                match found.into_iter().next() {
                    Some(user) => user,
                    None if wanted.email.is_none() && wanted.phone.is_none() && properties.is_empty() => {
                        return Err(failure.into_error());
                    }
                    // An address may belong to one person only; the person matters more than the address.
                    None => {
                        let bare = EndUser { email: None, phone: None, ..wanted.clone() };
                        let create = CreateUser { user: &bare, properties: &[] };
                        let user = self.freshchat.call(&create).map_err(Failure::into_error)?;
                        let detail = "the person was created without e-mail address, phone number and properties, which Freshworks refused";
                        let remedy = "Nothing needs to be done; they stand in the first message.";
                        self.findings.push(Finding::warning("user", "address-refused", detail, remedy));
                        user
                    }
                }
            }
            answer => answer.map_err(Failure::into_error)?,
        };
        self.steps.push(Step::new("create-user", user.id.as_str(), "with what is known of the person"));
        self.decide("user", "created", user.id.as_str());
        Ok(user)
    }

    pub(super) fn channel(&mut self, session: &mut Session) -> Result<ChannelId, Error> {
        if let Some(channel) = &session.channel {
            return Ok(channel.clone());
        }
        let asked = self.request.routing.topic.as_ref();
        let by_locale = self.settings.topic_for(self.request.user.locale.as_deref());
        let wanted: Vec<String> = asked.into_iter().chain(by_locale).chain(&self.settings.topics).cloned().collect();
        let rule_of = |name: &String| match name {
            name if asked == Some(name) => "request",
            name if by_locale == Some(name) => "locale",
            _ if asked.is_some() => "fallback",
            _ => "settings",
        };
        let known = wanted.iter().find_map(|name| Some((name, self.settings.resolved.topic(name)?)));
        // A topic that the request or the locale names is looked up unless `connect` has seen it.
        let is_first_choice = |name: &String| asked.or(by_locale).is_none_or(|first| first == name);
        let (channel, name) = match known.filter(|(name, _)| is_first_choice(name)) {
            Some((name, channel)) => (channel, name.clone()),
            None => {
                let channels = self.freshchat.all::<ListChannels>().map_err(Failure::into_error)?;
                match names::choose_topic(&channels, &wanted) {
                    TopicChoice::Found { id, name, .. } => {
                        if !is_first_choice(&name) {
                            let detail = format!("the topic asked for does not exist; `{name}` is used");
                            self.fell_back("topic", "topic-fallback", detail);
                        }
                        (id, name)
                    }
                    _ => {
                        let message = format!("no usable topic has any of these names: {}", wanted.join(", "));
                        let remedy = "Run connect: it says what is wrong with the topic.";
                        return Err(Error::new(ErrorKind::NotFound, message).at("settings.topics").with_remedy(remedy));
                    }
                }
            }
        };
        self.decide("topic", rule_of(&name), channel.as_str());
        session.channel = Some(channel.clone());
        Ok(channel)
    }

    pub(super) fn assignment(&mut self) -> Result<Assignment, Error> {
        let routing = &self.request.routing;
        let rule = |asked: bool| if asked { "request" } else { "settings" };
        let group = match routing.group.as_ref().or(self.settings.group.as_ref()) {
            None => None,
            Some(wanted) => {
                let found = match self.settings.resolved.group(wanted) {
                    Some(id) => Some(id),
                    None => {
                        let groups = self.freshchat.all::<ListGroups>().map_err(Failure::into_error)?;
                        names::choose_group(&groups, wanted)
                    }
                };
                match &found {
                    Some(id) => self.decide("group", rule(routing.group.is_some()), id.as_str()),
                    None => {
                        let detail = format!("no group is named `{wanted}`; the topic's own rules assign");
                        self.fell_back("group", "group-fallback", detail);
                    }
                }
                found
            }
        };
        let agent = match routing.agent.clone().or_else(|| self.settings.agent.clone()) {
            None => None,
            Some(wanted) => {
                let found = self.agent("agent", &wanted)?;
                if let Some(id) = &found {
                    self.decide("agent", rule(routing.agent.is_some()), id.as_str());
                }
                found
            }
        };
        let priority = routing.priority.or(self.settings.priority);
        if let Some(priority) = priority {
            let word = crate::freshchat::endpoints::priority_word(priority);
            self.decide("priority", rule(routing.priority.is_some()), word);
        }
        Ok(Assignment { group, agent, priority, properties: self.carried.conversation.clone() })
    }

    pub(super) fn note_author(&mut self) -> Result<Option<AgentId>, Error> {
        let author = match self.settings.note_author.clone() {
            None => None,
            Some(wanted) => self.agent("note-author", &wanted)?,
        };
        match &author {
            Some(author) => self.decide("history", "private-notes", author.as_str()),
            None => self.decide("history", "messages", ""),
        }
        Ok(author)
    }

    fn agent(&mut self, check: &'static str, wanted: &str) -> Result<Option<AgentId>, Error> {
        if let Some(id) = self.settings.resolved.agent(wanted).or_else(|| names::agent_id(wanted)) {
            return Ok(Some(id));
        }
        let agents = self.freshchat.all::<ListAgents>().map_err(Failure::into_error)?;
        let found = names::choose_agent(&agents, wanted).filter(|agent| agent.active).map(|agent| agent.id.clone());
        if found.is_none() {
            let detail = "the human agent named in settings or request is not an active one".to_owned();
            self.fell_back(check, "agent-fallback", detail);
        }
        Ok(found)
    }

    /// Whether anybody would take it, where the settings want that looked at. What cannot be learned never stands in the way.
    pub(super) fn absence(&mut self, assignment: &Assignment) -> Option<Absence> {
        let group = assignment.group.as_ref();
        let there = match self.settings.availability {
            Availability::Off => return None,
            Availability::Hours => match self.freshchat.call(&WithinHours { group }) {
                Ok(Some(true)) => Ok(()),
                Ok(Some(false)) => Err(Some(Absence::OutsideHours)),
                Ok(None) | Err(_) => Err(None),
            },
            Availability::Agents => match self.is_anybody_there(assignment.agent.as_ref(), group) {
                Ok(true) => Ok(()),
                Ok(false) => Err(Some(Absence::NobodyAvailable)),
                Err(_) => Err(None),
            },
        };
        match there {
            Ok(()) => None,
            Err(Some(absence)) => Some(absence),
            Err(None) => {
                self.findings.push(Finding::warning(
                    "availability",
                    "availability-unknown",
                    "whether anybody is there could not be learned; a live conversation is opened",
                    "Check that the key may read agents, and that the group has business hours; else set availability to off.",
                ));
                None
            }
        }
    }

    /// One request where somebody is there. Everything else but a plain failure is confirmed by the complete list, because a
    /// filter that an account does not know may be refused, be ignored, or match nobody, and "nobody" makes a ticket.
    fn is_anybody_there(&self, wanted: Option<&AgentId>, group: Option<&GroupId>) -> Result<bool, Failure> {
        let is_fitting = |agent: &Agent| is_there(agent, wanted, group);
        if let Some(id) = wanted {
            return match self.freshchat.call(&GetAgent { id: id.clone() }) {
                Err(failure) if failure.kind == FailureKind::NotFound => Ok(false),
                agent => Ok(is_fitting(&agent?)),
            };
        }
        match self.freshchat.call(&ListAgents::available(group)) {
            Ok(found) if found.items.iter().any(is_fitting) => return Ok(true),
            Ok(_) => {}
            Err(failure) if matches!(failure.kind, FailureKind::Refused | FailureKind::NotFound) => {}
            Err(failure) => return Err(failure),
        }
        Ok(self.freshchat.all::<ListAgents>()?.iter().any(is_fitting))
    }
}

/// The one who is wanted; else anybody of the group; else anybody.
fn is_there(agent: &Agent, wanted: Option<&AgentId>, group: Option<&GroupId>) -> bool {
    agent.active
        && agent.available
        && wanted.is_none_or(|wanted| *wanted == agent.id)
        && group.is_none_or(|group| agent.groups.contains(group))
}
