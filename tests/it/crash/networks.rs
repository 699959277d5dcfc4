//! The walks at Facebook, at Mastodon and to a webhook.

use super::replies::environment as facebook_environment;
use super::walk::{Ground, PUBLICATIONS, Sides, Wish, is_over, walk};
use super::{CREDITS, PRICE};
use crate::facebook::{self, COFFEE, strict};
use crate::harness::{Answer, BOTH, Backend, Host, Person, component, price, settings};
use orla::connectors::{Actor, Consent, Memories, Then};
use orla_vendors::{mastodon, webhook};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_posts_photos_to_a_page_once() {
    for backend in BOTH {
        let (host, sim) = facebook::host(backend, strict(), Memories::Pooled).await;
        let (ada, _) = facebook::connected(&host, &sim).await;
        price(&host.app, PRICE).await;
        host.grant(ada.workspace, CREDITS).await;
        let web = host.sim.origin();
        let media = [format!("{web}/pictures/square.png"), format!("{web}/pictures/photo.jpg")];
        let ground = Ground::after(&host, ada, facebook_environment(&sim)).await;
        let rounds = walk(Sides::Both, 12, async |crash_at| {
            let body = json!({"platform": "facebook", "target": COFFEE, "content": crash_at, "media_urls": media});
            let died = ground.round(&Wish::publish(crash_at, body)).await;
            let made: Vec<_> = sim.posts().into_iter().filter(|post| post.message == crash_at).collect();
            let told: Vec<_> = made.iter().map(|post| (post.page_id.as_str(), post.media.len())).collect();
            assert_eq!(told, [(COFFEE, 2)], "{backend:?}, crash at {crash_at}");
            died
        })
        .await;
        ground.check_books(CREDITS - PRICE * i64::from(rounds)).await;
    }
}

