//! Waiting for an outcome, for as long as the client asks (`Prefer: wait=10`, RFC 7240).

use crate::app::App;
use crate::error::{Error, Result};
use crate::publications::{self, Kind, Publication};
use axum::http::HeaderMap;
use std::time::Duration;

/// The longest that a request is kept.
const MOST: Duration = Duration::from_secs(60);
pub(in crate::http) const FIRST_LOOK: Duration = Duration::from_millis(20);
pub(in crate::http) const LONGEST_BETWEEN: Duration = Duration::from_millis(500);

/// How long the client waits; none where it does not say.
pub(in crate::http) fn patience(headers: &HeaderMap) -> Result<Duration> {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut preferences = preferences.flat_map(|value| value.split(','));
    let wait = preferences.find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().to_owned())
    });
    let Some(wait) = wait else { return Ok(Duration::ZERO) };
    let seconds: u64 = wait
        .parse()
        .map_err(|_| Error::Malformed("`Prefer: wait=` takes a number of whole seconds, such as 10.".to_owned()))?;
    Ok(Duration::from_secs(seconds).min(MOST))
}

/// Looks until a publication has ended, or patience has.
pub(super) async fn wait(app: &App, publication: Publication, patience: Duration) -> Result<Publication> {
    let (mut publication, mut pause) = (publication, FIRST_LOOK);
    let until = tokio::time::Instant::now() + patience;
    while !publication.state()?.is_terminal() && tokio::time::Instant::now() < until {
        tokio::time::sleep_until((tokio::time::Instant::now() + pause).min(until)).await;
        pause = (pause * 2).min(LONGEST_BETWEEN);
        let mut tx = app.db().read().await?;
        publication = publications::find(&mut tx, publication.workspace_id, Kind::Post, publication.id).await?;
    }
    Ok(publication)
}
