//! What goes wrong at the networks while hosts die: lost requests and answers, refusals for the moment, and slowness.

use crate::stage::{HOOK, Network, Stage};
use orla::clock::Clock;
use orla_vendors::x::{Canned, Fault, Mode};
use rand::RngExt as _;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// Where something may go wrong.
struct Route {
    network: Network,
    method: &'static str,
    /// With `*` for any segment.
    path: &'static str,
    /// As the network counts its requests.
    name: &'static str,
    /// Whether what is made there is seen by others.
    commits: bool,
}

const fn commit(network: Network, path: &'static str, name: &'static str) -> Route {
    Route { network, method: "POST", path, name, commits: true }
}

const fn step(network: Network, method: &'static str, path: &'static str, name: &'static str) -> Route {
    Route { network, method, path, name, commits: false }
}

/// Not where tokens are renewed: an answer that is lost there ends a connection, as it does at the real X.
const ROUTES: [Route; 8] = [
    commit(Network::X, "/2/tweets", "POST /2/tweets"),
    step(Network::X, "GET", "/2/users/*/tweets", "GET /2/users/{id}/tweets"),
    step(Network::X, "POST", "/2/media/upload/*/append", "POST /2/media/upload/{id}/append"),
    step(Network::X, "POST", "/2/media/upload/*/finalize", "POST /2/media/upload/{id}/finalize"),
    commit(Network::Mastodon, "/api/v1/statuses", "POST /api/v1/statuses"),
    step(Network::Mastodon, "GET", "/api/v1/accounts/*/statuses", "GET /api/v1/accounts/{id}/statuses"),
    step(Network::Mastodon, "POST", "/api/v2/media", "POST /api/v2/media"),
    commit(Network::Webhook, HOOK, "POST /hooks/soak"),
];

/// How often what went wrong, for the summary.
pub(crate) type Tally = RefCell<BTreeMap<&'static str, usize>>;

/// Has about each sixth request of each route go wrong, without end.
pub(crate) async fn stir(stage: &Stage, tally: &Tally) {
    let mut next = [0; ROUTES.len()];
    loop {
        for network in Network::ALL {
            let requests = stage.requests(network);
            for (route, next) in ROUTES.iter().zip(&mut next).filter(|(route, _)| route.network == network) {
                let count = requests.get(route.name).copied().unwrap_or(0);
                if count < *next {
                    continue;
                }
                // The fault hits the next request; as many again come before there is another.
                *next = count + rand::rng().random_range(3..9);
                let (name, mode) = mode(route.commits);
                stage.fault(network, Fault::on(route.method, route.path, mode));
                *tally.borrow_mut().entry(name).or_default() += 1;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn mode(commits: bool) -> (&'static str, Mode) {
    // Mastodon says by a header of its own when to come again, in five minutes unless told otherwise.
    let soon = serde_json::to_value(Clock::System.now().after(Duration::from_secs(1))).unwrap();
    let headers = [("x-ratelimit-reset".to_owned(), soon.as_str().unwrap().to_owned())].into();
    let slow_down = Canned { status: 429, retry_after_s: Some(1), headers, ..Canned::default() };
    let modes = [
        ("cut before", Mode::CutBefore),
        ("cut after", Mode::CutAfter),
        ("500", Mode::status(500)),
        ("429", Mode::Status(slow_down)),
        ("slow", Mode::DelayMs(rand::rng().random_range(50..400))),
        ("slow answer", Mode::SlowBody { pause_ms: 1 }),
        ("cut within the answer", Mode::TruncatedBody),
        ("500 after all", Mode::executed_then_status(500)),
    ];
    // What is done before it fails is of interest where others see it.
    let count = if commits { modes.len() } else { modes.len() - 2 };
    modes.into_iter().nth(rand::rng().random_range(0..count)).expect("one of them")
}
