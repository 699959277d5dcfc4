//! What has been done, in numbers.

use serde::Serialize;

/// How often each thing was done since the start or the last reset. Refusals do not count, unless it says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// First pages of folders.
    pub lists: u64,
    /// Further pages of folders, and looks at what has changed.
    pub list_continues: u64,
    /// First pages of searches.
    pub searches: u64,
    /// Further pages of searches.
    pub search_continues: u64,
    /// Downloads that began, of a range or of all; by link, too.
    pub downloads: u64,
    /// The bytes of files that were handed over to connections.
    pub bytes: u64,
    /// Temporary links that were made.
    pub links: u64,
    /// Codes exchanged for tokens.
    pub exchanges: u64,
    /// Refresh tokens exchanged for an access token.
    pub refreshes: u64,
    /// Revocations by the app.
    pub revocations: u64,
    /// Refusals of a code that had been presented before.
    pub reused_codes: u64,
    /// Refusals of a refresh token that had rotated away.
    pub reused_refresh_tokens: u64,
}
