//! A user's accounts: opening one with a vendor, its balance, and its statement of entries.
//!
//! Reads run as the user or as the vendor, so that row security decides what is there.

mod error;
pub mod http;
mod store;

use crate::http::page::{Page, Paged};
use crate::vendors::Directory;
use error::AccountRefusal;
use http::{AccountView, EntryView, HoldingView};
use ledger::{Db, Failure};
use scrip::{UserId, VendorId};
pub use store::STATEMENTS;

/// The accounts of users.
#[derive(Debug, Clone)]
pub struct Accounts {
    db: Db,
    directory: Directory,
}

type Answer<T> = Result<T, Failure<AccountRefusal>>;

impl Accounts {
    /// Accounts in this database.
    pub fn new(db: Db, directory: Directory) -> Self {
        Self { db, directory }
    }

    /// Opens an empty account with the vendor.
    pub async fn open(&self, user: UserId, vendor: &str) -> Answer<AccountView> {
        let vendor = self.directory.named(vendor).await?.ok_or(Failure::Refused(AccountRefusal::VendorNotFound))?;
        match ledger::accounts::open(&self.db, user, vendor.id).await {
            Ok(opened_at) => Ok(AccountView::empty(&vendor, opened_at)),
            Err(Failure::Refused(ledger::accounts::AlreadyOpen)) => Err(Failure::Refused(AccountRefusal::AlreadyOpen)),
            Err(Failure::Fault(fault)) => Err(fault.into()),
        }
    }

    /// The user's accounts, by vendor code.
    pub async fn list(&self, user: UserId, page: &Page, after: Option<String>) -> Answer<Paged<AccountView>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        let rows = store::list_accounts(&tx, user, after.as_deref(), page.limit_plus_one()).await?;
        Ok(page.of(rows, |row| row.vendor.clone()))
    }

    /// One account.
    pub async fn get(&self, user: UserId, vendor: &str) -> Answer<AccountView> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        let row = store::find_account(&tx, user, vendor).await?;
        row.map(AccountView::from).ok_or(Failure::Refused(AccountRefusal::AccountNotFound))
    }

    /// The account's entries, newest first.
    pub async fn statement(&self, user: UserId, vendor: &str, page: &Page, before: Option<i64>) -> Answer<Paged<EntryView>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        store::find_account(&tx, user, vendor).await?.ok_or(Failure::Refused(AccountRefusal::AccountNotFound))?;
        let rows = store::list_entries(&tx, user, vendor, before, page.limit_plus_one()).await?;
        Ok(page.of(rows, |row| row.seq))
    }

    /// The accounts in a vendor's token, by user handle, as the vendor sees them.
    pub async fn holdings(&self, vendor: VendorId, page: &Page, after: Option<uuid::Uuid>) -> Answer<Paged<HoldingView>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let rows = store::list_holdings(&tx, vendor, after, page.limit_plus_one()).await?;
        Ok(page.of(rows, |row| row.user))
    }
}
