//! Payments: the installation's own key at Stripe, and the secret that Stripe signs events with.

use super::scan::Canary;
use super::stage::{self, Stage};
use crate::harness::{Answer, Person, client};
use orla::payments;
use orla_vendors::stripe::{Canned, Fault, Mode, sign};
use serde_json::json;

/// A purchase, events with right and wrong signatures, and a Stripe that repeats the key in all that it says.
pub(super) async fn at_stripe(stage: &Stage, ada: &Person) -> [Canary; 2] {
    let vendor = &stage.stripe;
    payments::sync(&stage.host.app).await.unwrap();
    let wish = json!({"tier": "starter", "interval": "month"});
    let opened = ada.post("/payment/create-checkout-session", &wish).await.expect(200);
    vendor.pay(opened["session_id"].as_str().unwrap()).unwrap();
    for event in vendor.events() {
        let (body, at) = (event.body(), vendor.now());
        told(stage, &body, &sign(stage::STRIPE_SIGNS, &body, at)).await.expect(204);
        told(stage, &body, &sign("whsec_of_somebody_else", &body, at)).await.expect(400);
    }
    assert_eq!(ada.get("/payment/plan").await.expect(200)["tier"], "starter");
    let says = |status: u16, key: &str| {
        let message = format!("{key} is not what {} was made for", stage::STRIPE);
        Mode::Status(Canned { status, body: Some(json!({"error": {"message": message}})), ..Canned::default() })
    };
    for mode in [Mode::EchoToken, says(400, "This"), says(401, stage::STRIPE), says(403, "This")] {
        vendor.fault(Fault::on("POST", "/v1/billing_portal/sessions", mode));
        let refused = ada.post("/payment/create-portal-session", &json!({})).await;
        assert!(refused.status.is_server_error(), "{}", refused.status);
    }
    [Canary::new("the key at Stripe", stage::STRIPE), Canary::new("what Stripe signs events with", stage::STRIPE_SIGNS)]
}

/// Tells the host an event.
async fn told(stage: &Stage, body: &str, signature: &str) -> Answer {
    let url = format!("{}/payment/stripe/webhook", stage.front.origin());
    let request = client().post(url).header("stripe-signature", signature);
    Answer::of(request.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap()).await
}
