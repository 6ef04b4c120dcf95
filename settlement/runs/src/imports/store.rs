//! The rows that an import reads and writes, its obligations apart.

use jiff::Timestamp;
use ledger::copy::CopyIn;
use ledger::{Fault, Tx};
use scrip::{OperationId, SchemeId, VendorId, WindowId};
use std::collections::HashMap;
use tokio_postgres::types::Type;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[CLAIM, FIND_CLAIM, FIND_OPEN_WINDOW, LIST_VENDORS, COPY_VENDORS, COPY_MEMBERS];

const CLAIM: &str = "
    INSERT INTO idempotency (actor_id, key, request_hash, answer, created_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (actor_id, key) DO NOTHING";

const FIND_CLAIM: &str = "
    SELECT created_at
    FROM idempotency
    WHERE actor_id = $1 AND key = $2";

// The clock is read together with the window: the caller holds the window lock by now.
const FIND_OPEN_WINDOW: &str = "
    SELECT id, number, clock_timestamp()
    FROM windows
    WHERE scheme_id = $1 AND state = 'open'";

const LIST_VENDORS: &str = "
    SELECT v.code, v.id, m.vendor_id IS NOT NULL
    FROM vendors v
    LEFT JOIN scheme_members m ON m.vendor_id = v.id AND m.scheme_id = $1
    WHERE v.code = ANY ($2)";

// Two decimals, like most currencies. Without a unit value nobody can swap the token until the vendor sets one.
const COPY_VENDORS: &str = "
    COPY vendors (id, code, name, scale, created_at)
    FROM STDIN BINARY";

const COPY_MEMBERS: &str = "
    COPY scheme_members (vendor_id, scheme_id, joined_at)
    FROM STDIN BINARY";

const SCALE: i16 = 2;

/// Whether a vendor settles in the scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Membership {
    Member,
    Stranger,
}

/// A vendor to be made.
pub(super) struct NewVendor<'a> {
    pub(super) id: VendorId,
    pub(super) code: &'a str,
    pub(super) name: &'a str,
}

/// Claims the file for the scheme; when it has been imported before, says when. Waits for an import of it that is under way.
pub(super) async fn claim(
    tx: &Tx<'_>,
    scheme: SchemeId,
    sha256: &[u8; 32],
    operation: OperationId,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let key = format!("import:{}", hex::encode(sha256));
    let claimed = tx.execute(CLAIM, &[&scheme.uuid(), &key, &sha256.as_slice(), &operation.to_string(), &now]).await?;
    if claimed == 1 { Ok(None) } else { Ok(Some(tx.query_one(FIND_CLAIM, &[&scheme.uuid(), &key]).await?.try_get(0)?)) }
}

/// The open window, its number, and the database's time.
pub(super) async fn find_open_window(tx: &Tx<'_>, scheme: SchemeId) -> Result<Option<(WindowId, i64, Timestamp)>, Fault> {
    let row = tx.query_opt(FIND_OPEN_WINDOW, &[&scheme.uuid()]).await?;
    row.map(|row| Ok((WindowId::new(row.try_get(0)?), row.try_get(1)?, row.try_get(2)?))).transpose()
}

pub(super) async fn list_vendors(tx: &Tx<'_>, scheme: SchemeId, codes: &[&str]) -> Result<HashMap<String, (VendorId, Membership)>, Fault> {
    let rows = tx.query(LIST_VENDORS, &[&scheme.uuid(), &codes]).await?;
    rows.iter()
        .map(|row| {
            let membership = if row.try_get(2)? { Membership::Member } else { Membership::Stranger };
            Ok((row.try_get(0)?, (VendorId::new(row.try_get(1)?), membership)))
        })
        .collect()
}

pub(super) async fn insert_vendors(tx: &Tx<'_>, scheme: SchemeId, vendors: &[NewVendor<'_>], now: Timestamp) -> Result<(), Fault> {
    let types = &[Type::UUID, Type::TEXT, Type::TEXT, Type::INT2, Type::TIMESTAMPTZ];
    let mut copy = CopyIn::begin(tx, COPY_VENDORS, types).await?;
    for NewVendor { id, code, name } in vendors {
        copy.row(&[&id.uuid(), code, name, &SCALE, &now]).await?;
    }
    copy.finish().await?;
    let mut copy = CopyIn::begin(tx, COPY_MEMBERS, &[Type::UUID, Type::UUID, Type::TIMESTAMPTZ]).await?;
    for NewVendor { id, .. } in vendors {
        copy.row(&[&id.uuid(), &scheme.uuid(), &now]).await?;
    }
    copy.finish().await
}
