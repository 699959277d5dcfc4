//! Logs: sentences on standard error, or JSON with `ORLA_LOG_FORMAT=json`; `ORLA_LOG` filters them.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG`'s syntax; by default what an operator wants to know.
#[expect(
    clippy::disallowed_methods,
    reason = "logging starts before the configuration is read, to tell what is wrong with it"
)]
pub fn start() {
    let filter = std::env::var("ORLA_LOG").unwrap_or_else(|_| "info,wasmtime=warn,cranelift=warn,sqlx=warn".to_owned());
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let logs = logs.with_ansi(std::io::stderr().is_terminal());
    if std::env::var("ORLA_LOG_FORMAT").is_ok_and(|format| format == "json") {
        logs.json().init();
    } else {
        logs.init();
    }
}
