//! The ledger: how many holds and settlements a second it makes, on one account in all hands and on ten thousand, against the same
//! statements made without it: by pgbench on the same server, and by a bare loop over one connection to SQLite.

use crate::harness::{BOTH, Backend};
use crate::table::{Table, Verdict, digits, median};
use orla::clock::Timestamp;
use orla::db::Db;
use orla::id::{GrantId, HoldId, TransactionId, WorkspaceId};
use orla::ledger::{self, Grant, GrantOrigin, HOLD_FOR_BENCH, SETTLE_FOR_BENCH};
use orla::on;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
/// As many as the host's pool has connections.
const CLIENTS: u64 = 16;
const MANY: u64 = 10_000;
/// The least share of the floor's pairs a second.
const THRESHOLD: f64 = 0.7;

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
const PRICE: i64 = 10;

/// Names a hold: no two rounds use the same.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Measures, prints, and tells whether the thresholds hold.
pub(crate) async fn measure() -> bool {
    let title = format!(
        "ledger: pairs of hold and settle a second, each its own transaction; medians of {ROUNDS} rounds of {} s each way",
        ROUND.as_secs()
    );
    let mut table = Table::new(title, &["database, accounts", "floor", "ledger", "ratio"]);
    for backend in BOTH {
        let data = tempfile::tempdir().unwrap();
        let url = backend.fresh(data.path()).await;
        let db = Db::open(&url).await.unwrap();
        fill(&db).await;
        for accounts in [1, MANY] {
            let mut rounds = Vec::new();
            for round in 0..=ROUNDS {
                rounds.push([floor(backend, &url, accounts, round).await, host(&db, backend, accounts).await]);
            }
            // The first round warms up.
            rounds.remove(0);
            let of = |way: usize| digits(median(rounds.iter().map(|round| round[way])), 0);
            let ratio = median(rounds.iter().map(|[floor, host]| host / floor));
            let name = match backend {
                Backend::Sqlite => format!("SQLite against a loop over one connection, {accounts}"),
                Backend::Postgres => format!("PostgreSQL against pgbench, {CLIENTS} clients, {accounts}"),
            };
            table.judged(&[&name, &of(0), &of(1), &digits(ratio, 2)], &Verdict::at_least(ratio, THRESHOLD));
        }
        let faults = ledger::audit(&mut db.read().await.unwrap()).await.unwrap();
        assert!(faults.is_empty(), "{faults:?}");
        db.close().await;
    }
    table.print()
}

/// The workspace of a number.
fn workspace(number: u64) -> WorkspaceId {
    WorkspaceId(Uuid::parse_str(&format!("00000000-0000-7000-8000-{number:012}")).unwrap())
}

/// Accounts with more on them than any round spends.
async fn fill(db: &Db) {
    const WORKSPACE: &str = "insert into workspaces (id, name, created_at) values ($1, 'A team', $2)";
    let mut tx = db.begin().await.unwrap();
    for number in 1..=MANY {
        let workspace = workspace(number);
        on!(&mut tx, conn => sqlx::query(WORKSPACE).bind(workspace).bind(NOW).execute(conn).await.map(drop)).unwrap();
        ledger::open_account(&mut tx, workspace).await.unwrap();
        let (origin, description) = (GrantOrigin::Purchased, "For a benchmark");
        let grant = Grant { origin, credits: ledger::MAX_CHANGE, key: "bench", expires_at: None, description };
        ledger::grant(&mut tx, workspace, &grant, NOW).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Pairs a second of the ledger.
async fn host(db: &Db, backend: Backend, accounts: u64) -> f64 {
    let clients = match backend {
        Backend::Sqlite => 1,
        Backend::Postgres => CLIENTS,
    };
    let began = Instant::now();
    let mut hands = JoinSet::new();
    for _ in 0..clients {
        let db = db.clone();
        hands.spawn(async move {
            let mut pairs = 0_u32;
            while began.elapsed() < ROUND {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                pair(&db, workspace(1 + number % accounts), number).await;
                pairs += 1;
            }
            pairs
        });
    }
    let pairs: u32 = hands.join_all().await.into_iter().sum();
    f64::from(pairs) / began.elapsed().as_secs_f64()
}

async fn pair(db: &Db, workspace: WorkspaceId, number: u64) {
    let mut tx = db.begin().await.unwrap();
    let key = format!("host/{number}");
    let hold = ledger::hold(&mut tx, workspace, "social_caption", PRICE, &key, NOW).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin().await.unwrap();
    ledger::settle(&mut tx, workspace, hold, PRICE, NOW).await.unwrap();
    tx.commit().await.unwrap();
}

/// Pairs a second without the ledger.
async fn floor(backend: Backend, url: &str, accounts: u64, round: usize) -> f64 {
    match backend {
        Backend::Sqlite => bare(url, accounts).await,
        Backend::Postgres => {
            let url = url.to_owned();
            tokio::task::spawn_blocking(move || pgbench(&url, accounts, round)).await.unwrap()
        }
    }
}

/// A loop over one connection.
async fn bare(url: &str, accounts: u64) -> f64 {
    let options = SqliteConnectOptions::from_str(url)
        .unwrap()
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10));
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    let (began, mut pairs) = (Instant::now(), 0_u32);
    while began.elapsed() < ROUND {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        bare_pair(&mut conn, workspace(1 + number % accounts), number).await.unwrap();
        pairs += 1;
    }
    let rate = f64::from(pairs) / began.elapsed().as_secs_f64();
    conn.close().await.unwrap();
    rate
}

