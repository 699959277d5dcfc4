//! A host with every connector, whose every word to a vendor or a person goes through a recorder, and a person who uses
//! all of it.

use super::recorder::Recorder;
use super::scan::Canary;
use crate::harness::{Backend, Host, Person, component, settings};
use crate::secrets::memory::Watched;
use orla::config::{Config, ConnectorConfig, StripeConfig};
use orla::connectors::{Actor, Consent, Memories, Then};
use orla_vendors::{dropbox, facebook, mastodon, openai, stripe, webhook, x, youtube};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use url::{Position, Url};

/// What must be found wherever it can be.
pub(super) const CONTROL: &str = "CONTROL-TEXT-THAT-MUST-BE-FOUND";
/// In every code and token of X, of Facebook, of Dropbox and of YouTube.
pub(super) const X: &str = "CANARYMINTEDBYX";
pub(super) const FACEBOOK: &str = "CANARYMINTEDBYFACEBOOK";
pub(super) const DROPBOX: &str = "CANARYMINTEDBYDROPBOX";
pub(super) const YOUTUBE: &str = "CANARYMINTEDBYYOUTUBE";
/// How the link of every upload to YouTube names it.
pub(super) const UPLOAD: &str = "upload_id=ABPtcPorla";
pub(super) const X_APP: &str = "canary-of-the-installations-x-app";
pub(super) const FACEBOOK_APP: &str = "canaryofthefacebookapp";
pub(super) const YOUTUBE_APP: &str = "canary-of-the-youtube-app";
pub(super) const OWN_APP: &str = "canary-of-the-workspaces-own-app";
pub(super) const OPENAI: &str = "sk-canary-of-openai";
pub(super) const STRIPE: &str = "sk_test_canary_of_stripe";
pub(super) const STRIPE_SIGNS: &str = "whsec_canary_of_stripes_events";
pub(super) const MASTODON: &str = "canary-of-a-mastodon-token";
pub(super) const WEBHOOK_KEY: &[u8] = b"canary-of-a-webhooks-key";
pub(super) const WEBHOOK_PATH: &str = "/hooks/canary-of-a-webhooks-path";
pub(super) const METRICS: &str = "canary-of-the-metrics-token";
pub(super) const PAGE: &str = "615500000000001";
/// The Instagram account of the same person.
pub(super) const PROFESSIONAL: &str = "17841400000000001";

/// The vendors, each behind its recorder.
pub(super) struct Stage {
    pub(super) host: Host,
    pub(super) watched: Watched,
    pub(super) facebook: facebook::Sim,
    pub(super) dropbox: dropbox::Sim,
    pub(super) youtube: youtube::Sim,
    pub(super) stripe: stripe::Sim,
    pub(super) mastodon: mastodon::Sim,
    pub(super) webhook: webhook::Sim,
    /// Before the host itself.
    pub(super) front: Recorder,
    pub(super) recorders: Recorders,
}

/// One before each vendor.
pub(super) struct Recorders {
    x: Recorder,
    facebook: Recorder,
    dropbox: Recorder,
    youtube: Recorder,
    stripe: Recorder,
    openai: Recorder,
    mastodon: Recorder,
    webhook: Recorder,
}

impl Recorders {
    /// Every request to every vendor.
    pub(super) fn asked(&self) -> Vec<u8> {
        let Self { x, facebook, dropbox, youtube, stripe, openai, mastodon, webhook } = self;
        [x, facebook, dropbox, youtube, stripe, openai, mastodon, webhook].map(Recorder::asked).concat()
    }

    /// Every answer of Facebook's.
    pub(super) fn facebook_answered(&self) -> Vec<u8> {
        self.facebook.answered()
    }
}

/// The app of a connector whose endpoints are at a recorder.
fn app(recorder: &Recorder, endpoints: &[&str], id: &str, secret: &str) -> ConnectorConfig {
    ConnectorConfig {
        client_id: Some(id.to_owned()),
        client_secret: Some(SecretString::from(secret)),
        endpoints: endpoints.iter().map(|name| ((*name).to_owned(), recorder.origin())).collect(),
        visible_after_ms: Some(300),
        ..ConnectorConfig::default()
    }
}

