//! The rows of exclusions.

use super::Exclusion;
use crate::steps::Actor;
use jiff::Timestamp;
use ledger::{Fault, Tx};
use scrip::{SchemeId, VendorId};
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[FIND_MEMBER, INSERT, LIFT, LIST, LIST_VENDORS];

const FIND_MEMBER: &str = "
    SELECT v.id
    FROM vendors v
    JOIN scheme_members m ON m.vendor_id = v.id
    WHERE v.code = $2 AND m.scheme_id = $1";

const INSERT: &str = "
    INSERT INTO exclusions (id, scheme_id, vendor_id, reason, excluded_by, excluded_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (scheme_id, vendor_id) WHERE lifted_at IS NULL DO NOTHING";

const LIFT: &str = "
    UPDATE exclusions SET lifted_by = $3, lifted_at = $4
    WHERE scheme_id = $1 AND vendor_id = $2 AND lifted_at IS NULL";

const LIST: &str = "
    SELECT v.code, x.reason, x.excluded_by, x.excluded_at
    FROM exclusions x
    JOIN vendors v ON v.id = x.vendor_id
    WHERE x.scheme_id = $1 AND x.lifted_at IS NULL AND v.code > $2
    ORDER BY v.code
    LIMIT $3";

const LIST_VENDORS: &str = "
    SELECT vendor_id
    FROM exclusions
    WHERE scheme_id = $1 AND lifted_at IS NULL
    ORDER BY vendor_id";

pub(super) async fn find_member(tx: &Tx<'_>, scheme: SchemeId, code: &str) -> Result<Option<VendorId>, Fault> {
    // PostgreSQL takes no NUL, and no code has one.
    if code.contains('\0') {
        return Ok(None);
    }
    tx.query_opt(FIND_MEMBER, &[&scheme.uuid(), &code]).await?.map(|row| Ok(VendorId::new(row.try_get(0)?))).transpose()
}

pub(super) async fn insert(
    tx: &Tx<'_>,
    id: Uuid,
    scheme: SchemeId,
    vendor: VendorId,
    reason: &str,
    actor: &Actor,
    at: Timestamp,
) -> Result<(), Fault> {
    tx.execute(INSERT, &[&id, &scheme.uuid(), &vendor.uuid(), &reason, &actor.to_string(), &at]).await?;
    Ok(())
}

/// Whether it was excluded.
pub(super) async fn lift(tx: &Tx<'_>, scheme: SchemeId, vendor: VendorId, actor: &Actor, at: Timestamp) -> Result<bool, Fault> {
    Ok(tx.execute(LIFT, &[&scheme.uuid(), &vendor.uuid(), &actor.to_string(), &at]).await? == 1)
}

/// Whom the scheme's runs leave out, with a code above `after`. For the house only.
pub async fn list(tx: &Tx<'_>, scheme: SchemeId, after: &str, limit: i64) -> Result<Vec<Exclusion>, Fault> {
    let rows = tx.query(LIST, &[&scheme.uuid(), &after, &limit]).await?;
    rows.iter()
        .map(|row| {
            let actor: &str = row.try_get(2)?;
            Ok(Exclusion {
                vendor: row.try_get(0)?,
                reason: row.try_get(1)?,
                excluded_by: actor.parse().map_err(|_| Fault::Unreadable(format!("actor {actor}")))?,
                excluded_at: row.try_get(3)?,
            })
        })
        .collect()
}

/// The vendors that the scheme's next run leaves out.
pub(crate) async fn list_vendors(tx: &Tx<'_>, scheme: SchemeId) -> Result<Vec<VendorId>, Fault> {
    tx.query(LIST_VENDORS, &[&scheme.uuid()]).await?.iter().map(|row| Ok(VendorId::new(row.try_get(0)?))).collect()
}
