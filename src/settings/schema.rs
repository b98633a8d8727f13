//! The settings as a JSON Schema, from which a platform makes its form and the documentation its table.
//!
//! The schema is a file of its own, so that the component carries it as text and no code to build it. Tests keep it in
//! step with what [`super::Settings`] reads.

/// The JSON Schema, draft 2020-12. `x-order` gives the order of the form.
pub const JSON_SCHEMA: &str = include_str!("schema.json");

/// The settings in the order of the form.
const NAMES: [&str; 33] = [
    "chat_url",
    "api_key",
    "topics",
    "topic_by_locale",
    "webhook_public_key",
    "group",
    "agent",
    "priority",
    "availability",
    "note_author",
    "language",
    "time_zone",
    "context",
    "masking",
    "file_hosts",
    "return_summary",
    "ticket_domain",
    "ticket_api_key",
    "ticket_group",
    "ticket_tags",
    "ticket_fields",
    "max_message_chars",
    "connect_timeout_ms",
    "response_timeout_ms",
    "retry_budget_ms",
    "queue_timeout_minutes",
    "inactivity_timeout_minutes",
    "reopen_window_minutes",
    "wait_estimate",
    "skill_property",
    "test_origin",
    "test_ticket_origin",
    "resolved",
];

/// True when this version has a setting of that name.
pub fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The known setting that `name` is probably meant to be.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let squeeze = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_lowercase()).collect::<String>().trim_end_matches('s').to_owned()
    };
    let wanted = squeeze(name);
    let near = |candidate: &&str| {
        let candidate = squeeze(candidate);
        candidate == wanted || wanted.len() > 3 && (candidate.contains(&wanted) || wanted.contains(&candidate))
    };
    NAMES.into_iter().find(near)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn misspelt_settings_find_their_neighbour() {
        assert_eq!(nearest("topic"), Some("topics"));
        assert_eq!(nearest("chatUrl"), Some("chat_url"));
        assert_eq!(nearest("apikey"), Some("api_key"));
        assert_eq!(nearest("public_key"), Some("webhook_public_key"));
        assert_eq!(nearest("colour"), None);
    }

    #[test]
    fn the_schema_describes_every_setting_in_order() {
        let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(properties.len(), NAMES.len());
        for (order, name) in NAMES.iter().enumerate() {
            let property = &properties[*name];
            assert_eq!(property["x-order"], order, "{name}");
            assert!(property["title"].is_string() && property["description"].is_string(), "{name}");
        }
        assert_eq!(properties["api_key"]["writeOnly"], true);
        assert_eq!(properties["topics"]["default"], serde_json::json!(super::super::DEFAULT_TOPICS));
    }

    #[test]
    fn the_schema_has_the_limits_that_are_checked() {
        let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
        for name in ["max_message_chars", "connect_timeout_ms", "response_timeout_ms"] {
            let property = &schema["properties"][name];
            let accepts = |number: u64| {
                let settings = serde_json::json!({ "chat_url": "acme", name: number }).to_string();
                super::super::Settings::parse(&settings).is_ok()
            };
            let (least, most) = (property["minimum"].as_u64().unwrap(), property["maximum"].as_u64().unwrap());
            assert!(accepts(least) && accepts(most) && !accepts(least - 1) && !accepts(most + 1), "{name}");
            let defaults = super::super::Settings::parse(r#"{"chat_url": "acme"}"#).unwrap();
            let default = match name {
                "max_message_chars" => defaults.max_message_chars,
                "connect_timeout_ms" => defaults.connect_timeout_ms,
                _ => defaults.response_timeout_ms,
            };
            assert_eq!(property["default"], default, "{name}");
        }
    }
}
