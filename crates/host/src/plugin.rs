//! A loaded plugin, and a method for each function of the contract.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, ComponentType, InstancePre, Lift, Lower};

use crate::bindings::{
    CloseReason, Connection, Delivery, Descriptor, Erasure, Function, Functions, HandoffRequest, Message, Plan,
    PluginError, Rating, Receipt, Update,
};
use crate::cache::{Loaded, TrustedCache, compile};
use crate::call::{Call, State, linker, run};
use crate::contract;
use crate::engine::Engine;
use crate::imports::{Import, imports_of, verify};
use crate::sandbox::Sandbox;

/// A plugin: checked, compiled and linked. Cheap to clone.
///
/// Each method makes a fresh instance, calls it once and drops it. That costs some ten microseconds, and means that a
/// call that goes wrong hurts no other. A plugin may be replaced while calls run: they keep the one that they began with.
#[derive(Clone)]
pub struct Plugin {
    engine: Engine,
    pre: InstancePre<State>,
    functions: Arc<Functions<'static>>,
    imports: Arc<[Import]>,
    cache_refused: Option<String>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").field("imports", &self.imports).finish_non_exhaustive()
    }
}

/// The bytes of a plugin's file.
pub(crate) fn read_plugin(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("the plugin {} cannot be read", path.display()))
}

impl Plugin {
    /// Loads a plugin from a file. Nothing of it runs. With a cache, it is compiled only once.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not a component, imports what it may not (see
    /// [`ALLOWED_IMPORTS`](crate::ALLOWED_IMPORTS)), or does not export [the version of the
    /// contract](crate::CONTRACT_VERSION) that this host supports (a [`ContractMismatch`](crate::ContractMismatch)).
    pub fn load(engine: &Engine, path: &Path, cache: Option<&TrustedCache>) -> anyhow::Result<Self> {
        let wasm = read_plugin(path)?;
        Self::from_bytes(engine, &wasm, cache).with_context(|| format!("the plugin {} cannot be used", path.display()))
    }

    /// Loads a plugin from memory; see [`load`](Self::load).
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    pub fn from_bytes(engine: &Engine, wasm: &[u8], cache: Option<&TrustedCache>) -> anyhow::Result<Self> {
        let Loaded { component, refused } = match cache {
            Some(cache) => cache.load(engine, wasm)?,
            None => Loaded { component: compile(engine, wasm)?, refused: None },
        };
        let imports = imports_of(engine, &component);
        verify(&imports)?;
        contract::check(engine, &component)?;
        let functions = Arc::new(Functions::of(&component)?);
        let pre = linker(engine)?.instantiate_pre(&component).map_err(anyhow::Error::from)?;
        Ok(Self { engine: engine.clone(), pre, functions, imports: imports.into(), cache_refused: refused })
    }

    /// Why the cache that was given was not used, as one line for the operator; none where it was, or none was given.
    pub fn cache_refused(&self) -> Option<&str> {
        self.cache_refused.as_deref()
    }

    /// What it imports, sorted by name.
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// One call of one function, in a fresh instance.
    async fn call<P, T>(&self, sandbox: &Sandbox, function: &Function<P, Result<T, PluginError>>, params: P) -> Call<T>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        T: ComponentType + Lift + Send + 'static,
    {
        run(&self.engine, sandbox, function.name, async |store: &mut Store<State>| {
            let (answer,) = self.invoke(store, function, params).await?;
            Ok(answer)
        })
        .await
    }

    async fn invoke<P, R>(
        &self,
        store: &mut Store<State>,
        function: &Function<P, R>,
        params: P,
    ) -> wasmtime::Result<(R,)>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentType + Lift + Send + 'static,
    {
        let started = Instant::now();
        let instance = self.pre.instantiate_async(&mut *store).await?;
        store.data().recorder.instantiated(started.elapsed());
        instance.get_typed_func::<P, (R,)>(&mut *store, function.index)?.call_async(&mut *store, params).await
    }

    /// Who the connector is and what it needs.
    pub async fn describe(&self, sandbox: &Sandbox, settings: Option<&str>) -> Call<Descriptor> {
        self.call(sandbox, &self.functions.describe, (settings,)).await
    }

    /// Checks the settings against the account.
    pub async fn connect(&self, sandbox: &Sandbox, settings: &str) -> Call<Connection> {
        self.call(sandbox, &self.functions.connect, (settings,)).await
    }

    /// What a handoff would do. `now` is in milliseconds since 1970.
    pub async fn preview(&self, sandbox: &Sandbox, settings: &str, request: &HandoffRequest, now: u64) -> Call<Plan> {
        self.call(sandbox, &self.functions.preview, (settings, request, now)).await
    }

    /// Hands a conversation over. `now` is in milliseconds since 1970.
    pub async fn handoff(
        &self,
        sandbox: &Sandbox,
        settings: &str,
        request: &HandoffRequest,
        session: Option<&str>,
        now: u64,
    ) -> Call<Receipt> {
        self.call(sandbox, &self.functions.handoff, (settings, request, session, now)).await
    }

