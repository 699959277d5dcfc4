//! A year of a subscription, and what else time does.

use serde_json::json;

use crate::{Bench, DAY_S, START, id, text};

/// What an invoice that is paid by card says.
const PAID: [&str; 7] = [
    "invoice.created",
    "payment_intent.created",
    "invoice.finalized",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice_payment.paid",
    "invoice.paid",
];

#[tokio::test]
async fn a_year_is_twelve_months_on_the_last_days() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.monthly("900").await);
    let more = [("subscription_data[metadata][user_id]", "42"), ("client_reference_id", "user_42")];
    let session = bench.session("subscription", &customer, &price, &more).await;
    let kinds = bench.kinds_of(|sim| drop(sim.pay(&session).unwrap()));
    assert_eq!(kinds[0], "customer.subscription.created");
    assert!(PAID.iter().all(|kind| kinds.iter().filter(|given| given == kind).count() == 1), "{kinds:?}");
    assert_eq!(kinds[kinds.len() - 2..], ["invoice.payment_succeeded", "checkout.session.completed"]);
    let session = bench.get(&format!("/v1/checkout/sessions/{session}")).await;
    assert_eq!((&session["status"], &session["payment_status"]), (&json!("complete"), &json!("paid")));
    let path = format!("/v1/subscriptions/{}", text(&session["subscription"]));
    let begun = bench.get(&path).await;
    assert_eq!((&begun["status"], &begun["metadata"]["user_id"]), (&json!("active"), &json!("42")));

    bench.sim.advance(365 * DAY_S);
    let invoices = bench.get(&format!("/v1/invoices?customer={customer}&limit=100")).await;
    let invoices = invoices["data"].as_array().unwrap();
    assert_eq!(invoices.len(), 13);
    assert!(invoices.iter().all(|invoice| invoice["status"] == "paid" && invoice["amount_paid"] == 900));
    assert_eq!(
        (&invoices[12]["billing_reason"], &invoices[0]["billing_reason"]),
        (&json!("subscription_create"), &json!("subscription_cycle"))
    );
    // 2027-02-28, 2027-03-31 and 2028-01-31, each at noon.
    let starts: Vec<i64> = invoices.iter().rev().map(|invoice| invoice["created"].as_i64().unwrap()).collect();
    assert_eq!((starts[1], starts[2], starts[12]), (1_803_816_000, 1_806_494_400, START + 365 * 86_400));
    let item = bench.get(&path).await["items"]["data"][0].clone();
    assert_eq!(
        (item["current_period_start"].as_i64(), item["current_period_end"].as_i64()),
        (Some(starts[12]), Some(1_835_438_400))
    );
    for kind in ["invoice.paid", "invoice.payment_succeeded"] {
        let events = bench.get(&format!("/v1/events?type={kind}&limit=100")).await;
        assert_eq!(events["data"].as_array().unwrap().len(), 13, "{kind}");
        assert_eq!(events["data"][0]["data"]["object"]["parent"]["subscription_details"]["metadata"]["user_id"], "42");
    }
    let line = &invoices[0]["lines"]["data"][0];
    assert_eq!(line["pricing"]["price_details"]["price"], json!(price));
    assert_eq!(line["parent"]["subscription_item_details"]["proration"], false);
    assert!(invoices[0].get("payments").is_none());
    let expanded = bench.get(&format!("/v1/invoices/{}?expand[]=payments", id(&invoices[0]))).await;
    let intent = text(&expanded["payments"]["data"][0]["payment"]["payment_intent"]);
    let found =
        bench.get(&format!("/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]={intent}")).await;
    assert_eq!(found["data"][0]["invoice"], invoices[0]["id"]);
}

#[tokio::test]
async fn a_trial_ends_and_is_paid() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.monthly("900").await);
    let more = [("subscription_data[trial_period_days]", "7")];
    let session = bench.session("subscription", &customer, &price, &more).await;
    let kinds = bench.kinds_of(|sim| drop(sim.pay(&session).unwrap()));
    assert!(!kinds.iter().any(|kind| kind.starts_with("charge.")), "{kinds:?}");
    assert!(kinds.contains(&"invoice.paid".to_owned()) && kinds.contains(&"invoice.payment_succeeded".to_owned()));
    let session = bench.get(&format!("/v1/checkout/sessions/{session}")).await;
    assert_eq!(session["payment_status"], "no_payment_required");
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&session["invoice"]))).await;
    assert_eq!((&invoice["amount_paid"], &invoice["billing_reason"]), (&json!(0), &json!("subscription_create")));
    let end = START + 7 * 86_400;
    assert_eq!(invoice["lines"]["data"][0]["period"], json!({ "start": START, "end": end }));
    let subscription = text(&session["subscription"]);
    assert_eq!(bench.get(&format!("/v1/subscriptions/{subscription}")).await["status"], "trialing");

    let kinds = bench.kinds_of(|sim| sim.advance(4 * DAY_S));
    assert_eq!(kinds, ["customer.subscription.trial_will_end"]);
    bench.sim.advance(3 * DAY_S);
    let event = bench.get("/v1/events?type=customer.subscription.updated").await["data"][0].clone();
    assert_eq!(event["data"]["previous_attributes"]["status"], "trialing");
    let subscription = bench.get(&format!("/v1/subscriptions/{subscription}")).await;
    assert_eq!((&subscription["status"], subscription["billing_cycle_anchor"].as_i64()), (&json!("active"), Some(end)));
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&subscription["latest_invoice"]))).await;
    assert_eq!((&invoice["amount_paid"], &invoice["billing_reason"]), (&json!(900), &json!("subscription_cycle")));
}

