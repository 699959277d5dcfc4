//! The simulated OpenAI, seen through HTTP: that it is as strict as it claims, answers as documented, and breaks only
//! when told to.

mod answers;
mod control;
mod faults;
mod formats;
mod python;
mod refusals;
mod streams;
#[path = "../venv/mod.rs"]
mod venv;

use orla_vendors::openai::{Settings, Sim};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

const KEY: &str = "sk-orla-demo";
const RESPONSES: &str = "/v1/responses";
const CHAT: &str = "/v1/chat/completions";

/// A simulator, and a client that keeps no connections.
struct Bench {
    sim: Sim,
    http: Client,
}

impl Bench {
    async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    #[expect(clippy::disallowed_methods, reason = "a test is the outside world, and has no egress policy")]
    async fn with(settings: Settings) -> Self {
        let sim = Sim::start(settings).await;
        let builder = Client::builder().pool_max_idle_per_host(0);
        Self { sim, http: builder.build().expect("a client needs nothing that could be missing") }
    }

    /// It answers this text.
    async fn saying(reply: &str) -> Self {
        Self::with(Settings { reply: Some(reply.to_owned()), ..Settings::default() }).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.origin())
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path)).bearer_auth(KEY)
    }

    fn post(&self, path: &str, content: &Value) -> RequestBuilder {
        self.http.post(self.url(path)).bearer_auth(KEY).json(content)
    }

    /// The JSON of an answer, which is as published.
    async fn answered(&self, path: &str, content: &Value) -> Value {
        let answer = body(sent(self.post(path, content)).await, StatusCode::OK).await;
        as_published(if path == CHAT { "CreateChatCompletionResponse" } else { "Response" }, &answer);
        answer
    }

    /// The error of a refusal, which is as published.
    async fn refused(&self, path: &str, content: &Value, status: StatusCode) -> Value {
        refusal(sent(self.post(path, content)).await, status).await
    }

    /// The events of a stream that arrives whole: their names (empty where they have none) and their data.
    async fn streamed(&self, path: &str, content: &Value) -> Vec<(String, String)> {
        let response = sent(self.post(path, content)).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        events(&response.text().await.expect("the stream arrives whole"))
    }
}

/// A request for a plain answer, with these members as well.
fn ask(path: &str, more: &Value) -> Value {
    let mut request = match path {
        CHAT => json!({ "messages": [{ "role": "user", "content": "Write about our coffee from Huila." }] }),
        _ => json!({ "input": "Write about our coffee from Huila." }),
    };
    request["model"] = "gpt-5.4-mini".into();
    for (name, value) in more.as_object().expect("members are an object") {
        request[name] = value.clone();
    }
    request
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("the simulator answers")
}

/// The JSON of a response that must have this status.
async fn body(response: Response, status: StatusCode) -> Value {
    for header in ["x-request-id", "x-ratelimit-remaining-requests", "x-ratelimit-reset-tokens"] {
        assert!(response.headers().contains_key(header), "{header} is missing");
    }
    let (given, text) = (response.status(), response.text().await.expect("the body arrives whole"));
    assert_eq!(given, status, "{text}");
    serde_json::from_str(&text).expect("the body is JSON")
}

async fn refusal(response: Response, status: StatusCode) -> Value {
    let answer = body(response, status).await;
    as_published("ErrorResponse", &answer);
    answer["error"].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("the member is a string")
}

/// The events of a stream, or of as much of it as there is.
fn events(text: &str) -> Vec<(String, String)> {
    let whole = text.split_inclusive("\n\n").filter(|event| event.ends_with("\n\n"));
    let field = |event: &str, name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::to_owned)
    };
    whole
        .map(|event| (field(event, "event: ").unwrap_or_default(), field(event, "data: ").expect("an event has data")))
        .collect()
}

/// The JSON of each event, without the sentinel of Chat Completions.
fn parsed(events: &[(String, String)]) -> Vec<Value> {
    let data = events.iter().map(|(_, data)| data).filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).expect("an event is JSON")).collect()
}

/// Hold an answer against the published schema of this name.
fn as_published(name: &str, answer: &Value) {
    let mut schemas: Value =
        serde_json::from_str(include_str!("../../openai/schemas.json")).expect("the schemas are JSON");
    // The service sends `usage: null` before the end (observed); the document has it present or not.
    let usage = schemas.pointer_mut("/$defs/ResponseUsage").expect("the document has it");
    *usage = json!({ "anyOf": [usage.take(), { "type": "null" }] });
    schemas["$ref"] = format!("#/$defs/{name}").into();
    let validator = jsonschema::draft202012::options().build(&schemas).expect("the schemas compile");
    let errors: Vec<String> = validator.iter_errors(answer).map(|e| format!("{} {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{name} is not as published: {errors:#?}");
}
