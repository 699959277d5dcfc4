//! Payments that are taken back: refunds and disputes, before and after the credits were used.

use super::stage::{DAY, Stage, plan};
use crate::harness::{BOTH, Person};
use orla::payments::watching;
use serde_json::json;

/// The charge of the newest payment.
fn charge(stage: &Stage) -> String {
    let events = stage.stripe.events();
    let paid = events.iter().rev().find(|event| event.kind == "charge.succeeded").unwrap();
    paid.object_id().to_owned()
}

/// The id of what the simulator made.
fn id(done: &serde_json::Value) -> String {
    done["id"].as_str().unwrap().to_owned()
}

async fn tell(stage: &Stage) {
    stage.deliver(&stage.stripe.events()).await;
}

/// Somebody with 500 credits bought for 1000.
async fn bought(stage: &Stage) -> Person {
    let ada = stage.host.person("ada").await;
    stage.buy(&ada, &json!({"credits": 500})).await;
    tell(stage).await;
    ada
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unspent_goes_with_a_refund_and_the_rest_is_owed() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = bought(&stage).await;
        let charge = charge(&stage);
        stage.stripe.refund(&charge, Some(200)).unwrap();
        tell(&stage).await;
        assert_eq!(stage.balance(&ada).await, [400, 0, 0]);
        stage.spend(&ada, 350, "a video").await;
        stage.stripe.refund(&charge, None).unwrap();
        tell(&stage).await;
        tell(&stage).await;
        assert_eq!(stage.balance(&ada).await, [0, 0, 350]);
        let shown = ada.get("/payment/purchases").await.expect(200)["items"][0].clone();
        assert_eq!((&shown["amount"], &shown["refunded"]), (&json!(1_000), &json!(1_000)), "{shown}");
        // What comes next pays it off.
        stage.buy(&ada, &json!({"credits": 500})).await;
        tell(&stage).await;
        assert_eq!(stage.balance(&ada).await, [150, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_takes_credits_back_and_one_that_is_won_gives_them_again() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = bought(&stage).await;
        stage.spend(&ada, 100, "a video").await;
        let first = id(&stage.stripe.dispute(&charge(&stage)).unwrap());
        tell(&stage).await;
        assert_eq!(stage.balance(&ada).await, [0, 0, 100]);
        stage.stripe.close_dispute(&first, true).unwrap();
        tell(&stage).await;
        assert_eq!(stage.balance(&ada).await, [400, 0, 0]);
        stage.buy(&ada, &json!({"credits": 500})).await;
        let second = id(&stage.stripe.dispute(&charge(&stage)).unwrap());
        stage.stripe.close_dispute(&second, false).unwrap();
        tell(&stage).await;
        assert_eq!(stage.balance(&ada).await, [400, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_that_is_refunded_halfway_has_half_of_its_credits_to_come() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        stage.buy(&ada, &plan("starter", "year")).await;
        tell(&stage).await;
        stage.stripe.refund(&charge(&stage), Some(12_500)).unwrap();
        tell(&stage).await;
        assert_eq!(stage.balance(&ada).await, [500, 0, 0]);
        stage.advance(28 * DAY);
        watching::sweep(&stage.host.app).await.unwrap();
        assert_eq!(stage.balance(&ada).await, [500, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_that_ended_unused_are_not_owed_when_the_month_is_disputed_later() {
    for backend in BOTH {
        let stage = Stage::open(backend).await;
        let ada = stage.host.person("ada").await;
        stage.buy(&ada, &plan("starter", "month")).await;
        tell(&stage).await;
        let first = charge(&stage);
        stage.spend(&ada, 400, "a video").await;
        stage.advance(29 * DAY);
        tell(&stage).await;
        assert_eq!(stage.balance(&ada).await, [1_000, 0, 0]);
        stage.stripe.refund(&first, Some(1_250)).unwrap();
        tell(&stage).await;
        tell(&stage).await;
        // Half of the credits were paid back, and more than that had ended unused.
        assert_eq!(stage.balance(&ada).await, [1_000, 0, 0]);
        stage.stripe.refund(&first, None).unwrap();
        tell(&stage).await;
        // The 400 that were used are taken from what is there.
        assert_eq!(stage.balance(&ada).await, [600, 0, 0]);
    }
}
