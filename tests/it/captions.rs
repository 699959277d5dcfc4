//! Captions for credits: what is written is charged, what fails is not.

mod failing;
mod leaving;

use crate::harness::{Answer, BOTH, Backend, Host, Person, settings};
use orla::connectors::Memories;
use orla_vendors::openai::{Fault, Mode};
use serde_json::{Value, json};

/// The two APIs of OpenAI: the setting, and the path.
pub(crate) const APIS: [(&str, &str); 2] =
    [("responses", "/v1/responses"), ("chat_completions", "/v1/chat/completions")];
pub(crate) const GENERATE: &str = "/social-caption/generate";
/// Credits that everybody begins with here; a caption costs ten.
pub(crate) const CREDITS: i64 = 100;

/// A host that speaks one of the two APIs, and a person with credits.
pub(crate) async fn writing(backend: Backend, api: &str) -> (Host, Person) {
    let host = Host::start_with(backend, settings(), |config| {
        let openai = config.connectors.get_mut("openai").unwrap();
        openai.settings.insert("api".to_owned(), api.to_owned());
        Memories::Pooled
    })
    .await;
    let ada = host.person("ada").await;
    host.grant(ada.workspace, CREDITS).await;
    (host, ada)
}

pub(crate) fn wish() -> Value {
    json!({"topic": "Our bakery opens at seven from Monday on", "platform": "twitter", "tone": "cheerful",
        "brand": "Crumb & Co never shouts."})
}

pub(crate) fn streamed(wish: &Value) -> Value {
    let mut wish = wish.clone();
    wish["stream"] = true.into();
    wish
}

/// Events of the API, by name.
pub(crate) fn events(text: &str) -> Vec<(String, Value)> {
    let events = text.split("\n\n").filter(|event| !event.trim().is_empty() && !event.starts_with(':'));
    events
        .map(|event| {
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
            (field("event:"), serde_json::from_str(&field("data:")).unwrap())
        })
        .collect()
}

