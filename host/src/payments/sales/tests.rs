use super::{Part, Sale, moment, of_invoice, of_session, share};
use crate::clock::Timestamp;
use crate::id::WorkspaceId;
use crate::payments::objects::{Invoice, Session};
use crate::payments::plans::Interval;
use crate::payments::prices::{Pinned, Prices};
use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert, proptest};
use serde_json::{Value, json};

/// 2027-01-31T00:00:00Z.
const START: i64 = 1_801_353_600;
/// 2027-02-28T00:00:00Z.
const MONTH_END: i64 = 1_803_772_800;
/// 2028-01-31T00:00:00Z.
const YEAR_END: i64 = 1_832_889_600;

fn prices() -> Prices {
    let of = |id: &str, period, credits, amount| Pinned {
        price_id: id.to_owned(),
        tier: Some("starter".to_owned()),
        period: Some(period),
        credits,
        amount,
        currency: "gbp".to_owned(),
    };
    let all = [
        of("price_month", Interval::Month, 1_000, 2_500),
        of("price_more", Interval::Month, 3_500, 7_500),
        of("price_year", Interval::Year, 1_000, 25_000),
    ];
    all.into_iter().map(|price| (price.price_id.clone(), price)).collect()
}

fn line(price: &str, amount: i64, (start, end): (i64, i64), is_prorated: bool) -> Value {
    json!({
        "id": "il_1", "amount": amount, "quantity": 1, "period": {"start": start, "end": end},
        "pricing": {"price_details": {"price": price}},
        "parent": {"subscription_item_details": {"proration": is_prorated}},
    })
}

fn sale(amount_paid: i64, lines: &Value) -> Option<Sale> {
    let invoice: Invoice = serde_json::from_value(json!({
        "id": "in_1", "status": "paid", "created": START, "amount_paid": amount_paid, "currency": "gbp",
        "parent": {"subscription_details": {"subscription": "sub_1"}}, "lines": {"data": lines, "has_more": false},
    }))
    .unwrap();
    of_invoice(&invoice, &prices())
}

fn part(credits: i64, start: i64, end: i64) -> Part {
    Part { credits, starts_at: moment(start), ends_at: Some(moment(end)) }
}

#[test]
fn a_month_comes_at_once_and_ends_with_it() {
    let sold = sale(2_500, &json!([line("price_month", 2_500, (START, MONTH_END), false)])).unwrap();
    assert_eq!(sold.parts, [part(1_000, START, MONTH_END)]);
    assert_eq!((sold.amount, sold.description.as_str()), (2_500, "Subscription: starter, each month"));
}

#[test]
fn a_year_comes_in_twelve_months_of_the_calendar() {
    let sold = sale(25_000, &json!([line("price_year", 25_000, (START, YEAR_END), false)])).unwrap();
    assert_eq!(sold.parts.len(), 12);
    assert_eq!(sold.parts[0], part(1_000, START, MONTH_END));
    assert_eq!(sold.parts[11].ends_at, Some(moment(YEAR_END)));
    for pair in sold.parts.windows(2) {
        assert_eq!(pair[0].ends_at, Some(pair[1].starts_at));
    }
}

#[test]
fn what_is_changed_within_a_period_is_worth_the_part_that_is_paid() {
    let half = (START + (MONTH_END - START) / 2, MONTH_END);
    let lines = json!([line("price_month", -1_250, half, true), line("price_more", 3_750, half, true)]);
    assert_eq!(sale(2_500, &lines).unwrap().parts, [part(1_250, START, MONTH_END)]);
    let down = json!([line("price_more", -3_750, half, true), line("price_month", 1_250, half, true)]);
    assert_eq!(sale(0, &down), None);
}

#[test]
fn what_is_paid_back_is_taken_off_the_first_months_of_a_year() {
    let lines = json!([
        line("price_month", -1_250, (START, MONTH_END), true),
        line("price_year", 25_000, (START, YEAR_END), false),
    ]);
    let sold = sale(23_750, &lines).unwrap();
    assert_eq!((sold.parts.len(), sold.parts[0].credits, sold.parts[1].credits), (12, 500, 1_000));
}

