//! Prints the OpenAPI document of the API: `cargo run --features schema --example openapi > src/http/openapi.json`.
//!
//! One line for each path and each schema: short, because the component carries the text, and still a line for each change.

use serde_json::Value;

fn main() {
    println!("{}", lines(&handoff_bridge::http::openapi::document(), 2));
}

/// An object with a line for each of its members, down to that depth.
fn lines(value: &Value, depth: usize) -> String {
    let Some(object) = value.as_object().filter(|_| depth > 0) else { return value.to_string() };
    let member = |(name, value): (&String, &Value)| {
        format!("{}:{}", Value::from(name.as_str()), lines(value, if name == "components" { depth } else { depth - 1 }))
    };
    format!("{{\n{}\n}}", object.iter().map(member).collect::<Vec<_>>().join(",\n"))
}
