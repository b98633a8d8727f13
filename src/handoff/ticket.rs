//! The ticket in place of a live conversation.
//!
//! Freshdesk has no key against doubles. So a tag with the marker goes with every ticket of a handoff, and after an unknown
//! outcome the newest tickets are searched for it.

use super::{MOST_ATTEMPTS, Run};
use crate::client::{Client, Failure, FailureKind};
use crate::error::{Error, ErrorKind};
use crate::freshdesk::endpoints::{Attachment, CreateTicket, ListTicketGroups, ListTickets, NewTicket, Ticket};
use crate::model::{Finding, Step};
use crate::plain_text::escape_html;
use crate::session::{Pending, Session, digest, reference};
use crate::transcript::Transcript;
use crate::{files, transcript};

/// Tickets are looked for among the newest so many pages of 100.
const PAGES_SEARCHED: u32 = 3;
/// Longer texts go with the ticket as a file; what fits stays readable at a glance.
const LONGEST_DESCRIPTION: usize = 100 * 1024;
const LONGEST_SUBJECT: usize = 120;
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
        if session.look || session.pending == Some(Pending::Ticket) {
            let found = self.find_ticket(session)?;
            (session.look, session.lost, session.pending) = (false, false, None);
            if found {
                return Ok(());
            }
        }
        let mut ticket = self.new_ticket(session)?;
        loop {
            session.pending = Some(Pending::Ticket);
            let desk = self.desk()?;
            let failure = match desk.call(&CreateTicket { ticket: &ticket }) {
                Ok(made) => {
                    session.pending = None;
                    let (messages, files) = (self.request.history.len(), ticket.attachments.len());
                    let detail = format!("messages of history: {messages}, files: {files}");
                    self.steps.push(Step::new("create-ticket", made.id.as_str(), detail));
                    session.ticket = Some(made.id);
                    return Ok(());
                }
                Err(failure) => failure,
            };
            // The desk checks everything before it makes anything.
            if failure.kind != FailureKind::OutcomeUnknown {
                session.pending = None;
            }
            if failure.kind != FailureKind::Refused || (ticket.custom_fields.is_empty() && ticket.group.is_none()) {
                return Err(refused(failure));
            }
            // The ticket matters more than its fields.
            ticket.custom_fields.clear();
            ticket.group = None;
            self.findings.push(Finding::warning(
                "ticket",
                "fields-refused",
                "the ticket was filed without group and custom fields, which the ticket desk refused",
                "Compare the names of the settings `context` and `ticket_group` with the fields of the ticket desk.",
            ));
        }
    }

    /// The ticket of an earlier try. When the session is lost, of any earlier handoff of this conversation.
    pub(super) fn find_ticket(&mut self, session: &mut Session) -> Result<bool, Error> {
        let attempts = if session.lost { 1..=MOST_ATTEMPTS } else { session.attempt..=session.attempt };
        let tags: Vec<(u32, String)> =
            attempts.map(|attempt| (attempt, tag(&reference(&self.request.key, attempt)))).collect();
        let attempt_of = |ticket: &Ticket| {
            let of_ticket =
                tags.iter().filter(|(_, tag)| ticket.tags.iter().any(|found| found.eq_ignore_ascii_case(tag)));
            of_ticket.map(|(attempt, _)| *attempt).max()
        };
        let email = self.request.user.email.as_deref().map(str::trim).filter(|email| !email.is_empty());
        for page in 1..=PAGES_SEARCHED {
            let found = match self.desk()?.call(&ListTickets { email, page }) {
                Ok(found) => found,
                // Nobody has that address yet, so nothing was made for it.
                Err(failure) if matches!(failure.kind, FailureKind::Refused | FailureKind::NotFound) => {
                    return Ok(false);
                }
                Err(failure) => return Err(failure.into_error()),
            };
            let newest =
                found.items.iter().filter_map(|ticket| Some((attempt_of(ticket)?, ticket))).max_by_key(|it| it.0);
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
        let written = self.written(session, PAGE_CHARS);
        self.tell_masked(&written);
        self.tell_context();
        let mut ticket = self.ticket_fields(session, &written)?;
        ticket.group = self.ticket_group()?;
        if ticket.description.len() > LONGEST_DESCRIPTION {
            let content = std::iter::once(&written.opening).chain(&written.pages).map(String::as_str);
            let content = content.collect::<Vec<_>>().join("\n\n").into_bytes();
            let first = description(&written, 1);
            ticket.description = format!("{first}<p>The whole conversation is in the file conversation.txt.</p>");
            let name = "conversation.txt".to_owned();
            ticket.attachments.push(Attachment { name, media_type: "text/plain; charset=utf-8".to_owned(), content });
        }
        let (attachments, left) = files::fetch(self.freshchat, self.settings, &self.request.history);
        self.findings.extend(left);
        ticket.attachments.extend(attachments);
        Ok(ticket)
    }

    /// Everything of a ticket that is known without a request.
    pub(super) fn ticket_fields(&self, session: &Session, written: &Transcript) -> Result<NewTicket, Error> {
        let user = &self.request.user;
        let filled =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let (email, phone, name) = (filled(&user.email), filled(&user.phone), filled(&user.name));
        if email.is_none() && phone.is_none() {
            let message = "a ticket needs an e-mail address, and none is known";
            let remedy = "Ask the end user for an e-mail address, and call again with it.";
            return Err(Error::new(ErrorKind::NeedsEmail, message).at("request.user.email").with_remedy(remedy));
        }
        let summary = filled(&self.request.category).or_else(|| filled(&self.request.summary));
        let subject = match summary {
            Some(text) => self.settings.masking.apply(&transcript::one_line(&text, LONGEST_SUBJECT)).0.into_owned(),
            None => "Conversation with the AI agent".to_owned(),
        };
        let desk = self.settings.ticket_desk()?;
        let priority = self.request.routing.priority.or(self.settings.priority);
        let mut tags = self.settings.ticket_tags.clone();
        tags.push(tag(&session.reference));
        // With a phone number alone the desk demands a name.
        let name = name.or_else(|| email.is_none().then(|| user.id.clone()));
        let secret = self.settings.ticket_api_key.as_ref().map(|key| key.reveal()).unwrap_or_default();
        Ok(NewTicket {
            subject,
            description: description(written, written.pages.len()),
            phone: if email.is_some() { None } else { phone },
            email,
            name,
            priority,
            is_freshservice: desk.is_some_and(|desk| desk.is_freshservice),
            tags,
            group: None,
            custom_fields: self.carried.ticket.clone(),
            attachments: Vec::new(),
            boundary: digest(&[secret, &session.reference], 16),
        })
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

/// The texts as HTML, with so many pages. What people wrote is escaped: nothing of it is read as markup.
fn description(written: &Transcript, pages: usize) -> String {
    let texts = std::iter::once(&written.opening).chain(written.pages.iter().take(pages));
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
        error.remedy = Some("The log text of this error names the fields: make them optional for agents, or fill them with the setting `context`.".into());
    }
    error
}
