//! Asking a vendor for the facts of an account that the rules of posts need, by the connector's `options`.

use super::Connectors;
use super::bindings::connector::orla::connector::types as wit;
use super::fault::{Fault, plain};
use super::run::Run;
use super::runtime::Called;
use super::variant::Fact;
use super::work::Account;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Most facts of an account, and the longest name and value of one.
const MAX_FACTS: usize = 200;
const MAX_NAME_CHARS: usize = 100;
const MAX_VALUE_BYTES: usize = 20_000;

impl Connectors {
    /// Asks for the facts of an account. None where the connector knows no accounts.
    pub(crate) async fn options(&self, run: &Arc<Run>, account: &Account) -> Result<Vec<Fact>, Fault> {
        let Some(indices) = &run.release.identity else { return Ok(Vec::new()) };
        let account = account.to_wit();
        let called: Called<Vec<wit::Fact>> = self
            .runtime
            .run(run.clone(), async |store, instance| {
                let world = indices.load(&mut *store, instance)?;
                let answer = world.orla_connector_identity().call_options(store, &account).await?;
                Ok(answer.map_err(Fault::from))
            })
            .await;
        run.settle().await;
        let facts = called.result?;
        if facts.len() > MAX_FACTS {
            return Err(Fault::bug("the connector tells more facts than anybody needs"));
        }
        facts.into_iter().map(checked).collect()
    }
}

/// A fact as it can be kept and handed on.
fn checked(fact: wit::Fact) -> Result<Fact, Fault> {
    let wit::Fact { name, value } = fact;
    if value.len() > MAX_VALUE_BYTES || serde_json::from_str::<&RawValue>(&value).is_err() {
        return Err(Fault::bug(format!("the connector's fact `{name:.100}` is no JSON of a bearable length")));
    }
    Ok(Fact { name: plain(&name, MAX_NAME_CHARS), value })
}

#[cfg(test)]
mod tests {
    use super::{MAX_VALUE_BYTES, checked, wit};

    #[test]
    fn a_fact_is_json_of_bounded_length() {
        let fact = |value: &str| checked(wit::Fact { name: "max_text".to_owned(), value: value.to_owned() });
        assert!(fact("500").is_ok() && fact(r#"["a", "b"]"#).is_ok());
        let long = format!("\"{}\"", "x".repeat(MAX_VALUE_BYTES));
        for refused in ["", "five", "{", &long] {
            assert!(fact(refused).is_err(), "{refused:.20}");
        }
    }
}
