//! Logs: sentences on standard error, or JSON with `ORLA_LOG_FORMAT=json`; `ORLA_LOG` filters them.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG`'s syntax; by default what an operator wants to know.
pub fn start() {
    start_at("info,wasmtime=warn,cranelift=warn,sqlx=warn");
}

/// Starts logging for a command that says by itself what came of it: by default warnings only.
pub fn start_quietly() {
    start_at("warn,wasmtime=error,cranelift=error,sqlx=error");
}

#[expect(
    clippy::disallowed_methods,
    reason = "logging starts before the configuration is read, to tell what is wrong with it"
)]
fn start_at(default: &str) {
    let filter = std::env::var("ORLA_LOG").unwrap_or_else(|_| default.to_owned());
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(default));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let logs = logs.with_ansi(std::io::stderr().is_terminal());
    if std::env::var("ORLA_LOG_FORMAT").is_ok_and(|format| format == "json") {
        logs.json().init();
    } else {
        logs.init();
    }
}
