//! Reading accounts and entries.

use super::{Account, Entry, Holding};
use crate::columns::read_scale;
use ledger::{Fault, Tx};
use scrip::{Tokens, UserId, VendorId};
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[LIST_ACCOUNTS, FIND_ACCOUNT, LIST_ENTRIES, LIST_HOLDINGS];

macro_rules! select_accounts {
    ($rest:literal) => {
        concat!(
            "
    SELECT v.code, v.scale, a.balance, a.held, a.opened_at
    FROM accounts a JOIN vendors v ON v.id = a.vendor_id
    WHERE a.user_id = $1 AND ",
            $rest
        )
    };
}

const LIST_ACCOUNTS: &str = select_accounts!("($2::text IS NULL OR v.code > $2) ORDER BY v.code LIMIT $3");
const FIND_ACCOUNT: &str = select_accounts!("v.code = $2");

const LIST_ENTRIES: &str = "
    SELECT e.seq, e.kind, e.contra, v.scale, e.amount, e.held_amount, e.balance_after, e.held_after, e.operation_id, e.booked_at
    FROM entries e JOIN vendors v ON v.id = e.vendor_id
    WHERE e.user_id = $1 AND v.code = $2 AND ($3::bigint IS NULL OR e.seq < $3)
    ORDER BY e.seq DESC
    LIMIT $4";

const LIST_HOLDINGS: &str = "
    SELECT a.user_id, v.scale, a.balance, a.held, a.opened_at
    FROM accounts a JOIN vendors v ON v.id = a.vendor_id
    WHERE a.vendor_id = $1 AND ($2::uuid IS NULL OR a.user_id > $2)
    ORDER BY a.user_id
    LIMIT $3";

pub(super) async fn list_accounts(tx: &Tx<'_>, user: UserId, after: Option<&str>, limit: i64) -> Result<Vec<Account>, Fault> {
    tx.query(LIST_ACCOUNTS, &[&user.uuid(), &after, &limit]).await?.iter().map(account_row).collect()
}

pub(super) async fn find_account(tx: &Tx<'_>, user: UserId, vendor: &str) -> Result<Option<Account>, Fault> {
    tx.query_opt(FIND_ACCOUNT, &[&user.uuid(), &vendor]).await?.as_ref().map(account_row).transpose()
}

fn account_row(row: &Row) -> Result<Account, Fault> {
    Ok(Account {
        vendor: row.try_get(0)?,
        scale: read_scale(row, 1)?,
        balance: Tokens::new(row.try_get(2)?),
        held: Tokens::new(row.try_get(3)?),
        opened_at: row.try_get(4)?,
    })
}

/// Newest first, below `before`.
pub(super) async fn list_entries(tx: &Tx<'_>, user: UserId, vendor: &str, before: Option<i64>, limit: i64) -> Result<Vec<Entry>, Fault> {
    let rows = tx.query(LIST_ENTRIES, &[&user.uuid(), &vendor, &before, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                seq: row.try_get(0)?,
                kind: row.try_get(1)?,
                contra: row.try_get(2)?,
                scale: read_scale(row, 3)?,
                amount: Tokens::new(row.try_get(4)?),
                held_amount: Tokens::new(row.try_get(5)?),
                balance_after: Tokens::new(row.try_get(6)?),
                held_after: Tokens::new(row.try_get(7)?),
                operation: row.try_get(8)?,
                booked_at: row.try_get(9)?,
            })
        })
        .collect()
}

pub(super) async fn list_holdings(tx: &Tx<'_>, vendor: VendorId, after: Option<Uuid>, limit: i64) -> Result<Vec<Holding>, Fault> {
    let rows = tx.query(LIST_HOLDINGS, &[&vendor.uuid(), &after, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Holding {
                user: row.try_get(0)?,
                scale: read_scale(row, 1)?,
                balance: Tokens::new(row.try_get(2)?),
                held: Tokens::new(row.try_get(3)?),
                opened_at: row.try_get(4)?,
            })
        })
        .collect()
}
