//! Users.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::input::Input;
use super::paging::envelope;
use super::{App, created};
use crate::config::{DuplicateUser, UserSpec};
use crate::lock;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::store::User;
use crate::views::user_view;

/// `GET /v2/users`: filters are exact, e-mail addresses in any case.
pub(super) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<Value>, Refusal> {
    const FILTERS: [&str; 8] =
        ["reference_id", "email", "phone", "first_name", "created_from", "created_to", "updated_from", "updated_to"];
    let behaviour = app.behaviour();
    let query = Query::of(&uri);
    if behaviour.users_need_filter && FILTERS.iter().all(|name| query.get(name).is_none()) {
        return Err(Refusal::invalid("FILTER_MISSING"));
    }
    let store = lock(&app.store);
    let exact = |name: &str, found: &Option<String>| query.get(name).is_none_or(|it| found.as_deref() == Some(it));
    let fits = |user: &&User| {
        let email = query.get("email").is_none_or(|email| same_email(user, email));
        email
            && exact("reference_id", &user.reference_id)
            && exact("phone", &user.phone)
            && exact("first_name", &user.first_name)
    };
    let users: Vec<&User> = store.users.rows().iter().filter(fits).collect();
    envelope("users", &uri, &users, &behaviour, |user| user_view(user)).map(Json)
}

fn same_email(user: &User, email: &str) -> bool {
    user.email.as_deref().is_some_and(|found| found.eq_ignore_ascii_case(email))
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
    let taken = store.users.rows().iter().find(|user| {
        spec.email.as_deref().is_some_and(|email| same_email(user, email))
            || (spec.reference_id.is_some() && user.reference_id == spec.reference_id)
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

/// `PUT /v2/users/{id}`: changes what is given. The answer is empty, as the vendor's own client expects.
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

/// `GET /v2/users/{id}/conversations`: ids alone, under `id` and not `conversation_id`. The newest first.
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
