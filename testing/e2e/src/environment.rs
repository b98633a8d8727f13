//! The bridge with its store and instances, and Freshworks.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use freshworks_simulator::{Config, KeyForm, Simulator};
use platform_simulator::Delight;
use serde_json::{Value, json};
use spin_emulator::{App, Component, Options, SqliteFile};

use crate::api::{Api, Reply};
use crate::front::Front;
use crate::real_spin::RealSpin;

/// A secret of the Standard Webhooks form, for tests.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The API token of callers.
pub const TOKEN: &str = "a-token-for-tests-of-the-bridge";

/// The bridge's encryption key: 32 bytes as base64.
pub const ENCRYPTION_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The simulated account's address for the bridge on the emulator.
const ACCOUNT: &str = "https://acme.freshchat.com";

/// The address of its ticket desk.
const TICKET_DESK: &str = "https://acme.freshdesk.com";

/// The origin of its human agents' photos.
const PHOTOS: &str = "https://avatars.example";

/// The bridge's store.
#[derive(Clone, Debug)]
pub enum Store {
    /// In the host's SQLite.
    Sqlite(SqliteFile),
    /// In the Redis at this URL.
    Redis(String),
}

/// The bridge, and Freshworks.
#[derive(Debug)]
pub struct Environment {
    /// Freshworks.
    pub freshworks: Arc<Simulator>,
    /// Calls of the bridge.
    pub api: Api,
    /// The bridge's address.
    pub front: Front,
    options: Options,
    apps: Vec<Instance>,
}

/// A running bridge.
#[derive(Debug)]
enum Instance {
    /// On the emulator.
    StandIn(App),
    /// On a real Spin.
    Spin(RealSpin),
}

impl Instance {
    fn origin(&self) -> &str {
        match self {
            Self::StandIn(app) => app.origin(),
            Self::Spin(spin) => spin.origin(),
        }
    }

    fn log(&self) -> String {
        match self {
            Self::StandIn(app) => app.log() + &app.host_log(),
            Self::Spin(spin) => spin.log(),
        }
    }
}

/// The platform's side of a connection with this Delight application.
pub fn delight_settings(platform: &Delight) -> Value {
    let config = platform.config();
    json!({
        "kind": "delight",
        "app_id": config.app_id,
        "ai_agent_id": config.ai_agent_id,
        "api_token": config.api_token,
        "test_origin": platform.origin(),
    })
}

/// The bridge's component, as `cargo xtask` builds it. Compiled once for a process.
///
/// # Errors
///
/// When it has not been built.
pub async fn component() -> anyhow::Result<Component> {
    static COMPONENT: tokio::sync::OnceCell<Component> = tokio::sync::OnceCell::const_new();
    let load = || async {
        let file = std::env::var_os("BRIDGE_WASM").map_or_else(built, PathBuf::from);
        Component::load(&file).await.context("build the bridge with `cargo xtask test`")
    };
    COMPONENT.get_or_try_init(load).await.cloned()
}

fn built() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("wasm32-wasip2/bridge/freshworks_bridge.wasm")
}

impl Environment {
    /// Starts Freshworks and this number of instances of the bridge, which continue after their responses, as on Spin up to 4.0: on a
    /// busy machine, webhooks may only be processed afterwards. `reaches`: the platforms that the bridge may reach.
    ///
    /// # Errors
    ///
    /// If something cannot be started.
    pub async fn start(store: Store, instances: usize, reaches: &[&str]) -> anyhow::Result<Self> {
        let mut stage = Self::set(store, reaches).await?;
        stage.options.goes_on_after_response = true;
        stage.with_instances(instances).await
    }

    /// The same with instances that end with their responses, as on the newest Spin. Call [`settled`](Environment::settled) before checking the
    /// effects of webhooks.
    ///
    /// # Errors
    ///
    /// If something cannot be started.
    pub async fn start_ending(store: Store, instances: usize, reaches: &[&str]) -> anyhow::Result<Self> {
        Self::set(store, reaches).await?.with_instances(instances).await
    }

    /// Prepares the environment without an instance, so that [`set_variable`](Environment::set_variable) can be called first; `reaches`: what Spin
    /// lets the bridge reach in addition to Freshworks.
    ///
    /// # Errors
    ///
    /// If something cannot be started.
    pub async fn reaching(store: Store, reaches: &[&str]) -> anyhow::Result<Self> {
        Self::set(store, reaches).await
    }

    /// Sets a variable of the app, for instances that start from now on, also again ([`kill`](Environment::kill)).
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.options.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Lets instances continue after their responses, as on Spin up to 4.0, including those that start later.
    pub fn go_on_after_answers(&mut self) {
        self.options.goes_on_after_response = true;
    }

    /// Starts this many instances of the bridge.
    ///
    /// # Errors
    ///
    /// If one cannot be started.
    pub async fn with_instances(mut self, instances: usize) -> anyhow::Result<Self> {
        let stage = &mut self;
        let component = component().await?;
        for _ in 0..instances {
            stage.apps.push(Instance::StandIn(App::start(&component, stage.options.clone()).await?));
        }
        stage.lead();
        Ok(self)
    }

