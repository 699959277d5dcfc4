//! Commands that break what holds a guest, or look for what it should not see.
//!
//! | command | what it does |
//! |---|---|
//! | `loop` | never ends |
//! | `alloc` | takes memory until there is none |
//! | `recurse` | calls itself until the stack ends |
//! | `trap <message>` | panics |
//! | `log <count>` | writes so many notes |
//! | `holdtoken` | keeps [`planted`] in memory, to prove that a search of the memory finds what is there |
//! | `gigantic <MiB>` | ends with a fault whose message is that long |
//! | `zeros` | ends with a fault that holds zeros, which PostgreSQL does not store |
//! | `zerokey` | names a step with a zero |
//! | `sleep <seconds>` | asks WASI to wake it later |
//! | `connect <address>` | opens a socket |
//! | `lookup <name>` | looks a name up |
//! | `file <path>` | reads a file |
//! | `ambient` | logs what the WASI clock, random source, environment and file system say |

use crate::{API, script};
use orla_sdk::{Fault, Result, log};
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MIB: usize = 1 << 20;

pub(crate) fn command(name: &str, rest: &str) -> Result<()> {
    match name {
        "loop" => loop {
            black_box(());
        },
        "alloc" => take_all_memory(),
        "recurse" => {
            black_box(descend(1));
        }
        "trap" => panic!("{rest}"),
        "log" => {
            for count in 0..script::number(rest)? {
                log::info(format!("note {count}"));
            }
        }
        "holdtoken" => {
            black_box(planted().leak());
        }
        "gigantic" => return Err(Fault::invalid("parts/0/text", "x".repeat(script::number(rest)? as usize * MIB))),
        "zeros" => return Err(Fault { code: Some("0\0".to_owned()), ..Fault::invalid("parts\0", "a\0b") }),
        "zerokey" => drop(API.post("/2/tweets").json(&"").prepare("a\0b", Duration::from_secs(1))?),
        "sleep" => std::thread::sleep(Duration::from_secs(script::number(rest)?)),
        "connect" => drop(TcpStream::connect(rest).map_err(|error| denied(&error))?),
        "lookup" => drop((rest, 443).to_socket_addrs().map_err(|error| denied(&error))?),
        "file" => drop(std::fs::read(rest).map_err(|error| denied(&error))?),
        "ambient" => log::info(ambient()),
        _ => return Err(Fault::bug(format!("The probe knows no command `{name}`."))),
    }
    Ok(())
}

/// The only right answer to a guest that asks the machine for something.
fn denied(error: &io::Error) -> Fault {
    Fault::invalid("parts/0/text", format!("denied: {error}"))
}

fn take_all_memory() {
    loop {
        black_box(vec![1_u8; MIB].leak());
    }
}

fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if frame[0] == 0 { 0 } else { descend(depth + 1) + frame[63] }
}

/// A word that stands for a token. It is put together here so that only a run that was told to hold it has it whole.
fn planted() -> String {
    black_box(["CONTROL-TOKEN", "IN-GUEST-MEMORY", "7f3a"]).join("-")
}

#[expect(clippy::disallowed_methods, reason = "the question is what the clock says in here")]
fn ambient() -> String {
    let clock_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let random = RandomState::new().hash_one(0);
    let variables = std::env::vars().count();
    let file = std::fs::read_dir("/").map_or_else(|error| error.kind().to_string(), |_| "readable".to_owned());
    format!("clock_ms={clock_ms} random={random} variables={variables} root={file}")
}
