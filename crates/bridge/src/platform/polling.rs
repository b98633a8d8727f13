//! A platform that takes no callback: events wait in the handoff until they are fetched. Trials are like that on every connection.

use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::http::Http;
use handoff_contract::model::{Finding, Message, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Asked, DeliveryError, Inbound, News, Platform, Prepared, WebhookEndpoint, Webhooks};
use crate::http::IncomingRequest;
use crate::http::problem::Problem;
use crate::state::{Connection, EventQueue, Handoff};

/// Events that wait at most. Beyond that Freshworks is told to come again, which it does for a while.
const MAX_WAITING: usize = 200;
/// Human agents whose photos are known for one handoff.
const MAX_PHOTOS: usize = 8;

/// What a photo is known by.
pub(crate) fn photo_name(url: &str) -> String {
    digest(&["photo", url], 8)
}

/// There is nothing to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Polling {}

impl Platform for Polling {
    fn check(&self) -> Result<(), Problem> {
        Ok(())
    }

    fn connect(&mut self, _: &dyn Http, _: &Webhooks) -> Vec<Finding> {
        Vec::new()
    }

    fn read(&self, _: WebhookEndpoint, _: &IncomingRequest<'_>) -> Result<Inbound, Problem> {
        Err(Problem::not_allowed())
    }

    fn prepare(&self, _: &dyn Http, asked: &Asked) -> Result<Prepared, DeliveryError> {
        asked.as_it_came()
    }

    fn tell(&self, _: &dyn Http, _: &Connection, handoff: &mut Handoff, news: &News<'_>) -> Result<(), DeliveryError> {
        let event_queue = handoff.event_queue.get_or_insert_with(EventQueue::default);
        if event_queue.waiting.len() + news.events.len() > MAX_WAITING {
            return Err(DeliveryError::Retryable("nobody fetches the events".to_owned()));
        }
        for event in news.events {
            event_queue.newest += 1;
            // Fails for maps whose keys are no texts; an event has none.
            event_queue.waiting.push((event_queue.newest, serde_json::to_value(event).unwrap_or_default()));
            if let Some(url) = event.message.as_ref().and_then(|message| message.sender.avatar_url.clone()) {
                let name = photo_name(&url);
                event_queue.photos.retain(|(known, _)| *known != name);
                event_queue.photos.push((name, url));
                let surplus = event_queue.photos.len().saturating_sub(MAX_PHOTOS);
                event_queue.photos.drain(..surplus);
            }
        }
        Ok(())
    }

    fn give_up(&self, _: &dyn Http, _: &Connection, _: &Handoff, _: Timestamp) -> Result<(), DeliveryError> {
        Ok(())
    }

    fn written(&self, _: &dyn Http, _: &Handoff) -> Result<Vec<Message>, DeliveryError> {
        Ok(Vec::new())
    }
}
