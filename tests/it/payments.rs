//! Payments: plans and credits bought at a simulated Stripe, and what its events make of the ledger.

mod buying;
mod doctor;
mod local;
mod refusals;
mod reversing;
mod signed;
mod stage;
mod year;
