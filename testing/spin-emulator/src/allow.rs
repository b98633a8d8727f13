//! What the component may reach.

use anyhow::{Context as _, bail};

/// The entries of [`Options::allowed_outbound_hosts`](crate::Options::allowed_outbound_hosts), read.
#[derive(Debug, Default)]
pub(crate) struct AllowedHosts(Vec<Entry>);

/// `None` is anything.
#[derive(Debug)]
struct Entry {
    scheme: Option<String>,
    host: Option<String>,
    port: Option<u16>,
}

impl AllowedHosts {
    pub(crate) fn read(entries: &[String]) -> anyhow::Result<Self> {
        let read = |entry: &String| Entry::read(entry).with_context(|| format!("allowed_outbound_hosts: `{entry}`"));
        entries.iter().map(read).collect::<anyhow::Result<_>>().map(Self)
    }

    /// Names are compared as written: an address does not match a name.
    pub(crate) fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let fits =
            |part: &Option<String>, what: &str| part.as_deref().is_none_or(|part| part.eq_ignore_ascii_case(what));
        self.0.iter().any(|entry| {
            fits(&entry.scheme, scheme) && fits(&entry.host, host) && entry.port.is_none_or(|allowed| allowed == port)
        })
    }
}

impl Entry {
    fn read(entry: &str) -> anyhow::Result<Self> {
        let (scheme, rest) = entry.split_once("://").context("the scheme is missing")?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('/') {
            bail!("a path has no place here");
        }
        // The last colon, unless it is inside of an IPv6 address.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (rest, None),
        };
        if host.is_empty() {
            bail!("the host is missing");
        }
        let port = match port {
            Some("*") => None,
            Some(port) => Some(port.parse().context("the port is no number")?),
            None if scheme == "*" => None,
            None => Some(default_port(scheme).context("the port is missing")?),
        };
        let part = |part: &str| (part != "*").then(|| part.to_owned());
        Ok(Self { scheme: part(scheme), host: part(host), port })
    }
}

/// The port that goes without saying.
pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "redis" => Some(6379),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(entries: &[&str]) -> AllowedHosts {
        AllowedHosts::read(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn an_entry_allows_what_it_says_and_nothing_else() {
        let allowed = hosts(&["http://127.0.0.1:8079", "redis://cache", "https://[::1]:8443/"]);
        assert!(allowed.allows("http", "127.0.0.1", 8079));
        assert!(!allowed.allows("https", "127.0.0.1", 8079));
        assert!(!allowed.allows("http", "localhost", 8079));
        assert!(!allowed.allows("http", "127.0.0.1", 80));
        assert!(allowed.allows("redis", "cache", 6379));
        assert!(allowed.allows("https", "[::1]", 8443));
        assert!(!AllowedHosts::default().allows("http", "127.0.0.1", 80));
    }

    #[test]
    fn a_star_matches_any_part() {
        assert!(hosts(&["*://*:*"]).allows("redis", "cache", 1));
        assert!(hosts(&["http://*:80"]).allows("http", "any", 80));
        assert!(!hosts(&["http://*:80"]).allows("http", "any", 81));
    }

    #[test]
    fn invalid_origins_are_refused() {
        for entry in ["127.0.0.1:80", "http://host/path", "ftp://host", "http://:80", "http://host:http"] {
            assert!(AllowedHosts::read(&[entry.to_owned()]).is_err(), "{entry}");
        }
    }
}
