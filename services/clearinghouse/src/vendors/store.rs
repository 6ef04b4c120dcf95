//! SQL of vendors and of where they are paid.

use super::{Change, NewVendor, Payout, Status, Supply, Switches, Vendor};
use crate::columns::{read_code, read_scale};
use crate::directory::VendorFacts;
use jiff::Timestamp;
use ledger::{Fault, TermsChange, Tx};
use scrip::{Code, Scale, UnitValue, VendorId};
use tokio_postgres::Row;

/// One row per vendor, with the unit value in force and its scheme.
macro_rules! select_vendor {
    ($rest:literal) => {
        concat!(
            "
    SELECT v.id, v.code, v.name, v.scale, v.status, v.can_issue, v.can_spend, v.can_convert_out, v.can_convert_in, v.version,
           u.value_micro, s.code, s.digits
    FROM vendors v
    LEFT JOIN LATERAL (
        SELECT uv.value_micro
        FROM unit_values uv
        WHERE uv.vendor_id = v.id AND uv.starts_at <= (SELECT clock_timestamp())
        ORDER BY uv.starts_at DESC
        LIMIT 1) u ON true
    LEFT JOIN scheme_members m ON m.vendor_id = v.id
    LEFT JOIN schemes s ON s.id = m.scheme_id",
            $rest
        )
    };
}

const FIND_VENDOR: &str = select_vendor!(" WHERE v.id = $1");
const LIST_VENDORS: &str = select_vendor!(" WHERE $1::text IS NULL OR v.code > $1 ORDER BY v.code LIMIT $2");
const INSERT_VENDOR: &str = "
    INSERT INTO vendors (id, code, name, scale, created_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (code) DO NOTHING";
const FIND_PAYOUT: &str = "
    SELECT account_holder, iban, bic
    FROM payouts
    WHERE vendor_id = $1";
const UPSERT_PAYOUT: &str = "
    INSERT INTO payouts (vendor_id, account_holder, iban, bic)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (vendor_id) DO UPDATE
    SET account_holder = excluded.account_holder, iban = excluded.iban, bic = excluded.bic";
// Not FOR UPDATE: every new row that refers to the vendor would wait for it, and its id never changes.
const LOCK_VERSION: &str = "
    SELECT version
    FROM vendors
    WHERE id = $1
    FOR NO KEY UPDATE";
const UPDATE_VENDOR: &str = "
    UPDATE vendors
    SET name = COALESCE($2, name),
        can_issue = COALESCE($3, can_issue),
        can_spend = COALESCE($4, can_spend),
        can_convert_out = COALESCE($5, can_convert_out),
        can_convert_in = COALESCE($6, can_convert_in),
        version = version + 1
    WHERE id = $1";
const UPDATE_STATUS: &str = "
    UPDATE vendors
    SET status = $2, version = version + 1
    WHERE id = $1";
const GET_SUPPLY: &str = "
    SELECT COALESCE(sum(issued), 0)::text, COALESCE(sum(retired), 0)::text
    FROM token_totals
    WHERE vendor_id = $1";

/// Every statement of this file, so that one test prepares them all.
pub const STATEMENTS: &[&str] =
    &[FIND_VENDOR, LIST_VENDORS, INSERT_VENDOR, FIND_PAYOUT, UPSERT_PAYOUT, LOCK_VERSION, UPDATE_VENDOR, UPDATE_STATUS, GET_SUPPLY];

pub(super) async fn find_vendor(tx: &Tx<'_>, id: VendorId) -> Result<Option<Vendor>, Fault> {
    tx.query_opt(FIND_VENDOR, &[&id.uuid()]).await?.as_ref().map(read_vendor).transpose()
}

/// In the order of the codes' bytes.
pub(super) async fn list_vendors(tx: &Tx<'_>, after: Option<&str>, limit: i64) -> Result<Vec<Vendor>, Fault> {
    tx.query(LIST_VENDORS, &[&after, &limit]).await?.iter().map(read_vendor).collect()
}

/// Whether the code was free.
pub(super) async fn insert_vendor(tx: &Tx<'_>, id: VendorId, vendor: &NewVendor, at: Timestamp) -> Result<bool, Fault> {
    let scale = i16::from(vendor.scale.decimals());
    Ok(tx.execute(INSERT_VENDOR, &[&id.uuid(), &vendor.code.as_str(), &vendor.name, &scale, &at]).await? == 1)
}

pub(super) async fn find_payout(tx: &Tx<'_>, vendor: VendorId) -> Result<Option<Payout>, Fault> {
    let row = tx.query_opt(FIND_PAYOUT, &[&vendor.uuid()]).await?;
    Ok(row.map(|row| Payout { account_holder: row.get(0), iban: row.get(1), bic: row.get(2) }))
}

pub(super) async fn upsert_payout(tx: &Tx<'_>, vendor: VendorId, payout: &Payout) -> Result<(), Fault> {
    tx.execute(UPSERT_PAYOUT, &[&vendor.uuid(), &payout.account_holder, &payout.iban, &payout.bic]).await?;
    Ok(())
}

/// The version, which stays until the tx ends.
pub(super) async fn lock_version(tx: &Tx<'_>, vendor: VendorId) -> Result<Option<i64>, Fault> {
    Ok(tx.query_opt(LOCK_VERSION, &[&vendor.uuid()]).await?.map(|row| row.get(0)))
}

pub(super) async fn update_vendor(tx: &TermsChange<'_, '_>, vendor: VendorId, change: &Change) -> Result<(), Fault> {
    let Change { name, issue, spend, convert_out, convert_in, payout: _ } = change;
    tx.execute(UPDATE_VENDOR, &[&vendor.uuid(), name, issue, spend, convert_out, convert_in]).await?;
    Ok(())
}

pub(super) async fn update_status(tx: &TermsChange<'_, '_>, vendor: VendorId, status: Status) -> Result<(), Fault> {
    tx.execute(UPDATE_STATUS, &[&vendor.uuid(), &status.as_str()]).await?;
    Ok(())
}

pub(super) async fn get_supply(tx: &Tx<'_>, vendor: VendorId) -> Result<Supply, Fault> {
    let row = tx.query_one(GET_SUPPLY, &[&vendor.uuid()]).await?;
    let count = |column| row.get::<_, &str>(column).parse::<i128>().map_err(|_| unreadable("supply"));
    Ok(Supply { issued: count(0)?, retired: count(1)? })
}

fn read_vendor(row: &Row) -> Result<Vendor, Fault> {
    let value = row.get::<_, Option<i64>>(10).map(|micro| UnitValue::try_new(micro).ok_or_else(|| unreadable("unit value")));
    let scheme = row.get::<_, Option<&str>>(11).map(|code| Code::parse(code).map_err(|_| unreadable("scheme code")));
    Ok(Vendor {
        facts: VendorFacts { id: VendorId::new(row.get(0)), code: read_code(row, 1)?, scale: read_scale(row, 3)? },
        name: row.get(2),
        status: Status::find(row.get(4)).ok_or_else(|| unreadable("status"))?,
        switches: Switches { issue: row.get(5), spend: row.get(6), convert_out: row.get(7), convert_in: row.get(8) },
        version: row.get(9),
        unit_value: value.transpose()?,
        scheme: scheme.transpose()?,
        digits: row.get::<_, Option<i16>>(12).and_then(|digits| Scale::try_new(digits.into())),
    })
}

fn unreadable(what: &str) -> Fault {
    Fault::Unreadable(format!("a vendor's {what}"))
}
