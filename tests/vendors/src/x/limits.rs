//! Rate limits, counted for each user and route in windows that begin with the first request (documented under
//! "Rate limits": fifteen minutes; the headers tell limit, rest and the end of the window).

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderValue};

use super::clock::Moment;

/// How much every user has used of every route.
#[derive(Default)]
pub(super) struct Limits(HashMap<(String, &'static str), Window>);

struct Window {
    ends: Moment,
    spent: u32,
}

/// What is left to a user on a route, after the request at hand.
pub(super) struct Quota {
    limit: u32,
    remaining: u32,
    resets: Moment,
    pub(super) exceeded: bool,
}

impl Limits {
    /// Count one request. One that is refused for the limit itself does not count.
    pub(super) fn spend(&mut self, user: &str, route: &'static str, limit: u32, window_s: u64, now: Moment) -> Quota {
        let fresh = || Window { ends: now.after_s(window_s), spent: 0 };
        let window = self.0.entry((user.to_owned(), route)).or_insert_with(fresh);
        if window.ends <= now {
            *window = fresh();
        }
        let exceeded = window.spent >= limit;
        if !exceeded {
            window.spent += 1;
        }
        Quota { limit, remaining: limit.saturating_sub(window.spent), resets: window.ends, exceeded }
    }
}

impl Quota {
    pub(super) fn stamp(&self, headers: &mut HeaderMap) {
        headers.insert("x-rate-limit-limit", HeaderValue::from(self.limit));
        headers.insert("x-rate-limit-remaining", HeaderValue::from(self.remaining));
        headers.insert("x-rate-limit-reset", HeaderValue::from(self.resets.unix_s()));
    }
}
