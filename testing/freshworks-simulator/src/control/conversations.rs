//! What the agent does with a conversation.

use axum::Json;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::delivery_view;
use super::{App, Reply, Text};
use crate::agent::Assignee;
use crate::api::{kept_part, upload_in};
use crate::delivery::Delivery;
use crate::refusal::Refusal;
use crate::store::{MessageType, Status, Upload};

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/simulator/conversations/{id}/reply", post(reply))
        .route("/simulator/conversations/{id}/note", post(note))
        // The server has its own limit, above the largest upload.
        .route("/simulator/conversations/{id}/file", post(file).layer(DefaultBodyLimit::disable()))
        .route("/simulator/conversations/{id}/assign", post(assign))
        .route("/simulator/conversations/{id}/resolve", post(resolve))
        .route("/simulator/conversations/{id}/reopen", post(reopen))
}

#[derive(Deserialize)]
struct By {
    agent: String,
}

#[derive(Deserialize)]
struct Assign {
    agent: String,
    /// Absent: to the agent who asks.
    to_agent: Option<String>,
    to_group: Option<String>,
    /// Back to the queue.
    #[serde(default)]
    to_nobody: bool,
}

fn tried(deliveries: Result<Vec<Delivery>, Refusal>) -> Reply {
    Ok(Json(json!({ "deliveries": deliveries?.iter().map(delivery_view).collect::<Vec<_>>() })))
}

async fn reply(State(app): State<App>, Path(id): Path<String>, Json(it): Json<Text>) -> Reply {
    tried(app.agent_writes(&id, &it.agent, MessageType::Normal, &it.text).await)
}

async fn note(State(app): State<App>, Path(id): Path<String>, Json(it): Json<Text>) -> Reply {
    tried(app.agent_writes(&id, &it.agent, MessageType::Private, &it.text).await)
}

/// One message with an optional text and a file.
async fn file(State(app): State<App>, Path(id): Path<String>, form: Multipart) -> Reply {
    let it = FileForm::read(form).await?;
    let text = it.text.filter(|text| !text.is_empty()).map(|text| json!({ "text": { "content": text } }));
    let upload = it.file.ok_or_else(|| Refusal::invalid("FILE_PART_MISSING"))?;
    let parts: Vec<Value> = text.into_iter().chain([kept_part(&app, upload)]).collect();
    let message_type = if it.private { MessageType::Private } else { MessageType::Normal };
    tried(app.agent_posts(&id, &it.agent, message_type, parts).await)
}

#[derive(Default)]
struct FileForm {
    agent: String,
    text: Option<String>,
    private: bool,
    file: Option<Upload>,
}

impl FileForm {
    async fn read(mut form: Multipart) -> Result<Self, Refusal> {
        let mut read = Self::default();
        while let Some(field) = form.next_field().await.map_err(|_| Refusal::unreadable_form())? {
            match field.name() {
                Some("agent") => read.agent = text_of(field).await?,
                Some("text") => read.text = Some(text_of(field).await?),
                Some("private") => read.private = text_of(field).await? == "true",
                Some("file") => read.file = Some(upload_in(field, "FILE_EMPTY_CONTENT").await?),
                _ => {}
            }
        }
        Ok(read)
    }
}

async fn text_of(field: Field<'_>) -> Result<String, Refusal> {
    field.text().await.map_err(|_| Refusal::unreadable_form())
}

async fn assign(State(app): State<App>, Path(id): Path<String>, Json(it): Json<Assign>) -> Reply {
    let to = match (it.to_nobody, &it.to_group, &it.to_agent) {
        (true, _, _) => Assignee::Nobody,
        (false, Some(group), _) => Assignee::Group(group),
        (false, None, Some(agent)) => Assignee::Agent(agent),
        (false, None, None) => Assignee::Agent(&it.agent),
    };
    tried(app.agent_assigns(&id, &it.agent, to).await)
}

async fn resolve(State(app): State<App>, Path(id): Path<String>, Json(it): Json<By>) -> Reply {
    tried(app.agent_sets_status(&id, &it.agent, Status::Resolved).await)
}

async fn reopen(State(app): State<App>, Path(id): Path<String>, Json(it): Json<By>) -> Reply {
    tried(app.agent_sets_status(&id, &it.agent, Status::Reopened).await)
}
