//! URLs that mean to lead inside, by every way that anybody has thought of, and by 100,000 that nobody has.

use super::super::{Egress, Stage};
use super::stage::{PUBLIC, Raw, Relay, names};
use crate::config::Config;
use crate::connectors::address;
use futures_util::StreamExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

const FUZZED: usize = 100_000;
const AT_A_TIME: usize = 64;

/// The addresses of names: those that look inside do, and of the others some.
fn table(name: &str) -> Vec<IpAddr> {
    let mut hash = DefaultHasher::new();
    name.hash(&mut hash);
    let addresses: &[&str] = match hash.finish() % 5 {
        _ if name == "public.example" => &[PUBLIC],
        _ if name.contains("localhost") => &["127.0.0.1", "::1"],
        0 => &["127.0.0.1"],
        1 => &["::1"],
        2 => &[PUBLIC, "127.0.0.1"],
        3 => &["::ffff:127.0.0.1"],
        _ => &[],
    };
    addresses.iter().map(|address| address.parse().unwrap()).collect()
}

/// An egress whose connections to the public end at a proxy that makes none.
fn egress(relay: &Relay) -> Egress {
    let config = Config { proxy: Some(relay.url("")), ..Config::default() };
    Egress::with(&config, names(table)).unwrap()
}

/// Hosts that are inside, or none, however they are written.
const INNER_HOSTS: &[&str] = &[
    // Names.
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "loc%61lhost",
    "ｌｏｃａｌｈｏｓｔ",
    // Loopback: decimal, octal, hexadecimal, short, with a dot, in other digits, in percents.
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "2130706433.",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "0x7f.1",
    "0x7f000001",
    "0X7F.0x0.0x0.0x1",
    "127.255.255.254",
    "127.0x0.0.01",
    "%31%32%37.0.0.1",
    "１２７.０.０.１",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "𝟭𝟮𝟳.𝟬.𝟬.𝟭",
    // This network, private, shared, link local, protocols, documentation, relays, benchmarks, multicast, reserved.
    "0",
    "0.0.0.0",
    "0x0",
    "0.1.2.3",
    "10.0.0.1",
    "012.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "3232235521",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "⑯⑨。②⑤④。⑯⑨.②⑤④",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
    "168.63.129.16",
    // IPv6: unspecified, loopback, compatible, mapped, translated, NAT64, discard, Teredo, ORCHID, documentation, 6to4.
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0001]",
    "[::ffff:0:7f00:1]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::808:808]",
    "[64:ff9b:1::7f00:1]",
    "[100::1]",
    "[100:0:0:1::1]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2001:30::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001:0:0:0:0:1]",
    "[2620:4f:8000::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[4000::1]",
    // Zones.
    "[::1%25lo]",
    "[fe80::1%25eth0]",
    "[::1%lo]",
    // Names and passwords.
    "public.example@127.0.0.1",
    "127.0.0.1@public.example",
    "user:password@public.example",
    "@127.0.0.1",
    "127.0.0.1\\@public.example",
    "public.example%40127.0.0.1",
    // Rebinding in one answer, and what is no host.
    "xn--localhost-",
    "",
    ".",
    "..",
    "127.0.0.1.127.0.0.1",
    "256.256.256.256",
    "0x7f.0.0.0.1",
    "127.0.0.1%00public.example",
    "[::1",
    "::1",
    "[127.0.0.1]",
    "1e3",
];

/// What no web server answers at.
const NOT_OF_THE_WEB: &[&str] = &[
    "ftp://public.example/",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "gopher://public.example/",
    "data:text/plain,hi",
    "javascript:alert(1)",
    "ws://public.example/",
    "unix:/run/docker.sock",
    "blob:http://127.0.0.1/a",
    "http://public.example:0/",
    "http://public.example:22/",
    "http://public.example:25/",
    "https://public.example:6667/",
];

#[tokio::test]
async fn every_form_of_an_inner_address_is_refused() {
    let inside = Raw::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let relay = Relay::start(Err(403)).await;
    let egress = egress(&relay);
    let port = inside.at.port();
    for host in INNER_HOSTS {
        for url in [format!("http://{host}:{port}/"), format!("https://{host}:{port}/"), format!("http:{host}:{port}")]
        {
            let Ok(url) = url.parse::<Url>() else { continue };
            let none = egress.fetch(url.clone()).await.expect_err(url.as_str());
            assert!(none.stage == Stage::Forbidden || none.message.contains("not found"), "{url}: {none}");
        }
    }
    for url in NOT_OF_THE_WEB {
        let none = egress.fetch(url.parse().unwrap()).await.expect_err(url);
        assert_eq!(none.stage, Stage::Forbidden, "{url}: {none}");
    }
    assert_eq!((inside.accepted(), relay.server.accepted()), (0, 0));
    // What is public passes: by name, by number, in odd digits, at an odd port.
    let public = [
        ("http://public.example/", "93.184.216.34:80"),
        ("https://PUBLIC.example/", "93.184.216.34:443"),
        ("http://93.184.216.34:8080/", "93.184.216.34:8080"),
        ("http://1572395042/", "93.184.216.34:80"),
        ("http://０x5d.184.216.34/", "93.184.216.34:80"),
        ("https://[2606:4700::1111]/", "[2606:4700::1111]:443"),
    ];
    for (url, target) in public {
        let none = egress.fetch(url.parse().unwrap()).await.expect_err("a proxy that refuses");
        assert_eq!(none.stage, Stage::Unreached, "{url}: {none}");
        assert_eq!(relay.targets().last().map(String::as_str), Some(target), "{url}");
    }
}

