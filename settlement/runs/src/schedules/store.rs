//! The rows of schedules.

use super::{Misfire, Schedule, ScheduleId};
use jiff::Timestamp;
use ledger::{Fault, Tx};
use scrip::SchemeId;
use tokio_postgres::Row;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[INSERT, LIST, LOCK, UPDATE, CLAIM_DUE];

const INSERT: &str = "
    INSERT INTO schedules (id, scheme_id, cron, zone, misfire, enabled, next_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const LIST: &str = "
    SELECT id, scheme_id, cron, zone, misfire, enabled, next_at
    FROM schedules
    WHERE scheme_id = $1
    ORDER BY id";

const LOCK: &str = "
    SELECT id, scheme_id, cron, zone, misfire, enabled, next_at
    FROM schedules
    WHERE id = $1
    FOR UPDATE";

const UPDATE: &str = "
    UPDATE schedules SET enabled = $2, next_at = $3
    WHERE id = $1";

const CLAIM_DUE: &str = "
    SELECT id, scheme_id, cron, zone, misfire, enabled, next_at
    FROM schedules
    WHERE enabled AND next_at <= $1
    ORDER BY next_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED";

pub(super) async fn insert(tx: &Tx<'_>, schedule: &Schedule, now: Timestamp) -> Result<(), Fault> {
    let Schedule { id, scheme, cron, zone, misfire, enabled, next_at } = schedule;
    tx.execute(INSERT, &[&id.0, &scheme.uuid(), cron, zone, &misfire.as_str(), enabled, next_at, &now]).await?;
    Ok(())
}

pub(super) async fn list(tx: &Tx<'_>, scheme: SchemeId) -> Result<Vec<Schedule>, Fault> {
    tx.query(LIST, &[&scheme.uuid()]).await?.into_iter().map(to_schedule).collect()
}

pub(super) async fn lock(tx: &Tx<'_>, id: ScheduleId) -> Result<Option<Schedule>, Fault> {
    tx.query_opt(LOCK, &[&id.0]).await?.map(to_schedule).transpose()
}

pub(super) async fn update(tx: &Tx<'_>, id: ScheduleId, enabled: bool, next_at: Timestamp) -> Result<(), Fault> {
    tx.execute(UPDATE, &[&id.0, &enabled, &next_at]).await?;
    Ok(())
}

/// One due schedule that nobody else holds; it stays locked until the tx ends.
pub(super) async fn claim_due(tx: &Tx<'_>, now: Timestamp) -> Result<Option<Schedule>, Fault> {
    tx.query_opt(CLAIM_DUE, &[&now]).await?.map(to_schedule).transpose()
}

fn to_schedule(row: Row) -> Result<Schedule, Fault> {
    let misfire: String = row.try_get(4)?;
    Ok(Schedule {
        id: ScheduleId(row.try_get(0)?),
        scheme: SchemeId::new(row.try_get(1)?),
        cron: row.try_get(2)?,
        zone: row.try_get(3)?,
        misfire: Misfire::parse(&misfire).ok_or_else(|| Fault::Unreadable(format!("misfire policy {misfire}")))?,
        enabled: row.try_get(5)?,
        next_at: row.try_get(6)?,
    })
}
