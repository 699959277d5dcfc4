//! Faults that a test orders.

use orla_vendors::stripe::{Fault, Mode};
use reqwest::{Method, StatusCode};

use crate::{Bench, body, id, sent};

#[tokio::test]
async fn an_answer_that_was_lost_is_found_again_by_its_key() {
    let bench = Bench::start().await;
    bench.sim.fault(Fault::on("POST", "/v1/customers", Mode::CutAfter));
    let create = || bench.posting("/v1/customers", &[("name", "Ada")]).header("idempotency-key", "a-key");
    assert!(create().send().await.is_err());
    let again = sent(create()).await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    let customer = id(&body(again, StatusCode::OK).await);
    assert_eq!((bench.sim.events().len(), bench.sim.events()[0].object_id()), (1, customer.as_str()));
    bench.get(&format!("/v1/customers/{customer}")).await;
    assert_eq!(bench.sim.counts()["POST /v1/customers"], 2);
    assert_eq!(bench.sim.counts()["GET /v1/customers/{id}"], 1);
}

#[tokio::test]
async fn refusals_that_are_ordered_are_in_stripes_manner() {
    let bench = Bench::start().await;
    for (status, kind) in
        [(429, "invalid_request_error"), (500, "api_error"), (402, "card_error"), (409, "idempotency_error")]
    {
        bench.sim.fault(Fault::on("GET", "/v1/account", Mode::status(status)));
        let answer = sent(bench.request(Method::GET, "/v1/account")).await;
        let error = body(answer, StatusCode::from_u16(status).unwrap()).await;
        assert_eq!(error["error"]["type"], kind);
    }
}
