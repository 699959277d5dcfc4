//! Answers in a form that was asked for.

use orla_vendors::openai::Settings;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, CHAT, RESPONSES, ask, text};

fn post_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "text": { "type": "string" },
            "hashtags": { "type": "array", "items": { "type": "string" } },
            "tone": { "type": "string", "enum": ["warm", "dry"] },
        },
        "required": ["text", "hashtags", "tone"],
        "additionalProperties": false,
    })
}

fn in_form(path: &str, name: &str, schema: &Value) -> Value {
    match path {
        CHAT => {
            let spec = json!({ "name": name, "schema": schema, "strict": true });
            ask(path, &json!({ "response_format": { "type": "json_schema", "json_schema": spec } }))
        }
        _ => {
            let format = json!({ "type": "json_schema", "name": name, "schema": schema, "strict": true });
            ask(path, &json!({ "text": { "format": format } }))
        }
    }
}

fn told(path: &str, answer: &Value) -> Value {
    let said = match path {
        CHAT => &answer["choices"][0]["message"]["content"],
        _ => &answer["output"][0]["content"][0]["text"],
    };
    serde_json::from_str(text(said)).expect("the answer is JSON")
}

#[tokio::test]
async fn an_answer_fits_the_schema_and_is_about_the_input() {
    let bench = Bench::start().await;
    for path in [RESPONSES, CHAT] {
        let told = told(path, &bench.answered(path, &in_form(path, "post", &post_schema())).await);
        jsonschema::validate(&post_schema(), &told).unwrap();
        assert!(text(&told["text"]).contains("coffee from Huila"), "{told}");
    }
}

#[tokio::test]
async fn a_reply_is_told_where_it_fits() {
    let reply = json!({ "text": "Hello!", "hashtags": [], "tone": "dry" });
    let bench = Bench::with(Settings { reply: Some(reply.to_string()), ..Settings::default() }).await;
    for path in [RESPONSES, CHAT] {
        assert_eq!(told(path, &bench.answered(path, &in_form(path, "post", &post_schema())).await), reply);
    }
    bench.sim.change(|settings| settings.reply = Some("Hello!".to_owned()));
    let told = told(RESPONSES, &bench.answered(RESPONSES, &in_form(RESPONSES, "post", &post_schema())).await);
    assert_eq!(told, json!({ "text": "Hello!", "hashtags": ["Hello!"], "tone": "warm" }));
}

#[tokio::test]
async fn schemas_that_are_not_strict_enough_are_refused() {
    let bench = Bench::start().await;
    let mut open = post_schema();
    open.as_object_mut().unwrap().remove("additionalProperties");
    let mut optional = post_schema();
    optional["required"] = json!(["text", "tone"]);
    let broken = json!({ "type": "object", "properties": {}, "additionalProperties": false, "required": 5 });
    for (path, param) in [(RESPONSES, "text.format.schema"), (CHAT, "response_format")] {
        for schema in [&open, &optional, &broken, &json!({ "type": "string" })] {
            let error = bench.refused(path, &in_form(path, "post", schema), StatusCode::BAD_REQUEST).await;
            assert_eq!((&error["code"], &error["param"]), (&json!("invalid_json_schema"), &json!(param)), "{error}");
        }
        for name in ["a post", "", &"x".repeat(65)] {
            let error = bench.refused(path, &in_form(path, name, &post_schema()), StatusCode::BAD_REQUEST).await;
            assert!(text(&error["param"]).ends_with(".name"), "{error}");
        }
    }
    let mut loose = in_form(RESPONSES, "post", &open);
    loose["text"]["format"]["strict"] = false.into();
    bench.answered(RESPONSES, &loose).await;
}

#[tokio::test]
async fn a_json_object_must_be_spoken_of() {
    let bench = Bench::start().await;
    let form = json!({ "response_format": { "type": "json_object" } });
    bench.refused(CHAT, &ask(CHAT, &form), StatusCode::BAD_REQUEST).await;
    let mut request = ask(CHAT, &form);
    request["messages"][0]["content"] = "Answer in JSON, please.".into();
    assert!(told(CHAT, &bench.answered(CHAT, &request).await)["text"].is_string());
}
