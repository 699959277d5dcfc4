//! Where the demo listens, and what its programs are told.

use crate::program::{built, root, variable};
use crate::words::{Failure, Result};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;

/// The account that the demo makes.
pub(super) const EMAIL: &str = "demo@orla.local";
/// Its password, known to everybody: that is why the demo listens on this machine alone.
pub(super) const PASSWORD: &str = "Orla-demo-1";

/// The app that the simulated X and the simulated Dropbox know.
const CLIENT_ID: &str = "orla-demo";
const CLIENT_SECRET: &str = "orla-demo-secret";
/// The app that the simulated Facebook knows, of which the simulated Instagram is a part.
const FACEBOOK_APP_ID: &str = "4014000000000001";
const FACEBOOK_APP_SECRET: &str = "orla-demo-facebook-secret";
/// The client that the simulated Google knows, for YouTube.
const YOUTUBE_CLIENT_ID: &str = "4016.apps.googleusercontent.com";
const YOUTUBE_CLIENT_SECRET: &str = "orla-demo-youtube-secret";
const VERTEX_CLIENT_ID: &str = "4017.apps.googleusercontent.com";
const VERTEX_CLIENT_SECRET: &str = "orla-demo-vertex-secret";
/// The key that the simulated Stripe knows, and the secret that it signs events with.
const STRIPE_KEY: &str = "sk_test_orla_demo";
const STRIPE_WEBHOOK_SECRET: &str = "whsec_orla_demo";
/// The key that the simulated OpenAI knows.
const API_KEY: &str = "sk-orla-demo";

/// The demo's settings, by environment.
#[derive(Debug)]
pub(super) struct Settings {
    /// Where the host listens: `LISTEN`, or `PORT` on this machine alone.
    listen: SocketAddr,
    /// Where browsers reach it, without a slash at the end: `PUBLIC_URL`, or this machine.
    pub(super) url: String,
    /// Where the host keeps its files: `ORLA_DATA`, or `data` in the project's folder.
    pub(super) data: PathBuf,
    /// Where the simulated X listens: `SIMULATOR_PORT` on this machine.
    x: SocketAddr,
    /// Where the simulated OpenAI listens: `OPENAI_SIMULATOR_PORT` on this machine.
    openai: SocketAddr,
    /// Where the simulated Mastodon and the receiver of webhooks listen: `MASTODON_SIMULATOR_PORT` and
    /// `WEBHOOK_SIMULATOR_PORT` on this machine. A person's fields name them, so they are there whatever keys there are.
    pub(super) mastodon: SocketAddr,
    pub(super) webhook: SocketAddr,
    /// Where the simulated Facebook listens: `FACEBOOK_SIMULATOR_PORT` on this machine.
    facebook: SocketAddr,
    /// Where the simulated Dropbox listens: `DROPBOX_SIMULATOR_PORT` on this machine.
    dropbox: SocketAddr,
    /// Where the simulated YouTube listens: `YOUTUBE_SIMULATOR_PORT` on this machine.
    youtube: SocketAddr,
    /// Where the simulated Vertex AI listens: `VERTEX_SIMULATOR_PORT` on this machine.
    vertex: SocketAddr,
    /// Where the simulated Stripe listens: `STRIPE_SIMULATOR_PORT` on this machine.
    stripe: SocketAddr,
    /// Whether there is a key for the real Stripe.
    has_stripe_key: bool,
    /// Whether there is an app for the real Vertex AI, or it is said where that is: service accounts' keys are persons' own.
    has_real_vertex: bool,
    /// Whether there are keys for the real YouTube.
    has_youtube_keys: bool,
    /// Whether there are keys for the real Dropbox.
    has_dropbox_keys: bool,
    /// Whether there are keys for the real X.
    has_x_keys: bool,
    /// Whether there are keys for the real Facebook.
    has_facebook_keys: bool,
    /// Whether there are keys for the real Instagram.
    has_instagram_keys: bool,
    /// Whether there is a key for the real OpenAI.
    has_openai_key: bool,
    /// Whether mail goes to files in the data folder.
    pub(super) mail_in_files: bool,
    /// Whether the database is in the data folder.
    pub(super) own_database: bool,
}

