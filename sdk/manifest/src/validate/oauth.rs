//! Whether what a manifest says of OAuth makes sense.

use super::{Flaw, flaw};
use crate::{ClientAuth, Encoding, Exchange, Manifest, OAuth2, Place, Refresh, RevokeBy};

/// What the standard calls the members of a token's answer.
const ANSWER: [&str; 4] = ["access_token", "refresh_token", "expires_in", "scope"];

impl Manifest {
    pub(super) fn validate_oauth(&self, oauth: &OAuth2, flaws: &mut Vec<Flaw>) {
        for (member, place) in places(oauth) {
            let Place { endpoint, path } = place;
            if !self.endpoints.contains_key(endpoint) {
                flaws.push(flaw(&member, format!("no endpoint is named `{endpoint}`")));
            }
            if !path.starts_with('/') {
                flaws.push(flaw(&member, "the path must begin with `/`".to_owned()));
            }
        }
        for (member, scopes) in [("scopes", &oauth.scopes), ("optional_scopes", &oauth.optional_scopes)] {
            if scopes.iter().any(|scope| scope.is_empty() || scope.contains(&oauth.scope_separator)) {
                flaws.push(flaw(
                    &format!("auth/oauth2/{member}"),
                    "a scope is empty or contains the separator".to_owned(),
                ));
            }
        }
        if oauth.optional_scopes.iter().any(|scope| oauth.scopes.contains(scope)) {
            flaws.push(flaw("auth/oauth2/optional_scopes", "a scope is either needed or optional".to_owned()));
        }
        validate_requests(oauth, flaws);
    }
}

/// Every place with the member that names it.
fn places(oauth: &OAuth2) -> Vec<(String, &Place)> {
    let named = |member: &str, place| (format!("auth/oauth2/{member}"), place);
    let mut places = vec![named("authorize", &oauth.authorize), named("token", &oauth.token)];
    let exchanges = oauth.exchange.iter().enumerate();
    places.extend(exchanges.map(|(index, exchange)| named(&format!("exchange/{index}/at"), &exchange.at)));
    if let Refresh::Exchange { exchange, .. } = &oauth.refresh {
        places.push(named("refresh/exchange/at", &exchange.at));
    }
    places.extend(oauth.revoke.as_ref().map(|revoke| named("revoke/at", &revoke.at)));
    places.extend(oauth.granted.as_ref().map(|granted| named("granted/at", &granted.at)));
    places
}

fn validate_requests(oauth: &OAuth2, flaws: &mut Vec<Flaw>) {
    let mut refuse =
        |member: &str, problem: &str| flaws.push(flaw(&format!("auth/oauth2/{member}"), problem.to_owned()));
    for (name, pointer) in &oauth.token_request.answer {
        if !ANSWER.contains(&name.as_str()) || !pointer.starts_with('/') {
            refuse(
                "token_request/answer",
                "must hold pointers by the names that the standard gives to a token's answer",
            );
        }
    }
    let own = |params: &std::collections::BTreeMap<String, String>| {
        params.keys().any(|name| {
            matches!(name.as_str(), "client_id" | "client_secret" | "code" | "refresh_token" | "redirect_uri")
        })
    };
    if own(&oauth.token_request.params) {
        refuse("token_request/params", "what the host fills in cannot be set");
    }
    let mut exchanges: Vec<&Exchange> = oauth.exchange.iter().collect();
    if let Refresh::Exchange { exchange, before_s } = &oauth.refresh {
        exchanges.push(exchange);
        if *before_s == 0 {
            refuse("refresh/exchange/before_s", "an exchange must come before the token's end");
        }
    }
    if exchanges.iter().any(|exchange| exchange.token_param.is_empty() || own(&exchange.params)) {
        refuse("exchange", "must name a parameter for the token, and none that the host fills in");
    }
    if oauth.token_request.encoding == Encoding::Query && oauth.client_auth == ClientAuth::Basic {
        refuse("client_auth", "a request in the query authenticates there");
    }
    let revokes_by_token = oauth.revoke.as_ref().is_some_and(|revoke| revoke.by == RevokeBy::Token);
    if revokes_by_token && oauth.token_request.encoding == Encoding::Query {
        refuse("revoke", "RFC 7009 sends a form");
    }
    if let Some(granted) = &oauth.granted {
        let when = granted.when.as_ref().map(|(pointer, _)| pointer);
        if [Some(&granted.each), Some(&granted.name), when]
            .into_iter()
            .flatten()
            .any(|pointer| !pointer.starts_with('/'))
        {
            refuse("granted", "a pointer begins with `/`");
        }
    }
}
