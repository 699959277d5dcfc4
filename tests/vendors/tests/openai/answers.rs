//! What is answered in one piece.

use orla_vendors::openai::{Answer, Settings};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, CHAT, RESPONSES, as_published, ask, body, refusal, sent, text};

fn said(answer: &Value) -> String {
    text(&answer["output"][0]["content"][0]["text"]).to_owned()
}

#[tokio::test]
async fn a_response_is_about_its_input() {
    let bench = Bench::start().await;
    let answer = bench.answered(RESPONSES, &ask(RESPONSES, &json!({ "instructions": "Be brief." }))).await;
    assert!(said(&answer).contains("coffee from Huila"), "{answer}");
    assert_eq!(answer["status"], "completed");
    assert_eq!(answer["instructions"], "Be brief.");
    let (input, output) = (&answer["usage"]["input_tokens"], &answer["usage"]["output_tokens"]);
    assert_eq!(output, &json!(said(&answer).chars().count().div_ceil(4)));
    assert_eq!(answer["usage"]["total_tokens"], json!(input.as_u64().unwrap() + output.as_u64().unwrap()));

    let again = bench.answered(RESPONSES, &ask(RESPONSES, &json!({ "instructions": "Be brief." }))).await;
    assert_eq!(said(&answer), said(&again));
    assert_ne!(answer["id"], again["id"]);
    let other = bench.answered(RESPONSES, &ask(RESPONSES, &json!({ "instructions": "Be long." }))).await;
    assert_ne!(said(&answer), said(&other));
    assert_eq!(bench.sim.generations(), 3);
}

#[tokio::test]
async fn a_chat_completion_is_about_the_last_user_message() {
    let bench = Bench::start().await;
    let messages = json!([
        { "role": "developer", "content": "Be brief." },
        { "role": "user", "content": "Write about tea." },
        { "role": "assistant", "content": "Tea is fine." },
        { "role": "user", "content": [
            { "type": "text", "text": "Rather about chocolate!" },
            { "type": "image_url", "image_url": { "url": "https://example.com/a.png" } },
        ] },
    ]);
    let answer = bench.answered(CHAT, &ask(CHAT, &json!({ "messages": messages, "store": false }))).await;
    let choice = &answer["choices"][0];
    assert!(text(&choice["message"]["content"]).contains("chocolate"), "{answer}");
    assert_eq!(choice["finish_reason"], "stop");
    assert!(answer["usage"]["prompt_tokens"].as_u64().unwrap() > 85, "an image costs");
}

#[tokio::test]
async fn correct_bodies_of_all_sorts_are_taken() {
    let bench = Bench::start().await;
    let image = json!({ "type": "input_image", "image_url": "data:image/png;base64,AA==" });
    let items = json!([
        { "role": "developer", "content": "Be brief." },
        { "role": "user", "content": [{ "type": "input_text", "text": "What is this?" }, image] },
        { "type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": [
            { "type": "output_text", "text": "A picture.", "annotations": [], "logprobs": [] },
        ] },
        { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "Say more." }] },
    ]);
    let metadata = json!({ "anything": "goes" });
    for more in [
        json!({ "input": items }),
        json!({ "instructions": null, "temperature": null, "stream": null, "max_output_tokens": null, "tools": [] }),
        json!({ "reasoning": { "effort": "low" }, "text": { "verbosity": "low" }, "store": false }),
        json!({ "metadata": metadata, "safety_identifier": "abc", "prompt_cache_key": "p", "truncation": "auto" }),
        json!({ "model": "gpt-4.1-mini", "temperature": 0.5, "top_p": 0.9, "max_output_tokens": 16 }),
    ] {
        bench.answered(RESPONSES, &ask(RESPONSES, &more)).await;
    }
    for more in [
        json!({ "reasoning_effort": "low", "verbosity": "low", "max_completion_tokens": 500, "n": 1 }),
        json!({ "model": "gpt-4.1", "temperature": 0.5, "top_p": 0.9, "max_tokens": 500, "seed": 7 }),
        json!({ "temperature": null, "stop": null, "stream_options": null, "logit_bias": null, "metadata": metadata }),
    ] {
        bench.answered(CHAT, &ask(CHAT, &more)).await;
    }
}

#[tokio::test]
async fn an_answer_is_cut_at_its_limit() {
    let bench = Bench::saying(&"x".repeat(100)).await;
    let answer = bench.answered(RESPONSES, &ask(RESPONSES, &json!({ "max_output_tokens": 16 }))).await;
    assert_eq!(answer["status"], "incomplete");
    assert_eq!(answer["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!((said(&answer).len(), &answer["usage"]["output_tokens"]), (64, &json!(16)));
    let answer = bench.answered(RESPONSES, &ask(RESPONSES, &json!({ "max_output_tokens": 25 }))).await;
    assert_eq!((said(&answer).len(), &answer["status"]), (100, &json!("completed")));

    let answer = bench.answered(CHAT, &ask(CHAT, &json!({ "max_completion_tokens": 3 }))).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["choices"][0]["message"]["content"], "x".repeat(12));
}

#[tokio::test]
async fn models_are_listed() {
    let bench = Bench::with(Settings { models: vec!["gpt-x".to_owned()], ..Settings::default() }).await;
    let list = body(sent(bench.get("/v1/models")).await, StatusCode::OK).await;
    as_published("ListModelsResponse", &list);
    assert_eq!(list["data"][0]["id"], "gpt-x");
    let model = body(sent(bench.get("/v1/models/gpt-x")).await, StatusCode::OK).await;
    assert_eq!(model, list["data"][0]);
    let unknown = refusal(sent(bench.get("/v1/models/gpt-y")).await, StatusCode::NOT_FOUND).await;
    assert_eq!(unknown["code"], "model_not_found");
    assert_eq!(bench.sim.counts()["GET /v1/models/{id}"], 2);
}

#[tokio::test]
async fn requests_are_kept_with_their_bodies() {
    let bench = Bench::start().await;
    let request = ask(RESPONSES, &json!({ "store": false }));
    bench.answered(RESPONSES, &request).await;
    sent(bench.http.post(bench.url(CHAT)).body("{")).await;
    let received = bench.sim.requests();
    assert_eq!((received[0].method.as_str(), received[0].path.as_str()), ("POST", RESPONSES));
    assert_eq!((&received[0].body, received[0].authorized), (&request, true));
    assert_eq!((&received[1].body, received[1].authorized), (&Value::Null, false));
    assert_eq!(received.iter().map(|r| r.status).collect::<Vec<_>>(), [Answer::Status(200), Answer::Status(401)]);
}
