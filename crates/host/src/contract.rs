//! Which version of the contract a plugin exports, and which one this host supports.

use wasmtime::component::Component;

use crate::engine::Engine;

/// The contract's interface, without its version.
const INTERFACE: &str = "agent-handoff:connector/connector@";

/// The interface as plugins of this version export it.
pub(crate) const EXPORT: &str = "agent-handoff:connector/connector@0.2.0";

/// The version of the contract that this host supports. Plugins of the same `0.2` line load; each later one that a host supports
/// gets bindings of its own beside these.
pub const CONTRACT_VERSION: &str = "0.2.0";

/// A plugin that this host cannot call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractMismatch {
    /// It exports nothing of the contract.
    Missing,
    /// It exports other versions of the contract.
    Version(String),
}

impl std::fmt::Display for ContractMismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => write!(f, "it does not export the contract `{INTERFACE}{CONTRACT_VERSION}`"),
            Self::Version(found) => write!(
                f,
                "it exports version {found} of the contract agent-handoff:connector, and this host supports version \
                 {CONTRACT_VERSION}: load a plugin built for {CONTRACT_VERSION}, or use a host that supports {found}"
            ),
        }
    }
}

impl std::error::Error for ContractMismatch {}

/// Refuses a component by the names of its exports, before anything of it is linked.
pub(crate) fn check(engine: &Engine, component: &Component) -> Result<(), ContractMismatch> {
    let ty = component.component_type();
    supported(ty.exports(engine.wasmtime()).map(|(name, _)| name))
}

fn supported<'a>(exports: impl Iterator<Item = &'a str>) -> Result<(), ContractMismatch> {
    let versions: Vec<&str> = exports.filter_map(|name| name.strip_prefix(INTERFACE)).collect();
    // Within one minor version before 1.0 nothing changes but documentation.
    let line = CONTRACT_VERSION.rsplit_once('.').map_or(CONTRACT_VERSION, |(line, _)| line);
    let is_of_line = |version: &&str| version.strip_prefix(line).is_some_and(|patch| patch.starts_with('.'));
    match versions.as_slice() {
        [] => Err(ContractMismatch::Missing),
        versions if versions.iter().any(is_of_line) => Ok(()),
        versions => Err(ContractMismatch::Version(versions.join(" and "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(exports: &[&str]) -> Result<(), ContractMismatch> {
        supported(exports.iter().copied())
    }

    #[test]
    fn the_export_has_this_version() {
        assert_eq!(EXPORT, format!("{INTERFACE}{CONTRACT_VERSION}"));
    }

    #[test]
    fn a_version_is_picked_by_the_name_of_the_exported_interface() {
        let of_version = |version: &str| format!("{INTERFACE}{version}");
        for version in ["0.2.0", "0.2.7"] {
            assert_eq!(of(&["wasi:cli/run@0.2.0", &of_version(version)]), Ok(()));
        }
        assert_eq!(of(&[&of_version("0.1.0"), &of_version("0.2.0")]), Ok(()), "versions live side by side");
        for version in ["0.1.0", "0.20.0", "0.3.0", "1.2.0"] {
            assert_eq!(of(&[&of_version(version)]), Err(ContractMismatch::Version(version.to_owned())));
        }
        assert_eq!(of(&[]), Err(ContractMismatch::Missing));
        assert_eq!(of(&["connector", "agent-handoff:other/connector@0.2.0"]), Err(ContractMismatch::Missing));
    }
}
