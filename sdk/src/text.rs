//! Where a text goes while it is being written.

use crate::host;

/// Hands on the next piece of a text that is wanted in pieces, and waits while its reader is slow.
///
/// The pieces of a call together are the text that [`TextModel::complete`](crate::TextModel::complete) returns, exactly:
/// the host holds them against each other.
///
/// ```
/// use orla_sdk::{Events, Result, testing, text};
///
/// /// A vendor whose every event is a piece of the text.
/// fn relay(events: Events) -> Result<String> {
///     let mut whole = String::new();
///     for event in events {
///         let piece = event?.data;
///         text::write(&piece);
///         whole.push_str(&piece);
///     }
///     Ok(whole)
/// }
///
/// let played = testing::play(
///     |_line| testing::events([("message", "Good "), ("message", "day")]),
///     || relay(orla_sdk::Api::new("api").post("/v1/write").spend_events("complete")?),
/// );
/// assert_eq!(played.result.unwrap(), "Good day");
/// assert_eq!(played.lines, ["spend complete POST /v1/write", r#"write "Good ""#, r#"write "day""#]);
/// ```
pub fn write(piece: &str) {
    host::write_text(piece);
}
