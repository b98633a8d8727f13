//! From a URL to a connection, without the addresses that a host on the internet has no business with.
//!
//! The allow-list holds names, and some of them come from a tenant's settings. A name that its owner points at
//! 169.254.169.254 or 10.0.0.1 would turn the plugin into a way into the host's own network. So what is looked at is the address
//! that is connected to, each time: a name that was harmless a moment ago helps nobody.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use handoff_contract::destination::is_public;

/// Where connections may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To addresses of the internet.
    Internet,
    /// Anywhere, because the operator has allowed the origin by name; `localhost` to this machine alone.
    Internal,
}

/// Why a host has no address to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResolveError {
    /// None of its addresses is of the internet.
    Prohibited,
    /// It has none, or nobody could be asked.
    NotFound,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prohibited => "the host is this machine or in a private network",
            Self::NotFound => "the name has no address",
        })
    }
}

impl std::error::Error for ResolveError {}

/// Asks for the addresses of a name; blocks.
pub(super) type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// The operating system's answer.
pub(super) fn system_lookup(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok((name, 0).to_socket_addrs()?.collect())
}

/// Resolves names to the addresses that may be connected to.
#[derive(Clone)]
pub(super) struct Resolver {
    lookup: Lookup,
    reach: Reach,
}

impl tower_service::Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ResolveError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (lookup, reach) = (self.lookup.clone(), self.reach);
        Box::pin(async move {
            let local = name.as_str() == "localhost";
            let found = tokio::task::spawn_blocking(move || lookup(name.as_str())).await;
            let found = found.ok().and_then(Result::ok).unwrap_or_default();
            permitted(found, reach, local).map(Vec::into_iter)
        })
    }
}

/// The addresses of a name that may be connected to.
fn permitted(found: Vec<SocketAddr>, reach: Reach, local: bool) -> Result<Vec<SocketAddr>, ResolveError> {
    if found.is_empty() {
        return Err(ResolveError::NotFound);
    }
    let may = |address: &SocketAddr| match reach {
        Reach::Internet => is_public(address.ip()),
        Reach::Internal => !local || address.ip().is_loopback(),
    };
    let permitted: Vec<_> = found.into_iter().filter(may).collect();
    if permitted.is_empty() { Err(ResolveError::Prohibited) } else { Ok(permitted) }
}

/// Opens TCP connections. Names go through [`Resolver`]; addresses in the URL itself, which nobody resolves, are looked at here.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector<Resolver>,
    reach: Reach,
}

impl Connector {
    pub(super) fn new(lookup: Lookup, reach: Reach) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver { lookup, reach });
        tcp.enforce_http(false);
        // Head and body of a small request are two writes; without this the second waits for an acknowledgement.
        tcp.set_nodelay(true);
        Self { tcp, reach }
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_prohibited = host.parse::<IpAddr>().is_ok_and(|address| !is_public(address));
        if self.reach == Reach::Internet && is_prohibited {
            return Box::pin(async { Err(ResolveError::Prohibited.into()) });
        }
        let connecting = self.tcp.call(uri);
        Box::pin(async { connecting.await.map_err(Into::into) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect()
    }

    #[test]
    fn private_addresses_of_a_name_are_left_out() {
        let permitted = |list: &[&str]| permitted(addresses(list), Reach::Internet, false);
        assert_eq!(permitted(&["10.0.0.1", "8.8.8.8"]), Ok(addresses(&["8.8.8.8"])));
        assert_eq!(permitted(&["10.0.0.1"]), Err(ResolveError::Prohibited));
        assert_eq!(permitted(&["::1", "127.0.0.1"]), Err(ResolveError::Prohibited));
        assert_eq!(permitted(&[]), Err(ResolveError::NotFound));
    }

    #[test]
    fn what_the_operator_allows_may_be_anywhere_but_localhost_is_this_machine() {
        let permitted = |list: &[&str], local| permitted(addresses(list), Reach::Internal, local);
        assert_eq!(permitted(&["10.0.0.1", "8.8.8.8"], false), Ok(addresses(&["10.0.0.1", "8.8.8.8"])));
        assert_eq!(permitted(&["::1", "8.8.8.8"], true), Ok(addresses(&["::1"])));
        assert_eq!(permitted(&["8.8.8.8"], true), Err(ResolveError::Prohibited));
    }
}
