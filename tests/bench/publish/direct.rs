//! A host without its API: publications are handed to it by a call in its own process.

use super::{at_once, key, text};
use crate::harness::program;
use crate::process::take_orders;
use orla::app::App;
use orla::clock::Clock;
use orla::config::Config;
use orla::connectors::{self, Memories, Setup};
use orla::id::{ConnectionId, UserId, WorkspaceId};
use orla::publications::{self, NewPublication, OnDuplicate, Part, VariantMore};
use orla::{jobs, on, telemetry};

/// A host as the product starts it, from the environment, that publishes what is ordered.
pub(crate) async fn run() {
    telemetry::start();
    let setup = Setup { program: program(), memories: Memories::Pooled };
    let app = App::open(Config::read().unwrap(), Clock::System, setup).await.unwrap();
    connectors::watch(&app).await;
    app.tasks().spawn(jobs::work(app.clone()));
    jobs::follow(&app);
    let mut tx = app.db().read().await.unwrap();
    let connections: Vec<(WorkspaceId, UserId, ConnectionId)> = on!(&mut tx, conn => sqlx::query_as(
        "select workspace_id, connected_by, id from connections").fetch_all(conn).await)
    .unwrap();
    drop(tx);
    let publish = |n: usize| {
        let (app, (workspace, author, connection)) = (app.clone(), connections[n % connections.len()]);
        async move {
            let new = NewPublication {
                publish_at: None,
                on_duplicate: OnDuplicate::Warn,
                platform: "twitter".to_owned(),
                connection: Some(connection),
                target: None,
                parts: vec![Part { text: text(n), media: Vec::new() }],
                more: VariantMore::default(),
                idempotency_key: Some(key()),
            };
            publications::create(&app, workspace, author, new).await.unwrap();
        }
    };
    take_orders(async |count| at_once(count, publish).await).await;
}
