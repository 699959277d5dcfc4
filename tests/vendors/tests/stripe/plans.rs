//! Changing a subscription's price.

use serde_json::{Value, json};

use crate::{Bench, DAY_S, START, text};

fn amounts(invoice: &Value) -> Vec<i64> {
    let lines = invoice["lines"]["data"].as_array().expect("an invoice has lines");
    lines.iter().map(|line| line["amount"].as_i64().expect("a line has an amount")).collect()
}

#[tokio::test]
async fn the_difference_is_invoiced_by_the_second() {
    let bench = Bench::start().await;
    let (customer, cheap, dear) = (bench.customer().await, bench.monthly("1000").await, bench.monthly("3000").await);
    let subscription = bench.subscribed(&customer, &cheap).await;
    // Half of the 28 days to the end of February.
    bench.sim.advance(14 * DAY_S);
    let changed = bench.sim.change_plan(&subscription, &dear).unwrap();
    let event = bench.get("/v1/events?type=customer.subscription.updated").await["data"][0]["data"].clone();
    assert_eq!(event["previous_attributes"]["items"]["data"][0]["price"]["id"], json!(cheap));
    assert_eq!(event["object"]["items"]["data"][0]["price"]["id"], json!(dear));
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&changed["latest_invoice"]))).await;
    assert_eq!((&invoice["billing_reason"], &invoice["total"]), (&json!("subscription_update"), &json!(1000)));
    assert_eq!(amounts(&invoice), [-500, 1500]);
    let lines = &invoice["lines"]["data"];
    assert_eq!(lines[0]["parent"]["subscription_item_details"]["proration"], true);
    assert_eq!(lines[0]["pricing"]["price_details"]["price"], json!(cheap));
    assert_eq!(lines[1]["period"], json!({ "start": START + 14 * 86_400, "end": START + 28 * 86_400 }));

    // Back again: what is left over is the customer's, and pays for the next period.
    let back = bench.sim.change_plan(&subscription, &cheap).unwrap();
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&back["latest_invoice"]))).await;
    assert_eq!(
        (&invoice["total"], &invoice["amount_due"], &invoice["status"]),
        (&json!(-1000), &json!(0), &json!("paid"))
    );
    assert_eq!(bench.get(&format!("/v1/customers/{customer}")).await["balance"], -1000);
    bench.sim.advance(14 * DAY_S);
    let cycle = bench.sim.latest("invoice").unwrap();
    assert_eq!((&cycle["total"], &cycle["amount_due"], &cycle["ending_balance"]), (&json!(1000), &json!(0), &json!(0)));
}

#[tokio::test]
async fn another_interval_begins_a_new_period() {
    let bench = Bench::start().await;
    let (customer, monthly) = (bench.customer().await, bench.monthly("1000").await);
    let yearly = bench.price("10000", Some("year")).await;
    let subscription = bench.subscribed(&customer, &monthly).await;
    bench.sim.advance(7 * DAY_S);
    let changed = bench.sim.change_plan(&subscription, &yearly).unwrap();
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&changed["latest_invoice"]))).await;
    assert_eq!(amounts(&invoice), [-750, 10_000]);
    assert_eq!(invoice["lines"]["data"][1]["parent"]["subscription_item_details"]["proration"], false);
    let (start, item) = (START + 7 * 86_400, &changed["items"]["data"][0]);
    assert_eq!(
        (item["current_period_start"].as_i64(), item["current_period_end"].as_i64()),
        (Some(start), Some(start + 365 * 86_400))
    );
    assert_eq!(changed["billing_cycle_anchor"].as_i64(), Some(start));
}

#[tokio::test]
async fn the_api_can_leave_it_for_the_next_invoice_or_altogether() {
    let bench = Bench::start().await;
    let (customer, cheap, dear) = (bench.customer().await, bench.monthly("1000").await, bench.monthly("3000").await);
    let subscription = bench.subscribed(&customer, &cheap).await;
    let path = format!("/v1/subscriptions/{subscription}");
    let item = text(&bench.get(&path).await["items"]["data"][0]["id"]);
    bench.sim.advance(14 * DAY_S);
    let to = |price, behaviour| {
        [("items[0][id]", item.as_str()), ("items[0][price]", price), ("proration_behavior", behaviour)]
    };
    assert_eq!(bench.refused(&path, &[("items[0][price]", &dear)], 400).await["param"], "items[0][id]");
    let before = bench.get(&path).await["latest_invoice"].clone();
    assert_eq!(bench.post(&path, &to(&dear, "none")).await["latest_invoice"], before);
    assert_eq!(bench.post(&path, &to(&cheap, "create_prorations")).await["latest_invoice"], before);
    bench.sim.advance(14 * DAY_S);
    assert_eq!(amounts(&bench.sim.latest("invoice").unwrap()), [-1500, 500, 1000]);
    let once = bench.price("500", None).await;
    assert!(bench.sim.change_plan(&subscription, &once).is_err());
}
