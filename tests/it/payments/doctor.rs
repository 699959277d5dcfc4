//! The doctor: what keeps people from paying, or from getting what they paid for.

use super::stage::Stage;
use crate::harness::{BOTH, Host, Person};
use crate::operating::operator;
use orla::config::StripeConfig;
use orla_vendors::stripe::{Fault, Mode, Sim};
use secrecy::SecretString;
use serde_json::{Value, json};

const PLANS: &str = include_str!("../../../host/src/payments/plans.toml");

/// What the doctor says, weight by weight.
async fn told(operator: &Person, live: bool) -> [Vec<String>; 3] {
    let findings = operator.get(&format!("/admin/payments/doctor?live={live}")).await.expect(200);
    let all = findings.as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    ["problem", "note", "fine"].map(|weight| {
        all.iter().filter(|finding| finding["weight"] == weight).map(|finding| text(&finding["sentence"])).collect()
    })
}

/// The same host with other settings for Stripe, and its operator.
async fn with(host: Host, change: impl FnOnce(&mut StripeConfig)) -> (Host, Person) {
    let mut config = host.app.config().clone();
    change(&mut config.stripe);
    let host = host.again_with(config).await;
    let operator = Person::log_in(&host.url, "operator@example.org").await;
    (host, operator)
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_that_work_are_said_to() {
    for backend in BOTH {
        let Stage { host, stripe, .. } = Stage::open(backend).await;
        let operator = operator(&host).await;
        for live in [false, true] {
            let asked = stripe.counts().values().sum::<u64>();
            let [problems, notes, fine] = told(&operator, live).await;
            assert_eq!((problems.len(), notes.len(), fine.len()), (0, 2, usize::from(live)), "{problems:?} {notes:?}");
            assert!(notes[0].contains("test mode") && notes[1].contains("PUBLIC_URL"), "{notes:?}");
            let endpoint = format!("{}/payment/stripe/webhook", host.url);
            assert!(notes[1].contains(&endpoint), "{notes:?}");
            operator.post("/payment/stripe/webhook", &json!({})).await.expect(400);
            assert_eq!(stripe.counts().values().sum::<u64>() > asked, live, "Stripe is asked on request alone");
        }
        let ada = host.person("ada").await;
        ada.get("/admin/payments/doctor").await.refused(403, "forbidden");
        operator.get("/admin/payments/doctor?live=perhaps").await.expect(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_people_from_paying_is_named_with_its_cure() {
    for backend in BOTH {
        let Stage { host, stripe: _stripe, .. } = Stage::open(backend).await;
        operator(&host).await;
        let plans = host.data.path().join("plans.toml");
        std::fs::write(&plans, PLANS.replace("currency = \"gbp\"", "currency = \"eur\"")).unwrap();
        let (host, operator) = with(host, |stripe| {
            stripe.secret_key = Some(SecretString::from("pk_live_of_nobody"));
            stripe.webhook_secrets = Some(SecretString::from("whsec_of_before,of_today"));
            stripe.plans_file = Some(plans.clone());
        })
        .await;
        let [problems, ..] = told(&operator, true).await;
        let wanted = ["publishable", "`whsec_`", "orla_starter_month", "Stripe refuses this server's key"];
        assert_eq!(problems.len(), wanted.len(), "{problems:?}");
        for (problem, words) in problems.iter().zip(wanted) {
            assert!(problem.contains(words), "{problem}");
        }
        assert!(problems[2].contains("orla stripe sync"), "{problems:?}");
        let (host, operator) = with(host, |stripe| {
            stripe.webhook_secrets = None;
            stripe.plans_file = Some("/absent.toml".into());
        })
        .await;
        let [problems, ..] = told(&operator, false).await;
        assert!(problems[1].contains("credits come late") && problems[2].contains("/absent.toml"), "{problems:?}");
        let (host, operator) = with(host, |stripe| stripe.secret_key = None).await;
        let [problems, notes, fine] = told(&operator, true).await;
        assert_eq!((problems.len(), notes.len(), fine.len()), (0, 1, 0), "{notes:?}");
        host.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stripe_lacks_and_that_it_is_silent_is_said() {
    for backend in BOTH {
        let Stage { host, stripe, .. } = Stage::open(backend).await;
        operator(&host).await;
        let other = Sim::start(stripe.settings()).await;
        let (host, operator) = with(host, |stripe| stripe.url = other.origin().parse().unwrap()).await;
        let [problems, ..] = told(&operator, true).await;
        assert!(problems.len() == 1 && problems[0].contains("lacks prices"), "{problems:?}");
        other.fault(Fault::always(Mode::CutBefore));
        let [problems, ..] = told(&operator, true).await;
        assert!(problems.len() == 1 && problems[0].contains("Stripe cannot be reached"), "{problems:?}");
        host.app.stop().await;
    }
}
