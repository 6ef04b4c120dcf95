//! SQL of caps.

use super::{BilateralCap, DebitCap, Pair, Scheme};
use crate::directory::{VendorFacts, read_facts};
use jiff::Timestamp;
use ledger::{Fault, TermsChange, Tx};
use scrip::{Micro, SchemeId, VendorId};
use tokio_postgres::Row;
use uuid::Uuid;

// Without a row there is no cap, at version 1.
const FIND_DEBIT_CAP: &str = "
    SELECT c.cap_micro, coalesce(c.version, 1), s.id, s.currency
    FROM vendors v
    LEFT JOIN debit_caps c ON c.vendor_id = v.id
    LEFT JOIN scheme_members m ON m.vendor_id = v.id
    LEFT JOIN schemes s ON s.id = m.scheme_id
    WHERE v.id = $1";
const FIND_COMMON_SCHEME: &str = "
    SELECT c.scheme_id
    FROM scheme_members c
    JOIN scheme_members d ON d.scheme_id = c.scheme_id
    WHERE c.vendor_id = $1 AND d.vendor_id = $2";
const FIND_BILATERAL_CAP: &str = "
    SELECT cap_micro, version
    FROM bilateral_caps
    WHERE creditor_id = $1 AND debtor_id = $2";
const UPSERT_BILATERAL_CAP: &str = "
    INSERT INTO bilateral_caps (creditor_id, debtor_id, cap_micro, version, changed_at)
    VALUES ($1, $2, $3, 2, $4)
    ON CONFLICT (creditor_id, debtor_id) DO UPDATE
    SET cap_micro = excluded.cap_micro, version = bilateral_caps.version + 1, changed_at = excluded.changed_at";

/// The caps that are set, with both vendors.
macro_rules! select_bilateral_caps {
    ($rest:literal) => {
        concat!(
            "
    SELECT d.id, d.code, d.scale, c.id, c.code, c.scale, b.cap_micro, b.version
    FROM bilateral_caps b
    JOIN vendors d ON d.id = b.debtor_id
    JOIN vendors c ON c.id = b.creditor_id
    WHERE b.cap_micro IS NOT NULL AND ",
            $rest
        )
    };
}

const LIST_DEBTORS: &str = select_bilateral_caps!("b.creditor_id = $1 AND ($2::text IS NULL OR d.code > $2) ORDER BY d.code LIMIT $3");
const LIST_CREDITORS: &str = select_bilateral_caps!("b.debtor_id = $1 AND ($2::text IS NULL OR c.code > $2) ORDER BY c.code LIMIT $3");

/// Every statement of this file, so that one test prepares them all.
pub const STATEMENTS: &[&str] =
    &[FIND_DEBIT_CAP, FIND_COMMON_SCHEME, FIND_BILATERAL_CAP, UPSERT_BILATERAL_CAP, LIST_DEBTORS, LIST_CREDITORS];

pub(super) async fn find_debit_cap(tx: &Tx<'_>, vendor: VendorFacts) -> Result<DebitCap, Fault> {
    let row = tx.query_one(FIND_DEBIT_CAP, &[&vendor.id.uuid()]).await?;
    let scheme = row.try_get::<_, Option<Uuid>>(2)?.zip(row.try_get::<_, Option<String>>(3)?);
    let scheme = scheme.map(|(id, currency)| Scheme { id: SchemeId::new(id), currency });
    Ok(DebitCap { vendor, scheme, cap: read_cap(&row, 0)?, version: row.try_get(1)? })
}

pub(super) async fn find_common_scheme(tx: &Tx<'_>, pair: &Pair) -> Result<Option<SchemeId>, Fault> {
    let row = tx.query_opt(FIND_COMMON_SCHEME, &[&pair.creditor.id.uuid(), &pair.debtor.id.uuid()]).await?;
    row.map(|row| Ok(SchemeId::new(row.try_get(0)?))).transpose()
}

/// Without a row there is no cap, at version 1.
pub(super) async fn find_bilateral_cap(tx: &Tx<'_>, pair: Pair) -> Result<BilateralCap, Fault> {
    let Pair { creditor, debtor } = pair;
    let row = tx.query_opt(FIND_BILATERAL_CAP, &[&creditor.id.uuid(), &debtor.id.uuid()]).await?;
    let (cap, version) = match row {
        Some(row) => (read_cap(&row, 0)?, row.try_get(1)?),
        None => (None, 1),
    };
    Ok(BilateralCap { debtor, creditor, cap, version })
}

pub(super) async fn upsert_bilateral_cap(tx: &TermsChange<'_, '_>, pair: &Pair, cap: Option<Micro>, at: Timestamp) -> Result<(), Fault> {
    let (creditor, debtor) = (pair.creditor.id.uuid(), pair.debtor.id.uuid());
    tx.execute(UPSERT_BILATERAL_CAP, &[&creditor, &debtor, &cap.map(Micro::units), &at]).await?;
    Ok(())
}

/// What a creditor accepts, in the order of the debtors' codes.
pub(super) async fn list_debtors(tx: &Tx<'_>, creditor: VendorId, after: Option<&str>, limit: i64) -> Result<Vec<BilateralCap>, Fault> {
    tx.query(LIST_DEBTORS, &[&creditor.uuid(), &after, &limit]).await?.iter().map(read_bilateral_cap).collect()
}

/// What is accepted of a debtor, in the order of the creditors' codes.
pub(super) async fn list_creditors(tx: &Tx<'_>, debtor: VendorId, after: Option<&str>, limit: i64) -> Result<Vec<BilateralCap>, Fault> {
    tx.query(LIST_CREDITORS, &[&debtor.uuid(), &after, &limit]).await?.iter().map(read_bilateral_cap).collect()
}

fn read_bilateral_cap(row: &Row) -> Result<BilateralCap, Fault> {
    Ok(BilateralCap { debtor: read_facts(row, 0)?, creditor: read_facts(row, 3)?, cap: read_cap(row, 6)?, version: row.try_get(7)? })
}

fn read_cap(row: &Row, column: usize) -> Result<Option<Micro>, Fault> {
    Ok(row.try_get::<_, Option<i64>>(column)?.map(Micro::new))
}
