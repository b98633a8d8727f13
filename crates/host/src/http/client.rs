//! One pooled HTTP client for all calls of a process.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody};

use super::resolver::{Connector, Lookup, Reach, ResolveError, system_lookup};

/// How long to wait for a connection when the plugin does not say.
const CONNECT: Duration = Duration::from_secs(10);
/// How long to wait for the head of a response when the plugin does not say. wasmtime's own default is ten minutes, which
/// no caller waits for.
const FIRST_BYTE: Duration = Duration::from_secs(30);
/// How long a response may pause when the plugin does not say.
pub(super) const BETWEEN_BYTES: Duration = Duration::from_secs(30);

/// How long an unused connection is kept. Servers close theirs after a minute or more; a connection that the server
/// closes while a request is on its way is a request with an unknown outcome.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// A pooled client for HTTP/1.1 over TCP and TLS. Cheap to clone; clones share the pool.
///
/// It follows no redirects: the next hop might not be allowed, and the plugin's credentials are for this one. It
/// trusts the certificate authorities of Mozilla's list, and connects to addresses of the internet only, unless the operator has
/// allowed an origin wherever it is ([`AllowList::allow_internal`](crate::AllowList::allow_internal)).
#[derive(Clone)]
pub struct HttpClient {
    internet: Pool,
    /// Apart, so that nobody without the operator's word gets a connection that was opened for somebody who has it.
    internal: Pool,
}

type Pool = Client<HttpsConnector<Connector>, WasiBody>;

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

impl HttpClient {
    /// A client with an empty pool. Make one for the process. Use it in one tokio runtime: the pool's connections live
    /// in the runtime that opened them.
    ///
    /// # Errors
    ///
    /// When the TLS library cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        Self::with_lookup(&(Arc::new(system_lookup) as Lookup))
    }

    pub(super) fn with_lookup(lookup: &Lookup) -> anyhow::Result<Self> {
        Ok(Self { internet: pool(lookup, Reach::Internet)?, internal: pool(lookup, Reach::Internal)? })
    }

    /// Sends one request and waits for the head of its response.
    ///
    /// An error of connecting (refused, DNS, TLS, `ConnectionTimeout`) means that nothing was sent; after any other the
    /// outcome is unknown.
    pub(super) async fn send(
        &self,
        mut request: Request<WasiBody>,
        reach: Reach,
        options: &RequestOptions,
    ) -> Result<Response<Incoming>> {
        let mut connection = capture_connection(&mut request);
        let pool = match reach {
            Reach::Internet => &self.internet,
            Reach::Internal => &self.internal,
        };
        let mut response = std::pin::pin!(pool.request(request));

        let connecting = async {
            tokio::select! {
                biased;
                early = &mut response => Some(early),
                _ = connection.wait_for_connection_metadata() => None,
            }
        };
        let early = tokio::time::timeout(options.connect_timeout.unwrap_or(CONNECT), connecting)
            .await
            .map_err(|_| Error::ConnectionTimeout)?;
        let response = match early {
            Some(response) => response,
            None => tokio::time::timeout(options.first_byte_timeout.unwrap_or(FIRST_BYTE), response)
                .await
                .map_err(|_| Error::ConnectionReadTimeout)?,
        };
        response.map_err(|error| wasi_error(&error))
    }
}

fn pool(lookup: &Lookup, reach: Reach) -> anyhow::Result<Pool> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())?
        .https_or_http()
        .enable_http1()
        .wrap_connector(Connector::new(lookup.clone(), reach));
    Ok(Client::builder(TokioExecutor::new())
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(64)
        .pool_timer(TokioTimer::new())
        .build(connector))
}

/// What wasi:http calls this failure.
fn wasi_error(error: &ClientError) -> Error {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        // An I/O error shows what is inside of it only when asked.
        let inside = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inside.map(|e| e as &(dyn std::error::Error + 'static)).or_else(|| cause.source());
    }
    if error.is_connect() { connect_error(&causes) } else { exchange_error(&causes) }
}

fn find<'a, E: std::error::Error + 'static>(causes: &[&'a (dyn std::error::Error + 'static)]) -> Option<&'a E> {
    causes.iter().find_map(|cause| cause.downcast_ref::<E>())
}

/// Nothing was sent.
fn connect_error(causes: &[&(dyn std::error::Error + 'static)]) -> Error {
    if let Some(error) = find::<ResolveError>(causes) {
        return match error {
            ResolveError::Prohibited => Error::DestinationIpProhibited,
            ResolveError::NotFound => Error::DnsError { rcode: Some("no address".to_owned()), info_code: None },
        };
    }
    match find::<rustls::Error>(causes) {
        Some(rustls::Error::InvalidCertificate(_)) => return Error::TlsCertificateError,
        Some(_) => return Error::TlsProtocolError,
        None => {}
    }
    match find::<io::Error>(causes).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Error::ConnectionRefused,
        Some(io::ErrorKind::TimedOut) => Error::ConnectionTimeout,
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => Error::DestinationIpUnroutable,
        _ => Error::DestinationUnavailable,
    }
}

/// Something may have been sent.
fn exchange_error(causes: &[&(dyn std::error::Error + 'static)]) -> Error {
    // The plugin's own body broke off, for example shorter than its content-length.
    if let Some(Error::HttpRequestBodySize(size)) = find::<Error>(causes) {
        return Error::HttpRequestBodySize(*size);
    }
    match find::<hyper::Error>(causes) {
        Some(error) if error.is_parse() => Error::HttpProtocolError,
        Some(error) if error.is_user() => Error::HttpProtocolError,
        _ => Error::ConnectionTerminated,
    }
}
