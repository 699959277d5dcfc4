//! The simulated Stripe, seen through HTTP: that it is as strict as it claims, that a year passes as it should, and that
//! Stripe's own library understands it.

mod control;
mod deliveries;
mod faults;
mod idempotency;
mod money;
mod pages;
mod plans;
mod python;
mod refusals;
#[path = "../venv/mod.rs"]
mod venv;
mod year;

use orla_vendors::stripe::{Settings, Sim};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

/// 2027-01-31 12:00:00 UTC, where the clock stands until a test advances it.
const START: i64 = 1_801_396_800;
const DAY_S: u64 = 24 * 60 * 60;

/// A simulator, and a client that neither follows redirects nor keeps connections.
struct Bench {
    sim: Sim,
    http: Client,
}

impl Bench {
    async fn start() -> Self {
        Self::with(Settings { now: Some(START), ..Settings::default() }).await
    }

    #[expect(clippy::disallowed_methods, reason = "a test is the outside world, and has no egress policy")]
    async fn with(settings: Settings) -> Self {
        let sim = Sim::start(settings).await;
        let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0);
        Self { sim, http: builder.build().expect("a client needs nothing that could be missing") }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.origin())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let settings = self.sim.settings();
        let request = self.http.request(method, self.url(path)).bearer_auth(settings.api_key);
        request.header("stripe-version", settings.version)
    }

    fn posting(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        self.request(Method::POST, path).form(form)
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        body(sent(self.posting(path, form)).await, StatusCode::OK).await
    }

    async fn get(&self, path: &str) -> Value {
        body(sent(self.request(Method::GET, path)).await, StatusCode::OK).await
    }

    /// The error of a POST that is refused.
    async fn refused(&self, path: &str, form: &[(&str, &str)], status: u16) -> Value {
        let status = StatusCode::from_u16(status).expect("it is a status");
        body(sent(self.posting(path, form)).await, status).await["error"].clone()
    }

    async fn customer(&self) -> String {
        id(&self.post("/v1/customers", &[("email", "ada@example.com"), ("name", "Ada")]).await)
    }

    async fn monthly(&self, amount: &str) -> String {
        self.price(amount, Some("month")).await
    }

    async fn price(&self, amount: &str, interval: Option<&str>) -> String {
        let mut form = vec![("currency", "usd"), ("unit_amount", amount), ("product_data[name]", "Plan <A>")];
        form.extend(interval.map(|interval| ("recurring[interval]", interval)));
        id(&self.post("/v1/prices", &form).await)
    }

    /// A session of Checkout that is open.
    async fn session(&self, mode: &str, customer: &str, price: &str, more: &[(&str, &str)]) -> String {
        let form = [
            ("mode", mode),
            ("customer", customer),
            ("line_items[0][price]", price),
            ("line_items[0][quantity]", "1"),
            ("success_url", "https://app.example/ok?session_id={CHECKOUT_SESSION_ID}"),
            ("cancel_url", "https://app.example/no"),
        ];
        id(&self.post("/v1/checkout/sessions", &[&form, more].concat()).await)
    }

    /// A subscription that was paid in Checkout.
    async fn subscribed(&self, customer: &str, price: &str) -> String {
        let session = self.session("subscription", customer, price, &[]).await;
        text(&self.sim.pay(&session).expect("the card is not declined")["subscription"])
    }

    /// The types of the events that come of something.
    fn kinds_of(&self, act: impl FnOnce(&Sim)) -> Vec<String> {
        let before = self.sim.events().len();
        act(&self.sim);
        self.sim.events().split_off(before).into_iter().map(|event| event.kind).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn id(object: &Value) -> String {
    text(&object["id"])
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("the simulator answers")
}

/// The JSON of a response that must have this status.
async fn body(response: Response, status: StatusCode) -> Value {
    let (given, text) = (response.status(), response.text().await.expect("the body arrives whole"));
    assert_eq!(given, status, "{text}");
    serde_json::from_str(&text).expect("the body is JSON")
}