    /// Passes a message of the end user on. `retry`: an earlier try ended without a session. `now` is in milliseconds since 1970.
    pub async fn relay(
        &self,
        sandbox: &Sandbox,
        settings: &str,
        session: &str,
        message: &Message,
        retry: bool,
        now: u64,
    ) -> Call<Update> {
        self.call(sandbox, &self.functions.relay, (settings, session, message, retry, now)).await
    }

    /// Ends the human part. `retry` is as in [`relay`](Self::relay). `now` is in milliseconds since 1970.
    pub async fn close(
        &self,
        sandbox: &Sandbox,
        settings: &str,
        session: &str,
        reason: CloseReason,
        retry: bool,
        now: u64,
    ) -> Call<Update> {
        self.call(sandbox, &self.functions.close, (settings, session, reason, retry, now)).await
    }

    /// Tells the human agents that a message of theirs could not be shown. `now` is in milliseconds since 1970; `retry`: an
    /// earlier try may have ended without a session.
    pub async fn undelivered(
        &self,
        sandbox: &Sandbox,
        settings: &str,
        session: &str,
        message_id: &str,
        retry: bool,
        now: u64,
    ) -> Call<Update> {
        self.call(sandbox, &self.functions.undelivered, (settings, session, message_id, retry, now)).await
    }

    /// Passes on how the end user rates the human part. `retry`: an earlier try may have ended without a session.
    pub async fn rate(
        &self,
        sandbox: &Sandbox,
        settings: &str,
        session: &str,
        rating: &Rating,
        retry: bool,
    ) -> Call<Update> {
        self.call(sandbox, &self.functions.rate, (settings, session, rating, retry)).await
    }

    /// The conversations that a webhook body speaks of; proves nothing.
    pub async fn peek(&self, sandbox: &Sandbox, body: &str) -> Call<Vec<String>> {
        let function = &self.functions.peek;
        run(&self.engine, sandbox, function.name, async |store: &mut Store<State>| {
            let (ids,) = self.invoke(store, function, (body,)).await?;
            Ok(Ok(ids))
        })
        .await
    }

    /// Verifies a webhook request and turns it into events.
    pub async fn on_webhook(
        &self,
        sandbox: &Sandbox,
        settings: &str,
        delivery: &Delivery,
        session: Option<&str>,
    ) -> Call<Update> {
        self.call(sandbox, &self.functions.on_webhook, (settings, delivery, session)).await
    }

    /// Does what time makes necessary. `now` is in milliseconds since 1970.
    pub async fn tick(&self, sandbox: &Sandbox, settings: &str, session: &str, now: u64) -> Call<Update> {
        self.call(sandbox, &self.functions.tick, (settings, session, now)).await
    }

    /// Deletes the vendor's record of one person, for good. `user_id`: the platform's id of the person.
    pub async fn erase(&self, sandbox: &Sandbox, settings: &str, user_id: &str) -> Call<Erasure> {
        self.call(sandbox, &self.functions.erase, (settings, user_id)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Allocation, EngineSettings};

    fn load(wasm: &[u8]) -> Result<Plugin, String> {
        let engine =
            Engine::new(EngineSettings { allocation: Allocation::OnDemand, ..EngineSettings::default() }).unwrap();
        Plugin::from_bytes(&engine, wasm, None).map_err(|error| format!("{error:#}"))
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        let error = load(&wat::parse_str(text).unwrap()).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn a_component_without_the_contract_is_refused() {
        check_refused("(component)", "does not export the contract `agent-handoff:connector/connector@0.2.0`");
        // The right name with nothing behind it.
        let empty = r#"(component (instance $i) (export "agent-handoff:connector/connector@0.2.0" (instance $i)))"#;
        check_refused(empty, "does not export the contract");
    }

    #[test]
    fn a_component_of_another_version_of_the_contract_is_refused_with_both_versions_and_the_remedy() {
        check_refused(
            r#"(component (instance $i) (export "agent-handoff:connector/connector@0.1.0" (instance $i)))"#,
            "it exports version 0.1.0 of the contract agent-handoff:connector, and this host supports version 0.2.0: \
             load a plugin built for 0.2.0, or use a host that supports 0.1.0",
        );
    }

    #[test]
    fn a_component_that_imports_more_is_refused_by_name() {
        check_refused(
            r#"(component (import "wasi:filesystem/types@0.2.4" (instance)))"#,
            "`wasi:filesystem/types@0.2.4` is not among the interfaces",
        );
    }

    #[test]
    fn what_is_no_component_is_refused() {
        check_refused("(module)", "not a component");
        assert!(load(b"no wasm").unwrap_err().contains("not a WebAssembly component"));
    }

    /// Compiles only if calls can run on any thread of a runtime.
    #[expect(dead_code, reason = "to compile is the test")]
    fn calls_can_be_spawned(plugin: Plugin, sandbox: Sandbox, request: HandoffRequest) {
        drop(tokio::spawn(async move { plugin.handoff(&sandbox, "{}", &request, None, 0).await }));
    }
}
