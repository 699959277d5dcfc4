//! Whoever changes what is stored is refused by the database, or found out by the audit.

use super::{NOW, assert_books, funded_workspace};
use crate::harness;
use orla::db::Tx;
use orla::{ledger, on};

const TAMPERINGS: [&str; 16] = [
    "update credit_accounts set posted = posted + 1",
    "update credit_accounts set held = held - 1",
    "update credit_holds set amount = amount - 1",
    "update credit_holds set state = 'released', resolved_at = 1",
    "update credit_holds set resolved_at = 1",
    "update credit_transactions set posted_after = posted_after + 1 where sequence = 1",
    "delete from credit_transactions where sequence = 2",
    "update credit_transactions set owed_delta = 1 where sequence = 1",
    "update credit_accounts set owed = 1",
    "update credit_grants set remaining = remaining - 1",
    "update credit_grants set held = held - 1",
    "update credit_grants set is_open = 0",
    "update credit_grants set clawed = 1",
    "update credit_holds set grants = '[]'",
    "update credit_holds set charged = 1",
    "update credit_holds set refunded = 1",
];

#[tokio::test]
async fn the_audit_notices_every_tampering() {
    for db in harness::databases().await {
        let workspace = funded_workspace(&db, 10).await;
        let mut tx = db.begin().await.unwrap();
        ledger::hold(&mut tx, workspace, "comment_reply", 5, "reply", NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_books(&db, workspace, (10, 5)).await;
        for tampering in TAMPERINGS {
            let mut tx = db.begin().await.unwrap();
            if tampering.contains(" credit_transactions ") {
                on!(&mut tx, conn => sqlx::query(tampering).execute(conn).await.map(drop)).unwrap_err();
                drop(tx);
                tx = db.begin().await.unwrap();
                unlock_transactions(&mut tx).await;
            }
            on!(&mut tx, conn => sqlx::query(tampering).execute(conn).await.map(drop)).unwrap();
            assert_ne!(ledger::audit(&mut tx).await.unwrap(), Vec::<String>::new(), "{tampering}");
        }
    }
}

/// Lets transactions be changed until the end of this database transaction, as somebody could who has the server in hand.
async fn unlock_transactions(tx: &mut Tx) {
    const SQLITE: [&str; 2] = ["drop trigger credit_transactions_stay", "drop trigger credit_transactions_stay_there"];
    const POSTGRES: [&str; 1] = ["drop trigger credit_transactions_stay on credit_transactions"];
    let statements: &[&'static str] = if tx.is_postgres() { &POSTGRES } else { &SQLITE };
    for statement in statements {
        on!(&mut *tx, conn => sqlx::query(*statement).execute(conn).await.map(drop)).unwrap();
    }
}
