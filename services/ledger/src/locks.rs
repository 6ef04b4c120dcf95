//! The advisory locks of schemes and of capped vendors, all held to the end of the tx.
//!
//! A batch takes the window lock shared, *then* reads the open window; the closer takes it exclusively, as does whoever sets a cap, or has debts
//! count elsewhere. So no obligation can fall into a window that has been closed, without any delay to tune. The run lock is another one:
//! computing a run does not stop swaps.
//!
//! A batch that adds to what capped vendors owe locks each of them before it reads what they owe, so that two batches, of whichever
//! processes, never both take what is left under a cap.

use crate::pipeline::Pipeline;
use crate::{Fault, Tx};
use jiff::Timestamp;
use scrip::{SchemeId, VendorId};
use std::collections::BTreeSet;
use tokio_postgres::Statement;
use uuid::Uuid;

const WINDOW: i32 = 1;
const RUN: i32 = 2;
const DEBTOR: i32 = 3;

/// Every statement of this file, for the test that prepares them all.
pub(crate) const STATEMENTS: &[&str] = &[FIX_INSTANT, LOOK_AT_INSTANT, LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_DEBTORS];

// The time is taken after the last lock, because what is selected comes after what it is selected from; now() would be the start of the
// tx. The statements after this one find it in the setting, which ends with the tx. The key is `lock_key`.
pub(crate) const FIX_INSTANT: &str = "
    SELECT set_config('scriphouse.booked_at', clock_timestamp()::text, true)::timestamptz, (SELECT version FROM terms_version WHERE single)
    FROM (SELECT count(locked)
          FROM (SELECT pg_advisory_xact_lock_shared($1, key) AS locked
                FROM (SELECT unnest($2::integer[]) AS key
                      UNION
                      SELECT ('x' || right(scheme_id::text, 8))::bit(32)::integer
                      FROM scheme_members
                      WHERE vendor_id = ANY($3::uuid[])
                      ORDER BY key) k) l) all_locked";

// The same for whoever only looks, and locks nothing: of the open windows of these vendors' schemes, also which writer has filled its part most.
pub(crate) const LOOK_AT_INSTANT: &str = "
    SELECT set_config('scriphouse.booked_at', clock_timestamp()::text, true)::timestamptz, (SELECT version FROM terms_version WHERE single),
           coalesce((SELECT t.writer
                     FROM scheme_members m
                     JOIN windows w ON w.scheme_id = m.scheme_id AND w.state = 'open'
                     JOIN window_totals t ON t.window_id = w.id
                     WHERE m.vendor_id = ANY($1::uuid[])
                     ORDER BY t.gross_micro DESC
                     LIMIT 1), 0::smallint)";

const LOCK_SHARED: &str = "SELECT pg_advisory_xact_lock_shared($1, $2)";
const LOCK_EXCLUSIVE: &str = "SELECT pg_advisory_xact_lock($1, $2)";

// In the order of the keys, which is how they are given.
pub(crate) const LOCK_DEBTORS: &str = "
    SELECT pg_advisory_xact_lock($1, key)
    FROM unnest($2::integer[]) AS key";

/// Keeps the windows of these schemes, and of these vendors' schemes, open until the tx ends, and says the time from then on, which is also
/// the setting `scriphouse.booked_at` until the tx ends. Any number of batches may do so at once. Also says the version of the terms by which
/// the vendors' schemes were found, before it waited for any lock.
pub(crate) async fn fix_instant(
    tx: &Pipeline<'_>,
    statement: &Statement,
    schemes: &BTreeSet<SchemeId>,
    vendors: &[Uuid],
) -> Result<(Timestamp, i64), Fault> {
    let keys: Vec<i32> = schemes.iter().map(|scheme| lock_key(scheme.uuid())).collect();
    let row = tx.query_one(statement, &[&WINDOW, &keys, &vendors]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Keeps one scheme's window open until the tx ends.
pub async fn lock_scheme_shared(tx: &Tx<'_>, scheme: SchemeId) -> Result<(), Fault> {
    tx.query_one(LOCK_SHARED, &[&WINDOW, &lock_key(scheme.uuid())]).await?;
    Ok(())
}

/// Waits until nobody posts into the scheme's window, and keeps everybody out until the tx ends.
pub async fn lock_scheme_exclusive(tx: &Tx<'_>, scheme: SchemeId) -> Result<(), Fault> {
    tx.query_one(LOCK_EXCLUSIVE, &[&WINDOW, &lock_key(scheme.uuid())]).await?;
    Ok(())
}

/// One run of a scheme is computed at a time; posting goes on.
pub async fn lock_scheme_runs(tx: &Tx<'_>, scheme: SchemeId) -> Result<(), Fault> {
    tx.query_one(LOCK_EXCLUSIVE, &[&RUN, &lock_key(scheme.uuid())]).await?;
    Ok(())
}

/// Nobody else adds to what these vendors owe until the tx ends. It is the last that a batch locks before it writes: accounts, schemes and
/// trades come before.
pub(crate) async fn lock_debtors(tx: &Pipeline<'_>, statement: &Statement, debtors: impl Iterator<Item = VendorId>) -> Result<(), Fault> {
    let keys: BTreeSet<i32> = debtors.map(|debtor| lock_key(debtor.uuid())).collect();
    let keys: Vec<i32> = keys.into_iter().collect();
    tx.query(statement, &[&DEBTOR, &keys]).await?;
    Ok(())
}

/// The random tail of the id. Two schemes, or two vendors, with one key merely wait for each other.
fn lock_key(id: Uuid) -> i32 {
    let [.., a, b, c, d] = *id.as_bytes();
    i32::from_be_bytes([a, b, c, d])
}
