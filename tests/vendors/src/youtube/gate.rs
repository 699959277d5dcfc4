//! The gate of the API: who calls, with which scopes, what for.

use axum::http::HeaderMap;
use axum::http::header::HOST;

use super::problem::Problem;
use super::quota::Cost;
use super::settings::Channel;
use super::state::{World, YouTube};
use crate::clock::Moment;
use crate::door::Visitor;
use crate::google::{self, Form};

/// Parameters that every method has.
const COMMON: [&str; 2] = ["alt", "prettyPrint"];

/// What a method is, as the gate sees it.
pub(super) struct Method {
    /// One of these scopes is enough.
    pub(super) scopes: &'static [&'static str],
    pub(super) cost: Cost,
    /// Its parameters.
    pub(super) parameters: &'static [&'static str],
    /// The parts that it knows; none where it has no parameter `part`.
    pub(super) parts: &'static [&'static str],
}

/// A call that may go on.
pub(super) struct Call {
    /// The caller's channel; whoever has none gets no further than the list of one's own channels.
    pub(super) channel: Option<Channel>,
    pub(super) query: Form,
    pub(super) now: Moment,
}

impl Call {
    /// Let a call in, or say why not. It costs, whatever comes of it.
    pub(super) fn admit(
        youtube: &YouTube,
        visitor: &Visitor,
        headers: &HeaderMap,
        query: Option<String>,
        method: &Method,
    ) -> Result<Self, Problem> {
        let mut world = youtube.world();
        let (account, scopes) = world.caller(headers)?;
        visitor.is(&account);
        world.spend(method.cost)?;
        if !method.scopes.iter().any(|scope| scopes.iter().any(|granted| granted == scope)) {
            return Err(Problem::no_scope());
        }
        let query = Form::parse(query.unwrap_or_default().as_bytes());
        if let Some(fault) = query.fault(&[method.parameters, &COMMON].concat()) {
            return Err(Problem::strict(fault));
        }
        if query.get("alt").is_some_and(|alt| alt != "json") {
            return Err(Problem::strict("there is no other format than JSON here."));
        }
        let channel = world.settings.account(&account).and_then(|account| account.channel.clone());
        let call = Self { channel, query, now: world.now() };
        if !method.parts.is_empty() {
            let unknown = call.parts().into_iter().find(|part| !method.parts.contains(part));
            if let Some(unknown) = unknown {
                return Err(Problem::parameter("unknownPart", format!("{unknown} is no part of this resource.")));
            }
            if call.parts().is_empty() {
                return Err(Problem::parameter("missingRequiredParameter", "No filter selected. Missing: part"));
            }
        }
        Ok(call)
    }

    /// The parts of a resource that are asked for, or written.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.query.get("part").map(|parts| parts.split(',').map(str::trim).collect()).unwrap_or_default()
    }

    pub(super) fn has(&self, part: &str) -> bool {
        self.parts().contains(&part)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Problem> {
        let missing =
            || Problem::parameter("missingRequiredParameter", format!("The request misses the parameter {name}."));
        self.query.get(name).ok_or_else(missing)
    }

    /// The caller's channel, which uploads and comments.
    pub(super) fn own(&self) -> Result<&Channel, Problem> {
        self.channel.as_ref().ok_or_else(Problem::no_channel)
    }

    /// The stretch of a list that is asked for: where it begins, and how long it may be.
    pub(super) fn page(&self, usual: usize, most: usize) -> Result<(usize, usize), Problem> {
        let count = match self.query.get("maxResults").map(str::parse) {
            None => usual,
            Some(Ok(count)) if (1..=most).contains(&count) => count,
            Some(_) => {
                let message = format!("Invalid value for maxResults: it must be within the range 1 to {most}.");
                return Err(Problem::parameter("invalidParameter", message));
            }
        };
        let token = self.query.get("pageToken").map(|token| token.strip_prefix("CAoQ").and_then(|at| at.parse().ok()));
        match token {
            None => Ok((0, count)),
            Some(Some(begin)) => Ok((begin, count)),
            Some(None) => Err(Problem::parameter("invalidPageToken", "The request specifies an invalid page token.")),
        }
    }

    /// The token of the page that begins there.
    pub(super) fn token(begin: usize) -> String {
        format!("CAoQ{begin}")
    }
}

impl World {
    /// The account and the scopes of the one access token.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<(String, Vec<String>), Problem> {
        let holder = google::bearer(headers).and_then(|token| self.grants.holder(token, self.now()));
        let holder = holder.ok_or_else(Problem::no_token)?;
        Ok((holder.account.clone(), holder.scopes.clone()))
    }
}

/// Where the caller came to, such as `http://127.0.0.1:4016`.
pub(super) fn origin(headers: &HeaderMap) -> Result<String, Problem> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.map(|host| format!("http://{host}")).ok_or_else(|| Problem::strict("there is no header Host."))
}
