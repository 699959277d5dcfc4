//! Whether a manifest makes sense in itself.

mod fields;
mod oauth;
mod publishing;
mod service_account;
#[cfg(test)]
mod tests;

use crate::{AnswerPlace, ApiKey, Auth, Manifest, Origin, SCHEMA, Sign};
use std::fmt;

/// One thing that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The member at fault, such as `endpoints/api/origin`.
    pub member: String,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.member, self.problem)
    }
}

impl Manifest {
    /// Reads a manifest and checks it.
    ///
    /// # Errors
    /// The flaws, at least one; a document that is no manifest at all is one flaw of the member ``.
    pub fn parse(json: &str) -> Result<Self, Vec<Flaw>> {
        let manifest: Self = serde_json::from_str(json).map_err(|error| vec![flaw("", error.to_string())])?;
        let flaws = manifest.validate();
        if flaws.is_empty() { Ok(manifest) } else { Err(flaws) }
    }

    /// The flaws of this manifest; none when it can be admitted.
    #[must_use]
    pub fn validate(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if self.schema != SCHEMA {
            flaws.push(flaw("schema", format!("this host reads schema {SCHEMA}, not {}", self.schema)));
        }
        for (member, name) in [("id", self.id.as_str()), ("platform", self.platform())] {
            if !is_name(name) {
                flaws
                    .push(flaw(member, "must be 1 to 32 lowercase letters, digits, hyphens or underscores".to_owned()));
            }
        }
        self.validate_endpoints(&mut flaws);
        match &self.auth {
            Auth::Oauth2(oauth) => {
                self.validate_oauth(oauth, &mut flaws);
                if let Some(account) = &oauth.service_account {
                    self.validate_service_account("auth/oauth2/service_account", account, &mut flaws);
                }
            }
            Auth::Fields(fields) => fields::validate_fields(fields, &mut flaws),
            Auth::ApiKey(key) => self.validate_check(key, &mut flaws),
            Auth::ServiceAccount(account) => {
                self.validate_service_account("auth/service_account", account, &mut flaws);
            }
            Auth::None => {}
        }
        self.validate_use_of_fields(&mut flaws);
        self.validate_links(&mut flaws);
        self.validate_slots(&mut flaws);
        if let Some(publishing) = &self.publishing {
            publishing::validate_publishing(publishing, &mut flaws);
        }
        self.validate_usage_and_settings(&mut flaws);
        flaws
    }

    fn validate_check(&self, key: &ApiKey, flaws: &mut Vec<Flaw>) {
        let Some(check) = &key.check else { return };
        if self.endpoints.get(&check.endpoint).is_none_or(|endpoint| endpoint.sign == Sign::None) {
            let problem = format!("no endpoint named `{}` is signed with the key", check.endpoint);
            flaws.push(flaw("auth/api_key/check", problem));
        }
        if !check.path.starts_with('/') {
            flaws.push(flaw("auth/api_key/check", "the path must begin with `/`".to_owned()));
        }
    }

    fn validate_usage_and_settings(&self, flaws: &mut Vec<Flaw>) {
        for (index, usage) in self.usage.iter().enumerate() {
            if !is_name(&usage.unit) {
                flaws.push(flaw(&format!("usage/{index}/unit"), "must be a name such as `input_tokens`".to_owned()));
            }
            if usage.at.is_empty() || usage.at.iter().any(|pointer| !pointer.starts_with('/')) {
                flaws.push(flaw(&format!("usage/{index}/at"), "must hold pointers, which begin with `/`".to_owned()));
            }
        }
        for name in self.settings.keys().filter(|name| !is_name(name)) {
            flaws.push(flaw(&format!("settings/{name}"), "a setting's name must be lowercase".to_owned()));
        }
    }

