//! Users.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::input::Input;
use super::paging::envelope;
use super::{App, created};
use crate::config::{DuplicateUser, UserDeletion, UserSearch, UserSpec};
use crate::ids::parse_time;
use crate::lock;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::store::User;
use crate::views::user_view;

/// The published filters. Others in a query are ignored, notably `phone`, the field's name in records.
const FILTERS: [&str; 9] = [
    "first_name",
    "last_name",
    "email",
    "reference_id",
    "phone_no",
    "created_from",
    "created_to",
    "updated_from",
    "updated_to",
];

/// `GET /v2/users`: at least one of the published filters, and all that are given must fit.
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<Value>, Refusal> {
    let behaviour = app.behaviour();
    let query = Query::of(&uri);
    let filters: Vec<(&str, &str)> = FILTERS.iter().filter_map(|name| Some((*name, query.get(name)?))).collect();
    match behaviour.user_search {
        _ if filters.is_empty() => return Err(Refusal::invalid("FILTER_MISSING")),
        UserSearch::Refused => return Err(Refusal::invalid("INVALID_FILTER")),
        UserSearch::NotFound => return Err(Refusal::not_found("user")),
        UserSearch::Exact | UserSearch::Everybody | UserSearch::Prefix => {}
    }
    let filters = filters.into_iter().map(|(name, value)| Filter::of(name, value)).collect::<Result<Vec<_>, _>>()?;
    let store = lock(&app.store);
    let fits = |user: &&User| filters.iter().all(|filter| filter.fits(user, behaviour.user_search));
    let users: Vec<&User> = store.users.rows().iter().filter(fits).collect();
    envelope("users", &uri, &users, &behaviour, |user| user_view(user)).map(Json)
}

/// One filter of a query.
enum Filter<'a> {
    Text(&'a str, &'a str),
    Time(&'a str, i64),
}

impl<'a> Filter<'a> {
    fn of(name: &'a str, value: &'a str) -> Result<Self, Refusal> {
        if !name.ends_with("_from") && !name.ends_with("_to") {
            return Ok(Self::Text(name, value));
        }
        let at = parse_time(value).ok_or_else(|| Refusal::invalid("INVALID_TIME"))?;
        Ok(Self::Time(name, at))
    }

