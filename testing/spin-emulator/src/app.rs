//! A running app.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;

use crate::allow::AllowedHosts;
use crate::component::Component;
use crate::log::Log;
use crate::options::Options;
use crate::server::Server;
use crate::sqlite::Database;
use crate::state::Shared;
use crate::variables::is_name;
use crate::{outbound, redis};

/// A running app. Dropping it is [`stop`](App::stop) without waiting for the end.
#[derive(Debug)]
pub struct App {
    server: Server,
    origin: String,
    log: Log,
    host_log: Log,
}

impl App {
    /// Starts an app; it accepts requests when this returns.
    ///
    /// # Errors
    ///
    /// When an option is invalid (a variable's name, an outbound host), the database cannot be opened, or the port is
    /// taken.
    pub async fn start(component: &Component, options: Options) -> anyhow::Result<Self> {
        if let Some(name) = options.variables.keys().find(|name| !is_name(name)) {
            bail!("`{name}` is no name for a variable");
        }
        let allowed = AllowedHosts::read(&options.allowed_outbound_hosts)?;
        let sqlite = options.sqlite.clone();
        tokio::task::spawn_blocking(move || sqlite.prepare()).await??;
        let (log, host_log) = (Log::default(), Log::default());
        let shared = Shared {
            variables: options.variables,
            allowed,
            elsewhere: options.elsewhere,
            database: Database::new(options.sqlite),
            client: outbound::client()?,
            redis_tls: redis::tls(options.redis_authorities.as_deref())?,
            goes_on_after_response: options.goes_on_after_response,
            limits: options.limits,
            log: log.clone(),
            host_log: host_log.clone(),
        };
        let listener = TcpListener::bind(("127.0.0.1", options.port));
        let listener = listener.await.with_context(|| format!("port {} of 127.0.0.1", options.port))?;
        let origin = format!("http://{}", listener.local_addr()?);
        let server = Server::start(component.clone(), Arc::new(shared), listener);
        Ok(Self { server, origin, log, host_log })
    }

    /// Its address, without a trailing slash: `http://127.0.0.1:3000`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What the component wrote to its standard output and standard error: the last MiB.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// The host's log, one line each: why a request got a 500, which outbound call was refused. The last MiB.
    pub fn host_log(&self) -> String {
        self.host_log.text()
    }

    /// Like SIGTERM for Spin: requests in flight are aborted, connections close, the port is freed. A database statement in
    /// progress finishes, and an open transaction is rolled back.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
