//! Where credits come from: the order in which they are used, how they end, and how they are taken back.

use super::{NOW, assert_books, new_workspace, present};
use crate::harness;
use orla::clock::Timestamp;
use orla::db::{Db, Tx};
use orla::error::Error;
use orla::id::{HoldId, WorkspaceId};
use orla::ledger::{self, Balance, ClawedBack, Ended, Grant, GrantOrigin, Refunded, Resolution};
use std::time::Duration;

/// What is left of grants, in the order of use: origin, left, held.
fn left(balance: &Balance) -> Vec<(GrantOrigin, i64, i64)> {
    balance.grants.iter().map(|grant| (grant.origin, grant.remaining, grant.held)).collect()
}

async fn balance(db: &Db, workspace: WorkspaceId) -> Balance {
    ledger::balance(&mut db.read().await.unwrap(), workspace).await.unwrap()
}

/// Does something in a transaction of its own.
macro_rules! in_tx {
    ($db:expr, $tx:ident => $body:expr) => {{
        let mut transaction = $db.begin().await.unwrap();
        let $tx: &mut Tx = &mut transaction;
        let done = $body;
        transaction.commit().await.unwrap();
        done
    }};
}

fn of(origin: GrantOrigin, credits: i64, key: &str, expires_at: Option<Timestamp>) -> Grant<'_> {
    Grant { origin, credits, key, expires_at, description: "For a test" }
}

async fn give(db: &Db, workspace: WorkspaceId, grant: &Grant<'_>) {
    assert!(in_tx!(db, tx => ledger::grant(tx, workspace, grant, NOW).await.unwrap()));
}

async fn hold(db: &Db, workspace: WorkspaceId, credits: i64, key: &str, now: Timestamp) -> HoldId {
    in_tx!(db, tx => ledger::hold(tx, workspace, "blog_generation", credits, key, now).await.unwrap().unwrap())
}

