//! Which origins a call may reach.
//!
//! The list is exact: scheme, host and port. What is not on it is refused before a name is resolved. A wildcard is a
//! decision of its own, never read out of what a plugin or a tenant says; so is an origin inside of the operator's network.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;

use handoff_contract::destination::is_public;

/// The two schemes of wasi:http.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Without encryption; only on this machine.
    Http,
    /// With encryption.
    Https,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host and port: what a browser calls an origin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    scheme: Scheme,
    /// Lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of a request's URL.
    ///
    /// # Errors
    ///
    /// When the URL has no host, another scheme, or a user name in it.
    pub fn of(uri: &Uri) -> Result<Self, OriginError> {
        let refuse = |problem| OriginError { origin: uri.scheme_str().unwrap_or_default().to_owned(), problem };
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            Some("http") => Scheme::Http,
            _ => return Err(refuse("the scheme must be https, or http on this machine")),
        };
        let authority = uri.authority().ok_or_else(|| refuse("the host is missing"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("a user name does not belong into a URL"));
        }
        if authority.host().is_empty() {
            return Err(refuse("the host is missing"));
        }
        // `host:` and `host:99999` parse as an authority without a port; they are mistakes, not the default port.
        let bare = authority.as_str().len() == authority.host().len();
        let port = match authority.port_u16() {
            Some(port) => port,
            None if bare => scheme.default_port(),
            None => return Err(refuse("the port is not a number from 0 to 65535")),
        };
        Ok(Self { scheme, host: authority.host().to_ascii_lowercase(), port })
    }

    /// True for this machine's own addresses and for `localhost`.
    pub fn is_loopback(&self) -> bool {
        self.is_localhost() || self.address().is_some_and(|address| address.to_canonical().is_loopback())
    }

    fn is_localhost(&self) -> bool {
        let name = self.host.trim_end_matches('.');
        name == "localhost" || name.ends_with(".localhost")
    }

    /// The host as an address, when it is one.
    fn address(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches([']', '.']).parse().ok()
    }

    /// Refuses what leads to this machine or into its network, as far as the text shows it (names are looked at when they are
    /// resolved), and what would send credentials unencrypted over a network.
    fn public(self) -> Result<Self, OriginError> {
        if self.is_localhost() || self.address().is_some_and(|address| !is_public(address)) {
            let problem = "an address of this machine or of a private network: only the operator may allow it";
            return Err(OriginError { origin: self.to_string(), problem });
        }
        self.encrypted()
    }

    fn encrypted(self) -> Result<Self, OriginError> {
        if self.scheme == Scheme::Http && !self.is_loopback() {
            return Err(OriginError { origin: self.to_string(), problem: "http is for this machine only; use https" });
        }
        Ok(self)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    /// Reads `https://host[:port]`. A trailing slash is accepted, a path is not: a rule with a path would look narrower
    /// than it is.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let refuse = |problem| OriginError { origin: text.to_owned(), problem };
        let uri: Uri = text.parse().map_err(|_| refuse("not an origin such as `https://acme.example`"))?;
        if uri.path() != "/" && !uri.path().is_empty() || uri.query().is_some() {
            return Err(refuse("an origin has no path and no query"));
        }
        let origin = Self::of(&uri).map_err(|error| refuse(error.problem))?;
        if origin.host.contains('*') {
            return Err(refuse("a wildcard must be allowed explicitly, as `https://*.host`"));
        }
        Ok(origin)
    }
}

/// An origin that is not one, or must not be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError {
    /// What was given.
    pub origin: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.origin, self.problem)
    }
}

impl std::error::Error for OriginError {}

/// The origins that a call may reach. Empty: none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    exact: Vec<Origin>,
    /// Each stands for every sub-domain of its host, not for the host itself.
    below: Vec<Origin>,
    /// Origins whose addresses may be anywhere.
    internal: Vec<Origin>,
}

impl AllowList {
    /// The list that allows nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Allows one origin on the internet, for example `https://acme.freshchat.com`. Safe with what `describe` says, which holds
    /// what a tenant wrote: an address of this machine or of a private network is refused here, and a name that leads to one when
    /// it is resolved.
    ///
    /// # Errors
    ///
    /// When it is not an origin, holds a wildcard, is no address of the internet, or is `http`.
    pub fn allow(&mut self, origin: &str) -> Result<(), OriginError> {
        self.exact.push(origin.parse::<Origin>()?.public()?);
        Ok(())
    }

    /// Allows one origin wherever it is: on this machine, in a private network, behind a name that leads there. For what the
    /// operator says (a simulator, a service inside), and never for what a tenant or `describe` says.
    ///
    /// # Errors
    ///
    /// When it is not an origin, holds a wildcard, or is `http` to another machine.
    pub fn allow_internal(&mut self, origin: &str) -> Result<(), OriginError> {
        self.internal.push(origin.parse::<Origin>()?.encrypted()?);
        Ok(())
    }

