//! Callers who hang up, and hosts and databases that die.

use super::{CREDITS, GENERATE, available, streamed, wish, writing};
use crate::harness::postgres::Cluster;
use crate::harness::{BOTH, Backend, Host, Person, Place, settings};
use futures_util::StreamExt as _;
use orla::connectors::Memories;
use orla_vendors::openai::{Fault, Mode};
use serde_json::Value;
use sqlx::PgPool;
use std::time::Duration;

fn request(person: &Person, wish: &Value) -> reqwest::RequestBuilder {
    person.http.post(format!("{}{GENERATE}", person.url)).bearer_auth(&person.token).json(wish)
}

/// Begins a stream, reads until so many pieces have come, and hangs up.
async fn read_and_leave(person: &Person, pieces: usize) {
    let response = request(person, &streamed(&wish())).send().await.unwrap();
    let (mut read, mut chunks) = (String::new(), response.bytes_stream());
    while read.matches("event: delta").count() < pieces || !read.contains("event: started") {
        read.push_str(std::str::from_utf8(&chunks.next().await.unwrap().unwrap()).unwrap());
    }
}

/// The newest caption, once it has ended.
async fn ended(person: &Person) -> Value {
    for _ in 0..200 {
        let listed = person.get("/social-caption/generations?limit=1").await.expect(200);
        if listed["items"][0]["state"] != "running" {
            return listed["items"][0].clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the caption did not end");
}

/// Waits until the vendor writes for nobody any more.
async fn vendor_stops(host: &Host) {
    for _ in 0..100 {
        if host.openai.open_streams() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the vendor goes on writing");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_after_the_first_words_pays_and_the_vendor_stops() {
    for backend in BOTH {
        let (host, ada) = writing(backend, "responses").await;
        host.openai.fault(Fault::on("POST", "/v1/responses", Mode::StallStream { after_pieces: 4 }));
        read_and_leave(&ada, 3).await;
        let stopped = ended(&ada).await;
        assert_eq!(stopped["state"], "stopped", "{stopped:#}");
        assert!(!stopped["caption"].as_str().unwrap().is_empty(), "what was written is kept: {stopped:#}");
        assert_eq!(stopped["receipt"]["credits_charged"], 10);
        assert!(stopped["receipt"]["note"].as_str().unwrap().contains("hung up"), "{stopped:#}");
        vendor_stops(&host).await;
        assert_eq!((host.openai.hung_up(), available(&ada).await), (1, CREDITS - 10));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_before_the_first_word_pays_nothing() {
    for backend in BOTH {
        let (host, ada) = writing(backend, "responses").await;
        host.openai.fault(Fault::on("POST", "/v1/responses", Mode::StallStream { after_pieces: 0 }));
        read_and_leave(&ada, 0).await;
        let stopped = ended(&ada).await;
        assert_eq!((stopped["state"].as_str(), stopped.get("caption")), (Some("stopped"), None), "{stopped:#}");
        assert_eq!(stopped["receipt"]["credits_charged"], 0);
        vendor_stops(&host).await;
        assert_eq!(available(&ada).await, CREDITS);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_on_a_plain_request_finds_the_caption_later() {
    for backend in BOTH {
        let (host, ada) = writing(backend, "responses").await;
        host.openai.change(|settings| settings.first_byte_delay_ms = 500);
        let answered = tokio::time::timeout(Duration::from_millis(250), request(&ada, &wish()).send()).await;
        assert!(answered.is_err(), "the client leaves before the answer");
        let written = ended(&ada).await;
        assert_eq!((written["state"].as_str(), available(&ada).await), (Some("completed"), CREDITS - 10));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_killed_in_the_middle_gives_the_credits_back() {
    for backend in BOTH {
        let (host, ada) = writing(backend, "responses").await;
        let place = Place::after(&host).await;
        let mut process = place.start(None);
        assert!(place.serving(&mut process).await);
        let ada = Person { url: place.url(), ..ada };
        host.openai.fault(Fault::on("POST", "/v1/responses", Mode::StallStream { after_pieces: 4 }));
        let reader = ada.clone();
        let reading =
            tokio::spawn(async move { request(&reader, &streamed(&wish())).send().await.unwrap().text().await });
        while host.openai.open_streams() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(ada.get("/credits/balance").await.expect(200)["held"], 10);
        process.kill();
        assert!(reading.await.unwrap().is_err(), "the stream broke off");
        let mut process = place.start(None);
        assert!(place.serving(&mut process).await);
        let given_up = ended(&ada).await;
        assert_eq!(
            (given_up["state"].as_str(), given_up["fault"]["kind"].as_str()),
            (Some("failed"), Some("cancelled")),
            "{given_up:#}"
        );
        assert_eq!((available(&ada).await, host.openai.generations()), (CREDITS, 1));
    }
}

/// PostgreSQL does not wait for the disk when a caption begins, but has it there once the model is asked. (SQLite is in the host's
/// process, waits each time, and dies with the host: see above.)
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_loses_its_power_knows_what_the_model_was_asked() {
    const KEPT: &str = "select count(*) from generations g
        join effects e on e.run_id = g.id and e.kind = 'spend'
        join credit_holds h on h.id = g.hold_id and h.amount = 10";
    let mut cluster = Cluster::durable().await;
    let database = cluster.fresh_database().await;
    let host = Host::start_with(Backend::Postgres, settings(), |config| {
        config.database_url = Some(database.clone());
        Memories::Pooled
    })
    .await;
    let ada = host.person("ada").await;
    host.grant(ada.workspace, CREDITS).await;
    for round in 1..=3 {
        host.openai.fault(Fault::on("POST", "/v1/responses", Mode::StallStream { after_pieces: 0 }));
        let reader = ada.clone();
        let reading = tokio::spawn(async move { request(&reader, &streamed(&wish())).send().await?.text().await });
        while host.openai.open_streams() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        cluster.cut_power().await;
        cluster.restore_power().await;
        let look = PgPool::connect(&database).await.unwrap();
        let kept: i64 = sqlx::query_scalar(KEPT).fetch_one(&look).await.unwrap();
        look.close().await;
        assert_eq!(kept, round, "what the model was asked, its credits and its run are there");
        host.openai.clear_faults();
        // It ends as it does when the model breaks off, or is given up, as that of a host that died.
        let _ = reading.await.unwrap();
        while ada.get("/credits/balance").await.body["available"] != CREDITS {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    host.check_books().await;
}
