//! The corpus: what hostile guests do while they are called, and what has to become of it.

use super::forged::{self, SPINNING_BYTES};
use serde_json::{Value, json};

/// A guest that does one hostile thing.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) guest: Guest,
    pub(crate) end: End,
}

/// How it is done.
#[derive(Clone, Copy)]
pub(crate) enum Guest {
    /// By a script of the probe (`tests/guests/probe`).
    Probe(&'static str),
    /// By the connector made by hand; the body of a function that gives what `publish` returns.
    Forged(&'static str),
    /// By the same before `publish` is called: what the text begins with, and its length.
    Early(char, usize),
}

/// What has to become of the post.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// It is taken in and fails with a fault of this kind, whose message contains these words.
    Failed(&'static str, &'static str),
    /// It is not taken in, and the answer contains these words.
    NotTaken(&'static str),
}

impl Attack {
    /// The post that carries it out.
    pub(crate) fn post(&self) -> Value {
        match self.guest {
            Guest::Probe(script) => json!({"platform": "probe", "content": script}),
            Guest::Forged(body) => {
                let index = bodies().iter().position(|candidate| *candidate == body).expect("an attack of the corpus");
                let letter = char::from(b'0' + u8::try_from(index).unwrap());
                json!({"platform": forged::ID, "content": format!("{letter} {}", self.name)})
            }
            Guest::Early(first, bytes) => {
                let text: String = std::iter::once(first).chain(std::iter::repeat('.')).take(bytes).collect();
                json!({"platform": forged::ID, "content": text})
            }
        }
    }
}

/// What the connector made by hand can do, in the order of its table.
pub(crate) fn bodies() -> Vec<&'static str> {
    let bodies = EXHAUSTING.iter().chain(LYING).map(|attack| attack.guest);
    bodies
        .filter_map(|guest| match guest {
            Guest::Forged(body) => Some(body),
            Guest::Probe(_) | Guest::Early(..) => None,
        })
        .collect()
}

const fn probe(name: &'static str, script: &'static str, end: End) -> Attack {
    Attack { name, guest: Guest::Probe(script), end }
}

const fn forged(name: &'static str, body: &'static str, end: End) -> Attack {
    Attack { name, guest: Guest::Forged(body), end }
}

const fn early(name: &'static str, first: char, bytes: usize, end: End) -> Attack {
    Attack { name, guest: Guest::Early(first, bytes), end }
}

/// Fuel, memory or time: which of them ends a greedy guest first is the machine's load to decide.
const OUT_OF_BUDGET: End = End::Failed("budget", "the call");
const OUT_OF_TIME: End = End::Failed("budget", "took longer");

/// What takes time, memory, threads, handles or the log.
pub(crate) const EXHAUSTING: &[Attack] = &[
    probe("loops in Rust", "loop", OUT_OF_BUDGET),
    forged("loops", "(call $spin) (i32.const 512)", OUT_OF_BUDGET),
    early("loops in `check`", '!', 10, End::NotTaken("the call")),
    early("loops in the allocator, which the host calls", 'x', SPINNING_BYTES, End::NotTaken("the call")),
    forged("loops after it returned", "(global.set $spins_after (i32.const 1)) (i32.const 512)", OUT_OF_BUDGET),
    forged("loops in a destructor", "(call $drop_thing (call $new (i32.const 1))) (i32.const 512)", OUT_OF_BUDGET),
    probe("allocates without end", "alloc", OUT_OF_BUDGET),
    forged(
        "grows its memory without end",
        "(loop $again (drop (memory.grow (i32.const 16))) (br $again)) (i32.const 512)",
        OUT_OF_BUDGET,
    ),
    forged(
        "fills its memory again and again",
        "(loop $again (memory.fill (i32.const 8388608) (i32.const 1) (i32.const 8000000)) (br $again)) (i32.const 512)",
        OUT_OF_BUDGET,
    ),
    forged(
        "grows a table without end",
        "(loop $again (drop (table.grow $attacks (ref.null func) (i32.const 1000))) (br $again)) (i32.const 512)",
        OUT_OF_BUDGET,
    ),
    probe("recurses in Rust", "recurse", End::Failed("bug", "trapped")),
    forged("recurses", "(call $descend)", End::Failed("budget", "stack")),
    forged(
        "makes handles of its own without end",
        "(loop $again (drop (call $new (i32.const 1))) (br $again)) (i32.const 512)",
        End::Failed("bug", "handle limit"),
    ),
    forged(
        "takes handles of the host without end",
        "(loop $again (drop (call $subscribe (i64.const 1000000000))) (br $again)) (i32.const 512)",
        End::Failed("bug", "resource table"),
    ),
    forged(
        "sleeps for an hour",
        "(call $block (call $subscribe (i64.const 3600000000000))) (i32.const 512)",
        OUT_OF_TIME,
    ),
    probe("sleeps in Rust", "sleep 3600", OUT_OF_TIME),
    forged(
        "asks after 2,000 timers again and again",
        "(local $at i32)
        (loop $each
            (i32.store (i32.add (i32.const 8400000) (local.get $at)) (call $subscribe (i64.const 0)))
            (local.set $at (i32.add (local.get $at) (i32.const 4)))
            (br_if $each (i32.lt_u (local.get $at) (i32.const 8000))))
        (loop $again (call $poll (i32.const 8400000) (i32.const 2000) (i32.const 8390000)) (br $again))
        (i32.const 512)",
        OUT_OF_TIME,
    ),
    forged(
        "draws random bytes without end",
        "(loop $again (call $random (i64.const 1024) (i32.const 8390000)) (br $again)) (i32.const 512)",
        OUT_OF_BUDGET,
    ),
    forged(
        "draws all random bytes at once",
        "(call $random (i64.const -1) (i32.const 8390000)) (i32.const 512)",
        End::Failed("bug", "exceeds limit"),
    ),
    forged(
        "prints without end",
        "(local $stream i32) (local.set $stream (call $stdout))
        (loop $again
            (call $print (local.get $stream) (i32.const 8400000) (i32.const 4000000) (i32.const 8390000))
            (br $again))
        (i32.const 512)",
        End::Failed("bug", "capacity"),
    ),
    forged(
        "looks long names up without end",
        "(local $network i32) (local.set $network (call $network))
        (loop $again
            (call $resolve (local.get $network) (i32.const 8400000) (i32.const 4000000) (i32.const 8390000))
            (br $again))
        (i32.const 512)",
        End::Failed("bug", "no network"),
    ),
    probe("logs a million lines", "log 1000000", OUT_OF_BUDGET),
    forged(
        "logs lines of 4 MB without end",
        "(loop $again (call $log (i32.const 3) (i32.const 8400000) (i32.const 4000000)) (br $again)) (i32.const 512)",
        OUT_OF_TIME,
    ),
    forged(
        "forgets steps of long names without end",
        "(local $count i32)
        (loop $again
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (i32.store8 (i32.const 8400000) (i32.and (local.get $count) (i32.const 127)))
            (i32.store8 (i32.const 8400001) (i32.and (i32.shr_u (local.get $count) (i32.const 7)) (i32.const 127)))
            (call $forget (i32.const 8400000) (i32.const 4000000))
            (br $again))
        (i32.const 512)",
        OUT_OF_TIME,
    ),
    forged(
        "asks for wrong requests of 4 MB without end",
        "(memory.fill (i32.const 8400000) (i32.const 49) (i32.const 4000000))
        (i32.store8 (i32.const 8388608) (i32.const 2))
        (i32.store (i32.const 8388616) (i32.const 2048)) (i32.store (i32.const 8388620) (i32.const 3))
        (i32.store (i32.const 8388624) (i32.const 2051)) (i32.store (i32.const 8388628) (i32.const 9))
        (i32.store8 (i32.const 8388664) (i32.const 2))
        (i32.store (i32.const 8388672) (i32.const 8400000)) (i32.store (i32.const 8388676) (i32.const 4000000))
        (loop $again (call $send (i32.const 8388608) (i32.const 8390000)) (br $again))
        (i32.const 512)",
        OUT_OF_TIME,
    ),
    probe("sends a million requests", "stay 1000000", End::Failed("budget", "limit of 1000 requests")),
    probe("returns a text of 8 MiB", "gigantic 8", End::Failed("bug", "hostcall")),
    forged(
        "returns a thousand texts of 1 MB that are one",
        "(local $at i32)
        (i32.store (i32.const 1040) (i32.const 8388608))
        (i32.store (i32.const 1044) (i32.const 1000))
        (local.set $at (i32.const 8388608))
        (loop $each
            (i32.store8 (local.get $at) (i32.const 1))
            (i32.store (i32.add (local.get $at) (i32.const 24)) (i32.const 5000000))
            (i32.store (i32.add (local.get $at) (i32.const 28)) (i32.const 1000000))
            (local.set $at (i32.add (local.get $at) (i32.const 72)))
            (br_if $each (i32.lt_u (local.get $at) (i32.const 8460608))))
        (i32.const 1024)",
        End::Failed("bug", "hostcall"),
    ),
];

/// What is no answer, or a false one.
pub(crate) const LYING: &[Attack] = &[
    probe("traps", "trap on purpose", End::Failed("bug", "on purpose")),
    forged("traps without a word", "unreachable", End::Failed("bug", "unreachable")),
    forged("returns an address outside of its memory", "(i32.const -8)", End::Failed("bug", "bounds")),
    forged("returns an odd address", "(i32.const 1027)", End::Failed("bug", "aligned")),
    forged(
        "returns a list of 268,435,455 parts",
        "(i32.store (i32.const 1040) (i32.const 8388608)) (i32.store (i32.const 1044) (i32.const 0x0fffffff))
        (i32.const 1024)",
        End::Failed("bug", "bounds"),
    ),
    forged(
        "returns a text outside of its memory",
        "(i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store (i32.const 1048) (i32.const 16000000)) (i32.store (i32.const 1052) (i32.const 4000000))
        (i32.const 1024)",
        End::Failed("bug", "bounds"),
    ),
    forged(
        "returns a text that is no UTF-8",
        "(i32.store8 (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 8400000) (i32.const 255))
        (i32.store (i32.const 1048) (i32.const 8400000)) (i32.store (i32.const 1052) (i32.const 1))
        (i32.const 1024)",
        End::Failed("bug", "utf-8"),
    ),
    forged(
        "returns neither success nor failure",
        "(i32.store8 (i32.const 1024) (i32.const 7)) (i32.const 1024)",
        End::Failed("bug", "discriminant"),
    ),
    forged(
        "uses a handle that it was never given",
        "(drop (call $blob_size (i32.const 77))) (i32.const 512)",
        End::Failed("bug", "handle"),
    ),
    forged(
        "wants the URL of a blob that it was never given",
        "(call $public_url (i32.const 77) (i32.const 1024)) (i32.const 512)",
        End::Failed("bug", "handle"),
    ),
    forged(
        "calls the host while the host answers",
        "(global.set $calls_out (i32.const 1)) (call $random (i64.const 16) (i32.const 8390000)) (i32.const 512)",
        End::Failed("bug", "leave"),
    ),
    forged("claims success for nothing", "(i32.const 512)", End::Failed("bug", "one outcome a part")),
    probe("claims a post that it never made", "claim 1456", End::Failed("bug", "no commit of this run made")),
    probe("opens a socket", "connect 127.0.0.1:443", End::Failed("invalid", "denied")),
    probe("opens a socket inside", "connect 169.254.169.254:80", End::Failed("invalid", "denied")),
    probe("looks a name up", "lookup evil.example", End::Failed("bug", "no network")),
    probe("reads a file", "file /etc/passwd", End::Failed("invalid", "denied")),
    probe("reads the environment of the host", "file /proc/self/environ", End::Failed("invalid", "denied")),
];

const NO_PATH: End = End::Failed("bug", "no plain absolute path");
const NOT_ITS: End = End::Failed("bug", "the host's to set");
const MINTS: End = End::Failed("bug", "mints tokens");

/// Requests that break the contract. Not one of them leaves.
pub(crate) const STRAYING: &[Attack] = &[
    probe("ends with zeros", "zeros", End::Failed("invalid", "a b")),
    probe("names no endpoint of its own", "undeclared", End::Failed("bug", "declares no endpoint `undeclared`")),
    probe("asks for a token", "hostonly", MINTS),
    probe("asks for a token by an encoded path", "path /2/%6Fauth2/%54oken", MINTS),
    probe("asks for a token by encoded slashes", "path /2%2foauth2%2Ftoken", MINTS),
    probe("asks for a token by a path encoded twice", "path /2/%256Fauth2/token", MINTS),
    probe("asks for a token by empty segments", "path /2//OAuth2/token/", MINTS),
    probe("asks for a token by parameters of a segment", "path /2/oauth2;v=1/token", MINTS),
    probe("calls a post a read", "readpost /2/tweets", End::Failed("bug", "no read by the manifest")),
    probe("names another host by slashes", "path //evil.example/", NO_PATH),
    probe("names another host by backslashes", r"path /\evil.example/", NO_PATH),
    probe("names another host by a URL", "path https://evil.example/", NO_PATH),
    probe("names another host by mixed case", "path hTTps:/\\evil.example/", NO_PATH),
    probe("names another host by a user", "path @evil.example/", NO_PATH),
    probe("names another host by a port", "path :443@evil.example/", NO_PATH),
    probe("climbs", "path /../secret", NO_PATH),
    probe("climbs, encoded", "path /a/%2e%2e/b", NO_PATH),
    probe("climbs, in mixed case", "path /a/%2E./b", NO_PATH),
    probe("climbs, encoded with its slashes", "path /a/x%2f..%2F..%2fb", NO_PATH),
    probe("climbs, encoded twice", "path /a/%252e%252E/b", NO_PATH),
    probe("climbs by backslashes", r"path /a/..\b", NO_PATH),
    probe("climbs by encoded backslashes", "path /a/..%5cb", NO_PATH),
    probe("climbs in Unicode", "path /a/\u{2025}/b", NO_PATH),
    probe("has a slash of Unicode", "path /a\u{ff0f}\u{ff0f}evil.example", NO_PATH),
    probe("adds a query", "path /a?b=c", NO_PATH),
    probe("adds a fragment", "path /a#b", NO_PATH),
    probe("has no beginning", "path relative", NO_PATH),
    probe("has a backslash", r"path /a\b", NO_PATH),
    probe("breaks the line in a path", r#"exactpath "/a HTTP/1.1\r\nHost: evil.example\r\n\r\n""#, NO_PATH),
    probe("has a tab in a path", r#"exactpath "/a\tb""#, NO_PATH),
    probe("has a zero in a path", r#"exactpath "/a\u0000b""#, NO_PATH),
    probe("signs itself", "header Authorization Bearer x", NOT_ITS),
    probe("signs itself in mixed case", "header aUTHORIZATION Bearer x", NOT_ITS),
    probe("names a host in a header", "header Host evil.example", NOT_ITS),
    probe("brings a cookie", "header Cookie a=b", NOT_ITS),
    probe("signs at a proxy", "header Proxy-Authorization Basic x", NOT_ITS),
    probe("claims an address", "header X-Forwarded-For 10.0.0.1", NOT_ITS),
    probe("claims a host", "header X-Forwarded-Host evil.example", NOT_ITS),
    probe("claims an address anew", "header Forwarded for=10.0.0.1", NOT_ITS),
    probe("frames the body", "header Transfer-Encoding chunked", NOT_ITS),
    probe("measures the body", "header Content-Length 5", NOT_ITS),
    probe("asks for another protocol", "header Upgrade websocket", NOT_ITS),
    probe("overrides the method", "header X-HTTP-Method-Override DELETE", NOT_ITS),
    probe("overrides the path", "header X-Original-URL /2/oauth2/token", NOT_ITS),
    probe(
        "breaks the line in a header",
        r#"exactheader X-A "a\r\nAuthorization: Bearer x""#,
        End::Failed("bug", "no valid header"),
    ),
    probe("breaks the line in a name", r#"exactheader X:A "a""#, End::Failed("bug", "no valid header")),
    probe("follows a link of its own making", "follow orla-link:AAAA", End::Failed("bug", "no link")),
    probe("follows a URL", "follow https://evil.example/", End::Failed("bug", "no link")),
    probe("has a key with a zero", "zerokey", End::Failed("bug", "no control characters")),
    probe("has a key without end", LONG_KEY, End::Failed("bug", "1 to 200 bytes")),
];

const LONG_KEY: &str = concat!(
    "commit 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789 too much"
);
