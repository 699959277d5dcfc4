//! Keeping up: with the database, where other nodes and commands change connectors; with the watched folder; and with
//! releases that trap.

use super::Connectors;
use super::folder::Folder;
use crate::app::App;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often a node looks at the generation and at the folder.
const EVERY: Duration = Duration::from_millis(500);
/// Calls in a row that trap before a release is taken back.
pub(crate) const MOST_TRAPS: u32 = 5;

/// Installs what is new in the connectors' folder, and keeps up with all that changes until the host stops.
pub async fn watch(app: &App) {
    let mut folder = Folder::new(&app.config().connectors_folder);
    folder.begin(app.connectors()).await;
    app.tasks().spawn(follow(app.clone(), folder));
}

async fn follow(app: App, mut folder: Folder) {
    let connectors = app.connectors();
    while !app.stopping().is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = connectors.services().distrust.notified() => {}
            () = app.stopping().cancelled() => return,
        }
        if let Err(error) = app.fence().look(app.db()).await {
            tracing::warn!("the fence could not be looked at and is again: {error:#}");
        }
        folder.catch_up(connectors).await;
        if let Err(error) = connectors.catch_up().await {
            tracing::warn!("the connectors could not be brought up to date and are looked at again: {error:#}");
        }
        take_back_those_that_trap(connectors).await;
    }
}

async fn take_back_those_that_trap(connectors: &Connectors) {
    for (id, release) in &connectors.serving.snapshot().active {
        let traps = release.traps.load(Ordering::Relaxed);
        if traps >= MOST_TRAPS
            && let Err(error) = connectors.take_back(id, &release.digest, traps).await
        {
            tracing::error!(connector = id, "{release:?} traps time and again and could not be taken back: {error}");
        }
    }
}
