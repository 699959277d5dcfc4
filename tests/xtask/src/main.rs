//! The project's two commands: `cargo demo` runs everything on this machine, `cargo verify` runs every test.
//!
//! Both install what is missing and say so. This program stands on the standard library alone, so that the first command
//! on a fresh machine begins to speak within seconds.

mod demo;
mod needs;
mod program;
mod verify;
mod words;

use std::process::ExitCode;
use words::Failure;

const USAGE: &str = "cargo demo: builds everything, and runs it with a simulated X\n\
                     cargo verify: runs every test";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["demo"] => demo::run(),
        // Not for people: `cargo demo` becomes a shell that starts this.
        ["demo", "keep"] => demo::keep(),
        ["verify"] => verify::run(),
        _ => Err(Failure::new(USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}
