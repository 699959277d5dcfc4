//! The walks for what else can happen to a publication: it is planned, waits for its vendor, is looked for, completed, cancelled,
//! or comes of a schedule. Those that have to wait die on one side of each write, on the other one on the other database.

use super::walk::{Ground, PUBLICATIONS, Sides, Wish, is_over, walk};
use super::{CREDITS, PRICE, forgetful};
use crate::harness::{Backend, Fault, Host, Mode, Settings, price};
use orla::clock::{Clock, Timestamp};
use orla::connectors::Memories;
use serde_json::{Value, json};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A host that was stopped, and Ada, who is connected to X.
async fn set(backend: Backend, settings: Settings) -> Host {
    let host = Host::start_with(backend, settings, |_| Memories::Pooled).await;
    price(&host.app, PRICE).await;
    host
}

async fn ground(host: &Host) -> Ground<'_> {
    let ada = host.connected("ada", "twitter").await;
    host.grant(ada.workspace, CREDITS).await;
    Ground::after(host, ada, Vec::new()).await
}

/// On both databases, at the same time: these walks mostly wait.
async fn on_both(walked: impl AsyncFn(Backend, Sides)) {
    let (sqlite, postgres) = (Sides::Alternating(false), Sides::Alternating(true));
    tokio::join!(Box::pin(walked(Backend::Sqlite, sqlite)), Box::pin(walked(Backend::Postgres, postgres)));
}

/// How often a text is at X.
fn times(host: &Host, text: &str) -> usize {
    host.sim.posts().iter().filter(|post| post.text == text).count()
}

