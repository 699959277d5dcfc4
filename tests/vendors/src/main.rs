//! `vendors`: the simulators as a server, for the demo and for trying things by hand.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Parser;
use orla_vendors::{dropbox, facebook, mastodon, openai, vertex, webhook, x, youtube};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Strict simulators of the vendors that Orla speaks to.
#[derive(Parser)]
#[command(name = "vendors", version)]
struct Arguments {
    /// Where X listens.
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

    /// Where OpenAI listens.
    #[arg(long, default_value = "127.0.0.1:4011")]
    openai_listen: SocketAddr,

    /// The API key that OpenAI knows.
    #[arg(long, default_value = "sk-orla-demo")]
    openai_api_key: String,

    /// The port on this machine where Mastodon listens.
    #[arg(long, env = "MASTODON_SIMULATOR_PORT", default_value_t = 4012)]
    mastodon_port: u16,

    /// An access token of Mastodon's first account, which may publish.
    #[arg(long, default_value = "orla-demo-mastodon-token")]
    mastodon_token: String,

    /// The port on this machine where webhooks are received.
    #[arg(long, env = "WEBHOOK_SIMULATOR_PORT", default_value_t = 4013)]
    webhook_port: u16,

    /// The secret that webhooks are signed with: `whsec_` and the base64 of 24 to 64 bytes.
    #[arg(long, default_value = "whsec_b3JsYS1kZW1vLXdlYmhvb2stc2VjcmV0LTAwMDE=")]
    webhook_secret: String,

    /// The port on this machine where Facebook listens.
    #[arg(long, env = "FACEBOOK_SIMULATOR_PORT", default_value_t = 4014)]
    facebook_port: u16,

    /// The id of the app that Facebook knows.
    #[arg(long, default_value = "4014000000000001")]
    facebook_app_id: String,

    /// The secret of that app.
    #[arg(long, default_value = "orla-demo-facebook-secret")]
    facebook_app_secret: String,

    /// A redirect URI that the app has registered, compared byte for byte; repeat it for several.
    #[arg(long = "facebook-redirect-uri")]
    facebook_redirect_uris: Vec<String>,

    /// The port on this machine where Dropbox listens.
    #[arg(long, env = "DROPBOX_SIMULATOR_PORT", default_value_t = 4015)]
    dropbox_port: u16,

    /// The app key that Dropbox knows. Its redirect URIs are those of --redirect-uri.
    #[arg(long, default_value = "orla-demo")]
    dropbox_client_id: String,

    /// The secret of that app.
    #[arg(long, default_value = "orla-demo-secret")]
    dropbox_client_secret: String,

    /// The port on this machine where YouTube and Google's consent page listen.
    #[arg(long, env = "YOUTUBE_SIMULATOR_PORT", default_value_t = 4016)]
    youtube_port: u16,

    /// The client id that Google knows.
    #[arg(long, default_value = "4016.apps.googleusercontent.com")]
    youtube_client_id: String,

    /// The secret of that client.
    #[arg(long, default_value = "orla-demo-youtube-secret")]
    youtube_client_secret: String,

    /// A redirect URI that the client has registered, compared byte for byte; repeat it for several.
    #[arg(long = "youtube-redirect-uri")]
    youtube_redirect_uris: Vec<String>,

    /// The port on this machine where Vertex AI, Google's tokens for service accounts and Cloud Storage listen.
    #[arg(long, env = "VERTEX_SIMULATOR_PORT", default_value_t = 4017)]
    vertex_port: u16,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let arguments = Arguments::parse();
    let settings = x::Settings {
        client_id: arguments.x_client_id,
        client_secret: arguments.x_client_secret,
        redirect_uris: arguments.redirect_uris.clone(),
        ..x::Settings::default()
    };
    let x = x::Sim::bind(arguments.listen, settings).await?;
    tracing::info!(origin = x.origin(), "The simulated X is ready at {}.", x.origin());

    let settings = openai::Settings { api_key: arguments.openai_api_key, ..openai::Settings::default() };
    let openai = openai::Sim::bind(arguments.openai_listen, settings).await?;
    tracing::info!(origin = openai.origin(), "The simulated OpenAI is ready at {}.", openai.origin());

    let mut settings = mastodon::Settings::default();
    settings.tokens[0].token = arguments.mastodon_token;
    let mastodon = mastodon::Sim::bind((Ipv4Addr::LOCALHOST, arguments.mastodon_port), settings).await?;
    let origin = mastodon.origin();
    tracing::info!(
        origin,
        "The simulated Mastodon is ready at {origin}, for the token that --mastodon-token names; what was posted is at \
         {origin}/_sim/mastodon/statuses."
    );

    let settings = webhook::Settings { secrets: vec![arguments.webhook_secret], ..webhook::Settings::default() };
    let webhook = webhook::Sim::bind((Ipv4Addr::LOCALHOST, arguments.webhook_port), settings).await?;
    let origin = webhook.origin();
    tracing::info!(
        origin,
        "Webhooks are received at {origin}, on any path, signed with the secret that --webhook-secret names; what came \
         is at {origin}/_sim/webhook/deliveries."
    );

    let settings = facebook::Settings {
        app_id: arguments.facebook_app_id,
        app_secret: arguments.facebook_app_secret,
        redirect_uris: arguments.facebook_redirect_uris,
        ..facebook::Settings::default()
    };
    let facebook = facebook::Sim::bind((Ipv4Addr::LOCALHOST, arguments.facebook_port), settings).await?;
    let origin = facebook.origin();
    tracing::info!(
        origin,
        "The simulated Facebook is ready at {origin}, its dialog and Instagram too; what was posted is at \
         {origin}/_sim/facebook/posts and {origin}/_sim/instagram/media."
    );

    let settings = dropbox::Settings {
        client_id: arguments.dropbox_client_id,
        client_secret: arguments.dropbox_client_secret,
        redirect_uris: arguments.redirect_uris,
        ..dropbox::Settings::default()
    };
    let dropbox = dropbox::Sim::bind((Ipv4Addr::LOCALHOST, arguments.dropbox_port), settings).await?;
    tracing::info!(origin = dropbox.origin(), "The simulated Dropbox is ready at {}.", dropbox.origin());

    let settings = youtube::Settings {
        client_id: arguments.youtube_client_id,
        client_secret: arguments.youtube_client_secret,
        redirect_uris: arguments.youtube_redirect_uris,
        ..youtube::Settings::default()
    };
    let _youtube = start_youtube(arguments.youtube_port, settings).await?;
    let _vertex = start_vertex(arguments.vertex_port).await?;

    until_told().await
}

async fn start_youtube(port: u16, settings: youtube::Settings) -> std::io::Result<youtube::Sim> {
    let youtube = youtube::Sim::bind((Ipv4Addr::LOCALHOST, port), settings).await?;
    let origin = youtube.origin();
    tracing::info!(
        origin,
        "The simulated YouTube is ready at {origin}, Google's consent page too; what was uploaded is at \
         {origin}/_sim/youtube/videos."
    );
    Ok(youtube)
}

async fn start_vertex(port: u16) -> std::io::Result<vertex::Sim> {
    let vertex = vertex::Sim::bind((Ipv4Addr::LOCALHOST, port), vertex::Settings::of_the_demo()).await?;
    let origin = vertex.origin();
    tracing::info!(
        origin,
        "The simulated Vertex AI is ready at {origin}; the key file of its account is at {origin}/_sim/vertex/key_file, what \
         was begun at {origin}/_sim/vertex/operations."
    );
    Ok(vertex)
}

/// Waits for an interrupt or the wish to terminate.
async fn until_told() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
