//! What a request to the API costs: `GET /credits/balance` of somebody who is signed in, against a handler that makes the
//! same query and nothing else.

use crate::harness::{BOTH, Backend, settings};
use crate::process::{Process, Stage, free_port};
use crate::table::{Table, Verdict, digits, median};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use orla::clock::Timestamp;
use orla::id::WorkspaceId;
use orla::ledger::{Balance, GrantOrigin, OpenGrant};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{PgPool, SqlitePool};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const ROUNDS: usize = 7;
const CONNECTIONS: usize = 32;
const ROUND: Duration = Duration::from_millis(1_500);
/// The least share of the floor's requests a second.
const THRESHOLD: f64 = 0.7;

/// Figures of one round.
#[derive(Clone, Copy)]
struct Figures {
    /// Requests a second.
    rate: f64,
    /// Processor time of the server for one.
    cpu_us: f64,
}

/// Measures, prints, and tells whether the threshold holds.
pub(crate) async fn measure() -> bool {
    let title = format!(
        "balance: GET /credits/balance over {CONNECTIONS} kept connections; medians of {ROUNDS} rounds of {} s each way",
        ROUND.as_secs_f64()
    );
    let mut table = Table::new(title, &["way", "requests/s", "CPU µs", "ratio of requests/s"]);
    for backend in BOTH {
        let rounds = rounds(backend).await;
        let ratio = median(rounds.iter().map(|[bare, host]| host.rate / bare.rate));
        let of = |way: usize, pick: fn(&Figures) -> f64| median(rounds.iter().map(|round| pick(&round[way])));
        let figures = |way: usize| (digits(of(way, |one| one.rate), 0), digits(of(way, |one| one.cpu_us), 1));
        let ((rate, cpu), name) = (figures(0), format!("{backend:?}: axum and sqlx, nobody is asked who he is"));
        table.row(&[&name, &rate, &cpu, &digits(1.0, 2)]);
        let ((rate, cpu), name) = (figures(1), format!("{backend:?}: the host, signed in"));
        table.judged(&[&name, &rate, &cpu, &digits(ratio, 2)], &Verdict::at_least(ratio, THRESHOLD));
    }
    table.print()
}

/// Rounds of the floor and the host on the same database, in turns.
async fn rounds(backend: Backend) -> Vec<[Figures; 2]> {
    let stage = Stage::set(backend, settings()).await;
    let (place, person) = (&stage.place, &stage.person);
    let host = place.serve().await;
    let port = free_port();
    let workspace = person.workspace.to_string();
    let bare = place.part(&["part", "balance", &place.database, &workspace, &port.to_string()]).process;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let request = format!(
        "GET /credits/balance HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\nauthorization: Bearer {}\r\n\r\n",
        person.token
    );
    let mut rounds = Vec::new();
    for _ in 0..=ROUNDS {
        rounds.push([load(&bare, port, &request).await, load(&host, place.port, &request).await]);
    }
    // The first round warms up.
    rounds.remove(0);
    bare.end().await;
    host.end().await;
    rounds
}

/// Asks a server for one round, over every connection as fast as it answers.
async fn load(server: &Process, port: u16, request: &str) -> Figures {
    let mut connections = JoinSet::new();
    let (cpu, began) = (server.cpu(), Instant::now());
    for _ in 0..CONNECTIONS {
        connections.spawn(ask(port, request.to_owned(), began + ROUND));
    }
    let answered: u32 = connections.join_all().await.into_iter().sum();
    let (took, cpu) = (began.elapsed(), server.cpu() - cpu);
    let answered = f64::from(answered);
    Figures { rate: answered / took.as_secs_f64(), cpu_us: cpu.as_secs_f64() * 1e6 / answered }
}

/// One client that knows just enough HTTP, so that it takes little of the machine; gives how often it was answered.
async fn ask(port: u16, request: String, until: Instant) -> u32 {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    let (mut line, mut body, mut answered) = (String::new(), Vec::new(), 0);
    while Instant::now() < until {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut length = 0;
        for index in 0.. {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
            assert!(index > 0 || line.starts_with("HTTP/1.1 200"), "{line}");
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                None if index > 0 => break,
                _ => {}
            }
        }
        body.resize(length, 0);
        stream.read_exact(&mut body).await.unwrap();
        answered += 1;
    }
    answered
}

const BALANCE: &str = "select a.posted, a.held, a.owed, g.origin, g.remaining, g.held, g.expires_at
    from credit_accounts a left join credit_grants g on g.workspace_id = a.workspace_id and g.is_open = 1
    where a.workspace_id = $1
    order by g.expires_at is null, g.expires_at,
        case g.origin when 'promotional' then 0 when 'subscription' then 1 else 2 end, g.created_at, g.id";

type Row = (i64, i64, i64, Option<GrantOrigin>, Option<i64>, Option<i64>, Option<Timestamp>);

/// A pool of sqlx as it comes, as large as the host's.
#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// The floor, in a process of its own.
pub(crate) async fn bare(database: &str, workspace: WorkspaceId, port: u16) {
    let pool = if database.starts_with("sqlite:") {
        Pool::Sqlite(SqlitePoolOptions::new().max_connections(8).connect(database).await.unwrap())
    } else {
        Pool::Postgres(PgPoolOptions::new().max_connections(16).connect(database).await.unwrap())
    };
    let router = Router::new().route("/credits/balance", get(balance)).with_state((pool, workspace));
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    axum::serve(listener, router).await.unwrap();
}

async fn balance(State((pool, workspace)): State<(Pool, WorkspaceId)>) -> Json<Balance> {
    let found = match &pool {
        Pool::Sqlite(pool) => sqlx::query_as(BALANCE).bind(workspace).fetch_all(pool).await,
        Pool::Postgres(pool) => sqlx::query_as(BALANCE).bind(workspace).fetch_all(pool).await,
    };
    let rows: Vec<Row> = found.unwrap();
    let (posted, held, owed, ..) = rows[0];
    let grants = rows.into_iter().filter_map(|(.., origin, remaining, held, expires_at)| {
        Some(OpenGrant { origin: origin?, remaining: remaining?, held: held?, expires_at })
    });
    Json(Balance { posted, held, available: posted - held, owed, grants: grants.collect() })
}
