//! The loop that claims deliveries which are due and has them sent.
//!
//! It is not the worker's: what is slow here takes no slot from publications. Nobody is woken for each event, since a
//! transaction of a publication does not know its own end; the loop looks twice a second, at an index that is empty most of the
//! time. A claim is a lease: of several nodes one sends a delivery, and where it dies another does, with the same `webhook-id`.

use super::{ending, sending};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::id::{EndpointId, OutboxEventId, WorkspaceId};
use crate::on;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Longest sleep: an event is found this late at most.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Most deliveries that a node sends at once.
const MOST: usize = 64;
/// Of these, to endpoints of one workspace.
const MOST_OF_WORKSPACE: usize = 16;
/// Of these, to one endpoint.
const MOST_OF_ENDPOINT: usize = 4;
/// Of these, to one that last failed: who does not answer is not to hold more.
const MOST_OF_FAILING: usize = 1;

/// A delivery in the hands of one node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) endpoint: EndpointId,
    pub(super) event: OutboxEventId,
    /// This claim of it; a later claim has another.
    pub(super) lease: Uuid,
    /// How often it was claimed, this time included.
    pub(super) attempts: i64,
}

/// Sends events until the host stops.
pub async fn work(app: App) {
    let places = Arc::new(Places::default());
    while !app.stopping().is_cancelled() {
        // Whatever keeps this host from sending has its place here, before anything is claimed.
        let wait = match turn(&app, &places).await {
            Ok(next) => next.map_or(LONGEST_SLEEP, |next| next.since(app.now()).min(LONGEST_SLEEP)),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "no event could be claimed");
                AFTER_ERROR
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.new_events() => {}
            () = app.stopping().cancelled() => {}
        }
    }
}

/// An endpoint for which something is on its way.
#[derive(sqlx::FromRow)]
struct Busy {
    id: EndpointId,
    workspace_id: WorkspaceId,
    failures: i64,
    /// When the first of it can be claimed.
    at: Timestamp,
    quiet_until: Option<Timestamp>,
}

impl Busy {
    /// When something can be sent to it.
    fn due_at(&self) -> Timestamp {
        self.quiet_until.map_or(self.at, |quiet| quiet.max(self.at))
    }

    fn most(&self) -> usize {
        if self.failures > 0 { MOST_OF_FAILING } else { MOST_OF_ENDPOINT }
    }
}

// From one endpoint to the next by the index, however much waits for each.
const BUSY: &str = "with recursive busy(id) as (
        select id from (select endpoint_id as id from deliveries where state = 'pending' order by endpoint_id limit 1) one
        union all
        select (select endpoint_id from deliveries where state = 'pending' and endpoint_id > busy.id
            order by endpoint_id limit 1)
        from busy where busy.id is not null
    )
    select e.id, e.workspace_id, e.failures, e.quiet_until,
        (select next_at from deliveries where state = 'pending' and endpoint_id = e.id order by next_at limit 1) as at
    from busy join webhook_endpoints e on e.id = busy.id where e.state = 'active'";

/// Claims what is due and has places, and begins to send it. Gives when more will be due, as far as it waits for nothing else.
async fn turn(app: &App, places: &Arc<Places>) -> anyhow::Result<Option<Timestamp>> {
    let now = app.now();
    let busy: Vec<Busy> = {
        let mut tx = app.db().read().await?;
        on!(&mut tx, conn => sqlx::query_as(BUSY).fetch_all(conn).await)?
    };
    let (mut due, later): (Vec<Busy>, Vec<Busy>) = busy.into_iter().partition(|one| one.due_at() <= now);
    let next = later.iter().map(Busy::due_at).min();
    due.sort_by_key(Busy::due_at);
    let placed: Vec<(Busy, Vec<Place>)> = due
        .into_iter()
        .map(|one| {
            let taken = places.take(&one);
            (one, taken)
        })
        .filter(|(_, taken)| !taken.is_empty())
        .collect();
    if placed.is_empty() {
        return Ok(next);
    }
    let mut begun = Vec::new();
    let mut tx = app.db().begin().await?;
    for (one, taken) in placed {
        let claims = claim(&mut tx, one.id, taken.len(), now, app.config().job_lease()).await?;
        begun.extend(claims.into_iter().zip(taken));
    }
    tx.commit().await?;
    for (claim, place) in begun {
        let app = app.clone();
        app.clone().tasks().spawn(async move {
            Box::pin(deliver(&app, &claim)).await;
            drop(place);
            // Another may have waited for this one, or for its place.
            app.wake_events();
        });
    }
    Ok(next)
}

const CLAIM_SQLITE: &str = "update deliveries set lease = $1, next_at = $2, attempts = attempts + 1
    where endpoint_id = $3 and event_id in (select event_id from deliveries
        where endpoint_id = $3 and state = 'pending' and next_at <= $4 order by next_at limit $5)
    returning event_id, attempts";
