//! Waking the workers of other nodes, where the database can carry the news.
//!
//! Workers look for work each second by themselves; this only hastens it. The news is not part of the transaction that enqueues:
//! PostgreSQL would then commit one transaction after the other. It is sent behind it, and seldom: twenty times a second at most,
//! however much is enqueued.

use crate::app::App;
use std::time::Duration;
use uuid::Uuid;

const CHANNEL: &str = "orla_jobs";
/// How often other nodes are told.
const EVERY: Duration = Duration::from_millis(50);
const AFTER_ERROR: Duration = Duration::from_secs(5);

/// Tells other nodes of new work, and hears of theirs, until the host stops. Does nothing where there can be no others.
pub fn follow(app: &App) {
    if app.db().can_notify() {
        let node = Uuid::new_v4().to_string();
        app.tasks().spawn(tell(app.clone(), node.clone()));
        app.tasks().spawn(hear(app.clone(), node));
    }
}

async fn tell(app: App, node: String) {
    loop {
        tokio::select! {
            () = app.news() => {}
            () = app.stopping().cancelled() => return,
        }
        if let Err(error) = app.db().notify(CHANNEL, &node).await {
            tracing::debug!("other nodes could not be told of new work, and find it themselves: {error}");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn hear(app: App, node: String) {
    while !app.stopping().is_cancelled() {
        let heard = async {
            let Some(mut listener) = app.db().listen(CHANNEL).await? else { return Ok(()) };
            loop {
                if listener.recv().await?.payload() != node {
                    app.hear_of_work();
                }
            }
        };
        let ended: sqlx::Result<()> = tokio::select! {
            ended = heard => ended,
            () = app.stopping().cancelled() => return,
        };
        if let Err(error) = ended {
            tracing::debug!("news of other nodes are not heard for a moment: {error}");
        }
        tokio::select! {
            () = tokio::time::sleep(AFTER_ERROR) => {}
            () = app.stopping().cancelled() => {}
        }
    }
}
