//! The rows of windows.

use super::Window;
use jiff::Timestamp;
use ledger::{Fault, Tx};
use scrip::{SchemeId, WindowId};
use tokio_postgres::Row;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[INSERT, CLOSE_OPEN, FIND_BY_SLOT, FIND_OPEN, LIST_ABOVE_THRESHOLD];

const INSERT: &str = "
    INSERT INTO windows (id, scheme_id, number, state, opened_at)
    VALUES ($1, $2, $3, 'open', $4)";

// clock_timestamp() and not now(): the tx may have waited for the lock. An instant before opened_at would be a clock that went back.
const CLOSE_OPEN: &str = "
    UPDATE windows SET state = 'closed', closed_at = greatest(clock_timestamp(), opened_at), slot = $2, held = $3
    WHERE scheme_id = $1 AND state = 'open'
    RETURNING id, number, closed_at";

const FIND_BY_SLOT: &str = "
    SELECT id, number
    FROM windows
    WHERE scheme_id = $1 AND slot = $2";

const FIND_OPEN: &str = "
    SELECT id, number, opened_at
    FROM windows
    WHERE scheme_id = $1 AND state = 'open'";

// Only schemes with a threshold are summed up: their open windows, whole, at every beat. What runs carried (writer -2) could not be settled
// just now, for whatever reason, and is no cause to try again at once.
const LIST_ABOVE_THRESHOLD: &str = "
    SELECT s.id, w.number
    FROM schemes s
    JOIN windows w ON w.scheme_id = s.id AND w.state = 'open'
    WHERE s.settle_threshold_micro IS NOT NULL
          AND EXISTS (SELECT FROM (SELECT debtor_id AS vendor_id, amount_micro AS owes FROM positions WHERE window_id = w.id AND writer <> -2
                                   UNION ALL
                                   SELECT creditor_id, -amount_micro FROM positions WHERE window_id = w.id AND writer <> -2) p
                      GROUP BY vendor_id
                      HAVING sum(owes) > s.settle_threshold_micro)
    ORDER BY s.id";

pub(super) async fn insert(tx: &Tx<'_>, window: WindowId, scheme: SchemeId, number: i64, at: Timestamp) -> Result<(), Fault> {
    tx.execute(INSERT, &[&window.uuid(), &scheme.uuid(), &number, &at]).await?;
    Ok(())
}

pub(super) async fn close_open(tx: &Tx<'_>, scheme: SchemeId, slot: &str, held: bool) -> Result<Option<(WindowId, i64, Timestamp)>, Fault> {
    let row = tx.query_opt(CLOSE_OPEN, &[&scheme.uuid(), &slot, &held]).await?;
    row.map(|row| Ok((WindowId::new(row.try_get(0)?), row.try_get(1)?, row.try_get(2)?))).transpose()
}

pub(super) async fn find_by_slot(tx: &Tx<'_>, scheme: SchemeId, slot: &str) -> Result<Option<(WindowId, i64)>, Fault> {
    let row = tx.query_opt(FIND_BY_SLOT, &[&scheme.uuid(), &slot]).await?;
    row.map(|row| Ok((WindowId::new(row.try_get(0)?), row.try_get(1)?))).transpose()
}

/// The scheme's open window; the caller holds the window lock if it is going to write into it.
pub(crate) async fn find_open(tx: &Tx<'_>, scheme: SchemeId) -> Result<Option<Window>, Fault> {
    tx.query_opt(FIND_OPEN, &[&scheme.uuid()]).await?.map(to_window).transpose()
}

/// The schemes in whose open window a vendor owes more on balance than the scheme's threshold, with that window's number.
pub(crate) async fn list_above_threshold(tx: &Tx<'_>) -> Result<Vec<(SchemeId, i64)>, Fault> {
    let rows = tx.query(LIST_ABOVE_THRESHOLD, &[]).await?;
    rows.iter().map(|row| Ok((SchemeId::new(row.try_get(0)?), row.try_get(1)?))).collect()
}

fn to_window(row: Row) -> Result<Window, Fault> {
    Ok(Window { id: WindowId::new(row.try_get(0)?), number: row.try_get(1)?, opened_at: row.try_get(2)?, closed: None })
}
