//! Events, as those see them who are told: each once, in order, signed, and in the end whatever happens in between.

mod addresses;
mod connections;
mod crash;
mod credits;
mod endpoints;
mod failing;
mod outage;
mod receiver;
mod replaying;
mod sharing;
mod signing;

use crate::harness::{Backend, Host, Person};
use orla::clock::Clock;
use orla::connectors::Memories;
use orla::on;
use receiver::Receiver;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A clock that the test moves.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn now() -> Self {
        Self(Arc::new(AtomicI64::new(Clock::System.now().0)))
    }

    fn clock(&self) -> Clock {
        Clock::Manual(self.0.clone())
    }

    fn forward(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A host that may call these receivers.
async fn host(backend: Backend, receivers: &[&Receiver]) -> Host {
    host_at(backend, Clock::System, receivers).await
}

async fn host_at(backend: Backend, clock: Clock, receivers: &[&Receiver]) -> Host {
    Host::start_at(backend, clock, |config| {
        config.egress_allow.extend(receivers.iter().map(|receiver| receiver.address.clone()));
        Memories::Pooled
    })
    .await
}

/// Has a receiver told of these types of events, of all where there are none.
async fn endpoint(person: &Person, receiver: &Receiver, types: &[&str]) -> Value {
    let created = person.post("/webhooks", &json!({"url": receiver.url(), "types": types})).await.expect(201);
    assert_eq!((&created["state"], created["types"].as_array().unwrap().len()), (&json!("active"), types.len()));
    created
}

fn path(endpoint: &Value, act: &str) -> String {
    format!("/webhooks/{}{act}", endpoint["id"].as_str().unwrap())
}

/// Waits until nothing is due or being sent.
async fn settled(host: &Host) {
    const BUSY: &str = "select count(*) from deliveries d join webhook_endpoints e on e.id = d.endpoint_id
        where d.state = 'pending' and e.state = 'active' and (d.lease is not null or d.next_at <= $1)
            and (e.quiet_until is null or e.quiet_until <= $1)";
    for _ in 0..800 {
        let mut tx = host.app.db().read().await.unwrap();
        let busy: i64 =
            on!(&mut tx, conn => sqlx::query_scalar(BUSY).bind(host.app.now()).fetch_one(conn).await).unwrap();
        if busy == 0 {
            return;
        }
        drop(tx);
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("deliveries are due and not made");
}

/// An endpoint's deliveries, newest first.
async fn deliveries(person: &Person, endpoint: &Value, query: &str) -> Vec<Value> {
    let page = person.get(&path(endpoint, &format!("/deliveries{query}"))).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

async fn publish(person: &Person, text: &str) -> Value {
    let post = json!({"platform": "twitter", "content": text});
    person.published(&post, text, &["published", "failed"]).await
}

/// Signs a person in again, whose token has ended by a clock that was moved.
async fn again(host: &Host, name: &str) -> Person {
    Person::log_in(&host.url, &format!("{name}@example.org")).await
}
