//! What a connector can do: one trait an ability, each exported with its own macro.

use crate::manifest::Manifest;
use crate::{
    Account, Attempt, Completion, Fact, Profile, Progress, Prompt, Result, TextOptions, Variant, Verdict, Violation,
};

/// What every connector is. Exported with [`connector!`](crate::connector).
pub trait Connector {
    /// What the connector says of itself.
    ///
    /// The host asks once, at admission, and gives no power meanwhile: code that sends a request or writes a log here
    /// traps.
    fn manifest() -> Manifest;
}

/// Says who an account is. Exported with [`export_identity!`](crate::export_identity).
pub trait Identity {
    /// Asks the vendor whose credentials these are. Run once after connecting, with an empty `account`.
    ///
    /// # Errors
    /// Whatever the vendor's answer means.
    fn whoami(account: &Account) -> Result<Profile>;

    /// Asks the vendor for facts of this account that rules need. The host caches them and hands them to
    /// [`Publish::check`]. None unless the connector says otherwise.
    ///
    /// # Errors
    /// Whatever the vendor's answer means.
    fn options(_account: &Account) -> Result<Vec<Fact>> {
        Ok(Vec::new())
    }
}

/// Publishes. Exported with [`export_publish!`](crate::export_publish).
pub trait Publish {
    /// Tells what is wrong with a variant, without any request.
    fn check(variant: &Variant, facts: &[Fact]) -> Vec<Violation>;

    /// Publishes a variant. The code may be re-run from the top, after a crash or a pause: it must ask for the same
    /// commits with the same keys in the same order, and the journal answers those that are done.
    ///
    /// # Errors
    /// The fault that kept the first part from being published, or left a commit uncertain. Faults of later parts
    /// belong into the receipt; [`in_order`](crate::in_order) sees to it.
    fn publish(account: &Account, variant: &Variant) -> Result<Progress>;
}

/// Finds out what became of a commit whose answer was lost. Exported with
/// [`export_reconcile!`](crate::export_reconcile).
pub trait Reconcile {
    /// Looks for the trace of a commit, with reads only. A wrong [`Verdict::Absent`] posts twice: a connector that
    /// cannot tell says [`Verdict::Unknown`].
    ///
    /// # Errors
    /// Whatever kept it from looking; the host looks again later.
    fn reconcile(account: &Account, variant: &Variant, attempt: &Attempt) -> Result<Verdict>;
}

/// Takes back what was published. Exported with [`export_remove!`](crate::export_remove).
pub trait Remove {
    /// Removes one post by the vendor's id. Removing what is gone is no fault.
    ///
    /// # Errors
    /// Whatever the vendor's answer means.
    fn remove(account: &Account, id: &str) -> Result<()>;
}

/// Writes text with a language model. Exported with [`export_text_model!`](crate::export_text_model).
pub trait TextModel {
    /// Asks the model for one answer, with one request of effect `spend`
    /// ([`Request::spend`](crate::Request::spend), [`Request::spend_events`](crate::Request::spend_events)).
    ///
    /// Where [`Delivery::Pieces`](crate::Delivery::Pieces) is wanted, each piece goes to
    /// [`text::write`](crate::text::write) as it comes; all of them together are the text that is returned, exactly.
    /// `settings` are the operator's, by the names that the manifest declares; [`setting`](crate::setting) reads one.
    ///
    /// # Errors
    /// `invalid` with code `refused` when the model declines and `content-filter` when the vendor withholds the answer;
    /// else whatever the vendor's answer means.
    fn complete(prompt: &Prompt, options: &TextOptions, settings: &[Fact]) -> Result<Completion>;
}
