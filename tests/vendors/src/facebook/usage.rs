//! How much of the limits is used, which every answer tells in percent (documented under "Rate limits").
//!
//! Calls with a person's token count for the app, calls with a page's token for the page. Facebook's limits grow with
//! an app's and a page's users; here they are a setting.

use std::collections::{BTreeMap, HashMap};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::problem::Problem;
use crate::clock::Moment;
use crate::door::Canned;

const WINDOW_S: u64 = 3_600;
/// What is said to be left of a block, in minutes.
const REGAIN_MINUTES: u64 = 5;

/// The limits that a caller can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Throttle {
    /// Code 4: the app's.
    App,
    /// Code 17: the person's.
    Person,
    /// Code 32: a page's, with a person's token.
    Page,
    /// Code 80001: a page's, with its own token.
    PageUseCase,
}

impl Throttle {
    pub(super) fn code(self) -> u32 {
        match self {
            Self::App => 4,
            Self::Person => 17,
            Self::Page => 32,
            Self::PageUseCase => 80_001,
        }
    }

    /// What Facebook answers when this limit is reached, headers included, for a fault on one route. The page's id is
    /// in the headers of [`Throttle::PageUseCase`].
    pub fn canned(self, page_id: &str) -> Canned {
        let problem = Problem::throttled(self);
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = self.headers(page_id);
        let headers: BTreeMap<String, String> =
            headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        Canned { status: problem.status.as_u16(), retry_after_s: None, headers, body: Some(problem.body()) }
    }

    /// The headers of a limit that is used up.
    pub(super) fn headers(self, page_id: &str) -> HeaderMap {
        let page = (self == Self::PageUseCase).then_some(page_id);
        header(page, 100, REGAIN_MINUTES).into_iter().collect()
    }
}

/// All calls of the last hour.
#[derive(Default)]
pub(super) struct Usage(HashMap<Option<String>, Window>);

struct Window {
    ends: Moment,
    calls: u32,
}

impl Usage {
    /// Count a call of a page, or of a person; whether it is one too many, and the headers that tell.
    pub(super) fn count(&mut self, page_id: Option<&str>, limit: u32, now: Moment) -> (Option<Throttle>, HeaderMap) {
        let fresh = || Window { ends: now.after_s(WINDOW_S), calls: 0 };
        let window = self.0.entry(page_id.map(str::to_owned)).or_insert_with(fresh);
        if window.ends <= now {
            *window = fresh();
        }
        // Calls while one is throttled count, too: they lengthen the block (documented).
        window.calls = window.calls.saturating_add(1);
        let exceeded = window.calls > limit;
        let percent = u64::from(window.calls) * 100 / u64::from(limit.max(1));
        let regain = if exceeded { window.ends.s_since(now).div_ceil(60) } else { 0 };
        let throttle = if page_id.is_some() { Throttle::PageUseCase } else { Throttle::App };
        (exceeded.then_some(throttle), header(page_id, percent, regain).into_iter().collect())
    }
}

fn header(page_id: Option<&str>, percent: u64, regain_minutes: u64) -> Option<(HeaderName, HeaderValue)> {
    let mut usage = json!({ "call_count": percent, "total_cputime": percent / 2, "total_time": percent / 2 });
    let (name, usage) = match page_id {
        None => ("x-app-usage", usage),
        Some(page_id) => {
            usage["type"] = "pages".into();
            usage["estimated_time_to_regain_access"] = regain_minutes.into();
            ("x-business-use-case-usage", json!({ page_id: [usage] }))
        }
    };
    Some((HeaderName::from_static(name), HeaderValue::try_from(usage.to_string()).ok()?))
}
