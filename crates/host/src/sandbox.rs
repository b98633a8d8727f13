//! What one call may do: its bounds, the origins it may reach, the credentials that are added.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::allow::AllowList;
use crate::credentials::CredentialInjector;
use crate::http::HttpClient;
use crate::intercept::{Interceptor, Untouched};
use crate::limits::Limits;
use crate::observe::{Observer, Traceparent};

/// Calls of one sandbox that run at the same time, unless [`Sandbox::calls_at_once`] says otherwise: a quarter of what an engine
/// runs by default.
const CALLS_AT_ONCE: u32 = 16;

/// What one call may do. Keep one for each tenant: clones are cheap, and share the tenant's turns
/// ([`calls_at_once`](Sandbox::calls_at_once)).
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) client: HttpClient,
    pub(crate) limits: Limits,
    pub(crate) allow: Arc<AllowList>,
    pub(crate) credentials: Arc<CredentialInjector>,
    pub(crate) interceptor: Arc<dyn Interceptor>,
    /// What logs and metrics call the tenant.
    pub(crate) tenant: Arc<str>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) traceparent: Option<Traceparent>,
    /// Taken before a slot of the engine.
    pub(crate) turns: Arc<Semaphore>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("tenant", &self.tenant)
            .field("limits", &self.limits)
            .field("allow", &self.allow)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// A sandbox that reaches nothing, within the default [`Limits`]. Enough for `describe` and `peek`.
    pub fn new(client: HttpClient) -> Self {
        Self {
            client,
            limits: Limits::default(),
            allow: Arc::default(),
            credentials: Arc::default(),
            interceptor: Arc::new(Untouched),
            tenant: "".into(),
            observer: None,
            traceparent: None,
            turns: Arc::new(Semaphore::new(CALLS_AT_ONCE as usize)),
        }
    }

    /// Sets how many calls of this sandbox and its later clones run at the same time; more wait for their turn, within their wall
    /// time and without a slot of the engine. So a tenant whose account answers slowly does not take the slots of all others. The
    /// default is 16; at least 1.
    #[must_use]
    pub fn calls_at_once(mut self, calls: u32) -> Self {
        self.turns = Arc::new(Semaphore::new(calls.max(1) as usize));
        self
    }

    /// Sets the bounds of a call.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the origins that may be reached.
    #[must_use]
    pub fn allow(mut self, allow: AllowList) -> Self {
        self.allow = Arc::new(allow);
        self
    }

    /// Sets the credentials that the host adds.
    #[must_use]
    pub fn credentials(mut self, credentials: CredentialInjector) -> Self {
        self.credentials = Arc::new(credentials);
        self
    }

    /// Sets what spans and metrics call the tenant: an id that may be logged.
    #[must_use]
    pub fn tenant(mut self, tenant: &str) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// Sets who is told about each call when it has ended.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Joins the calls of this sandbox to a trace: their spans carry its id, and their requests the header `traceparent`. The vendor then
    /// sees the ids, and nothing else; without this, no such header is added. For one call: `sandbox.clone().traceparent(parent)`.
    #[must_use]
    pub fn traceparent(mut self, parent: Traceparent) -> Self {
        self.traceparent = Some(parent);
        self
    }

    /// Sets who stands between the plugin and the network.
    #[must_use]
    pub fn interceptor(mut self, interceptor: Arc<dyn Interceptor>) -> Self {
        self.interceptor = interceptor;
        self
    }
}
