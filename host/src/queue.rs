//! The queue of a connection: the times of a week at which its posts go out, and which of them are taken.
//!
//! A slot is taken by a row (`queue_places`), so two posts never share one. Moving or cancelling a post frees its slot.

use crate::app::App;
use crate::clock::Timestamp;
use crate::connectors::connections::{self, Connection};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, PublicationId, WorkspaceId};
use crate::on;
use crate::zones::{Wall, Zone};
use chrono::{Datelike as _, Days, NaiveTime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Most slots of a week.
const MAX_SLOTS: usize = 200;
/// How far ahead a free slot is looked for.
const DAYS_AHEAD: u64 = 366;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "days need no explanation")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A time of each week.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The day.
    pub weekday: Weekday,
    /// The time on the wall, such as `09:00`.
    pub time: String,
}

impl Slot {
    fn time(&self) -> Option<NaiveTime> {
        NaiveTime::parse_from_str(&self.time, "%H:%M").ok().filter(|_| self.time.len() == 5)
    }
}

/// The week of a connection's queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QueueSlots)]
pub struct Slots {
    /// The IANA zone on whose wall the times are.
    pub zone: String,
    /// The times, in the order of the week; none where there is no queue.
    pub slots: Vec<Slot>,
}

/// A slot that is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FreeSlot {
    /// The moment.
    pub publish_at: Timestamp,
    /// The same on the wall.
    pub local_time: Wall,
    /// Of this zone.
    pub zone: String,
}

const SELECT: &str = "select zone, slots from connection_slots where workspace_id = $1 and connection_id = $2";

/// The week of a connection's queue; empty where none was set.
///
/// # Errors
/// The workspace has no such connection, or the database failed.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, connection: ConnectionId) -> Result<Slots> {
    connections::find(tx, workspace, connection).await?;
    let found: Option<(String, String)> =
        on!(tx, conn => sqlx::query_as(SELECT).bind(workspace).bind(connection).fetch_optional(conn).await)?;
    match found {
        Some((zone, slots)) => Ok(Slots { zone, slots: serde_json::from_str(&slots).map_err(anyhow::Error::from)? }),
        None => Ok(Slots { zone: "UTC".to_owned(), slots: Vec::new() }),
    }
}

const SET: &str = "insert into connection_slots (connection_id, workspace_id, zone, slots, updated_at)
    values ($1, $2, $3, $4, $5)
    on conflict (connection_id) do update set zone = excluded.zone, slots = excluded.slots, updated_at = excluded.updated_at";

/// Sets the week of a connection's queue. Posts that have a slot keep their time.
///
/// # Errors
/// The workspace has no such connection; the zone or a time makes no sense, a time is named twice, or there are too many.
pub async fn set(app: &App, workspace: WorkspaceId, connection: ConnectionId, mut week: Slots) -> Result<Slots> {
    Zone::named(&week.zone)?;
    if week.slots.len() > MAX_SLOTS {
        return Err(Error::invalid("slots", format!("A week has {MAX_SLOTS} slots at most.")));
    }
    if let Some(index) = week.slots.iter().position(|slot| slot.time().is_none()) {
        return Err(Error::invalid(format!("slots/{index}/time"), "Say the time as hours and minutes, such as 09:00."));
    }
    week.slots.sort();
    if week.slots.windows(2).any(|two| two[0] == two[1]) {
        return Err(Error::invalid("slots", "Name each time of the week once."));
    }
    let slots = serde_json::to_string(&week.slots).map_err(anyhow::Error::from)?;
    let mut tx = app.db().begin().await?;
    connections::find(&mut tx, workspace, connection).await?;
    on!(&mut tx, conn => sqlx::query(SET)
        .bind(connection).bind(workspace).bind(&week.zone).bind(slots).bind(app.now())
        .execute(conn).await.map(drop))?;
    tx.commit().await?;
    Ok(week)
}

/// The slots of a week from a moment on, in order.
fn upcoming(week: &Slots, zone: Zone, now: Timestamp) -> impl Iterator<Item = (Timestamp, Wall)> {
    let today = zone.wall(now).0.date();
    let days = (0..=DAYS_AHEAD).filter_map(move |ahead| today.checked_add_days(Days::new(ahead)));
    days.flat_map(move |day| {
        let weekday = day.weekday().num_days_from_monday();
        let slots = week.slots.iter().filter(move |slot| slot.weekday as u32 == weekday);
        let walls = slots.filter_map(Slot::time).map(move |time| Wall(day.and_time(time)));
        let mut moments: Vec<(Timestamp, Wall)> = walls.map(|wall| (zone.at(wall), wall)).collect();
        // Where clocks jump, times may change places.
        moments.sort();
        moments
    })
    .filter(move |(at, _)| *at > now)
}

