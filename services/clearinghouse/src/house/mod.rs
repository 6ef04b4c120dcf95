//! The house itself, as a party to transfers: the account that it pays from and is paid to.
//!
//! Shape: one row. The files of a run take it as it is when the run is computed, like the bank details of vendors.

mod error;
pub mod http;
mod store;

use crate::vendors::Payout;
pub use error::HouseRefusal;
use ledger::{Db, Failure, Fault};
pub use store::STATEMENTS;

/// Where the house is paid and pays from.
#[derive(Debug)]
pub struct HouseAccount {
    /// None: the house has not said.
    pub payout: Option<Payout>,
    /// Grows with each change.
    pub version: i64,
}

/// The service.
#[derive(Debug, Clone)]
pub struct House {
    db: Db,
}

impl House {
    /// The house of this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Its account, as it is now.
    pub async fn get_account(&self) -> Result<HouseAccount, Fault> {
        let mut connection = self.db.connection().await?;
        store::get(&connection.begin_house().await?).await
    }

    /// Sets it, if it is still at the version that the change was made for.
    pub async fn set_account(&self, is_expected: impl Fn(i64) -> bool, payout: &Payout) -> Result<HouseAccount, Failure<HouseRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let version = store::lock_version(&tx).await?;
        if !is_expected(version) {
            return Err(Failure::Refused(HouseRefusal::VersionMismatch { version }));
        }
        store::update(&tx, payout).await?;
        let account = store::get(&tx).await?;
        tx.commit().await?;
        Ok(account)
    }
}
