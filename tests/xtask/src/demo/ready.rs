//! Whether the host is ready, and what to tell the user once it is.

use super::settings::{EMAIL, PASSWORD, Settings};
use crate::words::say;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_ANSWER_BYTES: u64 = 64 << 10;

/// Whether the host answers that it can serve.
pub(super) fn is_ready(address: SocketAddr) -> bool {
    let answered = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(LONGEST_ANSWER_BYTES).read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200 "))
    };
    answered().unwrap_or(false)
}

/// Says where everything is, and what to try.
pub(super) fn welcome(settings: &Settings) {
    let Settings { url, data, .. } = settings;
    let mail = if settings.mail_in_files {
        format!("in {} (nothing leaves this machine)", data.join("mail").display())
    } else {
        "goes out by ORLA_SMTP_URL".to_owned()
    };
    let database = if settings.own_database { "SQLite" } else { "the database is that of DATABASE_URL" };
    let model = match settings.simulated_openai() {
        Some(simulator) => format!("simulated at http://{simulator}"),
        None => "the real one, by ORLA_CONNECTORS__OPENAI__API_KEY".to_owned(),
    };
    let network = match settings.simulated_x() {
        Some(simulator) => format!("simulated at http://{simulator}; what it took: http://{simulator}/_sim/x/posts"),
        None => "the real one, by ORLA_CONNECTORS__X__CLIENT_ID".to_owned(),
    };
    let facebook = match settings.simulated_facebook() {
        Some(simulator) => format!("simulated at http://{simulator}, for the account Orla Demo and its pages"),
        None => "the real one, by ORLA_CONNECTORS__FACEBOOK__CLIENT_ID".to_owned(),
    };
    let youtube = match settings.simulated_youtube() {
        Some(simulator) => format!("simulated at http://{simulator}, for the account orla@example.com"),
        None => "the real one, by ORLA_CONNECTORS__YOUTUBE__CLIENT_ID".to_owned(),
    };
    let vertex = vertex(settings);
    let stripe = match settings.simulated_stripe() {
        Some(simulator) => {
            format!("simulated at http://{simulator}; its events: http://{simulator}/_sim/stripe/events")
        }
        None => "the real one, by ORLA_STRIPE__SECRET_KEY; `orla stripe sync` makes its prices".to_owned(),
    };
    let instagram = match settings.simulated_instagram() {
        Some(simulator) => {
            format!("simulated at http://{simulator}, for the same account; it fetches images from {url}")
        }
        None => "the real one, by ORLA_CONNECTORS__INSTAGRAM__CLIENT_ID".to_owned(),
    };
    let drive = match settings.simulated_dropbox() {
        Some(simulator) => format!("simulated at http://{simulator}"),
        None => "the real one, by ORLA_CONNECTORS__DROPBOX__CLIENT_ID".to_owned(),
    };
    say(&format!(
        "\nOrla is ready.\n\n  \
         address   {url}   (the API: {url}/docs)\n  \
         log in    {EMAIL}   {PASSWORD}\n  \
         data      {} ({database})\n  \
         mail      {mail}\n  \
         X         {network}\n  \
         Facebook  {facebook}\n  \
         Instagram {instagram}\n  \
         YouTube   {youtube}\n  \
         OpenAI    {model}\n  \
         Vertex AI {vertex}\n  \
         Stripe    {stripe}\n  \
         Dropbox   {drive}\n  \
         Mastodon  simulated at http://{} (token orla-demo-mastodon-token)\n  \
         webhooks  are received at http://{}/any/path (secret whsec_b3JsYS1kZW1vLXdlYmhvb2stc2VjcmV0LTAwMDE=)\n\n\
         The next request to try, in another terminal:\n\n  \
         curl -s {url}/auth/login -H 'Content-Type: application/json' \\\n    \
         -d '{{\"email\":\"{EMAIL}\",\"password\":\"{PASSWORD}\"}}'\n\n\
         It goes on in README.md, under \"A walk\". Ctrl-C stops everything.\n",
        data.display(),
        settings.mastodon,
        settings.webhook
    ));
}

/// Where Vertex AI is, for the page that says where everything is.
fn vertex(settings: &Settings) -> String {
    match settings.simulated_vertex() {
        Some(simulator) => {
            format!(
                "simulated at http://{simulator}, for the account orla@example.com; a service account's key: \
                 http://{simulator}/_sim/vertex/key_file"
            )
        }
        None => {
            "the real one, by ORLA_CONNECTORS__VERTEX__CLIENT_ID or ORLA_CONNECTORS__VERTEX__ENDPOINTS__API".to_owned()
        }
    }
}
