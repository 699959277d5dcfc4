//! The product as its users meet it: the real router, workers, runtime and databases, against a strict simulator of the
//! network. Every test that touches data runs on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that it does not expect")]

mod harness;

mod accounts;
mod actions;
mod backup;
mod broker;
mod calendar;
mod canary;
mod captions;
mod commands;
mod completing;
mod connectors;
mod corpus;
mod crash;
mod credits;
mod drafts;
mod drives;
mod egress;
mod engagement;
mod facebook;
mod facts;
mod fields;
mod gallery;
mod hostile;
mod import;
mod input;
mod instagram;
mod journey;
mod large;
mod ledger;
mod media_rules;
mod oauth;
mod operating;
mod outbound;
mod payments;
mod posts;
mod proving;
mod replay;
mod schedules;
mod scheduling;
mod schema;
mod secrets;
mod service_accounts;
mod slots;
mod tenants;
mod testing;
mod turns;
mod uncertain;
mod vault;
#[path = "../vendors/tests/venv/mod.rs"]
mod venv;
mod videos;
mod warnings;
mod watching;
mod webhooks;
mod youtube;
