//! The pages that people see.

use reqwest::StatusCode;
use serde_json::json;

use crate::{Bench, sent, text};

#[tokio::test]
async fn a_customer_pays_and_goes_on() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.price("1250", None).await);
    let session = bench.session("payment", &customer, &price, &[]).await;
    let url = text(&bench.get(&format!("/v1/checkout/sessions/{session}")).await["url"]);
    assert_eq!(url, bench.url(&format!("/c/pay/{session}")));
    let page = sent(bench.http.get(&url)).await.text().await.unwrap();
    assert!(page.contains("Plan &lt;A&gt;") && page.contains("12.50 USD") && !page.contains("<A>"), "{page}");
    let back = sent(bench.http.post(&url).form(&[("action", "back")])).await;
    assert_eq!(back.headers()["location"], "https://app.example/no");
    bench.sim.decline(&customer, true).unwrap();
    assert_eq!(sent(bench.http.post(&url).form(&[("action", "pay")])).await.status(), StatusCode::PAYMENT_REQUIRED);
    bench.sim.decline(&customer, false).unwrap();
    let paid = sent(bench.http.post(&url).form(&[("action", "pay")])).await;
    assert_eq!(paid.status(), StatusCode::SEE_OTHER);
    assert_eq!(paid.headers()["location"], format!("https://app.example/ok?session_id={session}"));
    assert_eq!(sent(bench.http.get(&url)).await.status(), StatusCode::GONE);
}

#[tokio::test]
async fn a_customer_manages_what_is_theirs() {
    let bench = Bench::start().await;
    let (customer, other) = (bench.customer().await, bench.customer().await);
    let (cheap, dear) = (bench.monthly("1000").await, bench.monthly("3000").await);
    let subscription = bench.subscribed(&customer, &cheap).await;
    let open = async |customer: &str| {
        let form = [("customer", customer), ("return_url", "https://app.example/billing")];
        text(&bench.post("/v1/billing_portal/sessions", &form).await["url"])
    };
    let url = open(&customer).await;
    let page = sent(bench.http.get(&url)).await.text().await.unwrap();
    assert!(
        page.contains("Change to Plan &lt;A&gt;, 30.00 USD per month") && page.contains("Cancel at the end"),
        "{page}"
    );
    let press = async |url: &str, action: &str, price: &str| {
        let form = [("action", action), ("subscription", &subscription), ("price", price)];
        sent(bench.http.post(url).form(&form)).await
    };
    let strangers = open(&other).await;
    assert_eq!(press(&strangers, "cancel", "").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(press(&url, "change", &dear).await.status(), StatusCode::SEE_OTHER);
    let path = format!("/v1/subscriptions/{subscription}");
    assert_eq!(bench.get(&path).await["items"]["data"][0]["price"]["id"], json!(dear));
    press(&url, "cancel", "").await;
    assert_eq!(bench.get(&path).await["cancel_at_period_end"], true);
    press(&url, "keep", "").await;
    assert_eq!(bench.get(&path).await["cancel_at_period_end"], false);
    assert_eq!(press(&url, "back", "").await.headers()["location"], "https://app.example/billing");
    let invoice = bench.sim.latest("invoice").unwrap();
    let page = sent(bench.http.get(text(&invoice["hosted_invoice_url"]))).await.text().await.unwrap();
    assert!(page.contains("Unused time on Plan &lt;A&gt;"), "{page}");
}
