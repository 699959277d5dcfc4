//! `localstripe`, a fake Stripe by others: customers, subscriptions and invoices in the shapes of before 2025-03-31, and its own
//! signed events. It has no Checkout.

use crate::harness::{BOTH, Host, Person, client};
use crate::venv;
use orla::config::StripeConfig;
use orla::connectors::Memories;
use orla::{ledger, on};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

const KEY: &str = "sk_test_localstripe";
const SECRET: &str = "whsec_localstripe";
const PLAN: &str = "plan_starter";

struct Local {
    origin: String,
    _program: Child,
}

impl Local {
    async fn start() -> Self {
        let python = venv::python("localstripe==1.15.10").await;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(python);
        command.args(["-m", "localstripe", "--from-scratch", "--port", &port.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let local = Self { origin: format!("http://127.0.0.1:{port}"), _program: command.spawn().unwrap() };
        for _ in 0..300 {
            if client().get(&local.origin).send().await.is_ok() {
                return local;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("localstripe did not start");
    }

    async fn ask(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Value {
        let request = client().request(method, format!("{}{path}", self.origin)).bearer_auth(KEY);
        let answer = request.form(form).send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).unwrap_or_default()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        self.ask(Method::POST, path, form).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Begins a purchase. It has no Checkout to end it in, but a customer is made.
async fn customer(host: &Host, local: &Local, ada: &Person) -> String {
    const PRICE: &str =
        "insert into payment_prices (price_id, tier, period, credits, unit_amount, currency, created_at)
        values ('plan_starter', 'starter', 'month', 1000, 2500, 'gbp', 0)";
    const OFFER: &str =
        "insert into payment_offers (lookup_key, price_id) values ('orla_starter_month', 'plan_starter')";
    const NO_CHECKOUT: &str = "update payment_customers set checkouts = 0";
    let run = async |statement: &'static str| {
        let mut tx = host.app.db().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query(statement).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    };
    run(PRICE).await;
    run(OFFER).await;
    let wish = json!({"tier": "starter"});
    ada.post("/payment/create-checkout-session", &wish).await.refused(502, "vendor_error");
    run(NO_CHECKOUT).await;
    let customers = local.ask(Method::GET, "/v1/customers?email=ada@example.org", &[]).await;
    assert_eq!(customers["data"].as_array().unwrap().len(), 1, "{customers}");
    assert_eq!(customers["data"][0]["metadata"]["orla_workspace"], ada.workspace.to_string());
    text(&customers["data"][0]["id"])
}

async fn until(host: &Host, ada: &Person, tier: &str, expected: [i64; 2]) {
    let mut last = (Value::Null, [0; 2]);
    for _ in 0..200 {
        let balance = ledger::balance(&mut host.app.db().read().await.unwrap(), ada.workspace).await.unwrap();
        last = (ada.get("/payment/plan").await.expect(200)["tier"].clone(), [balance.posted, balance.owed]);
        if last == (json!(tier), expected) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not {tier} {expected:?}: {last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_of_localstripe_is_credited_refunded_and_ended() {
    for backend in BOTH {
        let local = Local::start().await;
        let host = Host::start_with(backend, crate::harness::settings(), |config| {
            *config.stripe = StripeConfig {
                secret_key: Some(SecretString::from(KEY)),
                webhook_secrets: Some(SecretString::from(SECRET)),
                url: local.origin.parse().unwrap(),
                version: "2024-06-20".to_owned(),
                ..StripeConfig::default()
            };
            Memories::Pooled
        })
        .await;
        let ada = host.person("ada").await;
        let hook = format!("{}/payment/stripe/webhook", host.url);
        local.post("/_config/webhooks/orla", &[("url", &hook), ("secret", SECRET)]).await;
        let plan = [
            ("id", PLAN),
            ("amount", "2500"),
            ("currency", "gbp"),
            ("interval", "month"),
            ("product[name]", "Starter"),
            ("metadata[orla_credits]", "1000"),
            ("metadata[orla_tier]", "starter"),
        ];
        local.post("/v1/plans", &plan).await;
        let customer = customer(&host, &local, &ada).await;
        let card = [
            ("type", "card"),
            ("card[number]", "4242424242424242"),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2099"),
            ("card[cvc]", "123"),
        ];
        let card = text(&local.post("/v1/payment_methods", &card).await["id"]);
        local.post(&format!("/v1/payment_methods/{card}/attach"), &[("customer", &customer)]).await;
        let default = [("invoice_settings[default_payment_method]", card.as_str())];
        local.post(&format!("/v1/customers/{customer}"), &default).await;
        let wanted = [("customer", customer.as_str()), ("items[0][plan]", PLAN)];
        let subscription = text(&local.post("/v1/subscriptions", &wanted).await["id"]);
        until(&host, &ada, "starter", [1_000, 0]).await;
        let charges = local.ask(Method::GET, &format!("/v1/charges?customer={customer}"), &[]).await;
        let charge = text(&charges["data"][0]["id"]);
        local.post("/v1/refunds", &[("charge", &charge), ("amount", "500")]).await;
        // It tells nothing of refunds: they are read with whatever it tells next.
        local.ask(Method::DELETE, &format!("/v1/subscriptions/{subscription}"), &[]).await;
        until(&host, &ada, "free", [800, 0]).await;
        host.check_books().await;
    }
}
