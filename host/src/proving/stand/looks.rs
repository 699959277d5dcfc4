//! Looking for what a case lost, on the stand.

use super::{Stand, Work};
use crate::connectors::engagement::LostReply;
use crate::connectors::journal::{Effect, Journal};
use crate::connectors::work::Attempt;
use crate::connectors::{Committed, looks};
use crate::proving::case::{Call, Case};
use crate::proving::ends::End;
use std::sync::Arc;

impl Stand {
    /// Asks the connector what became of a lost commit: its verdict, or its fault.
    ///
    /// # Errors
    /// The database failed.
    pub(in crate::proving) async fn look(
        &self,
        work: &Work<'_>,
        effect: &Effect,
        effects: &[Effect],
    ) -> anyhow::Result<End> {
        let places = self.release.committed_id();
        let before = effects.iter().filter(|other| other.is_commit() && other.sequence < effect.sequence);
        let attempt = Attempt {
            key: effect.key.clone(),
            sent_at: effect.sent_at,
            earlier: before.filter_map(|other| Some((other.key.clone(), other.committed(places)?))).collect(),
        };
        let credentials = self.credentials(work).await?;
        let journal = Journal::looking(self.connectors().services(), work.pinned.id, effects.to_vec());
        let run = Arc::new(self.connectors().execution(work.pinned, self.release.clone(), credentials, Some(journal)));
        self.enter(&run);
        let verdict = match &work.case.call {
            Call::Reply(answer) => {
                let lost = LostReply { sent_at: effect.sent_at, others: Vec::new() };
                self.connectors().find_reply(&run, &work.account, answer.said(), &lost).await
            }
            _ => self.connectors().reconcile(&run, &work.account, &work.variant, &attempt).await,
        };
        run.settle().await;
        self.vendor.scene(|scene| scene.enter(None));
        self.note_dropped(&run);
        Ok(verdict.map_or_else(End::Fault, End::Verdict))
    }

    /// Whether the connector can look for what a case commits.
    pub(in crate::proving) fn can_look(&self, case: &Case) -> bool {
        match &case.call {
            Call::Reply(_) => self.release.reply.is_some(),
            _ => self.release.reconcile.is_some(),
        }
    }

    /// Writes down what was found out about a lost commit: what it made, or that it was not done.
    ///
    /// # Errors
    /// The database failed.
    pub(in crate::proving) async fn found_out(
        &self,
        work: &Work<'_>,
        key: &str,
        made: Option<&Committed>,
    ) -> anyhow::Result<()> {
        let (run, now) = (work.pinned.id, self.app.now());
        let mut tx = self.app.db().begin().await?;
        match made {
            Some(made) => looks::found(&mut tx, run, key, made, now).await?,
            None => looks::absent(&mut tx, run, key, now).await?,
        };
        Ok(tx.commit().await?)
    }
}
