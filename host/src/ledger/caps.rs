//! How much a workspace, each of its members, or one of them may spend in a day or a month.
//!
//! A run counts for the day on which it was begun, in UTC, with what it has reserved, and later with what it was charged and not
//! given back. That is summed over the holds themselves while the account is locked, so no two requests pass a cap together, and
//! there is no counter that could go astray. Accounts without a cap pay nothing for it.

use super::holds::Reservation;
use super::lock;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{UserId, WorkspaceId};
use crate::on;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, Time};
use utoipa::ToSchema;

/// Whose spending a cap bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = CreditCapScope)]
pub enum Scope {
    /// All of the workspace together.
    Workspace,
    /// Each member for themselves, but for those with a cap of their own.
    EachMember,
    /// One member.
    Member,
}

/// For how long a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = CreditCapPeriod)]
pub enum Period {
    /// From midnight to midnight, UTC.
    Day,
    /// From the first of a month, UTC.
    Month,
}

/// How much may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditCap)]
pub struct Cap {
    /// Whose spending it bounds.
    pub scope: Scope,
    /// The member, where it is one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<UserId>,
    /// For how long it counts.
    pub period: Period,
    /// The most credits that runs which are begun in that time may cost.
    pub credits: i64,
}

/// A cap, and how far it is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CreditCapUse)]
pub struct CapUse {
    /// The cap.
    #[serde(flatten)]
    pub cap: Cap,
    /// Credits reserved and charged in the present period; absent for a cap that counts for each member apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<i64>,
    /// When the next period begins.
    pub frees_at: Timestamp,
}

impl Period {
    /// When the present one began, and when the next one begins.
    fn around(self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let midnight = now.calendar()?.replace_time(Time::MIDNIGHT);
        let (begin, next) = match self {
            Self::Day => (midnight, midnight.date().next_day()?),
            Self::Month => {
                let first = midnight.replace_day(1).ok()?;
                let next = match first.month() {
                    time::Month::December => first.date().replace_year(first.year().checked_add(1)?).ok()?,
                    _ => first.date(),
                };
                (first, next.replace_month(first.month().next()).ok()?)
            }
        };
        let next = OffsetDateTime::new_utc(next, Time::MIDNIGHT);
        let micros = |at: OffsetDateTime| i64::try_from(at.unix_timestamp_nanos() / 1_000).ok().map(Timestamp);
        Some((micros(begin)?, micros(next)?))
    }

    fn bounds(self, now: Timestamp) -> Result<(Timestamp, Timestamp)> {
        self.around(now).ok_or_else(|| anyhow::anyhow!("{now} is in no calendar").into())
    }

    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

impl Cap {
    /// What the table calls whom it bounds.
    fn subject(&self, workspace: WorkspaceId) -> uuid::Uuid {
        self.member.map_or(workspace.0, |member| member.0)
    }

