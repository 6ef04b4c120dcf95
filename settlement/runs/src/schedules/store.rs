//! The rows of schedules.

use super::{Misfire, Observance, OnClosed, Schedule, ScheduleId};
use crate::calendars::{ClosedDays, to_code};
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::{Fault, Tx};
use scrip::{Code, SchemeId};
use tokio_postgres::Row;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[INSERT, LIST, FIND, LOCK, LOCK_BY_CALENDAR, UPDATE, DISABLE, CLAIM_DUE];

const INSERT: &str = "
    INSERT INTO schedules (id, scheme_id, cron, zone, misfire, enabled, next_at, created_at, calendar_code, on_closed)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// Schedules with the days of their calendars, which condition to be said.
macro_rules! select_schedules {
    ($which:literal) => {
        concat!(
            "
    SELECT s.id, s.scheme_id, s.cron, s.zone, s.misfire, s.enabled, s.next_at, s.calendar_code, s.on_closed, c.closed_on, c.weekends
    FROM schedules s
    LEFT JOIN calendars c ON c.code = s.calendar_code",
            $which
        )
    };
}

const LIST: &str = select_schedules!(
    "
    WHERE s.scheme_id = $1
    ORDER BY s.id"
);

const FIND: &str = select_schedules!(
    "
    WHERE s.id = $1"
);

const LOCK: &str = "
    SELECT id
    FROM schedules
    WHERE id = $1
    FOR UPDATE";

const LOCK_BY_CALENDAR: &str = "
    SELECT id
    FROM schedules
    WHERE calendar_code = $1
    ORDER BY id
    FOR UPDATE";

const UPDATE: &str = "
    UPDATE schedules SET enabled = $2, next_at = $3
    WHERE id = $1";

const DISABLE: &str = "
    UPDATE schedules SET enabled = false
    WHERE id = $1";

const CLAIM_DUE: &str = "
    SELECT id, scheme_id
    FROM schedules
    WHERE enabled AND next_at <= $1
    ORDER BY next_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED";

pub(super) async fn insert(tx: &Tx<'_>, schedule: &Schedule, now: Timestamp) -> Result<(), Fault> {
    let Schedule { id, scheme, cron, zone, misfire, observance, enabled, next_at } = schedule;
    let calendar = observance.as_ref().map(|observance| observance.calendar.as_str());
    let on_closed = observance.as_ref().map(|observance| observance.on_closed.as_str());
    let misfire = misfire.as_str();
    tx.execute(INSERT, &[&id.0, &scheme.uuid(), cron, zone, &misfire, enabled, next_at, &now, &calendar, &on_closed]).await?;
    Ok(())
}

pub(super) async fn list(tx: &Tx<'_>, scheme: SchemeId) -> Result<Vec<Schedule>, Fault> {
    tx.query(LIST, &[&scheme.uuid()]).await?.iter().map(to_schedule).collect()
}

pub(super) async fn find(tx: &Tx<'_>, id: ScheduleId) -> Result<Option<Schedule>, Fault> {
    tx.query_opt(FIND, &[&id.0]).await?.as_ref().map(to_schedule).transpose()
}

/// Whether it is there; then it stays locked until the tx ends.
pub(super) async fn lock(tx: &Tx<'_>, id: ScheduleId) -> Result<bool, Fault> {
    Ok(tx.query_opt(LOCK, &[&id.0]).await?.is_some())
}

/// All schedules that go by the calendar; they stay locked until the tx ends.
pub(super) async fn lock_by_calendar(tx: &Tx<'_>, calendar: &Code) -> Result<Vec<ScheduleId>, Fault> {
    let rows = tx.query(LOCK_BY_CALENDAR, &[&calendar.as_str()]).await?;
    rows.iter().map(|row| Ok(ScheduleId(row.try_get(0)?))).collect()
}

pub(super) async fn update(tx: &Tx<'_>, id: ScheduleId, enabled: bool, next_at: Timestamp) -> Result<(), Fault> {
    tx.execute(UPDATE, &[&id.0, &enabled, &next_at]).await?;
    Ok(())
}

pub(super) async fn disable(tx: &Tx<'_>, id: ScheduleId) -> Result<(), Fault> {
    tx.execute(DISABLE, &[&id.0]).await?;
    Ok(())
}

/// One due schedule that nobody else holds, and its scheme; it stays locked until the tx ends.
pub(super) async fn claim_due(tx: &Tx<'_>, now: Timestamp) -> Result<Option<(ScheduleId, SchemeId)>, Fault> {
    let row = tx.query_opt(CLAIM_DUE, &[&now]).await?;
    row.map(|row| Ok((ScheduleId(row.try_get(0)?), SchemeId::new(row.try_get(1)?)))).transpose()
}

fn to_schedule(row: &Row) -> Result<Schedule, Fault> {
    let misfire: String = row.try_get(4)?;
    Ok(Schedule {
        id: ScheduleId(row.try_get(0)?),
        scheme: SchemeId::new(row.try_get(1)?),
        cron: row.try_get(2)?,
        zone: row.try_get(3)?,
        misfire: Misfire::parse(&misfire).ok_or_else(|| Fault::Unreadable(format!("misfire policy {misfire}")))?,
        observance: to_observance(row)?,
        enabled: row.try_get(5)?,
        next_at: row.try_get(6)?,
    })
}

fn to_observance(row: &Row) -> Result<Option<Observance>, Fault> {
    let Some(calendar) = row.try_get::<_, Option<&str>>(7)? else { return Ok(None) };
    let on_closed: String = row.try_get(8)?;
    let dates: Vec<Date> = row.try_get(9)?;
    Ok(Some(Observance {
        calendar: to_code(calendar)?,
        closed_days: ClosedDays::new(dates, row.try_get(10)?),
        on_closed: OnClosed::parse(&on_closed).ok_or_else(|| Fault::Unreadable(format!("on_closed {on_closed}")))?,
    }))
}
