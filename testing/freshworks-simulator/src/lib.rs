//! A simulated Freshchat and ticket desk, with faults on request.
//!
//! It implements the REST API and the webhooks of Freshchat, and the tickets API of Freshdesk or Freshservice, as far as
//! they are publicly known, for tests, demonstrations and benchmarks of connectors. It shares nothing with any connector: it is
//! based on public material only, so that both cannot share a mistake. Where that material is silent, [`Behaviour`] has a
//! switch.
//!
//! Each simulator is a separate account on two ports, one for each service; it stops when it is dropped.
//!
//! ```
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! use freshworks_simulator::{Config, Simulator, UserSpec};
//!
//! let sim = Simulator::start(Config::default()).await?;
//! let topic = sim.topic_id("Sendbird Integration").unwrap();
//! let user = sim.seed_user(UserSpec { first_name: Some("Ana".into()), ..UserSpec::default() });
//! let (conversation, _) = sim.user_starts(&topic, &user, "My parcel is lost").await?;
//!
//! let maya = sim.agent_id("Maya Chen").unwrap();
//! let deliveries = sim.reply(&conversation, &maya, "Let me look").await?;
//! assert_eq!(deliveries[0].json()["action"], "message_create");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod agent;
mod api;
mod config;
mod control;
mod delivery;
mod desk;
mod faults;
mod feed;
mod gate;
mod ids;
mod journal;
mod photo;
mod query;
mod refusal;
mod server;
mod service;
mod signing;
mod store;
mod table;
mod ticket_acts;
mod ticket_api;
mod tickets;
mod views;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

pub use agent::Assignee;
pub use config::{
    AgentFilters, AgentSpec, Availability, Behaviour, BusinessHoursForm, Config, ConversationForm, CreateWhileOpen,
    DuplicateUser, GroupSpec, MessagePaging, PagePastEnd, SendToResolved, StatusList, TopicSpec, UndeclaredProperties,
    UnknownRequester, UserDeletion, UserSearch, UserSpec, WaitFigures,
};
pub use delivery::{Delivery, Outcome};
use faults::Origin;
pub use faults::{Fault, How, Match, WebhookFault, When};
pub use ids::IdForm;
pub use journal::{Exchange, RequestBody};
pub use refusal::Refusal;
pub use service::Service;
pub use signing::KeyForm;
pub use store::{
    Actor, ActorType, Agent, Conversation, Group, Message, MessageType, Rating, Status, Topic, Upload, User,
};
pub use tickets::{
    EntryKind, Gone, Requester, RequesterSpec, Ticket, TicketAttachment, TicketEntry, TicketField, TicketFieldKind,
    TicketProduct,
};
pub use webhooks::{Action, Era};

use delivery::{Outbox, Receipt};
use desk::Desk;
use feed::Feed;
use gate::Front;
use ids::Ids;
use signing::SigningKey;
use store::Store;
use tickets::TicketDesk;

/// A running account. Cheap to start; stops, with all its connections, when dropped.
pub struct Simulator {
    inner: Arc<Inner>,
    journal_read: Mutex<usize>,
    deliveries_read: Mutex<usize>,
    /// One for each service.
    listeners: Vec<JoinHandle<()>>,
    courier: AbortHandle,
}

/// State shared by the server, the deliveries and the handle.
pub(crate) struct Inner {
    pub(crate) origin: String,
    pub(crate) ticket_origin: String,
    pub(crate) api_key: Mutex<String>,
    pub(crate) ticket_api_key: Mutex<String>,
    pub(crate) key: SigningKey,
    pub(crate) store: Mutex<Store>,
    pub(crate) tickets: Mutex<TicketDesk>,
    pub(crate) behaviour: Mutex<Behaviour>,
    pub(crate) faults: faults::Faults,
    pub(crate) journal: Feed<Exchange>,
    pub(crate) outbox: Outbox,
    /// Requests that run to completion even if the client has gone.
    pub(crate) requests: Mutex<JoinSet<()>>,
    /// The number of them without a response yet.
    pub(crate) in_flight: watch::Sender<usize>,
    /// Tells the listeners to answer pending requests, then stop.
    pub(crate) closing: watch::Sender<bool>,
    /// Trace ids have their own source, so that refused calls do not change the ids of objects.
    pub(crate) traces: Mutex<Ids>,
}

