//! Reading what never changes of a vendor.

use super::VendorFacts;
use crate::columns::{read_code, read_scale};
use ledger::{Fault, Tx};
use scrip::{Code, VendorId};
use tokio_postgres::Row;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[FIND_BY_CODE, FIND_BY_CODES, FIND_BY_ID];

const FIND_BY_CODE: &str = "SELECT id, code, scale FROM vendors WHERE code = $1";
const FIND_BY_CODES: &str = "SELECT id, code, scale FROM vendors WHERE code = ANY($1)";
const FIND_BY_ID: &str = "SELECT id, code, scale FROM vendors WHERE id = $1";

pub(super) async fn find_by_code(tx: &Tx<'_>, code: &Code) -> Result<Option<VendorFacts>, Fault> {
    tx.query_opt(FIND_BY_CODE, &[&code.as_str()]).await?.map(|row| read_facts(&row, 0)).transpose()
}

pub(super) async fn find_by_codes(tx: &Tx<'_>, codes: &[&str]) -> Result<Vec<VendorFacts>, Fault> {
    tx.query(FIND_BY_CODES, &[&codes]).await?.iter().map(|row| read_facts(row, 0)).collect()
}

pub(super) async fn find_by_id(tx: &Tx<'_>, id: VendorId) -> Result<Option<VendorFacts>, Fault> {
    tx.query_opt(FIND_BY_ID, &[&id.uuid()]).await?.map(|row| read_facts(&row, 0)).transpose()
}

/// Three columns from `first` on: a vendor's id, code and scale.
pub(crate) fn read_facts(row: &Row, first: usize) -> Result<VendorFacts, Fault> {
    let (code, scale) = (first.saturating_add(1), first.saturating_add(2));
    Ok(VendorFacts { id: VendorId::new(row.try_get(first)?), code: read_code(row, code)?, scale: read_scale(row, scale)? })
}
