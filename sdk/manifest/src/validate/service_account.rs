//! Whether what a manifest says of service accounts makes sense.

use super::{Flaw, flaw};
use crate::{Endpoint, Manifest, Origin, ServiceAccount};

/// Longest that an assertion may be good for: what Google takes.
const LONGEST_S: u32 = 3_600;

impl Manifest {
    /// Looks at the service account that the manifest has at this member.
    pub(super) fn validate_service_account(&self, at: &str, account: &ServiceAccount, flaws: &mut Vec<Flaw>) {
        let mut refuse = |member: &str, problem: String| flaws.push(flaw(&format!("{at}/{member}"), problem));
        let place = &account.token;
        match self.endpoints.get(&place.endpoint) {
            None => refuse("token", format!("no endpoint is named `{}`", place.endpoint)),
            Some(Endpoint { origin: Origin::Entered { .. }, .. }) => {
                refuse("token", "assertions go to an origin that is written down".to_owned());
            }
            Some(Endpoint { origin: Origin::Literal(_), .. }) => {}
        }
        if !place.path.starts_with('/') {
            refuse("token", "the path must begin with `/`".to_owned());
        }
        if account.scopes.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
            refuse("scopes", "a scope is empty or contains a space".to_owned());
        }
        if account.subject.as_ref().is_some_and(|label| label.trim().is_empty()) {
            refuse("subject", "must be words for a person".to_owned());
        }
        if !(1..=LONGEST_S).contains(&account.assertion_lifetime_s) {
            refuse("assertion_lifetime_s", format!("must be 1 to {LONGEST_S}"));
        }
    }
}
