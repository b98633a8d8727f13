//! Messages of a conversation.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::input::Input;
use super::paging::Page;
use super::uploads::file_view;
use super::{App, created};
use crate::config::{Behaviour, MessagePaging};
use crate::desk::{Desk, Door, NewMessage};
use crate::ids::{iso_time, parse_time};
use crate::lock;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::store::{Actor, ActorType, Message, MessageType, Store};
use crate::views::MessageView;

/// `GET /v2/conversations/{id}/messages`: the newest first. `link.href` leads to the next page; the last page has none.
pub(super) async fn list(State(app): State<App>, Path(id): Path<String>, uri: Uri) -> Result<Json<Value>, Refusal> {
    let behaviour = app.behaviour();
    let query = Query::of(&uri);
    let page = Page::of(&query, 20, &behaviour)?;
    let until = match query.get("from_time") {
        None => i64::MAX,
        Some(text) => parse_time(text).ok_or_else(|| Refusal::invalid("INVALID_FROM_TIME"))?,
    };
    let store = lock(&app.store);
    let conversation = store.conversations.get(&id).ok_or_else(|| Refusal::not_found("conversation"))?;
    let newest_first: Vec<&Message> =
        conversation.messages.iter().rev().filter(|message| message.created_ms <= until).collect();
    let views: Vec<_> =
        page.of_items(&newest_first).iter().map(|message| MessageView::new(&store, conversation, message)).collect();
    let mut answer = json!({ "messages": views });
    let next = page.number.saturating_mul(page.size);
    if let Some(older) = newest_first.get(next) {
        let parameters = match behaviour.message_paging {
            MessagePaging::Cursor => query.with(&[
                ("page", "1".into()),
                ("items_per_page", page.size.to_string()),
                ("from_time", iso_time(older.created_ms)),
            ]),
            MessagePaging::Pages => {
                query.with(&[("page", (page.number + 1).to_string()), ("items_per_page", page.size.to_string())])
            }
        };
        let href = format!("{}?{parameters}", uri.path());
        answer["link"] = json!({ "rel": "next_page", "href": href });
    }
    Ok(Json(answer))
}

/// `POST /v2/conversations/{id}/messages`: one message.
pub(super) async fn send(State(app): State<App>, Path(id): Path<String>, input: Input) -> Result<Response, Refusal> {
    let answer = app.api_act(|desk| {
        let user_id = desk.conversation(&id)?.user_id.clone();
        let message = message_of(desk, &user_id, &input)?;
        let strange = quirk(desk.behaviour, &message);
        let made = desk.post(&id, message, Door::Api)?;
        match strange {
            Some(refusal) => Err(refusal),
            None => Ok(MessageView::new(desk.store, desk.conversation(&id)?, &made)),
        }
    });
    answer.await.map(|view| created(&app, view))
}

/// In an e-mail conversation a text part is stored, but still refused (integrators' code swallows the error).
pub(super) fn quirk(behaviour: &Behaviour, message: &NewMessage) -> Option<Refusal> {
    let text = message.parts.iter().any(|part| part.get("text").is_some());
    (behaviour.email_quirk && text).then(|| {
        Refusal::invalid(
            "com.demach.konotor.model.fragment.TextFragment cannot be cast to \
             com.demach.konotor.model.fragment.EmailFragment",
        )
    })
}

/// Reads a message for a conversation of this user, and checks everything in it.
pub(super) fn message_of(desk: &Desk<'_>, user_id: &str, input: &Input) -> Result<NewMessage, Refusal> {
    let (store, behaviour) = (&*desk.store, desk.behaviour);
    let message_type = match input.filled("message_type")?.as_deref() {
        None | Some("normal") => MessageType::Normal,
        Some("private") => MessageType::Private,
        Some("system") => MessageType::System,
        Some(_) => return Err(Refusal::invalid("INVALID_MESSAGE_TYPE")),
    };
    let actor = actor_of(store, behaviour, user_id, input)?;
    // Users cannot see private notes, so a note by one is a mistake of the caller's.
    if actor.kind == ActorType::User && message_type != MessageType::Normal {
        return Err(Refusal::invalid("INVALID_MESSAGE_TYPE"));
    }
    let parts = input.array("message_parts")?;
    if parts.is_empty() {
        return Err(Refusal::invalid("MESSAGE_PARTS_EMPTY"));
    }
    let parts = parts.into_iter().map(|part| part_of(store, behaviour, part)).collect::<Result<Vec<_>, _>>()?;
    let reply_parts = input.get("reply_parts").filter(|parts| parts.as_array().is_none_or(|it| !it.is_empty()));
    Ok(NewMessage { actor, message_type, parts, reply_parts: reply_parts.cloned() })
}

