//! The vendor's Swagger definitions, and differences from them.
//!
//! They use a dozen keywords of JSON Schema. A complete implementation would add dozens of crates, and would accept what matters most
//! here: fields without a definition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use yaml_rust2::{Yaml, YamlLoader};

/// A definition's name, and the difference: `has role_name`, `lacks agents`, `actor_type = system`, `skill_id: a number
/// instead of string`.
pub(super) type Difference = (String, String);

pub(super) struct Definitions(BTreeMap<String, Value>);

impl Definitions {
    pub(super) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/definitions/freshchat-v2.2025.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        let yaml = YamlLoader::load_from_str(&text).unwrap().remove(0);
        let Value::Object(mut file) = json_of(&yaml) else { panic!("no object") };
        let definitions = serde_json::from_value(file.remove("definitions").unwrap()).unwrap();
        Self(definitions)
    }

    /// A value's differences from a definition.
    pub(super) fn differences(&self, definition: &str, value: &Value) -> BTreeSet<Difference> {
        let mut found = BTreeSet::new();
        self.hold(definition, value, &mut found);
        found
    }

    fn hold(&self, definition: &str, value: &Value, found: &mut BTreeSet<Difference>) {
        let schema = self.0.get(definition).unwrap_or_else(|| panic!("no definition `{definition}`"));
        // Only in the description.
        if definition == "message_part" && value.as_object().is_some_and(|part| part.len() != 1) {
            found.insert((definition.to_owned(), "has not exactly one part".to_owned()));
        }
        self.hold_schema(schema, value, &mut Place { definition, path: Vec::new(), found });
    }

    fn hold_schema(&self, schema: &Value, value: &Value, place: &mut Place<'_>) {
        let keywords = schema.as_object().unwrap();
        if let Some(reference) = keywords.get("$ref") {
            let name = reference.as_str().unwrap().strip_prefix("#/definitions/").unwrap();
            return self.hold(name, value, place.found);
        }
        let wanted = keywords["type"].as_str().unwrap();
        let (kind, fits) = match value {
            Value::Object(_) => ("an object", wanted == "object"),
            Value::Array(_) => ("a list", wanted == "array"),
            Value::String(_) => ("a text", wanted == "string"),
            Value::Bool(_) => ("a truth value", wanted == "boolean"),
            Value::Number(number) => ("a number", wanted == "integer" && (number.is_i64() || number.is_u64())),
            Value::Null => ("null", false),
        };
        if !fits {
            return place.tell(&format!("{}: {kind} instead of {wanted}", place.name()));
        }
        for (keyword, rule) in keywords {
            match keyword.as_str() {
                "type" | "description" | "example" | "readOnly" | "xml" => {}
                "properties" => self.hold_fields(keywords, value.as_object().unwrap(), place),
                "required" => {
                    for name in rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
                        if value.get(name).is_none() {
                            place.below(name, |place| place.tell(&format!("lacks {}", place.name())));
                        }
                    }
                }
                "additionalProperties" => {
                    for (name, value) in value.as_object().unwrap() {
                        place.below(name, |place| self.hold_schema(rule, value, place));
                    }
                }
                "items" => {
                    for item in value.as_array().unwrap() {
                        self.hold_schema(rule, item, place);
                    }
                }
                "uniqueItems" => {
                    let items = value.as_array().unwrap();
                    let texts: BTreeSet<String> = items.iter().map(Value::to_string).collect();
                    if texts.len() != items.len() {
                        place.tell(&format!("{} repeats itself", place.name()));
                    }
                }
                "enum" => {
                    if !rule.as_array().unwrap().contains(value) {
                        place.tell(&format!("{} = {}", place.name(), value.as_str().unwrap()));
                    }
                }
                "format" => match (rule.as_str().unwrap(), value) {
                    ("date-time", Value::String(text)) => {
                        if text.parse::<jiff::Timestamp>().is_err() {
                            place.tell(&format!("{} is not a time", place.name()));
                        }
                    }
                    ("int32", Value::Number(number)) => {
                        if number.as_i64().is_none_or(|number| i32::try_from(number).is_err()) {
                            place.tell(&format!("{} is too large", place.name()));
                        }
                    }
                    ("int64", Value::Number(_)) => {}
                    (other, _) => panic!("the format `{other}` is not known here"),
                },
                other => panic!("the keyword `{other}` is not known here"),
            }
        }
    }

    fn hold_fields(&self, keywords: &Map<String, Value>, value: &Map<String, Value>, place: &mut Place<'_>) {
        let declared = keywords["properties"].as_object().unwrap();
        for (name, value) in value {
            place.below(name, |place| match declared.get(name) {
                Some(schema) => self.hold_schema(schema, value, place),
                None => place.tell(&format!("has {}", place.name())),
            });
        }
    }
}

