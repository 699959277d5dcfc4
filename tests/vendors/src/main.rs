//! `vendors`: the simulators as a server, for the demo and for trying things by hand.

use std::net::SocketAddr;

use clap::Parser;
use orla_vendors::x::{Settings, Sim};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Strict simulators of the vendors that Orla speaks to.
#[derive(Parser)]
#[command(name = "vendors", version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4010")]
    listen: SocketAddr,

    /// The OAuth client id that X knows.
    #[arg(long, default_value = "orla-demo")]
    x_client_id: String,

    /// The secret of that client.
    #[arg(long, default_value = "orla-demo-secret")]
    x_client_secret: String,

    /// A redirect URI that the client has registered, compared byte for byte; repeat it for several.
    #[arg(long = "redirect-uri")]
    redirect_uris: Vec<String>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let Arguments { listen, x_client_id, x_client_secret, redirect_uris } = Arguments::parse();
    let settings =
        Settings { client_id: x_client_id, client_secret: x_client_secret, redirect_uris, ..Settings::default() };
    let sim = Sim::bind(listen, settings).await?;
    tracing::info!(origin = sim.origin(), "The simulated vendors are ready at {}.", sim.origin());

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
