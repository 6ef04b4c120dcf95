//! The rows of calendars.

use super::{Calendar, CalendarHead, ClosedDays};
use jiff::civil::Date;
use ledger::{Fault, Tx};
use scrip::Code;
use tokio_postgres::Row;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[LOCK_VERSION, INSERT, UPDATE, LOCK, FIND, LIST];

const LOCK_VERSION: &str = "
    SELECT version
    FROM calendars
    WHERE code = $1
    FOR UPDATE";

const INSERT: &str = "
    INSERT INTO calendars (code, weekends, closed_on, version)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";

const UPDATE: &str = "
    UPDATE calendars SET weekends = $2, closed_on = $3, version = $4
    WHERE code = $1";

// Shared: any number of schedules may begin to go by a calendar at once.
const LOCK: &str = "
    SELECT code, closed_on, weekends, version
    FROM calendars
    WHERE code = $1
    FOR SHARE";

const FIND: &str = "
    SELECT code, closed_on, weekends, version
    FROM calendars
    WHERE code = $1";

// The dates are stored in order.
const LIST: &str = "
    SELECT code, weekends, cardinality(closed_on), closed_on[1], closed_on[cardinality(closed_on)], version
    FROM calendars
    WHERE code > $1
    ORDER BY code
    LIMIT $2";

pub(super) async fn lock_version(tx: &Tx<'_>, code: &Code) -> Result<Option<i64>, Fault> {
    Ok(tx.query_opt(LOCK_VERSION, &[&code.as_str()]).await?.map(|row| row.try_get(0)).transpose()?)
}

/// Whether it was not there.
pub(super) async fn insert(tx: &Tx<'_>, calendar: &Calendar) -> Result<bool, Fault> {
    let Calendar { code, closed_days, version } = calendar;
    let dates: Vec<Date> = closed_days.dates().collect();
    Ok(tx.execute(INSERT, &[&code.as_str(), &closed_days.weekends(), &dates, version]).await? == 1)
}

pub(super) async fn update(tx: &Tx<'_>, calendar: &Calendar) -> Result<(), Fault> {
    let Calendar { code, closed_days, version } = calendar;
    let dates: Vec<Date> = closed_days.dates().collect();
    tx.execute(UPDATE, &[&code.as_str(), &closed_days.weekends(), &dates, version]).await?;
    Ok(())
}

pub(super) async fn lock(tx: &Tx<'_>, code: &Code) -> Result<Option<Calendar>, Fault> {
    tx.query_opt(LOCK, &[&code.as_str()]).await?.map(|row| to_calendar(&row)).transpose()
}

pub(super) async fn find(tx: &Tx<'_>, code: &Code) -> Result<Option<Calendar>, Fault> {
    tx.query_opt(FIND, &[&code.as_str()]).await?.map(|row| to_calendar(&row)).transpose()
}

pub(super) async fn list(tx: &Tx<'_>, after: &str, limit: i64) -> Result<Vec<CalendarHead>, Fault> {
    tx.query(LIST, &[&after, &limit]).await?.iter().map(to_head).collect()
}

/// A calendar's code in whichever row.
pub(crate) fn to_code(text: &str) -> Result<Code, Fault> {
    Code::parse(text).map_err(|_| Fault::Unreadable("a calendar's code".to_owned()))
}

fn to_calendar(row: &Row) -> Result<Calendar, Fault> {
    let dates: Vec<Date> = row.try_get(1)?;
    Ok(Calendar { code: to_code(row.try_get(0)?)?, closed_days: ClosedDays::new(dates, row.try_get(2)?), version: row.try_get(3)? })
}

fn to_head(row: &Row) -> Result<CalendarHead, Fault> {
    Ok(CalendarHead {
        code: to_code(row.try_get(0)?)?,
        weekends: row.try_get(1)?,
        date_count: row.try_get(2)?,
        first_on: row.try_get(3)?,
        last_on: row.try_get(4)?,
        version: row.try_get(5)?,
    })
}
