//! The ledger against a model of it, and under many hands at once.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod grants;
mod refusals;
mod storm;
mod tampering;

use crate::harness;
use orla::clock::Timestamp;
use orla::db::{Db, Tx};
use orla::error::Error;
use orla::id::{HoldId, WorkspaceId};
use orla::ledger::{self, Grant, GrantOrigin, Resolution};
use orla::on;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::{JoinSet, block_in_place};

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

#[tokio::test(flavor = "multi_thread")]
async fn random_actions_keep_the_books_on_both_databases() {
    for db in harness::databases().await {
        random_actions_keep_the_books(&db, 1);
        random_actions_keep_the_books(&db, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_holds_at_once_on_credits_for_ten_exactly_ten_win() {
    for db in harness::databases().await {
        two_hundred_holds_at_once(&db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_used_at_once_by_many_holds_once() {
    for db in harness::databases().await {
        one_key_at_once(&db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_many_resolve_at_once_is_resolved_once() {
    for db in harness::databases().await {
        one_hold_resolved_at_once(&db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_resolve_a_hold_do_not_wait_for_each_other() {
    for db in harness::databases().await {
        account_in_hand(&db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_resolve_a_hold() {
    for db in harness::databases().await {
        let (owner, stranger) = (funded_workspace(&db, 10).await, funded_workspace(&db, 10).await);
        let mut tx = db.begin().await.unwrap();
        let hold = ledger::hold(&mut tx, owner, "blog_generation", 10, "blog", NOW).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mut tx = db.begin().await.unwrap();
        ledger::settle(&mut tx, stranger, hold, 10, NOW).await.unwrap_err();
        ledger::release(&mut tx, stranger, hold, NOW).await.unwrap_err();
        drop(tx);
        assert_books(&db, owner, (10, 10)).await;
        assert_books(&db, stranger, (10, 0)).await;
    }
}

/// What may be asked of the ledger. Few keys, so that many repeat.
#[derive(Debug, Clone)]
enum Action {
    Grant { key: u8, amount: i64 },
    Hold { key: u8, amount: i64 },
    Settle { which: Index, used: i64 },
    Release { which: Index },
}

/// Whether the transaction around an action is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Commit,
    RollBack,
}

fn actions() -> impl Strategy<Value = Vec<(Action, Fate)>> {
    let action = prop_oneof![
        2 => (0..10_u8, 0..200_i64).prop_map(|(key, amount)| Action::Grant { key, amount }),
        4 => (0..40_u8, 0..90_i64).prop_map(|(key, amount)| Action::Hold { key, amount }),
        3 => (any::<Index>(), 0..120_i64).prop_map(|(which, used)| Action::Settle { which, used }),
        2 => any::<Index>().prop_map(|which| Action::Release { which }),
    ];
    let fate = prop_oneof![5 => Just(Fate::Commit), 1 => Just(Fate::RollBack)];
    proptest::collection::vec((action, fate), 1..50)
}

/// Plays random sequences of actions, each in a workspace of its own, and compares with the model after each action.
/// A sequence that breaks the books is shrunk to the shortest that does.
fn random_actions_keep_the_books(db: &Db, seed: u64) {
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let seed: Vec<u8> = seed.to_le_bytes().repeat(4);
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let play = |actions| {
        block_in_place(|| Handle::current().block_on(keeps_the_books(db, actions)));
        Ok(())
    };
    runner.run(&actions(), play).unwrap();
}

/// What the ledger should say.
#[derive(Debug, Clone, Default)]
struct Model {
    posted: i64,
    held: i64,
    transactions: usize,
    grants: BTreeMap<u8, ()>,
    holds: BTreeMap<u8, ModelHold>,
}

#[derive(Debug, Clone)]
struct ModelHold {
    id: HoldId,
    amount: i64,
    resolution: Option<Resolution>,
}

impl Model {
    fn pick(&mut self, which: &Index) -> Option<&mut ModelHold> {
        let keys: Vec<u8> = self.holds.keys().copied().collect();
        if keys.is_empty() { None } else { self.holds.get_mut(which.get(&keys)) }
    }
}

async fn keeps_the_books(db: &Db, actions: Vec<(Action, Fate)>) {
    let workspace = new_workspace(db).await;
    let mut model = Model::default();
    for (action, fate) in actions {
        let mut next = model.clone();
        let mut tx = db.begin().await.unwrap();
        act(&mut tx, workspace, &mut next, &action).await;
        match fate {
            Fate::Commit => {
                tx.commit().await.unwrap();
                model = next;
            }
            Fate::RollBack => drop(tx),
        }
        assert_balance(db, workspace, (model.posted, model.held)).await;
    }
    assert_books(db, workspace, (model.posted, model.held)).await;
    assert_history(db, workspace, &model).await;
}

/// Asks the ledger and the model for the same, and compares the answers.
async fn act(tx: &mut Tx, workspace: WorkspaceId, model: &mut Model, action: &Action) {
    match action {
        Action::Grant { key, amount } => {
            let key_name = key.to_string();
            let is_new = ledger::grant(tx, workspace, &present(*amount, &key_name), NOW).await.unwrap();
            assert_eq!(is_new, *amount > 0 && !model.grants.contains_key(key));
            if *amount > 0 && model.grants.insert(*key, ()).is_none() {
                model.posted += amount;
                model.transactions += 1;
            }
        }
        Action::Hold { key, amount } => {
            let answer = ledger::hold(tx, workspace, "blog_generation", *amount, &key.to_string(), NOW).await;
            compare_hold(model, *key, *amount, answer);
        }
        Action::Settle { which, used } => {
            let Some(hold) = model.pick(which) else { return };
            let answer = ledger::settle(tx, workspace, hold.id, *used, NOW).await.unwrap();
            let charged = hold.amount.min(*used);
            compare_resolution(model, which, answer, Resolution::AlreadySettled, charged);
        }
        Action::Release { which } => {
            let Some(hold) = model.pick(which) else { return };
            let answer = ledger::release(tx, workspace, hold.id, NOW).await.unwrap();
            compare_resolution(model, which, answer, Resolution::AlreadyReleased, 0);
        }
    }
}

fn compare_hold(model: &mut Model, key: u8, amount: i64, answer: Result<Option<HoldId>, Error>) {
    let free = model.posted - model.held;
    match (amount, model.holds.entry(key)) {
        (0, _) => assert_eq!(answer.unwrap(), None),
        (_, Entry::Occupied(earlier)) => assert_eq!(answer.unwrap(), Some(earlier.get().id)),
        (_, Entry::Vacant(_)) if amount > free => {
            let Err(Error::InsufficientCredits { needed, available }) = answer else {
                panic!("a hold of {amount} on {free} credits came to {answer:?}");
            };
            assert_eq!((needed, available), (amount, free));
        }
        (_, Entry::Vacant(place)) => {
            let id = answer.unwrap().expect("a price above zero is held");
            place.insert(ModelHold { id, amount, resolution: None });
            model.held += amount;
            model.transactions += 1;
        }
    }
}

fn compare_resolution(model: &mut Model, which: &Index, answer: Resolution, later: Resolution, charged: i64) {
    let hold = model.pick(which).expect("it was picked before");
    match hold.resolution {
        Some(earlier) => assert_eq!(answer, earlier),
        None => {
            assert_eq!(answer, Resolution::Done);
            hold.resolution = Some(later);
            let amount = hold.amount;
            model.held -= amount;
            model.posted -= charged;
            model.transactions += 1;
        }
    }
}

/// Reads the history in small pages: it is whole, newest first, and begins with the balance.
async fn assert_history(db: &Db, workspace: WorkspaceId, model: &Model) {
    let mut tx = db.read().await.unwrap();
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let page = ledger::transactions(&mut tx, workspace, cursor.as_deref(), 7).await.unwrap();
        assert!(page.items.len() <= 7);
        items.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(items.len(), model.transactions);
    assert!(items.is_sorted_by(|newer, older| newer.id > older.id));
    if let Some(newest) = items.first() {
        assert_eq!((newest.posted_after, newest.held_after), (model.posted, model.held));
    }
}

async fn two_hundred_holds_at_once(db: &Db) {
    let workspace = funded_workspace(db, 100).await;
    let mut attempts = JoinSet::new();
    for number in 0..200 {
        let db = db.clone();
        attempts.spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let hold = ledger::hold(&mut tx, workspace, "social_caption", 10, &format!("run {number}"), NOW).await;
            if hold.is_ok() {
                tx.commit().await.unwrap();
            }
            hold
        });
    }
    let answers = attempts.join_all().await;
    let refused =
        |answer: &Result<_, Error>| matches!(answer, Err(Error::InsufficientCredits { needed: 10, available: 0 }));
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Some(_)))).count(), 10);
    assert_eq!(answers.iter().filter(|answer| refused(answer)).count(), 190);
    assert_books(db, workspace, (100, 100)).await;
}

async fn one_key_at_once(db: &Db) {
    let workspace = funded_workspace(db, 100).await;
    let mut attempts = JoinSet::new();
    for _ in 0..20 {
        let db = db.clone();
        attempts.spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let hold = ledger::hold(&mut tx, workspace, "social_caption", 10, "the same", NOW).await.unwrap();
            tx.commit().await.unwrap();
            hold
        });
    }
    let mut holds = attempts.join_all().await;
    holds.dedup();
    assert_eq!(holds.len(), 1);
    assert_books(db, workspace, (100, 10)).await;
}

async fn one_hold_resolved_at_once(db: &Db) {
    let workspace = funded_workspace(db, 100).await;
    let mut tx = db.begin().await.unwrap();
    let hold = ledger::hold(&mut tx, workspace, "video_generation", 60, "video", NOW).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let mut attempts = JoinSet::new();
    for _ in 0..20 {
        let db = db.clone();
        attempts.spawn(async move {
            let mut tx = db.begin().await.unwrap();
            let resolution = ledger::settle(&mut tx, workspace, hold, 40, NOW).await.unwrap();
            tx.commit().await.unwrap();
            resolution
        });
    }
    let answers = attempts.join_all().await;
    assert_eq!(answers.iter().filter(|answer| **answer == Resolution::Done).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Resolution::AlreadySettled).count(), 19);
    assert_books(db, workspace, (60, 0)).await;
}

/// Whoever locked the hold before the account would now wait for the first, and the first for them.
async fn account_in_hand(db: &Db) {
    let workspace = funded_workspace(db, 100).await;
    let mut tx = db.begin().await.unwrap();
    let hold = ledger::hold(&mut tx, workspace, "video_generation", 60, "video", NOW).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let mut first = db.begin().await.unwrap();
    ledger::hold(&mut first, workspace, "social_caption", 10, "caption", NOW).await.unwrap();
    let second = tokio::spawn({
        let db = db.clone();
        async move {
            let mut second = db.begin().await.unwrap();
            let resolution = ledger::settle(&mut second, workspace, hold, 60, NOW).await.unwrap();
            second.commit().await.unwrap();
            resolution
        }
    });
    // Until it waits for the first.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ledger::settle(&mut first, workspace, hold, 40, NOW).await.unwrap(), Resolution::Done);
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), Resolution::AlreadySettled);
    assert_books(db, workspace, (60, 10)).await;
}

async fn assert_balance(db: &Db, workspace: WorkspaceId, (posted, held): (i64, i64)) {
    let mut tx = db.read().await.unwrap();
    let balance = ledger::balance(&mut tx, workspace).await.unwrap();
    assert_eq!((balance.posted, balance.held, balance.available), (posted, held, posted - held));
}

async fn assert_books(db: &Db, workspace: WorkspaceId, balance: (i64, i64)) {
    assert_balance(db, workspace, balance).await;
    let mut tx = db.read().await.unwrap();
    assert_eq!(ledger::audit(&mut tx).await.unwrap(), Vec::<String>::new());
}

async fn funded_workspace(db: &Db, credits: i64) -> WorkspaceId {
    let workspace = new_workspace(db).await;
    let mut tx = db.begin().await.unwrap();
    ledger::grant(&mut tx, workspace, &present(credits, "start"), NOW).await.unwrap();
    tx.commit().await.unwrap();
    workspace
}

fn present(credits: i64, key: &str) -> Grant<'_> {
    Grant { origin: GrantOrigin::Promotional, credits, key, expires_at: None, description: "A present" }
}

const INSERT_WORKSPACE: &str = "insert into workspaces (id, name, created_at) values ($1, 'A team', $2)";

async fn new_workspace(db: &Db) -> WorkspaceId {
    let workspace = WorkspaceId::new();
    let mut tx = db.begin().await.unwrap();
    on!(&mut tx, conn => sqlx::query(INSERT_WORKSPACE).bind(workspace).bind(NOW).execute(conn).await.map(drop))
        .unwrap();
    ledger::open_account(&mut tx, workspace).await.unwrap();
    tx.commit().await.unwrap();
    workspace
}
