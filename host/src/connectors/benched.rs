//! Doors for benchmarks of calls (`cargo measure calls` and `broker`), which have to time single steps. Nothing else comes in
//! here.

use super::Connectors;
use super::answer::{Answer, Body};
use super::credentials::Credentials;
use super::fault::Fault;
use super::journal::{Journal, Once, Step};
use super::loading;
use super::run::{self, Pinned};
use super::variant::{Variant, VariantPart};
use super::work::{Account, Progress};
use crate::id::{ConnectionId, RunId, WorkspaceId};
use anyhow::bail;
use orla_manifest::Meaning;
use std::sync::Arc;

impl Connectors {
    /// A check of a text by an active connector. Gives the number of violations.
    #[doc(hidden)]
    pub async fn check_for_bench(&self, connector: &str, text: &str) -> Result<usize, Fault> {
        let release = self.active(connector).ok_or_else(|| Fault::bug("no such connector"))?;
        let variant = Variant::of(vec![VariantPart { text: text.to_owned(), media: Vec::new() }]);
        self.check(&release, WorkspaceId(uuid::Uuid::nil()), &variant, &[]).await.map(|violations| violations.len())
    }

    /// The journal of a new run of an active connector.
    #[doc(hidden)]
    pub async fn journal_for_bench(&self, connector: &str, workspace: WorkspaceId) -> anyhow::Result<BenchedJournal> {
        let run = self.run_for_bench(connector, workspace).await?;
        let services = self.services();
        Ok(BenchedJournal(Journal::replaying(&services.db, &services.clock, run, Vec::new())))
    }

    /// A run of an active connector's.
    #[doc(hidden)]
    pub async fn run_for_bench(&self, connector: &str, workspace: WorkspaceId) -> anyhow::Result<RunId> {
        let Some(release) = self.active(connector) else { bail!("no such connector") };
        let services = self.services();
        let now = services.clock.now();
        let pinned = Pinned { id: RunId::new(), workspace, seed: 0, started_at: now };
        let mut tx = services.db.begin().await?;
        run::pin(&mut tx, &pinned, connector, &release.digest).await?;
        tx.commit().await?;
        Ok(pinned.id)
    }

    /// What an execution of a run needs, read as for each: with its connection's credentials, opened; or, for a call that signs
    /// nothing, without.
    #[doc(hidden)]
    pub async fn load_for_bench(
        &self,
        connector: &str,
        run: RunId,
        workspace: WorkspaceId,
        (connection, with): (ConnectionId, Secrets),
    ) -> anyhow::Result<BenchedCredentials> {
        let Some(release) = self.active(connector) else { bail!("no such connector") };
        let services = self.services();
        let mut tx = services.db.read().await?;
        let credentials = match with {
            Secrets::None => {
                loading::without_secrets(&mut tx, run, workspace, connection).await?;
                Credentials::Operator
            }
            Secrets::Opened => {
                let loaded = loading::load(&mut tx, &services.vault, run, workspace, connection).await?;
                Credentials::of(connection, &release.manifest.auth, loaded.stored)
            }
        };
        Ok(BenchedCredentials(credentials))
    }

    /// A call of `publish` that may only read, and has to end with a pause.
    #[doc(hidden)]
    pub async fn read_for_bench(
        &self,
        connector: &str,
        workspace: WorkspaceId,
        BenchedCredentials(credentials): BenchedCredentials,
        text: &str,
    ) -> anyhow::Result<()> {
        let Some(release) = self.active(connector) else { bail!("no such connector") };
        let now = self.services().clock.now();
        let pinned = Pinned { id: RunId::new(), workspace, seed: now.0, started_at: now };
        let run = Arc::new(self.execution(pinned, release, credentials, None));
        let account = Account { vendor_id: "1".to_owned(), handle: "one".to_owned(), target: None };
        let variant = Variant::of(vec![VariantPart { text: text.to_owned(), media: Vec::new() }]);
        match self.publish(&run, &account, &variant).await.result {
            Ok(Progress::Pending(_)) => Ok(()),
            Ok(Progress::Published(_)) => bail!("the call did not end with a pause"),
            Err(fault) => bail!("the call failed: {fault}"),
        }
    }
}

/// Whether a run is loaded with what signs its requests.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Secrets {
    None,
    Opened,
}

/// Whose credentials a call has.
#[doc(hidden)]
#[derive(Debug)]
pub struct BenchedCredentials(Credentials);

/// A journal whose commits are written down and not sent.
#[doc(hidden)]
#[derive(Debug)]
pub struct BenchedJournal(Journal);

impl BenchedJournal {
    /// Writes a commit down before it leaves and once it is answered, as around a request.
    #[doc(hidden)]
    pub async fn commit(&self, key: &str) -> anyhow::Result<()> {
        let Step::Send(ticket) =
            self.0.once(Once::Commit, key, "digest").await.map_err(|fault| anyhow::anyhow!("{fault}"))?
        else {
            bail!("the key was used before");
        };
        let answer =
            Answer { status: 201, headers: Vec::new(), body: Body::Text("{\"data\":{\"id\":\"1\"}}".to_owned()) };
        self.0.end(&ticket, Meaning::Done, Some(&answer)).await
    }
}
