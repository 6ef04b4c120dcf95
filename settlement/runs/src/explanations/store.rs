//! What explanations read beside what the run was netted from.

use crate::runs::NettedWindow;
use ledger::{Fault, Tx};
use netting::clearing::Rule;
use scrip::{Micro, RunId, SchemeId, VendorId, WindowId};
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub(crate) const STATEMENTS: &[&str] = &[LIST_PARTIES, LIST_WINDOWS, GET_RULE, LIST_COLLATERAL, COUNT_OBLIGATIONS, LIST_MEMBERS];

const LIST_PARTIES: &str = "
    SELECT p.vendor_id, v.code
    FROM run_positions p
    JOIN vendors v ON v.id = p.vendor_id
    WHERE p.run_id = $1
    ORDER BY v.code";

const LIST_WINDOWS: &str = "
    SELECT w.id
    FROM run_windows r
    JOIN windows w ON w.id = r.window_id
    WHERE r.run_id = $1
    ORDER BY w.number";

const GET_RULE: &str = "
    SELECT s.failure_rule
    FROM runs r
    JOIN schemes s ON s.id = r.scheme_id
    WHERE r.id = $1";

const LIST_COLLATERAL: &str = "
    SELECT v.code, m.collateral_micro
    FROM runs r
    JOIN scheme_members m ON m.scheme_id = r.scheme_id
    JOIN vendors v ON v.id = m.vendor_id
    WHERE r.id = $1 AND v.code = ANY ($2::text[])";

const COUNT_OBLIGATIONS: &str = "
    SELECT coalesce(sum(obligation_count), 0)::bigint
    FROM positions
    WHERE window_id = ANY ($1::uuid[])";

const LIST_MEMBERS: &str = "
    SELECT m.vendor_id, v.code, m.collateral_micro
    FROM scheme_members m
    JOIN vendors v ON v.id = m.vendor_id
    WHERE m.scheme_id = $1
    ORDER BY v.code";

/// The vendors with a position in the run, in byte order of their codes.
pub(super) async fn list_parties(tx: &Tx<'_>, run: RunId) -> Result<Vec<(VendorId, String)>, Fault> {
    let rows = tx.query(LIST_PARTIES, &[&run.uuid()]).await?;
    rows.iter().map(|row| Ok((VendorId::new(row.try_get(0)?), row.try_get(1)?))).collect()
}

/// The windows that the run nets or netted, the oldest first.
pub(super) async fn list_windows(tx: &Tx<'_>, run: RunId) -> Result<Vec<WindowId>, Fault> {
    tx.query(LIST_WINDOWS, &[&run.uuid()]).await?.iter().map(|row| Ok(WindowId::new(row.try_get(0)?))).collect()
}

/// Who bears it when a vendor of the run's scheme does not pay.
pub(super) async fn get_rule(tx: &Tx<'_>, run: RunId) -> Result<Rule, Fault> {
    let name: String = tx.query_one(GET_RULE, &[&run.uuid()]).await?.try_get(0)?;
    name.parse().map_err(|_unknown| Fault::Unreadable(format!("failure rule {name}")))
}

/// What the house holds of those of the vendors that are members of the run's scheme.
pub(super) async fn list_collateral(tx: &Tx<'_>, run: RunId, vendors: &[String]) -> Result<Vec<(String, Micro)>, Fault> {
    let rows = tx.query(LIST_COLLATERAL, &[&run.uuid(), &vendors]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, Micro::new(row.try_get(1)?)))).collect()
}

/// How many obligations the windows hold.
pub(super) async fn count_obligations(tx: &Tx<'_>, windows: &[NettedWindow]) -> Result<i64, Fault> {
    let ids: Vec<Uuid> = windows.iter().map(|window| window.id.uuid()).collect();
    Ok(tx.query_one(COUNT_OBLIGATIONS, &[&ids]).await?.try_get(0)?)
}

/// The scheme's vendors with their codes and what the house holds of theirs, in byte order of the codes.
pub(super) async fn list_members(tx: &Tx<'_>, scheme: SchemeId) -> Result<Vec<(VendorId, String, Micro)>, Fault> {
    let rows = tx.query(LIST_MEMBERS, &[&scheme.uuid()]).await?;
    rows.iter().map(|row| Ok((VendorId::new(row.try_get(0)?), row.try_get(1)?, Micro::new(row.try_get(2)?)))).collect()
}