    fn validate_endpoints(&self, flaws: &mut Vec<Flaw>) {
        for (name, endpoint) in &self.endpoints {
            let at = format!("endpoints/{name}");
            if !is_name(name) {
                flaws.push(flaw(
                    &at,
                    "an endpoint's name must be lowercase letters, digits, hyphens or underscores".to_owned(),
                ));
            }
            let nonsense = match &endpoint.origin {
                Origin::Literal(origin) => !is_origin(origin),
                // Whether there is such a field is looked at with the other fields.
                Origin::Entered { .. } => false,
            };
            if nonsense {
                flaws.push(flaw(
                    &format!("{at}/origin"),
                    "must be scheme, host and optional port, nothing more".to_owned(),
                ));
            }
            validate_sign(&at, &endpoint.sign, flaws);
            if endpoint.proof.is_some() && (self.auth.oauth2().is_none() || self.auth.service_account().is_some()) {
                flaws.push(flaw(
                    &format!("{at}/proof"),
                    "only an app of OAuth has a secret to prove itself by, and a service account has no app".to_owned(),
                ));
            }
            for read in &endpoint.reads {
                if read.split_once(" /").is_none_or(|(method, _)| !matches!(method, "POST" | "PUT" | "PATCH")) {
                    flaws.push(flaw(&format!("{at}/reads"), format!("`{read}` is not of the form `POST /path`")));
                }
            }
        }
    }

    fn validate_slots(&self, flaws: &mut Vec<Flaw>) {
        for (index, slot) in self.slots.iter().enumerate() {
            let mut refuse =
                |member: &str, problem: String| flaws.push(flaw(&format!("slots/{index}/{member}"), problem));
            if !self.endpoints.contains_key(&slot.from) {
                refuse("from", format!("no endpoint is named `{}`", slot.from));
            }
            if !is_name(&slot.name) {
                refuse("name", "must be a name such as `page`".to_owned());
            }
            for (member, pointer) in
                [("each", slot.each.as_ref()), ("id", Some(&slot.id)), ("secret", Some(&slot.secret))]
            {
                if pointer.is_some_and(|pointer| !pointer.starts_with('/')) {
                    refuse(member, "a pointer begins with `/`".to_owned());
                }
            }
        }
        for (index, name) in self.secret_members.iter().enumerate() {
            if name.len() < 3 || name.contains(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')) {
                flaws.push(flaw(
                    &format!("secret_members/{index}"),
                    "must be a member's name of 3 or more letters".to_owned(),
                ));
            }
        }
    }

    fn validate_links(&self, flaws: &mut Vec<Flaw>) {
        for (index, link) in self.links.iter().enumerate() {
            if !self.endpoints.contains_key(&link.from) {
                flaws.push(flaw(&format!("links/{index}/from"), format!("no endpoint is named `{}`", link.from)));
            }
            if link.hosts.iter().any(|host| host.trim_start_matches('.').is_empty()) {
                flaws.push(flaw(&format!("links/{index}/hosts"), "a host has a name".to_owned()));
            }
            let nonsense = match &link.at {
                AnswerPlace::Pointer(pointer) if !pointer.starts_with('/') => "a pointer begins with `/`",
                AnswerPlace::LinkHeader(relation) if relation.is_empty() || relation.contains([' ', '"', '\\']) => {
                    "must name one relation, such as `next`"
                }
                AnswerPlace::Key => "a commit's key is no URL",
                AnswerPlace::Pointer(_) | AnswerPlace::Header(_) | AnswerPlace::LinkHeader(_) => continue,
            };
            flaws.push(flaw(&format!("links/{index}/at"), nonsense.to_owned()));
        }
    }
}

fn validate_sign(at: &str, sign: &Sign, flaws: &mut Vec<Flaw>) {
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    let problem = match sign {
        Sign::Header { name, .. } if !is_token(name) => "must name a header",
        Sign::Header { value, .. } if value.matches("{token}").count() != 1 || value.contains(char::is_control) => {
            "the value must hold `{token}` once"
        }
        Sign::Query { name } if !is_token(name) => "must name a query parameter",
        _ => return,
    };
    flaws.push(flaw(&format!("{at}/sign"), problem.to_owned()));
}

/// Whether a text is scheme, host and optional port, nothing more.
fn is_origin(origin: &str) -> bool {
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    authority.is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '@', '?', '#', ' ', '\\']))
}

fn flaw(member: &str, problem: String) -> Flaw {
    Flaw { member: member.to_owned(), problem }
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
}
