//! The contract for JavaScript: its types with their documentation, and a table of its shapes by which values are checked and turned.
//!
//! jco writes types as well, but knows no documentation: the component holds none. And its numbers are big ones.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use wit_parser::{Docs, Function, Interface, Resolve, Type, TypeDefKind, TypeId};

use crate::process;

const INTERFACE: &str = "connector";

/// Times that the package fills in when they are left out: the record and field, or the parameter.
const CLOCK: [(Option<&str>, &str); 2] = [(Some("delivery"), "received-at"), (None, "now")];

/// The body of a webhook, which callers have as bytes.
const BODY: [(Option<&str>, &str); 2] = [(Some("delivery"), "body"), (None, "body")];

/// Writes the files, or with `check` fails where one is out of step with the contract.
pub(crate) fn write(check: bool) -> Result<()> {
    for (file, content) in files()? {
        let path = process::root().join(file);
        if std::fs::read_to_string(&path).ok().as_ref() == Some(&content) {
            continue;
        }
        if check {
            bail!("{file} is out of step with the contract: run `cargo xtask tables`");
        }
        std::fs::write(path, content)?;
        process::say(&format!("{file} has been updated"));
    }
    Ok(())
}

/// The two files, by their paths.
fn files() -> Result<[(&'static str, String); 2]> {
    let mut resolve = Resolve::default();
    resolve.push_path(process::root().join("wit"))?;
    let contract = Contract::new(&resolve)?;
    Ok([
        ("packages/node/src/contract.d.ts", contract.declarations()?),
        ("packages/node/src/contract.js", contract.shapes()?),
    ])
}

struct Contract<'a> {
    resolve: &'a Resolve,
    interface: &'a Interface,
    /// Types that callers make, and types that they get.
    given: BTreeSet<String>,
    got: BTreeSet<String>,
    /// Every name with a hyphen as it is written in JavaScript: fields, parameters and functions; and types.
    names: BTreeSet<String>,
}

impl<'a> Contract<'a> {
    fn new(resolve: &'a Resolve) -> Result<Self> {
        let is_ours = |interface: &&Interface| interface.name.as_deref() == Some(INTERFACE);
        let mut found = resolve.interfaces.iter().map(|(_, interface)| interface).filter(is_ours);
        let interface = found.next().context("the contract has no interface `connector`")?;
        let (given, got) = (BTreeSet::new(), BTreeSet::new());
        let mut contract = Self { resolve, interface, given, got, names: BTreeSet::new() };
        for function in interface.functions.values() {
            contract.names.insert(function.name.clone());
            for param in &function.params {
                contract.names.insert(param.name.clone());
                contract.given.extend(contract.reached(&param.ty));
            }
            if let Some(result) = &function.result {
                contract.got.extend(contract.reached(result));
            }
        }
        for (_, definition) in &resolve.types {
            if let TypeDefKind::Record(record) = &definition.kind {
                contract.names.extend(record.fields.iter().map(|field| field.name.clone()));
            }
        }
        Ok(contract)
    }

