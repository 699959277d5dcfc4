//! Rate limits (documented under "Rate limits"; the limits for new statuses and for paging, and that the headers tell
//! the one that is closest to being exceeded, with a time in ISO 8601, are observed).
//!
//! Windows begin with the first request here; Mastodon's begin at multiples of their length.

use std::collections::{BTreeMap, HashMap};

use axum::http::{HeaderMap, HeaderValue, Method};

use crate::clock::Moment;

/// One limit: so many requests in so many seconds.
struct Rule {
    name: &'static str,
    requests: u32,
    window_s: u64,
}

const ACCOUNT: Rule = Rule { name: "account", requests: 300, window_s: 300 };
const ADDRESS: Rule = Rule { name: "address", requests: 300, window_s: 300 };
const MEDIA: Rule = Rule { name: "media", requests: 30, window_s: 1_800 };
const DELETIONS: Rule = Rule { name: "deletions", requests: 30, window_s: 1_800 };
const STATUSES: Rule = Rule { name: "statuses", requests: 300, window_s: 10_800 };
const PAGING: Rule = Rule { name: "paging", requests: 300, window_s: 900 };

/// Who sends which request, as far as limits care.
pub(super) struct Spending<'a> {
    /// The account's id; nothing for whoever shows no token.
    pub(super) account: Option<&'a str>,
    pub(super) method: &'a Method,
    /// The route, such as `/api/v1/statuses/{id}`.
    pub(super) route: &'a str,
    pub(super) query: &'a str,
}

impl Spending<'_> {
    fn rules(&self) -> Vec<Rule> {
        if self.account.is_none() {
            return vec![ADDRESS];
        }
        let mut rules = vec![ACCOUNT];
        match (self.method, self.route) {
            (&Method::POST, "/api/v2/media") => rules.push(MEDIA),
            (&Method::POST, "/api/v1/statuses") => rules.push(STATUSES),
            (&Method::DELETE, "/api/v1/statuses/{id}") => rules.push(DELETIONS),
            _ if ["min_id=", "max_id=", "since_id="].iter().any(|bound| self.query.contains(bound)) => {
                rules.push(PAGING);
            }
            _ => {}
        }
        rules
    }
}

/// How much everybody has used of every limit.
#[derive(Default)]
pub(super) struct Limits(HashMap<(String, &'static str), Window>);

struct Window {
    ends: Moment,
    spent: u32,
}

/// What is left of the limit closest to being exceeded, after the request at hand.
pub(super) struct Quota {
    limit: u32,
    remaining: u32,
    resets: Moment,
    pub(super) exceeded: bool,
}

impl Limits {
    /// Count a request.
    pub(super) fn spend(&mut self, spending: &Spending<'_>, overrides: &BTreeMap<String, u32>, now: Moment) -> Quota {
        let who = spending.account.unwrap_or_default();
        let quotas = spending.rules().into_iter().map(|rule| {
            let limit = overrides.get(rule.name).copied().unwrap_or(rule.requests);
            let fresh = || Window { ends: now.after_s(rule.window_s), spent: 0 };
            let window = self.0.entry((who.to_owned(), rule.name)).or_insert_with(fresh);
            if window.ends <= now {
                *window = fresh();
            }
            window.spent = window.spent.saturating_add(1);
            let remaining = limit.saturating_sub(window.spent);
            Quota { limit, remaining, resets: window.ends, exceeded: window.spent > limit }
        });
        let closest = quotas.min_by_key(|quota| (!quota.exceeded, quota.remaining));
        closest.unwrap_or(Quota { limit: 0, remaining: 0, resets: now, exceeded: false })
    }
}

impl Quota {
    /// What a limit that was just used up looks like.
    pub(super) fn used_up(now: Moment) -> Self {
        Self { limit: ACCOUNT.requests, remaining: 0, resets: now.after_s(ACCOUNT.window_s), exceeded: true }
    }

    pub(super) fn stamp(&self, headers: &mut HeaderMap) {
        headers.insert("x-ratelimit-limit", self.limit.into());
        headers.insert("x-ratelimit-remaining", self.remaining.into());
        // Six digits after the point (observed).
        let resets = self.resets.to_string().replace('Z', "000Z");
        if let Ok(resets) = HeaderValue::try_from(resets) {
            headers.insert("x-ratelimit-reset", resets);
        }
    }
}
