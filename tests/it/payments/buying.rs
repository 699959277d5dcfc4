//! Buying: a plan by the month and by the year, credits alone, and what the workspace sees of it.

use super::stage::{DAY, START, Stage, open, plan, shown};
use crate::harness::{BOTH, client};
use orla::payments;
use orla::payments::watching;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_paid_for_and_its_credits_come_and_end_with_the_month() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        assert_eq!(ada.get("/payment/plan").await.expect(200)["tier"], "free");
        ada.post("/payment/create-portal-session", &json!({})).await.refused(409, "no_customer");
        let session = open(&ada, &plan("starter", "month")).await;
        let path = format!("/payment/checkout-sessions/{session}");
        assert_eq!(ada.get(&path).await.expect(200)["status"], "open");
        stage.stripe.pay(&session).unwrap();
        stage.deliver(&stage.stripe.events()).await;
        assert_eq!(stage.balance(&ada).await, [1_000, 0, 0]);
        let now = ada.get("/payment/plan").await.expect(200);
        let expected = json!({"tier": "starter", "status": "active", "interval": "month", "period_end": shown(START + i64::from(28 * DAY)),
            "trial_end": null, "cancels_at_period_end": false});
        assert_eq!(now, expected);
        let bought = ada.get("/payment/purchases").await.expect(200)["items"].clone();
        assert_eq!((&bought[0]["amount"], &bought[0]["credits"]), (&json!(2_500), &json!(1_000)), "{bought}");
        let portal = ada.post("/payment/create-portal-session", &json!({})).await.expect(200);
        assert!(portal["portal_url"].as_str().unwrap().contains("/p/session/"), "{portal}");
        ada.post("/payment/create-checkout-session", &plan("business", "month")).await.refused(409, "has_plan");

        stage.spend(&ada, 300, "a video").await;
        let seen = stage.stripe.events().len();
        stage.advance(28 * DAY);
        stage.deliver(&stage.stripe.events()[seen..]).await;
        // What was unused has ended, and a month's credits have come.
        assert_eq!(stage.balance(&ada).await, [1_000, 0, 0]);
        let ada = stage.again("ada").await;
        assert_eq!(ada.get("/payment/purchases").await.expect(200)["items"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_is_paid_at_once_and_its_credits_come_each_month() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        stage.buy(&ada, &plan("professional", "year")).await;
        stage.deliver(&stage.stripe.events()).await;
        assert_eq!(stage.balance(&ada).await, [3_500, 0, 0]);
        for days in [28, 31, 30] {
            stage.spend(&ada, 1_000, &format!("after {days}")).await;
            stage.advance(days * DAY);
            assert_eq!(stage.balance(&ada).await, [0, 0, 0]);
            watching::sweep(&stage.host.app).await.unwrap();
            watching::sweep(&stage.host.app).await.unwrap();
            assert_eq!(stage.balance(&ada).await, [3_500, 0, 0], "{days}");
        }
        let ada = stage.again("ada").await;
        let bought = ada.get("/payment/purchases").await.expect(200)["items"][0].clone();
        assert_eq!((&bought["credits"], &bought["credits_to_come"]), (&json!(14_000), &json!(28_000)), "{bought}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_alone_are_bought_once_and_never_end() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        let session = stage.buy(&ada, &json!({"credits": 500, "currency": "GBP"})).await;
        // Whoever comes back first has them credited, before Stripe tells.
        let seen = ada.get(&format!("/payment/checkout-sessions/{session}")).await.expect(200);
        assert_eq!((&seen["status"], &seen["payment_status"]), (&json!("complete"), &json!("paid")));
        assert_eq!(stage.balance(&ada).await, [500, 0, 0]);
        stage.deliver(&stage.stripe.events()).await;
        stage.deliver(&stage.stripe.events()).await;
        stage.advance(1_000 * DAY);
        assert_eq!(stage.balance(&ada).await, [500, 0, 0]);
        // A plan of another's is none of ours.
        let eve = stage.host.person("eve").await;
        eve.get(&format!("/payment/checkout-sessions/{session}")).await.refused(404, "not_found");
        for strange in ["cs_", "cs_nothing", "..%2f..%2fcustomers", "sub_1", "cs_%00"] {
            eve.get(&format!("/payment/checkout-sessions/{strange}")).await.refused(404, "not_found");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_takes_its_time_pays_later_or_never() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        for (pays, expected) in [(true, 500), (false, 500)] {
            let session = open(&ada, &json!({"credits": 500})).await;
            let before = stage.balance(&ada).await;
            stage.stripe.pay_later(&session).unwrap();
            stage.deliver(&stage.stripe.events()).await;
            assert_eq!(stage.balance(&ada).await, before);
            stage.stripe.settle_later(&session, pays).unwrap();
            stage.deliver(&stage.stripe.events()).await;
            assert_eq!(stage.balance(&ada).await, [expected, 0, 0]);
        }
        let session = open(&ada, &json!({"credits": 500})).await;
        stage.stripe.expire(&session).unwrap();
        stage.deliver(&stage.stripe.events()).await;
        let shown = ada.get(&format!("/payment/checkout-sessions/{session}")).await.expect(200);
        assert_eq!((&shown["status"], &shown["session_url"]), (&json!("expired"), &Value::Null));
        assert_eq!(stage.balance(&ada).await, [500, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_are_one_customer_with_one_plan() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        let asked = (0..8).map(|_| {
            let ada = ada.clone();
            tokio::spawn(async move { ada.post("/payment/create-checkout-session", &plan("starter", "month")).await })
        });
        let mut opened = Vec::new();
        for answer in asked.collect::<Vec<_>>() {
            let answer = answer.await.unwrap();
            match answer.status.as_u16() {
                200 => opened.push(answer.body["session_id"].as_str().unwrap().to_owned()),
                _ => answer.refused(409, "checkout_opened_twice"),
            }
        }
        let paid = opened.iter().filter(|session| stage.stripe.pay(session).is_ok()).count();
        assert_eq!(paid, 1, "{opened:?}");
        stage.deliver(&stage.stripe.events()).await;
        assert_eq!(stage.balance(&ada).await, [1_000, 0, 0]);
        let customers = stage.stripe.events().iter().filter(|event| event.kind == "customer.created").count();
        assert!(customers <= 1, "{customers} customers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_opens_one_session() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        let ask = async |key: &str, wish: &Value| {
            let url = format!("{}/payment/create-checkout-session", stage.host.url);
            let request = client().post(url).bearer_auth(&ada.token).header("idempotency-key", key).json(wish);
            crate::harness::Answer::of(request.send().await.unwrap()).await
        };
        for wish in [plan("starter", "month"), json!({"credits": 1_000})] {
            let key = wish.to_string().chars().filter(char::is_ascii_alphanumeric).collect::<String>();
            let first = ask(&key, &wish).await.expect(200);
            assert_eq!(ask(&key, &wish).await.expect(200)["session_id"], first["session_id"]);
            ask(&key, &json!({"credits": 2_500})).await.refused(409, "idempotency_key_reused");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sold_keeps_its_credits_when_prices_change() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        let eve = stage.host.person("eve").await;
        stage.buy(&ada, &plan("starter", "month")).await;
        let again = payments::sync(&stage.host.app).await.unwrap();
        assert!(again.iter().all(|price| !price.is_new), "{again:?}");
        let file = stage.host.data.path().join("plans.toml");
        let text = "currency = \"gbp\"\ntop_ups = []\n[[tiers]]\nname = \"starter\"\ntitle = \"Starter\"\nmonth = 4000\ncredits = 900\n";
        std::fs::write(&file, text).unwrap();
        let mut config = stage.host.app.config().clone();
        config.stripe.plans_file = Some(file);
        let Stage { host, stripe, micros } = stage;
        let stage = Stage { host: host.again_with(config).await, stripe, micros };
        let synced = payments::sync(&stage.host.app).await.unwrap();
        assert_eq!(synced.iter().map(|price| price.is_new).collect::<Vec<_>>(), [true]);
        let eve = crate::harness::Person { url: stage.host.url.clone(), ..eve };
        stage.buy(&eve, &plan("starter", "month")).await;
        eve.post("/payment/create-checkout-session", &json!({"credits": 500})).await.refused(422, "invalid_input");
        stage.deliver(&stage.stripe.events()).await;
        assert_eq!((stage.balance(&ada).await[0], stage.balance(&eve).await[0]), (1_000, 900));
        let seen = stage.stripe.events().len();
        stage.advance(28 * DAY);
        stage.deliver(&stage.stripe.events()[seen..]).await;
        assert_eq!((stage.balance(&ada).await[0], stage.balance(&eve).await[0]), (1_000, 900));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stripe_never_tells_is_found_by_and_by() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        stage.buy(&ada, &plan("starter", "month")).await;
        watching::sweep(&stage.host.app).await.unwrap();
        assert_eq!(stage.balance(&ada).await, [0, 0, 0]);
        stage.advance(DAY / 24);
        watching::sweep(&stage.host.app).await.unwrap();
        assert_eq!(stage.balance(&ada).await, [1_000, 0, 0]);
        stage.spend(&ada, 999, "a video").await;
        stage.advance(28 * DAY);
        watching::sweep(&stage.host.app).await.unwrap();
        assert_eq!(stage.balance(&ada).await, [1_000, 0, 0]);
        // Once it was looked, there is nothing to look at.
        let asked = stage.stripe.requests().len();
        watching::sweep(&stage.host.app).await.unwrap();
        assert_eq!(stage.stripe.requests().len(), asked);
    }
}