#[test]
fn a_trial_is_worth_its_part_of_a_month() {
    let week = START + 7 * 24 * 3_600;
    for price in ["price_month", "price_year"] {
        let sold = sale(0, &json!([line(price, 0, (START, week), false)])).unwrap();
        assert_eq!(sold.parts, [part(233, START, week)]);
    }
    let long = sale(0, &json!([line("price_month", 0, (START, YEAR_END), false)])).unwrap();
    assert_eq!(long.parts, [part(1_000, START, YEAR_END)]);
}

#[test]
fn a_foreign_price_is_worth_nothing() {
    assert_eq!(sale(900, &json!([line("price_of_a_mug", 900, (START, START), false)])), None);
    assert_eq!(sale(0, &json!([])), None);
}

#[test]
fn the_shapes_of_before_are_read_alike() {
    let invoice: Invoice = serde_json::from_value(json!({
        "id": "in_1", "status": "paid", "created": START, "amount_paid": 2_500, "currency": "gbp",
        "subscription": "sub_1", "charge": "ch_1", "payment_intent": {"id": "pi_1"},
        "lines": {"data": [{
            "id": "il_1", "amount": 2_500, "quantity": 1, "period": {"start": START, "end": MONTH_END}, "proration": false,
            "plan": {"id": "price_month", "amount": 2_500, "currency": "gbp", "interval": "month", "metadata": {}},
        }]},
    }))
    .unwrap();
    let sold = of_invoice(&invoice, &prices()).unwrap();
    assert_eq!(sold.parts, [part(1_000, START, MONTH_END)]);
    assert_eq!((invoice.subscription(), sold.payments), (Some("sub_1"), vec!["ch_1".to_owned(), "pi_1".to_owned()]));
}

#[test]
fn a_session_counts_once_it_is_paid_and_only_where_it_is_ours() {
    let workspace = WorkspaceId::new();
    let session = |payment_status: &str, metadata: Value| {
        let session: Session = serde_json::from_value(json!({
            "id": "cs_1", "url": null, "mode": "payment", "status": "complete", "payment_status": payment_status,
            "created": START, "expires_at": START, "amount_total": 1_000, "currency": "gbp", "payment_intent": "pi_1",
            "metadata": metadata,
        }))
        .unwrap();
        of_session(&session, workspace)
    };
    let ours = json!({"orla_workspace": workspace.to_string(), "orla_credits": "500"});
    let expected = Part { credits: 500, starts_at: moment(START), ends_at: None };
    assert_eq!(session("paid", ours.clone()).unwrap().parts, [expected]);
    assert_eq!(session("unpaid", ours), None);
    assert_eq!(session("paid", json!({})), None);
    let another = json!({"orla_workspace": WorkspaceId::new().to_string(), "orla_credits": "500"});
    assert_eq!(session("paid", another), None);
    for credits in ["-5", "0", "many", "99999999999999999999"] {
        let words = json!({"orla_workspace": workspace.to_string(), "orla_credits": credits});
        assert_eq!(session("paid", words), None, "{credits}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_share_is_never_more_than_the_whole(credits in 0..1_000_000_000_000_i64, whole in any::<i64>(), paid in any::<i64>()) {
        let paid = paid.min(whole).max(0);
        let part = share(credits, paid, whole);
        prop_assert!((0..=credits).contains(&part), "{part}");
    }

    #[test]
    fn no_line_breaks_the_reckoning(amounts in proptest::collection::vec((any::<i64>(), any::<i64>(), any::<i64>(), any::<bool>()), 0..5)) {
        let lines: Vec<Value> = amounts.iter().map(|(amount, start, end, is_prorated)| line("price_year", *amount, (*start, *end), *is_prorated)).collect();
        let parts = sale(0, &json!(lines)).map_or_else(Vec::new, |sold| sold.parts);
        prop_assert!(parts.iter().all(|part| part.credits > 0 && part.starts_at > Timestamp(i64::MIN)), "{parts:?}");
    }
}
