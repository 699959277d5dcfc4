//! Doors for benchmarks of calls (`cargo measure calls` and `broker`), which have to time single steps. Nothing else comes in
//! here.

use super::Connectors;
use super::answer::{Answer, Body};
use super::credentials::{Credentials, Stored};
use super::fault::Fault;
use super::journal::{Journal, Once, Step};
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
        let Some(release) = self.active(connector) else { bail!("no such connector") };
        let services = self.services();
        let now = services.clock.now();
        let pinned = Pinned { id: RunId::new(), workspace, seed: 0, started_at: now };
        let mut tx = services.db.begin().await?;
        run::pin(&mut tx, &pinned, connector, &release.digest).await?;
        tx.commit().await?;
        Ok(BenchedJournal(Journal::replaying(&services.db, &services.clock, pinned.id, Vec::new())))
    }

    /// A connection's credentials, read and opened as for each of its runs; nobody's for a call that signs nothing.
    #[doc(hidden)]
    pub async fn credentials_for_bench(
        &self,
        connector: &str,
        workspace: WorkspaceId,
        connection: Option<ConnectionId>,
    ) -> anyhow::Result<BenchedCredentials> {
        let Some(connection) = connection else { return Ok(BenchedCredentials(Credentials::Operator)) };
        let Some(release) = self.active(connector) else { bail!("no such connector") };
        let services = self.services();
        let stored = Stored::read(&mut services.db.read().await?, &services.vault, workspace, connection).await?;
        Ok(BenchedCredentials(Credentials::of(connection, &release.manifest.auth, Some(stored))))
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