    /// The same on one real Spin, with its own SQLite: what `REAL_SPIN` names, else `spin` on the PATH.
    ///
    /// # Errors
    ///
    /// If something cannot be started.
    pub async fn start_on_spin(reaches: &[&str]) -> anyhow::Result<Self> {
        let mut stage = Self::set(Store::Sqlite(SqliteFile::default()), reaches).await?;
        let spin = RealSpin::start(&RealSpin::program(), &built(), &stage.options).await?;
        stage.apps.push(Instance::Spin(spin));
        stage.lead();
        Ok(stage)
    }

    /// Everything but the instances.
    async fn set(store: Store, reaches: &[&str]) -> anyhow::Result<Self> {
        let freshworks = Arc::new(Simulator::start(Config::default()).await?);
        // Freshworks gives up after a while; this one retries long enough to outlast a lease.
        freshworks.set_behaviour(|it| it.webhook_retries = vec![Duration::from_millis(250); 60]);
        let front = Front::start().await?;
        let mut allowed: Vec<String> = reaches.iter().map(|origin| (*origin).to_owned()).collect();
        allowed.extend([freshworks.origin().to_owned(), freshworks.ticket_origin().to_owned()]);
        let (sqlite, redis) = match store {
            Store::Sqlite(file) => (file, String::new()),
            Store::Redis(url) => (SqliteFile::default(), url),
        };
        if !redis.is_empty() {
            allowed.push(redis.clone());
        }
        let variables = [
            ("api_token", TOKEN),
            ("encryption_key", ENCRYPTION_KEY),
            ("public_url", front.origin()),
            // The simulators are on this machine.
            ("internal_hosts", "127.0.0.1"),
            ("redis_url", redis.as_str()),
            ("redis_password", ""),
        ];
        allowed.extend([ACCOUNT, PHOTOS, TICKET_DESK].map(str::to_owned));
        let options = Options {
            elsewhere: [
                (ACCOUNT.to_owned(), freshworks.origin().to_owned()),
                (PHOTOS.to_owned(), freshworks.origin().to_owned()),
                (TICKET_DESK.to_owned(), freshworks.ticket_origin().to_owned()),
            ]
            .into(),
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            sqlite,
            allowed_outbound_hosts: allowed,
            ..Options::default()
        };
        let api = Api::new(front.origin(), TOKEN);
        Ok(Self { freshworks, api, front, options, apps: Vec::new() })
    }

    /// Kills an instance as SIGTERM kills Spin, and starts it again.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub async fn kill(&mut self, instance: usize) -> anyhow::Result<()> {
        if let Instance::StandIn(app) = self.apps.swap_remove(instance) {
            app.stop().await;
        }
        self.lead();
        self.apps.push(Instance::StandIn(App::start(&component().await?, self.options.clone()).await?));
        self.lead();
        Ok(())
    }

    /// Waits until Freshworks has delivered everything, and every delivery to this connection is processed, calling the timer more
    /// often than usual.
    ///
    /// # Errors
    ///
    /// If the bridge does not respond for long.
    pub async fn settled(&self, connection: &str) -> anyhow::Result<()> {
        self.freshworks.settled().await;
        let path = format!("/v1/connections/{connection}/activity");
        for _ in 0..600 {
            // Instances may be dying, and stores away.
            if let Ok(activity) = self.api.call("GET", &path, &Value::Null).await
                && activity.body["inbox"] == 0
            {
                return Ok(());
            }
            let _ = self.api.call("POST", "/v1/tick", &Value::Null).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("deliveries stay in the inbox: {}", self.log())
    }

    fn lead(&self) {
        self.front.lead_to(self.apps.iter().map(|app| app.origin().to_owned()).collect());
    }

    /// The output of the running instances.
    pub fn log(&self) -> String {
        self.apps.iter().map(Instance::log).collect()
    }

    /// The settings of this Freshworks account.
    pub fn settings(&self) -> Value {
        json!({
            "chat_url": "acme.freshchat.com",
            "api_key": self.freshworks.api_key(),
            "webhook_public_key": self.freshworks.public_key(KeyForm::Vendor),
            "test_origin": self.freshworks.origin(),
            // A lease lasts as long as one request may take.
            "connect_timeout_ms": 500,
            "response_timeout_ms": 1_500,
        })
    }

    /// Connects the account to a platform, and sets the receiver of Freshworks' webhooks.
    ///
    /// # Errors
    ///
    /// If the bridge does not report that it is connected.
    pub async fn connect(&self, connection: &str, platform: &Value) -> anyhow::Result<Reply> {
        let body = json!({ "settings": self.settings(), "platform": platform });
        let answer = self.api.call("PUT", &format!("/v1/connections/{connection}"), &body).await?;
        ensure!(answer.body["connected"] == true, "{answer:?}\n{}", self.log());
        self.freshworks.set_webhook(answer.body["webhooks"]["freshchat"].as_str().map(str::to_owned));
        Ok(answer)
    }
}