fn actor_of(store: &Store, behaviour: &Behaviour, user_id: &str, input: &Input) -> Result<Actor, Refusal> {
    let id = input.filled("actor_id")?;
    let kind = input.filled("actor_type")?;
    match kind.as_deref() {
        Some("user") => {
            let id = id.ok_or_else(|| Refusal::invalid("ACTOR_ID_MISSING"))?;
            if store.users.get(&id).is_none() {
                return Err(Refusal::not_found("user"));
            }
            if id != user_id {
                return Err(Refusal::invalid("USER_NOT_IN_CONVERSATION"));
            }
            Ok(Actor { kind: ActorType::User, id })
        }
        Some("agent") => {
            let id = id.ok_or_else(|| Refusal::invalid("ACTOR_ID_MISSING"))?;
            match store.agent(&id) {
                Some(agent) if !agent.spec.deactivated => Ok(Actor { kind: ActorType::Agent, id }),
                _ => Err(Refusal::not_found("agent")),
            }
        }
        // The vendor's own client sends no actor id for bots and finds them as `system` with a service account.
        Some("bot" | "system") => {
            let keep = behaviour.keep_bot_actor && kind.as_deref() == Some("bot");
            let kind = if keep { ActorType::Bot } else { ActorType::System };
            Ok(Actor { kind, id: store.account.service_account_id.clone() })
        }
        Some(_) => Err(Refusal::invalid("INVALID_ACTOR_TYPE")),
        None => Err(Refusal::invalid("ACTOR_TYPE_MISSING")),
    }
}

/// One part: an object with one key. Unknown kinds are kept as they are.
fn part_of(store: &Store, behaviour: &Behaviour, part: Value) -> Result<Value, Refusal> {
    let fields = Input::from_value(part)?.into_fields();
    let mut entries = fields.into_iter();
    let (Some((kind, value)), None) = (entries.next(), entries.next()) else {
        return Err(Refusal::invalid("INVALID_MESSAGE_PART"));
    };
    let value = match kind.as_str() {
        "text" | "email" => {
            let content = Input::from_value(value.clone())?.string("content")?;
            let content = content.ok_or_else(|| Refusal::invalid("TEXT_EMPTY_CONTENT"))?;
            if behaviour.max_text_chars.is_some_and(|limit| content.chars().count() > limit) {
                return Err(Refusal::invalid("TEXT_TOO_LONG"));
            }
            value
        }
        "image" => {
            let url = Input::from_value(value.clone())?.filled("url")?;
            let ours = url.as_deref().is_some_and(|url| upload_behind(store, url));
            if url.is_none() || (behaviour.refuse_external_images && !ours) {
                return Err(Refusal::invalid("IMAGE_EMPTY_CONTENT"));
            }
            value
        }
        "file" => file_part(store, Input::from_value(value)?)?,
        _ => value,
    };
    Ok(Value::Object(Map::from_iter([(kind, value)])))
}

fn upload_behind(store: &Store, url: &str) -> bool {
    url.split('/').any(|segment| store.uploads.contains_key(segment))
}

/// A file is sent by hash (or by URL) and read by URL.
fn file_part(store: &Store, file: Input) -> Result<Value, Refusal> {
    let hash = file.filled("fileHash")?.or(file.filled("file_hash")?);
    let Some(hash) = hash else {
        if file.filled("url")?.is_none() {
            return Err(Refusal::invalid("FILE_EMPTY_CONTENT"));
        }
        return Ok(Value::Object(file.into_fields()));
    };
    let upload = store.uploads.get(&hash).ok_or_else(|| Refusal::invalid("INVALID_FILE_HASH"))?;
    let mut view = file_view(upload, &store.upload_url(upload));
    if let Some(name) = file.filled("name")? {
        view["name"] = json!(name);
    }
    Ok(view)
}
