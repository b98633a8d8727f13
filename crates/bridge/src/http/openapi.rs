//! The description of the API as an OpenAPI 3.1 document, made from the types that the service reads and writes.
//!
//! `cargo xtask tables` writes it to `openapi.json`, which the app serves; tests keep both in step with the code and its routes.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::http::operations::{OPERATIONS, Operation};
use crate::http::problem::Document;
use crate::platform::generic::{HandoffFailed, HandoffNews};

pub(crate) mod described;

use described::{Body, Described, Link, Reply, STATUSES, Status};

/// Largest whole number that the service reads: it is stored in 64 bits.
const MOST: u64 = u64::MAX;

/// The whole document.
pub fn document() -> Value {
    let (mut inbound, mut outbound) = (generator(draft()), generator(draft().for_serialize()));
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let described = describe(operation, &mut inbound, &mut outbound);
        let item = paths.entry(operation.path).or_insert_with(|| json!({ "parameters": names(operation.path) }));
        item[operation.method.to_ascii_lowercase()] = described;
    }
    let events = [
        ("handoff.events", "News of a handoff.", outbound.subschema_for::<HandoffNews<'_>>()),
        ("handoff.failed", "A handoff will not come about.", outbound.subschema_for::<HandoffFailed<'_>>()),
    ];
    let webhooks: Map<String, Value> =
        events.into_iter().map(|(kind, summary, data)| (kind.to_owned(), callback(kind, summary, &data))).collect();

    let problem = outbound.subschema_for::<Document<'_>>();
    let responses: Map<String, Value> =
        STATUSES.iter().map(|status| (status.name.to_owned(), problem_response(status, &problem))).collect();
    // What goes both ways stands in the document as it is read: options may be left out.
    let mut schemas = outbound.take_definitions(true);
    schemas.extend(inbound.take_definitions(true));
    name_the_kinds(&mut schemas);
    schemas.insert("Settings".to_owned(), settings());
    json!({
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Freshworks handoff",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Hands a conversation of an AI agent to human agents in Freshworks, and brings it back.\n\n\
                Times are milliseconds since 1970 in UTC. Errors are problems as RFC 9457 has them; `kind` says what to do. A \
                request that failed with 503 may be repeated after `retry_after_ms`: what it has done already is not done \
                again. A 500 has no body: the host has ended the request, which may be repeated after some seconds.",
        },
        "tags": [
            { "name": "connections", "description": "Which Freshworks account serves which AI agent." },
            { "name": "handoffs", "description": "Conversations that are, or were, with human agents." },
            { "name": "watching", "description": "What came and went, what failed, and how to send it again." },
            { "name": "people", "description": "What is held about one end user, by the platform's id." },
            { "name": "agents", "description": "The door for AI agents that call tools." },
            { "name": "operation", "description": "For whoever runs the app." },
            { "name": "webhooks", "description": "Called by Freshworks and by the platform. The secret in the path and the signature stand for the token." },
        ],
        "security": [{ "token": [] }],
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The app's variable `api_token`, or a token of `/v1/tokens`. The pages of `/console` have a cookie in its place.",
                },
            },
            "responses": responses,
            "schemas": schemas,
        },
    })
}

fn generator(settings: SchemaSettings) -> SchemaGenerator {
    let bound = |schema: &mut Schema| {
        if schema.get("format").is_some_and(|format| format == "uint64" || format == "uint") {
            schema.insert("maximum".to_owned(), json!(MOST));
        }
    };
    settings.with_transform(RecursiveTransform(bound)).into_generator()
}

/// OpenAPI 3.1 takes JSON Schema as it is; only the place of the definitions is its own.
fn draft() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into())
}

fn describe(operation: &Operation, inbound: &mut SchemaGenerator, outbound: &mut SchemaGenerator) -> Value {
    let Described { id, tag, summary, description, headers, query, body, reply, about, problems } =
        &operation.described;
    let mut responses = Map::new();
    let described_reply = reply;
    let (status, reply) = response(reply, about, outbound);
    responses.insert(status.to_owned(), reply);
    if let Reply::Message { refused } = described_reply {
        responses.insert("202".to_owned(), json!({ "description": "A notification was taken." }));
        for status in *refused {
            responses.insert(status.to_string(), message_response("The message is refused."));
        }
    }
    for status in *problems {
        let found = STATUSES.iter().find(|known| known.status == *status);
        let name = found.map(|found| found.name).unwrap_or_default();
        responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{name}") }));
    }
    let mut described = json!({
        "operationId": id,
        "summary": summary,
        "description": description,
        "tags": [tag],
        "responses": responses,
    });
    if operation.access.is_open() {
        described["security"] = json!([]);
    }
    if let Some(Body { schema, example }) = body {
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema(inbound), "example": example() } },
        });
    }
    let in_query = query.iter().map(|(name, description, schema)| json!({ "name": name, "in": "query", "description": description, "schema": schema() }));
    let in_header = headers.iter().map(|(name, description)| json!({ "name": name, "in": "header", "description": description, "schema": { "type": "string" } }));
    let parameters: Vec<Value> = in_query.chain(in_header).collect();
    if !parameters.is_empty() {
        described["parameters"] = Value::Array(parameters);
    }
    described
}