type After = (i64, i64, i64, i64, Option<i64>, i64);

async fn bare_pair(conn: &mut SqliteConnection, workspace: WorkspaceId, number: u64) -> sqlx::Result<()> {
    let (hold, grant) = bare_hold(conn, workspace, number).await?;
    bare_settle(conn, workspace, hold, grant).await
}

async fn bare_hold(
    conn: &mut SqliteConnection,
    workspace: WorkspaceId,
    number: u64,
) -> sqlx::Result<(HoldId, GrantId)> {
    let (hold, key) = (HoldId::new(), format!("hold:bare/{number}"));
    let [shift, take, insert, record] = HOLD_FOR_BENCH;
    let mut tx = conn.begin_with("begin immediate").await?;
    let (posted, held, owed, ..): After = sqlx::query_as(shift)
        .bind(0_i64)
        .bind(PRICE)
        .bind(0_i64)
        .bind(workspace)
        .bind(1_000_000_000_000_000_i64)
        .fetch_one(&mut *tx)
        .await?;
    let grant: GrantId =
        sqlx::query_scalar(take).bind(PRICE).bind(workspace).bind(NOW).bind(&key).fetch_one(&mut *tx).await?;
    sqlx::query(insert)
        .bind(hold)
        .bind(workspace)
        .bind("social_caption")
        .bind(PRICE)
        .bind(NOW)
        .bind(format!("[[\"{grant}\",{PRICE}]]"))
        .bind(None::<Uuid>)
        .bind(None::<&str>)
        .execute(&mut *tx)
        .await?;
    sqlx::query(record)
        .bind(TransactionId::new())
        .bind(workspace)
        .bind("hold")
        .bind(PRICE)
        .bind(0_i64)
        .bind(PRICE)
        .bind(0_i64)
        .bind(posted)
        .bind(held)
        .bind(owed)
        .bind(hold)
        .bind(None::<Uuid>)
        .bind(&key)
        .bind("Reserved for social caption")
        .bind(NOW)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok((hold, grant))
}

async fn bare_settle(
    conn: &mut SqliteConnection,
    workspace: WorkspaceId,
    hold: HoldId,
    grant: GrantId,
) -> sqlx::Result<()> {
    let [unhold, resolve, give_back, record] = SETTLE_FOR_BENCH;
    let mut tx = conn.begin_with("begin immediate").await?;
    let (posted, held, owed, _, _, _, reserved): (i64, i64, i64, i64, Option<i64>, i64, i64) =
        sqlx::query_as(unhold).bind(PRICE).bind(workspace).bind(hold).fetch_one(&mut *tx).await?;
    let _: (String, String) = sqlx::query_as(resolve)
        .bind("settled")
        .bind(NOW)
        .bind(PRICE)
        .bind(workspace)
        .bind(hold)
        .bind(reserved)
        .fetch_one(&mut *tx)
        .await?;
    let _: (GrantId, i64, i64, Option<Timestamp>) =
        sqlx::query_as(give_back).bind(-PRICE).bind(-PRICE).bind(workspace).bind(grant).fetch_one(&mut *tx).await?;
    sqlx::query(record)
        .bind(TransactionId::new())
        .bind(workspace)
        .bind("settle")
        .bind(PRICE)
        .bind(-PRICE)
        .bind(-PRICE)
        .bind(0_i64)
        .bind(posted)
        .bind(held)
        .bind(owed)
        .bind(hold)
        .bind(None::<Uuid>)
        .bind(format!("settle:{hold}"))
        .bind("Charged for social caption")
        .bind(NOW)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// What pgbench says of a script that makes the same statements.
fn pgbench(url: &str, accounts: u64, round: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pairs.sql");
    std::fs::write(&file, script(accounts)).unwrap();
    let seconds = ROUND.as_secs().to_string();
    let clients = CLIENTS.to_string();
    let base = NEXT.fetch_add(1, Ordering::Relaxed) * 1_000 + round as u64;
    let said = Command::new(program())
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds, "-D", "c=0", "-D"])
        .arg(format!("base={base}"))
        .arg("-f")
        .arg(&file)
        .arg(url)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{words}{}", String::from_utf8_lossy(&said.stderr));
    let tps = words.lines().find_map(|line| line.strip_prefix("tps = "));
    let figure = tps.and_then(|line| line.split(' ').next()).unwrap_or_else(|| panic!("no figure: {words}"));
    figure.parse().unwrap()
}

