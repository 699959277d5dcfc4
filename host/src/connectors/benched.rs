//! Doors for the benchmark of calls (`cargo measure calls`), which has to time single steps. Nothing else comes in here.

use super::Connectors;
use super::answer::{Answer, Body};
use super::fault::Fault;
use super::journal::{Journal, Once, Step};
use super::run::{self, Pinned};
use super::work::{Variant, VariantPart};
use crate::id::{RunId, WorkspaceId};
use anyhow::bail;
use orla_manifest::Meaning;

impl Connectors {
    /// A check of a text by an active connector. Gives the number of violations.
    #[doc(hidden)]
    pub async fn check_for_bench(&self, connector: &str, text: &str) -> Result<usize, Fault> {
        let release = self.active(connector).ok_or_else(|| Fault::bug("no such connector"))?;
        let variant = Variant { parts: vec![VariantPart { text: text.to_owned(), media: Vec::new() }] };
        self.check(&release, WorkspaceId(uuid::Uuid::nil()), &variant).await.map(|violations| violations.len())
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
}

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