#[tokio::test]
async fn a_declined_card_leaves_it_past_due_until_it_is_paid() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.monthly("900").await);
    let subscription = bench.subscribed(&customer, &price).await;
    bench.sim.decline(&customer, true).unwrap();
    let kinds = bench.kinds_of(|sim| sim.advance(28 * DAY_S));
    let expected =
        ["charge.failed", "payment_intent.payment_failed", "invoice.payment_failed", "customer.subscription.updated"];
    assert_eq!(kinds[kinds.len() - 4..], expected);
    let last = bench.sim.events().pop().unwrap();
    assert_eq!(last.data.previous_attributes, Some(json!({ "status": "active" })));
    let known = bench.get(&format!("/v1/subscriptions/{subscription}")).await;
    assert_eq!(known["status"], "past_due");
    let invoice = text(&known["latest_invoice"]);
    assert_eq!(bench.get("/v1/invoices?status=open").await["data"][0]["id"], json!(invoice));
    assert_eq!(bench.sim.retry(&invoice).unwrap_err().0, "Your card was declined.");
    bench.sim.decline(&customer, false).unwrap();
    let kinds = bench.kinds_of(|sim| assert_eq!(sim.retry(&invoice).unwrap()["attempt_count"], 3));
    assert_eq!(
        kinds[kinds.len() - 3..],
        ["invoice.paid", "invoice.payment_succeeded", "customer.subscription.updated"]
    );
    assert_eq!(bench.get(&format!("/v1/subscriptions/{subscription}")).await["status"], "active");
    assert!(bench.sim.retry(&invoice).is_err(), "it is paid");
    assert_eq!(bench.get(&format!("/v1/charges?customer={customer}")).await["data"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn what_is_canceled_is_over_at_once_or_with_its_period() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.monthly("900").await);
    let first = bench.subscribed(&customer, &price).await;
    let path = format!("/v1/subscriptions/{first}");
    let canceled = bench.post(&path, &[("cancel_at_period_end", "true")]).await;
    assert_eq!((&canceled["status"], canceled["cancel_at"].as_i64()), (&json!("active"), Some(START + 28 * 86_400)));
    let kept = bench.post(&path, &[("cancel_at_period_end", "false")]).await;
    assert!(kept["cancel_at"].is_null() && kept["canceled_at"].is_null());
    bench.sim.cancel(&first, true).unwrap();
    assert_eq!(bench.kinds_of(|sim| sim.advance(28 * DAY_S)), ["customer.subscription.deleted"]);
    let over = bench.get(&path).await;
    assert_eq!((&over["status"], over["ended_at"].as_i64()), (&json!("canceled"), Some(START + 28 * 86_400)));
    assert!(bench.sim.cancel(&first, false).is_err());
    assert_eq!(bench.get("/v1/subscriptions").await["data"], json!([]));
    assert_eq!(bench.get("/v1/subscriptions?status=all").await["data"][0]["id"], json!(first));

    let second = bench.subscribed(&customer, &price).await;
    let deleted = crate::sent(bench.request(reqwest::Method::DELETE, &format!("/v1/subscriptions/{second}"))).await;
    assert_eq!(crate::body(deleted, reqwest::StatusCode::OK).await["status"], "canceled");
    assert!(bench.kinds_of(|sim| sim.advance(60 * DAY_S)).is_empty());
}

#[tokio::test]
async fn a_session_is_open_for_a_day() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.price("500", None).await);
    let session = bench.session("payment", &customer, &price, &[]).await;
    assert!(bench.kinds_of(|sim| sim.advance(DAY_S - 1)).is_empty());
    assert_eq!(bench.kinds_of(|sim| sim.advance(10)), ["checkout.session.expired"]);
    assert_eq!(bench.sim.events().pop().unwrap().created, START + 86_400);
    assert_eq!(bench.sim.pay(&session).unwrap_err().0, "This Checkout Session is expired.");
}
