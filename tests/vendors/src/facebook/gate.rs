//! The gate of the graph: which version is called, with which token, how often, and what for.

use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Method};

use super::paging;
use super::parameters::Parameters;
use super::problem::Problem;
use super::settings::Settings;
use super::state::Facebook;
use crate::clock::Moment;
use crate::door::Visitor;
use crate::hmac::hmac_sha256;

/// Which node or edge is called.
pub(super) struct Target {
    pub(super) version: String,
    /// An id, or `me`.
    pub(super) node: String,
    pub(super) edge: Option<String>,
    /// What follows an edge in the path.
    pub(super) member: Option<String>,
}

/// A call that may go on, as far as its token goes.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) version: String,
    /// The id of the node; `me` is none any more.
    pub(super) node: String,
    pub(super) edge: Option<String>,
    pub(super) member: Option<String>,
    /// Where the caller came to, such as `http://127.0.0.1:4014`.
    pub(super) origin: String,
    pub(super) parameters: Parameters,
    pub(super) caller: Caller,
    pub(super) now: Moment,
}

/// Who calls.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) token: String,
    pub(super) person_id: String,
    /// The page, if it is a page's token.
    pub(super) page_id: Option<String>,
    scopes: Vec<String>,
}

impl Caller {
    pub(super) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    /// Whether this page calls, and not a person or another page.
    pub(super) fn is_page(&self, page_id: &str) -> bool {
        self.page_id.as_deref() == Some(page_id)
    }

    /// Refuse whoever may not post as this page.
    pub(super) fn may_post(&self, settings: &Settings, page_id: &str) -> Result<(), Problem> {
        let Some(own) = &self.page_id else { return Err(Problem::page_token_required()) };
        let page =
            settings.page(page_id).filter(|page| own == page_id && page.allows(&self.person_id, "CREATE_CONTENT"));
        match page {
            Some(_) if self.has("pages_manage_posts") && self.has("pages_read_engagement") => Ok(()),
            _ => Err(Problem::may_not_post()),
        }
    }

    /// Refuse whoever may not comment as this page, or moderate.
    pub(super) fn may_engage(&self, settings: &Settings, page_id: &str) -> Result<(), Problem> {
        let Some(own) = &self.page_id else { return Err(Problem::page_token_required()) };
        let page = settings.page(page_id).filter(|page| own == page_id && page.allows(&self.person_id, "MODERATE"));
        if page.is_some() && self.has("pages_manage_engagement") { Ok(()) } else { Err(Problem::may_not()) }
    }

    /// Refuse whoever lacks a permission to read.
    pub(super) fn may_read(&self, scope: &str) -> Result<(), Problem> {
        if self.has(scope) { Ok(()) } else { Err(Problem::may_not_read(scope)) }
    }
}

/// Let a call in, or say why not. The headers are for the answer, whatever it is.
pub(super) async fn admit(
    facebook: &Facebook,
    visitor: &Visitor,
    target: Target,
    request: Request,
    headers: &mut HeaderMap,
) -> Result<Call, Problem> {
    let (method, request_headers) = (request.method().clone(), request.headers().clone());
    check_version(&facebook.settings(), &target.version)?;
    if let Ok(version) = HeaderValue::try_from(&target.version) {
        headers.insert("facebook-api-version", version);
    }
    let parameters = Parameters::of(request).await?;
    let origin = paging::origin(&request_headers)?;
    let mut world = facebook.world();
    let now = world.now();
    let token = token(&request_headers, &parameters)?.ok_or_else(Problem::no_token)?;
    let (held, authorization) = world.grants.holder(&world.settings, &token, now)?;
    let (person_id, page_id) = (authorization.person_id.clone(), held.page_id.clone());
    let caller = Caller { token, person_id, page_id, scopes: authorization.granted.clone() };
    let own_id = caller.page_id.as_deref().unwrap_or(&caller.person_id);
    visitor.is(own_id);
    check_proof(&parameters, &world.settings, &caller.token)?;
    let limit = world.settings.calls_an_hour;
    let (exceeded, usage) = world.usage.count(caller.page_id.as_deref(), limit, now);
    headers.extend(usage);
    if let Some(throttle) = world.settings.throttle {
        headers.extend(throttle.headers(own_id));
        return Err(Problem::throttled(throttle));
    }
    if let Some(throttle) = exceeded {
        return Err(Problem::throttled(throttle));
    }
    let Target { version, node, edge, member } = target;
    let node = if node == "me" { own_id.to_owned() } else { node };
    Ok(Call { method, version, node, edge, member, origin, parameters, caller, now })
}

/// The token of the header, the query or the form.
pub(super) fn token(headers: &HeaderMap, parameters: &Parameters) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let header = match (given.next(), given.next()) {
        (None, _) => None,
        (Some(header), None) => {
            let (scheme, token) = header.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
            // Both are taken (observed).
            let known = ["bearer", "oauth"].contains(&scheme.to_lowercase().as_str());
            Some(token.to_owned()).filter(|token| known && !token.is_empty())
        }
        (Some(_), Some(_)) => return Err(Problem::strict("there are two Authorization headers.")),
    };
    match (header, parameters.get("access_token")) {
        (Some(_), Some(_)) => Err(Problem::strict("the token is given by header and by parameter.")),
        (header, parameter) => Ok(header.or_else(|| parameter.map(str::to_owned))),
    }
}

/// A proof, if there is one, must be right; and there must be one if the app says so (documented under "Secure Graph
/// API calls").
pub(super) fn check_proof(parameters: &Parameters, settings: &Settings, token: &str) -> Result<(), Problem> {
    let right = hex::encode(hmac_sha256(settings.app_secret.as_bytes(), &[token.as_bytes()]));
    match parameters.get("appsecret_proof") {
        Some(proof) if proof != right => Err(Problem::wrong_proof()),
        None if settings.require_proof => Err(Problem::no_proof()),
        _ => Ok(()),
    }
}

pub(super) fn check_version(settings: &Settings, version: &str) -> Result<(), Problem> {
    if settings.versions.iter().any(|alive| alive == version) {
        return Ok(());
    }
    let number = |version: &str| {
        let (major, minor) = version.strip_prefix('v')?.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    };
    match number(version) {
        Some(old) if number(settings.latest()).is_some_and(|latest| old < latest) => {
            Err(Problem::expired_version(settings.latest()))
        }
        _ => Err(Problem::no_path(version)),
    }
}
