//! Which addresses belong to the internet.
//!
//! By the registries of special-purpose addresses (iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address belongs to the internet rather than to this machine, its neighbourhood, its provider or nobody.
pub(crate) fn is_public(address: IpAddr) -> bool {
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
}