    /// Allows every sub-domain, for example `https://*.freshchat.com`: for the time in which the account is not known
    /// yet, or as the outer bound of what tenants may name (see [`within`](Self::within)).
    ///
    /// # Errors
    ///
    /// When it is not `https://*.host`, or the host has no dot: `*.com` would be everybody.
    pub fn allow_subdomains(&mut self, origin: &str) -> Result<(), OriginError> {
        let refuse = |problem| OriginError { origin: origin.to_owned(), problem };
        let Some(host) = origin.strip_prefix("https://*.") else {
            return Err(refuse("not a wildcard such as `https://*.acme.example`"));
        };
        let rule: Origin = format!("https://{host}").parse().map_err(|e: OriginError| refuse(e.problem))?;
        // A last label of digits belongs to an address, and `*.0.0.1` would be every machine's own.
        let digits = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
        if !rule.host.contains('.') || rule.host.rsplit('.').next().is_none_or(digits) {
            return Err(refuse("the wildcard is too wide"));
        }
        self.below.push(rule);
        Ok(())
    }

    /// Whether a request to this URL may be sent. Gives its origin back, for the credentials.
    ///
    /// # Errors
    ///
    /// When it may not; the text says why.
    pub fn check(&self, uri: &Uri) -> Result<Origin, OriginError> {
        let origin = Origin::of(uri)?;
        if self.is_internal(&origin) {
            return Ok(origin);
        }
        let origin = origin.public()?;
        if self.contains(&origin) {
            return Ok(origin);
        }
        Err(OriginError { origin: origin.to_string(), problem: "not on the list of allowed origins" })
    }

    /// Whether the operator has allowed this origin wherever it is.
    pub fn allows_internal(&self, origin: &str) -> bool {
        origin.parse().is_ok_and(|origin| self.is_internal(&origin))
    }

    /// The same, of an origin that was read already.
    pub(crate) fn is_internal(&self, origin: &Origin) -> bool {
        self.internal.contains(origin)
    }

    fn contains(&self, origin: &Origin) -> bool {
        self.exact.contains(origin) || self.below.iter().any(|rule| is_below(origin, rule))
    }

    /// This list, if every rule in it is covered by `bound`.
    ///
    /// `describe` derives origins from settings that a tenant wrote. A platform that does not want to be sent to any
    /// host that a tenant names checks them against the vendor's domains.
    ///
    /// # Errors
    ///
    /// Names the first rule that is not covered.
    pub fn within(self, bound: &Self) -> Result<Self, OriginError> {
        let outside = |rule: &&Origin| !bound.contains(rule);
        let wider = |rule: &&Origin| !bound.below.contains(rule) && !bound.below.iter().any(|b| is_below(rule, b));
        let deeper = |rule: &&Origin| !bound.internal.contains(rule);
        let exact = self.exact.iter().find(outside);
        match exact.or_else(|| self.below.iter().find(wider)).or_else(|| self.internal.iter().find(deeper)) {
            None => Ok(self),
            Some(rule) => {
                Err(OriginError { origin: rule.to_string(), problem: "outside of what this host allows at most" })
            }
        }
    }
}

