//! The row of the house's account.

use super::HouseAccount;
use crate::vendors::Payout;
use ledger::{Fault, Tx};

/// Every statement of this file, so that one test prepares them all.
pub const STATEMENTS: &[&str] = &[GET, LOCK_VERSION, UPDATE];

const GET: &str = "
    SELECT account_holder, iban, bic, version
    FROM house_account
    WHERE single";

const LOCK_VERSION: &str = "
    SELECT version
    FROM house_account
    WHERE single
    FOR NO KEY UPDATE";

const UPDATE: &str = "
    UPDATE house_account
    SET account_holder = $1, iban = $2, bic = $3, version = version + 1
    WHERE single";

pub(super) async fn get(tx: &Tx<'_>) -> Result<HouseAccount, Fault> {
    let row = tx.query_one(GET, &[]).await?;
    let payout = match (row.try_get(0)?, row.try_get(1)?) {
        (Some(account_holder), Some(iban)) => Some(Payout { account_holder, iban, bic: row.try_get(2)? }),
        (_, _) => None,
    };
    Ok(HouseAccount { payout, version: row.try_get(3)? })
}

/// The version, which stays until the tx ends.
pub(super) async fn lock_version(tx: &Tx<'_>) -> Result<i64, Fault> {
    Ok(tx.query_one(LOCK_VERSION, &[]).await?.try_get(0)?)
}

pub(super) async fn update(tx: &Tx<'_>, payout: &Payout) -> Result<(), Fault> {
    tx.execute(UPDATE, &[&payout.account_holder, &payout.iban, &payout.bic]).await?;
    Ok(())
}
