//! The generated half of the Python package: types, exceptions and methods, with the contract's own documentation, from `wit/` and the
//! schema of the settings.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wit_parser::{Docs, Enum, Field, Function, Interface, Record, Resolve, Type, TypeDefKind, TypeId};

const FOLDER: &str = "packages/python/freshworks_handoff";
const HEAD: &str = "# Written by `cargo xtask tables` from wit/ and src/settings/schema.json. Do not edit.\n";
/// Columns of a line of documentation.
const WIDTH: usize = 115;

/// Each file with its text.
pub(crate) fn files(resolve: &Resolve, settings: &Value) -> Result<Vec<(String, String)>> {
    let contract = Contract::of(resolve)?;
    Ok(vec![
        (format!("{FOLDER}/types.py"), contract.types(settings)?),
        (format!("{FOLDER}/errors.py"), contract.errors()?),
        (format!("{FOLDER}/_api.py"), contract.methods()?),
    ])
}

fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn pascal(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        })
        .collect()
}

struct Contract<'a> {
    resolve: &'a Resolve,
    interface: &'a Interface,
    /// Names of functions, their arguments, and fields: what Python spells with underscores.
    names: BTreeSet<&'a str>,
    /// Kinds of errors: exceptions in Python.
    kinds: Vec<&'a wit_parser::EnumCase>,
}

impl<'a> Contract<'a> {
    fn of(resolve: &'a Resolve) -> Result<Self> {
        let (_, interface) = resolve
            .interfaces
            .iter()
            .find(|(_, interface)| interface.name.as_deref() == Some("connector"))
            .context("wit/ has no interface `connector`")?;
        let mut names = BTreeSet::new();
        for (name, function) in &interface.functions {
            names.insert(name.as_str());
            names.extend(function.params.iter().map(|param| param.name.as_str()));
        }
        let mut kinds = Vec::new();
        for (name, id) in &interface.types {
            match &resolve.types[*id].kind {
                TypeDefKind::Record(record) => names.extend(record.fields.iter().map(|field| field.name.as_str())),
                TypeDefKind::Enum(cases) if name == "error-kind" => kinds.extend(&cases.cases),
                _ => {}
            }
        }
        Ok(Self { resolve, interface, names, kinds })
    }

    /// The records that callers write.
    fn inputs(&self) -> BTreeSet<TypeId> {
        let mut inputs = BTreeSet::new();
        for function in self.interface.functions.values() {
            for param in &function.params {
                self.reach(&param.ty, &mut inputs);
            }
        }
        inputs
    }

