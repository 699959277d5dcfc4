//! What is refused, and how.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{Bench, body, id, sent, text};

#[tokio::test]
async fn callers_must_have_the_key_and_speak_the_version() {
    let bench = Bench::start().await;
    let url = bench.url("/v1/account");
    let version = bench.sim.settings().version;
    for (key, version, status) in [
        (None, Some(version.as_str()), 401),
        (Some("sk_test_other"), Some(version.as_str()), 401),
        (Some("sk_test_orla_demo"), None, 400),
        (Some("sk_test_orla_demo"), Some("2020-08-27"), 400),
        (Some("sk_test_orla_demo"), Some(version.as_str()), 200),
    ] {
        let mut request = bench.http.get(&url);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some(version) = version {
            request = request.header("stripe-version", version);
        }
        let answer = sent(request).await;
        assert_eq!(answer.status().as_u16(), status, "{key:?} {version:?}");
        assert!(answer.headers()["request-id"].to_str().unwrap().starts_with("req_"));
    }
}

#[tokio::test]
async fn what_there_is_not_is_not_found() {
    let bench = Bench::start().await;
    for (method, path) in [
        (Method::GET, "/v1/nothing"),
        (Method::DELETE, "/v1/customers/cus_1"),
        (Method::POST, "/v1/subscriptions"),
        (Method::GET, "/v2/customers"),
        (Method::GET, "/v1/customers/"),
    ] {
        assert_eq!(sent(bench.request(method, path)).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    for path in
        ["customers", "prices", "products", "checkout/sessions", "subscriptions", "invoices", "charges", "events"]
    {
        let answer = sent(bench.request(Method::GET, &format!("/v1/{path}/xx_1"))).await;
        let error = body(answer, StatusCode::NOT_FOUND).await["error"].clone();
        assert_eq!((&error["code"], &error["param"]), (&json!("resource_missing"), &json!("id")), "{path}");
    }
    let error =
        bench.refused("/v1/prices", &[("currency", "usd"), ("unit_amount", "500"), ("product", "prod_1")], 404).await;
    assert_eq!(
        (text(&error["message"]).as_str(), text(&error["param"]).as_str()),
        ("No such product: 'prod_1'", "product")
    );
}

#[tokio::test]
async fn parameters_are_known_whole_and_not_empty() {
    let bench = Bench::start().await;
    let customer = format!("/v1/customers/{}", bench.customer().await);
    for (path, form, param, code) in [
        ("/v1/products", vec![("nom", "x")], "nom", "parameter_unknown"),
        ("/v1/products", vec![("name", "x"), ("metadata[a][b]", "x")], "metadata[a][b]", "parameter_unknown"),
        ("/v1/products", vec![], "name", "parameter_missing"),
        ("/v1/prices", vec![("currency", "usd"), ("unit_amount", "5.5")], "unit_amount", "parameter_invalid_integer"),
        ("/v1/prices", vec![("currency", "usd"), ("unit_amount", "500")], "product", "parameter_missing"),
        ("/v1/customers", vec![("name", "")], "name", "parameter_invalid_empty"),
        ("/v1/customers", vec![("email", "nobody")], "email", "email_invalid"),
        (&customer, vec![("plan", "gold")], "plan", "parameter_unknown"),
        ("/v1/refunds", vec![("reason", "duplicate"), ("chargé", "1")], "chargé", "parameter_unknown"),
        (
            "/v1/checkout/sessions",
            vec![("mode", "payment"), ("line_items[0][price_data]", "x")],
            "line_items[0][price_data]",
            "parameter_unknown",
        ),
        ("/v1/checkout/sessions", vec![], "mode", "parameter_missing"),
        ("/v1/billing_portal/sessions", vec![("return_url", "https://a.example")], "customer", "parameter_missing"),
    ] {
        let error = bench.refused(path, &form, 400).await;
        assert_eq!((&error["param"], &error["code"]), (&json!(param), &json!(code)), "{path} {form:?}: {error}");
        assert_eq!(error["type"], "invalid_request_error");
    }
    for query in
        ["limit=0", "limit=101", "limit=x", "ending_before=cus_1", "starting_after=ch_1", "expand[]=data.customer"]
    {
        let answer = sent(bench.request(Method::GET, &format!("/v1/charges?{query}"))).await;
        assert!(answer.status().is_client_error(), "{query}");
    }
    let query = bench.posting("/v1/customers?name=x", &[("email", "a@example.com")]);
    assert_eq!(sent(query).await.status(), StatusCode::BAD_REQUEST);
    let json = bench.request(Method::POST, "/v1/customers").json(&json!({ "name": "x" }));
    assert_eq!(sent(json).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(bench.sim.events().len(), 1, "what is refused changes nothing");
}

#[tokio::test]
async fn a_lookup_key_belongs_to_one_active_price() {
    let bench = Bench::start().await;
    let product = id(&bench.post("/v1/products", &[("name", "Plan")]).await);
    let form = [("currency", "usd"), ("unit_amount", "900"), ("product", &product), ("lookup_key", "gold")];
    let first = id(&bench.post("/v1/prices", &form).await);
    assert_eq!(bench.refused("/v1/prices", &form, 400).await["param"], "lookup_key");
    let second = id(&bench.post("/v1/prices", &[&form[..], &[("transfer_lookup_key", "true")]].concat()).await);
    assert!(bench.get(&format!("/v1/prices/{first}")).await["lookup_key"].is_null());
    let found = bench.get("/v1/prices?lookup_keys[]=gold&active=true&expand[]=data.product").await;
    assert_eq!((found["data"].as_array().unwrap().len(), id(&found["data"][0])), (1, second));
    assert_eq!(found["data"][0]["product"]["name"], "Plan");
}

#[tokio::test]
async fn checkout_refuses_what_does_not_fit() {
    let bench = Bench::start().await;
    let (customer, monthly) = (bench.customer().await, bench.monthly("900").await);
    let once = bench.price("500", None).await;
    let cheap = bench.price("49", None).await;
    let base =
        [("customer", customer.as_str()), ("success_url", "https://app.example/ok"), ("line_items[0][quantity]", "1")];
    for (more, words) in [
        (vec![("mode", "payment"), ("line_items[0][price]", monthly.as_str())], "recurring price"),
        (vec![("mode", "subscription"), ("line_items[0][price]", &once)], "at least one recurring price"),
        (vec![("mode", "payment"), ("line_items[0][price]", &cheap)], "at least $0.50"),
        (vec![("mode", "setup"), ("line_items[0][price]", &once)], "Invalid mode"),
        (vec![("mode", "payment")], "line_items[0][price]"),
        (
            vec![("mode", "payment"), ("line_items[0][price]", &once), ("subscription_data[trial_period_days]", "7")],
            "subscription_data",
        ),
        (
            vec![("mode", "subscription"), ("line_items[0][price]", &monthly), ("invoice_creation[enabled]", "true")],
            "invoice_creation",
        ),
        (
            vec![
                ("mode", "subscription"),
                ("line_items[0][price]", &monthly),
                ("subscription_data[trial_period_days]", "731"),
            ],
            "between 1 and 730",
        ),
        (vec![("mode", "payment"), ("line_items[0][price]", &once), ("cancel_url", "/relative")], "Not a valid URL"),
        (vec![("mode", "payment"), ("line_items[0][price]", &once), ("line_items[2][price]", &once)], "Invalid array"),
    ] {
        let error = bench.refused("/v1/checkout/sessions", &[&base[..], &more].concat(), 400).await;
        assert!(text(&error["message"]).contains(words), "{words}: {error}");
    }
    bench.subscribed(&customer, &monthly).await;
    let euros =
        [("currency", "eur"), ("unit_amount", "900"), ("recurring[interval]", "year"), ("product_data[name]", "x")];
    let euros = id(&bench.post("/v1/prices", &euros).await);
    let other = [("mode", "subscription"), ("line_items[0][price]", euros.as_str())];
    let error = bench.refused("/v1/checkout/sessions", &[&base[..], &other].concat(), 400).await;
    assert!(text(&error["message"]).contains("cannot combine currencies"), "{error}");
}

#[tokio::test]
async fn lists_have_pages_newest_first() {
    let bench = Bench::start().await;
    let (customer, price) = (bench.customer().await, bench.price("500", None).await);
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.insert(0, bench.session("payment", &customer, &price, &[]).await);
    }
    let path = format!("/v1/checkout/sessions?customer={customer}&limit=2");
    let first = bench.get(&path).await;
    assert_eq!(
        (&first["object"], &first["url"], &first["has_more"]),
        (&json!("list"), &json!("/v1/checkout/sessions"), &json!(true))
    );
    assert_eq!([id(&first["data"][0]), id(&first["data"][1])], sessions[..2]);
    let second = bench.get(&format!("{path}&starting_after={}", sessions[1])).await;
    assert_eq!((id(&second["data"][0]), &second["has_more"]), (sessions[2].clone(), &json!(false)));
    bench.post(&format!("/v1/checkout/sessions/{}/expire", sessions[0]), &[]).await;
    assert_eq!(
        bench.refused(&format!("/v1/checkout/sessions/{}/expire", sessions[0]), &[], 400).await["type"],
        "invalid_request_error"
    );
    let open = bench.get("/v1/checkout/sessions?status=open").await;
    assert_eq!(open["data"].as_array().unwrap().len(), 2);
    let expanded = bench.get(&format!("/v1/checkout/sessions/{}?expand[]=line_items", sessions[1])).await;
    assert_eq!(expanded["line_items"]["data"][0]["price"]["id"], json!(price));
    assert!(bench.get(&format!("/v1/checkout/sessions/{}", sessions[1])).await.get("line_items").is_none());
}
