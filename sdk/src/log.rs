//! Notes for the connector's author and the operator. The host limits their length and number and blanks secrets.

use crate::bindings::connector::orla::connector::log::Level;
use crate::host;

/// Notes what helps while writing a connector.
pub fn debug(message: impl AsRef<str>) {
    host::write_note(Level::Debug, message.as_ref());
}

/// Notes what is normal.
pub fn info(message: impl AsRef<str>) {
    host::write_note(Level::Info, message.as_ref());
}

/// Notes what is odd but handled.
pub fn warn(message: impl AsRef<str>) {
    host::write_note(Level::Warn, message.as_ref());
}

/// Notes what is wrong.
pub fn error(message: impl AsRef<str>) {
    host::write_note(Level::Error, message.as_ref());
}
