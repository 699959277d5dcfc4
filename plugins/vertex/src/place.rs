//! Where a video is made: a project, a location and a model.

use crate::{DEFAULT_LOCATION, DEFAULT_MODEL};
use orla_sdk::{Account, Api, Fact, Fault, Request, Result, VideoWish, path, setting};

/// Where a video is made.
pub(crate) struct Place {
    pub(crate) project: String,
    /// Whether a person named the project. A service account's own is where Google counts its requests anyhow.
    is_named: bool,
    location: String,
    pub(crate) model: String,
}

impl Place {
    /// The place that a wish, the account and the operator's settings come to.
    ///
    /// # Errors
    /// The account's name does not say its project.
    pub(crate) fn of(account: &Account, wish: &VideoWish, settings: &[Fact]) -> Result<Self> {
        let project = account.target.clone().or_else(|| project(&account.vendor_id)).ok_or_else(|| {
            let message = format!(
                "The account `{}` does not say in which project of Google Cloud it is. Connect it again, or connect a service \
                 account whose address is like name@project.iam.gserviceaccount.com.",
                account.vendor_id
            );
            Fault::invalid("connection_id", message).with_code("no-project")
        })?;
        let location = setting(settings, "location").unwrap_or_else(|| DEFAULT_LOCATION.to_owned());
        Ok(Self { project, is_named: account.target.is_some(), location, model: model(wish, settings) })
    }

    /// A request for one of the model's methods. What a person asks for counts against the quota of the project that it is for, and
    /// not of the one that this server's app is in: <https://cloud.google.com/docs/quotas/set-quota-project>.
    pub(crate) fn post(&self, api: &Api, method: &str) -> Request<'static> {
        let model =
            path!("/v1/projects/{}/locations/{}/publishers/google/models/{}", self.project, self.location, self.model);
        let request = api.post(format!("{model}:{method}"));
        if self.is_named { request.header("x-goog-user-project", &self.project) } else { request }
    }
}

/// The model that a wish comes to.
pub(crate) fn model(wish: &VideoWish, settings: &[Fact]) -> String {
    wish.model.clone().or_else(|| setting(settings, "model")).unwrap_or_else(|| DEFAULT_MODEL.to_owned())
}

/// The project of a service account, by its address: of one that a person made, of App Engine's and of Compute Engine's, which has
/// the project's number. <https://cloud.google.com/iam/docs/service-account-types>
pub(crate) fn project(address: &str) -> Option<String> {
    let (name, domain) = address.split_once('@')?;
    let project = match domain {
        "appspot.gserviceaccount.com" => name,
        "developer.gserviceaccount.com" => name.strip_suffix("-compute")?,
        _ => domain.strip_suffix(".iam.gserviceaccount.com")?,
    };
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_id(project).then(|| project.to_owned())
}