    fn reach(&self, ty: &Type, found: &mut BTreeSet<TypeId>) {
        let Type::Id(id) = ty else { return };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Record(record) => {
                found.insert(*id);
                record.fields.iter().for_each(|field| self.reach(&field.ty, found));
            }
            TypeDefKind::Option(ty) | TypeDefKind::List(ty) | TypeDefKind::Type(ty) => self.reach(ty, found),
            _ => {}
        }
    }

    /// How a type is written in Python.
    fn python(&self, ty: &Type) -> Result<String> {
        Ok(match ty {
            Type::Bool => "bool".to_owned(),
            Type::U8 | Type::U32 | Type::U64 => "int".to_owned(),
            Type::String => "str".to_owned(),
            Type::Id(id) => {
                let definition = &self.resolve.types[*id];
                match (&definition.kind, definition.name.as_deref()) {
                    (_, Some("settings")) => "dict[str, Any]".to_owned(),
                    (_, Some("session")) => "str".to_owned(),
                    (TypeDefKind::Type(ty), _) => self.python(ty)?,
                    (TypeDefKind::Option(ty), _) => format!("{} | None", self.python(ty)?),
                    (TypeDefKind::List(ty), _) => format!("list[{}]", self.python(ty)?),
                    (TypeDefKind::Tuple(tuple), _) => {
                        let types = tuple.types.iter().map(|ty| self.python(ty)).collect::<Result<Vec<_>>>()?;
                        format!("tuple[{}]", types.join(", "))
                    }
                    (TypeDefKind::Record(_) | TypeDefKind::Enum(_), Some(name)) => pascal(name),
                    (kind, name) => bail!("the Python package has no type for {name:?}, a {}", kind.as_str()),
                }
            }
            other => bail!("the Python package has no type for {other:?}"),
        })
    }

    fn is_option(&self, ty: &Type) -> bool {
        matches!(ty, Type::Id(id) if matches!(self.resolve.types[*id].kind, TypeDefKind::Option(_)))
    }

    /// The contract's text in Python's spelling.
    fn prose(&self, docs: &Docs, exceptions: bool) -> String {
        let text = docs.contents.as_deref().unwrap_or_default().trim();
        let mut prose = String::new();
        for (index, piece) in text.split('`').enumerate() {
            if index.is_multiple_of(2) {
                prose += piece;
                continue;
            }
            let spelt = match piece.strip_suffix(": true") {
                Some(name) => format!("{}=True", snake(name)),
                None => piece.split('.').map(|word| self.word(word, exceptions)).collect::<Vec<_>>().join("."),
            };
            prose += &format!("`{spelt}`");
        }
        prose.replace("\nErrors: ", "\nRaises: ")
    }

    fn word(&self, word: &str, exceptions: bool) -> String {
        if exceptions && self.kinds.iter().any(|kind| kind.name == word) {
            pascal(word)
        } else if self.names.contains(word) {
            snake(word)
        } else if self.interface.types.contains_key(word) && word.contains('-') {
            pascal(word)
        } else {
            word.to_owned()
        }
    }

    fn types(&self, settings: &Value) -> Result<String> {
        let inputs = self.inputs();
        let (mut text, mut all) = (String::new(), Vec::new());
        for (name, id) in &self.interface.types {
            let definition = &self.resolve.types[*id];
            // The exception; two arguments of `on_webhook`.
            if ["error", "call-error", "delivery"].contains(&name.as_str()) {
                continue;
            }
            match &definition.kind {
                TypeDefKind::Enum(cases) => text += &self.literal(name, cases, &definition.docs),
                TypeDefKind::Record(record) => {
                    text += &self.typed_dict(name, record, &definition.docs, inputs.contains(id))?;
                }
                _ => continue,
            }
            all.push(pascal(name));
        }
        let (names, secrets) = settings_dict(settings, &mut text)?;
        all.push(names);
        all.sort();
        let all: String = all.iter().map(|name| format!("    \"{name}\",\n")).collect();
        Ok(format!(
            "{HEAD}\"\"\"The contract's values: dictionaries, with names in snake case. What goes in may leave out what the type lets it.\
             \n\nWhat comes out has every name; what is not there is None.\n\"\"\"\n\n\
             from typing import Any, Literal, TypedDict\n\n\
             SECRETS = frozenset({{{}}})\n\"\"\"Settings that are never printed.\"\"\"\n\n{text}\n__all__ = [\n{all}]\n",
            secrets.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
        ))
    }

    fn literal(&self, name: &str, cases: &Enum, docs: &Docs) -> String {
        let words: String = cases.cases.iter().map(|case| format!("    \"{}\",\n", case.name)).collect();
        let mut prose = self.prose(docs, false);
        if cases.cases.iter().any(|case| case.docs.contents.is_some()) {
            prose += "\n";
            for case in &cases.cases {
                prose += &format!("\n- `{}`: {}", case.name, one_line(&self.prose(&case.docs, false)));
            }
        }
        format!("\n{} = Literal[\n{words}]\n{}\n", pascal(name), docstring(&prose, 0))
    }

    /// What may be left out is in a class of its own: Python has a word for single names only since 3.11.
    fn typed_dict(&self, name: &str, record: &Record, docs: &Docs, is_input: bool) -> Result<String> {
        let may_miss = |field: &&Field| is_input && (self.is_option(&field.ty) || field.ty == Type::Bool);
        let (optional, required): (Vec<&Field>, Vec<&Field>) = record.fields.iter().partition(may_miss);
        let class = pascal(name);
        let docs = docstring(&self.prose(docs, false), 4);
        if optional.is_empty() {
            return Ok(format!("\nclass {class}(TypedDict):\n{docs}\n{}", self.fields(&required)?));
        }
        if required.is_empty() {
            return Ok(format!("\nclass {class}(TypedDict, total=False):\n{docs}\n{}", self.fields(&optional)?));
        }
        let (required, optional) = (self.fields(&required)?, self.fields(&optional)?);
        Ok(format!(
            "\nclass _{class}(TypedDict):\n{}\n\nclass {class}(_{class}, total=False):\n{docs}\n{optional}",
            required.trim_start_matches('\n')
        ))
    }

    fn fields(&self, fields: &[&Field]) -> Result<String> {
        let mut text = String::new();
        for field in fields {
            text += &format!("\n    {}: {}\n", snake(&field.name), self.python(&field.ty)?);
            if field.docs.contents.is_some() {
                text += &format!("{}\n", docstring(&self.prose(&field.docs, false), 4));
            }
        }
        Ok(text)
    }

    fn errors(&self) -> Result<String> {
        let (mut text, mut by_kind) = (String::new(), String::new());
        let mut all = Vec::new();
        for case in &self.kinds {
            let class = pascal(&case.name);
            let docs = docstring(&self.prose(&case.docs, false), 4);
            text += &format!("\n\nclass {class}(HandoffError):\n{docs}\n\n    kind = \"{}\"\n", case.name);
            by_kind += &format!("    \"{}\": {class},\n", case.name);
            all.push(format!("    \"{class}\",\n"));
        }
        all.sort();
        Ok(format!(
            "{HEAD}\"\"\"An exception for each kind of error: they are sorted by what the caller should do.\"\"\"\n\n\
             from ._base import HandoffError\n{text}\n\n\
             BY_KIND: dict[str, type[HandoffError]] = {{\n{by_kind}}}\n\n__all__ = [\n{}]\n",
            all.concat()
        ))
    }

    fn methods(&self) -> Result<String> {
        let (mut waiting, mut awaited, mut types) = (String::new(), String::new(), BTreeSet::new());
        for (name, function) in &self.interface.functions {
            let method = self.method(name, function)?;
            types.extend(method.types.iter().cloned());
            waiting += &method.text("", "");
            awaited += &method.text("async ", "await ");
        }
        let types: String = types.iter().map(|name| format!("    {name},\n")).collect();
        Ok(format!(
            "{HEAD}\"\"\"The functions of the contract as methods.\"\"\"\n\n\
             from collections.abc import Iterable\nfrom typing import Any, Protocol\n\n\
             from .types import (\n{types})\n\n\n\
             class HeaderItems(Protocol):\n    \"\"\"The headers of a web framework's request.\"\"\"\n\n    \
             def items(self) -> Iterable[tuple[str, str]]: ...\n\n\n\
             Headers = HeaderItems | Iterable[tuple[str | bytes, str | bytes]]\n\
             \"\"\"The headers of a request: a framework's own, or pairs, as text or (ASGI) as bytes.\"\"\"\n\n\n\
             class SyncApi:\n    \"\"\"The functions of the contract, each of which waits for its answer.\"\"\"\n\n    \
             def _call(self, function: str, **given: Any) -> Any:\n        raise NotImplementedError\n{waiting}\n\n\
             class AsyncApi:\n    \"\"\"The functions of the contract, awaited.\"\"\"\n\n    \
             async def _call(self, function: str, **given: Any) -> Any:\n        raise NotImplementedError\n{awaited}"
        ))
    }

    fn method(&self, name: &str, function: &Function) -> Result<Method> {
        let mut method = Method { name: snake(name), ..Method::default() };
        for param in &function.params {
            let own = snake(&param.name);
            let python = self.python(&param.ty)?;
            match own.as_str() {
                // The connector's own.
                "settings" => continue,
                "delivery" => {
                    method.takes("headers", "Headers", "headers=headers");
                    method.takes("body", "bytes", "body=body");
                    method.may_take("received_at: int | None = None", "now=(\"delivery.received_at\", received_at)");
                    method.notes.push("`received_at` is in milliseconds since 1970; the clock's when it is left out.");
                }
                "body" => method.takes("body", "bytes", "body=body"),
                "now" => {
                    method.may_take("now: int | None = None", "now=(\"now\", now)");
                    method.notes.push("`now` is in milliseconds since 1970; the clock's when it is left out.");
                }
                "retry" => method.may_take("retry: bool = False", "retry=retry"),
                "session" if self.is_option(&param.ty) => {
                    method.takes("session", "str | None = None", "session=session");
                }
                "session" => method.takes("session", "str", "session=session"),
                _ if self.is_option(&param.ty) => bail!("the Python package cannot leave `{own}` of `{name}` out"),
                "request" | "message" | "rating" => {
                    method.takes(&own, &python, &format!("document=(\"{own}\", {own})"));
                    method.types.insert(python);
                }
                "reason" | "message_id" | "user_id" => {
                    method.takes(&own, &python, &format!("word=(\"{own}\", {own})"));
                    if python != "str" {
                        method.types.insert(python);
                    }
                }
                _ => bail!("the Python package does not know the argument `{own}` of `{name}`"),
            }
        }
        method.returns = self.returns(function).with_context(|| name.to_owned())?;
        if !method.returns.contains('[') {
            method.types.insert(method.returns.clone());
        }
        method.docs = self.prose(&function.docs, true);
        for note in &method.notes {
            method.docs += &format!("\n\n{note}");
        }
        Ok(method)
    }

    fn returns(&self, function: &Function) -> Result<String> {
        let ty = function.result.as_ref().context("answers nothing")?;
        match ty {
            Type::Id(id) => match &self.resolve.types[*id].kind {
                TypeDefKind::Result(result) => self.python(result.ok.as_ref().context("answers nothing")?),
                _ => self.python(ty),
            },
            _ => self.python(ty),
        }
    }
}

