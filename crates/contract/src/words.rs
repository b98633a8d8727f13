//! One declaration for each word and record of the contract.

/// An enum of the contract, with the word of each case: its text, all of them, JSON, schema, and the component's value.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident { $($(#[$case_attribute:meta])* $case:ident = $word:tt,)+ }
    ) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "wasmtime", derive(wasmtime::component::ComponentType, wasmtime::component::Lift, wasmtime::component::Lower))]
        #[cfg_attr(feature = "wasmtime", component(enum))]
        #[repr(u8)]
        $(#[$attribute])*
        pub enum $name {
            $(
                $(#[$case_attribute])*
                #[serde(rename = $word)]
                #[cfg_attr(feature = "wasmtime", component(name = $word))]
                $case,
            )+
        }

        impl $name {
            /// Every case, in the order of the contract.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$case),+];

            /// The word of the contract.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$case => $word,)+
                }
            }
        }

        #[cfg(test)]
        impl $crate::words::Declared for $name {
            const NAMES: &[&str] = &[$($word),+];
        }
    };
}

/// A record of the contract: JSON, schema, and the component's value. `as` gives the contract's spelling of a field where it differs.
macro_rules! record {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident $(<$parameter:ident = $default:ty>)? {
            $($(#[$field_attribute:meta])* pub $field:ident $(as $word:tt)? : $type:ty,)+
        }
    ) => {
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "wasmtime", derive(wasmtime::component::ComponentType, wasmtime::component::Lift, wasmtime::component::Lower))]
        #[cfg_attr(feature = "wasmtime", component(record))]
        $(#[$attribute])*
        pub struct $name $(<$parameter = $default>)? {
            $(
                $(#[$field_attribute])*
                $(#[cfg_attr(feature = "wasmtime", component(name = $word))])?
                pub $field: $type,
            )+
        }

        #[cfg(test)]
        impl $crate::words::Declared for $name {
            const NAMES: &[&str] = &[$($crate::words::spelling!($field $($word)?)),+];
        }
    };
}

#[cfg(test)]
macro_rules! spelling {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $word:tt) => {
        $word
    };
}

/// What a type declares, for holding it against the WIT file.
#[cfg(test)]
pub(crate) trait Declared {
    /// Its fields or cases, in order, as the WIT file spells them.
    const NAMES: &[&str];
}

#[cfg(test)]
pub(crate) use spelling;
pub(crate) use {record, words};

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use wit_parser::{Resolve, TypeDefKind};

    use super::Declared;
    use crate::error::{CallError, ErrorKind};
    use crate::model::*;

    /// The records and enums of the WIT file, with their fields and cases.
    fn of_the_file() -> BTreeMap<String, Vec<String>> {
        let mut resolve = Resolve::default();
        resolve.push_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap();
        let (_, interface) =
            resolve.interfaces.iter().find(|(_, interface)| interface.name.as_deref() == Some("connector")).unwrap();
        let names = |id| match &resolve.types[id].kind {
            TypeDefKind::Record(record) => Some(record.fields.iter().map(|field| field.name.clone()).collect()),
            TypeDefKind::Enum(cases) => Some(cases.cases.iter().map(|case| case.name.clone()).collect()),
            _ => None,
        };
        interface.types.iter().filter_map(|(name, id)| Some((name.clone(), names(*id)?))).collect()
    }

    #[test]
    fn every_record_field_enum_and_case_of_the_wit_file_is_declared() {
        fn declared<T: Declared>(name: &str) -> (String, Vec<String>) {
            (name.to_owned(), T::NAMES.iter().map(|name| (*name).to_owned()).collect())
        }
        let ours = BTreeMap::from([
            declared::<OutboundHost>("outbound-host"),
            declared::<Descriptor>("descriptor"),
            declared::<FindingLevel>("finding-level"),
            declared::<Finding>("finding"),
            declared::<Connection>("connection"),
            declared::<ConversationKey>("conversation-key"),
            declared::<EndUser>("end-user"),
            declared::<SenderRole>("sender-role"),
            declared::<Sender>("sender"),
            declared::<PartKind>("part-kind"),
            declared::<Part>("part"),
            declared::<Message>("message"),
            declared::<Mode>("mode"),
            declared::<Reason>("reason"),
            declared::<Priority>("priority"),
            declared::<Routing>("routing"),
            declared::<HandoffRequest>("handoff-request"),
            declared::<ExternalCase>("external-case"),
            declared::<Step>("step"),
            declared::<Decision>("decision"),
            declared::<Owner>("owner"),
            declared::<SessionState>("session-state"),
            declared::<SessionInfo>("session-info"),
            declared::<WaitEstimate>("wait-estimate"),
            declared::<Receipt>("receipt"),
            declared::<Plan>("plan"),
            declared::<Delivery>("delivery"),
            declared::<EventKind>("event-kind"),
            declared::<Outcome>("outcome"),
            declared::<Event>("event"),
            declared::<Update>("update"),
            declared::<CloseReason>("close-reason"),
            declared::<Erasure>("erasure"),
            declared::<Rating>("rating"),
            declared::<ErrorKind>("error-kind"),
            declared::<CallError>("call-error"),
        ]);
        assert_eq!(ours, of_the_file());
    }

    #[test]
    fn the_published_file_is_the_one_of_the_repository() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/connector.wit");
        assert!(
            crate::WIT == std::fs::read_to_string(path).unwrap(),
            "cp wit/connector.wit crates/contract/src/connector.wit"
        );
    }

    #[test]
    fn words_are_the_same_in_text_and_json() {
        for kind in ErrorKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
            assert_eq!(serde_json::from_value::<ErrorKind>(kind.word().into()).unwrap(), kind);
        }
    }
}