    /// The names of all types of the contract that a value of this type may hold.
    fn reached(&self, ty: &Type) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut open = vec![*ty];
        while let Some(ty) = open.pop() {
            let Type::Id(id) = ty else { continue };
            let definition = &self.resolve.types[id];
            if definition.name.as_ref().is_some_and(|name| !names.insert(name.clone())) {
                continue;
            }
            match &definition.kind {
                TypeDefKind::Record(record) => open.extend(record.fields.iter().map(|field| field.ty)),
                TypeDefKind::Tuple(tuple) => open.extend(&tuple.types),
                TypeDefKind::Option(inner) | TypeDefKind::List(inner) | TypeDefKind::Type(inner) => open.push(*inner),
                TypeDefKind::Result(result) => open.extend(result.ok.iter().chain(&result.err)),
                _ => {}
            }
        }
        names
    }

    /// Whether callers alone make values of this type: then what has a default may be left out.
    fn is_given_only(&self, name: &str) -> bool {
        self.given.contains(name) && !self.got.contains(name)
    }

    /// The type at the end of a chain of aliases.
    fn definition(&self, id: TypeId) -> &TypeDefKind {
        match &self.resolve.types[id].kind {
            TypeDefKind::Type(Type::Id(next)) => self.definition(*next),
            kind => kind,
        }
    }

    fn is_option(&self, ty: &Type) -> bool {
        matches!(ty, Type::Id(id) if matches!(self.definition(*id), TypeDefKind::Option(_)))
    }

    /// Whether a missing value means something: none, false, or a record of which nothing is needed.
    fn has_default(&self, ty: &Type) -> bool {
        match ty {
            Type::Bool => true,
            Type::Id(id) => match self.definition(*id) {
                TypeDefKind::Option(_) => true,
                TypeDefKind::Record(record) => record.fields.iter().all(|field| self.has_default(&field.ty)),
                _ => false,
            },
            _ => false,
        }
    }

    fn is_pairs(&self, item: &Type) -> bool {
        let Type::Id(id) = item else { return false };
        matches!(self.definition(*id), TypeDefKind::Tuple(tuple) if tuple.types == [Type::String, Type::String])
    }

    // The types.

    fn declarations(&self) -> Result<String> {
        let mut text = "// Made from wit/connector.wit by `cargo xtask tables`: do not edit.\n\n\
             /** Names and values, as pairs, as an object, or as anything that gives pairs: a `Map`, the `Headers` of a request. */\n\
             export type Pairs =\n  | Iterable<readonly [string, string]>\n  | Readonly<Record<string, string | readonly string[] | undefined>>;\n"
            .to_owned();
        for (name, id) in &self.interface.types {
            let definition = &self.resolve.types[*id];
            let type_name = pascal(name);
            text += "\n";
            match &definition.kind {
                TypeDefKind::Enum(cases) => {
                    self.comment(&mut text, "", &definition.docs, &[]);
                    write!(text, "export type {type_name} =")?;
                    for case in &cases.cases {
                        text += "\n";
                        self.comment(&mut text, "  ", &case.docs, &[]);
                        write!(text, "  | '{}'", case.name)?;
                    }
                    text += ";\n";
                }
                TypeDefKind::Record(record) => {
                    self.comment(&mut text, "", &definition.docs, &[]);
                    writeln!(text, "export interface {type_name} {{")?;
                    for field in &record.fields {
                        let (clock, extra) = is_clock(Some(name), &field.name);
                        self.comment(&mut text, "  ", &field.docs, extra);
                        let given_only = self.is_given_only(name);
                        let optional =
                            self.is_option(&field.ty) || given_only && (clock || self.has_default(&field.ty));
                        let mark = if optional { "?" } else { "" };
                        let ty = self.ty(&field.ty, given_only, is_body(Some(name), &field.name))?;
                        writeln!(text, "  {}{mark}: {ty};", camel(&field.name))?;
                    }
                    text += "}\n";
                }
                alias => {
                    self.comment(&mut text, "", &definition.docs, &[]);
                    writeln!(text, "export type {type_name} = {};", self.unnamed(alias, false)?)?;
                }
            }
        }
        text += "\n/** An update with its session, which every function answers that was given one. */\n\
             export type Moved = Update & Required<Pick<Update, 'session' | 'info'>>;\n\n";
        let package = self.package()?;
        self.comment(&mut text, "", &package.docs, &[]);
        text += "export interface Contract {\n";
        for (at, function) in self.interface.functions.values().enumerate() {
            if at > 0 {
                text += "\n";
            }
            self.comment(&mut text, "  ", &function.docs, &[]);
            let params = self.params(function)?;
            let mut result = self.outcome(function)?;
            let has_session = function.params.iter().any(|param| param.name == "session" && !self.is_option(&param.ty));
            if result == "Update" && has_session {
                result = "Moved".to_owned();
            }
            writeln!(text, "  {}({params}): Promise<{result}>;", camel(&function.name))?;
        }
        Ok(text + "}\n")
    }

    fn params(&self, function: &Function) -> Result<String> {
        let mut params = Vec::new();
        // What is left out stands at the end.
        let mut rest_is_optional = true;
        for param in function.params.iter().rev() {
            let (clock, _) = is_clock(None, &param.name);
            rest_is_optional &= clock || self.has_default(&param.ty);
            let mark = if rest_is_optional { "?" } else { "" };
            let ty = self.ty(&param.ty, true, is_body(None, &param.name))?;
            params.push(format!("{}{mark}: {ty}", camel(&param.name)));
        }
        params.reverse();
        Ok(params.join(", "))
    }

    fn ty(&self, ty: &Type, given: bool, body: bool) -> Result<String> {
        if body {
            return Ok("string | Uint8Array".to_owned());
        }
        Ok(match ty {
            Type::Bool => "boolean".to_owned(),
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => "number".to_owned(),
            Type::String => "string".to_owned(),
            Type::Id(id) => {
                let definition = &self.resolve.types[*id];
                match &definition.name {
                    Some(name) if given && name == "settings" => {
                        "Settings | Readonly<Record<string, unknown>>".to_owned()
                    }
                    Some(name) => pascal(name),
                    None => self.unnamed(&definition.kind, given)?,
                }
            }
            other => bail!("{other:?} has no form in JavaScript yet"),
        })
    }

    fn unnamed(&self, kind: &TypeDefKind, given: bool) -> Result<String> {
        Ok(match kind {
            TypeDefKind::Type(inner) | TypeDefKind::Option(inner) => self.ty(inner, given, false)?,
            TypeDefKind::List(item) if given && self.is_pairs(item) => "Pairs".to_owned(),
            TypeDefKind::List(item) if given => format!("readonly {}[]", self.ty(item, given, false)?),
            TypeDefKind::List(item) => format!("{}[]", self.ty(item, given, false)?),
            TypeDefKind::Tuple(tuple) => {
                let types: Result<Vec<_>> = tuple.types.iter().map(|ty| self.ty(ty, given, false)).collect();
                format!("[{}]", types?.join(", "))
            }
            other => bail!("a {} has no form in JavaScript yet", other.as_str()),
        })
    }

    /// What a function answers when it succeeds.
    fn outcome(&self, function: &Function) -> Result<String> {
        let mut answer = function.result;
        if let Some(Type::Id(id)) = answer
            && let TypeDefKind::Result(result) = &self.resolve.types[id].kind
        {
            answer = result.ok;
        }
        answer.map_or_else(|| Ok("void".to_owned()), |ty| self.ty(&ty, false, false))
    }

    fn comment(&self, text: &mut String, indent: &str, docs: &Docs, more: &[&str]) {
        let docs = docs.contents.clone().unwrap_or_default();
        let lines: Vec<String> =
            docs.trim().lines().chain(more.iter().copied()).map(|line| self.in_javascript(line)).collect();
        match &lines[..] {
            [] => {}
            [line] => *text += &format!("{indent}/** {line} */\n"),
            lines => {
                *text += &format!("{indent}/**\n");
                for line in lines {
                    *text += format!("{indent} * {line}").trim_end();
                    *text += "\n";
                }
                *text += &format!("{indent} */\n");
            }
        }
    }

    /// Names of the contract in a line of documentation, as JavaScript has them.
    fn in_javascript(&self, line: &str) -> String {
        let is_type = |name: &str| self.interface.types.contains_key(name);
        // Settings are JSON text: their fields are no names of the contract.
        let is_record = |name: &str| {
            let id = self.interface.types.get(name);
            id.is_some_and(|id| matches!(self.resolve.types[*id].kind, TypeDefKind::Record(_)))
        };
        let word = |word: &str| match word.split_once('.') {
            Some((ty, field)) if is_record(ty) => format!("{}.{}", pascal(ty), camel(field)),
            _ if self.names.contains(word) => camel(word),
            _ if is_type(word) && word.contains('-') && !self.is_case(word) => pascal(word),
            _ => match word.split_once(": ") {
                Some((name, value)) if self.names.contains(name) => format!("{}: {value}", camel(name)),
                _ => word.to_owned(),
            },
        };
        let parts = line.split('`').enumerate();
        let parts = parts.map(|(at, part)| if at % 2 == 1 { word(part) } else { part.to_owned() });
        parts.collect::<Vec<_>>().join("`").replace("*/", "* /")
    }

    fn is_case(&self, word: &str) -> bool {
        let is_in =
            |kind: &TypeDefKind| matches!(kind, TypeDefKind::Enum(it) if it.cases.iter().any(|case| case.name == word));
        self.resolve.types.iter().any(|(_, definition)| is_in(&definition.kind))
    }

    fn package(&self) -> Result<&wit_parser::Package> {
        let package = self.interface.package.context("the interface belongs to no package")?;
        Ok(&self.resolve.packages[package])
    }

    // The shapes.

    fn shapes(&self) -> Result<String> {
        let mut types = Map::new();
        for (name, id) in &self.interface.types {
            let shape = match &self.resolve.types[*id].kind {
                TypeDefKind::Enum(cases) => {
                    json!({ "cases": cases.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>() })
                }
                TypeDefKind::Record(record) => {
                    let field = |field: &wit_parser::Field| -> Result<Value> {
                        Ok(json!([camel(&field.name), self.shape(&field.ty, Some(name), &field.name)?]))
                    };
                    json!({ "fields": record.fields.iter().map(field).collect::<Result<Vec<_>>>()? })
                }
                // An alias is what it stands for.
                _ => continue,
            };
            types.insert(pascal(name), shape);
        }
        let mut functions = Map::new();
        let mut errors = BTreeSet::new();
        for function in self.interface.functions.values() {
            let param = |param: &wit_parser::Param| -> Result<Value> {
                Ok(json!([camel(&param.name), self.shape(&param.ty, None, &param.name)?]))
            };
            let params = function.params.iter().map(param).collect::<Result<Vec<_>>>()?;
            let (mut ok, mut error) = (function.result, None);
            if let Some(Type::Id(id)) = &function.result
                && let TypeDefKind::Result(result) = &self.resolve.types[*id].kind
            {
                (ok, error) = (result.ok, result.err);
            }
            if let Some(error) = error {
                errors.insert(self.ty(&error, false, false)?);
            }
            let result = ok.map(|ok| self.shape(&ok, Some(""), "")).transpose()?;
            functions.insert(camel(&function.name), json!({ "params": params, "result": result }));
        }
        let [error] = &errors.into_iter().collect::<Vec<_>>()[..] else { bail!("the contract has several errors") };
        let name = &self.package()?.name;
        let version = name.version.as_ref().context("the contract has no version")?;
        let interface = format!("{}:{}/{INTERFACE}@{version}", name.namespace, name.name);
        let list = |map: &Map<String, Value>| {
            map.iter().map(|(name, shape)| format!("  {name}: {shape},\n")).collect::<String>()
        };
        Ok(format!(
            "// Made from wit/connector.wit by `cargo xtask tables`: do not edit.\n\n\
             /** The interface that the plugin exports. */\nexport const contract = '{interface}';\n\n\
             /** The record of errors. */\nexport const error = '{error}';\n\n\
             /**\n * Records and enums. A shape is the name of one of them or of a basic type, or `[of, shape]`.\n */\n\
             export const types = {{\n{}}};\n\nexport const functions = {{\n{}}};\n",
            list(&types),
            list(&functions)
        ))
    }

    fn shape(&self, ty: &Type, owner: Option<&str>, name: &str) -> Result<Value> {
        if is_clock(owner, name).0 {
            return Ok(json!("now"));
        }
        if is_body(owner, name) {
            return Ok(json!("body"));
        }
        Ok(match ty {
            Type::Bool => json!("bool"),
            Type::U8 => json!("u8"),
            Type::U16 => json!("u16"),
            Type::U32 => json!("u32"),
            Type::U64 => json!("u64"),
            Type::String => json!("string"),
            Type::Id(id) => {
                let definition = &self.resolve.types[*id];
                match (&definition.name, &definition.kind) {
                    (Some(name), _) if name == "settings" => json!("settings"),
                    (Some(name), TypeDefKind::Record(_) | TypeDefKind::Enum(_)) => json!(pascal(name)),
                    (_, TypeDefKind::Type(inner)) => self.shape(inner, Some(""), "")?,
                    (_, TypeDefKind::Option(inner)) => json!(["option", self.shape(inner, Some(""), "")?]),
                    (_, TypeDefKind::List(item)) if self.is_pairs(item) => json!("pairs"),
                    (_, TypeDefKind::List(item)) => json!(["list", self.shape(item, Some(""), "")?]),
                    (_, other) => bail!("a {} has no form in JavaScript yet", other.as_str()),
                }
            }
            other => bail!("{other:?} has no form in JavaScript yet"),
        })
    }
}

