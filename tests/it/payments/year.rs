//! A customer's year: trial, renewals, a failed payment and its recovery, an upgrade, a downgrade, credits alone, a refund after
//! spending, disputes, the end. Its events in order, reversed, shuffled, doubled and all at once leave the same.

use super::stage::{DAY, Stage, plan};
use crate::harness::{BOTH, Backend, Person};
use orla::on;
use orla_vendors::stripe::{Event, sign};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use serde_json::{Value, json};

/// How events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Each when it happens.
    Live,
    /// All of a half year at its end, as they happened.
    Late,
    Reversed,
    Shuffled(u64),
    /// Each twice in a row.
    Doubled,
    /// Several times over, all at once.
    Parallel,
}

const ORDERS: [Order; 8] = [
    Order::Live,
    Order::Late,
    Order::Reversed,
    Order::Shuffled(1),
    Order::Shuffled(2),
    Order::Shuffled(3),
    Order::Doubled,
    Order::Parallel,
];

/// What a year leaves.
#[derive(Debug, Clone, PartialEq)]
struct Left {
    balance: [i64; 3],
    plan: Value,
    /// Credits that were used.
    used: i64,
    purchases: Vec<String>,
    events: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_leaves_the_same_however_its_events_come() {
    for backend in BOTH {
        let mut first = None;
        for order in ORDERS {
            let left = Box::pin(year(backend, order)).await;
            assert_eq!(left.plan["tier"], "free", "{order:?}");
            assert!(left.events > 40, "{left:?}");
            let expected = first.get_or_insert_with(|| left.clone());
            assert_eq!(&left, expected, "{backend:?} {order:?}");
        }
    }
}

/// A year on its way.
struct Course<'a> {
    stage: &'a Stage,
    order: Order,
    told: usize,
}

impl Course<'_> {
    /// Something happened: it is told at once where events come so.
    async fn happened(&mut self) {
        if self.order == Order::Live {
            self.tell().await;
        }
    }

    /// Tells what was not told yet.
    async fn tell(&mut self) {
        let mut events = self.stage.stripe.events()[self.told..].to_vec();
        self.told += events.len();
        match self.order {
            Order::Live | Order::Late => {}
            Order::Reversed => events.reverse(),
            Order::Shuffled(seed) => events.shuffle(&mut StdRng::seed_from_u64(seed)),
            Order::Doubled => events = events.iter().flat_map(|event| [event.clone(), event.clone()]).collect(),
            Order::Parallel => return self.all_at_once(&events).await,
        }
        self.stage.deliver(&events).await;
    }

    async fn all_at_once(&self, events: &[Event]) {
        let url = format!("{}/payment/stripe/webhook", self.stage.host.url);
        let now = self.stage.host.app.now().seconds();
        let mut sent = tokio::task::JoinSet::new();
        for event in events.iter().chain(events) {
            let (url, body) = (url.clone(), event.body());
            let header = sign("whsec_orla_demo", &body, now);
            sent.spawn(async move {
                crate::harness::client().post(url).header("stripe-signature", header).body(body).send().await.unwrap()
            });
        }
        while let Some(answer) = sent.join_next().await {
            assert_eq!(answer.unwrap().status(), 204);
        }
    }

    async fn days(&mut self, days: u32) {
        self.stage.advance(days * DAY);
        self.happened().await;
    }
}

/// The id of the newest object that an event of this kind is about.
fn newest(stage: &Stage, kind: &str) -> String {
    let events = stage.stripe.events();
    events.iter().rev().find(|event| event.kind == kind).unwrap().object_id().to_owned()
}

/// The price that a lookup key names at Stripe.
async fn price(stage: &Stage, lookup_key: &str) -> String {
    const FIND: &str = "select price_id from payment_offers where lookup_key = $1";
    let mut tx = stage.host.app.db().read().await.unwrap();
    on!(&mut tx, conn => sqlx::query_scalar(FIND).bind(lookup_key).fetch_one(conn).await).unwrap()
}

/// The id of what the simulator made.
fn id(done: &Value) -> String {
    done["id"].as_str().unwrap().to_owned()
}

async fn year(backend: Backend, order: Order) -> Left {
    let stage = Stage::with(backend, |config| config.stripe.trial_days = 7).await;
    let ada = stage.host.person("ada").await;
    let mut course = Course { stage: &stage, order, told: 0 };
    let sim = &stage.stripe;

    stage.buy(&ada, &plan("starter", "month")).await;
    course.happened().await;
    let subscription = newest(&stage, "customer.subscription.created");
    let customer = newest(&stage, "customer.created");
    course.days(7).await;
    for _ in 0..3 {
        course.days(31).await;
    }
    sim.decline(&customer, true).unwrap();
    course.days(31).await;
    let unpaid = newest(&stage, "invoice.payment_failed");
    course.days(3).await;
    sim.decline(&customer, false).unwrap();
    sim.retry(&unpaid).unwrap();
    course.happened().await;
    sim.change_plan(&subscription, &price(&stage, "orla_professional_month").await).unwrap();
    course.happened().await;
    course.days(31).await;
    sim.change_plan(&subscription, &price(&stage, "orla_starter_month").await).unwrap();
    course.happened().await;
    course.days(31).await;
    let ada = stage.again("ada").await;
    stage.buy(&ada, &json!({"credits": 500})).await;
    let top_up = newest(&stage, "charge.succeeded");
    course.tell().await;
    // Half of the year is told by now, however it came; some of it is used.
    let [available, ..] = stage.balance(&ada).await;
    assert!(available > 600, "{order:?}: {available}");
    stage.spend(&ada, available - 100, "videos").await;

    sim.refund(&top_up, Some(700)).unwrap();
    course.happened().await;
    course.days(31).await;
    let won = id(&sim.dispute(&newest(&stage, "charge.succeeded")).unwrap());
    course.happened().await;
    sim.close_dispute(&won, true).unwrap();
    course.happened().await;
    course.days(31).await;
    let lost = id(&sim.dispute(&newest(&stage, "charge.succeeded")).unwrap());
    course.happened().await;
    sim.close_dispute(&lost, false).unwrap();
    course.happened().await;
    sim.cancel(&subscription, true).unwrap();
    course.happened().await;
    course.days(62).await;
    course.tell().await;
    left(&stage, &stage.again("ada").await).await
}

async fn left(stage: &Stage, ada: &Person) -> Left {
    const USED: &str = "select cast(sum(amount) as bigint) from credit_transactions
        where workspace_id = $1 and kind = 'settle'";
    let balance = stage.balance(ada).await;
    let mut tx = stage.host.app.db().read().await.unwrap();
    let used = on!(&mut tx, conn => sqlx::query_scalar(USED).bind(ada.workspace).fetch_one(conn).await).unwrap();
    drop(tx);
    let bought = ada.get("/payment/purchases").await.expect(200)["items"].as_array().unwrap().clone();
    let shown = ["description", "amount", "refunded", "credits", "credits_to_come", "paid_at"];
    let mut purchases: Vec<String> = bought.iter().map(|it| shown.map(|name| it[name].to_string()).join(" ")).collect();
    purchases.sort();
    Left {
        balance,
        plan: ada.get("/payment/plan").await.expect(200),
        used,
        purchases,
        events: stage.stripe.events().len(),
    }
}
