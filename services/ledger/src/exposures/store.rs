//! SQL of exposures: sums over windows that are not settled.

use crate::pipeline::{Pipeline, Step, step};
use crate::{Fault, TermsChange, Tx};
use jiff::Timestamp;
use scrip::posting::{Exposure, ExposureKey, Exposures};
use scrip::{Micro, VendorId, WindowId};
use std::collections::BTreeMap;
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub(crate) const STATEMENTS: &[&str] =
    &[READ_UNSETTLED, READ_CLOSED, READ_OPEN, ADD, UPSERT_DEBIT_CAP, TRACK, FORGET, MERGE, RELEASE, FORGET_WINDOW];

/// What the vendors sum to that were capped while the window was open: until then the sums of nobody's batches.
const BEFORE_THE_CAP: i16 = -5;
/// What a closed window sums to.
const CLOSED_WINDOW: i16 = -4;

/// What `$debtor` owes `$creditor` in the unsettled run `r`. Once its transfers are to be paid, they are what is owed, but for those that were rolled, which are owed elsewhere. Until then the
/// obligations are, less what the run carries; it may carry more between two vendors than they owed each other.
macro_rules! of_pair_in_run {
    ($debtor:literal, $creditor:literal) => {
        concat!(
            "CASE WHEN r.state IN ('exported', 'settling')
                  THEN (SELECT coalesce(sum(t.amount_micro), 0) FROM transfers t
                        WHERE t.payer_id = ",
            $debtor,
            " AND t.payee_id = ",
            $creditor,
            " AND t.run_id = r.id AND t.state <> 'rolled')
                  ELSE greatest((SELECT coalesce(sum(p.amount_micro), 0) FROM windows w JOIN positions p ON p.window_id = w.id
                                 WHERE w.run_id = r.id AND p.debtor_id = ",
            $debtor,
            " AND p.creditor_id = ",
            $creditor,
            ") - (SELECT coalesce(sum(c.amount_micro), 0) FROM run_carries c
                                    WHERE c.debtor_id = ",
            $debtor,
            " AND c.creditor_id = ",
            $creditor,
            " AND c.run_id = r.id), 0)
             END"
        )
    };
}

/// What each key owes and is owed: in its scheme's windows `w` that `$which` names and no run has netted, where `$owes` and `$owed` are its vendor's part of
/// one of them; and in the runs that are not settled, of which a vendor's part is what their transfers are to move for it, less what was rolled.
/// Run by run, so that what is settled, of which there is ever more, is never walked.
macro_rules! read_exposures {
    ($which:literal, $owes:literal, $owed:literal) => {
        concat!(
            "
    SELECT k.debtor_id, k.creditor_id, d.owes, d.owed
    FROM unnest($1::uuid[], $2::uuid[]) AS k(debtor_id, creditor_id)
    JOIN scheme_members m ON m.vendor_id = k.debtor_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(n.owes), 0)::text AS owes, coalesce(sum(n.owed), 0)::text AS owed
        FROM (SELECT CASE WHEN k.creditor_id IS NULL
                          THEN (",
            $owes,
            ")
                          ELSE (SELECT sum(p.amount_micro) FROM positions p
                                WHERE p.window_id = w.id AND p.debtor_id = k.debtor_id AND p.creditor_id = k.creditor_id) END AS owes,
                     CASE WHEN k.creditor_id IS NULL
                          THEN (",
            $owed,
            ")
                          ELSE (SELECT sum(p.amount_micro) FROM positions p
                                WHERE p.window_id = w.id AND p.debtor_id = k.creditor_id AND p.creditor_id = k.debtor_id) END AS owed
              FROM windows w
              WHERE w.scheme_id = m.scheme_id AND w.run_id IS NULL AND ",
            $which,
            "
              UNION ALL
              SELECT greatest(-p.settled_micro, 0) - (SELECT coalesce(sum(t.amount_micro), 0) FROM transfers t
                                                      WHERE t.run_id = u.run_id AND t.payer_id = k.debtor_id AND t.state = 'rolled'),
                     greatest(p.settled_micro, 0) - (SELECT coalesce(sum(t.amount_micro), 0) FROM transfers t
                                                     WHERE t.run_id = u.run_id AND t.payee_id = k.debtor_id AND t.state = 'rolled')
              FROM (SELECT DISTINCT w.run_id FROM windows w WHERE w.scheme_id = m.scheme_id AND w.settled_at IS NULL) u
              JOIN run_positions p ON p.run_id = u.run_id AND p.vendor_id = k.debtor_id
              WHERE k.creditor_id IS NULL
              UNION ALL
              SELECT ",
            of_pair_in_run!("k.debtor_id", "k.creditor_id"),
            ", ",
            of_pair_in_run!("k.creditor_id", "k.debtor_id"),
            "
              FROM (SELECT DISTINCT w.run_id FROM windows w WHERE w.scheme_id = m.scheme_id AND w.settled_at IS NULL) u
              JOIN runs r ON r.id = u.run_id
              WHERE k.creditor_id IS NOT NULL) n) d"
        )
    };
}

// Of any vendor, capped or not.
const READ_UNSETTLED: &str = read_exposures!(
    "true",
    "SELECT sum(p.amount_micro) FROM positions p WHERE p.window_id = w.id AND p.debtor_id = k.debtor_id",
    "SELECT sum(p.amount_micro) FROM positions p WHERE p.window_id = w.id AND p.creditor_id = k.debtor_id"
);
/// Of capped vendors and of pairs, in closed windows: this changes only when a window closes, and with what becomes of runs and transfers.
pub(crate) const READ_CLOSED: &str = read_exposures!(
    "w.state = 'closed'",
    "SELECT sum(e.owes_micro) FROM exposures e WHERE e.window_id = w.id AND e.vendor_id = k.debtor_id",
    "SELECT sum(e.owed_micro) FROM exposures e WHERE e.window_id = w.id AND e.vendor_id = k.debtor_id"
);
/// Of capped vendors and of pairs, in the open window, which no run has netted.
pub(crate) const READ_OPEN: &str = "
    SELECT k.debtor_id, k.creditor_id,
           coalesce(CASE WHEN k.creditor_id IS NULL
                         THEN (SELECT sum(e.owes_micro) FROM exposures e WHERE e.window_id = w.id AND e.vendor_id = k.debtor_id)
                         ELSE (SELECT sum(p.amount_micro) FROM positions p
                               WHERE p.window_id = w.id AND p.debtor_id = k.debtor_id AND p.creditor_id = k.creditor_id) END, 0)::text,
           coalesce(CASE WHEN k.creditor_id IS NULL
                         THEN (SELECT sum(e.owed_micro) FROM exposures e WHERE e.window_id = w.id AND e.vendor_id = k.debtor_id)
                         ELSE (SELECT sum(p.amount_micro) FROM positions p
                               WHERE p.window_id = w.id AND p.debtor_id = k.creditor_id AND p.creditor_id = k.debtor_id) END, 0)::text
    FROM unnest($1::uuid[], $2::uuid[]) AS k(debtor_id, creditor_id)
    JOIN scheme_members m ON m.vendor_id = k.debtor_id
    JOIN windows w ON w.scheme_id = m.scheme_id AND w.state = 'open'";

// Vendors without a cap have no sums.
const ADD: &str = "
    INSERT INTO exposures (window_id, vendor_id, writer, owes_micro, owed_micro)
    SELECT u.window_id, u.vendor_id, $1, u.owes_micro, u.owed_micro
    FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[]) AS u(window_id, vendor_id, owes_micro, owed_micro)
    JOIN debit_caps c ON c.vendor_id = u.vendor_id AND c.cap_micro IS NOT NULL
    ON CONFLICT (window_id, vendor_id, writer) DO UPDATE
    SET owes_micro = exposures.owes_micro + excluded.owes_micro, owed_micro = exposures.owed_micro + excluded.owed_micro";

const UPSERT_DEBIT_CAP: &str = "
    INSERT INTO debit_caps (vendor_id, cap_micro, version, changed_at)
    VALUES ($1, $2, 2, $3)
    ON CONFLICT (vendor_id) DO UPDATE
    SET cap_micro = excluded.cap_micro, version = debit_caps.version + 1, changed_at = excluded.changed_at";

const TRACK: &str = "
    INSERT INTO exposures (window_id, vendor_id, writer, owes_micro, owed_micro)
    SELECT window_id, $1, $2, sum(owes), sum(owed)
    FROM (SELECT p.window_id, p.amount_micro AS owes, 0 AS owed
          FROM windows w JOIN positions p ON p.window_id = w.id AND p.debtor_id = $1
          WHERE w.settled_at IS NULL
          UNION ALL
          SELECT p.window_id, 0, p.amount_micro
          FROM windows w JOIN positions p ON p.window_id = w.id AND p.creditor_id = $1
          WHERE w.settled_at IS NULL) s
    GROUP BY window_id";

const FORGET: &str = "
    DELETE FROM exposures
    WHERE vendor_id = $1";

const MERGE: &str = "
    WITH open AS (DELETE FROM exposures WHERE window_id = $1 RETURNING vendor_id, owes_micro, owed_micro)
    INSERT INTO exposures (window_id, vendor_id, writer, owes_micro, owed_micro)
    SELECT $1, vendor_id, $2, sum(owes_micro), sum(owed_micro)
    FROM open
    GROUP BY vendor_id";

const RELEASE: &str = "
    UPDATE windows
    SET settled_at = clock_timestamp()
    WHERE id = $1 AND settled_at IS NULL";

const FORGET_WINDOW: &str = "
    DELETE FROM exposures
    WHERE window_id = $1";

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

/// What a batch makes vendors owe and be owed, by window; in key order, so that two writers cannot wait for each other in a circle.
pub(crate) type Sums = BTreeMap<(WindowId, VendorId), Exposure>;

/// Adds to the sums of those of the vendors that are capped.
pub(crate) fn add(writer: i16, sums: &Sums) -> Result<Step<'static>, Fault> {
    let (mut windows, mut vendors, mut owes, mut owed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let fit = |sum: i128| i64::try_from(sum).map_err(|_| Fault::PositionTooLarge);
    for ((window, vendor), sum) in sums {
        windows.push(window.uuid());
        vendors.push(vendor.uuid());
        owes.push(fit(sum.owes)?);
        owed.push(fit(sum.owed)?);
    }
    Ok(step!(ADD, writer, windows, vendors, owes, owed))
}

pub(super) async fn upsert_debit_cap(tx: &TermsChange<'_, '_>, vendor: VendorId, cap: Option<Micro>, at: Timestamp) -> Result<(), Fault> {
    tx.execute(UPSERT_DEBIT_CAP, &[&vendor.uuid(), &cap.map(Micro::units), &at]).await?;
    Ok(())
}

/// Sums up what the vendor owes and is owed so far.
pub(super) async fn track(tx: &Tx<'_>, vendor: VendorId) -> Result<(), Fault> {
    tx.execute(TRACK, &[&vendor.uuid(), &BEFORE_THE_CAP]).await?;
    Ok(())
}

pub(super) async fn forget(tx: &Tx<'_>, vendor: VendorId) -> Result<(), Fault> {
    tx.execute(FORGET, &[&vendor.uuid()]).await?;
    Ok(())
}

pub(super) async fn merge(tx: &Tx<'_>, window: WindowId) -> Result<(), Fault> {
    tx.execute(MERGE, &[&window.uuid(), &CLOSED_WINDOW]).await?;
    Ok(())
}

/// Whether it counted until now.
pub(super) async fn release(tx: &TermsChange<'_, '_>, window: WindowId) -> Result<bool, Fault> {
    let released = tx.execute(RELEASE, &[&window.uuid()]).await? == 1;
    tx.execute(FORGET_WINDOW, &[&window.uuid()]).await?;
    Ok(released)
}
