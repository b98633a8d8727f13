//! Tickets.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::changes::{asking, new_ticket, ticket_changes};
use super::fields::Fields;
use super::paging::Page;
use super::refusal::{FieldError, TicketRefusal};
use super::views::{entry_view, insert_description, insert_requester, many, one, ticket_row, ticket_view};
use super::{App, TicketId};
use crate::config::{Behaviour, UnknownRequester};
use crate::ids::parse_time;
use crate::lock;
use crate::query::Query;
use crate::tickets::{Gone, NewFile, Ticket, TicketDesk, TicketProduct};

/// How many notes and replies a ticket embeds.
const MAX_EMBEDDED: usize = 10;

/// `POST /tickets`
pub(super) async fn create(State(app): State<App>, mut fields: Fields) -> Result<Response, TicketRefusal> {
    let behaviour = app.behaviour();
    let mut desk = lock(&app.tickets);
    let changes = new_ticket(&desk, &behaviour, &mut fields);
    let asking = asking(&desk, &mut fields);
    fields.end()?;
    too_large(&desk, &behaviour, changes.description.as_ref().map_or(0, String::len), &changes.files)?;
    let id = desk.create(asking, changes).ok_or(TicketRefusal::NotFound)?.id;
    let ticket = desk.ticket(id).ok_or(TicketRefusal::NotFound)?;
    let view = one(desk.product, "ticket", Value::Object(ticket_view(&desk, ticket, &app.ticket_origin)));
    let location = format!("{}/api/v2/tickets/{id}", app.ticket_origin);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)).into_response())
}

/// `PUT /tickets/{id}`: changes what is given.
pub(super) async fn update(
    State(app): State<App>,
    TicketId(id): TicketId,
    mut fields: Fields,
) -> Result<Response, TicketRefusal> {
    let behaviour = app.behaviour();
    let mut desk = lock(&app.tickets);
    let before = desk.present(id).ok_or(TicketRefusal::NotFound)?.size();
    let changes = ticket_changes(&desk, &behaviour, &mut fields);
    fields.end()?;
    too_large(&desk, &behaviour, before + changes.description.as_ref().map_or(0, String::len), &changes.files)?;
    desk.update(id, changes);
    let ticket = desk.ticket(id).ok_or(TicketRefusal::NotFound)?;
    let view = ticket_view(&desk, ticket, &app.ticket_origin);
    Ok(Json(one(desk.product, "ticket", Value::Object(view))).into_response())
}

/// Refuses a ticket whose text and files are more than the product takes.
pub(super) fn too_large(
    desk: &TicketDesk,
    behaviour: &Behaviour,
    text: usize,
    files: &[NewFile],
) -> Result<(), TicketRefusal> {
    let limit = behaviour.max_ticket_bytes.unwrap_or_else(|| desk.product.size_limit());
    let size = text + files.iter().map(|file| file.content.len()).sum::<usize>();
    if size <= limit {
        return Ok(());
    }
    // The limit is published, the words are not.
    let message = format!("The size of the ticket should be less than {limit} bytes");
    let error = FieldError::new("attachments", "invalid_size", message);
    Err(TicketRefusal::Invalid(behaviour.ticket_too_large_status, vec![error]))
}

/// `GET /tickets/{id}`
pub(super) async fn read(State(app): State<App>, TicketId(id): TicketId, uri: Uri) -> Result<Response, TicketRefusal> {
    let query = Query::of(&uri);
    let included = included(&query, &["conversations", "requester", "company", "stats"])?;
    let desk = lock(&app.tickets);
    let ticket = desk.ticket(id).ok_or(TicketRefusal::NotFound)?;
    let mut view = ticket_view(&desk, ticket, &app.ticket_origin);
    for name in included {
        match name {
            "requester" => insert_requester(ticket, &mut view),
            "conversations" => {
                let entries = ticket.entries.iter().take(MAX_EMBEDDED);
                let views: Vec<_> = entries.map(|entry| entry_view(ticket, entry, &app.ticket_origin)).collect();
                view.insert("conversations".into(), json!(views));
            }
            // There are neither companies nor statistics here.
            other => {
                view.insert(other.to_owned(), json!({}));
            }
        }
    }
    Ok(Json(one(desk.product, "ticket", Value::Object(view))).into_response())
}

fn included<'a>(query: &'a Query, known: &[&str]) -> Result<Vec<&'a str>, FieldError> {
    let names: Vec<&str> = query.get("include").map(|names| names.split(',').collect()).unwrap_or_default();
    match names.iter().find(|name| !known.contains(name)) {
        Some(_) => Err(FieldError::not_one_of("include", "invalid_value", &known.join(","))),
        None => Ok(names),
    }
}

