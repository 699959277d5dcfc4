//! Who somebody is, and which projects are his to see: OpenID Connect's `userinfo` and Resource Manager's `projects:search`.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::gate::Caller;
use super::problem::Problem;
use super::settings::{Person, Project};
use super::state::{Vertex, World};
use super::{CLOUD_PLATFORM, EMAIL};
use crate::google::Form;

/// How the token of a page begins.
const PAGE: &str = "page-";
/// Most projects of a page, whatever is asked for.
const MOST: usize = 500;

/// `GET /v1/userinfo`: by `openid` the id alone, by `email` the address, too.
pub(super) async fn userinfo(State(vertex): State<Vertex>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    let world = vertex.world();
    let person = world.person(&world.admit(&headers, "openid")?)?;
    let mut answer = json!({ "sub": person.sub });
    if world.admit(&headers, EMAIL).is_ok() {
        answer["email"] = person.email.clone().into();
        answer["email_verified"] = true.into();
    }
    Ok(Json(answer))
}

/// `GET /v3/projects:search`: all projects that the caller may see, those that are being deleted as well.
pub(super) async fn projects(
    State(vertex): State<Vertex>,
    Path(call): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    if call != "projects:search" {
        return Err(Problem::not_found("The method was not found."));
    }
    let world = vertex.world();
    let person = world.person(&world.admit(&headers, CLOUD_PLATFORM)?)?;
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    if let Some(fault) = query.fault(&["pageSize", "pageToken"]) {
        return Err(Problem::strict(fault));
    }
    let size = match query.get("pageSize").map(str::parse::<usize>) {
        None => MOST,
        Some(Ok(size)) if size > 0 => size,
        Some(_) => return Err(Problem::invalid("pageSize must be a positive number.")),
    };
    let size = size.min(MOST).min(world.settings.projects_a_page);
    let begin = match query.get("pageToken") {
        None => 0,
        Some(token) => {
            let at = token.strip_prefix(PAGE).and_then(|at| at.parse().ok());
            at.ok_or_else(|| Problem::invalid("The page token is not valid."))?
        }
    };
    let listed: Vec<Value> = person.projects.iter().skip(begin).take(size).map(shown).collect();
    let mut answer = json!({});
    if !listed.is_empty() {
        answer["projects"] = listed.into();
    }
    if begin + size < person.projects.len() {
        answer["nextPageToken"] = format!("{PAGE}{}", begin + size).into();
    }
    Ok(Json(answer))
}

fn shown(project: &Project) -> Value {
    let state = if project.is_active { "ACTIVE" } else { "DELETE_REQUESTED" };
    let mut shown = json!({ "name": format!("projects/{}", project.number), "projectId": project.id, "state": state });
    if !project.name.is_empty() {
        shown["displayName"] = project.name.clone().into();
    }
    shown
}

impl World {
    fn person(&self, caller: &Caller) -> Result<&Person, Problem> {
        match caller {
            Caller::Person(email) => {
                let found = self.settings.people.iter().find(|person| person.email == *email);
                found.ok_or_else(Problem::no_token)
            }
            Caller::ServiceAccount => Err(Problem::strict("a service account is asked for nothing but videos here.")),
        }
    }
}
