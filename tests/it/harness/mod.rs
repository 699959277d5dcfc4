//! What tests stand on: databases, built connectors, a running host, and a person who uses it.

mod built;
mod host;
mod person;
pub(crate) mod postgres;
mod process;

pub(crate) use built::{component, program};
pub(crate) use host::{Host, price, settings, warm_data};
pub(crate) use orla_vendors::x::{Fault, Mode, Settings, Sim};
pub(crate) use person::{Answer, PASSWORD, Person, client};
pub(crate) use process::{Place, Process};

use orla::db::Db;
use std::path::Path;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

pub(crate) const BOTH: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

impl Backend {
    /// The URL of a new, empty database.
    pub(crate) async fn fresh(self, data: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite:{}", data.join("orla.db").display()),
            Self::Postgres => postgres::fresh_database().await,
        }
    }
}

/// One fresh database of each kind, with the schema in place.
pub(crate) async fn databases() -> Vec<Db> {
    let mut databases = Vec::new();
    for backend in BOTH {
        let data = tempfile::tempdir().unwrap().keep();
        databases.push(Db::open(&backend.fresh(&data).await).await.unwrap());
    }
    databases
}
