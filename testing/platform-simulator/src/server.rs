//! A server on a free port, for as long as its value lives.

use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower_service::Service as _;

/// A response extension: close the connection without a response.
#[derive(Clone, Debug)]
pub(crate) struct Cut;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) origin: String,
    _task: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(router: Router) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let mut task = JoinSet::new();
        task.spawn(run(listener, Arc::new(router)));
        Ok(Self { origin, _task: task })
    }
}

async fn run(listener: TcpListener, router: Arc<Router>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        connections.spawn(async move {
            let service = service_fn(|request| {
                let mut router = (*router).clone();
                async move {
                    let response = router.call(request).await.unwrap_or_else(|never| match never {});
                    if response.extensions().get::<Cut>().is_some() {
                        return Err(std::io::Error::other("cut"));
                    }
                    Ok(response)
                }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}
