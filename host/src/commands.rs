//! What the program can be asked to do, a room a subject.

pub(crate) mod backup;
pub(crate) mod connector;
pub(crate) mod ledger;
pub(crate) mod operate;
pub(crate) mod price;
pub(crate) mod stripe;
pub(crate) mod vault;