/// A host on which a connector was installed while it runs, and which may call an address inside; and Ada, who has credits.
pub(crate) async fn installed(
    backend: Backend,
    connector: &str,
    origin: &str,
) -> (Host, Person, Vec<(&'static str, String)>) {
    let inside = origin.trim_start_matches("http://").to_owned();
    let host = Host::start_with(backend, settings(), |config| {
        config.egress_allow.push(inside.clone());
        Memories::Pooled
    })
    .await;
    let wasm = std::fs::read(component(connector)).unwrap();
    let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
    assert_eq!(Box::pin(installing).await.unwrap().state, "active");
    price(&host.app, PRICE).await;
    let ada = host.person("ada").await;
    host.grant(ada.workspace, CREDITS).await;
    let allowed = format!("{},{inside}", host.sim.origin().trim_start_matches("http://"));
    (host, ada, vec![("ORLA_EGRESS_ALLOW", allowed)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_posts_each_status_once() {
    for backend in BOTH {
        let limits = ["account", "media", "statuses", "paging"].map(|name| (name.to_owned(), 1_000_000)).into();
        let sim = mastodon::Sim::start(mastodon::Settings { rate_limits: limits, ..Default::default() }).await;
        let (host, ada, mut also) = installed(backend, "mastodon", &sim.origin()).await;
        let token = sim.settings().tokens.remove(0).token;
        let fields = json!({"fields": {"instance": sim.origin(), "token": token}});
        ada.post("/social/connections/mastodon", &fields).await.expect(201);
        also.push(("ORLA_CONNECTORS__MASTODON__VISIBLE_AFTER_MS", "150".to_owned()));
        let ground = Ground::after(&host, ada, also).await;
        let picture = format!("{}/pictures/square.png", host.sim.origin());
        let rounds = walk(Sides::Both, 16, async |crash_at| {
            let words = ["one", "two"].map(|word| format!("{word} {crash_at}"));
            let parts =
                words.clone().map(|text| json!({"text": text, "media": [{"url": picture, "alt_text": "Sides"}]}));
            let before = sim.statuses().len();
            let body = json!({"platform": "mastodon", "parts": parts});
            let died = ground.round(&Wish::publish(crash_at, body)).await;
            let made = sim.statuses().split_off(before);
            let told: Vec<_> = made.iter().map(|status| (status.text.clone(), status.media.len())).collect();
            assert_eq!(told, words.map(|text| (text, 1)), "{backend:?}, crash at {crash_at}");
            assert_eq!(made[1].in_reply_to_id.as_ref(), Some(&made[0].id));
            // The key of the request would hide at Mastodon that it was sent twice.
            assert!(made.iter().all(|status| status.replays == 0), "{backend:?}, crash at {crash_at}: {made:#?}");
            died
        })
        .await;
        ground.check_books(CREDITS - PRICE * i64::from(rounds)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_calls_a_webhook_once_for_each_part() {
    for backend in BOTH {
        let sim = webhook::Sim::start(webhook::Settings::default()).await;
        let (host, ada, also) = installed(backend, "webhook", &sim.origin()).await;
        let secret = sim.settings().secrets.remove(0);
        let fields = json!({"fields": {"url": format!("{}/hooks/ada", sim.origin()), "secret": secret}});
        ada.post("/social/connections/webhook", &fields).await.expect(201);
        let ground = Ground::after(&host, ada, also).await;
        let mut told_by_ada = 0;
        let rounds = walk(Sides::Both, 8, async |crash_at| {
            let texts = ["one", "two"].map(|word| format!("{word} {crash_at}"));
            let body = json!({"platform": "webhook", "parts": texts.clone().map(|text| json!({"text": text}))});
            let wish = Wish::publish(crash_at, body);
            let act = async || drop(ground.ask(&wish).await);
            let died = ground.die(crash_at, act, async || ground.newest_has_ended(&wish).await).await;
            let _host = ground.host().await;
            told_by_ada += resolved(&ground, &wish, |key| received(&sim).contains(&texts[part(key)])).await;
            let took: Vec<_> = received(&sim).into_iter().filter(|text| texts.contains(text)).collect();
            assert_eq!(took, texts, "{backend:?}, crash at {crash_at}");
            died
        })
        .await;
        assert!(told_by_ada > 0, "a host that dies over a request leaves somebody who has to say what came of it");
        assert_eq!((sim.duplicates(), sim.refused()), (0, 0));
        ground.check_books(CREDITS - PRICE * i64::from(rounds)).await;
    }
}

/// The texts that a receiver took, in order.
fn received(sim: &webhook::Sim) -> Vec<String> {
    let body = |delivery: webhook::Delivery| serde_json::from_str::<Value>(&delivery.body).unwrap();
    let text = |delivery| body(delivery)["data"]["part"]["text"].as_str().unwrap().to_owned();
    sim.deliveries().into_iter().filter(|delivery| delivery.refusal.is_none()).map(text).collect()
}

fn part(key: &str) -> usize {
    key.strip_prefix("part/").unwrap().parse().unwrap()
}

/// Asks again until it is published, and says what became of each part that nobody can look up. Gives how often.
async fn resolved(ground: &Ground<'_>, wish: &Wish<'_>, arrived: impl Fn(&str) -> bool) -> u32 {
    let taken = Answer::of(ground.ask(wish).await.unwrap()).await.expect(202);
    let id = taken["id"].as_str().unwrap();
    let mut words = 0;
    loop {
        let shown = ground.until(PUBLICATIONS, id, |shown| is_over(shown) || shown["state"] == "uncertain").await;
        if shown["state"] != "uncertain" {
            assert_eq!(shown["state"], "published", "{shown:#}");
            assert!(shown["receipt"].as_array().unwrap().iter().all(|part| part["outcome"] == "done"), "{shown:#}");
            return words;
        }
        let steps = shown["steps"].as_array().unwrap();
        let lost = steps.iter().find(|step| step["state"] == "unknown" || step["state"] == "started").unwrap();
        let key = lost["key"].as_str().unwrap();
        let word = if arrived(key) {
            json!({"key": key, "outcome": "published", "vendor_id": key})
        } else {
            json!({"key": key, "outcome": "not_published"})
        };
        ground.person.post(&format!("{PUBLICATIONS}/{id}/resolve"), &word).await.expect(202);
        words += 1;
    }
}
