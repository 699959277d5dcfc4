//! A restored installation knows what was in the backup, and does nothing twice.

mod cut_off;
mod doubts;
mod refusals;
mod stage;
mod videos;
mod whole;

use crate::harness::{Backend, Fault, Host, Mode, Person, Settings, price, settings};
use orla::clock::{Clock, Timestamp};
use orla::connectors::Memories;
use orla::{ledger, on};
use orla_vendors::x::Canned;
use serde_json::{Value, json};
use stage::{Empty, back_up, does, until};
use std::time::Duration;

/// What a backup is made of, and what it is restored into.
const WAYS: [(Backend, Backend); 4] = [
    (Backend::Sqlite, Backend::Sqlite),
    (Backend::Postgres, Backend::Postgres),
    (Backend::Sqlite, Backend::Postgres),
    (Backend::Postgres, Backend::Sqlite),
];

fn at(ahead: Duration) -> Timestamp {
    Clock::System.now().after(ahead)
}

/// A host whose network lets the same text be posted twice, and a person with credits.
async fn begin(backend: Backend) -> (Host, Person) {
    let settings = Settings { duplicate_window_s: 0, ..settings() };
    let host = Host::start_with(backend, settings, |_| Memories::Pooled).await;
    price(&host.app, 3).await;
    let ada = host.connected("ada", "twitter").await;
    host.grant(ada.workspace, 1_000).await;
    (host, ada)
}

/// Publishes at a time, and gives the id.
async fn planned(person: &Person, parts: &Value, key: &str, when: Timestamp) -> String {
    let post = json!({"platform": "twitter", "parts": parts, "publish_at": when});
    person.publish(&post, key).await.expect(202)["id"].as_str().unwrap().to_owned()
}

async fn state(person: &Person, id: &str) -> String {
    person.get(&format!("/social/publications/{id}")).await.expect(200)["state"].as_str().unwrap().to_owned()
}

/// Ten publications, threads and pictures among them.
async fn ten(host: &Host, person: &Person, when: Timestamp) -> Vec<String> {
    let picture = json!([{"url": format!("{}/pictures/square.png", host.sim.origin())}]);
    let mut ids = Vec::new();
    for number in 0..10 {
        let parts = match number {
            0 => json!([{"text": "thread"}, {"text": "goes"}, {"text": "on"}]),
            1 => json!([{"text": "seen", "media": picture}]),
            2 => json!([{"text": "first seen", "media": picture}, {"text": "then said"}]),
            number => json!([{"text": format!("number {number}")}]),
        };
        ids.push(planned(person, &parts, &format!("k{number}"), when).await);
    }
    ids
}

/// One whose post was made and its answer lost, which nobody can look for; and one that the network asked to come later with.
async fn under_way(host: &Host, person: &Person) -> [String; 2] {
    host.sim.fault(Fault::on("GET", "/2/users/*/tweets", Mode::status(503)).times(1_000));
    host.sim.fault(Fault::on("POST", "/2/tweets", Mode::CutAfter));
    let lost = json!({"platform": "twitter", "content": "lost"});
    let lost = person.published(&lost, "lost", &["uncertain"]).await;
    let later = Canned { status: 429, retry_after_s: Some(5), ..Canned::default() };
    host.sim.fault(Fault::on("POST", "/2/tweets", Mode::Status(later)).times(1_000));
    let picture = json!([{"url": format!("{}/pictures/square.png", host.sim.origin())}]);
    let later = json!({"platform": "twitter", "parts": [{"text": "later", "media": picture}, {"text": "and more"}]});
    let later = person.published(&later, "later", &["pending"]).await;
    [lost, later].map(|publication| publication["id"].as_str().unwrap().to_owned())
}

