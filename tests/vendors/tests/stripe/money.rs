//! Payments, refunds and disputes.

use serde_json::json;

use crate::{Bench, text};

#[tokio::test]
async fn a_payment_may_have_an_invoice() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.price("500", None).await);
    let more = [("invoice_creation[enabled]", "true"), ("payment_intent_data[metadata][user_id]", "42")];
    let session = bench.session("payment", &customer, &price, &more).await;
    let kinds = bench.kinds_of(|sim| drop(sim.pay(&session).unwrap()));
    for kind in ["payment_intent.succeeded", "charge.succeeded", "invoice.paid", "checkout.session.completed"] {
        assert!(kinds.iter().any(|given| given == kind), "{kind} is not among {kinds:?}");
    }
    let session = bench.get(&format!("/v1/checkout/sessions/{session}")).await;
    let intent = bench.get(&format!("/v1/payment_intents/{}", text(&session["payment_intent"]))).await;
    assert_eq!(
        (&intent["status"], &intent["amount_received"], &intent["metadata"]["user_id"]),
        (&json!("succeeded"), &json!(500), &json!("42"))
    );
    let invoice = bench.get(&format!("/v1/invoices/{}?expand[]=payments", text(&session["invoice"]))).await;
    assert_eq!((&invoice["billing_reason"], &invoice["parent"]), (&json!("manual"), &json!(null)));
    assert_eq!(invoice["payments"]["data"][0]["payment"]["payment_intent"], intent["id"]);
    assert!(bench.sim.pay(&text(&session["id"])).is_err(), "it is complete");
}

#[tokio::test]
async fn a_declined_card_leaves_checkout_open() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.price("500", None).await);
    let session = bench.session("payment", &customer, &price, &[]).await;
    bench.sim.decline(&customer, true).unwrap();
    let kinds = bench.kinds_of(|sim| assert!(sim.pay(&session).is_err()));
    assert_eq!(kinds[1..], ["charge.failed", "payment_intent.payment_failed"]);
    bench.sim.decline(&customer, false).unwrap();
    assert_eq!(bench.sim.pay(&session).unwrap()["payment_status"], "paid");
}

#[tokio::test]
async fn some_means_of_payment_take_days() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.price("500", None).await);
    for (ok, kind) in
        [(true, "checkout.session.async_payment_succeeded"), (false, "checkout.session.async_payment_failed")]
    {
        let session = bench.session("payment", &customer, &price, &[("invoice_creation[enabled]", "true")]).await;
        let later = bench.sim.pay_later(&session).unwrap();
        assert_eq!(
            (&later["status"], &later["payment_status"], &later["invoice"]),
            (&json!("complete"), &json!("unpaid"), &json!(null))
        );
        let settled = bench.sim.settle_later(&session, ok).unwrap();
        assert_eq!(settled["payment_status"], if ok { "paid" } else { "unpaid" });
        assert_eq!(settled["invoice"].is_string(), ok);
        assert_eq!(bench.sim.events().pop().unwrap().kind, kind);
        assert!(bench.sim.settle_later(&session, ok).is_err());
    }
    let monthly = bench.monthly("900").await;
    let session = bench.session("subscription", &customer, &monthly, &[]).await;
    let subscription = text(&bench.sim.pay_later(&session).unwrap()["subscription"]);
    assert_eq!(bench.get(&format!("/v1/subscriptions/{subscription}")).await["status"], "active");
    bench.sim.settle_later(&session, false).unwrap();
    assert_eq!(bench.get(&format!("/v1/subscriptions/{subscription}")).await["status"], "past_due");
}

#[tokio::test]
async fn no_more_is_given_back_than_was_taken() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.price("500", None).await);
    let session = bench.session("payment", &customer, &price, &[]).await;
    let intent = text(&bench.sim.pay(&session).unwrap()["payment_intent"]);
    let charge = text(&bench.get(&format!("/v1/payment_intents/{intent}")).await["latest_charge"]);
    let kinds = bench.kinds_of(|sim| drop(sim.refund(&charge, Some(200)).unwrap()));
    assert_eq!(kinds, ["refund.created", "charge.refunded"]);
    let error = bench.refused("/v1/refunds", &[("charge", &charge), ("amount", "301")], 400).await;
    assert!(text(&error["message"]).contains("(3.00 USD)"), "{error}");
    assert_eq!(bench.post("/v1/refunds", &[("payment_intent", &intent)]).await["amount"], 300);
    let known = bench.get(&format!("/v1/charges/{charge}")).await;
    assert_eq!((&known["amount_refunded"], &known["refunded"]), (&json!(500), &json!(true)));
    assert_eq!(bench.refused("/v1/refunds", &[("charge", &charge)], 400).await["code"], "charge_already_refunded");
    assert_eq!(bench.get(&format!("/v1/refunds?charge={charge}")).await["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_bank_takes_back_and_may_give_again() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.price("500", None).await);
    for (won, kinds) in [
        (true, vec!["charge.dispute.funds_reinstated", "charge.dispute.closed"]),
        (false, vec!["charge.dispute.closed"]),
    ] {
        let session = bench.session("payment", &customer, &price, &[]).await;
        let intent = text(&bench.sim.pay(&session).unwrap()["payment_intent"]);
        let charge = text(&bench.get(&format!("/v1/charges?payment_intent={intent}")).await["data"][0]["id"]);
        let dispute = text(&bench.sim.dispute(&charge).unwrap()["id"]);
        assert!(dispute.starts_with("du_") && bench.sim.dispute(&charge).is_err());
        assert_eq!(bench.refused("/v1/refunds", &[("charge", &charge)], 400).await["code"], "charge_disputed");
        assert_eq!(bench.kinds_of(|sim| drop(sim.close_dispute(&dispute, won).unwrap())), kinds);
        let known = bench.get(&format!("/v1/disputes/{dispute}")).await;
        assert_eq!(known["status"], if won { "won" } else { "lost" });
        assert_eq!(bench.get(&format!("/v1/disputes?charge={charge}")).await["data"][0]["id"], json!(dispute));
    }
}
