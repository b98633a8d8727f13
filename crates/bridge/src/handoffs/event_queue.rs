//! Fetching events that wait: for trials, and for platforms that take no callback.

use freshworks_handoff::http::{Method, Request};
use serde_json::Value;

use crate::http::OutgoingResponse;
use crate::http::json::Fields;
use crate::http::problem::Problem;
use crate::http::responses::{EventsResponse, NumberedEvent};
use crate::lease::LeasedHandoff;
use crate::platform::polling::photo_name;
use crate::platform::web_url;
use crate::service::Service;
use crate::state::{Connection, Handoff};

const CONNECT_TIMEOUT_MS: u32 = 2_000;
const RESPONSE_TIMEOUT_MS: u32 = 5_000;
const MAX_PHOTO_BYTES: usize = 512 * 1024;
/// Pictures that a browser shows and cannot run.
const PHOTO_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/gif"];

impl Service<'_> {
    /// The events behind `after`. Those up to it have arrived, and are deleted.
    pub(crate) fn events(&self, connection: &Connection, id: &str, after: u64) -> Result<OutgoingResponse, Problem> {
        let (handoff, events) = self.fetch_events(connection, id, after)?;
        Ok(OutgoingResponse::ok(EventsResponse { handoff: (&handoff).into(), events }))
    }

    /// The same, with the handoff as it is stored.
    pub(crate) fn fetch_events(
        &self,
        connection: &Connection,
        id: &str,
        after: u64,
    ) -> Result<(Handoff, Vec<NumberedEvent>), Problem> {
        let mut handoff = self.state.handoff(&connection.id, id)?.ok_or_else(crate::service::unknown_handoff)?;
        let is_seen = |handoff: &Handoff| {
            // A number that was never given is of another handoff: nothing is known to have arrived.
            let event_queue = handoff.event_queue.as_ref().filter(|event_queue| after <= event_queue.newest);
            event_queue.is_some_and(|event_queue| event_queue.waiting.iter().any(|(number, _)| *number <= after))
        };
        if is_seen(&handoff) {
            let mut work = LeasedHandoff::begin(self, &connection.id, &connection.settings, id, None, "")?;
            if let Some(event_queue) = &mut work.handoff.event_queue {
                event_queue.waiting.retain(|(number, _)| *number > after);
            }
            handoff = work.save(&[])?;
        }
        let newest = handoff.event_queue.as_ref().map_or(0, |event_queue| event_queue.newest);
        let after = if after > newest { 0 } else { after };
        let waiting =
            handoff.event_queue.as_ref().map(|event_queue| event_queue.waiting.as_slice()).unwrap_or_default();
        let numbered = |(number, event): &(u64, Value)| {
            let url = event.field("message").field("sender").field("avatar_url").as_str();
            let photo = url.map(|url| format!("{id}-{}", photo_name(url)));
            NumberedEvent { number: *number, event: event.clone(), photo }
        };
        let events = waiting.iter().filter(|(number, _)| *number > after).map(numbered).collect();
        Ok((handoff, events))
    }

    /// The photo of a human agent, from wherever Freshworks keeps it: a page that shows it asks nobody else. `photo`: as the events
    /// have it.
    pub(crate) fn photo(&self, connection: &Connection, photo: &str) -> Result<OutgoingResponse, Problem> {
        let none = || Problem::new(404, "unknown", "there is no such photo").at("photo");
        let (handoff, name) = photo.split_once('-').ok_or_else(none)?;
        let event_queue = self.state.handoff(&connection.id, handoff)?.and_then(|handoff| handoff.event_queue);
        let url = event_queue.and_then(|event_queue| event_queue.photos.into_iter().find(|(known, _)| known == name));
        let (origin, path) = url.and_then(|(_, url)| web_url::split(&url)).ok_or_else(none)?;
        let request = Request {
            method: Method::Get,
            origin,
            path,
            headers: Vec::new(),
            body: Vec::new(),
            connect_timeout_ms: CONNECT_TIMEOUT_MS,
            response_timeout_ms: RESPONSE_TIMEOUT_MS,
        };
        let response = self.http.send(request).map_err(|error| none().logged(format!("a photo: {}", error.reason)))?;
        let given = response.header("content-type").unwrap_or_default();
        let kind = PHOTO_TYPES.into_iter().find(|kind| *kind == given.split(';').next().unwrap_or_default().trim());
        match kind.filter(|_| response.status == 200 && response.body.len() <= MAX_PHOTO_BYTES) {
            Some(kind) => {
                Ok(OutgoingResponse::bytes(kind, response.body).with("cache-control", "private, max-age=300"))
            }
            None => Err(none()),
        }
    }
}