    fn fits(&self, user: &User, search: UserSearch) -> bool {
        let (name, wanted) = match *self {
            _ if search == UserSearch::Everybody => return true,
            Self::Time("created_from", at) => return user.created_ms >= at,
            Self::Time("created_to", at) => return user.created_ms <= at,
            Self::Time("updated_from", at) => return user.updated_ms >= at,
            Self::Time(_, at) => return user.updated_ms <= at,
            Self::Text(name, wanted) => (name, wanted),
        };
        let found = match name {
            "first_name" => &user.first_name,
            "last_name" => &user.last_name,
            "email" => &user.email,
            "phone_no" => &user.phone,
            _ => &user.reference_id,
        };
        let Some(found) = found.as_deref() else { return false };
        match name {
            _ if search == UserSearch::Prefix => found.to_lowercase().starts_with(&wanted.to_lowercase()),
            "email" => found.eq_ignore_ascii_case(wanted),
            "phone_no" => digits(found) == digits(wanted),
            _ => found == wanted,
        }
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// `POST /v2/users`
pub(super) async fn create(State(app): State<App>, input: Input) -> Result<Response, Refusal> {
    let spec = UserSpec {
        first_name: input.filled("first_name")?,
        last_name: input.filled("last_name")?,
        email: input.filled("email")?,
        phone: input.filled("phone")?,
        reference_id: input.filled("reference_id")?,
        avatar_url: input.object("avatar")?.filled("url")?,
        properties: properties(&input)?,
    };
    if spec.email.as_deref().is_some_and(|email| !email.contains('@')) {
        return Err(Refusal::invalid("INVALID_EMAIL"));
    }
    let behaviour = app.behaviour();
    let mut store = lock(&app.store);
    let same = |name, value: &Option<String>, user: &User| {
        value.as_deref().is_some_and(|value| Filter::Text(name, value).fits(user, UserSearch::Exact))
    };
    let taken = store.users.rows().iter().find(|user| {
        same("email", &spec.email, user)
            || same("phone_no", &spec.phone, user)
            || same("reference_id", &spec.reference_id, user)
    });
    let view = match (taken, behaviour.duplicate_user) {
        (Some(_), DuplicateUser::Conflict) => return Err(Refusal::new(409, "CONFLICT", "user already exists")),
        (Some(user), DuplicateUser::ReturnExisting) => user_view(user),
        _ => {
            let id = store.add_user(spec, &behaviour);
            store.users.get(&id).map(user_view).unwrap_or_default()
        }
    };
    drop(store);
    Ok(created(&app, view))
}

/// User properties are an array of name and value, unlike those of conversations.
fn properties(input: &Input) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = input.array("properties")?.into_iter().map(|item| {
        let item = Input::from_value(item).map_err(|_| Refusal::invalid("INVALID_PROPERTIES"))?;
        match (item.filled("name")?, item.string("value")?) {
            (Some(name), value) => Ok((name, value.unwrap_or_default())),
            (None, _) => Err(Refusal::invalid("INVALID_PROPERTIES")),
        }
    });
    pairs.collect()
}

/// `GET /v2/users/{id}`
pub(super) async fn read(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let store = lock(&app.store);
    store.users.get(&id).map(user_view).map(Json).ok_or_else(|| Refusal::not_found("user"))
}

/// `PUT /v2/users/{id}`: changes the given fields. The response is empty, as the vendor's own client expects.
pub(super) async fn update(
    State(app): State<App>,
    Path(id): Path<String>,
    input: Input,
) -> Result<StatusCode, Refusal> {
    let fields = ["email", "first_name", "last_name", "phone", "reference_id"];
    let mut values = Vec::new();
    for name in fields {
        values.push((name, input.string(name)?));
    }
    let (properties, avatar) = (properties(&input)?, input.object("avatar")?.filled("url")?);
    let mut store = lock(&app.store);
    let now = store.clock.tick();
    let user = store.users.get_mut(&id).ok_or_else(|| Refusal::not_found("user"))?;
    user.updated_ms = now;
    for (name, value) in values {
        let field = match name {
            "email" => &mut user.email,
            "first_name" => &mut user.first_name,
            "last_name" => &mut user.last_name,
            "phone" => &mut user.phone,
            _ => &mut user.reference_id,
        };
        if let Some(value) = value {
            *field = Some(value).filter(|value| !value.is_empty());
        }
    }
    if avatar.is_some() {
        user.avatar_url = avatar;
    }
    for (name, value) in properties {
        user.properties.retain(|(found, _)| *found != name);
        user.properties.push((name, value));
    }
    Ok(StatusCode::OK)
}

/// `DELETE /v2/users/{id}`: deletes the record with the user's conversations. The real response is not published.
pub(super) async fn delete(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let behaviour = app.behaviour();
    let mut store = lock(&app.store);
    store.users.get(&id).ok_or_else(|| Refusal::not_found("user"))?;
    if behaviour.user_deletion == UserDeletion::Refused {
        return Err(Refusal::new(400, "INVALID_REQUEST", "the user cannot be deleted"));
    }
    store.remove_user(&id);
    Ok(match behaviour.user_deletion {
        UserDeletion::Accepted => {
            let told = json!({ "code": 202, "status": "ACCEPTED", "message": "User deletion request accepted" });
            (StatusCode::ACCEPTED, Json(told)).into_response()
        }
        _ => StatusCode::NO_CONTENT.into_response(),
    })
}

/// `GET /v2/users/{id}/conversations`: only ids, under `id`, not `conversation_id`. The newest first.
pub(super) async fn conversations(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let store = lock(&app.store);
    store.users.get(&id).ok_or_else(|| Refusal::not_found("user"))?;
    let own = store.conversations.rows().iter().rev().filter(|conversation| conversation.user_id == id);
    let ids: Vec<_> = own.map(|conversation| json!({ "id": conversation.id })).collect();
    Ok(Json(json!({ "conversations": ids })))
}

/// `POST /v2/users/fetch`: up to 100 users by id; unknown ids are left out.
pub(super) async fn fetch(State(app): State<App>, input: Input) -> Result<Json<Value>, Refusal> {
    let ids = input.array("ids")?;
    if ids.is_empty() || ids.len() > 100 {
        return Err(Refusal::invalid("INVALID_IDS"));
    }
    let store = lock(&app.store);
    let users: Vec<_> = ids.iter().filter_map(|id| store.users.get(id.as_str()?)).map(user_view).collect();
    Ok(Json(json!({ "users": users })))
}
