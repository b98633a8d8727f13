//! Who hands over to whom: the user's record, the topic, the assignment, the author of notes, and whether anybody is there.
//!
//! What the request asks for goes first, then the settings. What does not exist is left out with a finding: the handoff
//! matters more.

use super::Run;
use crate::conversation::session::Session;
use crate::freshchat::endpoints::{
    Agent, Assignment, CreateUser, FindUsers, GetAgent, Identity, ListAgents, ListChannels, ListGroups, UpdateUser,
    User, WithinHours,
};
use crate::http::client::{Failure, FailureKind};
use crate::settings::Availability;
use crate::settings::names::{self, TopicChoice};
use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::model::{AgentId, ChannelId, EndUser, Finding, GroupId, Step, UserId};

/// Why nobody would take a live conversation now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    OutsideHours,
    NobodyAvailable,
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

    /// Platform's id first, then the e-mail address; the phone number only where there is no e-mail address, because families
    /// share phones. Addresses count only when they are verified: with anybody's address a stranger would read that person's
    /// conversation. Nobody is invented.
    pub(super) fn find_user(&mut self) -> Result<Option<User>, Error> {
        let wanted = &self.request.user;
        let found = self.search(&FindUsers { by: Identity::Reference, value: &wanted.id })?;
        if let Some(user) = found.into_iter().next() {
            self.steps.push(Step::new("find-user", user.id.as_str(), "by the platform's id"));
            self.decide("user", "by-platform-id", user.id.as_str());
            return Ok(Some(user));
        }
        let (by, value, rule, word) = match (wanted.verified_email(), wanted.verified_phone()) {
            (Some(email), _) => (Identity::Email, email, "by-email", "by e-mail address"),
            (None, Some(phone)) => (Identity::Phone, phone, "by-phone", "by phone number"),
            (None, None) => return Ok(None),
        };
        let mut found = self.search(&FindUsers { by, value })?;
        // A record that bears another id of the platform is somebody else, who must not see this conversation.
        found.retain(|user| user.reference_id.as_ref().is_none_or(|reference| *reference == wanted.id));
        let own = found.iter().position(|user| user.reference_id.is_some()).unwrap_or(0);
        let found = found.into_iter().nth(own);
        if let Some(user) = &found {
            self.steps.push(Step::new("find-user", user.id.as_str(), word));
            self.decide("user", rule, user.id.as_str());
        }
        Ok(found)
    }

    /// The records that were asked for. Others in the answer are nobody, and a search that is refused finds nobody: the handoff
    /// matters more than a second record of one person.
    fn search(&mut self, search: &FindUsers<'_>) -> Result<Vec<User>, Error> {
        let is_refused = |failure: &Failure| matches!(failure.kind, FailureKind::Refused | FailureKind::NotFound);
        let mut answer = self.freshchat.call(search);
        if answer.as_ref().is_err_and(is_refused) {
            // Once more, because somebody who is known would get a second record, which stays.
            answer = self.freshchat.call(search);
        }
        match answer {
            Ok(mut found) => {
                let all = found.len();
                found.retain(|user| search.is_answered_by(user));
                if found.len() < all {
                    self.find_once(Finding::warning(
                        "user",
                        "lookup-mismatch",
                        "Freshworks answered the search for this person with records of others, which were not used",
                        "Report it. Until then, a person who is known may get a second record.",
                    ));
                }
                Ok(found)
            }
            Err(failure) if is_refused(&failure) => {
                self.find_once(Finding::warning(
                    "user",
                    "lookup-refused",
                    format!("Freshworks refused the search for this person, who counts as not known ({})", failure.log),
                    "Report it. Until then, a person who is known may get a second record.",
                ));
                Ok(Vec::new())
            }
            Err(failure) => Err(failure.into_error()),
        }
    }

    /// Says once what may be found several times in one call.
    pub(super) fn find_once(&mut self, finding: Finding) {
        if !self.findings.iter().any(|known| (&known.check, &known.code) == (&finding.check, &finding.code)) {
            self.findings.push(finding);
        }
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
        let lacking = |has: bool, value: Option<&str>| if has { None } else { value.map(str::to_owned) };
        let (email, phone) =
            (lacking(user.has_email(), wanted.verified_email()), lacking(user.has_phone(), wanted.verified_phone()));
        let fields = EndUser {
            id: if user.reference_id.is_none() { wanted.id.clone() } else { String::new() },
            name: lacking(user.is_named, self.name.as_deref()),
            email_verified: email.is_some(),
            email,
            phone_verified: phone.is_some(),
            phone,
            ..EndUser::default()
        };
        (fields != EndUser::default() || !self.carried.user.is_empty()).then_some(fields)
    }

    /// A record of the person's own. An answer with the record of somebody else, which has the address already, is not taken.
    fn create_user(&mut self) -> Result<User, Error> {
        let wanted = &EndUser { name: self.name.clone(), ..self.request.user.clone() };
        let properties = &self.carried.user;
        let has_address = wanted.verified_email().is_some() || wanted.verified_phone().is_some();
        let is_bare = !has_address && properties.is_empty();
        let refusal = match self.freshchat.call(&CreateUser { user: wanted, properties }) {
            Ok(user) if is_own(&user, wanted, has_address) => return Ok(self.created(user)),
            Ok(_) => None,
            Err(failure) if failure.kind == FailureKind::Refused => Some(failure),
            Err(failure) => return Err(failure.into_error()),
        };
        // What was refused may be there all the same: Freshchat was seen to refuse what it had stored.
        let found = self.search(&FindUsers { by: Identity::Reference, value: &wanted.id })?;
        if let Some(user) = found.into_iter().next() {
            return Ok(self.created(user));
        }
        let remedy = "Nothing needs to be done; they stand in the first message.";
        let finding = match refusal {
            Some(failure) if is_bare => return Err(failure.into_error()),
            Some(_) => Finding::warning(
                "user",
                "address-refused",
                "the person was created without e-mail address, phone number and properties, which Freshworks refused",
                remedy,
            ),
            None => Finding::warning(
                "user",
                "address-taken",
                "the person was created without e-mail address, phone number and properties: Freshworks answered with the record of somebody else",
                remedy,
            ),
        };
        // An address may belong to one person only; the person matters more than the address.
        let bare = EndUser { email: None, phone: None, ..wanted.clone() };
        let user = self.freshchat.call(&CreateUser { user: &bare, properties: &[] }).map_err(Failure::into_error)?;
        if user.reference_id.as_ref().is_some_and(|reference| *reference != wanted.id) {
            let message = "Freshworks made no record for this person: it answered with the record of somebody else";
            return Err(Error::new(ErrorKind::Rejected, message).with_remedy("Report it."));
        }
        self.findings.push(finding);
        Ok(self.created(user))
    }

    fn created(&mut self, user: User) -> User {
        self.steps.push(Step::new("create-user", user.id.as_str(), "with what is known of the person"));
        self.decide("user", "created", user.id.as_str());
        user
    }

    pub(super) fn channel(&mut self, session: &mut Session) -> Result<ChannelId, Error> {
        if let Some(channel) = &session.channel {
            return Ok(channel.clone());
        }
        let asked = self.request.routing().topic.as_ref();
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
        let routing = self.request.routing();
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
        let mut properties = self.carried.conversation.clone();
        match self.skill() {
            (Some(skill), Some(property)) => {
                properties.retain(|(name, _)| name != property);
                properties.push((property.to_owned(), skill.to_owned()));
                self.decide("skill", "request", property);
            }
            (Some(_), None) => self.without_skill(
                "skill-left-out",
                "the skill was left out, because the settings name no property that it goes into",
                "Create a property of conversations in Freshworks, name it in the setting `skill_property`, and let a skill rule there look at it.",
            ),
            (None, _) => {}
        }
        Ok(Assignment { group, agent, priority, properties })
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

/// The answer to a creation is this person's record, as far as it tells. A whole record without the platform's id could be an
/// older one that has the address.
fn is_own(user: &User, wanted: &EndUser, has_address: bool) -> bool {
    user.reference_id.as_ref().map_or(!(user.is_whole && has_address), |reference| *reference == wanted.id)
}

/// The one who is wanted; else anybody of the group; else anybody.
fn is_there(agent: &Agent, wanted: Option<&AgentId>, group: Option<&GroupId>) -> bool {
    agent.active
        && agent.available
        && wanted.is_none_or(|wanted| *wanted == agent.id)
        && group.is_none_or(|group| agent.groups.contains(group))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::handoff;
    use crate::testing::{NOW, Script, request};
    use crate::use_cases::Receipt;
    use handoff_contract::error::{Error, ErrorKind};
    use handoff_contract::model::HandoffRequest;

    const SETTINGS: &str = r#"{
        "chat_url": "acme", "api_key": "k",
        "resolved": {"origin": "https://acme.freshchat.com", "topics": {"Sendbird Integration": "topic-1"}}
    }"#;
    const NOBODY: &str = r#"{"users": []}"#;
    const MADE: &str = r#"{"id": "new", "created_time": "2026-11-27T09:00:00.000Z", "reference_id": "u-1"}"#;
    const CONVERSATION: &str = r#"{"conversation_id": "c-1", "messages": [{"id": "m-1"}]}"#;

    fn hand_off(script: &Script, request: &HandoffRequest) -> Result<Receipt, Error> {
        handoff(script, SETTINGS, request, None, NOW)
    }

    /// Ana with addresses, verified or not.
    fn ana(email: Option<bool>, phone: Option<bool>) -> HandoffRequest {
        let mut request = request();
        (request.user.email, request.user.email_verified) =
            (email.map(|_| "ana@example.com".into()), email == Some(true));
        (request.user.phone, request.user.phone_verified) = (phone.map(|_| "+1 555 0100".into()), phone == Some(true));
        request
    }

    fn codes(receipt: &Receipt) -> Vec<&str> {
        receipt.findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    #[test]
    fn an_address_that_is_not_verified_is_shown_and_used_for_nothing() {
        for request in [ana(Some(false), None), ana(None, Some(false)), ana(Some(false), Some(false))] {
            let script = Script::default().then(200, NOBODY).then(200, MADE).then(200, CONVERSATION);
            let receipt = hand_off(&script, &request).unwrap();
            assert_eq!(script.sent(), ["Get /v2/users?reference_id=u-1", "Post /v2/users", "Post /v2/conversations"]);
            assert_eq!(script.body(1), json!({ "reference_id": "u-1", "first_name": "Ana", "last_name": "Silva" }));
            let brief = script.body(2)["messages"][2]["message_parts"][0]["text"]["content"].to_string();
            for address in [&request.user.email, &request.user.phone].into_iter().flatten() {
                assert!(brief.contains(&format!("{address} (not verified)")), "{brief}");
            }
            assert_eq!(codes(&receipt), [""; 0]);
        }
    }

    #[test]
    fn a_verified_phone_number_counts_where_the_mail_address_does_not() {
        let script = Script::default().then(200, NOBODY).then(200, NOBODY).then(200, MADE).then(200, CONVERSATION);
        hand_off(&script, &ana(Some(false), Some(true))).unwrap();
        assert_eq!(script.sent()[1], "Get /v2/users?phone_no=%2B1%20555%200100");
        assert_eq!((&script.body(2)["phone"], &script.body(2)["email"]), (&json!("+1 555 0100"), &json!(null)));
    }

    #[test]
    fn an_address_that_is_not_verified_is_not_added_to_a_known_record() {
        let known = r#"{"users": [{"id": "old", "created_time": "2026-01-01T00:00:00.000Z", "reference_id": "u-1"}]}"#;
        let script = Script::default().then(200, known).then(200, "").then(200, CONVERSATION);
        hand_off(&script, &ana(Some(false), Some(false))).unwrap();
        assert_eq!(script.body(1), json!({ "first_name": "Ana", "last_name": "Silva" }));
    }

    #[test]
    fn records_that_were_not_asked_for_are_nobody() {
        let others = r#"{"users": [
            {"id": "by-prefix", "reference_id": "u-10", "email": "ana@example.com.au"},
            {"id": "by-case", "reference_id": "U-1"}, {"id": "by-letters", "email": "anna@example.com"}, {"id": "bare"}
        ]}"#;
        let script = Script::default().then(200, others).then(200, others).then(200, MADE).then(200, CONVERSATION);
        let receipt = hand_off(&script, &ana(Some(true), None)).unwrap();
        assert_eq!(script.body(3)["users"], json!([{ "id": "new" }]));
        assert_eq!(codes(&receipt), ["lookup-mismatch"]);
    }

    #[test]
    fn the_right_record_is_found_among_others() {
        let users =
            r#"{"users": [{"id": "a"}, {"id": "b", "reference_id": "u-10"}, {"id": "c", "reference_id": "u-1"}]}"#;
        let script = Script::default().then(200, users).then(200, CONVERSATION);
        let receipt = hand_off(&script, &ana(Some(true), None)).unwrap();
        assert_eq!(script.body(1)["users"], json!([{ "id": "c" }]));
        assert_eq!(codes(&receipt), ["lookup-mismatch"]);

        // By address, a record of somebody else's is passed over, and the person's own goes before one of nobody.
        let same = r#"{"users": [
            {"id": "theirs", "reference_id": "u-2", "email": "ana@example.com"},
            {"id": "free", "email": "ana@example.com"}, {"id": "own", "reference_id": "u-1", "email": "ANA@example.com"}
        ]}"#;
        let script = Script::default().then(200, NOBODY).then(200, same).then(200, CONVERSATION);
        let receipt = hand_off(&script, &ana(Some(true), None)).unwrap();
        assert_eq!(script.body(2)["users"], json!([{ "id": "own" }]));
        assert_eq!(codes(&receipt), [""; 0]);
    }

    #[test]
    fn a_search_that_is_refused_twice_finds_nobody() {
        for status in [400, 404] {
            let script =
                Script::default().then(status, "{}").then(status, "{}").then(200, MADE).then(200, CONVERSATION);
            let receipt = hand_off(&script, &ana(None, None)).unwrap();
            assert_eq!(codes(&receipt), ["lookup-refused"]);
            assert!(script.is_used_up());
        }
        let known = r#"{"users": [{"id": "old", "reference_id": "u-1"}]}"#;
        let script = Script::default().then(400, "{}").then(200, known).then(200, CONVERSATION);
        assert_eq!(codes(&hand_off(&script, &ana(None, None)).unwrap()), [""; 0], "refused once");
        for (status, kind) in
            [(401, ErrorKind::Unauthorized), (429, ErrorKind::RateLimited), (500, ErrorKind::Unavailable)]
        {
            let script = Script::default().then(status, "{}");
            assert_eq!(hand_off(&script, &ana(None, None)).unwrap_err().kind, kind);
        }
    }

    #[test]
    fn a_creation_answered_with_somebody_elses_record_is_made_again_without_addresses() {
        let theirs = r#"{"id": "theirs", "created_time": "2026-01-01T00:00:00.000Z", "reference_id": "u-2"}"#;
        let unnamed = r#"{"id": "theirs", "created_time": "2026-01-01T00:00:00.000Z"}"#;
        for answer in [theirs, unnamed] {
            let script = Script::default().then(200, NOBODY).then(200, NOBODY).then(200, answer);
            let script = script.then(200, NOBODY).then(200, MADE).then(200, CONVERSATION);
            let receipt = hand_off(&script, &ana(Some(true), None)).unwrap();
            assert_eq!(script.body(4), json!({ "reference_id": "u-1", "first_name": "Ana", "last_name": "Silva" }));
            assert_eq!(script.body(5)["users"], json!([{ "id": "new" }]));
            assert_eq!(codes(&receipt), ["address-taken"]);
        }
        let script = Script::default().then(200, NOBODY).then(200, theirs).then(200, NOBODY).then(200, theirs);
        assert_eq!(hand_off(&script, &ana(None, None)).unwrap_err().kind, ErrorKind::Rejected);
        // Nothing was sent that another record could have.
        let script = Script::default().then(200, NOBODY).then(200, unnamed).then(200, CONVERSATION);
        hand_off(&script, &ana(None, None)).unwrap();
    }
}
