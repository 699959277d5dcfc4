//! Paths with foreign words in them.

use std::fmt::{Display, Write};

/// Writes a path whose placeholders are filled with percent-encoded segments.
///
/// ```
/// let id = "a/b?c";
/// assert_eq!(orla_sdk::path!("/2/tweets/{}", id), "/2/tweets/a%2Fb%3Fc");
/// ```
#[macro_export]
macro_rules! path {
    ($template:literal $(, $segment:expr)* $(,)?) => {
        ::std::format!($template $(, $crate::segment(&$segment))*)
    };
}

/// Percent-encodes one path segment: all but the unreserved characters of RFC 3986.
///
/// The segments `.` and `..` would climb however they are encoded, so their dots are encoded twice: the vendor then sees
/// a name that does not exist, never another path.
///
/// ```
/// assert_eq!(orla_sdk::segment(&"Zoë"), "Zo%C3%AB");
/// assert_eq!(orla_sdk::segment(&".."), "%252E%252E");
/// ```
#[must_use]
pub fn segment(value: &dyn Display) -> String {
    let value = value.to_string();
    if matches!(value.as_str(), "." | "..") {
        return value.replace('.', "%252E");
    }
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(segment(&"Az09-._~"), "Az09-._~");
        assert_eq!(segment(&"a b/c?d#e%f;g=h&i+j:k@l"), "a%20b%2Fc%3Fd%23e%25f%3Bg%3Dh%26i%2Bj%3Ak%40l");
        assert_eq!(segment(&"日"), "%E6%97%A5");
        assert_eq!(segment(&1_234_u64), "1234");
    }

    #[test]
    fn a_segment_cannot_climb() {
        assert_eq!(crate::path!("/files/{}/meta", ".."), "/files/%252E%252E/meta");
        assert_eq!(crate::path!("/files/{}/meta", "."), "/files/%252E/meta");
        assert_eq!(crate::path!("/files/{}/meta", "../x"), "/files/..%2Fx/meta");
    }
}
