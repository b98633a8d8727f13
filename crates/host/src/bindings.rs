//! The contract in Rust: types and calls generated from `wit/connector.wit`.
//!
//! Nothing else in this crate sees the macro. The documentation of each item is that of the WIT file.

// The generated code documents what the WIT file documents, which is not every generated item.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "plugin",
        exports: { default: async },
        additional_derives: [serde::Serialize, serde::Deserialize],
    });
}

pub(crate) use generated::{Plugin as PluginExports, PluginPre};

pub use generated::exports::agent_handoff::connector::connector::{
    CallError as PluginError, CloseReason, Connection, ConversationKey, Decision, Delivery, Descriptor, EndUser,
    Erasure, ErrorKind, Event, EventKind, ExternalCase, Finding, FindingLevel, HandoffRequest, Message, Mode,
    OutboundHost, Outcome, Owner, Part, PartKind, Plan, Priority, Rating, Reason, Receipt, Routing, Sender, SenderRole,
    SessionInfo, SessionState, Step, Update, WaitEstimate,
};
