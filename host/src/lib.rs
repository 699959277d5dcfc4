//! The Orla host: accounts, credits, storage and scheduling, and the sandboxed connectors that speak to vendors.
//!
//! A request's way: [`http`] extracts and answers, a domain room (such as [`publications`]) holds the rules, [`jobs`]
//! carry work on, [`connectors`] run the guests, [`db`] keeps it all.

pub mod app;
pub mod authoring;
pub mod backup;
pub mod calendar;
pub mod captions;
pub mod clock;
pub mod config;
pub mod connecting;
pub mod connectors;
mod crash;
pub mod db;
pub mod drafts;
pub mod drives;
pub mod engagement;
pub mod error;
pub mod events;
pub mod fence;
pub mod generations;
pub mod http;
pub mod id;
pub mod identity;
pub mod imports;
pub mod jobs;
pub mod ledger;
pub mod mail;
pub mod operating;
pub mod payments;
pub mod posts;
pub mod prices;
pub mod proving;
pub mod publications;
pub mod queue;
pub mod receipts;
mod rounds;
pub mod schedules;
pub mod telemetry;
pub mod vault;
pub mod videos;
pub mod webhooks;
pub mod zones;
