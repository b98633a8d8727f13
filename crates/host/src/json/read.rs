//! From JSON to the contract's types.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

use super::kebab;

/// JSON that is not what the contract wants. Names the place, and holds none of the text there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// A dotted path, for example `request.history[3].sender.role`.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path, self.problem)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: String::new(), problem: message.to_string() }
    }
}

/// Reads one value of the contract. `name` is what the value is called in errors, for example `request`.
///
/// # Errors
///
/// When the text is not JSON, or not of the right shape.
pub fn from_json<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, ReadError> {
    let value: Value = super::from_slice(text.as_bytes()).map_err(|error| ReadError {
        path: name.to_owned(),
        problem: format!("is not JSON (line {}, column {})", error.line(), error.column()),
    })?;
    T::deserialize(Reader { value: Some(&value), path: Path::Root(name) })
}

/// Where a value is.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root(&'a str),
    Field(&'a Path<'a>, &'static str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A value and where it is; no value where a field is missing.
#[derive(Clone, Copy)]
struct Reader<'a> {
    value: Option<&'a Value>,
    path: Path<'a>,
}

impl<'a> Reader<'a> {
    fn error(&self, problem: impl Into<String>) -> ReadError {
        ReadError { path: self.path.to_string(), problem: problem.into() }
    }

    fn wrong(&self, expected: &str) -> ReadError {
        let found = match self.value {
            None => return self.error("is missing"),
            Some(Value::Null) => "null",
            Some(Value::Bool(_)) => "true or false",
            Some(Value::Number(_)) => "a number",
            Some(Value::String(_)) => "text",
            Some(Value::Array(_)) => "a list",
            Some(Value::Object(_)) => "an object",
        };
        self.error(format!("must be {expected}, not {found}"))
    }

    fn whole_number<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value.and_then(Value::as_u64) {
            Some(number) => visitor.visit_u64(number).map_err(|_: ReadError| self.error("is too large")),
            None => Err(self.wrong("a whole number from 0 on")),
        }
    }

    fn list<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value {
            None | Some(Value::Null) => visitor.visit_seq(Items { items: &[], next: 0, parent: &self.path }),
            Some(Value::Array(items)) => visitor.visit_seq(Items { items, next: 0, parent: &self.path }),
            Some(_) => Err(self.wrong("a list")),
        }
    }
}

/// The kinds of value that the contract does not use.
macro_rules! not_in_the_contract {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ReadError> {
            Err(self.error("has a type that the contract does not use"))
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value {
            None => visitor.visit_bool(false),
            Some(Value::Bool(value)) => visitor.visit_bool(*value),
            Some(_) => Err(self.wrong("true or false")),
        }
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.whole_number(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.whole_number(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.whole_number(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value {
            Some(Value::String(text)) => visitor.visit_str(text),
            _ => Err(self.wrong("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, ReadError> {
        match self.value {
            Some(Value::Array(items)) if items.len() == length => self.list(visitor),
            Some(Value::Array(_)) => Err(self.error(format!("must be a list of {length}"))),
            _ => Err(self.wrong("a list")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let empty = serde_json::Map::new();
        let object = match self.value {
            Some(Value::Object(object)) => object,
            // A record of which nothing is needed may be missing, such as `routing`.
            None => {
                let nothing = Fields { object: &empty, fields, value: None, parent: &self.path };
                return visitor.visit_map(nothing).map_err(|_| self.error("is missing"));
            }
            Some(_) => return Err(self.wrong("an object")),
        };
        if let Some(unknown) = object.keys().find(|key| !fields.contains(&key.as_str())) {
            return Err(ReadError {
                path: format!("{}.{unknown}", self.path),
                problem: format!("is not a field here; the fields are {}", fields.join(", ")),
            });
        }
        visitor.visit_map(Fields { object, fields, value: None, parent: &self.path })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let Some(Value::String(text)) = self.value else { return Err(self.wrong("text")) };
        match variants.iter().find(|variant| kebab(variant) == *text) {
            Some(variant) => {
                let variant: StrDeserializer<'_, ReadError> = variant.into_deserializer();
                visitor.visit_enum(variant)
            }
            None => {
                let words: Vec<_> = variants.iter().map(|variant| kebab(variant)).collect();
                Err(self.error(format!("must be one of {}", words.join(", "))))
            }
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    not_in_the_contract! {
        deserialize_any deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u16 deserialize_f32
        deserialize_f64 deserialize_char deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_map
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, _: V) -> Result<V::Value, ReadError> {
        Err(self.error("has a type that the contract does not use"))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_tuple(length, visitor)
    }
}

/// The items of a list.
struct Items<'a> {
    items: &'a [Value],
    next: usize,
    parent: &'a Path<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let reader = Reader { value: Some(item), path: Path::Item(self.parent, self.next) };
        self.next += 1;
        seed.deserialize(reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

/// All fields of a record, present or not.
struct Fields<'a> {
    object: &'a serde_json::Map<String, Value>,
    fields: &'static [&'static str],
    value: Option<&'static str>,
    parent: &'a Path<'a>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some((first, rest)) = self.fields.split_first() else { return Ok(None) };
        self.fields = rest;
        self.value = Some(first);
        let key: StrDeserializer<'_, ReadError> = (*first).into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let name = self.value.take().unwrap_or_default();
        seed.deserialize(Reader { value: self.object.get(name), path: Path::Field(self.parent, name) })
    }
}