/// Beside the server of the distribution.
fn program() -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .unwrap()
        .map(|entry| entry.unwrap().path().join("bin/pgbench"))
        .filter(|path| Path::exists(path))
        .collect();
    versions.sort();
    versions.pop().expect("pgbench is installed with PostgreSQL")
}

/// A pair, in pgbench's language: the placeholders of each statement are what pgbench puts there. It takes a colon for the beginning
/// of a variable in texts as well, so there is none in them.
fn script(accounts: u64) -> String {
    let uuid = |head: &str, tail: &str| {
        format!("(lpad(to_hex(:{head}::bigint), 16, '0') || lpad(to_hex(:{tail}::bigint), 16, '0'))::uuid")
    };
    let (hold, first, second) = (uuid("head", "c"), uuid("head", "one"), uuid("head", "two"));
    let workspace = "('00000000-0000-7000-8000-' || lpad(:n::text, 12, '0'))::uuid";
    let (now, key) = (NOW.0.to_string(), "'hold' || chr(58) || 'pgbench/' || :head::text || '/' || :c::text");
    let price = &PRICE.to_string();
    let cost = &format!("-{PRICE}");
    let most = "1000000000000000";
    let grants = &format!("'[[\"' || :g_id::text || '\",{PRICE}]]'");
    let [shift, take, insert, record] = HOLD_FOR_BENCH;
    let [unhold, resolve, give_back, _] = SETTLE_FOR_BENCH;
    let (now, key, hold) = (now.as_str(), key, hold.as_str());
    let settle_key = &format!("'settle' || chr(58) || {hold}::text");
    let entry = |id: &'_ str, kind: &'_ str, posted: &'_ str, held: &'_ str, at: &'_ str, key: &'_ str| {
        let after = ["posted", "held", "owed"].map(|column| format!(":{at}{column}::bigint"));
        let [posted_after, held_after, owed_after] = after;
        filled(
            record,
            &[
                id,
                workspace,
                kind,
                price,
                posted,
                held,
                "0",
                &posted_after,
                &held_after,
                &owed_after,
                hold,
                "null",
                key,
                "'social caption'",
                now,
            ],
        )
    };
    let mut script = format!("\\set c :c + 1\n\\set n random(1, {accounts})\n");
    script += "\\set head :base * 100 + :client_id\n\\set one 2 * :c\n\\set two 2 * :c + 1\n";
    let _ = writeln!(script, "begin;");
    let _ = writeln!(script, "{} \\gset a_", filled(shift, &["0", price, "0", workspace, most]));
    let _ = writeln!(script, "{} \\gset g_", filled(take, &[price, workspace, now, key]));
    let parts = [hold, workspace, "'social_caption'", price, now, grants, "null", "null"];
    let _ = writeln!(script, "{};", filled(insert, &parts));
    let _ = writeln!(script, "{};", entry(&first, "'hold'", "0", price, "a_", key));
    let _ = writeln!(script, "commit;\nbegin;");
    let _ = writeln!(script, "{} \\gset b_", filled(unhold, &[price, workspace, hold]));
    let resolved = ["'settled'", now, price, workspace, hold, ":b_reserved::bigint"];
    let _ = writeln!(script, "{} \\gset r_", filled(resolve, &resolved));
    let _ = writeln!(script, "{} \\gset m_", filled(give_back, &[cost, cost, workspace, ":g_id::uuid"]));
    let _ = writeln!(script, "{};", entry(&second, "'settle'", cost, cost, "b_", settle_key));
    script + "commit;\n"
}

/// A statement on one line, with these in the places of its placeholders.
fn filled(statement: &str, values: &[&str]) -> String {
    let mut filled = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    for (place, value) in values.iter().enumerate().rev() {
        filled = filled.replace(&format!("${}", place + 1), &format!("({value})"));
    }
    filled
}
