//! A handoff as a task (extension `io.modelcontextprotocol/tasks`, SEP-2663): it lasts until the human has resolved. What a human
//! writes is a question to the user; the answer goes to the human.

use base64ct::{Base64UrlUnpadded, Encoding};
use freshworks_handoff::conversation::session::digest;
use freshworks_handoff::text::time::to_iso;
use handoff_contract::model::CloseReason;
use serde_json::{Map, Value, json};

use crate::access::Need;
use crate::access::secret::is_same;
use crate::handoffs::journal::{Entry, What};
use crate::http::Call;
use crate::http::json::{Fields, set};
use crate::http::problem::Problem;
use crate::http::responses::NumberedEvent;
use crate::lease::LeasedHandoff;
use crate::mcp::message::{Capabilities, Fault, INVALID_PARAMS, Request};
use crate::mcp::tools::{internal, message_of_user, shown, written};
use crate::service::Service;
use crate::state::{Connection, Handoff, Task};

/// The extension's name.
pub(super) const EXTENSION: &str = "io.modelcontextprotocol/tasks";
/// How often clients should look.
const POLL_MS: u64 = 3_000;
/// The form's one field.
const REPLY: &str = "reply";
/// What the name of a question begins with, before the event's number: each is used once.
const QUESTION: &str = "m-";
/// The event that ends the human part.
const RETURNED: &str = "returned-to-ai";

/// Names the task among all there are: connection, handoff, secret.
fn task_id(handoff: &Handoff, task: &Task) -> String {
    format!("{}.{}.{}", handoff.connection, handoff.id, task.secret)
}

fn is_return(event: &Value) -> bool {
    event.field("kind") == RETURNED
}

/// A task ends with the handoff that it was begun for, also where the same conversation was handed over again.
fn has_ended(handoff: &Handoff, task: &Task) -> bool {
    let is_return = |entry: &Entry| matches!(&entry.what, What::Event { event, .. } if event == RETURNED);
    !handoff.is_open() || handoff.journal.iter().any(|entry| entry.at > task.created_at && is_return(entry))
}

/// What a task has in common with every other one.
fn seen(handoff: &Handoff, task: &Task, status: &str) -> Value {
    json!({
        "taskId": task_id(handoff, task),
        "status": status,
        "createdAt": to_iso(task.created_at),
        "lastUpdatedAt": to_iso(handoff.updated_at.max(task.created_at)),
        "ttlMs": null,
        "pollIntervalMs": POLL_MS,
    })
}

/// What a human wrote, as a question to the user.
fn question(written: &Value) -> Value {
    let word = |name: &str| written.field(name).as_str().unwrap_or_default();
    json!({
        "method": "elicitation/create",
        "params": {
            "mode": "form",
            "message": format!("{} (human agent): {}", word("from"), word("text")),
            "requestedSchema": {
                "type": "object",
                "properties": { REPLY: { "type": "string", "title": "Your answer", "maxLength": 100_000 } },
            },
        },
    })
}

/// Answers without a word dismiss a question.
fn reply(answer: &Value) -> Option<&str> {
    let text = answer.field("content").field(REPLY).as_str().filter(|_| answer.field("action") == "accept")?;
    Some(text).filter(|text| !text.trim().is_empty())
}