#[derive(Default)]
struct Method {
    name: String,
    takes: Vec<String>,
    may_take: Vec<String>,
    passes: Vec<String>,
    returns: String,
    docs: String,
    notes: Vec<&'static str>,
    /// What it names.
    types: BTreeSet<String>,
}

impl Method {
    fn takes(&mut self, name: &str, python: &str, passes: &str) {
        self.takes.push(format!("{name}: {python}"));
        self.passes.push(passes.to_owned());
    }

    fn may_take(&mut self, declared: &str, passes: &str) {
        self.may_take.push(declared.to_owned());
        self.passes.push(passes.to_owned());
    }

    fn text(&self, kind: &str, wait: &str) -> String {
        let mut takes = vec!["self".to_owned()];
        takes.extend(self.takes.clone());
        if !self.may_take.is_empty() {
            takes.push("*".to_owned());
            takes.extend(self.may_take.clone());
        }
        let mut passes = vec![format!("\"{}\"", self.name)];
        passes.extend(self.passes.clone());
        let (takes, passes) = (takes.join(", "), passes.join(", "));
        format!(
            "\n    {kind}def {}({takes}) -> {}:\n{}\n        result: {} = {wait}self._call({passes})\n        return result\n",
            self.name,
            self.returns,
            docstring(&self.docs, 8),
            self.returns
        )
    }
}