/// The names in a path.
fn names(path: &str) -> Vec<Value> {
    let name = |segment: &str| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?.to_owned();
        let handoff = described::handoff_id_example();
        let (description, example) = match name.as_str() {
            "connection" => ("The operator's name for the connection.", "acme"),
            "handoff" => ("The handoff's `id`.", handoff.as_str()),
            "delivery" => ("The delivery's `id`.", handoff.as_str()),
            "id" => ("The token's `id`.", described::TOKEN_EXAMPLE),
            "person" => ("The platform's id of the end user.", "user-1"),
            "photo" => ("The `photo` of an event that was fetched.", described::PHOTO_EXAMPLE),
            _ => ("The last part of the addresses that connecting has answered.", described::SECRET_EXAMPLE),
        };
        let schema = match name.as_str() {
            "person" => json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "\\S" }),
            _ => json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }),
        };
        Some(json!({
            "name": name, "in": "path", "required": true, "description": description, "schema": schema,
            "example": example,
        }))
    };
    path.split('/').filter_map(name).collect()
}

/// Status and response of a request that was carried out.
fn response(reply: &Reply, about: &str, schemas: &mut SchemaGenerator) -> (&'static str, Value) {
    match reply {
        Reply::Empty => ("204", json!({ "description": about })),
        Reply::Other(kinds) => ("200", other(about, kinds)),
        Reply::Message { .. } => ("200", message_response(about)),
        Reply::Json { schema, links } => {
            let content = json!({ "application/json": { "schema": schema(schemas) } });
            let mut response = json!({ "description": about, "content": content });
            if !links.is_empty() {
                response["links"] = links.iter().map(link).collect();
            }
            ("200", response)
        }
    }
}

/// An answer of JSON-RPC.
fn message_response(about: &str) -> Value {
    let schema = json!({ "type": "object", "required": ["jsonrpc"], "properties": { "jsonrpc": { "const": "2.0" } } });
    json!({ "description": about, "content": { "application/json": { "schema": schema } } })
}

fn link((operation, parameters): &Link) -> (String, Value) {
    let parameters: Map<String, Value> =
        parameters.iter().map(|(name, place)| ((*name).to_owned(), (*place).into())).collect();
    ((*operation).to_owned(), json!({ "operationId": operation, "parameters": parameters }))
}

/// An answer that is no JSON.
fn other(about: &str, kinds: &[&str]) -> Value {
    let kinds: Map<String, Value> = kinds.iter().map(|kind| ((*kind).to_owned(), json!({}))).collect();
    json!({ "description": about, "content": kinds })
}

fn problem_response(status: &Status, problem: &Schema) -> Value {
    let limits = json!({
        "status": { "const": status.status },
        "kind": { "enum": status.kinds },
    });
    let schema = json!({ "allOf": [problem], "properties": limits });
    let mut response = json!({
        "description": status.description,
        "content": { "application/problem+json": { "schema": schema } },
    });
    let header = |description: &str, schema: Value, required: bool| json!({ "description": description, "required": required, "schema": schema });
    match status.status {
        401 => {
            response["headers"]["WWW-Authenticate"] =
                header("How to be allowed.", json!({ "type": "string", "pattern": "^Bearer( |$)" }), true);
        }
        429 | 503 => {
            response["headers"]["Retry-After"] =
                header("Seconds to wait.", json!({ "type": "integer", "minimum": 0 }), false);
        }
        _ => {}
    }
    response
}

