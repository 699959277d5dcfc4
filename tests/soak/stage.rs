//! Who is there: three simulated networks that count, people with an account at each, and a database that hosts may share.

use crate::harness::{Backend, Host, Person, component, price, settings};
use orla::connectors::{Actor, Consent, Memories, Then};
use orla_vendors::x::{Account, Fault, Settings};
use orla_vendors::{mastodon, webhook};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Each with an account of its own at each network: reconciling reads an account's recent posts, and more of them than the
/// network lets an account make would hide the one that it looks for.
pub(crate) const CLIENTS: usize = 12;
pub(crate) const CREDITS: i64 = 100_000;
pub(crate) const PRICE: i64 = 3;
/// Longer than the longest delay that a network is told to have, so that absence means absence.
const VISIBLE_AFTER_MS: &str = "1500";
pub(crate) const HOOK: &str = "/hooks/soak";

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Network {
    X,
    Mastodon,
    Webhook,
}

impl Network {
    pub(crate) const ALL: [Self; 3] = [Self::X, Self::Mastodon, Self::Webhook];

    /// What the API calls it.
    pub(crate) fn platform(self) -> &'static str {
        match self {
            Self::X => "twitter",
            Self::Mastodon => "mastodon",
            Self::Webhook => "webhook",
        }
    }

    pub(crate) fn named(platform: &Value) -> Self {
        Self::ALL.into_iter().find(|network| platform == network.platform()).expect("one of the networks")
    }
}

pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) mastodon: mastodon::Sim,
    pub(crate) webhook: webhook::Sim,
    /// The data folders of the nodes; the first is the host's.
    pub(crate) folders: Vec<PathBuf>,
    _further: Vec<TempDir>,
}

fn token(client: usize) -> String {
    format!("mastodon-token-of-client-{client}")
}

/// A Mastodon on which nothing is too much.
fn instance() -> mastodon::Settings {
    let account = |n| mastodon::Account::new(&format!("1093820000000{n:05}"), &format!("client_{n}"), "A client");
    let scopes = "read:accounts read:statuses write:media write:statuses";
    let limits = ["account", "media", "deletions", "statuses", "paging", "address"];
    mastodon::Settings {
        accounts: (0..CLIENTS).map(account).collect(),
        tokens: (0..CLIENTS).map(|n| mastodon::Token::new(&token(n), &format!("client_{n}"), scopes)).collect(),
        rate_limits: limits.map(|name| (name.to_owned(), 1_000_000)).into(),
        ..mastodon::Settings::default()
    }
}

impl Stage {
    /// Signs the clients up and connects them, by a host in this process, which is stopped then.
    pub(crate) async fn set(backend: Backend, nodes: usize) -> (Self, Vec<Person>) {
        let mastodon = mastodon::Sim::start(instance()).await;
        let webhook = webhook::Sim::start(webhook::Settings::default()).await;
        // The network does not refuse a text that it has seen, so that a part sent twice is there twice.
        let account = |n| Account::new(&format!("19000000000000{n:05}"), &format!("client_{n}"), "A client");
        let x = Settings { duplicate_window_s: 0, accounts: (0..CLIENTS).map(account).collect(), ..settings() };
        let inside = [mastodon.origin(), webhook.origin()].map(|origin| address(&origin));
        let host = Host::start_with(backend, x, |config| {
            config.egress_allow.extend(inside);
            Memories::Pooled
        })
        .await;
        for id in ["mastodon", "webhook"] {
            let wasm = std::fs::read(component(id)).unwrap();
            let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
            assert_eq!(Box::pin(installing).await.unwrap().state, "active", "{id}");
        }
        price(&host.app, PRICE).await;
        let (further, folders) = folders(&host, nodes);
        let stage = Self { host, mastodon, webhook, folders, _further: further };
        let mut people = Vec::new();
        for n in 0..CLIENTS {
            people.push(stage.client(n).await);
        }
        stage.host.app.stop().await;
        (stage, people)
    }

