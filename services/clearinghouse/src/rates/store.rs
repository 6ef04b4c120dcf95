//! SQL of unit values and rates: rows that begin at an instant and are never edited.

use crate::directory::{VendorFacts, read_facts};
use jiff::Timestamp;
use ledger::{Fault, TermsChange, Tx};
use scrip::rate::{Margin, PairRate, RateVersion, StoredRate};
use scrip::{Scale, SchemeId, UnitValue, VendorId};
use tokio_postgres::Row;
use uuid::Uuid;

const INSERT_UNIT_VALUE: &str = "
    INSERT INTO unit_values (vendor_id, starts_at, value_micro, created_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (vendor_id, starts_at) DO NOTHING
    RETURNING starts_at, value_micro, created_at";
const LIST_UNIT_VALUES: &str = "
    SELECT starts_at, value_micro, created_at
    FROM unit_values
    WHERE vendor_id = $1 AND ($2::timestamptz IS NULL OR starts_at < $2)
    ORDER BY starts_at DESC
    LIMIT $3";
const INSERT_RATE: &str = "
    INSERT INTO rates (from_vendor_id, to_vendor_id, starts_at, id, kind, send_units, receive_units, margin_bps, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (from_vendor_id, to_vendor_id, starts_at) DO NOTHING
    RETURNING starts_at";
const LIST_RATES: &str = "
    SELECT r.id, r.kind, r.send_units, r.receive_units, r.margin_bps, v.id, v.code, v.scale, r.starts_at, r.created_at
    FROM rates r
    JOIN vendors v ON v.id = r.from_vendor_id
    WHERE r.to_vendor_id = $1 AND ($2::uuid IS NULL OR r.id < $2)
    ORDER BY r.id DESC
    LIMIT $3";
const FIND_TERMS: &str = "
    SELECT m.scheme_id, s.digits, u.value_micro
    FROM (SELECT $1::uuid AS vendor_id) v
    LEFT JOIN scheme_members m ON m.vendor_id = v.vendor_id
    LEFT JOIN schemes s ON s.id = m.scheme_id
    LEFT JOIN LATERAL (
        SELECT value_micro
        FROM unit_values
        WHERE vendor_id = v.vendor_id AND starts_at <= $2
        ORDER BY starts_at DESC
        LIMIT 1) u ON true";
const FIND_RATE: &str = "
    SELECT id, kind, send_units, receive_units, margin_bps
    FROM rates
    WHERE from_vendor_id = $1 AND to_vendor_id = $2 AND starts_at <= $3
    ORDER BY starts_at DESC
    LIMIT 1";

/// Every statement of this file, so that one test prepares them all.
pub const STATEMENTS: &[&str] = &[INSERT_UNIT_VALUE, LIST_UNIT_VALUES, INSERT_RATE, LIST_RATES, FIND_TERMS, FIND_RATE];

/// A version of a vendor's unit value.
#[derive(Debug, Clone)]
pub(super) struct UnitValueRow {
    pub(super) starts_at: Timestamp,
    pub(super) value: UnitValue,
    pub(super) created_at: Timestamp,
}

/// A version of a rate, with the vendor that it is for.
#[derive(Debug, Clone)]
pub(super) struct RateRow {
    pub(super) version: RateVersion,
    pub(super) from: VendorFacts,
    pub(super) starts_at: Timestamp,
    pub(super) created_at: Timestamp,
}

/// What a vendor's side of a rate depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct TermsRow {
    pub(super) scheme: Option<SchemeId>,
    pub(super) digits: Option<Scale>,
    pub(super) unit_value: Option<UnitValue>,
}

/// None where another one begins at the same instant.
pub(super) async fn insert_unit_value(
    tx: &TermsChange<'_, '_>,
    vendor: VendorId,
    starts_at: Timestamp,
    value: UnitValue,
    created_at: Timestamp,
) -> Result<Option<UnitValueRow>, Fault> {
    let row = tx.query_opt(INSERT_UNIT_VALUE, &[&vendor.uuid(), &starts_at, &value.micro(), &created_at]).await?;
    row.as_ref().map(unit_value_row).transpose()
}

/// Latest start first, before `before`.
pub(super) async fn list_unit_values(
    tx: &Tx<'_>,
    vendor: VendorId,
    before: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<UnitValueRow>, Fault> {
    tx.query(LIST_UNIT_VALUES, &[&vendor.uuid(), &before, &limit]).await?.iter().map(unit_value_row).collect()
}

/// The two tokens of a rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) from: VendorId,
    pub(super) to: VendorId,
}

/// When it begins, as stored; none where another one begins at the same instant.
pub(super) async fn insert_rate(
    tx: &TermsChange<'_, '_>,
    pair: Pair,
    version: RateVersion,
    starts_at: Timestamp,
    created_at: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let (kind, send, receive, margin) = match version.rate {
        PairRate::Cross { margin } => ("cross", None, None, margin),
        PairRate::Fixed { send, receive, margin } => ("fixed", Some(send.units()), Some(receive.units()), margin),
        PairRate::Closed => ("closed", None, None, Margin::default()),
    };
    let margin = i32::from(margin.bps());
    let (from, to) = (pair.from.uuid(), pair.to.uuid());
    let row = tx.query_opt(INSERT_RATE, &[&from, &to, &starts_at, &version.id, &kind, &send, &receive, &margin, &created_at]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The rates into the vendor's token, last made first, made before `before`.
pub(super) async fn list_rates(tx: &Tx<'_>, to: VendorId, before: Option<Uuid>, limit: i64) -> Result<Vec<RateRow>, Fault> {
    tx.query(LIST_RATES, &[&to.uuid(), &before, &limit]).await?.iter().map(rate_row).collect()
}

pub(super) async fn find_terms(tx: &Tx<'_>, vendor: VendorId, at: Timestamp) -> Result<TermsRow, Fault> {
    let row = tx.query_one(FIND_TERMS, &[&vendor.uuid(), &at]).await?;
    Ok(TermsRow {
        scheme: row.try_get::<_, Option<Uuid>>(0)?.map(SchemeId::new),
        digits: row.try_get::<_, Option<i16>>(1)?.and_then(|digits| Scale::try_new(digits.into())),
        unit_value: row.try_get::<_, Option<i64>>(2)?.and_then(UnitValue::try_new),
    })
}

/// What the destination vendor configured, in force at the instant.
pub(super) async fn find_rate(tx: &Tx<'_>, pair: Pair, at: Timestamp) -> Result<Option<RateVersion>, Fault> {
    tx.query_opt(FIND_RATE, &[&pair.from.uuid(), &pair.to.uuid(), &at]).await?.as_ref().map(rate_version).transpose()
}

fn unit_value_row(row: &Row) -> Result<UnitValueRow, Fault> {
    let value = UnitValue::try_new(row.try_get(1)?).ok_or_else(|| unreadable("unit value"))?;
    Ok(UnitValueRow { starts_at: row.try_get(0)?, value, created_at: row.try_get(2)? })
}

fn rate_row(row: &Row) -> Result<RateRow, Fault> {
    Ok(RateRow { version: rate_version(row)?, from: read_facts(row, 5)?, starts_at: row.try_get(8)?, created_at: row.try_get(9)? })
}

fn rate_version(row: &Row) -> Result<RateVersion, Fault> {
    let stored =
        StoredRate { kind: row.try_get(1)?, send_units: row.try_get(2)?, receive_units: row.try_get(3)?, margin_bps: row.try_get(4)? };
    Ok(RateVersion { id: row.try_get(0)?, rate: stored.read().ok_or_else(|| unreadable("terms"))? })
}

fn unreadable(what: &str) -> Fault {
    Fault::Unreadable(format!("a rate's {what}"))
}