/// The settings by the schema: a name for each, with its help text. Answers the class and the secrets.
fn settings_dict(schema: &Value, text: &mut String) -> Result<(String, Vec<String>)> {
    let properties = schema["properties"].as_object().context("the schema has no properties")?;
    let mut properties: Vec<_> = properties.iter().collect();
    properties.sort_by_key(|(_, property)| property["x-order"].as_u64());
    *text += "\nclass FreshworksSettings(TypedDict, total=False):\n    \"\"\"What a tenant's admin enters. Any dictionary with these names will do.\"\"\"\n";
    let mut secrets = Vec::new();
    for (name, property) in properties {
        let python = match (property["type"].as_str().unwrap_or_default(), property["enum"].as_array()) {
            ("string", Some(words)) => {
                format!("Literal[{}]", words.iter().map(Value::to_string).collect::<Vec<_>>().join(", "))
            }
            ("string", None) => "str".to_owned(),
            ("integer", _) => "int".to_owned(),
            ("boolean", _) => "bool".to_owned(),
            ("array", _) => "list[str]".to_owned(),
            ("object", _) if property["readOnly"] == true => "dict[str, Any]".to_owned(),
            ("object", _) => "dict[str, str]".to_owned(),
            (other, _) => bail!("the Python package has no type for the setting `{name}`, a {other}"),
        };
        if property["writeOnly"] == true {
            secrets.push(name.clone());
        }
        let about = property["description"].as_str().unwrap_or_default();
        *text += &format!("\n    {name}: {python}\n{}\n", docstring(about, 4));
    }
    Ok(("FreshworksSettings".to_owned(), secrets))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text between triple quotation marks, wrapped; paragraphs and items of lists begin on a new line.
fn docstring(text: &str, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split("\n\n") {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        for item in paragraph.split("\n- ").enumerate().map(|(index, item)| match index {
            0 => one_line(item),
            _ => format!("- {}", one_line(item)),
        }) {
            let mut line = String::new();
            for word in item.split(' ') {
                if !line.is_empty() && indent.len() + line.chars().count() + word.chars().count() >= WIDTH {
                    lines.push(std::mem::take(&mut line));
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line += word;
            }
            if !line.is_empty() {
                lines.push(line);
            }
        }
    }
    let mut text = lines.join("\n").replace('\\', "\\\\").replace("\"\"\"", "'''");
    if text.contains('\n') {
        text.push('\n');
    } else if text.ends_with('"') {
        text.push(' ');
    }
    let text: Vec<String> = text
        .split('\n')
        .enumerate()
        .map(|(index, line)| match index {
            0 => format!("{indent}\"\"\"{line}"),
            _ if line.is_empty() => String::new(),
            _ => format!("{indent}{line}"),
        })
        .collect();
    let text = text.join("\n");
    match text.ends_with('\n') {
        true => format!("{text}{indent}\"\"\""),
        false => format!("{text}\"\"\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process;

    fn contract() -> Resolve {
        let mut resolve = Resolve::default();
        resolve.push_path(process::root().join("wit")).unwrap();
        resolve
    }

    #[test]
    fn every_function_of_the_contract_is_a_method_of_both_connectors_with_its_documentation() {
        let resolve = contract();
        let contract = Contract::of(&resolve).unwrap();
        let text = contract.methods().unwrap();
        for name in contract.interface.functions.keys() {
            for kind in ["    def", "    async def"] {
                assert_eq!(text.matches(&format!("{kind} {}(", snake(name))).count(), 1, "{kind} {name}");
            }
        }
        assert!(text.contains("Hands the conversation over: finds or creates the user"));
        assert!(text.contains("Raises: `InvalidSettings`"), "errors are named as exceptions");
    }

    #[test]
    fn names_are_spelt_as_in_python_and_words_of_the_contract_stay() {
        let resolve = contract();
        let contract = Contract::of(&resolve).unwrap();
        let docs = |text: &str| Docs { contents: Some(text.to_owned()) };
        let prose = contract.prose(&docs("Pass `retry: true`; see `session-info.next-tick-at`, `timed-out`."), false);
        assert_eq!(prose, "Pass `retry=True`; see `SessionInfo.next_tick_at`, `timed-out`.");
        assert_eq!(contract.prose(&docs("`outcome-unknown`"), true), "`OutcomeUnknown`");
    }

    #[test]
    fn a_long_text_is_wrapped_and_closed_on_a_line_of_its_own() {
        let text = docstring(&"word ".repeat(40), 4);
        assert!(text.lines().all(|line| line.len() <= WIDTH + 3) && text.ends_with("\n    \"\"\""), "{text}");
        assert_eq!(docstring("Says \"hello\"", 0), "\"\"\"Says \"hello\" \"\"\"");
    }
}
