//! Numbers that make no sense are refused, and leave the ledger as it was.

use super::{NOW, assert_books, funded_workspace, present};
use crate::harness;
use orla::error::Error;
use orla::ledger;

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_make_no_sense_are_refused() {
    for db in harness::databases().await {
        let workspace = funded_workspace(&db, 10).await;
        for credits in [-1, i64::MIN, i64::MAX, ledger::MAX_CHANGE + 1] {
            let mut tx = db.begin().await.unwrap();
            let granted = ledger::grant(&mut tx, workspace, &present(credits, "bad"), NOW).await;
            assert!(matches!(granted, Err(Error::Invalid { .. })), "{credits}: {granted:?}");
            let held = ledger::hold(&mut tx, workspace, "blog_generation", credits, "bad", NOW).await;
            assert!(matches!(held, Err(Error::Invalid { .. })), "{credits}: {held:?}");
            let clawed = ledger::claw_back(&mut tx, workspace, "start", credits, "bad", "No", NOW).await;
            assert!(matches!(clawed, Err(Error::Invalid { .. })), "{credits}: {clawed:?}");
            tx.commit().await.unwrap();
        }
        for credits in [0, i64::MIN, i64::MAX] {
            let mut tx = db.begin().await.unwrap();
            let adjusted = ledger::adjust(&mut tx, workspace, credits, "bad", "No", NOW).await;
            assert!(matches!(adjusted, Err(Error::Invalid { .. })), "{credits}: {adjusted:?}");
        }
        assert_books(&db, workspace, (10, 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_never_overflows() {
    for db in harness::databases().await {
        let workspace = funded_workspace(&db, 10).await;
        let mut tx = db.begin().await.unwrap();
        for n in 0..999 {
            ledger::grant(&mut tx, workspace, &present(ledger::MAX_CHANGE, &n.to_string()), NOW).await.unwrap();
        }
        let over = ledger::grant(&mut tx, workspace, &present(ledger::MAX_CHANGE, "over"), NOW).await;
        assert!(matches!(over, Err(Error::Invalid { .. })), "{over:?}");
        tx.commit().await.unwrap();
        assert_books(&db, workspace, (10 + 999 * ledger::MAX_CHANGE, 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_s_is_not_there() {
    for db in harness::databases().await {
        let (owner, stranger) = (funded_workspace(&db, 10).await, funded_workspace(&db, 10).await);
        let mut tx = db.begin().await.unwrap();
        let spent = ledger::hold(&mut tx, owner, "blog_generation", 4, "spent", NOW).await.unwrap().unwrap();
        ledger::settle(&mut tx, owner, spent, 4, NOW).await.unwrap();
        let open = ledger::hold(&mut tx, owner, "blog_generation", 4, "open", NOW).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let refunded = ledger::refund(&mut tx, stranger, spent, 1, "Mine", NOW).await;
        assert!(matches!(refunded, Err(Error::NotFound(_))), "{refunded:?}");
        let extended = ledger::extend(&mut tx, stranger, open, 5, NOW).await;
        assert!(matches!(extended, Err(Error::NotFound(_))), "{extended:?}");
        assert!(ledger::charge(&mut tx, stranger, spent).await.unwrap().is_none());
        let nobody = orla::id::WorkspaceId::new();
        let granted = ledger::grant(&mut tx, nobody, &present(1, "k"), NOW).await;
        assert!(matches!(granted, Err(Error::NotFound(_))), "{granted:?}");
        tx.commit().await.unwrap();
        assert_books(&db, owner, (6, 4)).await;
        assert_books(&db, stranger, (10, 0)).await;
    }
}