fn configure(config: &mut Config, recorders: &Recorders) {
    let Recorders { x, facebook, dropbox, youtube, stripe, openai, mastodon, webhook } = recorders;
    let facebook_id = facebook::Settings::default().app_id;
    for id in ["x", "probe"] {
        config.connectors.insert(id.to_owned(), app(x, &["api", "web"], "orla-demo", X_APP));
    }
    let at_facebook = app(facebook, &["api", "web", "video"], &facebook_id, FACEBOOK_APP);
    config.connectors.insert("facebook".to_owned(), at_facebook);
    config.connectors.insert("graph".to_owned(), app(facebook, &["api", "web"], &facebook_id, FACEBOOK_APP));
    let at_instagram = app(facebook, &["api", "web", "upload"], &facebook_id, FACEBOOK_APP);
    config.connectors.insert("instagram".to_owned(), at_instagram);
    let youtube_id = youtube::Settings::default().client_id;
    let at_youtube = app(youtube, &["web", "api", "tokens"], &youtube_id, YOUTUBE_APP);
    config.connectors.insert("youtube".to_owned(), at_youtube);
    // Its app is the workspace's own.
    let nobodys = app(dropbox, &["api", "content", "web"], "", "");
    let nobodys = ConnectorConfig { client_id: None, client_secret: None, ..nobodys };
    config.connectors.insert("dropbox".to_owned(), nobodys);
    let text = config.connectors.get_mut("openai").unwrap();
    text.api_key = Some(SecretString::from(OPENAI));
    text.endpoints.insert("api".to_owned(), openai.origin());
    *config.stripe = StripeConfig {
        secret_key: Some(SecretString::from(STRIPE)),
        // Several, as while one is exchanged.
        webhook_secrets: Some(SecretString::from(format!("whsec_of_before,{STRIPE_SIGNS}"))),
        url: stripe.origin().parse().unwrap(),
        ..StripeConfig::default()
    };
    config.egress_allow.extend([mastodon.address.clone(), webhook.address.clone()]);
    config.metrics_token = Some(SecretString::from(METRICS));
    config.concurrent_calls = 4;
}

impl Stage {
    pub(super) async fn set(backend: Backend) -> Self {
        let watched = Watched::keeping();
        let memories = Memories::From(Arc::new(watched.clone()));
        let facebook = facebook::Sim::start(facebook::Settings {
            token_prefix: FACEBOOK.to_owned(),
            app_secret: FACEBOOK_APP.to_owned(),
            require_proof: true,
            empty_first_pages: true,
            ..facebook::Settings::default()
        });
        let mut files = dropbox::Settings {
            token_mark: DROPBOX.to_owned(),
            client_secret: OWN_APP.to_owned(),
            ..dropbox::Settings::default()
        };
        files.accounts[0].files = vec![dropbox::File::new("/Control.txt", dropbox::Content::Text(CONTROL.to_owned()))];
        let scopes = "read:accounts read:statuses write:media write:statuses";
        let instance = mastodon::Settings {
            tokens: vec![mastodon::Token::new(MASTODON, "orla_demo", scopes)],
            ..mastodon::Settings::default()
        };
        let receiver = webhook::Settings { secrets: vec![webhook_secret()], ..webhook::Settings::default() };
        let films = youtube::Settings {
            token_mark: YOUTUBE.to_owned(),
            client_secret: YOUTUBE_APP.to_owned(),
            ..youtube::Settings::default()
        };
        let payments = stripe::Settings {
            api_key: STRIPE.to_owned(),
            webhook_secret: STRIPE_SIGNS.to_owned(),
            ..stripe::Settings::default()
        };
        let stripe = stripe::Sim::start(payments).await;
        let (facebook, dropbox) = (facebook.await, dropbox::Sim::start(files).await);
        let youtube = youtube::Sim::start(films).await;
        let (mastodon, webhook) = (mastodon::Sim::start(instance).await, webhook::Sim::start(receiver).await);
        // X and OpenAI are the harness's; where they are is known only once the host is.
        let (at_x, at_openai) = (Recorder::unset().await, Recorder::unset().await);
        let recorders = Recorders {
            x: at_x.clone(),
            openai: at_openai.clone(),
            facebook: Recorder::before(facebook.origin()).await,
            dropbox: Recorder::before(dropbox.origin()).await,
            youtube: Recorder::before(youtube.origin()).await,
            stripe: Recorder::before(stripe.origin()).await,
            mastodon: Recorder::before(mastodon.origin()).await,
            webhook: Recorder::before(webhook.origin()).await,
        };
        let at_home = x::Settings { token_prefix: X.to_owned(), client_secret: X_APP.to_owned(), ..settings() };
        let host = Host::start_with(backend, at_home, |config| {
            configure(config, &recorders);
            memories
        })
        .await;
        host.openai.change(|settings: &mut openai::Settings| settings.api_key = OPENAI.to_owned());
        at_x.set(host.sim.origin());
        at_openai.set(host.openai.origin());
        for platform in ["facebook", "graph", "instagram"] {
            facebook.register_redirect_uri(format!("{}/social/oauth/{platform}/callback", host.url));
        }
        dropbox.register_redirect_uri(format!("{}/cloud-storage/oauth/dropbox/callback", host.url));
        youtube.register_redirect_uri(format!("{}/social/oauth/youtube/callback", host.url));
        for id in ["facebook", "graph", "instagram", "dropbox", "youtube", "mastodon", "webhook"] {
            let wasm = std::fs::read(component(id)).unwrap();
            let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
            assert_eq!(Box::pin(installing).await.unwrap().state, "active", "{id}");
        }
        let front = Recorder::before(host.url.clone()).await;
        Self { host, watched, facebook, dropbox, youtube, stripe, mastodon, webhook, front, recorders }
    }