impl Settings {
    pub(super) fn read() -> Result<Self> {
        let listen = match variable("LISTEN")? {
            Some(text) => {
                text.parse().map_err(|_| not("LISTEN", &text, "an address and port, such as 127.0.0.1:8080"))?
            }
            None => here(port("PORT", 8080)?),
        };
        let url = variable("PUBLIC_URL")?.unwrap_or_else(|| format!("http://localhost:{}", listen.port()));
        let data = match variable("ORLA_DATA")? {
            Some(folder) => std::path::absolute(&folder).map_err(|_| not("ORLA_DATA", &folder, "a folder"))?,
            None => root()?.join("data"),
        };
        Ok(Self {
            listen,
            url: url.trim_end_matches('/').to_owned(),
            data,
            x: here(port("SIMULATOR_PORT", 4010)?),
            openai: here(port("OPENAI_SIMULATOR_PORT", 4011)?),
            mastodon: here(port("MASTODON_SIMULATOR_PORT", 4012)?),
            webhook: here(port("WEBHOOK_SIMULATOR_PORT", 4013)?),
            facebook: here(port("FACEBOOK_SIMULATOR_PORT", 4014)?),
            dropbox: here(port("DROPBOX_SIMULATOR_PORT", 4015)?),
            youtube: here(port("YOUTUBE_SIMULATOR_PORT", 4016)?),
            vertex: here(port("VERTEX_SIMULATOR_PORT", 4017)?),
            stripe: here(port("STRIPE_SIMULATOR_PORT", 4018)?),
            has_stripe_key: variable("ORLA_STRIPE__SECRET_KEY")?.is_some(),
            has_real_vertex: variable("ORLA_CONNECTORS__VERTEX__ENDPOINTS__API")?.is_some()
                || variable("ORLA_CONNECTORS__VERTEX__CLIENT_ID")?.is_some(),
            has_youtube_keys: variable("ORLA_CONNECTORS__YOUTUBE__CLIENT_ID")?.is_some(),
            has_dropbox_keys: variable("ORLA_CONNECTORS__DROPBOX__CLIENT_ID")?.is_some(),
            has_x_keys: variable("ORLA_CONNECTORS__X__CLIENT_ID")?.is_some(),
            has_facebook_keys: variable("ORLA_CONNECTORS__FACEBOOK__CLIENT_ID")?.is_some(),
            has_instagram_keys: variable("ORLA_CONNECTORS__INSTAGRAM__CLIENT_ID")?.is_some(),
            has_openai_key: variable("ORLA_CONNECTORS__OPENAI__API_KEY")?.is_some(),
            mail_in_files: variable("ORLA_SMTP_URL")?.is_none(),
            own_database: variable("DATABASE_URL")?.is_none(),
        })
    }

    /// Sees to it that nobody listens where we are going to: better now than after the build.
    pub(super) fn check_ports(&self) -> Result {
        check_port(self.listen, "Orla", "PORT")?;
        check_port(self.mastodon, "the simulated Mastodon", "MASTODON_SIMULATOR_PORT")?;
        check_port(self.webhook, "the receiver of webhooks", "WEBHOOK_SIMULATOR_PORT")?;
        check_port(self.facebook, "the simulated Facebook", "FACEBOOK_SIMULATOR_PORT")?;
        check_port(self.dropbox, "the simulated Dropbox", "DROPBOX_SIMULATOR_PORT")?;
        check_port(self.youtube, "the simulated YouTube", "YOUTUBE_SIMULATOR_PORT")?;
        check_port(self.vertex, "the simulated Vertex AI", "VERTEX_SIMULATOR_PORT")?;
        check_port(self.stripe, "the simulated Stripe", "STRIPE_SIMULATOR_PORT")?;
        check_port(self.x, "the simulated X", "SIMULATOR_PORT")?;
        check_port(self.openai, "the simulated OpenAI", "OPENAI_SIMULATOR_PORT")
    }

    /// The simulated X; nothing where there are keys for the real one.
    pub(super) fn simulated_x(&self) -> Option<SocketAddr> {
        (!self.has_x_keys).then_some(self.x)
    }

    /// The simulated Facebook; nothing where there are keys for the real one.
    pub(super) fn simulated_facebook(&self) -> Option<SocketAddr> {
        (!self.has_facebook_keys).then_some(self.facebook)
    }

    /// The simulated Instagram; nothing where there are keys for the real one.
    pub(super) fn simulated_instagram(&self) -> Option<SocketAddr> {
        (!self.has_instagram_keys).then_some(self.facebook)
    }

    /// The simulated OpenAI; nothing where there is a key for the real one.
    pub(super) fn simulated_openai(&self) -> Option<SocketAddr> {
        (!self.has_openai_key).then_some(self.openai)
    }

    /// The simulated Dropbox; nothing where there are keys for the real one.
    pub(super) fn simulated_dropbox(&self) -> Option<SocketAddr> {
        (!self.has_dropbox_keys).then_some(self.dropbox)
    }

    /// The simulated YouTube; nothing where there are keys for the real one.
    pub(super) fn simulated_youtube(&self) -> Option<SocketAddr> {
        (!self.has_youtube_keys).then_some(self.youtube)
    }