fn is_below(origin: &Origin, rule: &Origin) -> bool {
    origin.scheme == rule.scheme
        && origin.port == rule.port
        && origin.host.strip_suffix(&rule.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.exact.iter().chain(&self.internal).map(ToString::to_string);
        let below = self.below.iter().map(|rule| rule.to_string().replacen("://", "://*.", 1));
        f.write_str(&exact.chain(below).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(origins: &[&str]) -> AllowList {
        let mut list = AllowList::none();
        for origin in origins {
            match origin.split_once("://") {
                Some(("http", _)) => list.allow_internal(origin),
                Some((_, host)) if host.starts_with('*') => list.allow_subdomains(origin),
                _ => list.allow(origin),
            }
            .unwrap();
        }
        list
    }

    #[track_caller]
    fn check(list: &AllowList, uri: &str, allowed: bool) {
        let result =
            uri.parse::<Uri>().map_err(|e| e.to_string()).and_then(|uri| list.check(&uri).map_err(|e| e.to_string()));
        assert_eq!(result.is_ok(), allowed, "{uri}: {result:?}");
    }

    #[test]
    fn an_origin_is_matched_exactly() {
        let list = list(&["https://acme.freshchat.com", "https://b.example:8443", "http://127.0.0.1:8080"]);
        check(&list, "https://acme.freshchat.com/v2/users?x=1", true);
        check(&list, "https://ACME.freshchat.com:443/", true);
        check(&list, "https://b.example:8443/", true);
        check(&list, "http://127.0.0.1:8080/", true);
        check(&list, "http://acme.freshchat.com/", false);
        check(&list, "https://acme.freshchat.com:8443/", false);
        check(&list, "https://acme.freshchat.com./", false);
        check(&list, "https://x.acme.freshchat.com/", false);
        check(&list, "https://acme.freshchat.com.evil.example/", false);
        check(&list, "https://acme.freshchat.com@evil.example/", false);
        check(&list, "https://evil@acme.freshchat.com/", false);
        check(&list, "https://b.example/", false);
        check(&list, "http://127.0.0.1/", false);
        check(&list, "http://localhost:8080/", false);
        check(&list, "/v2/users", false);
    }

    #[test]
    fn a_port_that_is_no_port_is_not_the_default_port() {
        let list = list(&["https://acme.freshchat.com"]);
        check(&list, "https://acme.freshchat.com:/", false);
        check(&list, "https://acme.freshchat.com:99999/", false);
    }

    #[test]
    fn the_empty_list_allows_nothing() {
        check(&AllowList::none(), "https://acme.freshchat.com/", false);
        check(&AllowList::none(), "http://127.0.0.1/", false);
    }

    #[test]
    fn a_wildcard_is_for_sub_domains_over_https() {
        let list = list(&["https://*.freshchat.com"]);
        check(&list, "https://acme.freshchat.com/", true);
        check(&list, "https://a.b.freshchat.com/", true);
        check(&list, "https://freshchat.com/", false);
        check(&list, "https://.freshchat.com/", false);
        check(&list, "https://evilfreshchat.com/", false);
        check(&list, "http://acme.freshchat.com/", false);
        check(&list, "https://acme.freshchat.com:444/", false);
    }

    #[test]
    fn a_wildcard_must_be_allowed_explicitly() {
        assert!(AllowList::none().allow("https://*.freshchat.com").is_err());
        assert!(AllowList::none().allow("https://*").is_err());
        for wide in
            ["https://*.com", "https://*.", "https://*", "*.freshchat.com", "http://*.a.example", "https://*.0.0.1"]
        {
            assert!(AllowList::none().allow_subdomains(wide).is_err(), "{wide}");
        }
    }

    #[test]
    fn http_is_for_this_machine_only() {
        for ok in ["http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:80", "http://localhost:3000"] {
            assert_eq!(AllowList::none().allow_internal(ok), Ok(()), "{ok}");
        }
        for refused in ["http://acme.freshchat.com", "http://10.0.0.1", "http://0.0.0.0", "ftp://localhost"] {
            assert!(AllowList::none().allow_internal(refused).is_err(), "{refused}");
            assert!(AllowList::none().allow(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn only_the_operator_allows_an_address_that_is_not_of_the_internet() {
        for internal in [
            "http://127.0.0.1:1",
            "https://127.0.0.1",
            "https://127.0.0.1.",
            "https://localhost",
            "https://localhost.",
            "https://a.localhost",
            "https://0.0.0.0",
            "https://10.0.0.1",
            "https://169.254.169.254",
            "https://[::1]",
            "https://[fd00::1]",
            "https://[::ffff:10.0.0.1]",
        ] {
            assert!(AllowList::none().allow(internal).is_err(), "{internal}");
            // Not even where the list holds it by mistake.
            let list = AllowList { exact: vec![internal.parse().unwrap()], ..AllowList::none() };
            check(&list, internal, false);
            let mut list = AllowList::none();
            list.allow_internal(internal).unwrap();
            check(&list, internal, true);
        }
        assert_eq!(AllowList::none().allow("https://8.8.8.8"), Ok(()));
    }

    #[test]
    fn an_origin_has_no_path() {
        assert!(AllowList::none().allow("https://a.example/v2").is_err());
        assert!(AllowList::none().allow("https://a.example?x").is_err());
        assert!(AllowList::none().allow("a.example").is_err());
        assert_eq!(AllowList::none().allow("https://a.example/"), Ok(()));
    }

    #[test]
    fn a_tenant_cannot_name_a_host_outside_of_the_bound() {
        let bound = list(&["https://*.freshchat.com", "http://127.0.0.1:9"]);
        assert!(list(&["https://acme.freshchat.com"]).within(&bound).is_ok());
        assert!(list(&["http://127.0.0.1:9"]).within(&bound).is_ok());
        assert!(list(&["https://*.freshchat.com"]).within(&bound).is_ok());
        assert!(list(&["https://*.eu.freshchat.com"]).within(&bound).is_ok());
        assert!(list(&["https://evil.example"]).within(&bound).is_err());
        assert!(list(&["https://*.evil.example"]).within(&bound).is_err());
        assert!(list(&["https://freshchat.com"]).within(&bound).is_err());
        assert!(list(&["http://127.0.0.1:8"]).within(&bound).is_err());
    }

    #[test]
    fn it_prints_as_it_is_written() {
        let list = list(&["http://localhost:3000", "https://acme.freshchat.com:443", "https://*.freshchat.com"]);
        assert_eq!(list.to_string(), "https://acme.freshchat.com, http://localhost:3000, https://*.freshchat.com");
    }
}
