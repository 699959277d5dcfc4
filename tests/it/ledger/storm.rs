//! Fifty hands at once on a few accounts, one of them cut off: whatever they do, the books are right after it.
//!
//! What the ledger answered to what was committed is the model: no key granted, taken back or refunded twice, no hold resolved twice,
//! and every hold that was resolved is resolved. `ORLA_LEDGER_SEEDS` and `ORLA_LEDGER_ACTIONS` ask for more than the suite plays.

#![expect(clippy::print_stdout, reason = "whoever plays many seeds wants to see which")]

use super::{NOW, new_workspace};
use crate::harness;
use orla::clock::Timestamp;
use orla::db::{Db, Tx};
use orla::error::{Error, Result};
use orla::id::{HoldId, WorkspaceId};
use orla::ledger::{self, Ended, Grant, GrantOrigin, Refunded, Resolution};
use orla::on;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

const TASKS: usize = 50;
const ACCOUNTS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_hands_and_a_kill_leave_the_books_right() {
    let (seeds, actions) = (setting("ORLA_LEDGER_SEEDS", 2), setting("ORLA_LEDGER_ACTIONS", 600));
    for seed in 1..=seeds {
        for (db, name) in harness::databases().await.iter().zip(["SQLite", "PostgreSQL"]) {
            play(db, name, seed, actions).await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test plays is no setting of a host")]
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// What the ledger said of what was committed.
#[derive(Default)]
struct Said {
    /// New grants, clawbacks, restorations and corrections by their keys.
    keys: BTreeMap<String, usize>,
    /// Holds that were made, and how often each was resolved and refunded.
    holds: BTreeMap<HoldId, (WorkspaceId, usize, usize)>,
    committed: usize,
    refused: usize,
    broken: usize,
}

/// What everybody plays with.
struct Stage {
    db: Db,
    accounts: Vec<WorkspaceId>,
    said: Mutex<Said>,
    played: AtomicUsize,
}

async fn play(db: &Db, name: &str, seed: u64, actions: u64) {
    let mut accounts = Vec::new();
    for _ in 0..ACCOUNTS {
        accounts.push(new_workspace(db).await);
    }
    let stage = Arc::new(Stage { db: db.clone(), accounts, said: Mutex::default(), played: AtomicUsize::new(0) });
    let each = actions.div_ceil(TASKS as u64);
    let mut hands: Vec<JoinHandle<()>> = (0..TASKS)
        .map(|hand| tokio::spawn(hand_at_work(stage.clone(), seed.wrapping_mul(1_000).wrapping_add(hand as u64), each)))
        .collect();
    let killed = StdRng::seed_from_u64(seed).random_range(0..TASKS);
    let half = usize::try_from(actions / 2).unwrap();
    while stage.played.load(Ordering::SeqCst) < half && !hands[killed].is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    hands.remove(killed).abort();
    cut_a_connection(db).await;
    for hand in hands {
        hand.await.unwrap();
    }
    let (committed, refused, broken) = {
        let said = stage.said.lock().unwrap();
        (said.committed, said.refused, said.broken)
    };
    println!(
        "{name}, seed {seed}: {committed} actions committed, {refused} refused, {broken} cut off, hand {killed} killed"
    );
    assert!(broken <= 2, "only the connection that was cut may fail");
    judge(&stage).await;
}

/// Ends a connection in the middle of its transaction, where that is another process's.
async fn cut_a_connection(db: &Db) {
    const CUT: &str = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
        and pid <> pg_backend_pid() and state like 'idle in transaction%' limit 1";
    if let Db::Postgres(pool) = db {
        sqlx::query(CUT).execute(pool).await.unwrap();
    }
}

async fn hand_at_work(stage: Arc<Stage>, seed: u64, actions: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    for _ in 0..actions {
        let action = Action::thrown(&mut dice, &stage);
        let commits = dice.random_range(0..8) > 0;
        act(&stage, action, commits).await;
        stage.played.fetch_add(1, Ordering::SeqCst);
    }
}

/// What a hand does, with all that it needs for it.
enum Action {
    Grant(WorkspaceId, GrantOrigin, i64, String, Option<Timestamp>),
    Hold(WorkspaceId, i64, String),
    Extend(WorkspaceId, HoldId, i64),
    Settle(WorkspaceId, HoldId, i64),
    Release(WorkspaceId, HoldId),
    Refund(WorkspaceId, HoldId, i64),
    Expire(WorkspaceId, GrantOrigin),
    ClawBack(WorkspaceId, String, i64, String),
    Restore(WorkspaceId, String, String),
    Adjust(WorkspaceId, i64, String),
    Sweep(Timestamp),
}

impl Action {
    fn thrown(dice: &mut StdRng, stage: &Stage) -> Self {
        let workspace = stage.accounts[dice.random_range(0..ACCOUNTS)];
        let origins = [GrantOrigin::Promotional, GrantOrigin::Subscription, GrantOrigin::Purchased];
        let origin = origins[dice.random_range(0..3)];
        // Few keys, so that many repeat.
        let key = dice.random_range(0..40).to_string();
        let other = dice.random_range(0..40).to_string();
        let amount = dice.random_range(1..120);
        let known = {
            let said = stage.said.lock().unwrap();
            let index = dice.random_range(0..said.holds.len().max(1));
            // The newer half, of which more are open.
            let index = index.max(said.holds.len() / 2).min(said.holds.len().saturating_sub(1));
            said.holds.iter().nth(index).map(|(hold, (workspace, ..))| (*workspace, *hold))
        };
        match (dice.random_range(0..100), known) {
            (0..12, _) => {
                let ends = dice.random_range(0..3) == 0;
                let expires_at = ends.then(|| NOW.after(Duration::from_secs(dice.random_range(1..100))));
                Self::Grant(workspace, origin, amount * 3, key, expires_at)
            }
            (12..42, _) | (_, None) => Self::Hold(workspace, amount, dice.random_range(0..1_000_000).to_string()),
            (42..50, Some((workspace, hold))) => Self::Extend(workspace, hold, amount * 2),
            (50..70, Some((workspace, hold))) => Self::Settle(workspace, hold, amount),
            (70..80, Some((workspace, hold))) => Self::Release(workspace, hold),
            (80..86, Some((workspace, hold))) => Self::Refund(workspace, hold, amount / 4 + 1),
            (86..88, _) => Self::Expire(workspace, origin),
            (88..92, _) => Self::ClawBack(workspace, key, amount * 2, other),
            (92..95, _) => Self::Restore(workspace, key, other),
            (95..98, _) => Self::Adjust(workspace, amount - 60, key),
            _ => Self::Sweep(NOW.after(Duration::from_secs(dice.random_range(0..50)))),
        }
    }
}

/// What came of an action, to be noted once it is committed.
enum Came {
    New(String),
    Held(WorkspaceId, HoldId),
    Resolved(HoldId),
    Refunded(HoldId),
    Nothing,
}

async fn act(stage: &Stage, action: Action, commits: bool) {
    if let Action::Sweep(at) = action {
        // A sweep commits by itself; where its connection is cut, the next one sweeps.
        if ledger::expire_due(&stage.db, at).await.is_err() {
            stage.said.lock().unwrap().broken += 1;
        }
        return;
    }
    let done = async {
        let mut tx = stage.db.begin().await?;
        let came = carry_out(&mut tx, action).await?;
        if commits {
            tx.commit().await?;
        }
        Ok(came)
    };
    let done: Result<Came> = done.await;
    let mut said = stage.said.lock().unwrap();
    match done {
        Ok(_) if !commits => {}
        Ok(came) => {
            said.committed += 1;
            match came {
                Came::New(key) => *said.keys.entry(key).or_default() += 1,
                Came::Held(workspace, hold) => {
                    said.holds.entry(hold).or_insert((workspace, 0, 0));
                }
                Came::Resolved(hold) => said.holds.get_mut(&hold).expect("it was held").1 += 1,
                Came::Refunded(hold) => said.holds.get_mut(&hold).expect("it was held").2 += 1,
                Came::Nothing => {}
            }
        }
        Err(
            Error::InsufficientCredits { .. } | Error::Invalid { .. } | Error::NotFound(_) | Error::Conflict { .. },
        ) => said.refused += 1,
        Err(error) => {
            println!("cut off: {error}");
            said.broken += 1;
        }
    }
}

async fn carry_out(tx: &mut Tx, action: Action) -> Result<Came> {
    let new = |is_new: bool, key: String| if is_new { Came::New(key) } else { Came::Nothing };
    Ok(match action {
        Action::Grant(workspace, origin, credits, key, expires_at) => {
            let grant = Grant { origin, credits, key: &key, expires_at, description: "A present" };
            new(ledger::grant(tx, workspace, &grant, NOW).await?, format!("{workspace} grant {key}"))
        }
        Action::Hold(workspace, credits, key) => {
            let hold = ledger::hold(tx, workspace, "blog_generation", credits, &key, NOW).await?;
            Came::Held(workspace, hold.expect("a price above zero is held"))
        }
        Action::Extend(workspace, hold, credits) => {
            ledger::extend(tx, workspace, hold, credits, NOW).await?;
            Came::Nothing
        }
        Action::Settle(workspace, hold, used) => resolved(hold, ledger::settle(tx, workspace, hold, used, NOW).await?),
        Action::Release(workspace, hold) => resolved(hold, ledger::release(tx, workspace, hold, NOW).await?),
        Action::Refund(workspace, hold, credits) => {
            match ledger::refund(tx, workspace, hold, credits, "It was bad", NOW).await? {
                Refunded::Done => Came::Refunded(hold),
                Refunded::Already => Came::Nothing,
            }
        }
        Action::Expire(workspace, origin) => {
            ledger::expire_grants(tx, workspace, origin, Ended::All, NOW).await?;
            Came::Nothing
        }
        Action::ClawBack(workspace, grant, credits, key) => {
            ledger::claw_back(tx, workspace, &grant, credits, &key, "Disputed", NOW).await?;
            Came::Nothing
        }
        Action::Restore(workspace, grant, key) => {
            new(ledger::restore(tx, workspace, &grant, &key, "Won", NOW).await?, format!("{workspace} restore {key}"))
        }
        Action::Adjust(workspace, credits, key) => new(
            ledger::adjust(tx, workspace, credits, &key, "A mistake", NOW).await?,
            format!("{workspace} adjust {key}"),
        ),
        Action::Sweep(_) => Came::Nothing,
    })
}

fn resolved(hold: HoldId, resolution: Resolution) -> Came {
    match resolution {
        Resolution::Done => Came::Resolved(hold),
        Resolution::AlreadySettled | Resolution::AlreadyReleased => Came::Nothing,
    }
}

const SUMS: &str = "select a.posted, a.held, a.owed,
        (select cast(coalesce(sum(posted_delta), 0) as bigint) from credit_transactions t where t.workspace_id = a.workspace_id),
        (select cast(coalesce(sum(amount), 0) as bigint) from credit_holds h
            where h.workspace_id = a.workspace_id and h.state = 'open'),
        (select cast(coalesce(sum(remaining), 0) as bigint) from credit_grants g where g.workspace_id = a.workspace_id)
    from credit_accounts a where a.workspace_id = $1";
const STATES: &str = "select id, state, refunded from credit_holds where workspace_id = $1";
const TWICE: &str = "select count(*) from (select workspace_id, key from credit_transactions
    group by workspace_id, key having count(*) > 1) as twice";

async fn judge(stage: &Stage) {
    let mut tx = stage.db.read().await.unwrap();
    assert_eq!(ledger::audit(&mut tx).await.unwrap(), Vec::<String>::new());
    let twice: i64 = on!(&mut tx, conn => sqlx::query_scalar(TWICE).fetch_one(conn).await).unwrap();
    assert_eq!(twice, 0);
    let (mut stored, mut worth) = (BTreeMap::new(), 0);
    for workspace in &stage.accounts {
        let (posted, held, owed, entries, open, left): (i64, i64, i64, i64, i64, i64) =
            on!(&mut tx, conn => sqlx::query_as(SUMS).bind(workspace).fetch_one(conn).await).unwrap();
        assert_eq!((posted, held, posted), (entries, open, left));
        assert!(held >= 0 && posted >= held && owed >= 0);
        assert!(owed == 0 || posted == held, "who owes has nothing available");
        worth += posted;
        let rows: Vec<(HoldId, String, i64)> =
            on!(&mut tx, conn => sqlx::query_as(STATES).bind(workspace).fetch_all(conn).await).unwrap();
        stored.extend(rows.into_iter().map(|(hold, state, refunded)| (hold, (state, refunded))));
    }
    let said = stage.said.lock().unwrap();
    assert!(said.keys.values().all(|times| *times == 1), "a key was new twice: {:?}", said.keys);
    // What was committed and not said is the hand's that was killed, and the connection's that was cut.
    let mut unsaid = stored.len() - said.holds.len();
    for (hold, (_, resolved, refunded)) in &said.holds {
        let (state, credits) = &stored[hold];
        assert!(
            *resolved <= 1 && *refunded <= 1,
            "hold {hold} was resolved {resolved} times, refunded {refunded} times"
        );
        unsaid += usize::from((*resolved == 1) != (state != "open")) + usize::from((*refunded == 1) != (*credits > 0));
    }
    assert!(unsaid <= 2, "{unsaid} changes were never said");
    println!("  {} holds, {worth} credits are left, the books are right", stored.len());
}
