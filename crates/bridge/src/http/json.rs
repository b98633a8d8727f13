//! JSON of others. Indexing ends the instance where a name is missing or the value is another than was thought; this does not.

use serde_json::{Map, Value};

/// What stands under a name.
pub(crate) trait Fields {
    /// The value; null where there is none.
    fn field(&self, name: &str) -> &Value;
}

impl Fields for Value {
    fn field(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }
}

impl Fields for Map<String, Value> {
    fn field(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }
}

/// Puts a value under a name. What is no object stays as it is.
pub(crate) fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value.into());
    }
}
