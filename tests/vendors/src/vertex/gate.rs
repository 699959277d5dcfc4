//! Who calls, and what the bodies of calls are.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use super::CLOUD_PLATFORM;
use super::problem::Problem;
use super::state::World;
use crate::google;

/// Whoever has an access token that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    ServiceAccount,
    /// By his address.
    Person(String),
}

impl World {
    /// Lets a caller in who was granted a scope.
    pub(super) fn admit(&self, headers: &HeaderMap, scope: &str) -> Result<Caller, Problem> {
        let token = google::bearer(headers).ok_or_else(Problem::no_token)?;
        let (caller, scopes) = if self.tokens.get(token).is_some_and(|ends| *ends > self.now()) {
            (Caller::ServiceAccount, vec![CLOUD_PLATFORM.to_owned()])
        } else {
            let holder = self.grants.holder(token, self.now()).ok_or_else(Problem::no_token)?;
            (Caller::Person(holder.account.clone()), holder.scopes.clone())
        };
        if scopes.iter().any(|granted| granted == scope) { Ok(caller) } else { Err(Problem::no_scope()) }
    }

    /// Lets a caller into a project.
    pub(super) fn enter(&self, caller: &Caller, headers: &HeaderMap, project: &str) -> Result<(), Problem> {
        let quota = headers.get("x-goog-user-project").map(|value| value.to_str().unwrap_or_default());
        let (may, is_counted) = match caller {
            Caller::ServiceAccount => (project == self.settings.project, quota.is_none_or(|quota| quota == project)),
            Caller::Person(email) => {
                let person = self.settings.people.iter().find(|person| person.email == *email);
                let projects = person.into_iter().flat_map(|person| &person.projects);
                let usable = projects.filter(|known| known.is_active && known.may_use).any(|known| known.id == project);
                (usable, quota == Some(project))
            }
        };
        match (may, is_counted) {
            (true, true) => Ok(()),
            (true, false) => Err(Problem::strict("x-goog-user-project names the project that the call is for.")),
            (false, _) => Err(Problem::denied(format!(
                "Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/{project}' (or \
                 it may not exist)."
            ))),
        }
    }
}

/// Reads a body of JSON, strictly.
pub(super) fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(Problem::strict("the body must be application/json."));
    }
    serde_json::from_slice(body).map_err(|error| Problem::invalid(format!("Invalid JSON payload received. {error}")))
}
