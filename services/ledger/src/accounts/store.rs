//! The one statement that makes an account.

use crate::{Fault, Tx};
use jiff::Timestamp;
use scrip::{UserId, VendorId};

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[INSERT_ACCOUNT];

const INSERT_ACCOUNT: &str = "
    INSERT INTO accounts (user_id, vendor_id, balance, held, entry_count, opened_at)
    VALUES ($1, $2, 0, 0, 0, clock_timestamp())
    ON CONFLICT ON CONSTRAINT accounts_pkey DO NOTHING
    RETURNING opened_at";

/// None if the account is there already.
pub(super) async fn insert_account(tx: &Tx<'_>, user: UserId, vendor: VendorId) -> Result<Option<Timestamp>, Fault> {
    let row = tx.query_opt(INSERT_ACCOUNT, &[&user.uuid(), &vendor.uuid()]).await?;
    Ok(row.map(|r| r.try_get(0)).transpose()?)
}
