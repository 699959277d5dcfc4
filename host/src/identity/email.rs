//! E-mail addresses as accounts know them.

use crate::error::{Error, Result};
use lettre::Address;

/// The longest address that fits into an SMTP path (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const MAX_BYTES: usize = 254;

/// A well-formed address.
#[derive(Debug, Clone)]
pub(super) struct Email(Address);

impl Email {
    /// # Errors
    /// [`Error::Invalid`] for what is no address.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        match text.parse() {
            Ok(address) if text.len() <= MAX_BYTES => Ok(Self(address)),
            _ => Err(Error::invalid("email", "This is not an e-mail address, such as `name@example.com`.")),
        }
    }

    /// As the person wrote it.
    pub(super) fn as_written(&self) -> &str {
        self.0.as_ref()
    }

    /// What identifies the account: two spellings that differ only in case are one person.
    pub(super) fn key(&self) -> String {
        self.as_written().to_lowercase()
    }

    /// What is before the `@`.
    pub(super) fn local_part(&self) -> &str {
        self.0.user()
    }
}

#[cfg(test)]
mod tests {
    use super::Email;

    #[test]
    fn addresses_are_kept_as_written_and_compared_in_lower_case() {
        let email = Email::parse(" Ann.Smith@Example.COM ").unwrap();
        assert_eq!(email.as_written(), "Ann.Smith@Example.COM");
        assert_eq!(email.key(), "ann.smith@example.com");
        assert_eq!(email.local_part(), "Ann.Smith");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@{}.com", "a".repeat(60), "b.".repeat(100));
        let header = "a@example.com\r\nBcc: b@example.com";
        for text in ["", "ann", "@example.com", "ann@", "a b@example.com", "a@b@c", header, &long] {
            assert!(Email::parse(text).is_err(), "{text:?} passed");
        }
    }
}
