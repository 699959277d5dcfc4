//! What the host looks after time and again, beside its jobs.

use crate::app::App;
use crate::fence;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// Looks every so often until the host stops, but not while an installation that was restored waits to be resumed. A look that
/// fails is logged with these words, and taken again the next time.
pub(crate) async fn keep(
    app: App,
    every: Duration,
    failing: &'static str,
    look: for<'a> fn(&'a App) -> BoxFuture<'a, anyhow::Result<()>>,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = app.stopping().cancelled() => return,
        }
        fence::wait(&app).await;
        if app.stopping().is_cancelled() {
            return;
        }
        if let Err(error) = look(&app).await {
            tracing::warn!("{failing}: {error:#}");
        }
    }
}
