//! What a connector asks for, and what the operator grants it.
//!
//! A connector may do what its manifest asks for and the operator has granted: the [effective](Grant::effective) manifest is
//! all that the rest of the host looks at. A release that asks for no more than was granted before is activated without a
//! question; one that asks for more needs the operator's consent to what is new.

use orla_manifest::{Limits, Manifest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use utoipa::ToSchema;

/// One thing that a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// To send requests to an endpoint.
    Endpoint {
        /// Its name.
        name: String,
        /// Where it is.
        origin: String,
        /// How requests to it are signed, such as `bearer`.
        sign: String,
    },
    /// To send requests with a body that count as reads.
    Read {
        /// The endpoint.
        endpoint: String,
        /// Method and path.
        route: String,
    },
    /// To follow URLs that the vendor hands out.
    Link {
        /// The endpoint whose answers hand them out.
        from: String,
        /// The hosts that they may have, separated by commas.
        hosts: String,
        /// `signed` or `unsigned`.
        sign: String,
    },
    /// To have an OAuth scope.
    Scope {
        /// The scope.
        scope: String,
    },
    /// To use so much in one call.
    Limit {
        /// What of.
        of: Measure,
        /// The most of it.
        amount: u64,
    },
}

/// What a call is limited in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Measure {
    /// Units of fuel.
    Fuel,
    /// Bytes of memory.
    MemoryBytes,
    /// Milliseconds of its own.
    GuestMs,
    /// Milliseconds in all.
    TotalMs,
    /// Requests.
    Requests,
    /// Bytes of an answer handed over inline.
    InlineAnswerBytes,
    /// Bytes of bodies sent.
    BytesOut,
    /// Bytes of bodies received.
    BytesIn,
    /// Calls at the same time.
    Concurrency,
}

impl Measure {
    /// All of them.
    const ALL: [Self; 9] = [
        Self::Fuel,
        Self::MemoryBytes,
        Self::GuestMs,
        Self::TotalMs,
        Self::Requests,
        Self::InlineAnswerBytes,
        Self::BytesOut,
        Self::BytesIn,
        Self::Concurrency,
    ];

    fn get(self, limits: &Limits) -> u64 {
        match self {
            Self::Fuel => limits.fuel,
            Self::MemoryBytes => limits.memory_bytes,
            Self::GuestMs => limits.guest_ms,
            Self::TotalMs => limits.total_ms,
            Self::Requests => limits.requests.into(),
            Self::InlineAnswerBytes => limits.inline_answer_bytes,
            Self::BytesOut => limits.bytes_out,
            Self::BytesIn => limits.bytes_in,
            Self::Concurrency => limits.concurrency.into(),
        }
    }

    fn set(self, limits: &mut Limits, amount: u64) {
        match self {
            Self::Fuel => limits.fuel = amount,
            Self::MemoryBytes => limits.memory_bytes = amount,
            Self::GuestMs => limits.guest_ms = amount,
            Self::TotalMs => limits.total_ms = amount,
            Self::Requests => limits.requests = u32::try_from(amount).unwrap_or(u32::MAX),
            Self::InlineAnswerBytes => limits.inline_answer_bytes = amount,
            Self::BytesOut => limits.bytes_out = amount,
            Self::BytesIn => limits.bytes_in = amount,
            Self::Concurrency => limits.concurrency = u32::try_from(amount).unwrap_or(u32::MAX),
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { name, origin, sign } => {
                write!(out, "to send requests to its endpoint `{name}` ({origin}), signed: {sign}")
            }
            Self::Read { endpoint, route } => {
                write!(out, "that `{route}` at its endpoint `{endpoint}` counts as a read")
            }
            Self::Link { from, hosts, sign } => {
                write!(out, "to follow URLs from its endpoint `{from}` to {hosts}, {sign}")
            }
            Self::Scope { scope } => write!(out, "the scope `{scope}`"),
            Self::Limit { of, amount } => {
                let of = serde_json::to_value(of).unwrap_or_default();
                write!(out, "{} up to {amount}", of.as_str().unwrap_or_default())
            }
        }
    }
}

