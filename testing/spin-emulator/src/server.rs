//! A request's way through an instance.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::uri::{Authority, Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme as WasiScheme};
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView as _};

use crate::component::Component;
use crate::state::{Shared, State};

/// The accept loop, the connections and the instances of an app.
pub(crate) struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    component: Component,
    app: Arc<Shared>,
    /// All tasks of the app; `None` when it has been stopped.
    tasks: Mutex<Option<JoinSet<()>>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    pub(crate) fn start(component: Component, app: Arc<Shared>, listener: TcpListener) -> Self {
        let inner = Arc::new(Inner { component, app, tasks: Mutex::new(Some(JoinSet::new())) });
        inner.spawn(inner.clone().accept(listener));
        Self { inner }
    }

    pub(crate) async fn stop(self) {
        if let Some(mut tasks) = self.inner.close() {
            tasks.shutdown().await;
        }
        self.inner.app.database.finish().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Aborts the tasks in the set. That also breaks the reference cycle between the set and its tasks.
        drop(self.inner.close());
    }
}

impl Inner {
    fn close(&self) -> Option<JoinSet<()>> {
        self.app.database.close();
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Nothing starts after the app has been stopped.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Option<AbortHandle> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let tasks = tasks.as_mut()?;
        while tasks.try_join_next().is_some() {}
        Some(tasks.spawn(task))
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, client)) => {
                    self.spawn(self.clone().serve(stream, client));
                }
                // Too many open files, or a client that has left already: neither ends the app.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, client: SocketAddr) {
        // Head and body of a response are two writes; without this the second waits for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let inner = self.clone();
            async move { Ok::<_, Infallible>(inner.answer(request, client).await) }
        });
        // A broken connection is the client's affair.
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>, client: SocketAddr) -> Response<WasiBody> {
        // Spin's own paths, of which this host has one.
        if let Some(own) = request.uri().path().strip_prefix("/.well-known/spin/") {
            return if own == "health" { plain(StatusCode::OK, "OK") } else { plain(StatusCode::NOT_FOUND, "") };
        }
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let (head, headed) = oneshot::channel();
        let (logged, done) = oneshot::channel::<()>();
        let inner = self.clone();
        // A separate task: a client that disconnects before the response does not end the instance.
        let task = self.spawn(async move {
            if let Err(error) = inner.run(request, client, head).await {
                inner.app.host_log.line(&format!("{method} {path}: {error:#}"));
            }
            drop(logged);
        });
        match (task, headed.await) {
            (Some(task), Ok(Ok(response))) => {
                let task = (!self.app.goes_on_after_response).then_some(task);
                response.map(|body| Tied { body, task }.boxed_unsync())
            }
            (_, Ok(Err(code))) => {
                self.app.host_log.line(&format!("the component answered with the error {code}"));
                plain(StatusCode::INTERNAL_SERVER_ERROR, "")
            }
            _ => {
                // The log has the reason for the 500.
                let _ = done.await;
                plain(StatusCode::INTERNAL_SERVER_ERROR, "")
            }
        }
    }

    /// Runs one instance from beginning to end.
    async fn run(&self, mut request: Request<Incoming>, client: SocketAddr, head: Head) -> anyhow::Result<()> {
        add_headers(&mut request, client)?;
        let limit = self.app.limits.time;
        let loaded = &self.component.inner;
        let work = async {
            let _slot = loaded.free.acquire().await.context("the component has been closed")?;
            let mut store = State::store(&loaded.engine, &self.app);
            let request = store.data_mut().http().new_incoming_request(WasiScheme::Http, request)?;
            let response = store.data_mut().http().new_response_outparam(head)?;
            let proxy = loaded.proxy.instantiate_async(&mut store).await?;
            proxy.wasi_http_incoming_handler().call_handle(&mut store, request, response).await?;
            anyhow::Ok(())
        };
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| anyhow::bail!("not done after {limit:?}"))
    }
}

/// Receives the head of the response.
type Head = oneshot::Sender<Result<Response<WasiBody>, ErrorCode>>;

/// The authority into the URI, and the headers that Spin adds for the route `/...`.
fn add_headers(request: &mut Request<Incoming>, client: SocketAddr) -> anyhow::Result<()> {
    let host = request.headers().get(http::header::HOST).context("the request has no host header")?;
    let authority: Authority = host.to_str()?.parse()?;
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    let uri = Uri::from_parts(parts)?;

    let mut set = Adder(request.headers_mut());
    set.add("spin-full-url", &uri.to_string())?;
    set.add("spin-path-info", uri.path())?;
    set.add("spin-matched-route", "/...")?;
    set.add("spin-base-path", "/")?;
    set.add("spin-raw-component-route", "/...")?;
    set.add("spin-component-route", "")?;
    set.add("spin-client-addr", &client.to_string())?;
    *request.uri_mut() = uri;
    Ok(())
}

struct Adder<'a>(&'a mut HeaderMap);

impl Adder<'_> {
    /// A client's own header of this name is replaced: only the host sets these.
    fn add(&mut self, name: &'static str, value: &str) -> anyhow::Result<()> {
        self.0.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
        Ok(())
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<WasiBody> {
    let mut response = Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

/// A response body whose end is the end of its instance, as in the newest Spin: sent to the last byte, or given up by the client.
struct Tied {
    body: WasiBody,
    task: Option<AbortHandle>,
}

impl Drop for Tied {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Body for Tied {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
