//! Whether the fields of a connection make sense, and what refers to them: origins, signatures, links.

use super::{Flaw, flaw, is_name};
use crate::{Auth, Endpoint, FieldKind, Fields, Manifest, Origin, Sign};

/// The fields in themselves.
pub(super) fn validate_fields(fields: &Fields, flaws: &mut Vec<Flaw>) {
    let mut refuse = |member: &str, problem: &str| flaws.push(flaw(member, problem.to_owned()));
    if fields.fields.is_empty() {
        refuse("auth/fields/fields", "must have at least one field");
    }
    for (index, field) in fields.fields.iter().enumerate() {
        let at = format!("auth/fields/fields/{index}");
        if !is_name(&field.name) {
            let name = format!("{at}/name");
            refuse(&name, "must be 1 to 32 lowercase letters, digits, hyphens or underscores");
        }
        if fields.fields[..index].iter().any(|other| other.name == field.name) {
            refuse(&format!("{at}/name"), "another field has this name");
        }
        if field.label.trim().is_empty() {
            refuse(&format!("{at}/label"), "must be words for a person");
        }
        if field.kind.is_address() && fields.fields[..index].iter().any(|other| other.kind.is_address()) {
            refuse(&format!("{at}/kind"), "an account has one address, and another field is it");
        }
    }
    if let Some(token) = &fields.token
        && fields.named(token).is_none_or(|field| field.kind != FieldKind::Secret)
    {
        refuse("auth/fields/token", "must name a field of kind secret");
    }
}

impl Manifest {
    /// What refers to fields. An endpoint whose origin a person enters is signed with what was entered along with it, and
    /// with nothing else: an access token of OAuth or an operator's key would go wherever that person likes.
    pub(super) fn validate_use_of_fields(&self, flaws: &mut Vec<Flaw>) {
        let fields = match &self.auth {
            Auth::Fields(fields) => Some(fields),
            Auth::None | Auth::Oauth2(_) | Auth::ApiKey(_) | Auth::ServiceAccount(_) => None,
        };
        for (name, endpoint) in &self.endpoints {
            if let Origin::Entered { field } = &endpoint.origin {
                let member = format!("endpoints/{name}/origin");
                match fields {
                    None => flaws.push(flaw(&member, "only an account that is connected by fields has one".to_owned())),
                    Some(fields) if !fields.named(field).is_some_and(|field| field.kind.is_address()) => {
                        flaws.push(flaw(&member, format!("no field of kind origin or url is named `{field}`")));
                    }
                    Some(_) => {}
                }
            }
            if let Some(problem) = unsignable(endpoint, fields) {
                flaws.push(flaw(&format!("endpoints/{name}/sign"), problem));
            }
        }
        self.validate_links_of_fields(fields, flaws);
    }

    fn validate_links_of_fields(&self, fields: Option<&Fields>, flaws: &mut Vec<Flaw>) {
        for (index, link) in self.links.iter().enumerate() {
            let Some(Endpoint { origin: Origin::Entered { field }, .. }) = self.endpoints.get(&link.from) else {
                continue;
            };
            if fields.and_then(|fields| fields.named(field)).is_some_and(|field| field.kind == FieldKind::Url) {
                let problem = "an endpoint that is one whole URL hands out no links";
                flaws.push(flaw(&format!("links/{index}/from"), problem.to_owned()));
            }
            if link.signed && !link.hosts.is_empty() {
                let problem = "signed links of an origin that a person enters stay at that origin: name no hosts";
                flaws.push(flaw(&format!("links/{index}/hosts"), problem.to_owned()));
            }
        }
    }
}

/// Why the requests to an endpoint cannot be signed as it says.
fn unsignable(endpoint: &Endpoint, fields: Option<&Fields>) -> Option<String> {
    match (&endpoint.sign, fields) {
        (Sign::Bearer | Sign::Header { .. } | Sign::Query { .. }, Some(Fields { token: None, .. })) => {
            Some("a token needs `auth/fields/token` to name it".to_owned())
        }
        (Sign::StandardWebhooks { .. } | Sign::Basic { .. }, None) => {
            Some("only an account that is connected by fields has a secret to sign with".to_owned())
        }
        (Sign::StandardWebhooks { secret }, Some(fields)) => {
            let is_secret = fields.named(secret).is_some_and(|field| field.kind == FieldKind::Secret);
            (!is_secret).then(|| format!("no field of kind secret is named `{secret}`"))
        }
        (Sign::Basic { user, password }, Some(fields)) => {
            let is_secret = fields.named(password).is_some_and(|field| field.kind == FieldKind::Secret);
            let is_text = fields.named(user).is_some_and(|field| field.kind == FieldKind::Text);
            (!is_secret || !is_text)
                .then(|| format!("needs a field `{user}` of kind text and a field `{password}` of kind secret"))
        }
        (Sign::None | Sign::Bearer | Sign::Header { .. } | Sign::Query { .. }, _) => None,
    }
}
