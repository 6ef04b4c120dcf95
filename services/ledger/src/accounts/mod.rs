//! Opening accounts. Everything else about an account is written by the posting engine.

mod store;

use crate::{Db, Failure};
use jiff::Timestamp;
use scrip::{UserId, VendorId};
pub use store::STATEMENTS;

/// The user already has an account with this vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the user already has an account with this vendor")]
pub struct AlreadyOpen;

/// Opens an empty account; answers when it was opened, by the database's time.
pub async fn open(db: &Db, user: UserId, vendor: VendorId) -> Result<Timestamp, Failure<AlreadyOpen>> {
    let mut connection = db.connection().await?;
    let tx = connection.begin_house().await?;
    let opened_at = store::insert_account(&tx, user, vendor).await?.ok_or(Failure::Refused(AlreadyOpen))?;
    tx.commit().await?;
    Ok(opened_at)
}
