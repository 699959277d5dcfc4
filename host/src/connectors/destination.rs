//! Where a guest's request goes. The guest names an endpoint and a path; the origin is the manifest's, the operator's, or
//! what a person entered for the connection.

use super::bindings::connector::orla::connector::http as wit;
use super::egress::ChosenBy;
use super::fault::{Fault, FaultKind};
use super::links;
use super::paths;
use super::run::Run;
use orla_manifest::{Auth, Endpoint, FieldKind, Origin, Sign};
use reqwest::Method;
use url::Url;

/// Where a request goes, and how it is signed there.
pub(crate) struct Destination {
    pub(crate) endpoint: String,
    /// It may be a secret, where a person entered it whole: no guest, log or error may see it.
    pub(crate) url: Url,
    /// Path and query as the guest asked for them, which name the request.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) sign: Sign,
    pub(crate) chosen_by: ChosenBy,
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Destination({} {})", self.endpoint, self.path)
    }
}

/// Where an endpoint is, for one run.
pub(super) struct Place {
    pub(super) url: Url,
    pub(super) reach: Reach,
    pub(super) chosen_by: ChosenBy,
}

/// What of an endpoint's URL a guest may choose.
pub(super) enum Reach {
    /// Path and query.
    Paths,
    /// Nothing: a person entered all of it.
    Nothing,
}

impl Place {
    /// Finds an endpoint that the manifest declares.
    ///
    /// # Errors
    /// There is no such endpoint, or its origin is the connection's and cannot be had.
    pub(super) fn of(run: &Run, endpoint: &str) -> Result<Self, Fault> {
        let declared = run.release.manifest.endpoints.get(endpoint);
        let undeclared = || Fault::bug(format!("the manifest declares no endpoint `{endpoint:.50}`"));
        match &declared.ok_or_else(undeclared)?.origin {
            Origin::Literal(_) => {
                let url = run.release.origins.get(endpoint).ok_or_else(undeclared)?.clone();
                Ok(Self { url, reach: Reach::Paths, chosen_by: ChosenBy::Operator })
            }
            Origin::Entered { field } => Self::entered(run, field),
        }
    }

    fn entered(run: &Run, field: &str) -> Result<Self, Fault> {
        let url = run.credentials.entered()?.address(field)?;
        // The operator may have allowed less since it was entered.
        run.services.egress.is_fit(&url).map_err(|unfit| {
            let message = format!("the connection's address {unfit}: connect the account again");
            Fault::new(FaultKind::AuthExpired, message)
        })?;
        let Auth::Fields(fields) = &run.release.manifest.auth else {
            return Err(Fault::bug("the connector is not connected by fields"));
        };
        let reach = match fields.named(field).map(|field| field.kind) {
            Some(FieldKind::Url) => Reach::Nothing,
            Some(FieldKind::Origin | FieldKind::Text | FieldKind::Secret) | None => Reach::Paths,
        };
        Ok(Self { url, reach, chosen_by: ChosenBy::User })
    }
}

impl Destination {
    /// Finds out where a request goes.
    ///
    /// # Errors
    /// Fault `bug`: the request breaks the contract and must not leave. Or the connection's address cannot be had.
    pub(super) fn of(run: &Run, request: &wit::Request) -> Result<Self, Fault> {
        match &request.destination {
            wit::Destination::At(location) => Self::at(run, location, &request.query),
            wit::Destination::Follow(_) if !request.query.is_empty() => Err(Fault::bug("a link has its query already")),
            wit::Destination::Follow(link) => links::open(run, link),
        }
    }

    fn at(run: &Run, location: &wit::Location, query: &[(String, String)]) -> Result<Self, Fault> {
        let wit::Location { endpoint, path } = location;
        let Place { url, reach, chosen_by } = Place::of(run, endpoint)?;
        let declared = &run.release.manifest.endpoints[endpoint];
        let (url, path, query) = match reach {
            Reach::Paths => {
                let url = within(&url, path, query)?;
                let (path, query) = (url.path().to_owned(), url.query().unwrap_or_default().to_owned());
                (url, path, query)
            }
            Reach::Nothing if path == "/" && query.is_empty() => (url, path.clone(), String::new()),
            Reach::Nothing => {
                return Err(Fault::bug(format!(
                    "`{endpoint}` is one whole URL: ask for the path `/` there, without a query"
                )));
            }
        };
        Ok(Self { endpoint: endpoint.clone(), url, path, query, sign: declared.sign.clone(), chosen_by })
    }

    /// Whether a request changes nothing by the manifest's word.
    pub(super) fn is_read(&self, method: &Method, endpoint: &Endpoint) -> bool {
        matches!(*method, Method::GET | Method::HEAD)
            || endpoint
                .reads
                .iter()
                .filter_map(|read| read.split_once(' '))
                .any(|(verb, pattern)| verb == method.as_str() && paths::matches_path(pattern, &self.path))
    }
}

/// A path at an origin, as the guest wrote it.
fn within(origin: &Url, path: &str, query: &[(String, String)]) -> Result<Url, Fault> {
    let not_plain = || Fault::bug(format!("`{path:.200}` is no plain absolute path"));
    // Only a path that parsing leaves as it is means what it says: no dot segments, no authority, no query, no controls.
    let mut url = origin.join(path).map_err(|_| not_plain())?;
    let plain =
        path.starts_with('/') && !path.starts_with("//") && url.path() == path && url.origin() == origin.origin();
    if !plain
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || paths::has_dots(path)
    {
        return Err(not_plain());
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}
