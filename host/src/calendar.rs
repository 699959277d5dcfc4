//! The calendar: what went out, goes out and is to go out, by the days of a zone.
//!
//! Publications are rows, the near times of schedules are rows, and those further ahead are computed from their rules.

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, OccurrenceId, PublicationId, ScheduleId, WorkspaceId};
use crate::on;
use crate::publications::{NewPublication, Part};
use crate::schedules::{self, Schedule, occurrences};
use crate::zones::{self, Wall, Zone};
use chrono::NaiveDate;
use serde::Serialize;
use std::str::FromStr;
use utoipa::ToSchema;
use uuid::Uuid;

/// Most days that are shown at once.
const MAX_DAYS: i64 = 92;
/// Most characters that are shown of a post.
const EXCERPT_CHARS: usize = 200;

/// Which days to show.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The first day, such as `2027-01-01`.
    pub from: &'a str,
    /// The last day.
    pub to: &'a str,
    /// The IANA zone whose days they are.
    pub zone: &'a str,
    /// The `next_cursor` of the page before.
    pub cursor: Option<&'a str>,
    /// The most items.
    pub limit: usize,
}

/// A page of the calendar.
#[derive(Debug, Serialize, ToSchema)]
pub struct Calendar {
    /// The zone whose days they are.
    pub zone: String,
    /// The days on which there is something, in order.
    pub days: Vec<CalendarDay>,
    /// Gives the next page, which may begin with the last day once more; absent on the last.
    pub next_cursor: Option<String>,
}

/// What there is on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarDay {
    /// The day, such as `2027-01-31`.
    pub date: String,
    /// In order of time.
    pub items: Vec<CalendarItem>,
}

/// What an item of the calendar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalendarKind {
    /// A publication, in whatever state.
    Publication,
    /// A time of a schedule that is no publication: it is to come, or was skipped.
    Occurrence,
}

/// Something on the calendar.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarItem {
    kind: CalendarKind,
    /// When it went out or is to go out.
    at: Timestamp,
    /// The same on the wall of the zone.
    local_time: Wall,
    /// The publication's state; or `planned` or `skipped`.
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    publication_id: Option<PublicationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_id: Option<ScheduleId>,
    /// Absent where the time is so far ahead that it is not planned yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    occurrence_id: Option<OccurrenceId>,
    connection_id: ConnectionId,
    platform: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// How the post begins.
    text: String,
    /// Why it was skipped, or what stands against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The same for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A place in the order of all items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(Timestamp, Uuid);

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let place = text.split_once('_').and_then(|(at, id)| Some(Self(Timestamp(at.parse().ok()?), id.parse().ok()?)));
        place.ok_or_else(|| Error::invalid("cursor", "This is no cursor of a calendar. Begin without one."))
    }
}

/// The stretch of time that is shown, and from where on.
struct Window {
    from: Timestamp,
    to: Timestamp,
    beyond: Place,
    zone: Zone,
    /// How many are read: one more than are shown.
    read: usize,
}

/// A page of a workspace's calendar.
///
/// # Errors
/// A day, the zone or the cursor makes no sense, or the days are too many.
pub async fn show(app: &App, workspace: WorkspaceId, wanted: &Wanted<'_>) -> Result<Calendar> {
    let zone = Zone::named(wanted.zone)?;
    let (first, last) = (day("from", wanted.from)?, day("to", wanted.to)?);
    if last < first || (last - first).num_days() >= MAX_DAYS {
        return Err(Error::invalid(
            "to",
            format!("It is no earlier than `from`, and a calendar shows {MAX_DAYS} days at most."),
        ));
    }
    let beyond = wanted.cursor.map(str::parse).transpose()?.unwrap_or(Place(Timestamp(i64::MIN), Uuid::nil()));
    let after_last = last.succ_opt().ok_or_else(|| Error::invalid("to", "There is no day after that."))?;
    let (from, to) = (zone.begins(first), zone.begins(after_last));
    let window = Window { from, to, beyond, zone, read: wanted.limit + 1 };
    let mut tx = app.db().read().await?;
    let mut items = published(&mut tx, workspace, &window).await?;
    items.extend(planned(&mut tx, workspace, &window).await?);
    let running = schedules::running(&mut tx, workspace).await?;
    drop(tx);
    let zone_name = zone.name().to_owned();
    let limit = wanted.limit;
    // Rules take a moment where they began long ago.
    let computed = tokio::task::spawn_blocking(move || computed(&running, &window));
    items.extend(computed.await.map_err(anyhow::Error::from)??);
    items.sort_by_key(|(place, _)| *place);
    let is_last = items.len() <= limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| !is_last).map(|(Place(at, id), _)| format!("{}_{id}", at.0));
    Ok(Calendar { zone: zone_name, days: by_day(items.into_iter().map(|(_, item)| item)), next_cursor })
}

fn day(field: &str, text: &str) -> Result<NaiveDate> {
    zones::day(text).ok_or_else(|| Error::invalid(field, "Name a day such as 2027-01-31."))
}

