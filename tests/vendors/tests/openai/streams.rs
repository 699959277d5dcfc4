//! Answers as they are streamed.

use std::time::Duration;

use orla_vendors::openai::Settings;
use serde_json::{Value, json};

use crate::{Bench, CHAT, RESPONSES, as_published, ask, parsed, sent};

/// The published schema of an event: `response.output_text.delta` is `ResponseTextDeltaEvent`.
fn schema_of(name: &str) -> String {
    let words = name.split(['.', '_']).filter(|word| *word != "text" || !name.contains("content_part"));
    let camel: String = words.map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    format!("{}Event", camel.replace("OutputText", "Text"))
}

fn streaming(path: &str) -> Value {
    ask(path, &json!({ "stream": true }))
}

#[tokio::test]
async fn a_response_is_streamed_as_documented() {
    let bench = Bench::saying("Hello – ✨world✨!").await;
    let events = bench.streamed(RESPONSES, &streaming(RESPONSES)).await;
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    let delta = "response.output_text.delta";
    assert_eq!(
        names,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            delta,
            delta,
            delta,
            delta,
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let data = parsed(&events);
    for (at, (name, data)) in names.iter().zip(&data).enumerate() {
        assert_eq!((&data["type"], &data["sequence_number"]), (&json!(name), &json!(at)));
        as_published(&schema_of(name), data);
    }
    let text: String = data.iter().filter_map(|data| data["delta"].as_str()).collect();
    assert_eq!((text.as_str(), &data[8]["text"]), ("Hello – ✨world✨!", &json!("Hello – ✨world✨!")));
    assert_eq!(data[0]["response"]["usage"], Value::Null);
    let last = &data[11]["response"];
    assert_eq!((&last["output"][0], &last["status"]), (&data[10]["item"], &json!("completed")));
    assert_eq!(last["usage"]["output_tokens"], 4);
    assert_eq!((bench.sim.generations(), bench.sim.hung_up(), bench.sim.open_streams()), (1, 0, 0));
}

#[tokio::test]
async fn a_chat_completion_is_streamed_as_documented() {
    let bench = Bench::saying("Hello world!").await;
    for include_usage in [true, false] {
        let options = json!({ "stream": true, "stream_options": { "include_usage": include_usage } });
        let events = bench.streamed(CHAT, &ask(CHAT, &options)).await;
        assert_eq!(events.last().unwrap().1, "[DONE]");
        let chunks = parsed(&events);
        chunks.iter().for_each(|chunk| as_published("CreateChatCompletionStreamResponse", chunk));
        let deltas: Vec<&Value> = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]).collect();
        assert_eq!(deltas[0], &json!({ "role": "assistant", "content": "", "refusal": null }));
        assert_eq!(
            deltas[1..5],
            [&json!({ "content": "Hello" }), &json!({ "content": " worl" }), &json!({ "content": "d!" }), &json!({})]
        );
        assert_eq!(chunks[4]["choices"][0]["finish_reason"], "stop");
        if include_usage {
            assert_eq!((chunks.len(), &chunks[5]["choices"]), (6, &json!([])));
            assert_eq!(chunks[5]["usage"]["completion_tokens"], 3);
            assert!(chunks[..5].iter().all(|chunk| chunk.get("usage") == Some(&Value::Null)));
        } else {
            assert!(chunks.len() == 5 && chunks.iter().all(|chunk| chunk.get("usage").is_none()));
        }
    }
}

#[tokio::test]
async fn a_stream_is_cut_at_its_limit_and_padded_on_demand() {
    let bench = Bench::saying(&"x".repeat(100)).await;
    let options = json!({ "include_obfuscation": false });
    let request = ask(RESPONSES, &json!({ "stream": true, "stream_options": options, "max_output_tokens": 16 }));
    let events = parsed(&bench.streamed(RESPONSES, &request).await);
    let last = events.last().unwrap();
    as_published("ResponseIncompleteEvent", last);
    assert_eq!(last["response"]["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!(last["response"]["usage"]["output_tokens"], 16);
    assert!(events.iter().all(|event| event.get("obfuscation").is_none()));
    let padded = parsed(&bench.streamed(RESPONSES, &streaming(RESPONSES)).await);
    assert!(padded[4]["obfuscation"].is_string());
}

#[tokio::test]
async fn whole_and_streamed_say_the_same() {
    let bench = Bench::start().await;
    let whole = bench.answered(RESPONSES, &ask(RESPONSES, &json!({}))).await;
    let streamed = parsed(&bench.streamed(RESPONSES, &streaming(RESPONSES)).await);
    let text = &whole["output"][0]["content"][0]["text"];
    assert_eq!(text, &streamed.last().unwrap()["response"]["output"][0]["content"][0]["text"]);
    let chat = bench.answered(CHAT, &ask(CHAT, &json!({}))).await;
    let streamed = parsed(&bench.streamed(CHAT, &streaming(CHAT)).await);
    let text: String = streamed.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(chat["choices"][0]["message"]["content"], text);
}

#[tokio::test]
async fn benchmarks_get_as_many_pieces_as_they_want() {
    let settings = Settings { pieces: Some(5_000), piece_delay_ms: 1_000, piece_chars: 7, ..Settings::default() };
    let bench = Bench::with(settings).await;
    let events = bench.streamed(RESPONSES, &ask(RESPONSES, &json!({ "stream": true, "max_output_tokens": 16 }))).await;
    assert_eq!(events.iter().filter(|(name, _)| name == "response.output_text.delta").count(), 5_000);
    let last = parsed(&events[events.len() - 1..]);
    assert_eq!(last[0]["response"]["usage"]["output_tokens"], 5_000 * 7 / 4);
}

#[tokio::test]
async fn who_leaves_is_noticed() {
    for path in [RESPONSES, CHAT] {
        let settings = Settings { reply: Some("x".repeat(500)), piece_delay_ms: 50, ..Settings::default() };
        let bench = Bench::with(settings).await;
        let mut response = sent(bench.post(path, &streaming(path))).await;
        response.chunk().await.unwrap().unwrap();
        assert_eq!((bench.sim.open_streams(), bench.sim.hung_up()), (1, 0));
        drop(response);
        left(&bench).await;
        assert_eq!((bench.sim.open_streams(), bench.sim.generations()), (0, 1));
    }
}

#[tokio::test]
async fn who_does_not_wait_for_the_first_byte_is_noticed_too() {
    let bench = Bench::with(Settings { first_byte_delay_ms: 60_000, ..Settings::default() }).await;
    let impatient = bench.post(RESPONSES, &streaming(RESPONSES)).timeout(Duration::from_millis(200));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    left(&bench).await;
    assert_eq!(bench.sim.generations(), 1);
}

/// Wait until the simulator has noticed that its caller left.
pub(crate) async fn left(bench: &Bench) {
    let noticed = async {
        while bench.sim.hung_up() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), noticed).await.expect("it is noticed promptly");
}
