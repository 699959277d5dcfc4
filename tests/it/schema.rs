//! Both databases have the same schema.

use crate::harness::{self, Backend};
use orla::db::{Db, Tx};
use orla::on;

/// Every table and column but those of the migrations themselves.
async fn columns(db: &Db) -> Vec<(String, String)> {
    const SQLITE: &str = "select m.name, c.name from sqlite_master m join pragma_table_info(m.name) c
        where m.type = 'table' and m.name not like '\\_sqlx%' escape '\\' and m.name not like 'sqlite%' order by m.name, c.cid";
    const POSTGRES: &str = "select table_name::text, column_name::text from information_schema.columns
        where table_schema = 'public' and table_name not like '\\_sqlx%' order by table_name, ordinal_position";
    let mut tx: Tx = db.read().await.unwrap();
    let statement = if tx.is_postgres() { POSTGRES } else { SQLITE };
    on!(&mut tx, conn => sqlx::query_as(statement).fetch_all(conn).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_tables_and_columns() {
    let databases = harness::databases().await;
    let (sqlite, postgres) = (columns(&databases[0]).await, columns(&databases[1]).await);
    assert!(sqlite.len() > 60, "{sqlite:?}");
    assert_eq!(sqlite, postgres);
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |side: &str| {
        let folder = format!("{}/../migrations/{side}", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_a_database_again_changes_nothing() {
    for backend in harness::BOTH {
        let data = tempfile::tempdir().unwrap();
        let url = Backend::fresh(backend, data.path()).await;
        let first = columns(&Db::open(&url).await.unwrap()).await;
        assert_eq!(first, columns(&Db::open(&url).await.unwrap()).await);
    }
}
