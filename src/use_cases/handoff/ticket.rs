//! The ticket in place of a live conversation.
//!
//! Freshdesk has no key against doubles. So a tag with the marker goes with every ticket of a handoff, and after an unknown
//! outcome the newest tickets are searched for it.

use super::{MAX_ATTEMPTS, Run};
use crate::conversation::session::{Session, Unsure, digest, reference};
use crate::freshdesk::endpoints::{
    Attachment, CreateTicket, LeftOut, ListTicketGroups, ListTickets, NewTicket, Ticket,
};
use crate::freshdesk::fields::FieldValue;
use crate::http::client::{Client, Failure, FailureKind};
use crate::settings::Settings;
use crate::text::plain_text::escape_html;
use crate::text::transcript;
use crate::use_cases::files;
use handoff_contract::error::{Error, ErrorKind};
use handoff_contract::model::{Finding, Step};

/// Tickets are looked for among the newest so many pages of 100.
const PAGES_SEARCHED: u32 = 3;
/// Longer texts go with the ticket as a file; what fits stays readable at a glance.
const MAX_DESCRIPTION: usize = 100 * 1024;
const MAX_SUBJECT: usize = 120;
/// Each try leaves something out. The desk checks in stages (names, types, values, sizes), so one is not enough.
const MAX_TRIES: u32 = 5;
/// Where the rest of a long conversation is, and what is said when the desk did not take it.
const REST_IN_FILE: &str = "<p>The whole conversation is in the file conversation.txt.</p>";
const REST_REFUSED: &str =
    "<p>The rest of the conversation is too long for this ticket desk; the platform has all of it.</p>";
/// Of a ticket whose texts go with it as a file: brief, opening and one page of history.
const FIRST_TEXTS: usize = 3;
/// One page holds what the description may hold.
pub(super) const PAGE_CHARS: usize = 60 * 1024;

/// The tag that marks the tickets of one handoff.
fn tag(reference: &str) -> String {
    format!("handoff-{reference}")
}

