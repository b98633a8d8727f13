//! The contract's types, which core, host and bridge share, and its functions as a component exports them.

use std::marker::PhantomData;

use anyhow::{Context as _, anyhow};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, Lift, Lower};

use crate::contract::EXPORT;

pub use handoff_contract::error::{CallError as PluginError, ErrorKind};
pub use handoff_contract::model::{
    CloseReason, Connection, ConversationKey, Decision, Delivery, Descriptor, EndUser, Erasure, Event, EventKind,
    ExternalCase, Finding, FindingLevel, HandoffRequest, Message, Mode, OutboundHost, Outcome, Owner, Part, PartKind,
    Plan, Priority, Rating, Reason, Receipt, Routing, Sender, SenderRole, Session, SessionInfo, SessionState, Step,
    Update, WaitEstimate,
};

/// One exported function that takes `P` and returns `R`, and was held against these types.
pub(crate) struct Function<P, R> {
    pub(crate) name: &'static str,
    pub(crate) index: ComponentExportIndex,
    /// Names the types without holding any; parameters that live longer do where shorter ones are passed.
    types: PhantomData<fn() -> (P, R)>,
}

impl<P, R> Clone for Function<P, R> {
    fn clone(&self) -> Self {
        Self { name: self.name, index: self.index, types: PhantomData }
    }
}

impl<P, R> Function<P, R>
where
    P: ComponentNamedList + Lower,
    (R,): ComponentNamedList + Lift,
{
    /// Finds it and compares its types, before anything of the component runs.
    fn find(component: &Component, interface: &ComponentExportIndex, name: &'static str) -> anyhow::Result<Self> {
        let (item, index) = component
            .get_export(Some(interface), name)
            .with_context(|| format!("it does not export the contract: the function `{name}` is missing"))?;
        let ComponentItem::ComponentFunc(function) = item else {
            return Err(anyhow!("it does not export the contract: `{name}` is not a function"));
        };
        function
            .typecheck::<P, (R,)>(&component.component_type().instance_type())
            .map_err(|error| anyhow!("the types of `{name}` are not those of the contract: {error:#}"))?;
        Ok(Self { name, index, types: PhantomData })
    }
}

type Answer<T> = Result<T, PluginError>;

/// The functions of the contract, in its order.
macro_rules! functions {
    ($($field:ident $name:literal ($($parameter:ty),+) -> $result:ty;)+) => {
        /// The functions of the contract, as one component exports them.
        #[derive(Clone)]
        pub(crate) struct Functions<'a> {
            $(pub(crate) $field: Function<($($parameter,)+), $result>,)+
        }

        impl Functions<'_> {
            /// Finds and checks them all.
            pub(crate) fn of(component: &Component) -> anyhow::Result<Self> {
                let interface = component.get_export_index(None, EXPORT).context("it does not export the contract")?;
                Ok(Self { $($field: Function::find(component, &interface, $name)?,)+ })
            }
        }
    };
}

functions! {
    describe "describe" (Option<&'a str>) -> Answer<Descriptor>;
    connect "connect" (&'a str) -> Answer<Connection>;
    preview "preview" (&'a str, &'a HandoffRequest, u64) -> Answer<Plan>;
    handoff "handoff" (&'a str, &'a HandoffRequest, Option<&'a str>, u64) -> Answer<Receipt>;
    relay "relay" (&'a str, &'a str, &'a Message, bool, u64) -> Answer<Update>;
    close "close" (&'a str, &'a str, CloseReason, bool, u64) -> Answer<Update>;
    undelivered "undelivered" (&'a str, &'a str, &'a str, bool, u64) -> Answer<Update>;
    rate "rate" (&'a str, &'a str, &'a Rating, bool) -> Answer<Update>;
    peek "peek" (&'a str) -> Vec<String>;
    on_webhook "on-webhook" (&'a str, &'a Delivery, Option<&'a str>) -> Answer<Update>;
    tick "tick" (&'a str, &'a str, u64) -> Answer<Update>;
    erase "erase" (&'a str, &'a str) -> Answer<Erasure>;
}