fn is_clock(owner: Option<&str>, name: &str) -> (bool, &'static [&'static str]) {
    let clock = CLOCK.contains(&(owner, name));
    (clock, if clock { &["The time of the call when it is left out."] } else { &[] })
}

fn is_body(owner: Option<&str>, name: &str) -> bool {
    BODY.contains(&(owner, name))
}

fn pascal(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('-').map(capital).collect()
}

fn camel(name: &str) -> String {
    let name = pascal(name);
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
        /// The package.
        package agent-handoff:connector@9.1.0;
        interface connector {
            /// Milliseconds.
            type timestamp = u64;
            enum owner { ai-agent, end-user }
            record end-user { id: string, email-verified: bool }
            /// See `end-user.email-verified`, `on-webhook` and `ai-agent`.
            record delivery { headers: list<tuple<string, string>>, body: string, received-at: timestamp, user: end-user }
            record update { sent-at: option<timestamp>, owner: owner }
            record call-error { line: string }
            on-webhook: func(delivery: delivery, retry: bool, now: timestamp) -> result<update, call-error>;
        }";

    fn contract<T>(check: impl FnOnce(Contract<'_>) -> T) -> T {
        let mut resolve = Resolve::default();
        resolve.push_str("connector.wit", SOURCE).unwrap();
        check(Contract::new(&resolve).unwrap())
    }

    #[test]
    fn documentation_is_kept_and_speaks_of_names_as_javascript_has_them() {
        let text = contract(|it| it.declarations().unwrap());
        assert!(
            text.contains(
                "/** See `EndUser.emailVerified`, `onWebhook` and `ai-agent`. */\nexport interface Delivery {"
            ),
            "{text}"
        );
        assert!(text.contains("/** The package. */\nexport interface Contract {"), "{text}");
    }

    #[test]
    fn what_callers_may_leave_out_is_optional_and_what_they_get_is_not() {
        let text = contract(|it| it.declarations().unwrap());
        for line in [
            "  emailVerified?: boolean;",
            "  headers: Pairs;",
            "  body: string | Uint8Array;",
            "  receivedAt?: Timestamp;",
            "  sentAt?: Timestamp;",
            "  owner: Owner;",
            "  onWebhook(delivery: Delivery, retry?: boolean, now?: Timestamp): Promise<Update>;",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn shapes_name_the_contract_and_its_types() {
        let text = contract(|it| it.shapes().unwrap());
        for line in [
            "export const contract = 'agent-handoff:connector/connector@9.1.0';",
            "export const error = 'CallError';",
            r#"  Delivery: {"fields":[["headers","pairs"],["body","body"],["receivedAt","now"],["user","EndUser"]]},"#,
            r#"  Update: {"fields":[["sentAt",["option","u64"]],["owner","Owner"]]},"#,
            r#"  onWebhook: {"params":[["delivery","Delivery"],["retry","bool"],["now","now"]],"result":"Update"},"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