/// One of the ways to write an IPv4 address.
fn written(rng: &mut StdRng, address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    let number = u32::from(address);
    let (high, low) = (number >> 16, number & 0xffff);
    match rng.random_range(0..16) {
        0 => number.to_string(),
        1 => format!("{number:#x}"),
        2 => format!("0{number:o}"),
        3 => format!("{a:#x}.{b}.{c:#o}.{d}").replace("0o", "0"),
        4 => format!("{a}.{}", number & 0xff_ffff),
        5 => format!("{a}.{b}.{}", low),
        6 => format!("{address}."),
        7 => format!("[::ffff:{address}]"),
        8 => format!("[::{address}]"),
        9 => format!("[64:ff9b::{address}]"),
        10 => format!("[2002:{high:x}:{low:x}::]"),
        11 => format!("[::ffff:{high:x}:{low:x}]"),
        12 => address.to_string().replace('.', "。"),
        13 => address.to_string().chars().map(fullwidth).collect(),
        14 => address.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
        _ => address.to_string(),
    }
}

fn fullwidth(char: char) -> char {
    match char.to_digit(10) {
        Some(digit) => char::from_u32('０' as u32 + digit).unwrap(),
        None => char,
    }
}

/// A URL that means no good, with up to three mistakes in it.
fn fuzzed(rng: &mut StdRng, port: u16) -> String {
    const INNER: &[[u8; 4]] = &[[127, 0, 0, 1], [0, 0, 0, 0], [127, 1, 2, 3], [10, 0, 0, 1], [169, 254, 169, 254]];
    const HOSTS: &[&str] = &[
        "localhost",
        "localhost.",
        "[::1]",
        "[::]",
        "[::1%25lo]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[fe80::1%25lo]",
        "xn--n3h",
        "①②⑦.⓪.⓪.①",
        "public.example",
        "a.example",
        "b.example",
        "c.example",
        "⑯⑨。②⑤④。⑯⑨.②⑤④",
        "",
    ];
    const SCHEMES: &[&str] =
        &["http://", "http://", "http://", "https://", "HTTP://", "http:", "http:/", "http:\\\\", "//", "ftp://"];
    const USERS: &[&str] =
        &["", "", "", "", "a@", "a:b@", "public.example@", "public.example%40", "public.example\\@", "@"];
    const ENDS: &[&str] =
        &["/", "", "/../", "/a?b#c", "?@public.example/", "#@public.example/", "\\@public.example", "/%00"];
    const BYTES: &[char] = &[
        '.', ':', '@', '/', '\\', '%', '[', ']', '0', '1', '7', 'f', 'x', '#', '?', '\t', '\n', '\r', '\0', ' ', '。',
        '．', '｡', '１', '\u{ad}', '\u{200b}', '\u{202e}', 'ß', '٠',
    ];
    let any = |rng: &mut StdRng, choices: &[&str]| (*choices.choose(rng).unwrap()).to_owned();
    let host = match rng.random_range(0..10) {
        0..=4 => {
            let address = Ipv4Addr::from(*INNER.choose(rng).unwrap());
            written(rng, address)
        }
        5 if rng.random_ratio(1, 4) => {
            let address = Ipv4Addr::from(rng.random::<u32>());
            written(rng, address)
        }
        _ => any(rng, HOSTS),
    };
    let port = match rng.random_range(0..8) {
        0 => String::new(),
        1 => format!(":0{port}"),
        2 => format!(":{}", rng.random::<u16>()),
        _ => format!(":{port}"),
    };
    let mut url = [any(rng, SCHEMES), any(rng, USERS), host, port, any(rng, ENDS)].concat();
    for _ in 0..rng.random_range(0..4_usize).saturating_sub(1) {
        let at = rng.random_range(0..=url.len());
        let at = (0..=at).rev().find(|at| url.is_char_boundary(*at)).unwrap();
        match url[at..].chars().next() {
            Some(_) if rng.random() => {
                url.remove(at);
            }
            _ => url.insert(at, *BYTES.choose(rng).unwrap()),
        }
    }
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn no_url_of_a_hundred_thousand_reaches_loopback() {
    let seed: u64 = rand::random();
    eprintln!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let v4 = Raw::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let port = v4.at.port();
    // Not every machine has IPv6.
    let v6 = TcpListener::bind(("::1", port)).await.ok().map(|listener| Raw::on(listener, |_| std::future::ready(())));
    let relay = Relay::start(Err(403)).await;
    let egress = egress(&relay);
    let urls: Vec<String> = (0..FUZZED).map(|_| fuzzed(&mut rng, port)).collect();
    let fetched = futures_util::stream::iter(&urls).map(|text| {
        let egress = &egress;
        async move {
            let Ok(url) = text.parse::<Url>() else { return 0 };
            assert!(egress.fetch(url).await.is_err(), "seed {seed}: {text:?}");
            1
        }
    });
    let asked: usize = fetched.buffer_unordered(AT_A_TIME).fold(0, |sum, one| std::future::ready(sum + one)).await;
    assert!(asked > FUZZED / 4, "seed {seed}: only {asked} are URLs");
    for server in [Some(&v4), v6.as_ref()].into_iter().flatten() {
        assert_eq!(server.accepted(), 0, "seed {seed}: {}", server.at);
        // It would have been counted.
        TcpStream::connect(server.at).await.unwrap();
        while server.accepted() == 0 {
            tokio::task::yield_now().await;
        }
    }
    let targets = relay.targets();
    assert!(!targets.is_empty(), "seed {seed}: nothing public was asked for");
    for target in targets {
        let target: SocketAddr = target.parse().unwrap();
        assert!(address::is_public(target.ip()), "seed {seed}: {target}");
    }
}
