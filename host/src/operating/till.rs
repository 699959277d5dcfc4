//! The doctor's look at payments: what keeps people from paying at Stripe, or from getting what they paid for, and what to do about
//! it. It looks at this installation; only on request it also asks Stripe.

use super::doctor::{Finding, Look, leads_here_only};
use crate::app::App;
use crate::error::Result;
use crate::payments;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// What is to be done first: nothing else is looked at before.
const NO_KEY: &str = "This server takes no payments: for that, set ORLA_STRIPE__SECRET_KEY to a key of Stripe's.";

/// Looks at all that payments need.
///
/// # Errors
/// The database failed. What Stripe says or does not say is a finding.
pub async fn examine(app: &App, look: Look) -> Result<Vec<Finding>> {
    let settings = &app.config().stripe;
    let Some(key) = &settings.secret_key else { return Ok(vec![Finding::note(NO_KEY)]) };
    let mut findings = Vec::new();
    look_at_key(&mut findings, key);
    look_at_events(app, &mut findings, settings.webhook_secrets.as_ref());
    match payments::plans(app) {
        Err(error) => findings.push(Finding::problem(format!("What is for sale cannot be read: {error:#}."))),
        Ok(plans) => {
            let unknown = payments::not_offered(&mut app.db().read().await?, &plans).await?;
            if !unknown.is_empty() {
                let names = unknown.join(", ");
                findings.push(Finding::problem(format!(
                    "Not everything that is for sale can be bought, as it is not known at Stripe or has changed ({names}): \
                     `orla stripe sync` makes the prices."
                )));
            }
            if look == Look::Live {
                findings.push(ask_stripe(app, &plans).await);
            }
        }
    }
    if findings.is_empty() {
        findings.push(Finding::fine("Payments are in order."));
    }
    Ok(findings)
}

fn look_at_key(findings: &mut Vec<Finding>, key: &SecretString) {
    let begins = |beginning: &str| key.expose_secret().starts_with(beginning);
    if begins("pk_") {
        findings.push(Finding::problem(
            "ORLA_STRIPE__SECRET_KEY is a publishable key, which may do nothing here: set a secret (`sk_…`) or restricted one \
             (`rk_…`).",
        ));
    } else if begins("sk_test_") || begins("rk_test_") {
        findings.push(Finding::note("The key is of Stripe's test mode: nobody pays real money."));
    }
}

fn look_at_events(app: &App, findings: &mut Vec<Finding>, secrets: Option<&SecretString>) {
    let endpoint = format!("{}{}", app.config().public(), payments::WEBHOOK_PATH);
    let secrets = secrets.map(|secrets| secrets.expose_secret()).unwrap_or_default();
    let mut each = secrets.split(',').map(str::trim).filter(|secret| !secret.is_empty()).peekable();
    if each.peek().is_none() {
        findings.push(Finding::problem(format!(
            "Stripe cannot tell this server what was paid, so credits come late: add the endpoint {endpoint} there, and set its \
             secret as ORLA_STRIPE__WEBHOOK_SECRETS."
        )));
    } else if each.any(|secret| !secret.starts_with("whsec_")) {
        findings.push(Finding::problem(
            "ORLA_STRIPE__WEBHOOK_SECRETS holds something else than secrets of an endpoint, which begin with `whsec_`: its events \
             are refused.",
        ));
    }
    if Url::parse(&endpoint).is_ok_and(|url| leads_here_only(&url)) {
        findings.push(Finding::note(format!(
            "The endpoint {endpoint} is on this machine, where Stripe does not reach it: set PUBLIC_URL to where others reach it."
        )));
    } else if !endpoint.starts_with("https://") {
        findings.push(Finding::note(format!(
            "The endpoint {endpoint} is not https, which Stripe refuses for real money: put TLS in front and set PUBLIC_URL to it."
        )));
    }
}

async fn ask_stripe(app: &App, plans: &payments::Plans) -> Finding {
    match Box::pin(payments::missing(app, plans)).await {
        Ok(missing) if missing.is_empty() => {
            Finding::fine("Stripe is reached, takes the key, and has every price that is for sale.")
        }
        Ok(missing) => Finding::problem(format!(
            "Stripe is reached and takes the key, but lacks prices of what is for sale ({}): `orla stripe sync` makes them.",
            missing.join(", ")
        )),
        Err(error) => Finding::problem(error.into_problem().detail),
    }
}
