//! What a plugin imports, read from its binary, and what it may import.

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::cache::compile;
use crate::engine::Engine;
use crate::plugin::read_plugin;

/// The interfaces that a connector may import, without versions: outgoing HTTP and what comes with it. No file, no
/// environment, no socket, no randomness, no time of day.
pub const ALLOWED_IMPORTS: [&str; 6] = [
    "wasi:clocks/monotonic-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

/// Of these, interfaces that may be imported for their types only: time-outs need the clock's `duration`, nobody needs
/// the clock. The linker does not even offer its functions.
pub const TYPES_ONLY: [&str; 1] = ["wasi:clocks/monotonic-clock"];

/// One interface that a plugin imports, and what it uses of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Import {
    /// With its version, for example `wasi:io/poll@0.2.4`.
    pub name: String,
    /// The functions, in WIT's notation: `[method]pollable.block`. Sorted.
    pub functions: Vec<String>,
    /// The types and resources. Sorted.
    pub types: Vec<String>,
}

impl Import {
    /// The name without its version.
    pub fn interface(&self) -> &str {
        self.name.split('@').next().unwrap_or_default()
    }

    /// Why a connector may not import this; none when it may.
    pub fn objection(&self) -> Option<Objection> {
        if !ALLOWED_IMPORTS.contains(&self.interface()) {
            return Some(Objection::Interface(self.name.clone()));
        }
        let function = self.functions.first().filter(|_| TYPES_ONLY.contains(&self.interface()));
        function.map(|function| Objection::Function(format!("{}#{function}", self.name)))
    }
}

/// An import that a connector may not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The whole interface.
    Interface(String),
    /// A function of an interface that is allowed for its types.
    Function(String),
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(name) => write!(f, "`{name}` is not among the interfaces that a connector may import"),
            Self::Function(name) => {
                write!(f, "`{name}` is a function of an interface that is allowed for its types only")
            }
        }
    }
}

impl std::error::Error for Objection {}

/// What a component file imports, sorted by name. Compiles it, but runs nothing of it.
///
/// # Errors
///
/// When the file cannot be read or is not a component.
pub fn imports(engine: &Engine, path: &Path) -> anyhow::Result<Vec<Import>> {
    let component = compile(engine, &read_plugin(path)?)
        .with_context(|| format!("the plugin {} cannot be used", path.display()))?;
    Ok(imports_of(engine, &component))
}

/// What a component imports, sorted by name.
pub(crate) fn imports_of(engine: &Engine, component: &Component) -> Vec<Import> {
    let engine = engine.wasmtime();
    let mut imports: Vec<Import> = component
        .component_type()
        .imports(engine)
        .map(|(name, import)| {
            let mut import_list = Import { name: name.to_owned(), functions: Vec::new(), types: Vec::new() };
            match import.ty {
                ComponentItem::ComponentInstance(instance) => {
                    for (member, item) in instance.exports(engine) {
                        import_list.add(member, &item.ty);
                    }
                }
                other => import_list.add(name, &other),
            }
            import_list.functions.sort();
            import_list.types.sort();
            import_list
        })
        .collect();
    imports.sort_by(|a, b| a.name.cmp(&b.name));
    imports
}

impl Import {
    fn add(&mut self, member: &str, item: &ComponentItem) {
        match item {
            ComponentItem::Type(_) | ComponentItem::Resource(_) => self.types.push(member.to_owned()),
            // Whatever else it is, it is something that could be called or run.
            _ => self.functions.push(member.to_owned()),
        }
    }
}

/// Refuses a component that imports more than it may.
///
/// # Errors
///
/// The first objection.
pub fn verify(imports: &[Import]) -> Result<(), Objection> {
    imports.iter().find_map(Import::objection).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Allocation, EngineSettings};

    fn imports_of_text(wat: &str) -> Vec<Import> {
        let engine =
            Engine::new(EngineSettings { allocation: Allocation::OnDemand, ..EngineSettings::default() }).unwrap();
        let component = Component::new(engine.wasmtime(), wat::parse_str(wat).unwrap()).unwrap();
        imports_of(&engine, &component)
    }

    #[test]
    fn functions_and_types_are_told_apart() {
        let imports = imports_of_text(
            r#"(component (import "wasi:clocks/monotonic-clock@0.2.4" (instance
                (type $d u64)
                (export "duration" (type (eq $d)))
                (export "now" (func (result u64))))))"#,
        );
        let expected = Import {
            name: "wasi:clocks/monotonic-clock@0.2.4".to_owned(),
            functions: vec!["now".to_owned()],
            types: vec!["duration".to_owned()],
        };
        assert_eq!(imports, [expected]);
        assert_eq!(verify(&imports), Err(Objection::Function("wasi:clocks/monotonic-clock@0.2.4#now".to_owned())));
    }

    #[test]
    fn the_clocks_duration_may_be_imported() {
        let imports = imports_of_text(
            r#"(component (import "wasi:clocks/monotonic-clock@0.2.4" (instance
                (type $d u64)
                (export "duration" (type (eq $d))))))"#,
        );
        assert_eq!(verify(&imports), Ok(()));
    }

    #[test]
    fn other_interfaces_are_refused_even_without_functions() {
        for name in ["wasi:cli/environment@0.2.4", "wasi:filesystem/types@0.2.4", "wasi:http/types2@0.2.4"] {
            let imports = imports_of_text(&format!(r#"(component (import "{name}" (instance)))"#));
            assert_eq!(verify(&imports), Err(Objection::Interface(name.to_owned())));
        }
    }

    #[test]
    fn a_bare_function_is_refused() {
        let imports = imports_of_text(r#"(component (import "send" (func)))"#);
        assert_eq!(verify(&imports), Err(Objection::Interface("send".to_owned())));
    }
}
