//! The way out as tenants notice it: a vendor's wish to be left alone, and servers that answer with more than they sent.

use crate::harness::{BOTH, Fault, Host, Mode, Person, settings};
use orla::connectors::Memories;
use orla_vendors::x::Canned;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const TWEETS: &str = "POST /2/tweets";

async fn publish(person: &Person, text: &str) -> Value {
    let post = json!({"platform": "twitter", "content": text});
    person.published(&post, text, &["pending", "published", "failed"]).await
}

/// A host, and two people whose accounts are connected through the same app.
async fn with_two(backend: crate::harness::Backend) -> (Host, Person, Person) {
    let host = Host::start(backend).await;
    let ada = host.connected("ada", "twitter").await;
    let bea = host.person("bea").await;
    bea.connect(&host.sim, "twitter", "second_account").await;
    (host, ada, bea)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_told_to_wait_waits_for_everybody() {
    for backend in BOTH {
        let (host, ada, bea) = with_two(backend).await;
        let quiet = Canned { status: 429, retry_after_s: Some(600), ..Canned::default() };
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::Status(quiet)));
        let told = publish(&ada, "the vendor says no").await;
        assert_eq!((&told["state"], &told["fault"]["kind"]), (&json!("pending"), &json!("rate-limited")), "{told:#}");
        let held = publish(&bea, "nobody asks").await;
        assert_eq!((&held["state"], &held["fault"]["kind"]), (&json!("pending"), &json!("rate-limited")), "{held:#}");
        let wait_ms = held["fault"]["retry_after_ms"].as_u64().unwrap();
        assert!((500_000..=600_000).contains(&wait_ms), "{held:#}");
        assert!(held["fault"]["message"].as_str().unwrap().contains("left alone"), "{held:#}");
        assert_eq!(host.sim.counts()[TWEETS], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_counted_by_account_holds_for_that_account() {
    for backend in BOTH {
        let (host, ada, bea) = with_two(backend).await;
        let reset = host.app.now().seconds() + 600;
        let headers = [("x-rate-limit-remaining", "0".to_owned()), ("x-rate-limit-reset", reset.to_string())];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
        let spent = Canned { status: 429, headers, ..Canned::default() };
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::Status(spent)));
        assert_eq!(publish(&ada, "one too many").await["fault"]["kind"], "rate-limited");
        let held = publish(&ada, "nobody asks").await;
        assert_eq!((&held["state"], &held["fault"]["kind"]), (&json!("pending"), &json!("rate-limited")), "{held:#}");
        assert!(held["fault"]["message"].as_str().unwrap().contains("left alone"), "{held:#}");
        assert_eq!(host.sim.counts()[TWEETS], 1);
        assert_eq!(publish(&bea, "another account").await["state"], "published");
        assert_eq!(host.sim.counts()[TWEETS], 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_held_back_goes_out_when_the_time_is_over() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.connected("ada", "twitter").await;
        let quiet = Canned { status: 429, retry_after_s: Some(2), ..Canned::default() };
        host.sim.fault(Fault::on("POST", "/2/tweets", Mode::Status(quiet)));
        let post = json!({"platform": "twitter", "content": "a little later"});
        let done = ada.published(&post, "k", &["published", "failed"]).await;
        assert_eq!((done["state"].as_str(), done["attempts"].as_i64()), (Some("published"), Some(2)), "{done:#}");
        // Nothing was asked in between.
        assert_eq!(host.sim.counts()[TWEETS], 2);
        host.check_books().await;
    }
}

/// A server that answers everything with 64 MiB of zeros, in 64 KiB.
async fn bomb() -> String {
    let mut zeros = async_compression::tokio::bufread::GzipEncoder::new(tokio::io::BufReader::new(
        tokio::io::repeat(0).take(64 << 20),
    ));
    let mut packed = Vec::new();
    zeros.read_to_end(&mut packed).await.unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-encoding: gzip\r\nconnection: close\r\n";
    let answer = [format!("{head}content-length: {}\r\n\r\n", packed.len()).as_bytes(), &packed].concat();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4_096];
            // All of a request for a picture comes at once, and who hangs up has had enough.
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    at
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medium_that_unpacks_to_more_than_is_taken_is_refused() {
    let at = bomb().await;
    for backend in BOTH {
        let host = Host::start_with(backend, settings(), |config| {
            config.egress_allow.push(at.clone());
            config.max_media_bytes = 1 << 20;
            Memories::Pooled
        })
        .await;
        let ada = host.connected("ada", "twitter").await;
        let post = json!({"platform": "twitter", "content": "look", "media_urls": [format!("http://{at}/bomb.png")]});
        let done = ada.published(&post, "bomb", &["failed", "published"]).await;
        assert_eq!(
            (done["state"].as_str(), done["fault"]["kind"].as_str()),
            (Some("failed"), Some("too-large")),
            "{done:#}"
        );
        let kept = std::fs::read_dir(host.data.path().join("blobs")).unwrap();
        let kept = kept.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        assert_eq!(kept.count(), 0, "bytes of the bomb are kept");
    }
}
