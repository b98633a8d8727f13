//! What a handoff would do, without doing it. Only reads go out.

use std::rc::Rc;

use super::live::{First, first_request};
use super::{Run, check};
use crate::conversation::session::Session;
use crate::freshchat::endpoints::priority_word;
use crate::http::Http;
use crate::http::client::Client;
use crate::settings::Settings;
use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::model::{Finding, HandoffRequest, Mode, Plan, Step, Timestamp};

/// The plan of the first try of a handoff.
pub fn preview(http: &dyn Http, settings: &str, request: &HandoffRequest, now: Timestamp) -> Result<Plan, Error> {
    let settings = Settings::parse(settings)?;
    check(request, now)?;
    let freshchat = Client::chat(http, &settings)?;
    let desk = if request.mode == Mode::Live { None } else { Client::tickets(http, &settings)? };
    let mut run = Run::new(&freshchat, desk.as_ref(), &settings, request);
    let mut session = Session::begin(&request.key, 1);
    if run.is_ticket(&session)? { run.plan_of_ticket(&mut session) } else { run.plan_of_live(&mut session) }
}

impl Run<'_> {
    fn plan_of_live(mut self, session: &mut Session) -> Result<Plan, Error> {
        let mut steps = Vec::new();
        match self.find_user()? {
            Some(user) => {
                steps.append(&mut self.steps);
                if self.lacking(&user).is_some() {
                    steps.push(Step::new("update-user", user.id.as_str(), "what the record lacks would be added"));
                }
            }
            None => {
                self.decide("user", "created", "");
                steps.push(Step::new("create-user", "", "with what is known of the person"));
            }
        }
        let channel = self.channel(session)?;
        let assignment = self.assignment()?;
        self.note_author()?;
        self.tell_context();
        let written = self.written(session);
        self.tell_masked(&written);
        let (messages, parts) = (self.request.history().len(), written.pages.len());
        let First { pages: first, with_brief } = first_request(&written);
        let detail = format!("messages of history: {messages}, parts: {parts}, of them in this request: {first}");
        steps.push(Step::new("create-conversation", channel.as_str(), detail));
        if parts > first {
            let detail = format!("further parts of the history: {}", parts - first);
            steps.push(Step::new("send-history", "", detail));
        }
        if !with_brief {
            steps.push(Step::new("send-brief", "", "behind the history"));
        }
        let mut fields = assignment.properties;
        fields.extend(assignment.priority.map(|priority| ("priority".to_owned(), priority_word(priority).to_owned())));
        fields.extend(self.carried.user.iter().map(|(name, value)| (format!("user.{name}"), value.clone())));
        Ok(self.plan(Mode::Live, steps, Rc::unwrap_or_clone(written).into_texts(), fields))
    }

    fn plan_of_ticket(mut self, session: &mut Session) -> Result<Plan, Error> {
        self.desk()?;
        let written = self.texts(session, super::ticket::PAGE_CHARS, false);
        let texts = written.ticket_texts();
        self.tell_context();
        self.tell_masked(&written);
        let (mut steps, mut fields) = (Vec::new(), Vec::new());
        match self.ticket_fields(session, &texts) {
            Ok(ticket) => {
                let detail = format!("messages of history: {}", self.request.history().len());
                steps.push(Step::new("create-ticket", "", detail));
                fields.push(("subject".to_owned(), ticket.subject));
                fields.push(("tags".to_owned(), ticket.tags.join(", ")));
                fields.extend(self.settings.ticket_group.clone().map(|group| ("group".to_owned(), group)));
                fields.extend(ticket.fields.iter().map(|(name, value)| (name.clone(), value.text().to_owned())));
            }
            Err(error) if error.kind == ErrorKind::NeedsEmail => self.findings.push(Finding::failure(
                "user",
                "needs-email",
                error.message.clone(),
                error.remedy.clone().unwrap_or_default(),
            )),
            Err(error) => return Err(error),
        }
        Ok(self.plan(Mode::Ticket, steps, texts, fields))
    }

    fn plan(self, mode: Mode, steps: Vec<Step>, texts: Vec<String>, fields: Vec<(String, String)>) -> Plan {
        Plan { mode, steps, findings: self.findings, decisions: self.decisions, texts, fields }
    }
}