impl Service<'_> {
    /// The task of a handoff that humans have: the one there is, or a new one.
    pub(super) fn begin_task(&self, connection: &Connection, handoff: &Handoff) -> Result<Value, Problem> {
        let goes_on = |handoff: &Handoff| handoff.task.as_ref().is_some_and(|task| !has_ended(handoff, task));
        let mut handoff = handoff.clone();
        if !goes_on(&handoff) {
            let mut work = LeasedHandoff::begin_known(self, &connection.id, &connection.settings, &handoff.id, "")?;
            // Somebody else may have begun it meanwhile.
            if !goes_on(&work.handoff) {
                let secret = Base64UrlUnpadded::encode_string(&(self.draw)());
                // What is older is of an earlier handoff of the same conversation.
                let queue = work.handoff.event_queue.as_ref().map(|queue| queue.waiting.as_slice()).unwrap_or_default();
                let after = queue.iter().rev().find(|(_, event)| is_return(event)).map_or(0, |(number, _)| *number);
                work.handoff.task = Some(Task { secret, created_at: (self.clock)(), after, is_cancelled: false });
            }
            handoff = work.save(&[])?;
        }
        let mut result = handoff.task.as_ref().map(|task| seen(&handoff, task, "working")).unwrap_or_default();
        set(&mut result, "resultType", "task");
        set(&mut result, "statusMessage", "Human agents have the conversation.");
        Ok(result)
    }

    /// `tasks/get`, `tasks/update` and `tasks/cancel`.
    pub(super) fn task(&self, call: &Call<'_>, request: &Request<'_>, client: Capabilities) -> Result<Value, Fault> {
        if !client.follows_tasks {
            return Err(Fault::needs_tasks());
        }
        let named = request.params.field("taskId").as_str().unwrap_or_default();
        let unknown = || Fault::new(INVALID_PARAMS, "Task not found. Call hand_to_human again.");
        let (connection, handoff) =
            self.task_named(call, named).map_err(|problem| internal(&problem))?.ok_or_else(unknown)?;
        let told = |problem: Problem| {
            self.refusal(call.request, problem.clone());
            internal(&problem)
        };
        match request.method {
            "tasks/get" => self.task_state(&connection, &handoff, client).map_err(told)?.ok_or_else(unknown),
            "tasks/update" => {
                let Some(answers) = request.params.field("inputResponses").as_object() else {
                    return Err(Fault::new(INVALID_PARAMS, "params.inputResponses is missing"));
                };
                self.update_task(&connection, &handoff, answers).map_err(told)?;
                Ok(json!({}))
            }
            _ => {
                if handoff.is_open() {
                    self.cancel(&connection, &handoff.id, CloseReason::UserCancelled).map_err(told)?;
                }
                Ok(json!({}))
            }
        }
    }

    /// A task that this caller may see. One of somebody else is as unknown as one that never was.
    fn task_named(&self, call: &Call<'_>, named: &str) -> Result<Option<(Connection, Handoff)>, Problem> {
        let mut parts = named.split('.');
        let (Some(connection), Some(handoff), Some(secret), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Ok(None);
        };
        let are_ids = [connection, handoff].into_iter().all(crate::http::route::is_id);
        if !are_ids || !call.caller.may(Need::Connection(connection)) {
            return Ok(None);
        }
        let Some(connection) = self.state.connection(connection)? else { return Ok(None) };
        let handoff = self.state.handoff(&connection.id, handoff)?;
        let is_meant = |handoff: &Handoff| handoff.task.as_ref().is_some_and(|task| is_same(secret, &task.secret));
        Ok(handoff.filter(is_meant).map(|handoff| (connection, handoff)))
    }

    fn task_state(
        &self,
        connection: &Connection,
        handoff: &Handoff,
        client: Capabilities,
    ) -> Result<Option<Value>, Problem> {
        let (handoff, events) = self.fetch_events(connection, &handoff.id, 0)?;
        let Some(task) = &handoff.task else { return Ok(None) };
        if task.is_cancelled {
            return Ok(Some(seen(&handoff, task, "cancelled")));
        }
        let mut events: Vec<NumberedEvent> = events.into_iter().filter(|event| event.number > task.after).collect();
        if let Some(end) = events.iter().position(|event| is_return(&event.event)) {
            events.truncate(end + 1);
        }
        if has_ended(&handoff, task) {
            let said = shown(&handoff.key.conversation, &handoff, &events);
            let mut state = seen(&handoff, task, "completed");
            let result = json!({
                "content": [{ "type": "text", "text": said.to_string() }], "structuredContent": said, "isError": false,
            });
            set(&mut state, "result", result);
            return Ok(Some(state));
        }
        let questions: Map<String, Value> = events
            .iter()
            .filter_map(|event| Some((format!("{QUESTION}{}", event.number), question(&written(event)?))))
            .collect();
        let mut state = match (questions.is_empty(), client.asks_user) {
            (false, true) => {
                let mut state = seen(&handoff, task, "input_required");
                set(&mut state, "inputRequests", questions);
                state
            }
            (false, false) => {
                let mut state = seen(&handoff, task, "working");
                set(&mut state, "statusMessage", "A human agent has written: call handoff_status.");
                return Ok(Some(state));
            }
            (true, _) => seen(&handoff, task, "working"),
        };
        let message = if handoff.state == "queued" { "Waiting for a human agent." } else { "A human agent has it." };
        set(&mut state, "statusMessage", message);
        Ok(Some(state))
    }

    /// Answers to questions: each goes over once, and its question is gone. Answers to anything else are no matter.
    fn update_task(
        &self,
        connection: &Connection,
        handoff: &Handoff,
        answers: &Map<String, Value>,
    ) -> Result<(), Problem> {
        let Some(task) = &handoff.task else { return Ok(()) };
        let queue = handoff.event_queue.as_ref().map(|queue| queue.waiting.as_slice()).unwrap_or_default();
        let numbers = queue.iter().map(|(number, _)| *number).filter(|number| *number > task.after);
        let answered: Vec<(u64, &Value)> =
            numbers.filter_map(|number| Some((number, answers.get(&format!("{QUESTION}{number}"))?))).collect();
        if answered.is_empty() || !handoff.is_open() {
            return Ok(());
        }
        for (number, answer) in &answered {
            if let Some(text) = reply(answer) {
                let id = format!("task-{}-{number}", digest(&["task", &task.secret], 8));
                let message = message_of_user(id, text.to_owned(), (self.clock)());
                self.relay_message(connection, &handoff.id, &message)?;
            }
        }
        let mut work = LeasedHandoff::begin_known(self, &connection.id, &connection.settings, &handoff.id, "")?;
        if let Some(queue) = &mut work.handoff.event_queue {
            queue.waiting.retain(|(number, _)| !answered.iter().any(|(answered, _)| answered == number));
        }
        work.save(&[]).map(drop)
    }
}