fn by_day(items: impl Iterator<Item = CalendarItem>) -> Vec<CalendarDay> {
    let mut days: Vec<CalendarDay> = Vec::new();
    for item in items {
        let date = item.local_time.0.date().to_string();
        match days.last_mut().filter(|day| day.date == date) {
            Some(day) => day.items.push(item),
            None => days.push(CalendarDay { date, items: vec![item] }),
        }
    }
    days
}

type Placed = (Place, CalendarItem);

#[derive(sqlx::FromRow)]
struct Published {
    id: PublicationId,
    at: Timestamp,
    state: String,
    connection_id: ConnectionId,
    platform: String,
    target: Option<String>,
    parts: String,
    schedule_id: Option<ScheduleId>,
    occurrence_id: Option<OccurrenceId>,
    code: Option<String>,
    reason: Option<String>,
}

const PUBLISHED: &str = "select p.id, coalesce(p.publish_at, p.created_at) as at, p.state, p.connection_id, p.platform, p.target,
        p.parts, o.schedule_id, o.id as occurrence_id, o.code, o.reason
    from publications p left join schedule_occurrences o on o.publication_id = p.id
    where p.workspace_id = $1 and coalesce(p.publish_at, p.created_at) >= $2 and coalesce(p.publish_at, p.created_at) < $3
        and (coalesce(p.publish_at, p.created_at) > $4 or p.id > $5) and p.reply_to is null
    order by coalesce(p.publish_at, p.created_at), p.id limit $6";

async fn published(tx: &mut Tx, workspace: WorkspaceId, window: &Window) -> Result<Vec<Placed>> {
    let Place(at, id) = window.beyond;
    let rows: Vec<Published> = on!(tx, conn => sqlx::query_as(PUBLISHED)
        .bind(workspace).bind(window.from.max(at)).bind(window.to).bind(at).bind(id).bind(window.read as i64)
        .fetch_all(conn).await)?;
    let items = rows.into_iter().map(|row| {
        let parts: Vec<Part> = serde_json::from_str(&row.parts).map_err(anyhow::Error::from)?;
        let item = CalendarItem {
            kind: CalendarKind::Publication,
            at: row.at,
            local_time: window.zone.wall(row.at),
            state: row.state,
            publication_id: Some(row.id),
            schedule_id: row.schedule_id,
            occurrence_id: row.occurrence_id,
            connection_id: row.connection_id,
            platform: row.platform,
            target: row.target,
            text: excerpt(&parts),
            code: row.code,
            reason: row.reason,
        };
        Ok((Place(row.at, row.id.0), item))
    });
    items.collect()
}

fn excerpt(parts: &[Part]) -> String {
    let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
    texts.join("\n").chars().take(EXCERPT_CHARS).collect()
}

async fn planned(tx: &mut Tx, workspace: WorkspaceId, window: &Window) -> Result<Vec<Placed>> {
    let Place(at, id) = window.beyond;
    let span = (window.from.max(at), window.to);
    let rows = occurrences::between(tx, workspace, span, (at, id), window.read as i64).await?;
    let items = rows.into_iter().map(|row| {
        let post: NewPublication = serde_json::from_str(&row.post).map_err(anyhow::Error::from)?;
        let state = if row.state == occurrences::State::Planned { "planned" } else { "skipped" };
        let mut item = CalendarItem::to_come(row.due_at, row.schedule_id, row.connection_id, post, window.zone);
        item = CalendarItem { occurrence_id: Some(row.id), code: row.code, reason: row.reason, ..item };
        Ok((Place(row.due_at, row.id.0), CalendarItem { state: state.to_owned(), ..item }))
    });
    items.collect()
}

/// What the rules name beyond the rows.
fn computed(running: &[Schedule], window: &Window) -> Result<Vec<Placed>> {
    let mut items = Vec::new();
    let last = Timestamp(window.to.0 - 1);
    for schedule in running.iter().filter(|schedule| schedule.planned_until() < last) {
        let from = Timestamp(window.from.max(window.beyond.0).0 - 1);
        let post = schedule.post()?;
        for time in schedule.times()?.between(from.max(schedule.planned_until()), last, window.read) {
            let place = Place(time.at, schedule.id.0);
            if place > window.beyond {
                let item =
                    CalendarItem::to_come(time.at, schedule.id, schedule.connection_id, post.clone(), window.zone);
                items.push((place, item));
            }
        }
    }
    Ok(items)
}

impl CalendarItem {
    fn to_come(
        at: Timestamp,
        schedule: ScheduleId,
        connection_id: ConnectionId,
        post: NewPublication,
        zone: Zone,
    ) -> Self {
        Self {
            kind: CalendarKind::Occurrence,
            at,
            local_time: zone.wall(at),
            state: "planned".to_owned(),
            publication_id: None,
            schedule_id: Some(schedule),
            occurrence_id: None,
            connection_id,
            text: excerpt(&post.parts),
            platform: post.platform,
            target: post.target,
            code: None,
            reason: None,
        }
    }
}
