//! Which addresses requests may go to: global unicast only, by the special-purpose registries of IANA (RFC 6890).

use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

/// IPv4 that is not for us, each with its reason.
const DENIED_V4: &[&str] = &[
    "0.0.0.0/8",        // this network (RFC 791)
    "10.0.0.0/8",       // private (RFC 1918)
    "100.64.0.0/10",    // shared by carriers (RFC 6598), and some clouds' metadata
    "127.0.0.0/8",      // loopback
    "168.63.129.16/32", // a cloud's host agent
    "169.254.0.0/16",   // link local, with most clouds' metadata
    "172.16.0.0/12",    // private
    "192.0.0.0/24",     // protocol assignments (RFC 6890)
    "192.0.2.0/24",     // documentation
    "192.31.196.0/24",  // AS112, where stray reverse look-ups end (RFC 7535)
    "192.52.193.0/24",  // multicast relays (RFC 7450)
    "192.88.99.0/24",   // 6to4 relays
    "192.168.0.0/16",   // private
    "192.175.48.0/24",  // AS112 (RFC 7534)
    "198.18.0.0/15",    // benchmarking (RFC 2544)
    "198.51.100.0/24",  // documentation
    "203.0.113.0/24",   // documentation
    "224.0.0.0/4",      // multicast
    "240.0.0.0/4",      // reserved, and broadcast
];

/// The only IPv6 that is global unicast today (RFC 4291); mapped, compatible, NAT64 and local forms lie outside.
const GLOBAL_V6: &str = "2000::/3";

/// Stretches of it that are not for us.
const DENIED_V6: &[&str] = &[
    "2001::/23",         // protocol assignments: Teredo, ORCHID, benchmarking
    "2001:db8::/32",     // documentation
    "2002::/16",         // 6to4: wraps any IPv4
    "2620:4f:8000::/48", // AS112 (RFC 7534)
    "3fff::/20",         // documentation (RFC 9637)
];

/// Ports at which other protocols are spoken, which must not be talked into by http
/// (<https://fetch.spec.whatwg.org/#port-blocking>).
const NOT_FOR_THE_WEB: &[u16] = &[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

static NETS_V4: LazyLock<Vec<Ipv4Net>> =
    LazyLock::new(|| DENIED_V4.iter().map(|net| net.parse().expect("the table above holds only networks")).collect());
static NETS_V6: LazyLock<Vec<Ipv6Net>> =
    LazyLock::new(|| DENIED_V6.iter().map(|net| net.parse().expect("the table above holds only networks")).collect());
static UNICAST_V6: LazyLock<Ipv6Net> = LazyLock::new(|| GLOBAL_V6.parse().expect("a network"));

/// Whether an address is global unicast, and so a stranger's like any other.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Whether a web server may listen at a port.
pub(crate) fn is_for_the_web(port: u16) -> bool {
    !NOT_FOR_THE_WEB.contains(&port)
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NETS_V4.iter().any(|net| net.contains(&address))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    UNICAST_V6.contains(&address) && !NETS_V6.iter().any(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::is_public;
    use ipnet::IpNet;

    #[test]
    fn only_global_unicast_is_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.1.1",
            "192.175.48.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2620:4f:8000::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().expect("an address")), "{address} must be refused");
        }
        for address in
            ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "198.20.0.1", "2606:4700::1111", "2a00:1450::1"]
        {
            assert!(is_public(address.parse().expect("an address")), "{address} is public");
        }
    }

    /// IANA's registries of special-purpose addresses, line by line
    /// (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
    /// <https://www.iana.org/assignments/iana-ipv6-special-registry>), and what is no unicast or was local once.
    const SPECIAL: &[&str] = &[
        "0.0.0.0/8",
        "0.0.0.0/32",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.0.0/29",
        "192.0.0.8/32",
        "192.0.0.9/32",
        "192.0.0.10/32",
        "192.0.0.170/31",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "255.255.255.255/32",
        "224.0.0.0/4",
        "::1/128",
        "::/128",
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001::/23",
        "2001::/32",
        "2001:1::1/128",
        "2001:1::2/128",
        "2001:1::3/128",
        "2001:2::/48",
        "2001:3::/32",
        "2001:4:112::/48",
        "2001:10::/28",
        "2001:20::/28",
        "2001:30::/28",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ];

    #[test]
    fn every_block_of_the_registries_is_refused_from_end_to_end() {
        for block in SPECIAL {
            let block: IpNet = block.parse().expect("a block");
            for address in [block.network(), block.broadcast()] {
                assert!(!is_public(address), "{address} of {block} must be refused");
            }
        }
        // What lies beside them is anybody's.
        for beside in [
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.31.195.255",
            "192.31.197.0",
            "192.52.192.255",
            "192.52.194.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "192.175.47.255",
            "192.175.49.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2001:200::",
            "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db9::",
            "2003::",
            "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff",
            "2620:4f:8001::",
            "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "3fff:1000::",
        ] {
            assert!(is_public(beside.parse().expect("an address")), "{beside} is public");
        }
    }
}