fn after(pause: Duration) -> Timestamp {
    Clock::System.now().after(pause)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_posts_what_is_planned_once() {
    on_both(async |backend, sides| {
        let host = set(backend, forgetful()).await;
        let ground = ground(&host).await;
        let rounds = walk(sides, 4, async |crash_at| {
            let post = |at: Timestamp| json!({"platform": "twitter", "content": crash_at, "publish_at": at});
            let wish = Wish::publish(crash_at, post(after(SECOND * 2)));
            let act = async || drop(ground.ask(&wish).await);
            let died = ground.die(crash_at, act, async || ground.newest_has_ended(&wish).await).await;
            let _host = ground.host().await;
            let late = format!("{crash_at}, late");
            let again = Wish::publish(&late, post(after(SECOND)));
            // Where the first host died before it was taken in, its time may be past.
            let is_late = ground.ask(&wish).await.unwrap().status() == 422;
            let done = ground.done(if is_late { &again } else { &wish }).await;
            assert_eq!((&done["state"], times(&host, crash_at)), (&json!("published"), 1), "{backend:?}: {done:#}");
            died
        })
        .await;
        ground.check_books(CREDITS - PRICE * i64::from(rounds)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_while_the_network_works_on_a_video_posts_it_once() {
    on_both(async |backend, sides| {
        let host = set(backend, Settings { processing_ms: 200, ..forgetful() }).await;
        let ground = ground(&host).await;
        let film = format!("{}/pictures/clip-5000.mp4", host.sim.origin());
        let rounds = walk(sides, 8, async |crash_at| {
            let body = json!({"platform": "twitter", "content": crash_at, "media_urls": [film]});
            let died = ground.round(&Wish::publish(crash_at, body)).await;
            assert_eq!(times(&host, crash_at), 1, "{backend:?}, crash at {crash_at}");
            died
        })
        .await;
        ground.check_books(CREDITS - PRICE * i64::from(rounds)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_while_it_looks_for_a_lost_post_posts_it_once() {
    on_both(async |backend, sides| {
        let host = set(backend, forgetful()).await;
        let ground = ground(&host).await;
        let mut arrives = false;
        let rounds = walk(sides, 10, async |crash_at| {
            arrives = !arrives;
            host.sim.clear_faults();
            let mode = if arrives { Mode::CutAfter } else { Mode::CutBefore };
            host.sim.fault(Fault::on("POST", "/2/tweets", mode));
            let body = json!({"platform": "twitter", "content": crash_at});
            let died = ground.round(&Wish::publish(crash_at, body)).await;
            assert_eq!(times(&host, crash_at), 1, "{backend:?}, crash at {crash_at}");
            died
        })
        .await;
        ground.check_books(CREDITS - PRICE * i64::from(rounds)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_while_it_completes_a_thread_posts_each_part_once() {
    on_both(async |backend, sides| {
        let host = set(backend, forgetful()).await;
        let ground = ground(&host).await;
        let rounds = walk(sides, 6, async |crash_at| {
            let words = ["one", "two", "three"].map(|word| format!("{word} {crash_at}"));
            let id = broken(&host, &ground, crash_at, &words).await;
            let path = format!("{PUBLICATIONS}/{id}/complete");
            let wish = Wish { path, list: PUBLICATIONS, key: crash_at, body: json!({}) };
            let died = ground.round(&wish).await;
            let counts = words.each_ref().map(|text| times(&host, text));
            assert_eq!(counts, [1, 1, 1], "{backend:?}, crash at {crash_at}");
            died
        })
        .await;
        // Completing costs nothing.
        ground.check_books(CREDITS - PRICE * i64::from(rounds)).await;
    })
    .await;
}

/// A thread whose second part X refused.
async fn broken(host: &Host, ground: &Ground<'_>, crash_at: &str, words: &[String; 3]) -> String {
    let _host = ground.host().await;
    host.sim.fault(Fault::on("POST", "/2/tweets", Mode::status(403)).skip(1));
    let parts = words.each_ref().map(|text| json!({"text": text}));
    let key = format!("{crash_at}, broken");
    let wish = Wish::publish(&key, json!({"platform": "twitter", "parts": parts}));
    let broken = ground.done(&wish).await;
    assert_eq!((&broken["state"], &broken["receipt"][1]["outcome"]), (&json!("published"), &json!("missing")));
    broken["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_while_it_cancels_gives_the_credits_back_once() {
    on_both(async |backend, sides| {
        let host = set(backend, forgetful()).await;
        let ground = ground(&host).await;
        walk(sides, 1, async |crash_at| {
            let id = planned(&ground, crash_at).await;
            let path = format!("{PUBLICATIONS}/{id}/cancel");
            let cancel = Wish { path: path.clone(), list: PUBLICATIONS, key: crash_at, body: json!({}) };
            let act = async || drop(ground.ask(&cancel).await);
            let died = ground.die(crash_at, act, async || ground.newest_has_ended(&cancel).await).await;
            let _host = ground.host().await;
            let shown = ground.person.get(&format!("{PUBLICATIONS}/{id}")).await.expect(200);
            let balance = ground.person.get("/credits/balance").await.expect(200);
            // All of it or nothing.
            let held = if is_over(&shown) { 0 } else { PRICE };
            assert_eq!(
                (balance["posted"].as_i64(), balance["held"].as_i64()),
                (Some(CREDITS), Some(held)),
                "{shown:#}"
            );
            let again = ground.person.post(&path, &json!({})).await.expect(200);
            assert_eq!(again["state"], "cancelled", "{backend:?}, crash at {crash_at}: {again:#}");
            died
        })
        .await;
        assert!(host.sim.posts().is_empty());
        ground.check_books(CREDITS).await;
    })
    .await;
}

/// A publication that goes out in a month.
async fn planned(ground: &Ground<'_>, crash_at: &str) -> String {
    let _host = ground.host().await;
    let at = after(SECOND * 30 * 86_400);
    let key = format!("{crash_at}, planned");
    let wish = Wish::publish(&key, json!({"platform": "twitter", "content": crash_at, "publish_at": at}));
    let planned: Value = ground.ask(&wish).await.unwrap().json().await.unwrap();
    assert_eq!(planned["state"], "scheduled", "{planned:#}");
    planned["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_at_any_write_of_a_schedule_posts_an_occurrence_once() {
    on_both(async |backend, sides| {
        let host = set(backend, forgetful()).await;
        let ground = ground(&host).await;
        let mut posted = 0;
        let rounds = walk(sides, 5, async |crash_at| {
            let due = serde_json::to_value(after(SECOND * 3)).unwrap();
            let post = json!({"platform": "twitter", "content": crash_at});
            let starts_at = &due.as_str().unwrap()[..19];
            let body = json!({"post": post, "rule": "FREQ=DAILY", "zone": "UTC", "starts_at": starts_at});
            let wish = Wish { path: "/schedules".to_owned(), list: PUBLICATIONS, key: crash_at, body };
            let act = async || drop(ground.ask(&wish).await);
            let out = async || times(&host, crash_at) == 1 && published(&ground, crash_at).await;
            let died = ground.die(crash_at, act, out).await;
            let _host = ground.host().await;
            let count = occurred(&ground, &wish, starts_at).await;
            assert_eq!(times(&host, crash_at), count, "{backend:?}, crash at {crash_at}");
            posted += i64::try_from(count).unwrap();
            died
        })
        .await;
        assert!(posted * 2 > i64::from(rounds), "only {posted} of {rounds} schedules were made in time");
        // The job of a schedule that was deleted while a host had it in hand is left to the next.
        ground.all_work_done().await;
        ground.check_books(CREDITS - PRICE * posted).await;
    })
    .await;
}

/// Whether the occurrence that says this is published, while its host still lives.
async fn published(ground: &Ground<'_>, content: &str) -> bool {
    let list = format!("{}{PUBLICATIONS}?limit=5", ground.person.url);
    let Ok(list) = ground.person.http.get(list).bearer_auth(&ground.person.token).send().await else { return false };
    let Ok(list) = list.json::<Value>().await else { return false };
    let items = list["items"].as_array().into_iter().flatten();
    items.filter(|item| item["parts"][0]["text"] == content).any(|item| item["state"] == "published")
}

/// Asks for the schedule again, waits for its first occurrence and deletes it. Gives how many occurrences went out: none where
/// the schedule was made only after that time.
async fn occurred(ground: &Ground<'_>, wish: &Wish<'_>, starts_at: &str) -> usize {
    let made: Value = ground.ask(wish).await.unwrap().json().await.unwrap();
    let path = format!("/schedules/{}", made["id"].as_str().unwrap_or_else(|| panic!("{made:#}")));
    let mut count = 0;
    for _ in 0..400 {
        let rows = ground.person.get(&format!("{path}/occurrences?limit=100")).await.expect(200);
        let first =
            rows["items"].as_array().unwrap().iter().find(|row| row["due_at"].as_str().unwrap().starts_with(starts_at));
        match first.map(|row| row["publication_state"].as_str()) {
            Some(Some("published")) => count = 1,
            Some(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            None => {}
        }
        ground.person.delete(&path).await.expect(204);
        return count;
    }
    panic!("the occurrence did not go out");
}
