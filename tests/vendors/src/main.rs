//! `vendors`: the simulators as a server, for the demo and for trying things by hand.

mod arguments;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use arguments::Arguments;
use clap::Parser;
use orla_vendors::{dropbox, facebook, mastodon, openai, stripe, vertex, webhook, x, youtube};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let arguments = Arguments::parse();
    let _x = start_x(&arguments).await?;
    let _openai = start_openai(&arguments).await?;
    let _mastodon = start_mastodon(&arguments).await?;
    let _webhook = start_webhook(&arguments).await?;
    let _facebook = start_facebook(&arguments).await?;
    let _dropbox = start_dropbox(&arguments).await?;
    let _youtube = start_youtube(&arguments).await?;
    let _vertex = start_vertex(&arguments).await?;
    let _stripe = start_stripe(&arguments).await?;

    until_told().await
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

async fn start_x(arguments: &Arguments) -> io::Result<x::Sim> {
    let settings = x::Settings {
        client_id: arguments.x_client_id.clone(),
        client_secret: arguments.x_client_secret.clone(),
        redirect_uris: arguments.redirect_uris.clone(),
        ..x::Settings::default()
    };
    let x = x::Sim::bind(arguments.listen, settings).await?;
    tracing::info!(origin = x.origin(), "The simulated X is ready at {}.", x.origin());
    Ok(x)
}

async fn start_openai(arguments: &Arguments) -> io::Result<openai::Sim> {
    let settings = openai::Settings { api_key: arguments.openai_api_key.clone(), ..openai::Settings::default() };
    let openai = openai::Sim::bind(arguments.openai_listen, settings).await?;
    tracing::info!(origin = openai.origin(), "The simulated OpenAI is ready at {}.", openai.origin());
    Ok(openai)
}

async fn start_mastodon(arguments: &Arguments) -> io::Result<mastodon::Sim> {
    let mut settings = mastodon::Settings::default();
    settings.tokens[0].token.clone_from(&arguments.mastodon_token);
    let mastodon = mastodon::Sim::bind(local(arguments.mastodon_port), settings).await?;
    let origin = mastodon.origin();
    tracing::info!(
        origin,
        "The simulated Mastodon is ready at {origin}, for the token that --mastodon-token names; what was posted is at \
         {origin}/_sim/mastodon/statuses."
    );
    Ok(mastodon)
}

async fn start_webhook(arguments: &Arguments) -> io::Result<webhook::Sim> {
    let settings =
        webhook::Settings { secrets: vec![arguments.webhook_secret.clone()], ..webhook::Settings::default() };
    let webhook = webhook::Sim::bind(local(arguments.webhook_port), settings).await?;
    let origin = webhook.origin();
    tracing::info!(
        origin,
        "Webhooks are received at {origin}, on any path, signed with the secret that --webhook-secret names; what came \
         is at {origin}/_sim/webhook/deliveries."
    );
    Ok(webhook)
}

async fn start_facebook(arguments: &Arguments) -> io::Result<facebook::Sim> {
    let settings = facebook::Settings {
        app_id: arguments.facebook_app_id.clone(),
        app_secret: arguments.facebook_app_secret.clone(),
        redirect_uris: arguments.facebook_redirect_uris.clone(),
        ..facebook::Settings::default()
    };
    let facebook = facebook::Sim::bind(local(arguments.facebook_port), settings).await?;
    let origin = facebook.origin();
    tracing::info!(
        origin,
        "The simulated Facebook is ready at {origin}, its dialog and Instagram too; what was posted is at \
         {origin}/_sim/facebook/posts and {origin}/_sim/instagram/media."
    );
    Ok(facebook)
}

async fn start_dropbox(arguments: &Arguments) -> io::Result<dropbox::Sim> {
    let settings = dropbox::Settings {
        client_id: arguments.dropbox_client_id.clone(),
        client_secret: arguments.dropbox_client_secret.clone(),
        redirect_uris: arguments.redirect_uris.clone(),
        ..dropbox::Settings::default()
    };
    let dropbox = dropbox::Sim::bind(local(arguments.dropbox_port), settings).await?;
    tracing::info!(origin = dropbox.origin(), "The simulated Dropbox is ready at {}.", dropbox.origin());
    Ok(dropbox)
}

async fn start_youtube(arguments: &Arguments) -> io::Result<youtube::Sim> {
    let settings = youtube::Settings {
        client_id: arguments.youtube_client_id.clone(),
        client_secret: arguments.youtube_client_secret.clone(),
        redirect_uris: arguments.youtube_redirect_uris.clone(),
        ..youtube::Settings::default()
    };
    let youtube = youtube::Sim::bind(local(arguments.youtube_port), settings).await?;
    let origin = youtube.origin();
    tracing::info!(
        origin,
        "The simulated YouTube is ready at {origin}, Google's consent page too; what was uploaded is at \
         {origin}/_sim/youtube/videos."
    );
    Ok(youtube)
}

async fn start_vertex(arguments: &Arguments) -> io::Result<vertex::Sim> {
    let settings = vertex::Settings {
        client_id: arguments.vertex_client_id.clone(),
        client_secret: arguments.vertex_client_secret.clone(),
        redirect_uris: arguments.vertex_redirect_uris.clone(),
        ..vertex::Settings::of_the_demo()
    };
    let vertex = vertex::Sim::bind(local(arguments.vertex_port), settings).await?;
    let origin = vertex.origin();
    tracing::info!(
        origin,
        "The simulated Vertex AI is ready at {origin}, Google's consent page too; the key file of its service account is at \
         {origin}/_sim/vertex/key_file, what was begun at {origin}/_sim/vertex/operations."
    );
    Ok(vertex)
}

async fn start_stripe(arguments: &Arguments) -> io::Result<stripe::Sim> {
    let settings = stripe::Settings {
        api_key: arguments.stripe_api_key.clone(),
        webhook_url: arguments.stripe_webhook_url.clone(),
        webhook_secret: arguments.stripe_webhook_secret.clone(),
        ..stripe::Settings::default()
    };
    let stripe = stripe::Sim::bind(local(arguments.stripe_port), settings).await?;
    let origin = stripe.origin();
    tracing::info!(
        origin,
        "The simulated Stripe is ready at {origin}, its Checkout and its portal too; what happened is at \
         {origin}/_sim/stripe/events."
    );
    Ok(stripe)
}

/// Waits for an interrupt or the wish to terminate.
async fn until_told() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