const CLAIM_POSTGRES: &str = "update deliveries set lease = $1, next_at = $2, attempts = attempts + 1
    where endpoint_id = $3 and event_id in (select event_id from deliveries
        where endpoint_id = $3 and state = 'pending' and next_at <= $4 order by next_at limit $5 for update skip locked)
    returning event_id, attempts";

/// Claims an endpoint's deliveries that have waited longest.
async fn claim(
    tx: &mut Tx,
    endpoint: EndpointId,
    most: usize,
    now: Timestamp,
    lease_for: Duration,
) -> sqlx::Result<Vec<Claim>> {
    let lease = Uuid::now_v7();
    let statement = if tx.is_postgres() { CLAIM_POSTGRES } else { CLAIM_SQLITE };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let claimed: Vec<(OutboxEventId, i64)> = on!(tx, conn => sqlx::query_as(statement)
        .bind(lease).bind(now.after(lease_for)).bind(endpoint).bind(now).bind(most)
        .fetch_all(conn).await)?;
    Ok(claimed.into_iter().map(|(event, attempts)| Claim { endpoint, event, lease, attempts }).collect())
}

async fn deliver(app: &App, claim: &Claim) {
    let done = async {
        let Some(message) = sending::Message::read(app, claim).await? else { return Ok(()) };
        let answer = message.send(app).await;
        ending::write(app, claim, &message, &answer).await
    };
    if let Err(error) = done.await {
        let (event, error) = (claim.event, format!("{error:#}"));
        tracing::error!(%event, error, "what became of the delivery of event {event} could not be written: it is sent again");
    }
}

/// How many deliveries are being sent, in all and to whom.
#[derive(Debug, Default)]
struct Places(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_workspaces: HashMap<WorkspaceId, usize>,
    of_endpoints: HashMap<EndpointId, usize>,
}

impl Places {
    /// As many places as an endpoint may have now.
    fn take(self: &Arc<Self>, wanted: &Busy) -> Vec<Place> {
        let (workspace, endpoint) = (wanted.workspace_id, wanted.id);
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has = |taken: Option<&usize>| taken.copied().unwrap_or_default();
        let free = (MOST - taken.all)
            .min(MOST_OF_WORKSPACE - has(taken.of_workspaces.get(&workspace)))
            .min(wanted.most().saturating_sub(has(taken.of_endpoints.get(&endpoint))));
        if free > 0 {
            taken.all += free;
            *taken.of_workspaces.entry(workspace).or_default() += free;
            *taken.of_endpoints.entry(endpoint).or_default() += free;
        }
        (0..free).map(|_| Place { places: self.clone(), workspace, endpoint }).collect()
    }
}

/// A place to send from, until it is dropped.
#[derive(Debug)]
struct Place {
    places: Arc<Places>,
    workspace: WorkspaceId,
    endpoint: EndpointId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        give_back(&mut taken.of_workspaces, &self.workspace);
        give_back(&mut taken.of_endpoints, &self.endpoint);
    }
}

fn give_back<K: Hash + Eq>(taken: &mut HashMap<K, usize>, by: &K) {
    if let Some(count) = taken.get_mut(by) {
        *count -= 1;
        if *count == 0 {
            taken.remove(by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Busy, Places};
    use crate::clock::Timestamp;
    use crate::id::{EndpointId, WorkspaceId};
    use std::sync::Arc;

    fn busy(workspace_id: WorkspaceId, failures: i64) -> Busy {
        Busy { id: EndpointId::new(), workspace_id, failures, at: Timestamp(0), quiet_until: None }
    }

    #[test]
    fn nobody_has_more_places_than_he_may() {
        let places = Arc::new(Places::default());
        let ada = WorkspaceId::new();
        let (sound, failing) = (busy(ada, 0), busy(ada, 3));
        let held = (places.take(&sound), places.take(&failing));
        assert_eq!((held.0.len(), held.1.len()), (4, 1));
        assert_eq!((places.take(&sound).len(), places.take(&failing).len()), (0, 0));
        let others: Vec<_> = (0..4).map(|_| places.take(&busy(ada, 0))).collect();
        let counts: Vec<usize> = others.iter().map(Vec::len).collect();
        assert_eq!(counts, [4, 4, 3, 0], "a workspace has 16");
        let many: Vec<_> = (0..20).flat_map(|_| places.take(&busy(WorkspaceId::new(), 0))).collect();
        assert_eq!(many.len(), 64 - 16, "a node has 64");
        drop((held, others));
        assert_eq!(places.take(&sound).len(), 4);
        drop(many);
        assert_eq!(places.0.lock().expect("no thread died").all, 0);
    }

    #[test]
    fn who_asked_for_a_pause_is_due_after_it() {
        let mut one = busy(WorkspaceId::new(), 0);
        one.at = Timestamp(5);
        assert_eq!(one.due_at(), Timestamp(5));
        one.quiet_until = Some(Timestamp(9));
        assert_eq!(one.due_at(), Timestamp(9));
        one.quiet_until = Some(Timestamp(1));
        assert_eq!(one.due_at(), Timestamp(5));
    }
}