impl Run<'_> {
    /// The ticket desk, which must be there.
    pub(super) fn desk(&self) -> Result<&Client<'_>, Error> {
        self.desk.ok_or_else(|| {
            let remedy = "Enter the address of Freshdesk or Freshservice and its API key, and connect again.";
            Error::settings("ticket_domain", "tickets need a ticket desk, and none is set up", remedy)
        })
    }

    /// Adopts the ticket of an earlier try, or files one.
    pub(super) fn file(&mut self, session: &mut Session) -> Result<(), Error> {
        if let (Some(_), _) = self.skill() {
            self.without_skill(
                "skill-left-out",
                "the skill was left out: a ticket takes none",
                "Carry a value of the context into a field of the ticket, and let a rule of the ticket desk look at it.",
            );
        }
        if session.look || session.is_unsure(Unsure::Ticket) {
            let found = self.find_ticket(session)?;
            (session.look, session.lost) = (false, false);
            session.set_unsure(Unsure::Ticket, false);
            if found {
                return Ok(());
            }
        }
        let mut ticket = self.new_ticket(session)?;
        let mut tries = 1;
        loop {
            session.set_unsure(Unsure::Ticket, true);
            let desk = self.desk()?;
            let failure = match desk.call(&CreateTicket { ticket: &ticket }) {
                Ok(made) => {
                    session.set_unsure(Unsure::Ticket, false);
                    let (messages, files) = (self.request.history().len(), ticket.attachments.len());
                    let detail = format!("messages of history: {messages}, files: {files}");
                    self.steps.push(Step::new("create-ticket", made.id.as_str(), detail));
                    session.ticket = Some(made.id);
                    return Ok(());
                }
                Err(failure) => failure,
            };
            // The desk checks everything before it makes anything.
            if failure.kind != FailureKind::OutcomeUnknown {
                session.set_unsure(Unsure::Ticket, false);
            }
            if failure.kind != FailureKind::Refused || tries == MAX_TRIES {
                return Err(refused(failure));
            }
            tries += 1;
            self.leave_out(&mut ticket, failure)?;
        }
    }

    /// Takes out of the ticket what the desk has named as faulty, and only that: the ticket matters more than its fields.
    fn leave_out(&mut self, ticket: &mut NewTicket, failure: Failure) -> Result<(), Error> {
        // What cannot be mended in full would be refused again.
        let mut all = failure.faulty.lines();
        if failure.faulty.is_empty() || !all.all(|faulty| ticket.can_spare(faulty)) {
            return Err(refused(failure));
        }
        let had_email = ticket.email.is_some();
        let mut had_files = false;
        for faulty in failure.faulty.lines() {
            // Each of several files may be named; they go together.
            if had_files && faulty.starts_with("attachments") {
                continue;
            }
            match ticket.leave_out(faulty) {
                // A field with several faults.
                None => {}
                Some(LeftOut::Address) => self.without_address(ticket, had_email)?,
                Some(LeftOut::Field(name)) => self.findings.push(Finding::warning(
                    "ticket",
                    "field-refused",
                    format!("the ticket was filed without `{name}`, which the ticket desk refused"),
                    "Compare name and value in the settings `context`, `ticket_fields` and `ticket_group` with the fields of the ticket desk, and run connect.",
                )),
                Some(LeftOut::Files(files)) => {
                    had_files = true;
                    without_files(ticket, &files, self.settings);
                    self.findings.push(Finding::warning(
                        "files",
                        "file-refused",
                        format!("the ticket desk refused {} files; the ticket says where they are", files.len()),
                        "Make sure that human agents can open the links, and that the ticket desk takes files of that type and size.",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The desk has refused the e-mail address or the phone number: the person is reached by the other, or asked.
    fn without_address(&mut self, ticket: &mut NewTicket, had_email: bool) -> Result<(), Error> {
        let phone = self.request.user.phone.as_deref().map(str::trim).filter(|phone| !phone.is_empty());
        let Some(phone) = phone.filter(|_| had_email) else {
            let remedy = "Ask the end user for another e-mail address, and call again with it.";
            let error = Error::new(ErrorKind::NeedsEmail, "the ticket desk refused the address of the end user");
            return Err(error.at("request.user.email").with_remedy(remedy));
        };
        ticket.phone = Some(phone.to_owned());
        ticket.name = ticket.name.take().or_else(|| Some(self.request.user.id.clone()));
        self.findings.push(Finding::warning(
            "user",
            "address-refused",
            "the ticket was filed without the e-mail address, which the ticket desk refused",
            "Correct the address at the platform, and in the ticket.",
        ));
        Ok(())
    }

    /// The ticket of an earlier try. When the session is lost, of any earlier handoff of this conversation.
    ///
    /// Among the tickets of the address first, which are few however busy the desk is; then among the newest of all, because a
    /// refused filter does not say that there is none. Fails with an unknown outcome when that list is refused as well: what may
    /// exist must not be made again.
    pub(super) fn find_ticket(&mut self, session: &mut Session) -> Result<bool, Error> {
        let email = self.request.user.email.as_deref().map(str::trim).filter(|email| !email.is_empty());
        if email.is_some() {
            match self.search_tickets(session, email) {
                Ok(false) => {}
                Err(failure) if says_nothing(&failure) => {}
                found => return found.map_err(Failure::into_error),
            }
        }
        self.search_tickets(session, None).map_err(|failure| {
            let is_unknown = says_nothing(&failure);
            Failure { kind: if is_unknown { FailureKind::OutcomeUnknown } else { failure.kind }, ..failure }
                .into_error()
        })
    }

    fn search_tickets(&mut self, session: &mut Session, email: Option<&str>) -> Result<bool, Failure> {
        let attempts = if session.lost { 1..=MAX_ATTEMPTS } else { session.attempt..=session.attempt };
        let tags: Vec<(u32, String)> =
            attempts.map(|attempt| (attempt, tag(&reference(&self.request.key, attempt)))).collect();
        let attempt_of = |ticket: &Ticket| {
            let of_ticket =
                tags.iter().filter(|(_, tag)| ticket.tags.iter().any(|found| found.eq_ignore_ascii_case(tag)));
            of_ticket.map(|(attempt, _)| *attempt).max()
        };
        let Some(desk) = self.desk else { return Ok(false) };
        let is_freshservice = self.settings.is_freshservice();
        for page in 1..=PAGES_SEARCHED {
            let found = desk.call(&ListTickets { email, page, is_freshservice })?;
            let newest = found
                .items
                .iter()
                .filter(|ticket| !ticket.is_gone)
                .filter_map(|ticket| Some((attempt_of(ticket)?, ticket)))
                .max_by_key(|it| it.0);
            if let Some((attempt, ticket)) = newest {
                session.attempt = attempt;
                session.reference = reference(&self.request.key, attempt);
                session.ticket = Some(ticket.id.clone());
                self.steps.push(Step::new("adopt-ticket", ticket.id.as_str(), "an earlier try had created it"));
                return Ok(true);
            }
            if !found.has_next {
                break;
            }
        }
        Ok(false)
    }

    /// The ticket as it is filed. Reads: the group's number where `connect` has not seen it, and files.
    fn new_ticket(&mut self, session: &mut Session) -> Result<NewTicket, Error> {
        let written = self.texts(session, PAGE_CHARS, false);
        self.tell_masked(&written);
        self.tell_context();
        let texts = written.ticket_texts();
        let mut ticket = self.ticket_fields(session, &texts)?;
        ticket.group = self.ticket_group()?;
        if ticket.description.len() > MAX_DESCRIPTION {
            let content = texts.join("\n\n").into_bytes();
            let first = texts.get(..FIRST_TEXTS).unwrap_or(&texts);
            ticket.description = description(first) + REST_IN_FILE;
            let (name, media_type) = ("conversation.txt".to_owned(), "text/plain; charset=utf-8".to_owned());
            ticket.attachments.push(Attachment { name, media_type, content, link: None });
        }
        let (attachments, left) = files::fetch(self.freshchat, self.settings, self.request.history());
        self.findings.extend(left);
        ticket.attachments.extend(attachments);
        Ok(ticket)
    }

    /// Everything of a ticket that is known without a request.
    pub(super) fn ticket_fields(&mut self, session: &Session, texts: &[String]) -> Result<NewTicket, Error> {
        let user = &self.request.user;
        let filled =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let (email, phone, name) = (filled(&user.email), filled(&user.phone), self.name.clone());
        if email.is_none() && phone.is_none() {
            let message = "a ticket needs an e-mail address, and none is known";
            let remedy = "Ask the end user for an e-mail address, and call again with it.";
            return Err(Error::new(ErrorKind::NeedsEmail, message).at("request.user.email").with_remedy(remedy));
        }
        let summary = filled(&self.request.category).or_else(|| filled(&self.request.summary));
        let subject = match summary {
            Some(text) => transcript::one_line(&self.settings.masking.text(&text), MAX_SUBJECT),
            None => "Conversation with the AI agent".to_owned(),
        };
        let priority = self.request.routing().priority.or(self.settings.priority);
        let mut tags = self.settings.ticket_tags.clone();
        tags.push(tag(&session.reference));
        // With a phone number alone the desk demands a name.
        let name = name.or_else(|| email.is_none().then(|| user.id.clone()));
        let fields = self.further_fields();
        let secret = self.settings.ticket_api_key.as_ref().map(|key| key.reveal()).unwrap_or_default();
        Ok(NewTicket {
            subject,
            description: description(texts),
            phone: if email.is_some() { None } else { phone },
            email,
            name,
            priority,
            is_freshservice: self.settings.is_freshservice(),
            tags,
            group: None,
            fields,
            attachments: Vec::new(),
            boundary: digest(&[secret, &session.reference], 16),
        })
    }

    /// The fields that context and settings fill, each written for its type. A value that does not fit stays behind.
    fn further_fields(&mut self) -> Vec<(String, FieldValue)> {
        let settings = self.settings;
        let mut fields: Vec<(String, FieldValue)> = Vec::new();
        let mut misfits = Vec::new();
        let fixed = settings.ticket_fields.iter().map(|(name, value)| (name, value.as_str()));
        // The newest of several values of one name counts.
        let carried = self.carried.ticket.iter().rev().map(|(name, value)| (name, value.as_str()));
        for (name, text) in carried.chain(fixed) {
            if fields.iter().any(|(known, _)| known == name) {
                continue;
            }
            let kind = settings.resolved.ticket_field(name);
            match kind.value(text) {
                Some(value) => fields.push((name.clone(), value)),
                None if !misfits.contains(name) => {
                    misfits.push(name.clone());
                    self.findings.push(Finding::warning(
                        "ticket",
                        "field-value",
                        format!("a value of the ticket's field `{name}` was left out: it must be {}", kind.words()),
                        "Correct it in the context or the setting `ticket_fields`; run connect when the field has changed.",
                    ));
                }
                None => {}
            }
        }
        fields
    }

    fn ticket_group(&mut self) -> Result<Option<String>, Error> {
        let Some(wanted) = self.settings.ticket_group.clone() else { return Ok(None) };
        if wanted.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Some(wanted));
        }
        if let Some(group) = self.settings.resolved.ticket_groups.get(&wanted) {
            return Ok(Some(group.clone()));
        }
        let groups = self.desk()?.all::<ListTicketGroups>().map_err(Failure::into_error)?;
        let found = groups.into_iter().find(|group| group.name == wanted).map(|group| group.id);
        if found.is_none() {
            let detail = format!("the ticket desk has no group named `{wanted}`; its own rules assign");
            self.fell_back("ticket-group", "ticket-group-fallback", detail);
        }
        Ok(found)
    }
}

/// Says in the description where the files are that the desk did not take.
fn without_files(ticket: &mut NewTicket, files: &[Attachment], settings: &Settings) {
    let mut links = String::new();
    for file in files {
        match &file.link {
            Some(link) => links.push_str(&format!(
                "<br>{}: {}",
                escape_html(&file.name),
                escape_html(&settings.masking.text(link))
            )),
            None => ticket.description = ticket.description.replace(REST_IN_FILE, REST_REFUSED),
        }
    }
    if !links.is_empty() {
        ticket.description.push_str(&format!("<p>Files that the ticket desk did not take:{links}</p>"));
    }
}

/// A list that was refused: whether there is a ticket is not known.
fn says_nothing(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Refused | FailureKind::NotFound)
}

/// The texts as HTML. What people wrote is escaped: nothing of it is read as markup.
fn description(texts: &[String]) -> String {
    let mut html = String::new();
    for text in texts {
        html.push_str("<p>");
        html.push_str(&escape_html(text));
        html.push_str("</p>");
    }
    html
}

/// A refusal names the fields at fault: they are the account's own.
fn refused(failure: Failure) -> Error {
    let is_refused = failure.kind == FailureKind::Refused;
    let mut error = failure.into_error();
    if is_refused {
        error.message = "the ticket desk refused the ticket".into();
        error.remedy = Some("The log text of this error names the fields: make them optional for agents, or fill them with the settings `ticket_fields` or `context`. `connect` says which.".into());
    }
    error
}