    /// For a sentence.
    fn name(&self) -> String {
        let period = self.period.word();
        match self.scope {
            Scope::Workspace => format!("the workspace's cap of {} credits a {period}", self.credits),
            Scope::EachMember => format!("the cap of {} credits a {period} for each member", self.credits),
            Scope::Member => format!("your cap of {} credits a {period}", self.credits),
        }
    }
}

const LIST: &str = "select scope, subject, period, credits from credit_caps where workspace_id = $1
    order by scope desc, subject, period";
const USED: &str =
    "select cast(coalesce(sum(case state when 'open' then amount else charged - refunded end), 0) as bigint)
    from credit_holds where workspace_id = $1 and created_at >= $2";
const USED_BY: &str =
    "select cast(coalesce(sum(case state when 'open' then amount else charged - refunded end), 0) as bigint)
    from credit_holds where workspace_id = $1 and created_at >= $2 and member_id = $3";

async fn list(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Cap>> {
    let rows: Vec<(Scope, UserId, Period, i64)> =
        on!(tx, conn => sqlx::query_as(LIST).bind(workspace).fetch_all(conn).await)?;
    let caps = rows.into_iter().map(|(scope, subject, period, credits)| {
        let member = (scope == Scope::Member).then_some(subject);
        Cap { scope, member, period, credits }
    });
    Ok(caps.collect())
}

async fn used(tx: &mut Tx, workspace: WorkspaceId, since: Timestamp, member: Option<UserId>) -> Result<i64> {
    Ok(match member {
        Some(member) => on!(tx, conn => sqlx::query_scalar(USED_BY).bind(workspace).bind(since).bind(member)
            .fetch_one(conn).await)?,
        None => on!(tx, conn => sqlx::query_scalar(USED).bind(workspace).bind(since).fetch_one(conn).await)?,
    })
}

/// Why a reservation is against a cap; the account is locked.
pub(super) async fn refusal(
    tx: &mut Tx,
    workspace: WorkspaceId,
    wanted: &Reservation<'_>,
    now: Timestamp,
) -> Result<Option<Error>> {
    let caps = list(tx, workspace).await?;
    let has_own = |period: Period| {
        caps.iter().any(|cap| cap.member.is_some() && cap.member == wanted.member && cap.period == period)
    };
    for cap in &caps {
        let of = match cap.scope {
            Scope::Workspace => None,
            Scope::EachMember if wanted.member.is_some() && !has_own(cap.period) => wanted.member,
            Scope::Member if cap.member == wanted.member => wanted.member,
            Scope::EachMember | Scope::Member => continue,
        };
        let (since, frees_at) = cap.period.bounds(now)?;
        let used = used(tx, workspace, since, of).await?;
        if wanted.credits > cap.credits.saturating_sub(used) {
            let detail = format!(
                "This costs {} credits, and {} is used up to {used}. It counts anew from {frees_at} on.",
                wanted.credits,
                cap.name()
            );
            return Ok(Some(Error::Capped(detail)));
        }
    }
    Ok(None)
}

/// The caps of a workspace, and how far they are used up.
///
/// # Errors
/// The database failed.
pub async fn caps(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> Result<Vec<CapUse>> {
    let mut shown = Vec::new();
    for cap in list(tx, workspace).await? {
        let (since, frees_at) = cap.period.bounds(now)?;
        let used = match cap.scope {
            Scope::EachMember => None,
            Scope::Workspace | Scope::Member => Some(used(tx, workspace, since, cap.member).await?),
        };
        shown.push(CapUse { cap, used, frees_at });
    }
    Ok(shown)
}

const CLEAR: &str = "delete from credit_caps where workspace_id = $1";
const SET: &str = "insert into credit_caps (workspace_id, scope, subject, period, credits, set_by, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7)";
const COUNT: &str = "update credit_accounts set caps = $1 where workspace_id = $2";

/// Sets the caps of a workspace: these, and no others. What is reserved already stays so.
///
/// # Errors
/// [`Error::Invalid`] for a cap that makes no sense, or two of the same; the database failed.
pub async fn set_caps(tx: &mut Tx, workspace: WorkspaceId, caps: &[Cap], by: UserId, now: Timestamp) -> Result<()> {
    for (place, cap) in caps.iter().enumerate() {
        if !(0..=super::MAX_CHANGE).contains(&cap.credits) {
            let detail = format!("A cap is of 0 to {} credits.", super::MAX_CHANGE);
            return Err(Error::invalid(format!("caps/{place}/credits"), detail));
        }
        if cap.member.is_some() != (cap.scope == Scope::Member) {
            let detail = "A cap of scope `member` names a member; others name none.";
            return Err(Error::invalid(format!("caps/{place}/member"), detail));
        }
        let is_same = |other: &Cap| (other.scope, other.member, other.period) == (cap.scope, cap.member, cap.period);
        if caps[..place].iter().any(is_same) {
            return Err(Error::invalid(format!("caps/{place}"), "There is a cap of this scope and period above."));
        }
    }
    lock(tx, workspace).await?;
    on!(&mut *tx, conn => sqlx::query(CLEAR).bind(workspace).execute(conn).await.map(drop))?;
    for cap in caps {
        on!(&mut *tx, conn => sqlx::query(SET)
            .bind(workspace).bind(cap.scope).bind(cap.subject(workspace)).bind(cap.period).bind(cap.credits).bind(by).bind(now)
            .execute(conn).await.map(drop))?;
    }
    let count = i64::try_from(caps.len()).unwrap_or(i64::MAX);
    on!(&mut *tx, conn => sqlx::query(COUNT).bind(count).bind(workspace).execute(conn).await.map(drop))?;
    Ok(())
}