    /// The simulated Vertex AI; nothing where there is an app for the real one, or it is said where that is.
    pub(super) fn simulated_vertex(&self) -> Option<SocketAddr> {
        (!self.has_real_vertex).then_some(self.vertex)
    }

    /// The simulated Stripe; nothing where there is a key for the real one.
    pub(super) fn simulated_stripe(&self) -> Option<SocketAddr> {
        (!self.has_stripe_key).then_some(self.stripe)
    }

    /// Tells the host's program where the simulated Stripe is.
    fn pay_at_the_simulator(&self, command: &mut Command) {
        if let Some(simulator) = self.simulated_stripe() {
            command
                .env("ORLA_STRIPE__URL", format!("http://{simulator}"))
                .env("ORLA_STRIPE__SECRET_KEY", STRIPE_KEY)
                .env("ORLA_STRIPE__WEBHOOK_SECRETS", STRIPE_WEBHOOK_SECRET);
        }
    }

    pub(super) fn connectors_folder(&self) -> PathBuf {
        self.data.join("connectors")
    }

    /// Where this machine reaches the host.
    pub(super) fn address(&self) -> SocketAddr {
        if self.listen.ip().is_unspecified() { here(self.listen.port()) } else { self.listen }
    }

    /// The host's program, told where its files and the simulator are.
    pub(super) fn host(&self) -> Result<Command> {
        let (programs, _) = built()?;
        let mut command = Command::new(programs.join("orla"));
        command
            .current_dir(root()?)
            .env("LISTEN", self.listen.to_string())
            .env("ORLA_DATA", &self.data)
            .env("ORLA_CONNECTORS_FOLDER", self.connectors_folder());
        // A person may name these, and a picture that the simulated X serves can be posted by its URL.
        let named = [Some(self.mastodon), Some(self.webhook), self.simulated_x()];
        let named = named.into_iter().flatten().map(|address| address.to_string());
        let allowed: Vec<String> = variable("ORLA_EGRESS_ALLOW")?.into_iter().chain(named).collect();
        command.env("ORLA_EGRESS_ALLOW", allowed.join(","));
        if let Some(simulator) = self.simulated_x() {
            let origin = format!("http://{simulator}");
            command
                .env("ORLA_CONNECTORS__X__CLIENT_ID", CLIENT_ID)
                .env("ORLA_CONNECTORS__X__CLIENT_SECRET", CLIENT_SECRET)
                .env("ORLA_CONNECTORS__X__ENDPOINTS__API", &origin)
                .env("ORLA_CONNECTORS__X__ENDPOINTS__WEB", &origin);
        }
        if let Some(simulator) = self.simulated_facebook() {
            let origin = format!("http://{simulator}");
            command
                .env("ORLA_CONNECTORS__FACEBOOK__CLIENT_ID", FACEBOOK_APP_ID)
                .env("ORLA_CONNECTORS__FACEBOOK__CLIENT_SECRET", FACEBOOK_APP_SECRET)
                .env("ORLA_CONNECTORS__FACEBOOK__ENDPOINTS__API", &origin)
                .env("ORLA_CONNECTORS__FACEBOOK__ENDPOINTS__VIDEO", &origin)
                .env("ORLA_CONNECTORS__FACEBOOK__ENDPOINTS__WEB", &origin);
        }
        if let Some(simulator) = self.simulated_instagram() {
            command
                .env("ORLA_CONNECTORS__INSTAGRAM__CLIENT_ID", FACEBOOK_APP_ID)
                .env("ORLA_CONNECTORS__INSTAGRAM__CLIENT_SECRET", FACEBOOK_APP_SECRET);
            for endpoint in ["API", "UPLOAD", "WEB"] {
                command
                    .env(format!("ORLA_CONNECTORS__INSTAGRAM__ENDPOINTS__{endpoint}"), format!("http://{simulator}"));
            }
        }
        if let Some(simulator) = self.simulated_dropbox() {
            let origin = format!("http://{simulator}");
            command
                .env("ORLA_CONNECTORS__DROPBOX__CLIENT_ID", CLIENT_ID)
                .env("ORLA_CONNECTORS__DROPBOX__CLIENT_SECRET", CLIENT_SECRET);
            for endpoint in ["API", "CONTENT", "WEB"] {
                command.env(format!("ORLA_CONNECTORS__DROPBOX__ENDPOINTS__{endpoint}"), &origin);
            }
        }
        if let Some(simulator) = self.simulated_youtube() {
            command
                .env("ORLA_CONNECTORS__YOUTUBE__CLIENT_ID", YOUTUBE_CLIENT_ID)
                .env("ORLA_CONNECTORS__YOUTUBE__CLIENT_SECRET", YOUTUBE_CLIENT_SECRET);
            for endpoint in ["API", "TOKENS", "WEB"] {
                command.env(format!("ORLA_CONNECTORS__YOUTUBE__ENDPOINTS__{endpoint}"), format!("http://{simulator}"));
            }
        }
        if let Some(simulator) = self.simulated_vertex() {
            command
                .env("ORLA_CONNECTORS__VERTEX__CLIENT_ID", VERTEX_CLIENT_ID)
                .env("ORLA_CONNECTORS__VERTEX__CLIENT_SECRET", VERTEX_CLIENT_SECRET);
            for endpoint in ["API", "PROJECTS", "STORAGE", "TOKENS", "WEB", "WHO"] {
                command.env(format!("ORLA_CONNECTORS__VERTEX__ENDPOINTS__{endpoint}"), format!("http://{simulator}"));
            }
            // It is quicker than Google.
            command.env("ORLA_CONNECTORS__VERTEX__SETTINGS__LOOK_EVERY_MS", "1000");
        }
        if let Some(simulator) = self.simulated_openai() {
            command
                .env("ORLA_CONNECTORS__OPENAI__API_KEY", API_KEY)
                .env("ORLA_CONNECTORS__OPENAI__ENDPOINTS__API", format!("http://{simulator}"));
        }
        self.pay_at_the_simulator(&mut command);
        Ok(command)
    }