    async fn client(&self, n: usize) -> Person {
        let person = self.host.person(&format!("client{n}")).await;
        person.connect(&self.host.sim, "twitter", &format!("client_{n}")).await;
        let fields = json!({"fields": {"instance": self.mastodon.origin(), "token": token(n)}});
        person.post("/social/connections/mastodon", &fields).await.expect(201);
        let secret = self.webhook.settings().secrets.remove(0);
        let fields = json!({"fields": {"url": format!("{}{HOOK}", self.webhook.origin()), "secret": secret}});
        person.post("/social/connections/webhook", &fields).await.expect(201);
        self.host.grant(person.workspace, CREDITS).await;
        person
    }

    /// What each node is told besides.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let inside = [self.host.sim.origin(), self.mastodon.origin(), self.webhook.origin()];
        vec![
            ("ORLA_EGRESS_ALLOW", inside.map(|origin| address(&origin)).join(",")),
            ("ORLA_CONNECTORS__X__VISIBLE_AFTER_MS", VISIBLE_AFTER_MS.to_owned()),
            ("ORLA_CONNECTORS__MASTODON__VISIBLE_AFTER_MS", VISIBLE_AFTER_MS.to_owned()),
        ]
    }

    /// Has a network misbehave.
    pub(crate) fn fault(&self, network: Network, fault: Fault) {
        match network {
            Network::X => self.host.sim.fault(fault),
            Network::Mastodon => self.mastodon.fault(fault),
            Network::Webhook => self.webhook.fault(fault),
        }
    }

    pub(crate) fn clear_faults(&self) {
        self.host.sim.clear_faults();
        self.mastodon.clear_faults();
        self.webhook.clear_faults();
    }

    /// How many requests a network has had, by route.
    pub(crate) fn requests(&self, network: Network) -> BTreeMap<String, u64> {
        match network {
            Network::X => self.host.sim.counts(),
            Network::Mastodon => self.mastodon.counts(),
            Network::Webhook => self.webhook.counts(),
        }
    }

    /// How often each text is at a network. An idempotency key that came twice counts: the network that remembers it hides
    /// that a post was sent twice.
    pub(crate) fn counts(&self) -> BTreeMap<(Network, String), usize> {
        let mut counts = BTreeMap::new();
        let mut add = |network, text, times| *counts.entry((network, text)).or_default() += times;
        for post in self.host.sim.posts() {
            add(Network::X, post.text, 1);
        }
        for status in self.mastodon.statuses() {
            add(Network::Mastodon, status.text, 1 + usize::try_from(status.replays).unwrap());
        }
        for delivery in self.webhook.deliveries().into_iter().filter(|delivery| delivery.refusal.is_none()) {
            let body: Value = serde_json::from_str(&delivery.body).unwrap();
            add(Network::Webhook, body["data"]["part"]["text"].as_str().unwrap().to_owned(), 1);
        }
        counts
    }
}

fn address(origin: &str) -> String {
    origin.trim_start_matches("http://").to_owned()
}

/// The data folders of several nodes: each its own, with the same master key, and what is stored for all in one place.
fn folders(host: &Host, nodes: usize) -> (Vec<TempDir>, Vec<PathBuf>) {
    let first = host.data.path();
    let mut further = Vec::new();
    for _ in 1..nodes {
        let folder = TempDir::new().unwrap();
        for own in ["master.key", "artefacts"] {
            let copied = Command::new("cp").arg("-a").arg(first.join(own)).arg(folder.path()).status().unwrap();
            assert!(copied.success());
        }
        for shared in ["blobs", "mail"] {
            std::fs::create_dir_all(first.join(shared)).unwrap();
            std::os::unix::fs::symlink(first.join(shared), folder.path().join(shared)).unwrap();
        }
        further.push(folder);
    }
    let all = std::iter::once(first).chain(further.iter().map(TempDir::path)).map(Path::to_owned).collect();
    (further, all)
}
