//! What the broker of credentials adds to a call of a connector whose token is fresh: the call sends one request to the
//! simulator, signed, against the same call of an endpoint that nobody signs for.

use crate::harness::{BOTH, Backend, Host, client};
use crate::table::{Table, Verdict, digits, median};
use orla::connectors::Secrets;
use orla::id::ConnectionId;
use std::time::Instant;

const ROUNDS: usize = 40;
const CALLS: u32 = 50;
/// The most that the broker may add.
const MOST_US: f64 = 100.0;
/// The simulator serves it to everybody, whoever asks.
const PATH: &str = "/pictures/not-an-image.txt";

/// Microseconds each time in one round.
#[derive(Default)]
struct Round {
    /// A bare client's request with a token.
    native: f64,
    unsigned: f64,
    /// To read the run and its connection.
    loading: f64,
    /// To read their credentials along with them, and to open those.
    reading: f64,
    /// The call with them.
    signed: f64,
}

/// Measures, prints, and tells whether the threshold holds.
pub(crate) async fn measure() -> bool {
    let title = format!(
        "broker: a call that sends one request, its token fresh; one thread with host and vendor, medians of {ROUNDS} rounds of \
         {CALLS} calls each way, in turns"
    );
    let mut table = Table::new(title, &["way", "µs"]);
    for backend in BOTH {
        let rounds = rounds(backend).await;
        let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure));
        let mut row = |name: &str, figure: f64| table.row(&[&format!("{backend:?}: {name}"), &digits(figure, 1)]);
        row("a client's own signed request, without a host", of(|round| round.native));
        row("a call whose request nobody signs", of(|round| round.unsigned));
        row("reading a run and its connection", of(|round| round.loading));
        row("+ reading its credentials along with them, and opening those", of(|round| round.reading - round.loading));
        row("+ whether it is fresh, signing, blanking it in the answer", of(|round| round.signed - round.unsigned));
        let added = of(|round| round.reading - round.loading + round.signed - round.unsigned);
        let name = format!("{backend:?}: added in all");
        table.judged(&[&name, &digits(added, 1)], &Verdict::at_most(added, MOST_US));
    }
    table.print()
}

async fn rounds(backend: Backend) -> Vec<Round> {
    let host = Host::start(backend).await;
    let ada = host.connected("ada", "probe").await;
    let connections = ada.get("/social/connections").await.expect(200);
    let connection: ConnectionId = connections["items"][0]["id"].as_str().unwrap().parse().unwrap();
    let (connectors, http) = (host.app.connectors(), client());
    let run = connectors.run_for_bench("probe", ada.workspace).await.unwrap();
    let load = async |with| connectors.load_for_bench("probe", run, ada.workspace, (connection, with)).await.unwrap();
    let (read, public) = (format!("read {PATH}\npending 1"), format!("public {PATH}\npending 1"));
    let mut rounds = Vec::new();
    for _ in 0..=ROUNDS {
        let mut round = Round::default();
        for _ in 0..CALLS {
            let request = http.get(format!("{}{PATH}", host.sim.origin())).bearer_auth(&ada.token);
            let began = Instant::now();
            request.send().await.unwrap().bytes().await.unwrap();
            round.native += share(began);
            let began = Instant::now();
            let nobodys = load(Secrets::None).await;
            round.loading += share(began);
            let began = Instant::now();
            connectors.read_for_bench("probe", ada.workspace, nobodys, &public).await.unwrap();
            round.unsigned += share(began);
            let began = Instant::now();
            let its = load(Secrets::Opened).await;
            round.reading += share(began);
            let began = Instant::now();
            connectors.read_for_bench("probe", ada.workspace, its, &read).await.unwrap();
            round.signed += share(began);
        }
        rounds.push(round);
    }
    // The first round warms up.
    rounds.remove(0);
    assert!(host.sim.counts().keys().any(|route| route.ends_with("not-an-image.txt")), "{:?}", host.sim.counts());
    host.app.stop().await;
    rounds
}

/// Microseconds since then, of one of a round's calls.
fn share(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}
