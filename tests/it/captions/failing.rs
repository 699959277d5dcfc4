//! Whatever fails on the way to a caption is not charged.

use super::{APIS, CREDITS, GENERATE, available, stream, streamed, wish, writing};
use crate::harness::{BOTH, Host, Person, settings};
use orla::connectors::Memories;
use orla::on;
use orla_vendors::openai::{Fault, Mode, Settings};
use serde_json::Value;

/// What may go wrong before the first word, with the status and code that the person gets.
fn refusals() -> Vec<(Mode, u16, &'static str)> {
    vec![
        (Mode::unauthorized(), 503, "not_configured"),
        (Mode::forbidden(), 503, "not_configured"),
        (Mode::not_found(), 503, "not_configured"),
        (Mode::insufficient_quota(), 503, "not_configured"),
        (Mode::server_error(), 503, "vendor_busy"),
        (Mode::overloaded(), 503, "vendor_busy"),
        (Mode::CutBefore, 503, "vendor_busy"),
        (Mode::CutAfter, 503, "vendor_busy"),
        (Mode::NotJson, 502, "vendor_error"),
        (Mode::Refusal, 422, "invalid_input"),
        (Mode::ContentFilter, 422, "invalid_input"),
    ]
}

/// What may go wrong within a stream.
fn interruptions() -> Vec<(Mode, &'static str)> {
    vec![
        (Mode::TruncateStream { after_pieces: 0 }, "vendor_busy"),
        (Mode::TruncateStream { after_pieces: 4 }, "vendor_busy"),
        (Mode::FailStream { after_pieces: 0 }, "vendor_busy"),
        (Mode::FailStream { after_pieces: 4 }, "vendor_busy"),
        (Mode::HugeEvent { bytes: 3 << 20 }, "invalid_input"),
    ]
}

/// The key must not come back to anybody.
fn tells_no_key(answer: &Value) {
    assert!(!answer.to_string().contains(&Settings::default().api_key), "{answer}");
}

async fn kept_as_failed(person: &Person) {
    let listed = person.get("/social-caption/generations?limit=1").await.expect(200);
    let last = &listed["items"][0];
    assert_eq!((last["state"].as_str(), last["receipt"]["credits_charged"].as_i64()), (Some("failed"), Some(0)));
    assert_eq!(last["receipt"]["note"], "Not charged: it failed.");
    assert!(last["fault"]["message"].as_str().is_some_and(|words| !words.is_empty()), "{last:#}");
    tells_no_key(&listed);
}

/// Asks for a stream and expects it to end in a problem.
async fn stream_fails(person: &Person, what: &Mode, code: &str) {
    let events = stream(person, &wish()).await;
    let (name, problem) = events.last().unwrap();
    assert_eq!((name.as_str(), problem["code"].as_str()), ("error", Some(code)), "{what:?}: {problem}");
    tells_no_key(problem);
    kept_as_failed(person).await;
    assert_eq!(available(person).await, CREDITS, "{what:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_fails_before_the_first_word_is_not_paid_for() {
    for backend in BOTH {
        for (api, path) in APIS {
            let (host, ada) = writing(backend, api).await;
            for (mode, status, code) in refusals() {
                host.openai.fault(Fault::on("POST", path, mode.clone()));
                let Answered { status: got, body } = plain(&ada).await;
                assert_eq!((got, body["code"].as_str()), (status, Some(code)), "{api} {mode:?}: {body}");
                tells_no_key(&body);
                kept_as_failed(&ada).await;
                host.openai.fault(Fault::on("POST", path, mode.clone()));
                stream_fails(&ada, &mode, code).await;
            }
            host.check_books().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_asks_to_be_left_alone_is() {
    for backend in BOTH {
        for (api, path) in APIS {
            let (host, ada) = writing(backend, api).await;
            host.openai.fault(Fault::on("POST", path, Mode::rate_limited(600)));
            for _ in 0..2 {
                let Answered { status, body } = plain(&ada).await;
                assert_eq!((status, body["code"].as_str()), (503, Some("vendor_busy")), "{api}: {body}");
                kept_as_failed(&ada).await;
            }
            stream_fails(&ada, &Mode::rate_limited(600), "vendor_busy").await;
            assert_eq!(host.openai.counts().values().sum::<u32>(), 1, "{api}: it was asked again");
            host.check_books().await;
        }
    }
}

struct Answered {
    status: u16,
    body: Value,
}

async fn plain(person: &Person) -> Answered {
    let answer = person.post(GENERATE, &wish()).await;
    Answered { status: answer.status.as_u16(), body: answer.body }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_fails_in_the_middle_is_not_paid_for() {
    for backend in BOTH {
        for (api, path) in APIS {
            let (host, ada) = writing(backend, api).await;
            for (mode, code) in interruptions() {
                host.openai.fault(Fault::on("POST", path, mode.clone()));
                stream_fails(&ada, &mode, code).await;
            }
            host.check_books().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_vendor_repeats_is_blanked() {
    for backend in BOTH {
        for (api, path) in APIS {
            let (host, ada) = writing(backend, api).await;
            host.openai.change(|settings| settings.piece_chars = 1_000);
            host.openai.fault(Fault::on("POST", path, Mode::EchoToken).times(2));
            let written = ada.post(GENERATE, &wish()).await.expect(200);
            assert!(written["caption"].as_str().unwrap().contains("[redacted]"), "{written:#}");
            tells_no_key(&written);
            for (_, data) in stream(&ada, &wish()).await {
                tells_no_key(&data);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_that_is_missing_is_charged_in_full_and_said() {
    for backend in BOTH {
        for (api, path) in APIS {
            let (host, ada) = writing(backend, api).await;
            for n in 1..=2 {
                host.openai.fault(Fault::on("POST", path, Mode::UsageMissing));
                let written = match n {
                    1 => ada.post(GENERATE, &wish()).await.expect(200),
                    _ => stream(&ada, &wish()).await.last().unwrap().1.clone(),
                };
                let receipt = &written["receipt"];
                assert_eq!((receipt.get("usage"), &receipt["credits_charged"]), (None, &10.into()), "{receipt:#}");
                assert!(receipt["note"].as_str().unwrap().contains("did not report its usage"), "{receipt:#}");
                assert_eq!(available(&ada).await, CREDITS - 10 * n);
            }
            host.check_books().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_price_or_a_key_nothing_is_asked() {
    const DELETE: &str = "delete from price_versions where operation = 'social_caption'";
    for backend in BOTH {
        let (host, ada) = writing(backend, "responses").await;
        let mut tx = host.app.db().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query(DELETE).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        ada.post(GENERATE, &wish()).await.refused(503, "unknown_price");
        ada.post(GENERATE, &streamed(&wish())).await.refused(503, "unknown_price");
        assert_eq!((available(&ada).await, host.openai.requests().len()), (CREDITS, 0));

        let host = Host::start_with(backend, settings(), |config| {
            config.connectors.get_mut("openai").unwrap().api_key = None;
            Memories::Pooled
        })
        .await;
        let ada = host.person("ada").await;
        ada.post(GENERATE, &wish()).await.refused(503, "not_configured");
    }
}
