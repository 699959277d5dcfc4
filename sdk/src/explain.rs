//! The one place where a status becomes a fault.

use crate::{Fault, FaultKind, Response};

/// What a vendor's refusal means in its own words. What is `None` is read from the status.
///
/// ```
/// use orla_sdk::{Explained, FaultKind, Response};
///
/// fn explain(answer: &Response) -> Explained {
///     let problem: serde_json::Value = answer.json().unwrap_or_default();
///     Explained {
///         kind: (problem["code"] == "duplicate").then_some(FaultKind::Conflict),
///         message: problem["detail"].as_str().map(str::to_owned),
///         ..Explained::default()
///     }
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explained {
    /// What the host shall act on.
    pub kind: Option<FaultKind>,
    /// The vendor's own code.
    pub code: Option<String>,
    /// The vendor's own words for a person.
    pub message: Option<String>,
    /// The member of the request that the refusal is about.
    pub field: Option<String>,
    /// The wait that the vendor asks for where it is not in `Retry-After`.
    pub retry_after_ms: Option<u64>,
}

/// Most characters of a vendor's own words that go into a message.
const MAX_WORDS: usize = 500;

/// The fault that an answer means.
pub(crate) fn fault(answer: &Response, explained: Explained) -> Fault {
    let words = explained.message.filter(|words| !words.trim().is_empty());
    let message = match words {
        Some(words) => words.chars().take(MAX_WORDS).collect(),
        None => format!("The vendor answered {} to {}.", answer.status(), answer.asked()),
    };
    Fault {
        kind: explained.kind.unwrap_or_else(|| kind(answer.status())),
        code: explained.code,
        message,
        field: explained.field,
        retry_after_ms: explained.retry_after_ms.or_else(|| answer.retry_after_ms()),
        sent: false,
    }
}

/// What a status means where the vendor's documentation says nothing else (RFC 9110 section 15, RFC 6585).
fn kind(status: u16) -> FaultKind {
    match status {
        401 => FaultKind::AuthExpired,
        402 => FaultKind::Quota,
        403 => FaultKind::ScopeMissing,
        404 | 410 => FaultKind::NotFound,
        408 => FaultKind::VendorDown,
        409 => FaultKind::Conflict,
        413 => FaultKind::TooLarge,
        429 => FaultKind::RateLimited,
        400..500 => FaultKind::Invalid,
        500..600 => FaultKind::VendorDown,
        _ => FaultKind::Vendor,
    }
}

#[cfg(test)]
mod tests {
    use super::{Explained, fault};
    use crate::{FaultKind, Response};

    #[test]
    fn each_status_has_a_kind() {
        let expected = [
            (301, FaultKind::Vendor),
            (400, FaultKind::Invalid),
            (401, FaultKind::AuthExpired),
            (402, FaultKind::Quota),
            (403, FaultKind::ScopeMissing),
            (404, FaultKind::NotFound),
            (408, FaultKind::VendorDown),
            (409, FaultKind::Conflict),
            (410, FaultKind::NotFound),
            (413, FaultKind::TooLarge),
            (422, FaultKind::Invalid),
            (429, FaultKind::RateLimited),
            (500, FaultKind::VendorDown),
            (503, FaultKind::VendorDown),
        ];
        for (status, kind) in expected {
            let fault = fault(&Response::new(status, &[], ""), Explained::default());
            assert_eq!(fault.kind, kind, "{status}");
            assert_eq!(fault.message, format!("The vendor answered {status} to a request."));
        }
    }

    #[test]
    fn the_vendors_words_win() {
        let answer = Response::new(403, &[("retry-after", "9")], "");
        let explained = Explained {
            kind: Some(FaultKind::Conflict),
            code: Some("duplicate".to_owned()),
            message: Some("You said that already.".to_owned()),
            field: Some("text".to_owned()),
            retry_after_ms: Some(1),
        };
        let fault = fault(&answer, explained);
        assert_eq!(fault.kind, FaultKind::Conflict);
        assert_eq!(fault.code.as_deref(), Some("duplicate"));
        assert_eq!(fault.message, "You said that already.");
        assert_eq!(fault.field.as_deref(), Some("text"));
        assert_eq!(fault.retry_after_ms, Some(1));
    }

    #[test]
    fn long_or_empty_words() {
        let with_words = |message: String| {
            fault(&Response::new(400, &[], ""), Explained { message: Some(message), ..Explained::default() }).message
        };
        assert_eq!(with_words("é".repeat(2_000)).chars().count(), super::MAX_WORDS);
        assert_eq!(with_words(" ".to_owned()), "The vendor answered 400 to a request.");
    }
}