/// `GET /tickets`: the newest first, without descriptions.
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Response, TicketRefusal> {
    const PARAMETERS: [&str; 11] = [
        "requester_id",
        "email",
        "unique_external_id",
        "company_id",
        "updated_since",
        "filter",
        "order_by",
        "order_type",
        "include",
        "page",
        "per_page",
    ];
    let query = Query::of(&uri);
    let page = Page::of(&query)?;
    let included = included(&query, &["requester", "stats", "description"])?;
    let desk = lock(&app.tickets);
    // Those of the vendor's SDK (freshworks-api-sdk); that the service refuses others is a belief.
    let is_known = |name: &&str| match desk.product {
        TicketProduct::Freshdesk => PARAMETERS.contains(name),
        TicketProduct::Freshservice => {
            PARAMETERS.contains(name) && !["unique_external_id", "company_id", "order_by"].contains(name)
        }
    };
    if let Some(name) = query.names().find(|name| !is_known(name)) {
        return Err(FieldError::unknown(name).into());
    }
    let filter = Filter::of(&desk, &app.behaviour(), &query)?;
    let mut tickets: Vec<&Ticket> = desk.tickets.iter().filter(|ticket| filter.fits(ticket)).collect();
    sort(&mut tickets, &query)?;
    let (tickets, link) = page.of_items(&tickets, &app.ticket_origin, &uri);
    let views = tickets.iter().map(|ticket| {
        let mut view = ticket_row(&desk, ticket);
        if included.contains(&"description") {
            insert_description(ticket, &mut view);
        }
        if included.contains(&"requester") {
            insert_requester(ticket, &mut view);
        }
        Value::Object(view)
    });
    Ok(linked(link, many(desk.product, "tickets", views.collect())))
}

/// A list with the link to its next page.
pub(super) fn linked(link: Option<String>, list: Value) -> Response {
    let headers: Vec<(HeaderName, String)> = link.into_iter().map(|link| (header::LINK, link)).collect();
    (axum::response::AppendHeaders(headers), Json(list)).into_response()
}

/// Which tickets a list shows. That none but those of the last 30 days are shown has no effect: no simulator is so old.
struct Filter {
    /// Requesters, if the query names any.
    requesters: Option<Vec<u64>>,
    since_ms: i64,
    open_only: bool,
    none: bool,
    gone: Option<Gone>,
}

impl Filter {
    fn of(desk: &TicketDesk, behaviour: &Behaviour, query: &Query) -> Result<Self, FieldError> {
        let mut requesters: Option<Vec<u64>> = None;
        for name in ["requester_id", "email", "unique_external_id"] {
            let Some(value) = query.get(name) else { continue };
            let known = desk.requesters.iter().filter(|requester| match name {
                "requester_id" => requester.id.to_string() == value,
                "email" => requester.facts.has_email(value),
                _ => requester.facts.unique_external_id.as_deref() == Some(value),
            });
            let known: Vec<u64> = known.map(|requester| requester.id).collect();
            if known.is_empty() && behaviour.unknown_requester == UnknownRequester::Refuse {
                return Err(FieldError::no_match(name, "contact"));
            }
            requesters = Some(match requesters {
                None => known,
                Some(others) => others.into_iter().filter(|id| known.contains(id)).collect(),
            });
        }
        let since_ms = match query.get("updated_since") {
            None => i64::MIN,
            Some(text) => parse_time(text)
                .or_else(|| parse_time(&format!("{text}T00:00:00Z")))
                .ok_or_else(|| FieldError::wrong_type("updated_since", "String", "DateTime"))?,
        };
        let filter = query.get("filter");
        let gone = match filter {
            Some("spam") => Some(Gone::Spam),
            Some("deleted") => Some(Gone::Deleted),
            _ => None,
        };
        // There are no watchers and no companies.
        let none = match filter {
            None | Some("new_and_my_open" | "spam" | "deleted") => query.get("company_id").is_some(),
            Some("watching") => true,
            Some(_) => {
                let known = "new_and_my_open,watching,spam,deleted";
                return Err(FieldError::not_one_of("filter", "invalid_value", known));
            }
        };
        Ok(Self { requesters, since_ms, open_only: filter == Some("new_and_my_open"), none, gone })
    }

    fn fits(&self, ticket: &Ticket) -> bool {
        let asked = self.requesters.as_ref().is_none_or(|known| known.contains(&ticket.requester.id));
        let open = !self.open_only || ticket.status == 2;
        !self.none && asked && open && ticket.gone == self.gone && ticket.updated_ms >= self.since_ms
    }
}

fn sort(tickets: &mut [&Ticket], query: &Query) -> Result<(), FieldError> {
    let due = |ticket: &Ticket| ticket.other.get("due_by").and_then(Value::as_str).map(str::to_owned);
    match query.get("order_by") {
        None | Some("created_at") => tickets.sort_by_key(|ticket| ticket.created_ms),
        Some("updated_at") => tickets.sort_by_key(|ticket| ticket.updated_ms),
        Some("status") => tickets.sort_by_key(|ticket| ticket.status),
        Some("due_by") => tickets.sort_by_key(|ticket| due(ticket)),
        Some(_) => {
            return Err(FieldError::not_one_of("order_by", "invalid_value", "created_at,due_by,updated_at,status"));
        }
    }
    match query.get("order_type") {
        None | Some("desc") => tickets.reverse(),
        Some("asc") => {}
        Some(_) => return Err(FieldError::not_one_of("order_type", "invalid_value", "asc,desc")),
    }
    Ok(())
}
