//! Names to addresses, without the addresses that a name on the internet has no business with.
//!
//! The allow-list holds names, and some of them come from a tenant's settings. A name that its owner points at
//! 169.254.169.254 or 10.0.0.1 would turn the plugin into a way into the host's own network.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;

use crate::address::is_public;

/// Why a name has no address to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResolveError {
    /// All its addresses are private.
    Prohibited,
    /// It has none, or nobody could be asked.
    NotFound,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prohibited => "the name leads into a private network",
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

/// Resolves names to public addresses; `localhost` to this machine.
#[derive(Clone)]
pub(super) struct PublicResolver {
    lookup: Lookup,
}

impl PublicResolver {
    pub(super) fn new(lookup: Lookup) -> Self {
        Self { lookup }
    }
}

impl tower_service::Service<Name> for PublicResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ResolveError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let lookup = self.lookup.clone();
        Box::pin(async move {
            let local = name.as_str() == "localhost";
            let found = tokio::task::spawn_blocking(move || lookup(name.as_str())).await;
            let found = found.ok().and_then(Result::ok).unwrap_or_default();
            permitted(found, local).map(Vec::into_iter)
        })
    }
}

/// The addresses of a name that may be connected to.
fn permitted(found: Vec<SocketAddr>, local: bool) -> Result<Vec<SocketAddr>, ResolveError> {
    if found.is_empty() {
        return Err(ResolveError::NotFound);
    }
    let may = |address: &SocketAddr| if local { address.ip().is_loopback() } else { is_public(address.ip()) };
    let permitted: Vec<_> = found.into_iter().filter(may).collect();
    if permitted.is_empty() { Err(ResolveError::Prohibited) } else { Ok(permitted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect()
    }

    #[test]
    fn private_addresses_of_a_name_are_left_out() {
        assert_eq!(permitted(addresses(&["10.0.0.1", "8.8.8.8"]), false), Ok(addresses(&["8.8.8.8"])));
        assert_eq!(permitted(addresses(&["10.0.0.1"]), false), Err(ResolveError::Prohibited));
        assert_eq!(permitted(Vec::new(), false), Err(ResolveError::NotFound));
    }

    #[test]
    fn localhost_is_this_machine_and_nothing_else() {
        assert_eq!(permitted(addresses(&["::1", "8.8.8.8"]), true), Ok(addresses(&["::1"])));
        assert_eq!(permitted(addresses(&["8.8.8.8"]), true), Err(ResolveError::Prohibited));
    }
}
