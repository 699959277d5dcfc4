//! What makes no sense is refused in clear words, and the ledger stays as it is.

use super::stage::{DAY, Stage, open, plan};
use crate::harness::BOTH;
use orla::on;
use orla_vendors::stripe::{Fault, Mode};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn wishes_that_make_no_sense_are_refused() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        for (field, wish) in [
            ("credits", json!({"credits": -500})),
            ("credits", json!({"credits": 0})),
            ("credits", json!({"credits": 501})),
            ("credits", json!({"credits": i64::MAX})),
            ("tier", json!({"tier": "platinum"})),
            ("tier", json!({"tier": ""})),
            ("tier", json!({"tier": "orla_starter_month"})),
            ("interval", json!({"tier": "enterprise", "interval": "year"})),
            ("interval", json!({"credits": 500, "interval": "month"})),
            ("currency", json!({"credits": 500, "currency": "usd"})),
            ("currency", json!({"tier": "starter", "currency": "\u{0}"})),
            ("tier", json!({"tier": "starter", "credits": 500})),
            ("tier", json!({})),
        ] {
            let answer = ada.post("/payment/create-checkout-session", &wish).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["field"]),
                (422, &json!(field)),
                "{wish}: {}",
                answer.body
            );
        }
        for wish in [
            json!({"credits": 1e30}),
            json!({"credits": 1.5}),
            json!({"credits": "500"}),
            json!({"tier": "starter", "interval": "decade"}),
            json!({"tier": "starter", "price": "price_1"}),
            json!({"tier": "starter", "workspace_id": "another"}),
        ] {
            ada.post("/payment/create-checkout-session", &wish).await.refused(400, "malformed_request");
        }
        // Not one of them reached Stripe.
        assert!(stage.stripe.latest("customer").is_none());
        assert_eq!(stage.balance(&ada).await, [0, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_another_workspace_credits_nobody() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let (ada, eve) = (stage.host.person("ada").await, stage.host.person("eve").await);
        stage.buy(&ada, &json!({"credits": 500})).await;
        open(&eve, &json!({"credits": 500})).await;
        let events = stage.stripe.events();
        let paid = events.iter().find(|event| event.kind == "checkout.session.completed").unwrap();
        let forged = |path: &str| {
            let mut body: Value = serde_json::from_str(&paid.body()).unwrap();
            *body.pointer_mut(&format!("/data/object/{path}")).unwrap() = json!(eve.workspace.to_string());
            body["id"] = json!(format!("evt_{}", path.len()));
            body.to_string()
        };
        for path in ["client_reference_id", "metadata/orla_workspace"] {
            stage.send(&forged(path)).await.refused(400, "malformed_request");
        }
        assert_eq!((stage.balance(&ada).await, stage.balance(&eve).await), ([0, 0, 0], [0, 0, 0]));
        stage.deliver(&events).await;
        assert_eq!((stage.balance(&ada).await, stage.balance(&eve).await), ([500, 0, 0], [0, 0, 0]));
        // What somebody else sells on the same account is none of ours.
        let strange = json!({"id": "evt_mug", "object": "event", "type": "invoice.paid", "livemode": false,
            "data": {"object": {"id": "in_mug", "customer": "cus_mug"}}});
        stage.send(&strange.to_string()).await.expect(204);
        assert_eq!(stage.balance(&ada).await, [500, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_stripe_fails_nothing_is_lost() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        stage.buy(&ada, &plan("starter", "month")).await;
        let events = stage.stripe.events();
        let paid = events.iter().find(|event| event.kind == "invoice.paid").unwrap();
        let rounds: i64 = 3;
        for mode in [Mode::CutBefore, Mode::CutAfter, Mode::CutBefore] {
            for _ in 0..rounds {
                stage.stripe.fault(Fault::on("GET", "/v1/invoices", mode.clone()));
            }
            stage.send(&paid.body()).await.refused(503, "vendor_busy");
            let mut tx = stage.host.app.db().read().await.unwrap();
            let kept: i64 =
                on!(&mut tx, conn => sqlx::query_scalar("select count(*) from payment_events").fetch_one(conn).await)
                    .unwrap();
            assert_eq!((kept, stage.balance(&ada).await), (0, [0, 0, 0]), "{mode:?}");
        }
        // One that passes is passed over.
        stage.stripe.fault(Fault::on("GET", "/v1/invoices", Mode::CutBefore));
        stage.send(&paid.body()).await.expect(204);
        assert_eq!(stage.balance(&ada).await, [1_000, 0, 0]);
        stage.advance(DAY);
        stage.deliver(&events).await;
        assert_eq!(stage.balance(&ada).await, [1_000, 0, 0]);
    }
}