/// A whole stream, as the client reads it.
pub(crate) async fn stream(person: &Person, wish: &Value) -> Vec<(String, Value)> {
    let request = person.http.post(format!("{}{GENERATE}", person.url)).bearer_auth(&person.token);
    let response = request.json(&streamed(wish)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    events(&response.text().await.unwrap())
}

pub(crate) async fn available(person: &Person) -> i64 {
    let balance = person.get("/credits/balance").await.expect(200);
    assert_eq!(balance["held"], 0, "nothing is under way, so nothing may be held");
    balance["available"].as_i64().unwrap()
}

async fn with_key(person: &Person, wish: &Value, key: &str) -> Answer {
    let request = person.http.post(format!("{}{GENERATE}", person.url)).bearer_auth(&person.token);
    Answer::of(request.header("idempotency-key", key).json(wish).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caption_costs_its_price_and_leaves_a_receipt() {
    for backend in BOTH {
        for (api, path) in APIS {
            let (host, ada) = writing(backend, api).await;
            let written = ada.post(GENERATE, &wish()).await.expect(200);
            assert_eq!(written["state"], "completed");
            assert!(written["caption"].as_str().unwrap().contains("bakery"), "{written:#}");
            assert_eq!(written["prompt"], "social_caption/1");
            assert_eq!(available(&ada).await, CREDITS - 10);
            let receipt = &written["receipt"];
            assert_eq!(
                (receipt["credits_charged"].as_i64(), receipt["operation"].as_str(), receipt["connector"].as_str()),
                (Some(10), Some("social_caption"), Some("openai"))
            );
            assert_eq!(receipt["model"], "gpt-5.4-mini");
            for unit in ["input_tokens", "output_tokens"] {
                assert!(receipt["usage"][unit].as_u64().unwrap() > 0, "{receipt:#}");
            }
            for figure in ["fuel", "memory_peak_bytes", "bytes_out", "bytes_in", "wall_us"] {
                assert!(receipt["meter"][figure].as_u64().unwrap() > 0, "{figure}: {receipt:#}");
            }
            assert_eq!(receipt["meter"]["requests"], 1);
            let asked = host.openai.requests();
            assert_eq!((asked.len(), asked[0].path.as_str()), (1, path));
            let again = ada.get(&format!("/social-caption/generations/{}", written["id"].as_str().unwrap())).await;
            assert_eq!(again.expect(200), written);
            host.check_books().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_caption_comes_in_pieces_and_costs_the_same() {
    for backend in BOTH {
        for (api, _) in APIS {
            let (host, ada) = writing(backend, api).await;
            let events = stream(&ada, &wish()).await;
            let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!((names[0], names[names.len() - 1]), ("started", "done"), "{events:?}");
            let pieces: Vec<&str> = events[1..events.len() - 1]
                .iter()
                .map(|(name, data)| {
                    assert_eq!(name, "delta");
                    data["text"].as_str().unwrap()
                })
                .collect();
            assert!(pieces.len() > 3, "{pieces:?}");
            let (done, id) = (&events[events.len() - 1].1, &events[0].1["id"]);
            assert_eq!((&done["id"], done["caption"].as_str()), (id, Some(pieces.concat().trim())));
            assert!(done["receipt"]["usage"]["output_tokens"].as_u64().unwrap() > 0, "{done:#}");
            assert_eq!(available(&ada).await, CREDITS - 10);
            let listed = ada.get("/social-caption/generations").await.expect(200);
            assert_eq!(listed["items"], json!([done]));
            host.check_books().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hashtags_come_apart_by_a_schema() {
    for backend in BOTH {
        for (api, _) in APIS {
            let (host, ada) = writing(backend, api).await;
            let reply = json!({"caption": "Fresh bread from seven.", "hashtags": ["#bread", "bakery"]});
            host.openai.change(|settings| settings.reply = Some(reply.to_string()));
            let mut wish = wish();
            wish["separate_hashtags"] = true.into();
            let written = ada.post(GENERATE, &wish).await.expect(200);
            assert_eq!(written["caption"], "Fresh bread from seven.");
            assert_eq!(written["hashtags"], json!(["bread", "bakery"]));
            ada.post(GENERATE, &streamed(&wish)).await.refused(422, "invalid_input");
            assert_eq!(available(&ada).await, CREDITS - 10);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_captions_on_credits_for_five_exactly_five_settle() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        host.grant(ada.workspace, 50).await;
        host.openai.change(|settings| settings.first_byte_delay_ms = 100);
        let wishes = (0..20).map(|n| {
            let ada = ada.clone();
            tokio::spawn(async move { ada.post(GENERATE, &json!({"topic": format!("post {n}")})).await })
        });
        let mut written = 0;
        for wish in wishes.collect::<Vec<_>>() {
            let answer = wish.await.unwrap();
            match answer.status.as_u16() {
                200 => written += 1,
                _ => answer.refused(402, "insufficient_credits"),
            }
        }
        assert_eq!((written, host.openai.generations()), (5, 5));
        let balance = ada.get("/credits/balance").await.expect(200);
        assert_eq!([&balance["posted"], &balance["held"], &balance["available"]], [0, 0, 0]);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_names_one_caption() {
    for backend in BOTH {
        let (host, ada) = writing(backend, "responses").await;
        let first = with_key(&ada, &wish(), "one").await.expect(200);
        assert_eq!(with_key(&ada, &wish(), "one").await.expect(200), first);
        with_key(&ada, &json!({"topic": "another"}), "one").await.refused(409, "idempotency_key_reused");
        // A stream of what is written already is one piece.
        let request = ada.http.post(format!("{}{GENERATE}", ada.url)).bearer_auth(&ada.token);
        let again = request.header("idempotency-key", "one").json(&streamed(&wish())).send().await.unwrap();
        let again = events(&again.text().await.unwrap());
        let names: Vec<&str> = again.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names, &again[2].1), (vec!["started", "delta", "done"], &first));
        // A failure is what its key asked for as well.
        host.openai.fault(Fault::on("POST", "/v1/responses", Mode::server_error()));
        with_key(&ada, &wish(), "two").await.refused(503, "vendor_busy");
        with_key(&ada, &wish(), "two").await.refused(503, "vendor_busy");
        assert_eq!(host.openai.counts()["POST /v1/responses"], 2);
        assert_eq!(available(&ada).await, CREDITS - 10);

        host.openai.change(|settings| settings.first_byte_delay_ms = 300);
        let many = (0..10).map(|_| {
            let ada = ada.clone();
            tokio::spawn(async move { with_key(&ada, &wish(), "three").await })
        });
        let mut written = 0;
        for one in many.collect::<Vec<_>>() {
            let answer = one.await.unwrap();
            match answer.status.as_u16() {
                200 => written += 1,
                _ => answer.refused(409, "in_progress"),
            }
        }
        assert_eq!(written, 1);
        assert_eq!(available(&ada).await, CREDITS - 20);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_makes_no_sense_costs_nothing() {
    for backend in BOTH {
        let (host, ada) = writing(backend, "responses").await;
        let bad = [
            json!({"topic": " "}),
            json!({"topic": "x".repeat(4_001)}),
            json!({"topic": "a\0b"}),
            json!({"topic": "x", "max_characters": 3}),
            json!({"topic": "x", "brand": "b".repeat(8_001)}),
        ];
        for wish in bad {
            ada.post(GENERATE, &wish).await.refused(422, "invalid_input");
        }
        ada.post(GENERATE, &json!({"topic": "x", "temperature": 2})).await.refused(400, "malformed_request");
        assert_eq!((available(&ada).await, host.openai.requests().len()), (CREDITS, 0));
    }
}
