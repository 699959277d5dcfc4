//! Notes for the connector's author and the operator. The host limits their length and number and blanks secrets.

use crate::bindings::connector::orla::connector::log::Level;
use crate::host;

/// Notes what helps while writing a connector.
///
/// ```
/// use orla_sdk::{log, testing};
///
/// let played = testing::play(|_line| unreachable!("nothing is asked"), || log::debug("the vendor sent 3 posts"));
/// assert_eq!(played.lines, ["debug the vendor sent 3 posts"]);
/// ```
pub fn debug(message: impl AsRef<str>) {
    host::write_note(Level::Debug, message.as_ref());
}

/// Notes what is normal.
///
/// ```
/// use orla_sdk::{log, testing};
///
/// let played = testing::play(|_line| unreachable!("nothing is asked"), || log::info("the video takes a while"));
/// assert_eq!(played.lines, ["info the video takes a while"]);
/// ```
pub fn info(message: impl AsRef<str>) {
    host::write_note(Level::Info, message.as_ref());
}

/// Notes what is odd but handled.
///
/// ```
/// use orla_sdk::{log, testing};
///
/// let played = testing::play(|_line| unreachable!("nothing is asked"), || log::warn("the vendor has no such post any more"));
/// assert_eq!(played.lines, ["warn the vendor has no such post any more"]);
/// ```
pub fn warn(message: impl AsRef<str>) {
    host::write_note(Level::Warn, message.as_ref());
}

/// Notes what is wrong.
///
/// ```
/// use orla_sdk::{log, testing};
///
/// let played = testing::play(|_line| unreachable!("nothing is asked"), || log::error("the vendor says nothing of its price"));
/// assert_eq!(played.lines, ["error the vendor says nothing of its price"]);
/// ```
pub fn error(message: impl AsRef<str>) {
    host::write_note(Level::Error, message.as_ref());
}