/// The installation goes on after its backup, and then is off.
async fn all_published(host: &Host, person: &Person, ids: &[String]) {
    host.sim.clear_faults();
    for id in ids {
        let done = person.wait(id, &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_after_the_backup_is_not_published_again() {
    for (from, to) in WAYS {
        let (host, ada) = begin(from).await;
        let backups = tempfile::tempdir().unwrap();
        let mut ids = under_way(&host, &ada).await.to_vec();
        ids.extend(ten(&host, &ada, at(Duration::from_secs(3))).await);
        let never = planned(&ada, &json!([{"text": "never sent"}]), "never", at(Duration::from_secs(3_600))).await;
        let far = planned(&ada, &json!([{"text": "far ahead"}]), "far", at(Duration::from_secs(7_200))).await;
        let (backup, told) = back_up(&host, backups.path(), &[]).await;
        assert!(told.contains("is not in it, and without that key nothing in it opens"), "{told}");
        all_published(&host, &ada, &ids).await;
        let posts = host.sim.posts().len();
        assert_eq!(posts, 1 + 2 + 10 + 2 + 1, "{from:?} to {to:?}");

        let empty = Empty::beside(&host, to).await;
        let told = empty.restores(&backup).await;
        assert!(told.contains("Nothing leaves this installation now") && told.contains("\n12 publications"), "{told}");
        let host = host.again_with(empty.config.clone()).await;
        let ada = Person::log_in(&host.url, "ada@example.org").await;
        nothing_leaves(&host, &ada, &ids).await;
        move_up(&host, &never).await;

        let told = does(&empty.config, &["resume"]).await;
        assert!(told.contains("sends again. 13 publications"), "{told}");
        assert!(does(&empty.config, &["resume"]).await.contains("nothing to resume"));
        ids.push(never);
        all_published(&host, &ada, &ids).await;
        let sent: Vec<String> = host.sim.posts().into_iter().skip(posts).map(|post| post.text).collect();
        assert_eq!(sent, ["never sent"], "{from:?} to {to:?}: what was never sent is sent once, and nothing else");
        let made: Vec<String> = host.sim.posts().into_iter().map(|post| post.id).collect();
        for id in &ids {
            let done = ada.get(&format!("/social/publications/{id}")).await.expect(200);
            for part in done["receipt"].as_array().unwrap() {
                assert!(made.contains(&part["id"].as_str().unwrap().to_owned()), "{done:#}");
            }
        }
        assert_eq!(state(&ada, &far).await, "scheduled");
        books_are_right(&host, &ada, 3).await;
    }
}

/// Gives a planned publication a time that is past, as only the clock can: it came due while the installation was off.
async fn move_up(host: &Host, id: &str) {
    let now = host.app.now();
    let (id, mut tx) = (uuid::Uuid::parse_str(id).unwrap(), host.app.db().begin().await.unwrap());
    for statement in
        ["update publications set publish_at = $1 where id = $2", "update jobs set due_at = $1 where subject = $2"]
    {
        on!(&mut tx, conn => sqlx::query(statement).bind(now).bind(id).execute(conn).await.map(drop)).unwrap();
    }
    tx.commit().await.unwrap();
}

/// A fenced host sends nothing, whatever is due and whoever asks, and says so.
async fn nothing_leaves(host: &Host, person: &Person, ids: &[String]) {
    let ready = person.get("/readyz").await.expect(200);
    assert_eq!(ready["status"], "fenced");
    let counts = host.sim.counts();
    let fresh = json!({"platform": "twitter", "content": "asked for behind the fence"});
    let fresh = person.publish(&fresh, "fresh").await.expect(202)["id"].as_str().unwrap().to_owned();
    person.post("/social-caption/generate", &json!({"topic": "bread"})).await.refused(503, "unavailable");
    let connection = person.get("/social/connections").await.expect(200)["items"][0]["id"].clone();
    let path = format!("/social/connections/{}/test", connection.as_str().unwrap());
    let tested = person.post(&path, &json!({})).await.expect(200);
    assert_eq!(tested["works"], false, "{tested:#}");
    assert!(tested.to_string().contains("orla resume"), "{tested:#}");
    const CLAIMED: &str = "select count(*) from jobs where lease is not null";
    for _ in 0..30 {
        let mut tx = host.app.db().read().await.unwrap();
        let claimed: i64 = on!(&mut tx, conn => sqlx::query_scalar(CLAIMED).fetch_one(conn).await).unwrap();
        assert_eq!(claimed, 0, "no job is claimed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for id in ids.iter().chain([&fresh]) {
        assert!(["scheduled", "due", "pending", "uncertain"].contains(&state(person, id).await.as_str()));
    }
    assert_eq!(host.sim.counts(), counts, "not a request left");
    let cancelled = person.post(&format!("/social/publications/{fresh}/cancel"), &json!({})).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled", "what waits can be taken back");
}

/// The ledger adds up, and only what is planned is held.
async fn books_are_right(host: &Host, person: &Person, held: i64) {
    let broken = ledger::audit(&mut host.app.db().read().await.unwrap()).await.unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    assert_eq!(person.get("/credits/balance").await.expect(200)["held"], held);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_behind_the_fence_goes_out_after_it() {
    for (from, to) in &WAYS[2..] {
        let (host, ada) = begin(*from).await;
        let backups = tempfile::tempdir().unwrap();
        let told = does(host.app.config(), &["backup", backups.path().to_str().unwrap()]).await;
        let made: Vec<_> = std::fs::read_dir(backups.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(made.len() == 1 && told.starts_with(made[0].to_str().unwrap()), "{told}");
        let empty = Empty::beside(&host, *to).await;
        let told = empty.restores(&made[0]).await;
        assert!(told.contains("\n0 publications"), "{told}");
        let host = host.again_with(empty.config.clone()).await;
        let ada =
            Person { token: Person::log_in(&host.url, "ada@example.org").await.token, url: host.url.clone(), ..ada };
        let post = json!({"platform": "twitter", "content": "behind the fence"});
        let id = ada.publish(&post, "k").await.expect(202)["id"].as_str().unwrap().to_owned();
        // Of a time that was the other installation's, as what a schedule makes up for is.
        let made_up = planned(&ada, &json!([{"text": "made up"}]), "made up", at(Duration::from_millis(300))).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(does(&empty.config, &["resume"]).await.contains(" 0 publications"));
        let done = ada.wait(&id, &["published", "failed"]).await;
        assert_eq!((&done["state"], &done["attempts"]), (&json!("published"), &json!(1)), "nobody looked: {done:#}");
        let done = ada.wait(&made_up, &["published", "failed"]).await;
        let was_looked_for = done["timeline"].as_array().unwrap().iter().any(|event| event["state"] == "uncertain");
        assert!(done["state"] == "published" && was_looked_for, "{done:#}");
        until("an open door", async || ada.get("/readyz").await.expect(200)["status"] == "ok").await;
        books_are_right(&host, &ada, 0).await;
    }
}
