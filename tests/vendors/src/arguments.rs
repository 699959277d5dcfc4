//! What the binary can be told.

use std::net::SocketAddr;

use clap::Parser;

/// Strict simulators of the vendors that Orla speaks to.
#[derive(Parser)]
#[command(name = "vendors", version)]
pub(crate) struct Arguments {
    /// Where X listens.
    #[arg(long, default_value = "127.0.0.1:4010")]
    pub(crate) listen: SocketAddr,

    /// The OAuth client id that X knows.
    #[arg(long, default_value = "orla-demo")]
    pub(crate) x_client_id: String,

    /// The secret of that client.
    #[arg(long, default_value = "orla-demo-secret")]
    pub(crate) x_client_secret: String,

    /// A redirect URI that the client has registered, compared byte for byte; repeat it for several.
    #[arg(long = "redirect-uri")]
    pub(crate) redirect_uris: Vec<String>,

    /// Where OpenAI listens.
    #[arg(long, default_value = "127.0.0.1:4011")]
    pub(crate) openai_listen: SocketAddr,

    /// The API key that OpenAI knows.
    #[arg(long, default_value = "sk-orla-demo")]
    pub(crate) openai_api_key: String,

    /// The port on this machine where Mastodon listens.
    #[arg(long, env = "MASTODON_SIMULATOR_PORT", default_value_t = 4012)]
    pub(crate) mastodon_port: u16,

    /// An access token of Mastodon's first account, which may publish.
    #[arg(long, default_value = "orla-demo-mastodon-token")]
    pub(crate) mastodon_token: String,

    /// The port on this machine where webhooks are received.
    #[arg(long, env = "WEBHOOK_SIMULATOR_PORT", default_value_t = 4013)]
    pub(crate) webhook_port: u16,

    /// The secret that webhooks are signed with: `whsec_` and the base64 of 24 to 64 bytes.
    #[arg(long, default_value = "whsec_b3JsYS1kZW1vLXdlYmhvb2stc2VjcmV0LTAwMDE=")]
    pub(crate) webhook_secret: String,

    /// The port on this machine where Facebook listens.
    #[arg(long, env = "FACEBOOK_SIMULATOR_PORT", default_value_t = 4014)]
    pub(crate) facebook_port: u16,

    /// The id of the app that Facebook knows.
    #[arg(long, default_value = "4014000000000001")]
    pub(crate) facebook_app_id: String,

    /// The secret of that app.
    #[arg(long, default_value = "orla-demo-facebook-secret")]
    pub(crate) facebook_app_secret: String,

    /// A redirect URI that the app has registered, compared byte for byte; repeat it for several.
    #[arg(long = "facebook-redirect-uri")]
    pub(crate) facebook_redirect_uris: Vec<String>,

    /// The port on this machine where Dropbox listens.
    #[arg(long, env = "DROPBOX_SIMULATOR_PORT", default_value_t = 4015)]
    pub(crate) dropbox_port: u16,

    /// The app key that Dropbox knows. Its redirect URIs are those of --redirect-uri.
    #[arg(long, default_value = "orla-demo")]
    pub(crate) dropbox_client_id: String,

    /// The secret of that app.
    #[arg(long, default_value = "orla-demo-secret")]
    pub(crate) dropbox_client_secret: String,

    /// The port on this machine where YouTube and Google's consent page listen.
    #[arg(long, env = "YOUTUBE_SIMULATOR_PORT", default_value_t = 4016)]
    pub(crate) youtube_port: u16,

    /// The client id that Google knows.
    #[arg(long, default_value = "4016.apps.googleusercontent.com")]
    pub(crate) youtube_client_id: String,

    /// The secret of that client.
    #[arg(long, default_value = "orla-demo-youtube-secret")]
    pub(crate) youtube_client_secret: String,

    /// A redirect URI that the client has registered, compared byte for byte; repeat it for several.
    #[arg(long = "youtube-redirect-uri")]
    pub(crate) youtube_redirect_uris: Vec<String>,

    /// The port on this machine where Vertex AI, Google's consent page and tokens and Cloud Storage listen.
    #[arg(long, env = "VERTEX_SIMULATOR_PORT", default_value_t = 4017)]
    pub(crate) vertex_port: u16,

    /// The client id that Google knows there.
    #[arg(long, default_value = "4017.apps.googleusercontent.com")]
    pub(crate) vertex_client_id: String,

    /// The secret of that client.
    #[arg(long, default_value = "orla-demo-vertex-secret")]
    pub(crate) vertex_client_secret: String,

    /// A redirect URI that the client has registered, compared byte for byte; repeat it for several.
    #[arg(long = "vertex-redirect-uri")]
    pub(crate) vertex_redirect_uris: Vec<String>,

    /// The port on this machine where Stripe, its Checkout and its portal listen.
    #[arg(long, env = "STRIPE_SIMULATOR_PORT", default_value_t = 4018)]
    pub(crate) stripe_port: u16,

    /// The secret key that Stripe knows.
    #[arg(long, default_value = "sk_test_orla_demo")]
    pub(crate) stripe_api_key: String,

    /// Where Stripe delivers its events to; nowhere if it is not said.
    #[arg(long)]
    pub(crate) stripe_webhook_url: Option<String>,

    /// The secret that those deliveries are signed with: the whole of it is the key.
    #[arg(long, default_value = "whsec_orla_demo")]
    pub(crate) stripe_webhook_secret: String,
}