/// A lock whose holder panicked is as good as any: the panic has failed the test already.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub(crate) fn behaviour(&self) -> Behaviour {
        lock(&self.behaviour).clone()
    }

    /// Runs an act on the account, and queues its webhooks before any other act.
    pub(crate) fn act<R>(&self, act: impl FnOnce(&mut Desk<'_>) -> R) -> (R, Vec<Receipt>) {
        let behaviour = self.behaviour();
        let mut store = lock(&self.store);
        let mut desk = Desk { store: &mut store, behaviour: &behaviour, events: Vec::new() };
        let result = act(&mut desk);
        let receipts = desk.events.into_iter().map(|event| self.outbox.enqueue(event)).collect();
        (result, receipts)
    }

    /// An act through the API: the response does not wait for the webhooks, unless that race is requested.
    pub(crate) async fn api_act<R>(&self, act: impl FnOnce(&mut Desk<'_>) -> Result<R, Refusal>) -> Result<R, Refusal> {
        let (result, receipts) = self.act(act);
        if self.behaviour().echo_before_answer {
            for receipt in receipts {
                // An event that is held back by a fault has nothing to wait for.
                let _ = receipt.await;
            }
        }
        result
    }
}

impl Simulator {
    /// Starts an account. The port is bound when this returns. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the port is taken or no signing key can be made.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let (chat, origin) = server::bind(config.port).await?;
        let (tickets, ticket_origin) = server::bind(config.ticket_port).await?;
        let make_key = if config.own_key { SigningKey::generate } else { SigningKey::shared };
        let key = tokio::task::spawn_blocking(make_key).await??;
        let (outbox, queued) = Outbox::new(config.webhook.clone());
        let inner = Arc::new(Inner {
            store: Mutex::new(Store::new(&config, origin.clone())),
            tickets: Mutex::new(TicketDesk::new(&config)),
            origin,
            ticket_origin,
            api_key: Mutex::new(config.api_key),
            ticket_api_key: Mutex::new(config.ticket_api_key),
            key,
            behaviour: Mutex::new(config.behaviour),
            faults: faults::Faults::default(),
            journal: Feed::new(),
            outbox,
            requests: Mutex::new(JoinSet::new()),
            in_flight: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            traces: Mutex::new(Ids::new(!config.seed)),
        });
        let fronts = [
            (
                chat,
                Front::new(
                    Service::Chat,
                    api::routes().merge(control::routes()).merge(photo::routes()).with_state(inner.clone()),
                ),
            ),
            (tickets, Front::new(Service::Tickets, ticket_api::routes().with_state(inner.clone()))),
        ];
        let serve = |(listener, front)| tokio::spawn(server::run(inner.clone(), listener, front));
        let listeners = fronts.into_iter().map(serve).collect();
        let courier = tokio::spawn(delivery::run(inner.clone(), queued)).abort_handle();
        Ok(Self { inner, journal_read: Mutex::new(0), deliveries_read: Mutex::new(0), listeners, courier })
    }

    /// `http://127.0.0.1:<port>`. The API is below it, at `/v2`; an agent's inbox page is at `/`.
    pub fn origin(&self) -> &str {
        &self.inner.origin
    }

    /// The bearer token that the API wants now.
    pub fn api_key(&self) -> String {
        lock(&self.inner.api_key).clone()
    }

    /// Replaces the token, as an admin does; the old one stops working at once.
    pub fn set_api_key(&self, key: &str) {
        *lock(&self.inner.api_key) = key.to_owned();
    }

    /// The key to verify webhooks with.
    pub fn public_key(&self, form: KeyForm) -> String {
        self.inner.key.public_key(form)
    }

    /// Signs a body: the value of `X-Freshchat-Signature`.
    pub fn sign(&self, body: &[u8]) -> String {
        self.inner.key.sign(body)
    }

    /// How the account behaves now.
    pub fn behaviour(&self) -> Behaviour {
        self.inner.behaviour()
    }

    /// Changes how the account behaves from now on.
    pub fn set_behaviour(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.inner.behaviour));
    }

    /// Changes the receiver of webhooks; none only records them.
    pub fn set_webhook(&self, url: Option<String>) {
        *lock(&self.inner.outbox.url) = url;
    }

    /// Makes calls of the API go wrong. A fault that never hits fails the test when the simulator is dropped.
    pub fn fail(&self, fault: Fault) {
        let origin = if fault.may_miss { Origin::Explorer } else { Origin::Script };
        self.inner.faults.add(fault, origin);
    }

    /// Makes the next delivery go wrong. A fault that never hits fails the test when the simulator is dropped.
    pub fn fail_webhook(&self, fault: WebhookFault) {
        self.inner.faults.add_webhook(None, fault, 1, Origin::Script);
    }

    /// Makes the next deliveries of one action go wrong.
    pub fn fail_webhooks_of(&self, action: Action, fault: WebhookFault, times: u32) {
        self.inner.faults.add_webhook(Some(action), fault, times, Origin::Script);
    }

    /// Takes back all faults that have not hit yet.
    pub fn clear_faults(&self) {
        self.inner.faults.clear();
    }

    /// How many hits of faults are still to come: zero when a test's faults have all been met.
    pub fn faults_left(&self) -> u32 {
        self.inner.faults.left()
    }

    /// All calls of the API so far, including faulty ones, in the order of the responses.
    pub fn journal(&self) -> Vec<Exchange> {
        self.inner.journal.all()
    }

    /// Clears the journal. It keeps whole bodies, so long runs should do this occasionally.
    pub fn clear_journal(&self) {
        self.inner.journal.clear();
    }

    /// The next call that this method has not returned yet; waits for it.
    pub async fn next_exchange(&self) -> Exchange {
        self.inner.journal.next(&self.journal_read).await
    }

    /// All tries to deliver webhooks so far.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.inner.outbox.sent.all()
    }

    /// Forgets all deliveries so far.
    pub fn clear_deliveries(&self) {
        self.inner.outbox.sent.clear();
    }

    /// The next delivery that this method has not returned yet, from the first one on; waits for it.
    pub async fn next_delivery(&self) -> Delivery {
        self.inner.outbox.sent.next(&self.deliveries_read).await
    }

    /// Waits until all webhooks are delivered or given up. Those that a fault holds back are not waited for.
    pub async fn settled(&self) {
        self.inner.outbox.settled().await;
    }

    /// Waits until every pending request is completed, including those of disconnected callers, so that nothing takes effect
    /// later.
    pub async fn quiet(&self) {
        // The sender lives as long as `self`, so this waits rather than fails.
        let _ = self.inner.in_flight.subscribe().wait_for(|in_flight| *in_flight == 0).await;
    }

    /// Stops gracefully: pending requests are answered first. Dropping it aborts everything.
    pub async fn stop(mut self) {
        self.inner.closing.send_replace(true);
        for listener in std::mem::take(&mut self.listeners) {
            // A failed listener has no pending requests.
            let _ = listener.await;
        }
    }

    /// Adds a topic; returns its channel id.
    pub fn add_topic(&self, spec: TopicSpec) -> String {
        lock(&self.inner.store).add_topic(spec)
    }

    /// Removes a topic.
    pub fn remove_topic(&self, id: &str) {
        lock(&self.inner.store).topics.retain(|topic| topic.id != id);
    }

    /// Adds a human agent; returns the id.
    pub fn add_agent(&self, spec: AgentSpec) -> String {
        lock(&self.inner.store).add_agent(spec)
    }

    /// Removes a human agent, whose notes are then refused.
    pub fn remove_agent(&self, id: &str) {
        lock(&self.inner.store).agents.retain(|agent| agent.id != id);
    }

    /// Adds a group; returns its id.
    pub fn add_group(&self, spec: GroupSpec) -> String {
        lock(&self.inner.store).add_group(spec)
    }

    /// Adds a known user; returns the id.
    pub fn seed_user(&self, spec: UserSpec) -> String {
        let behaviour = self.inner.behaviour();
        lock(&self.inner.store).add_user(spec, &behaviour)
    }

    /// Erases a user, as a request under data protection law does. That later requests return 404 is a belief.
    pub fn remove_user(&self, id: &str) {
        lock(&self.inner.store).users.remove(id);
    }

    /// Erases a conversation: 404 from now on.
    pub fn remove_conversation(&self, id: &str) {
        lock(&self.inner.store).conversations.remove(id);
    }

    /// All topics.
    pub fn topics(&self) -> Vec<Topic> {
        lock(&self.inner.store).topics.clone()
    }

    /// The first topic of this name.
    pub fn topic_id(&self, name: &str) -> Option<String> {
        self.topics().into_iter().find(|topic| topic.spec.name == name).map(|topic| topic.id)
    }

    /// All human agents.
    pub fn agents(&self) -> Vec<Agent> {
        lock(&self.inner.store).agents.clone()
    }

    /// The first human agent of this name.
    pub fn agent_id(&self, name: &str) -> Option<String> {
        self.agents().into_iter().find(|agent| agent.name() == name).map(|agent| agent.id)
    }

    /// All groups.
    pub fn groups(&self) -> Vec<Group> {
        lock(&self.inner.store).groups.clone()
    }

    /// The first group of this name.
    pub fn group_id(&self, name: &str) -> Option<String> {
        self.groups().into_iter().find(|group| group.spec.name == name).map(|group| group.id)
    }

    /// All users, in the order they were made.
    pub fn users(&self) -> Vec<User> {
        lock(&self.inner.store).users.rows().to_vec()
    }

    /// All conversations, in the order they were made.
    pub fn conversations(&self) -> Vec<Conversation> {
        lock(&self.inner.store).conversations.rows().to_vec()
    }

    /// One conversation.
    pub fn conversation(&self, id: &str) -> Option<Conversation> {
        lock(&self.inner.store).conversations.get(id).cloned()
    }

    /// All uploaded images and files, in no order.
    pub fn uploads(&self) -> Vec<Upload> {
        lock(&self.inner.store).uploads.values().cloned().collect()
    }

    /// Users' ratings of conversations, in the order of the API calls.
    pub fn ratings(&self) -> Vec<Rating> {
        lock(&self.inner.store).ratings.clone()
    }

    /// The address at which a human agent opens the conversation in a browser, as in the API.
    pub fn agent_url(&self, conversation: &str) -> Option<String> {
        let store = lock(&self.inner.store);
        store.conversations.get(conversation).map(|conversation| views::agent_url(&store, conversation))
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("origin", &self.inner.origin).finish_non_exhaustive()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
        self.courier.abort();
        lock(&self.inner.requests).abort_all();
        let missed = self.inner.faults.missed();
        assert!(
            missed.is_empty() || std::thread::panicking(),
            "these faults never hit, so the test does not show what it says: {missed:#?}"
        );
    }
}