/// Everything that a manifest asks for.
#[must_use]
pub fn asks(manifest: &Manifest) -> BTreeSet<Ask> {
    let mut asks = BTreeSet::new();
    for (name, endpoint) in &manifest.endpoints {
        let (origin, sign) = (endpoint.origin.to_string(), word(&endpoint.sign));
        asks.insert(Ask::Endpoint { name: name.clone(), origin, sign });
        let reads = endpoint.reads.iter().map(|route| Ask::Read { endpoint: name.clone(), route: route.clone() });
        asks.extend(reads);
    }
    asks.extend(manifest.links.iter().map(link));
    asks.extend(manifest.auth.scopes().into_iter().map(|scope| Ask::Scope { scope: scope.to_owned() }));
    asks.extend(Measure::ALL.map(|of| Ask::Limit { of, amount: of.get(&manifest.limits) }));
    asks
}

fn link(link: &orla_manifest::Link) -> Ask {
    let sign = if link.signed { "signed" } else { "unsigned" };
    Ask::Link { from: link.from.clone(), hosts: link.hosts.join(", "), sign: sign.to_owned() }
}

/// A value of the manifest as one word, or as JSON where it has parts.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value).unwrap_or_default() {
        serde_json::Value::String(word) => word,
        value => value.to_string(),
    }
}

/// What the operator allows a connector, whatever its releases ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Grant(pub BTreeSet<Ask>);

impl Grant {
    /// Whether it covers an ask.
    #[must_use]
    pub fn covers(&self, ask: &Ask) -> bool {
        match ask {
            Ask::Limit { of, amount } => self.limit(*of).is_some_and(|granted| granted >= *amount),
            ask => self.0.contains(ask),
        }
    }

    /// What a manifest asks for beyond it.
    #[must_use]
    pub fn lacks(&self, manifest: &Manifest) -> Vec<Ask> {
        asks(manifest).into_iter().filter(|ask| !self.covers(ask)).collect()
    }

    /// Grants all that a manifest asks for, too.
    pub fn widen(&mut self, manifest: &Manifest) {
        for ask in self.lacks(manifest) {
            self.add(ask);
        }
    }

    /// Grants one thing; a limit takes the place of the one before.
    pub fn add(&mut self, ask: Ask) {
        if let Ask::Limit { of, .. } = &ask {
            let of = *of;
            self.0.retain(|held| !matches!(held, Ask::Limit { of: held, .. } if *held == of));
        }
        self.0.insert(ask);
    }

    fn limit(&self, of: Measure) -> Option<u64> {
        self.0.iter().find_map(|ask| match ask {
            Ask::Limit { of: held, amount } if *held == of => Some(*amount),
            _ => None,
        })
    }

    /// What is both asked for and granted.
    ///
    /// # Errors
    /// The connector cannot do without something that is not granted: a sentence that names it.
    pub fn effective(&self, manifest: &Manifest) -> Result<Manifest, String> {
        let mut effective = manifest.clone();
        let asked = asks(manifest);
        let granted = |name: &str| {
            asked
                .iter()
                .any(|ask| matches!(ask, Ask::Endpoint { name: asked, .. } if asked == name && self.0.contains(ask)))
        };
        effective.endpoints.retain(|name, _| granted(name));
        for (name, endpoint) in &mut effective.endpoints {
            let covers = |route: &String| self.covers(&Ask::Read { endpoint: name.clone(), route: route.clone() });
            endpoint.reads.retain(covers);
        }
        effective.links.retain(|asked| self.covers(&link(asked)) && effective.endpoints.contains_key(&asked.from));
        effective.auth.retain_scopes(|scope| self.covers(&Ask::Scope { scope: scope.clone() }));
        for of in Measure::ALL {
            let granted = self.limit(of).unwrap_or_else(|| of.get(&Limits::default()));
            of.set(&mut effective.limits, of.get(&manifest.limits).min(granted));
        }
        let flaws: Vec<String> = effective.validate().iter().map(ToString::to_string).collect();
        if flaws.is_empty() { Ok(effective) } else { Err(flaws.join("; ")) }
    }
}
