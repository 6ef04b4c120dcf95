//! SQL of exposures: sums over positions of windows that are not settled.

use crate::pipeline::Pipeline;
use crate::{Fault, TermsChange, Tx};
use scrip::posting::{Exposure, ExposureKey, Exposures};
use scrip::{VendorId, WindowId};
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub(crate) const STATEMENTS: &[&str] = &[READ_UNSETTLED, READ_CLOSED, READ_OPEN, RELEASE];

/// Of one side of an exposure, over its scheme's windows `w` that `$which` names. Window by window, so that the positions of settled
/// windows, of which there are ever more, are never walked.
macro_rules! sum_positions {
    ($which:literal, $debtor:literal, $creditor:literal) => {
        concat!(
            "(SELECT coalesce(sum(CASE WHEN k.creditor_id IS NULL
                         THEN (SELECT sum(p.amount_micro) FROM positions p WHERE p.window_id = w.id AND p.",
            $debtor,
            " = k.debtor_id)
                         ELSE (SELECT sum(p.amount_micro) FROM positions p
                               WHERE p.window_id = w.id AND p.",
            $debtor,
            " = k.debtor_id AND p.",
            $creditor,
            " = k.creditor_id)
                         END), 0)::text
            FROM windows w
            WHERE w.scheme_id = m.scheme_id AND ",
            $which,
            ")"
        )
    };
}

/// What each key owes and is owed.
macro_rules! read_exposures {
    ($which:literal) => {
        concat!(
            "
    SELECT k.debtor_id, k.creditor_id,
           ",
            sum_positions!($which, "debtor_id", "creditor_id"),
            ",
           ",
            sum_positions!($which, "creditor_id", "debtor_id"),
            "
    FROM unnest($1::uuid[], $2::uuid[]) AS k(debtor_id, creditor_id)
    JOIN scheme_members m ON m.vendor_id = k.debtor_id"
        )
    };
}

const READ_UNSETTLED: &str = read_exposures!("w.settled_at IS NULL");
/// In windows that are closed: these sums change only when one is closed or released.
pub(crate) const READ_CLOSED: &str = read_exposures!("w.settled_at IS NULL AND w.state = 'closed'");
/// In the open window.
pub(crate) const READ_OPEN: &str = read_exposures!("w.state = 'open'");

const RELEASE: &str = "
    UPDATE windows
    SET settled_at = clock_timestamp()
    WHERE id = $1 AND settled_at IS NULL";

/// Over everything unsettled.
pub(super) async fn read(tx: &Tx<'_>, keys: impl IntoIterator<Item = ExposureKey>) -> Result<Exposures, Fault> {
    let (debtors, creditors) = columns(keys);
    tx.query(READ_UNSETTLED, &[&debtors, &creditors]).await?.iter().map(exposure).collect()
}

/// As far as the statement reads, which is [`READ_CLOSED`] or [`READ_OPEN`]; asks nothing where there is nothing to ask.
pub(crate) async fn read_part(
    tx: &Pipeline<'_>,
    statement: &Statement,
    keys: impl IntoIterator<Item = ExposureKey>,
) -> Result<Exposures, Fault> {
    let (debtors, creditors) = columns(keys);
    if debtors.is_empty() {
        return Ok(Exposures::default());
    }
    tx.query(statement, &[&debtors, &creditors]).await?.iter().map(exposure).collect()
}

fn columns(keys: impl IntoIterator<Item = ExposureKey>) -> (Vec<Uuid>, Vec<Option<Uuid>>) {
    keys.into_iter().map(|key| (key.debtor.uuid(), key.creditor.map(VendorId::uuid))).unzip()
}

fn exposure(row: &Row) -> Result<(ExposureKey, Exposure), Fault> {
    let creditor = row.try_get::<_, Option<Uuid>>(1)?.map(VendorId::new);
    let sum = |column| {
        let text: &str = row.try_get(column)?;
        text.parse().map_err(|_| Fault::Unreadable(format!("a sum of positions: {text}")))
    };
    Ok((ExposureKey { debtor: VendorId::new(row.try_get(0)?), creditor }, Exposure { owes: sum(2)?, owed: sum(3)? }))
}

pub(super) async fn release(tx: &TermsChange<'_, '_>, window: WindowId) -> Result<bool, Fault> {
    Ok(tx.execute(RELEASE, &[&window.uuid()]).await? == 1)
}
