//! The way out as tenants notice it: a vendor's wish to be left alone, and servers that answer with more than they sent.

use crate::harness::{BOTH, Backend, Fault, Host, Mode, Person, settings};
use orla::connectors::Memories;
use orla::on;
use orla_vendors::x::{Account, Canned};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const TWEETS: &str = "POST /2/tweets";

async fn publish(person: &Person, text: &str) -> Value {
    let post = json!({"platform": "twitter", "content": text});
    person.published(&post, text, &["pending", "published", "failed"]).await
}

/// The accounts at the network, and so many people, each of whom has connected one through the same app.
const ACCOUNTS: [&str; 3] = ["orla_demo", "second_account", "third_account"];

async fn with_three(backend: Backend) -> (Host, [Person; 3]) {
    let mut vendor = settings();
    vendor.accounts.push(Account::new("1800000000000000003", ACCOUNTS[2], "Third Account"));
    let host = Host::start_with(backend, vendor, |_| Memories::Pooled).await;
    let mut people = Vec::new();
    for (name, account) in ["ada", "bea", "cleo"].into_iter().zip(ACCOUNTS) {
        let person = host.person(name).await;
        person.connect(&host.sim, "twitter", account).await;
        people.push(person);
    }
    (host, people.try_into().ok().unwrap())
}

/// A wish to be left alone that does not say by whom.
fn quiet(seconds: u64) -> Mode {
    Mode::Status(Canned { status: 429, retry_after_s: Some(seconds), ..Canned::default() })
}

/// Asserts that a post waits for so long, and that the network was not asked.
async fn is_held(host: &Host, person: &Person, text: &str, wait_ms: std::ops::RangeInclusive<u64>) {
    let before = host.sim.counts()[TWEETS];
    let held = publish(person, text).await;
    assert_eq!((&held["state"], &held["fault"]["kind"]), (&json!("pending"), &json!("rate-limited")), "{held:#}");
    assert!(held["fault"]["message"].as_str().unwrap().contains("left alone"), "{held:#}");
    assert!(wait_ms.contains(&held["fault"]["retry_after_ms"].as_u64().unwrap()), "{held:#}");
    assert_eq!(host.sim.counts()[TWEETS], before, "nobody asks");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_told_to_wait_waits_alone_until_a_second_is_told() {
    for backend in BOTH {
        let (host, [ada, bea, cleo]) = with_three(backend).await;
        host.sim.fault(Fault::on("POST", "/2/tweets", quiet(600)));
        let told = publish(&ada, "the vendor says no").await;
        assert_eq!((&told["state"], &told["fault"]["kind"]), (&json!("pending"), &json!("rate-limited")), "{told:#}");
        is_held(&host, &ada, "she waits", 500_000..=600_000).await;
        // Others go on, though it is the same app.
        assert_eq!(publish(&bea, "another account").await["state"], "published");
        assert_eq!(publish(&cleo, "and another").await["state"], "published");
        // One more is told while she waits: so it is the app that the vendor counts.
        host.sim.fault(Fault::on("POST", "/2/tweets", quiet(300)));
        assert_eq!(publish(&bea, "no again").await["fault"]["kind"], "rate-limited");
        is_held(&host, &cleo, "for everybody", 200_000..=300_000).await;
        is_held(&host, &ada, "for her as long as she was told", 500_000..=600_000).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_an_app_is_not_opened_to_count_by_it() {
    for backend in BOTH {
        let (host, [ada, ..]) = with_three(backend).await;
        let own = json!({"client_id": "orla-demo", "client_secret": "orla-demo-secret"});
        ada.put("/social/apps/twitter", &own).await.expect(200);
        for account in ACCOUNTS {
            ada.connect(&host.sim, "twitter", account).await;
        }
        // It could not be opened any more.
        let spoilt = "update connector_apps set sealed_secret = $1 where workspace_id is not null";
        let mut tx = host.app.db().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query(spoilt).bind(b"no envelope".as_slice()).execute(conn).await.map(drop))
            .unwrap();
        tx.commit().await.unwrap();
        let list = ada.get("/social/connections").await.expect(200);
        let post = |n: usize| {
            let post =
                json!({"platform": "twitter", "content": n.to_string(), "connection_id": list["items"][n]["id"]});
            let ada = ada.clone();
            async move { ada.published(&post, &n.to_string(), &["pending", "published", "failed"]).await }
        };
        host.sim.fault(Fault::on("POST", "/2/tweets", quiet(600)).times(2));
        for n in [0, 1] {
            assert_eq!(post(n).await["fault"]["kind"], "rate-limited");
        }
        let held = post(2).await;
        assert!(held["fault"]["message"].as_str().is_some_and(|words| words.contains("left alone")), "{held:#}");
        assert_eq!(host.sim.counts()[TWEETS], 2, "the third was held by the app");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_counted_by_account_holds_for_that_account() {
    for backend in BOTH {
        let (host, [ada, bea, _]) = with_three(backend).await;
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
