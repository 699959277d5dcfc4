//! Writing a generation: one call of the connector, and the transaction that ends it.

use super::{End, Generation, Receipt, State, Wish, find, move_to, paying};
use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::credentials::Credentials;
use crate::connectors::fault::{Fault, FaultKind};
use crate::connectors::journal::Journal;
use crate::connectors::meter::Meter;
use crate::connectors::release::Release;
use crate::connectors::run::{Pinned, Run};
use crate::connectors::sink::Sink;
use crate::connectors::writing::{Completion, Delivery};
use crate::error::Result;
use crate::id::{GenerationId, HoldId};
use crate::jobs::{self, Claim};
use crate::ledger;
use crate::prices::Quote;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A generation that is paid for, in the hands of this host.
#[derive(Debug)]
pub(crate) struct Underway {
    pub(super) id: GenerationId,
    pub(super) pinned: Pinned,
    pub(super) release: Arc<Release>,
    pub(super) claim: Claim,
    pub(super) quote: Quote,
    pub(super) hold: Option<HoldId>,
    pub(super) wish: Wish,
}

/// What writing came to.
enum Outcome {
    Completed(Value, Completion),
    Failed(Fault),
    /// The reader left. What was written, where a word of it was handed out.
    Stopped(Option<Value>),
}

impl Underway {
    pub(crate) fn id(&self) -> GenerationId {
        self.id
    }

    /// Writes the text and ends the generation. Its pieces go to the reader, where there is one; a reader who leaves stops
    /// the writing.
    ///
    /// # Errors
    /// The database failed, or another host took over: then nothing was charged, and nothing will be.
    pub(crate) async fn write(self, app: &App, reader: Option<mpsc::Sender<String>>) -> Result<Generation> {
        let (services, release) = (app.connectors().services(), self.release.clone());
        let journal = Journal::replaying(&services.db, &services.clock, self.pinned.id, Vec::new());
        let mut run = app.connectors().execution(self.pinned, release, Credentials::Operator, Some(journal));
        run.sink = reader.clone().map_or_else(Sink::default, Sink::to);
        let run = Arc::new(run);
        let ended = tokio::select! {
            (outcome, meter) = self.call(app, &run, reader.as_ref()) => self.end(app, &run, outcome, meter).await,
            () = jobs::keep(app, &self.claim) => {
                run.stop.cancel();
                Err(anyhow::anyhow!("the claim of generation {} was lost", self.id))
            }
        };
        ended?;
        find(&mut app.db().read().await?, self.pinned.workspace, self.wish.operation, self.id).await
    }

    async fn call(&self, app: &App, run: &Arc<Run>, reader: Option<&mpsc::Sender<String>>) -> (Outcome, Meter) {
        let delivery = if reader.is_some() { Delivery::Pieces } else { Delivery::Whole };
        let left = async {
            match reader {
                Some(reader) => reader.closed().await,
                None => std::future::pending().await,
            }
        };
        let mut call = std::pin::pin!(app.connectors().complete(run, &self.wish.prompt, delivery));
        let (called, has_left) = tokio::select! {
            biased;
            called = &mut call => (called, false),
            () = left => {
                run.stop.cancel();
                (call.await, true)
            }
        };
        let outcome = match called.result {
            // Whoever left in the very moment of the end has had the whole text.
            Ok(completion) if completion.cut_off => Outcome::Failed(Fault::new(
                FaultKind::Vendor,
                "the model's text was longer than it may be, and was cut off",
            )),
            Ok(completion) => match (self.wish.read)(&completion.text) {
                Ok(output) => Outcome::Completed(output, completion),
                Err(fault) => Outcome::Failed(fault),
            },
            Err(_) if has_left => {
                let written = Some(run.sink.handed_out()).filter(|text| !text.is_empty());
                Outcome::Stopped(written.and_then(|text| (self.wish.read)(&text).ok()))
            }
            Err(fault) => Outcome::Failed(fault),
        };
        (outcome, called.meter)
    }

    async fn end(&self, app: &App, run: &Run, outcome: Outcome, meter: Meter) -> anyhow::Result<()> {
        let usage = run.billing.units();
        let (state, charged, note) = match &outcome {
            Outcome::Completed(..) => match &usage {
                Some(usage) => (State::Completed, paying::charge(&self.quote, usage)?, "Charged at its price."),
                None => (
                    State::Completed,
                    self.quote.credits,
                    "The vendor did not report its usage, so all that was reserved is charged.",
                ),
            },
            Outcome::Failed(_) => (State::Failed, 0, "Not charged: it failed."),
            Outcome::Stopped(Some(_)) => {
                (State::Stopped, self.quote.credits, "Charged: you hung up after the first words had been handed out.")
            }
            Outcome::Stopped(None) => (State::Stopped, 0, "Not charged: you hung up before the first word."),
        };
        let (output, fault, model) = match outcome {
            Outcome::Completed(output, completion) => (Some(output), None, Some(completion.model)),
            Outcome::Failed(fault) => (None, Some(fault), None),
            Outcome::Stopped(output) => (output, None, None),
        };
        let receipt = Receipt {
            operation: self.wish.operation.to_owned(),
            connector: self.release.manifest.id.clone(),
            version: self.release.manifest.version.to_string(),
            model,
            credits_held: self.quote.credits,
            credits_charged: charged,
            usage,
            note: note.to_owned(),
            meter,
        };
        if let Some(fault) = &fault {
            tracing::warn!(generation = %self.id, kind = ?fault.kind, "generation {} failed: {fault}", self.id);
        }
        let end = End {
            state,
            output: output.map(|output| output.to_string()),
            fault: fault.as_ref().map(serde_json::to_string).transpose()?,
            receipt: Some(serde_json::to_string(&receipt)?),
        };
        self.write_end(app, end, charged, app.now()).await
    }

    async fn write_end(&self, app: &App, end: End, charged: i64, now: Timestamp) -> anyhow::Result<()> {
        let mut tx = app.db().begin().await?;
        jobs::complete(&mut tx, &self.claim).await?;
        move_to(&mut tx, self.id, end, now).await?;
        if let Some(hold) = self.hold {
            let workspace = self.pinned.workspace;
            match charged {
                0 => ledger::release(&mut tx, workspace, hold, now).await?,
                charged => ledger::settle(&mut tx, workspace, hold, charged, now).await?,
            };
        }
        tx.commit().await?;
        Ok(())
    }
}
