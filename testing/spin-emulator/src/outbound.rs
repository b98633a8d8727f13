//! Outgoing HTTP: allow-list, pooled connections.

use std::future::Future;
use std::io;
use std::sync::Arc;

use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as PooledClient, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use crate::allow::default_port;
use crate::state::Shared;

/// One pool for an app, as in Spin. Follows no redirects.
pub(crate) type Client = PooledClient<HttpsConnector<HttpConnector>, WasiBody>;

/// HTTP/1.1 over TCP and TLS; trusts the certificate authorities of Mozilla's list.
pub(crate) fn client() -> anyhow::Result<Client> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())?
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(PooledClient::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector))
}

/// Sends the requests of one instance.
pub(crate) struct Outbound(pub(crate) Arc<Shared>);

/// wasi-http awaits nothing after the response, because the pool drives the connections.
type Driver = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Driver,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Driver)>> + Send> {
        let app = self.0.clone();
        Box::new(async move {
            if !is_allowed(&app, request.uri()) {
                let origin =
                    format_args!("{}://{}", request.uri().scheme_str().unwrap_or(""), authority(request.uri()));
                app.host_log.line(&format!("refused: {origin} is not in allowed_outbound_hosts"));
                return Err(Error::HttpRequestDenied);
            }
            let answer = app.client.request(send_elsewhere(&app, request)?);
            // The request's own time limit applies if the component sets none.
            let answer = match options.and_then(|options| options.first_byte_timeout) {
                Some(limit) => tokio::time::timeout(limit, answer).await.map_err(|_| Error::ConnectionReadTimeout)?,
                None => answer.await,
            };
            let response = answer.map_err(|error| wasi_error(&error))?;
            let response = response.map(|body| body.map_err(|_| Error::HttpResponseIncomplete).boxed_unsync());
            Ok((response, Box::new(async { Ok(()) }) as Driver))
        })
    }
}

/// The same request to the redirected origin. An existing `Host` header stays.
fn send_elsewhere(app: &Shared, mut request: Request<WasiBody>) -> Result<Request<WasiBody>> {
    let uri = request.uri();
    let origin = format!("{}://{}", uri.scheme_str().unwrap_or(""), authority(uri));
    if let Some(place) = app.elsewhere.get(&origin) {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("{place}{path}").parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    }
    Ok(request)
}

fn authority(uri: &Uri) -> &str {
    uri.authority().map_or("", |authority| authority.as_str())
}

fn is_allowed(app: &Shared, uri: &Uri) -> bool {
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return false };
    let Some(port) = uri.port_u16().or_else(|| default_port(scheme)) else { return false };
    app.allowed.allows(scheme, host, port)
}

/// The wasi:http name of this failure.
fn wasi_error(error: &ClientError) -> Error {
    if !error.is_connect() {
        return Error::ConnectionTerminated;
    }
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return match error.kind() {
                io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
                io::ErrorKind::TimedOut => Error::ConnectionTimeout,
                _ => Error::DestinationUnavailable,
            };
        }
        next = cause.source();
    }
    Error::DestinationUnavailable
}