    /// The simulators' program, told where the host's callback is.
    pub(super) fn vendors(&self) -> Result<Command> {
        let (programs, _) = built()?;
        let mut command = Command::new(programs.join("vendors"));
        command
            .args(["--listen", &self.x.to_string(), "--openai-listen", &self.openai.to_string()])
            .args(["--mastodon-port", &self.mastodon.port().to_string()])
            .args(["--webhook-port", &self.webhook.port().to_string()])
            .args(["--facebook-port", &self.facebook.port().to_string()])
            .args(["--facebook-app-id", FACEBOOK_APP_ID, "--facebook-app-secret", FACEBOOK_APP_SECRET])
            .args(["--facebook-redirect-uri", &format!("{}/social/oauth/facebook/callback", self.url)])
            .args(["--facebook-redirect-uri", &format!("{}/social/oauth/instagram/callback", self.url)])
            .args(["--dropbox-port", &self.dropbox.port().to_string()])
            .args(["--dropbox-client-id", CLIENT_ID, "--dropbox-client-secret", CLIENT_SECRET])
            .args(["--youtube-port", &self.youtube.port().to_string()])
            .args(["--youtube-client-id", YOUTUBE_CLIENT_ID, "--youtube-client-secret", YOUTUBE_CLIENT_SECRET])
            .args(["--youtube-redirect-uri", &format!("{}/social/oauth/youtube/callback", self.url)])
            .args(["--vertex-port", &self.vertex.port().to_string()])
            .args(["--vertex-client-id", VERTEX_CLIENT_ID, "--vertex-client-secret", VERTEX_CLIENT_SECRET])
            .args(["--vertex-redirect-uri", &format!("{}/social/oauth/vertex/callback", self.url)])
            .args(["--stripe-port", &self.stripe.port().to_string()])
            .args(["--stripe-api-key", STRIPE_KEY, "--stripe-webhook-secret", STRIPE_WEBHOOK_SECRET])
            .args(["--stripe-webhook-url", &format!("http://{}/payment/stripe/webhook", self.address())])
            .args(["--openai-api-key", API_KEY])
            .args(["--x-client-id", CLIENT_ID, "--x-client-secret", CLIENT_SECRET])
            .args(["--redirect-uri", &format!("{}/social/oauth/twitter/callback", self.url)])
            .args(["--redirect-uri", &format!("{}/cloud-storage/oauth/dropbox/callback", self.url)]);
        Ok(command)
    }
}

fn here(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn port(name: &str, default: u16) -> Result<u16> {
    match variable(name)? {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err(not(name, &text, "a port, 1 to 65535")),
        },
    }
}

fn not(name: &str, text: &str, wanted: &str) -> Failure {
    Failure::new(format!("{name} is `{text}`, which is not {wanted}."))
}

fn check_port(address: SocketAddr, who: &str, variable: &str) -> Result {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(Failure::new(format!(
            "Port {} is taken by another program, but {who} is to listen there. End that program, or choose another \
             port: {variable}=<port> cargo demo",
            address.port()
        ))),
        Err(error) => Err(Failure::new(format!("{who} cannot listen on {address}: {error}."))),
    }
}