fn days(days: u64) -> Timestamp {
    NOW.after(Duration::from_secs(days * 24 * 60 * 60))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_soonest_is_used_first() {
    use GrantOrigin::{Promotional, Purchased, Subscription};
    for db in harness::databases().await {
        let workspace = new_workspace(&db).await;
        give(&db, workspace, &of(Purchased, 10, "bought", None)).await;
        give(&db, workspace, &of(Subscription, 10, "later", Some(days(60)))).await;
        give(&db, workspace, &of(Promotional, 10, "present", None)).await;
        give(&db, workspace, &of(Subscription, 10, "sooner", Some(days(30)))).await;
        let before = balance(&db, workspace).await;
        let order = [(Subscription, 10, 0), (Subscription, 10, 0), (Promotional, 10, 0), (Purchased, 10, 0)];
        assert_eq!(left(&before), order);
        assert_eq!(before.grants[0].expires_at, Some(days(30)));
        let first = hold(&db, workspace, 25, "first", NOW).await;
        let held = [(Subscription, 10, 10), (Subscription, 10, 10), (Promotional, 10, 5), (Purchased, 10, 0)];
        assert_eq!(left(&balance(&db, workspace).await), held);
        // What is charged is of the first of them.
        in_tx!(db, tx => ledger::settle(tx, workspace, first, 12, NOW).await.unwrap());
        assert_eq!(
            left(&balance(&db, workspace).await),
            [(Subscription, 8, 0), (Promotional, 10, 0), (Purchased, 10, 0)]
        );
        // Once their time is over, nobody can spend what is left of them, whether or not somebody has swept it away.
        let mut tx = db.begin().await.unwrap();
        let refused = ledger::hold(&mut tx, workspace, "blog_generation", 21, "too much", days(60)).await;
        assert!(matches!(refused, Err(Error::InsufficientCredits { needed: 21, available: 20 })), "{refused:?}");
        tx.commit().await.unwrap();
        assert_books(&db, workspace, (28, 0)).await;
        let last = hold(&db, workspace, 20, "last", days(60)).await;
        assert_eq!(ledger::expire_due(&db, days(60)).await.unwrap(), 1);
        assert_eq!(ledger::expire_due(&db, days(60)).await.unwrap(), 0);
        assert_eq!(left(&balance(&db, workspace).await), [(Promotional, 10, 10), (Purchased, 10, 10)]);
        in_tx!(db, tx => ledger::settle(tx, workspace, last, 20, NOW).await.unwrap());
        assert_books(&db, workspace, (0, 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_ends_with_its_subscription_s_credits_and_nothing_else() {
    for db in harness::databases().await {
        let workspace = new_workspace(&db).await;
        give(&db, workspace, &of(GrantOrigin::Purchased, 10, "bought", None)).await;
        give(&db, workspace, &of(GrantOrigin::Subscription, 100, "march", None)).await;
        let spent = hold(&db, workspace, 30, "spent", NOW).await;
        let kept = hold(&db, workspace, 20, "kept", NOW).await;
        give(&db, workspace, &of(GrantOrigin::Subscription, 100, "april", None)).await;
        for expected in [50, 0] {
            let ended = Ended::Before("april");
            let expired = in_tx!(db, tx =>
                ledger::expire_grants(tx, workspace, GrantOrigin::Subscription, ended, NOW).await.unwrap());
            assert_eq!(expired, expected);
        }
        assert_books(&db, workspace, (160, 50)).await;
        // What was reserved may still be charged; what is given back of it ends at once.
        in_tx!(db, tx => ledger::settle(tx, workspace, spent, 25, NOW).await.unwrap());
        assert_books(&db, workspace, (130, 20)).await;
        in_tx!(db, tx => ledger::release(tx, workspace, kept, NOW).await.unwrap());
        assert_books(&db, workspace, (110, 0)).await;
        let expired = in_tx!(db, tx =>
            ledger::expire_grants(tx, workspace, GrantOrigin::Subscription, Ended::All, NOW).await.unwrap());
        assert_eq!(expired, 100);
        assert_eq!(left(&balance(&db, workspace).await), [(GrantOrigin::Purchased, 10, 0)]);
        assert_books(&db, workspace, (10, 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_and_was_spent_is_owed_and_netted() {
    for db in harness::databases().await {
        let workspace = new_workspace(&db).await;
        give(&db, workspace, &of(GrantOrigin::Purchased, 100, "payment", None)).await;
        give(&db, workspace, &present(30, "present")).await;
        let spent = hold(&db, workspace, 70, "spent", NOW).await;
        in_tx!(db, tx => ledger::settle(tx, workspace, spent, 70, NOW).await.unwrap());
        let open = hold(&db, workspace, 20, "open", NOW).await;
        let taken = ClawedBack { taken: 40, owed: 60 };
        for _ in 0..2 {
            let done = in_tx!(db, tx =>
                ledger::claw_back(tx, workspace, "payment", 100, "dispute", "Disputed", NOW).await.unwrap());
            assert_eq!(done, taken);
        }
        // A second refund of the same payment finds nothing left of it to take.
        let again = in_tx!(db, tx =>
            ledger::claw_back(tx, workspace, "payment", 100, "refund", "Refunded", NOW).await.unwrap());
        assert_eq!(again, ClawedBack::default());
        assert_books(&db, workspace, (20, 20)).await;
        assert_eq!(balance(&db, workspace).await.owed, 60);
        // What is given back pays off what is owed, and so does what is granted.
        in_tx!(db, tx => ledger::settle(tx, workspace, open, 5, NOW).await.unwrap());
        assert_eq!(balance(&db, workspace).await.owed, 45);
        assert_books(&db, workspace, (0, 0)).await;
        give(&db, workspace, &present(15, "small")).await;
        assert_eq!(balance(&db, workspace).await.owed, 30);
        assert_books(&db, workspace, (0, 0)).await;
        let refunded = in_tx!(db, tx => ledger::refund(tx, workspace, spent, 10, "It was bad", NOW).await.unwrap());
        assert_eq!((refunded, balance(&db, workspace).await.owed), (Refunded::Done, 20));
        // The dispute is won: all that was taken comes again, once.
        for is_new in [true, false] {
            let restored = in_tx!(db, tx =>
                ledger::restore(tx, workspace, "payment", "dispute", "Won", NOW).await.unwrap());
            assert_eq!(restored, is_new);
        }
        assert_eq!(balance(&db, workspace).await.owed, 0);
        assert_books(&db, workspace, (80, 0)).await;
        let mut tx = db.begin().await.unwrap();
        let unknown = ledger::claw_back(&mut tx, workspace, "nothing", 1, "k", "Refunded", NOW).await;
        assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
        let of_another = ledger::restore(&mut tx, workspace, "small", "dispute", "Won", NOW).await;
        assert!(matches!(of_another, Err(Error::NotFound(_))), "{of_another:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_is_refunded_once_and_never_more_than_it_was() {
    for db in harness::databases().await {
        let workspace = new_workspace(&db).await;
        give(&db, workspace, &of(GrantOrigin::Subscription, 10, "period", Some(days(30)))).await;
        give(&db, workspace, &of(GrantOrigin::Purchased, 10, "bought", None)).await;
        let run = hold(&db, workspace, 20, "run", NOW).await;
        let mut tx = db.begin().await.unwrap();
        let early = ledger::refund(&mut tx, workspace, run, 5, "Too early", NOW).await;
        assert!(matches!(early, Err(Error::NotFound(_))), "{early:?}");
        drop(tx);
        in_tx!(db, tx => ledger::settle(tx, workspace, run, 16, NOW).await.unwrap());
        for credits in [0, -1, 17, i64::MAX] {
            let mut tx = db.begin().await.unwrap();
            let refused = ledger::refund(&mut tx, workspace, run, credits, "No", NOW).await;
            assert!(matches!(refused, Err(Error::Invalid { .. })), "{credits}: {refused:?}");
        }
        // The subscription's part has ended by then, so it comes as a present.
        let at = days(31);
        let refunded = in_tx!(db, tx => ledger::refund(tx, workspace, run, 15, "It was bad", at).await.unwrap());
        assert_eq!(refunded, Refunded::Done);
        let again = in_tx!(db, tx => ledger::refund(tx, workspace, run, 1, "More", at).await.unwrap());
        assert_eq!(again, Refunded::Already);
        let after = balance(&db, workspace).await;
        assert_eq!(left(&after), [(GrantOrigin::Promotional, 9, 0), (GrantOrigin::Purchased, 10, 0)]);
        assert_books(&db, workspace, (19, 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_grows_as_far_as_credits_are_available() {
    for db in harness::databases().await {
        let workspace = new_workspace(&db).await;
        give(&db, workspace, &present(10, "first")).await;
        give(&db, workspace, &present(10, "second")).await;
        let run = hold(&db, workspace, 5, "run", NOW).await;
        for _ in 0..2 {
            in_tx!(db, tx => ledger::extend(tx, workspace, run, 15, NOW).await.unwrap());
        }
        in_tx!(db, tx => ledger::extend(tx, workspace, run, 3, NOW).await.unwrap());
        assert_books(&db, workspace, (20, 15)).await;
        let mut tx = db.begin().await.unwrap();
        let refused = ledger::extend(&mut tx, workspace, run, 21, NOW).await;
        assert!(matches!(refused, Err(Error::InsufficientCredits { needed: 6, available: 5 })), "{refused:?}");
        tx.commit().await.unwrap();
        assert_books(&db, workspace, (20, 15)).await;
        assert_eq!(in_tx!(db, tx => ledger::settle(tx, workspace, run, 14, NOW).await.unwrap()), Resolution::Done);
        assert_books(&db, workspace, (6, 0)).await;
        let mut tx = db.begin().await.unwrap();
        let over = ledger::extend(&mut tx, workspace, run, 20, NOW).await;
        assert!(matches!(over, Err(Error::Conflict { code: "hold_resolved", .. })), "{over:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_takes_no_more_than_is_available() {
    for db in harness::databases().await {
        let workspace = new_workspace(&db).await;
        for is_new in [true, false] {
            let done = in_tx!(db, tx => ledger::adjust(tx, workspace, 10, "up", "A mistake", NOW).await.unwrap());
            assert_eq!(done, is_new);
        }
        hold(&db, workspace, 4, "run", NOW).await;
        let mut tx = db.begin().await.unwrap();
        let refused = ledger::adjust(&mut tx, workspace, -7, "down", "Too much", NOW).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
        drop(tx);
        for is_new in [true, false] {
            let done = in_tx!(db, tx => ledger::adjust(tx, workspace, -6, "down", "A mistake", NOW).await.unwrap());
            assert_eq!(done, is_new);
        }
        assert_books(&db, workspace, (4, 4)).await;
    }
}
