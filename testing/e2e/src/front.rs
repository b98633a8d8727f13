//! What stands before several instances of an app: passes each connection on to the next one, and knows nothing of HTTP.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

type Backends = Arc<Mutex<Vec<String>>>;

/// An address that stays while the instances behind it come and go. Stops when it is dropped.
#[derive(Debug)]
pub struct Front {
    origin: String,
    backends: Backends,
    _task: JoinSet<()>,
}

impl Front {
    /// Starts with nothing behind it: connections are closed at once.
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

    /// Where it listens, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Passes new connections on to these, in turn. Connections that are there stay where they are.
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
            // Whoever is cut off sees a closed connection, as from a load balancer.
            if let Ok(mut to) = TcpStream::connect(address).await {
                let _ = (from.set_nodelay(true), to.set_nodelay(true));
                let _ = copy_bidirectional(&mut from, &mut to).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
