//! Why a call failed.

use crate::FaultKind;
use std::fmt;
use std::time::Duration;

/// What a connector's functions return.
///
/// ```
/// fn handle() -> orla_sdk::Result<String> {
///     let me: serde_json::Value = orla_sdk::Api::new("api").get("/v1/me").read()?.json()?;
///     me["username"].as_str().map(str::to_owned).ok_or_else(|| orla_sdk::Fault::vendor("The account has no name."))
/// }
/// ```
pub type Result<T> = std::result::Result<T, Fault>;

/// A failed call: the contract's record `fault`.
///
/// Most faults come out of the SDK, which maps a vendor's answer once (see [`Api`](crate::Api)). A connector makes its
/// own for what only it can know:
///
/// ```
/// use orla_sdk::{Fault, FaultKind};
///
/// let fault = Fault::new(FaultKind::Conflict, "The page was renamed meanwhile.").with_code("renamed");
/// assert_eq!(fault.to_string(), "The page was renamed meanwhile.");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What the host acts on.
    pub kind: FaultKind,
    /// The vendor's own code, as text, where there is one.
    pub code: Option<String>,
    /// One sentence for a person, without secrets.
    pub message: String,
    /// The member of the input at fault, such as `parts/0/text`.
    pub field: Option<String>,
    /// Milliseconds to wait before another try makes sense.
    pub retry_after_ms: Option<u64>,
    /// Whether any byte of a commit may have reached the vendor.
    pub sent: bool,
}

impl Fault {
    /// A fault of any kind.
    ///
    /// ```
    /// use orla_sdk::{Fault, FaultKind};
    ///
    /// let fault = Fault::new(FaultKind::Quota, "The plan's 17 posts of today are used up.");
    /// assert_eq!((fault.kind, fault.sent), (FaultKind::Quota, false));
    /// ```
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), field: None, retry_after_ms: None, sent: false }
    }

    /// The input is refused; `field` names the member at fault.
    ///
    /// ```
    /// let fault = orla_sdk::Fault::invalid("parts/0/text", "The post links to a site that the network blocks.");
    /// assert_eq!(fault.field.as_deref(), Some("parts/0/text"));
    /// ```
    #[must_use]
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Invalid, message).with_field(field)
    }

    /// The vendor answered something else than its documentation promises.
    ///
    /// ```
    /// let fault = orla_sdk::Fault::vendor("The vendor took the post, but names none.");
    /// assert_eq!(fault.kind, orla_sdk::FaultKind::Vendor);
    /// ```
    #[must_use]
    pub fn vendor(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Vendor, message)
    }

    /// The connector itself is wrong.
    ///
    /// ```
    /// let fault = orla_sdk::Fault::bug("No part of this post is committed with that key.");
    /// assert_eq!(fault.kind, orla_sdk::FaultKind::Bug);
    /// ```
    #[must_use]
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Bug, message)
    }

    /// The same fault with the vendor's own code.
    ///
    /// ```
    /// let fault = orla_sdk::Fault::vendor("The file is gone.").with_code("file_expired");
    /// assert_eq!(fault.code.as_deref(), Some("file_expired"));
    /// ```
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same fault, naming the member of the input at fault.
    ///
    /// ```
    /// use orla_sdk::{Fault, FaultKind};
    ///
    /// let fault = Fault::new(FaultKind::TooLarge, "The video is longer than 140 s.").with_field("parts/0/media/0");
    /// assert_eq!(fault.field.as_deref(), Some("parts/0/media/0"));
    /// ```
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same fault, saying how long to wait.
    ///
    /// ```
    /// use orla_sdk::{Fault, FaultKind};
    /// use std::time::Duration;
    ///
    /// let fault = Fault::new(FaultKind::Quota, "No more posts today.").with_retry_after(Duration::from_secs(3_600));
    /// assert_eq!(fault.retry_after_ms, Some(3_600_000));
    /// ```
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
