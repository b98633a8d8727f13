//! Which hosts in URLs belong to the internet, as far as their text shows it.
//!
//! A name says nothing about where it leads: whoever connects has to look at the address that it resolves to. What is refused here
//! is what needs no look: addresses of this machine, of private networks, of links and of clouds' own services, in every form that
//! is read as one, and names that only a network of one's own knows. Source of the ranges: IANA's registries of special-purpose
//! addresses (iana.org/assignments/iana-ipv4-special-registry, iana-ipv6-special-registry).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What names of networks of one's own end in: RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`, and what is in use without a rule
/// (`svc` inside of a Kubernetes cluster, `consul` by default in HashiCorp's Consul).
const INTERNAL_NAMES: [&str; 15] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "in-addr.arpa",
    "ip6.arpa",
    "svc",
    "consul",
    "test",
];

/// True for the host of a URL that belongs to the internet: a name with a dot in it, or an address that is not set apart. IPv6 in
/// brackets, without a port.
pub fn is_internet(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    if let Some(rest) = host.strip_prefix('[') {
        let address = rest.strip_suffix(']').and_then(|inside| inside.parse::<Ipv6Addr>().ok());
        return address.is_some_and(|address| is_public(IpAddr::V6(address)));
    }
    let host = host.strip_suffix('.').unwrap_or(&host);
    if is_number(host) {
        // Only the usual form: `0x7f.1` and `2130706433` are read as addresses, too, and nobody writes them in good faith.
        return host.parse().is_ok_and(|address| is_public(IpAddr::V4(address)));
    }
    is_internet_name(host)
}

/// True for a name that belongs to the internet; false for addresses of any kind, and for names that only a network of one's own
/// knows. In lower case.
pub fn is_internet_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_below = |end: &str| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    name.contains('.')
        && name.bytes().all(is_plain)
        && name.split('.').all(|label| !label.is_empty())
        && !is_number(name)
        && !INTERNAL_NAMES.iter().any(|end| is_below(end))
}

/// A host whose last label is a number is an address, or nothing (WHATWG URL standard, "ends in a number").
fn is_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_hexadecimal || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether an address belongs to the internet rather than to this machine, its neighbourhood, its provider or nobody.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        // This machine, private networks, shared addresses, links.
        [0 | 10 | 127, ..] | [100, 64..=127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..] => false,
        // Protocol assignments, documentation, the old relays of 6to4, benchmarks.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => false,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => false,
        // Azure's platform address (learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16): it answers
        // inside a virtual machine alone, with what the machine may know.
        [168, 63, 129, 16] => false,
        _ => true,
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Teredo and other protocol assignments, documentation, 6to4: the first and the last wrap IPv4 addresses.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // All that has been given out for the internet so far. NAT64 lies outside, and wraps IPv4 addresses, too.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_hosts_are_told_from_the_internet() {
        let mut seen = 0;
        for line in include_str!("../../../fixtures/addresses/hosts.txt").lines() {
            let Some((kind @ ("internal" | "internet"), host)) = line.split_once(' ') else { continue };
            assert_eq!(is_internet(host), kind == "internet", "{host}");
            seen += 1;
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn internal_addresses_are_not_public() {
        let mut seen = 0;
        for line in include_str!("../../../fixtures/addresses/hosts.txt").lines() {
            let Some((kind, host)) = line.split_once(' ') else { continue };
            let Ok(address) = host.trim_matches(['[', ']']).parse() else { continue };
            assert_eq!(is_public(address), kind == "internet", "{host}");
            seen += 1;
        }
        assert!(seen >= 70, "{seen}");
    }

    #[test]
    fn what_is_no_host_is_not_of_the_internet() {
        for host in [
            "",
            ".",
            "..",
            "a..example",
            "a b.example",
            "user@a.example",
            "a.example:80",
            "[",
            "[]",
            "[::1",
            "[fe80::1%eth0]",
            "[8.8.8.8]",
            "ａ.example",
            "a%2e.example",
            "a.example/",
        ] {
            assert!(!is_internet(host), "{host}");
        }
    }
}