// What was planned for a time without the queue is in the way as well.
const TAKEN: &str = "select due_at from queue_places where connection_id = $1 and due_at > $2
    union
    select publish_at from publications where workspace_id = $3 and coalesce(publish_at, created_at) > $2
        and connection_id = $1 and state = 'scheduled' and publish_at is not null";

async fn taken(
    tx: &mut Tx,
    workspace: WorkspaceId,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<BTreeSet<Timestamp>> {
    let taken: Vec<Timestamp> = on!(tx, conn => sqlx::query_scalar(TAKEN)
        .bind(connection).bind(now).bind(workspace).fetch_all(conn).await)?;
    Ok(taken.into_iter().collect())
}

/// The free slots of a connection, in order.
async fn free_slots(
    tx: &mut Tx,
    workspace: WorkspaceId,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<(Zone, Vec<(Timestamp, Wall)>)> {
    let week = find(tx, workspace, connection).await?;
    if week.slots.is_empty() {
        let detail = format!("The queue has no slots yet: set them at /social/connections/{connection}/slots.");
        return Err(Error::Conflict { code: "no_slots", detail });
    }
    let zone = Zone::named(&week.zone)?;
    let taken = taken(tx, workspace, connection, now).await?;
    Ok((zone, upcoming(&week, zone, now).filter(|(at, _)| !taken.contains(at)).collect()))
}

fn full() -> Error {
    let detail = format!("All slots of the next {DAYS_AHEAD} days are taken. Add slots, or name a time.");
    Error::Conflict { code: "queue_full", detail }
}

/// The next slot of a connection that is free. It stays free.
///
/// # Errors
/// There is no such connection, it has no slots, or all are taken.
pub async fn next(tx: &mut Tx, workspace: WorkspaceId, connection: ConnectionId, now: Timestamp) -> Result<FreeSlot> {
    let (zone, free) = free_slots(tx, workspace, connection, now).await?;
    let (publish_at, local_time) = free.into_iter().next().ok_or_else(full)?;
    Ok(FreeSlot { publish_at, local_time, zone: zone.name().to_owned() })
}

const TAKE: &str =
    "insert into queue_places (connection_id, due_at, workspace_id, publication_id) values ($1, $2, $3, $4)
    on conflict (connection_id, due_at) do nothing";

/// Takes the next free slot of a connection for a publication, in the transaction that takes it in.
pub(crate) async fn take_place(
    tx: &mut Tx,
    connection: &Connection,
    publication: PublicationId,
    now: Timestamp,
) -> Result<Timestamp> {
    let (_, free) = free_slots(tx, connection.workspace_id, connection.id, now).await?;
    for (at, _) in free {
        // Somebody may be about to take the same one: they are waited for, and had it then.
        let taken = on!(&mut *tx, conn => sqlx::query(TAKE)
            .bind(connection.id).bind(at).bind(connection.workspace_id).bind(publication)
            .execute(conn).await.map(|done| done.rows_affected()))?;
        if taken == 1 {
            return Ok(at);
        }
    }
    Err(full())
}

const FREE: &str = "delete from queue_places where publication_id = $1";

/// Frees the slot of a publication, where it has one.
pub(crate) async fn free(tx: &mut Tx, publication: PublicationId) -> sqlx::Result<()> {
    on!(tx, conn => sqlx::query(FREE).bind(publication).execute(conn).await.map(drop))
}

#[cfg(test)]
mod tests {
    use super::{Slot, Slots, Weekday, upcoming};
    use crate::zones::{Wall, Zone};

    #[test]
    fn slots_keep_their_time_on_the_wall_when_the_clocks_change() {
        let slot = |weekday, time: &str| Slot { weekday, time: time.to_owned() };
        let slots =
            vec![slot(Weekday::Sunday, "02:30"), slot(Weekday::Sunday, "09:00"), slot(Weekday::Monday, "09:00")];
        let (zone, week) = (Zone::named("Europe/Berlin").unwrap(), Slots { zone: "Europe/Berlin".to_owned(), slots });
        let now = zone.at("2027-03-27T12:00:00".parse::<Wall>().unwrap());
        let moments: Vec<String> = upcoming(&week, zone, now)
            .take(4)
            .map(|(at, wall)| format!("{} {wall}", serde_json::to_value(at).unwrap().as_str().unwrap()))
            .collect();
        assert_eq!(
            moments,
            [
                "2027-03-28T01:30:00Z 2027-03-28T02:30:00",
                "2027-03-28T07:00:00Z 2027-03-28T09:00:00",
                "2027-03-29T07:00:00Z 2027-03-29T09:00:00",
                "2027-04-04T00:30:00Z 2027-04-04T02:30:00",
            ]
        );
    }
}
