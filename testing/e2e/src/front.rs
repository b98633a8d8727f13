//! A load balancer for several instances of an app: passes each connection to the next one, without parsing HTTP.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

type Backends = Arc<Mutex<Vec<String>>>;

/// A fixed address in front of changing instances. Stops when it is dropped.
#[derive(Debug)]
pub struct Front {
    origin: String,
    backends: Backends,
    _task: JoinSet<()>,
}

impl Front {
    /// Starts without instances: connections are closed at once.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let backends = Backends::default();
        let mut task = JoinSet::new();
        task.spawn(run(listener, backends.clone()));
        Ok(Self { origin, backends, _task: task })
    }

    /// Its address, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Passes new connections to these in turn. Existing connections are unaffected.
    pub fn lead_to(&self, origins: Vec<String>) {
        *self.backends.lock().unwrap_or_else(PoisonError::into_inner) = origins;
    }
}

async fn run(listener: TcpListener, backends: Backends) {
    let next = AtomicUsize::new(0);
    let mut connections = JoinSet::new();
    loop {
        let Ok((mut from, _)) = listener.accept().await else { continue };
        let all = backends.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let Some(origin) = (!all.is_empty()).then(|| all[turn % all.len()].clone()) else { continue };
        connections.spawn(async move {
            let address = origin.trim_start_matches("http://");
            // The client sees a closed connection, as from a load balancer.
            if let Ok(mut to) = TcpStream::connect(address).await {
                let _ = (from.set_nodelay(true), to.set_nodelay(true));
                let _ = copy_bidirectional(&mut from, &mut to).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