fn callback(kind: &str, summary: &str, data: &Schema) -> Value {
    let header = |name: &str, description: &str| json!({ "name": name, "in": "header", "required": true, "description": description, "schema": { "type": "string" } });
    let schema = json!({
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": { "const": kind },
            "timestamp": { "type": "string", "format": "date-time", "description": "When it was sent." },
            "data": data,
        },
    });
    json!({ "post": {
        "summary": summary,
        "description": "Sent to the connection's callback, signed as Standard Webhooks 1.0 has it.",
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            header("webhook-id", "The same news bears the same one."),
            header("webhook-timestamp", "Seconds since 1970."),
            header("webhook-signature", "`v1,` and the HMAC-SHA256 as base64."),
        ],
        "requestBody": { "required": true, "content": { "application/json": { "schema": schema } } },
        "responses": {
            "2XX": { "description": "Taken." },
            "410": { "description": "The callback is gone: the news is dropped." },
            "default": { "description": "Not taken: the news comes again." },
        },
    } })
}

/// The words that `kind` may be.
fn name_the_kinds(schemas: &mut Map<String, Value>) {
    let kinds: Vec<&str> = STATUSES.iter().flat_map(|status| status.kinds).copied().collect();
    if let Some(kind) = schemas.get_mut("Problem").and_then(|problem| problem.pointer_mut("/properties/kind")) {
        kind["enum"] = json!(kinds);
    }
}

/// The schema that `describe` gives of the settings.
fn settings() -> Value {
    let text = freshworks_handoff::settings::schema::JSON_SCHEMA;
    let mut settings: Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(settings) = settings.as_object_mut() {
        settings.remove("$schema");
        settings.insert(
            "description".to_owned(),
            json!("What `settings` of a connection may hold, fit for making a form."),
        );
    }
    settings
}

#[cfg(test)]
mod tests {
    use handoff_contract::error::{Error, ErrorKind};

    use super::*;
    use crate::connections::ConnectBody;
    use crate::http::problem::Problem;
    use crate::platform::generic::Webhook;

    #[test]
    fn the_document_that_is_served_is_that_of_the_code() {
        let served: Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        assert!(served == document(), "src/openapi.json is out of step with the code: run `cargo xtask tables`");
    }

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let methods = |item: &Value| item.as_object().unwrap().keys().filter(|key| *key != "parameters").count();
        assert_eq!(paths.values().map(methods).sum::<usize>(), OPERATIONS.len(), "no operation hides another");
        for operation in OPERATIONS {
            let described = &paths[operation.path][operation.method.to_ascii_lowercase()];
            assert_eq!(described["operationId"], operation.described.id);
        }
    }

    #[test]
    fn what_needs_no_token_is_said_so() {
        let document = document();
        for Operation { method, path, access, described, .. } in OPERATIONS {
            let is_open = document["paths"][path][method.to_ascii_lowercase()]["security"] == json!([]);
            assert_eq!(is_open, access.need("", "") == crate::access::Need::Nothing, "{path}");
            assert_eq!(described.problems.contains(&429), !is_open, "{path}");
            assert!(described.body.is_none() || described.problems.contains(&413), "{path}");
        }
    }

    #[test]
    fn every_error_of_the_core_is_described() {
        use ErrorKind::{
            InvalidRequest, InvalidSettings, InvalidSignature, Malformed, NotFound, OutcomeUnknown, RateLimited,
            Rejected, Unauthorized, Unavailable, Unsupported,
        };
        let kinds = [
            InvalidSettings,
            InvalidRequest,
            Unauthorized,
            NotFound,
            Rejected,
            Malformed,
            RateLimited,
            Unavailable,
            OutcomeUnknown,
            InvalidSignature,
            Unsupported,
        ];
        for kind in kinds {
            let problem = Problem::from(Error::new(kind, "it failed"));
            let status = STATUSES.iter().find(|status| status.status == problem.status).unwrap();
            assert!(status.kinds.contains(&problem.kind), "{kind:?}");
            let known = OPERATIONS.iter().filter(|one| one.described.problems.contains(&problem.status));
            assert!(known.count() > 0, "{kind:?}");
        }
    }

    #[test]
    fn the_examples_are_read() {
        fn read<T: serde::de::DeserializeOwned>(example: Value) {
            crate::http::problem::read::<T>(example.to_string().as_bytes(), "example").map(drop).unwrap();
        }
        read::<ConnectBody>(described::connect_example());
        read::<handoff_contract::model::HandoffRequest>(described::handoff_example());
        read::<handoff_contract::model::Message>(described::message_example("m-2"));
        read::<handoff_contract::model::Rating>(described::rating_example());
        read::<Webhook>(described::webhook_example());
    }
}
