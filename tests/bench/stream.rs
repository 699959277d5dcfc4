//! What a stream loses on its way through the host: from the model's words to the person's, over credits, journal and
//! connector, against a client that reads the model's own stream.

use crate::harness::{BOTH, Host, Person, client};
use crate::table::{Table, Verdict, digits, median};
use futures_util::StreamExt as _;
use orla_vendors::openai::Settings;
use reqwest::RequestBuilder;
use serde_json::json;
use std::time::{Duration, Instant};

const ROUNDS: usize = 200;
/// Rounds that warm up both ways: PostgreSQL settles on its plans once each connection of the pool has made some.
const WARM_UP: usize = 100;
/// Pieces of the long text.
const PIECES: u32 = 20_000;
const LONG_TEXTS: usize = 5;
/// Most that the first word may be late.
const LATER_MS: f64 = 2.0;
/// Least events a second through one call.
const EVENTS_PER_SECOND: f64 = 5_000.0;

/// Measures, prints, and tells whether the thresholds hold.
pub(crate) async fn measure() -> bool {
    let title = format!(
        "stream: the first word of {ROUNDS} streams each way, in turns, and {LONG_TEXTS} texts of {PIECES} pieces; one \
         process has model, host and client"
    );
    let mut table = Table::new(title, &["way", "first word ms p50", "p99", "later ms", "events/s"]);
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        host.grant(ada.workspace, 1_000_000).await;
        let (mut direct, mut through) = (Vec::new(), Vec::new());
        for _ in 0..WARM_UP + ROUNDS {
            direct.push(first_word(model(&host), "response.output_text.delta").await);
            through.push(first_word(caption(&ada), "event: delta").await);
        }
        let (direct, through) = (direct.split_off(WARM_UP), through.split_off(WARM_UP));
        host.openai.change(|settings| settings.pieces = Some(PIECES));
        let (mut own, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..LONG_TEXTS {
            own.push(f64::from(PIECES) / whole(model(&host)).await.as_secs_f64());
            ours.push(f64::from(PIECES) / whole(caption(&ada)).await.as_secs_f64());
        }
        let later = median(through.iter().copied()) - median(direct.iter().copied());
        let name = format!("{backend:?}: the model's own");
        table.row(&[&name, &ms(&direct, 50), &ms(&direct, 99), &digits(0.0, 2), &digits(median(own), 0)]);
        let (name, events) = (format!("{backend:?}: through the host"), median(ours));
        let cells = [ms(&through, 50), ms(&through, 99), digits(later, 2)];
        table.judged(&[&name, &cells[0], &cells[1], &cells[2]], &Verdict::at_most(later, LATER_MS));
        let name = format!("{backend:?}: through one call");
        table.judged(&[&name, &"", &"", &"", &digits(events, 0)], &Verdict::at_least(events, EVENTS_PER_SECOND));
        host.app.stop().await;
    }
    table.print()
}

/// A stream of the model's own.
fn model(host: &Host) -> RequestBuilder {
    let request = client_once().post(format!("{}/v1/responses", host.openai.origin()));
    let body = json!({"model": "gpt-5.4-mini", "input": "Our bakery opens at seven", "stream": true, "store": false});
    request.bearer_auth(Settings::default().api_key).json(&body)
}

/// A stream of a caption.
fn caption(person: &Person) -> RequestBuilder {
    let request = client_once().post(format!("{}/social-caption/generate", person.url)).bearer_auth(&person.token);
    request.json(&json!({"topic": "Our bakery opens at seven", "stream": true}))
}

/// One client for both ways, with its kept connections.
fn client_once() -> &'static reqwest::Client {
    static CLIENT: std::sync::OnceLock<reqwest::Client> = std::sync::OnceLock::new();
    CLIENT.get_or_init(client)
}

/// Milliseconds until a stream holds its first word. It is read to its end.
async fn first_word(request: RequestBuilder, word: &str) -> f64 {
    let began = Instant::now();
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let (mut read, mut first, mut chunks) = (Vec::new(), None, response.bytes_stream());
    while let Some(chunk) = chunks.next().await {
        read.extend_from_slice(&chunk.unwrap());
        if first.is_none() && String::from_utf8_lossy(&read).contains(word) {
            first = Some(began.elapsed());
        }
    }
    first.expect("a first word").as_secs_f64() * 1e3
}

/// How long a whole stream takes.
async fn whole(request: RequestBuilder) -> Duration {
    let began = Instant::now();
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("event: done") || text.contains("response.completed"), "{:.500}", text);
    began.elapsed()
}

/// A percentile of some milliseconds.
fn ms(figures: &[f64], percent: usize) -> String {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    digits(figures[(figures.len() * percent / 100).min(figures.len() - 1)], 2)
}
