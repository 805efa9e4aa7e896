//! Classifies IP addresses as public or special. A redirect must not lead to a special address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns the kind of an address that is not public, such as `private`, for an error message.
/// Returns `None` for a public address. The ranges are from the IANA registries of special-purpose
/// addresses: <https://www.iana.org/assignments/iana-ipv4-special-registry> and
/// <https://www.iana.org/assignments/iana-ipv6-special-registry>.
pub(super) fn special_kind(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_kind_v4(address),
        IpAddr::V6(address) => special_kind_v6(address),
    }
}

fn special_kind_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [0, ..] => Some("unspecified"),
        [127, ..] => Some("loopback"),
        [169, 254, ..] => Some("link-local"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("private"),
        [100, 64..=127, ..] => Some("shared"),
        [224..=239, ..] => Some("multicast"),
        // Protocol assignments, documentation, 6to4 relays, benchmarking, and the addresses for
        // future use, which include the broadcast address.
        [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [240..=255, ..] => Some("reserved"),
        _ => None,
    }
}

fn special_kind_v6(address: Ipv6Addr) -> Option<&'static str> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("loopback"),
        // An IPv4 address inside an IPv6 address: mapped, translated by NAT64, or reached through
        // 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => special_kind_v4(embedded(high, low)),
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xfc00..=0xfdff, ..] => Some("private"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        // Protocol assignments such as Teredo, and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some("reserved"),
        [0x2000..=0x3fff, ..] => None,
        // Public addresses are assigned only from 2000::/3. The rest contains deprecated forms of
        // private and IPv4 addresses, and NAT64 prefixes for local use.
        _ => Some("reserved"),
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn special_addresses_are_recognized_at_both_ends_of_their_ranges() {
        for (kind, addresses) in [
            (Some("unspecified"), ["0.0.0.0", "0.255.255.255", "::"].as_slice()),
            (Some("loopback"), &["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"]),
            (
                Some("link-local"),
                &["169.254.0.0", "169.254.169.254", "fe80::1", "febf:ffff::", "2002:a9fe:a9fe::1"],
            ),
            (
                Some("private"),
                &[
                    "10.0.0.0",
                    "10.255.255.255",
                    "172.16.0.0",
                    "172.31.255.255",
                    "192.168.0.0",
                    "192.168.255.255",
                    "fc00::",
                    "fd00:ec2::254",
                    "fdff:ffff::",
                    "::ffff:10.0.0.1",
                    "64:ff9b::10.0.0.1",
                ],
            ),
            (Some("shared"), &["100.64.0.0", "100.127.255.255", "64:ff9b::6440:1"]),
            (Some("multicast"), &["224.0.0.1", "239.255.255.255", "ff02::1"]),
            (
                Some("reserved"),
                &[
                    "192.0.0.8",
                    "192.0.2.1",
                    "192.88.99.1",
                    "198.18.0.0",
                    "198.19.255.255",
                    "198.51.100.1",
                    "203.0.113.1",
                    "240.0.0.1",
                    "255.255.255.255",
                    "::2",
                    "::10.0.0.1",
                    "64:ff9b:1::1",
                    "100::1",
                    "2001::1",
                    "2001:db8::1",
                    "3fff::1",
                    "5f00::1",
                    "fec0::1",
                ],
            ),
            (
                None,
                &[
                    "1.1.1.1",
                    "9.255.255.255",
                    "11.0.0.0",
                    "100.63.255.255",
                    "100.128.0.0",
                    "126.255.255.255",
                    "128.0.0.0",
                    "172.15.255.255",
                    "172.32.0.0",
                    "192.167.255.255",
                    "192.169.0.0",
                    "223.255.255.255",
                    "2606:4700::1111",
                    "2a00::1",
                    "::ffff:1.1.1.1",
                    "64:ff9b::1.1.1.1",
                    "2002:101:101::1",
                ],
            ),
        ] {
            for address in addresses {
                assert_eq!(special_kind(address.parse().unwrap()), kind, "{address}");
            }
        }
    }

    proptest! {
        /// An IPv6 address that embeds an IPv4 address leads to the host of the IPv4 address.
        #[test]
        fn an_embedded_address_is_as_special_as_the_address_itself(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let kind = special_kind(address.into());
            let (high, low) = ((bits >> 16) as u16, bits as u16);
            for embedded in [
                address.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                prop_assert_eq!(special_kind(embedded.into()), kind, "{}", embedded);
            }
        }

        /// Compares the ranges with the most important ones, which the standard library knows.
        #[test]
        fn an_address_that_the_standard_library_calls_special_is_never_public(bits: u32, wide: u128) {
            let four = Ipv4Addr::from_bits(bits);
            if four.is_private() || four.is_loopback() || four.is_link_local() || four.is_multicast()
                || four.is_broadcast() || four.is_documentation() || four.is_unspecified()
            {
                prop_assert!(special_kind(four.into()).is_some(), "{}", four);
            }
            let six = Ipv6Addr::from_bits(wide);
            if six.is_unique_local() || six.is_unicast_link_local() || six.is_multicast() {
                prop_assert!(special_kind(six.into()).is_some(), "{}", six);
            }
        }
    }
}
