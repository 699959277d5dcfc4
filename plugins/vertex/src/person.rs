//! The person who connected a Google account, and the projects in Google Cloud that are theirs to use. A service account is not asked
//! for: the host knows it by its key.

use crate::{PROJECTS, WHO};
use orla_sdk::{Fault, FaultKind, Profile, Result, Target, cursor, pages};
use serde::Deserialize;

/// Most lists of projects that are read. Who sees more projects connects a service account in the one that is meant.
pub(crate) const MAX_LISTS: u32 = 20;
/// Projects of a list. Google may give fewer.
const A_LIST: &str = "100";
/// The state of a project that is not being deleted.
const ACTIVE: &str = "ACTIVE";

/// Who the person is, and the projects to make videos in.
///
/// # Errors
/// Google refused, or there is no project.
pub(crate) fn profile() -> Result<Profile> {
    /// <https://developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation>
    #[derive(Deserialize)]
    struct UserInfo {
        /// Stays the same whatever address the account has.
        sub: String,
        email: String,
    }
    let UserInfo { sub, email } = WHO.get("/v1/userinfo").read()?.json()?;
    let targets = projects()?;
    if targets.is_empty() {
        return Err(no_project(&email));
    }
    Ok(Profile { vendor_id: sub, handle: email, name: None, targets })
}

/// <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search>. Whether videos may be made in a project is seen
/// when one is: asking would take a request a project.
fn projects() -> Result<Vec<Target>> {
    #[derive(Deserialize)]
    struct List {
        /// Absent where the list is empty.
        #[serde(default)]
        projects: Vec<Project>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Project {
        project_id: String,
        display_name: Option<String>,
        state: String,
    }
    let ask = |token: Option<&str>| {
        let list = PROJECTS.get("/v3/projects:search").query("pageSize", A_LIST);
        token.into_iter().fold(list, |list, token| list.query("pageToken", token))
    };
    let mut targets = Vec::new();
    for list in pages(MAX_LISTS as usize, ask, cursor("/nextPageToken")).take(MAX_LISTS as usize) {
        let List { projects } = list?.json()?;
        let active = projects.into_iter().filter(|project| project.state == ACTIVE);
        targets.extend(active.map(|Project { project_id: id, display_name, .. }| Target {
            name: display_name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.clone()),
            id,
            kind: "project".to_owned(),
        }));
    }
    Ok(targets)
}

/// The fault of a Google account that can use no project.
fn no_project(email: &str) -> Fault {
    let message = format!(
        "The Google account {email} has no project in Google Cloud. Make one with billing at \
         https://console.cloud.google.com/projectcreate, or have somebody give it the role Vertex AI User in one, then connect the \
         account again."
    );
    Fault::new(FaultKind::NotFound, message).with_code("no-project")
}