    /// Where webhooks are received, seen through the recorder.
    pub(super) fn webhook_origin(&self) -> String {
        self.recorders.webhook.origin()
    }

    /// A person who speaks to the host through the recorder.
    pub(super) async fn person(&self, name: &str) -> Person {
        self.host.person(name).await;
        Person::log_in(&self.front.origin(), &format!("{name}@example.org")).await
    }

    /// Connects an account by OAuth, with `agree` as the person who goes from the vendor's page back to the host. Gives
    /// what ties both ends together.
    pub(super) async fn connect(&self, person: &Person, way: &str, agree: impl FnOnce(&str) -> Url) -> [Canary; 2] {
        let begun = person.get(&format!("{way}/auth")).await;
        let cookie = begun.cookie.clone().unwrap();
        let auth_url = begun.expect(200)["auth_url"].as_str().unwrap().to_owned();
        let state = Url::parse(&auth_url).unwrap();
        let state = state.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let back = agree(&auth_url);
        let back = format!("{}{}", person.url, &back[Position::BeforePath..Position::AfterQuery]);
        let ended = person.http.get(back).header("cookie", &cookie).send().await.unwrap();
        assert_eq!(ended.status(), 200, "{way}: {}", ended.text().await.unwrap());
        let browser = cookie.split_once('=').unwrap().1;
        [
            Canary::new(format!("the state of {way}"), state).told_in(&["the answers"]),
            Canary::new(format!("the cookie of {way}"), browser).told_in(&["the answers"]),
        ]
    }

    /// Connects an account by fields.
    pub(super) async fn enter(&self, person: &Person) {
        let (mastodon, webhook) = (&self.recorders.mastodon, &self.recorders.webhook);
        let fields = json!({"fields": {"instance": mastodon.origin(), "token": MASTODON}});
        person.post("/social/connections/mastodon", &fields).await.expect(201);
        let url = format!("{}{WEBHOOK_PATH}", webhook.origin());
        let fields = json!({"fields": {"url": url, "secret": webhook_secret()}});
        person.post("/social/connections/webhook", &fields).await.expect(201);
    }
}

pub(super) fn webhook_secret() -> String {
    use base64::Engine as _;
    format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(WEBHOOK_KEY))
}

/// Publishes, and waits until nothing more becomes of it.
pub(super) async fn publish(person: &Person, platform: &str, content: &str) -> Value {
    let mut post = json!({"platform": platform, "content": content});
    if ["facebook", "graph"].contains(&platform) {
        post["target"] = PAGE.into();
    }
    publish_whole(person, &post).await
}

/// As [`publish`], of a post with all its members.
pub(super) async fn publish_whole(person: &Person, post: &Value) -> Value {
    let key = format!("{} {:.60}", post["platform"].as_str().unwrap(), post["content"].as_str().unwrap());
    person.published(post, &key.replace('\n', " "), &["published", "failed", "uncertain"]).await
}
