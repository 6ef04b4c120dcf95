//! A user's accounts: opening one with a vendor, its balance, and its statement of entries.
//!
//! Reads run as the user or as the vendor, so that row security decides what is there.

mod error;
pub mod http;
mod store;

use crate::directory::Directory;
use error::AccountRefusal;
use jiff::Timestamp;
use ledger::{Db, Failure, Fault, Tx};
use scrip::{Code, Scale, Tokens, UserId, VendorId};
pub use store::STATEMENTS;
use uuid::Uuid;

/// A user's account with a vendor.
#[derive(Debug)]
pub struct Account {
    /// The vendor's code.
    pub vendor: String,
    /// The decimals of its token.
    pub scale: Scale,
    /// What can be spent.
    pub balance: Tokens,
    /// What is set aside for proposed trades.
    pub held: Tokens,
    /// Since when.
    pub opened_at: Timestamp,
}

/// One line of an account.
#[derive(Debug)]
pub struct Entry {
    /// Counts the account's entries from 1.
    pub seq: i64,
    /// Why the account changed.
    pub kind: String,
    /// The other half of the line.
    pub contra: String,
    /// The decimals of the token.
    pub scale: Scale,
    /// Change of the balance.
    pub amount: Tokens,
    /// Change of what is held.
    pub held_amount: Tokens,
    /// The balance from here on.
    pub balance_after: Tokens,
    /// What is held from here on.
    pub held_after: Tokens,
    /// The issue, swap or trade that it belongs to.
    pub operation: Uuid,
    /// When.
    pub booked_at: Timestamp,
}

/// An account as its vendor sees it.
#[derive(Debug)]
pub struct Holding {
    /// Whose.
    pub user: Uuid,
    /// The decimals of the token.
    pub scale: Scale,
    /// What the user can spend.
    pub balance: Tokens,
    /// What is set aside for proposed trades.
    pub held: Tokens,
    /// Since when.
    pub opened_at: Timestamp,
}

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
    pub async fn open(&self, user: UserId, vendor: &str) -> Answer<Account> {
        let found = self.directory.named(vendor).await?;
        let vendor = found.ok_or_else(|| Failure::Refused(AccountRefusal::VendorNotFound { vendor: vendor.to_owned() }))?;
        match ledger::accounts::open(&self.db, user, vendor.id).await {
            Ok(opened_at) => {
                let (vendor, scale) = (vendor.code.to_string(), vendor.scale);
                Ok(Account { vendor, scale, balance: Tokens::ZERO, held: Tokens::ZERO, opened_at })
            }
            Err(Failure::Refused(ledger::accounts::AlreadyOpen)) => Err(Failure::Refused(AccountRefusal::AlreadyOpen)),
            Err(Failure::Fault(fault)) => Err(fault.into()),
        }
    }

    /// The user's accounts, by vendor code.
    pub async fn list(&self, user: UserId, after: Option<String>, limit: i64) -> Result<Vec<Account>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        store::list_accounts(&tx, user, after.as_deref(), limit).await
    }

    /// One account.
    pub async fn get(&self, user: UserId, vendor: &str) -> Answer<Account> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        find(&tx, user, vendor).await?.ok_or(Failure::Refused(AccountRefusal::AccountNotFound))
    }

    /// The account's entries, newest first.
    pub async fn statement(&self, user: UserId, vendor: &str, before: Option<i64>, limit: i64) -> Answer<Vec<Entry>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        find(&tx, user, vendor).await?.ok_or(Failure::Refused(AccountRefusal::AccountNotFound))?;
        Ok(store::list_entries(&tx, user, vendor, before, limit).await?)
    }

    /// The accounts in a vendor's token, by user id, as the vendor sees them.
    pub async fn holdings(&self, vendor: VendorId, after: Option<Uuid>, limit: i64) -> Result<Vec<Holding>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        store::list_holdings(&tx, vendor, after, limit).await
    }
}

/// A text that is no code names no vendor.
async fn find(tx: &Tx<'_>, user: UserId, vendor: &str) -> Result<Option<Account>, Fault> {
    match Code::parse(vendor) {
        Ok(_) => store::find_account(tx, user, vendor).await,
        Err(_) => Ok(None),
    }
}