/// The position in a value, from the nearest definition.
struct Place<'a> {
    definition: &'a str,
    path: Vec<String>,
    found: &'a mut BTreeSet<Difference>,
}

impl Place<'_> {
    fn name(&self) -> String {
        if self.path.is_empty() { "it".to_owned() } else { self.path.join(".") }
    }

    fn tell(&mut self, what: &str) {
        self.found.insert((self.definition.to_owned(), what.to_owned()));
    }

    fn below(&mut self, name: &str, look: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        look(self);
        self.path.pop();
    }
}

fn json_of(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Hash(hash) => {
            hash.iter().map(|(name, value)| (name.as_str().unwrap().to_owned(), json_of(value))).collect()
        }
        Yaml::Array(items) => items.iter().map(json_of).collect(),
        Yaml::String(text) => json!(text),
        Yaml::Integer(number) => json!(number),
        Yaml::Boolean(truth) => json!(truth),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_no_definition_has_differs_and_what_one_has_does_not() {
    let definitions = Definitions::read();
    let message = json!({
        "app_id": "a", "channel_id": "c", "conversation_id": "v", "actor_type": "agent", "message_type": "normal",
        "message_parts": [{ "text": { "content": "hello" } }], "created_time": "2017-11-16T11:34:04.431Z",
        "message_source": "WEB",
    });
    assert_eq!(definitions.differences("message", &message), [].into());
    for (field, value, difference) in [
        ("actor_type", json!("bot"), ("message", "actor_type = bot")),
        ("message_source", json!("web"), ("message", "message_source = web")),
        ("created_time", json!("yesterday"), ("message", "created_time is not a time")),
        ("created_time", json!(1), ("message", "created_time: a number instead of string")),
        ("id", Value::Null, ("message", "id: null instead of string")),
        ("stranger", json!(1), ("message", "has stranger")),
        (
            "meta_data",
            json!({ "isResolved": true }),
            ("message", "meta_data.isResolved: a truth value instead of object"),
        ),
        ("message_parts", json!({}), ("message", "message_parts: an object instead of array")),
        ("message_parts", json!([{ "text": {} }]), ("text_part", "lacks content")),
        ("message_parts", json!([{}]), ("message_part", "has not exactly one part")),
        ("reply_parts", json!([{ "image": { "url": "u", "fileHash": "h" } }]), ("image_part", "has fileHash")),
    ] {
        let mut message = message.clone();
        message[field] = value;
        let (definition, what) = difference;
        assert_eq!(definitions.differences("message", &message), [(definition.to_owned(), what.to_owned())].into());
    }
    let mut lacking = message;
    lacking.as_object_mut().unwrap().remove("app_id");
    assert_eq!(
        definitions.differences("message", &lacking),
        [("message".to_owned(), "lacks app_id".to_owned())].into()
    );
    let page = json!({ "total_pages": 3_000_000_000_u64 });
    let too_large = ("pagination".to_owned(), "total_pages is too large".to_owned());
    assert_eq!(definitions.differences("pagination", &page), [too_large].into());
}
