//! The rows that bank files are made of: transfers, and the bank details of their parties.
//!
//! Bank details are read once, by one statement: a vendor may change them while the files are written, and all files must agree.

use crate::files::store::{Party, Rows, TransferLine, to_transfer_line};
use ledger::{Fault, Tx};
use scrip::{Micro, RunId, VendorId};
use std::collections::HashMap;
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[LIST_ACCOUNTS, READ_TOTALS, READ_BY_PAYER, READ_WITHOUT_ACCOUNT];

const LIST_ACCOUNTS: &str = "
    SELECT vendor_id, account_holder, iban, bic
    FROM payouts
    WHERE vendor_id IN (SELECT payer_id FROM transfers WHERE run_id = $1 UNION SELECT payee_id FROM transfers WHERE run_id = $1)
    UNION ALL
    SELECT NULL, account_holder, iban, bic
    FROM house_account
    WHERE iban IS NOT NULL AND EXISTS (SELECT FROM transfers WHERE run_id = $1 AND (payer_id IS NULL OR payee_id IS NULL))";

const READ_TOTALS: &str = "
    SELECT count(*), coalesce(sum(amount_micro), 0)::bigint,
           count(*) FILTER (WHERE coalesce(payer_id = ANY ($2), $3) AND coalesce(payee_id = ANY ($2), $3)),
           coalesce(sum(amount_micro) FILTER (WHERE coalesce(payer_id = ANY ($2), $3) AND coalesce(payee_id = ANY ($2), $3)), 0)::bigint
    FROM transfers
    WHERE run_id = $1";

const READ_BY_PAYER: &str = "
    SELECT t.number, t.amount_micro, t.payer_id, payer.code, t.payee_id, payee.code,
           count(*) OVER of_payer, (sum(t.amount_micro) OVER of_payer)::bigint
    FROM transfers t
    LEFT JOIN vendors payer ON payer.id = t.payer_id
    LEFT JOIN vendors payee ON payee.id = t.payee_id
    WHERE t.run_id = $1 AND coalesce(t.payer_id = ANY ($2), $3) AND coalesce(t.payee_id = ANY ($2), $3)
    WINDOW of_payer AS (PARTITION BY payer.code)
    ORDER BY payer.code, t.number";

const READ_WITHOUT_ACCOUNT: &str = "
    SELECT t.number, t.amount_micro, t.payer_id, payer.code, t.payee_id, payee.code
    FROM transfers t
    LEFT JOIN vendors payer ON payer.id = t.payer_id
    LEFT JOIN vendors payee ON payee.id = t.payee_id
    WHERE t.run_id = $1 AND NOT (coalesce(t.payer_id = ANY ($2), $3) AND coalesce(t.payee_id = ANY ($2), $3))
    ORDER BY t.number";

/// Where a party pays from and is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose it is.
    pub holder: String,
    /// Its number.
    pub iban: String,
    /// Its bank.
    pub bic: Option<String>,
}

/// The bank details of a run's payers and payees, as far as they gave any; the house is none of the vendors.
pub(in crate::files) struct Accounts {
    by_party: HashMap<Option<VendorId>, Account>,
    vendors: Vec<Uuid>,
}

impl Accounts {
    pub(in crate::files) fn of(&self, party: &Party) -> Option<&Account> {
        self.by_party.get(&party.vendor)
    }

    /// Whether the house has one.
    fn of_house(&self) -> bool {
        self.by_party.contains_key(&None)
    }
}

pub(in crate::files) async fn list_accounts(tx: &Tx<'_>, run: RunId) -> Result<Accounts, Fault> {
    let rows = tx.query(LIST_ACCOUNTS, &[&run.uuid()]).await?;
    let by_party = rows.iter().map(to_account).collect::<Result<HashMap<_, _>, _>>()?;
    let vendors = by_party.keys().flatten().map(|vendor| vendor.uuid()).collect();
    Ok(Accounts { by_party, vendors })
}

fn to_account(row: &Row) -> Result<(Option<VendorId>, Account), Fault> {
    Ok((
        row.try_get::<_, Option<Uuid>>(0)?.map(VendorId::new),
        Account { holder: row.try_get(1)?, iban: row.try_get(2)?, bic: row.try_get(3)? },
    ))
}

/// How many transfers, and what they sum to.
#[derive(Debug, Clone, Copy)]
pub(in crate::files) struct Total {
    pub(in crate::files) count: i64,
    pub(in crate::files) sum: Micro,
}

/// Of a run's transfers.
pub(super) struct Totals {
    pub(super) all: Total,
    /// Those whose payer and payee both have bank details.
    pub(super) with_accounts: Total,
}

pub(super) async fn read_totals(tx: &Tx<'_>, run: RunId, accounts: &Accounts) -> Result<Totals, Fault> {
    let row = tx.query_one(READ_TOTALS, &[&run.uuid(), &accounts.vendors, &accounts.of_house()]).await?;
    Ok(Totals { all: to_total(&row, 0)?, with_accounts: to_total(&row, 2)? })
}

fn to_total(row: &Row, column: usize) -> Result<Total, Fault> {
    Ok(Total { count: row.try_get(column)?, sum: Micro::new(row.try_get(column.strict_add(1))?) })
}

/// Those with bank details on both sides, payer by payer.
pub(super) async fn read_by_payer(tx: &Tx<'_>, run: RunId, accounts: &Accounts) -> Result<Rows, Fault> {
    Rows::begin(tx, READ_BY_PAYER, &[&run.uuid(), &accounts.vendors, &accounts.of_house()]).await
}

/// A transfer, and all that its payer pays in the message.
pub(super) fn to_transfer_of_payer(row: &Row) -> Result<(TransferLine, Total), Fault> {
    Ok((to_transfer_line(row)?, to_total(row, 6)?))
}

/// Those that lack bank details on one side or both.
pub(super) async fn read_without_account(tx: &Tx<'_>, run: RunId, accounts: &Accounts) -> Result<Rows, Fault> {
    Rows::begin(tx, READ_WITHOUT_ACCOUNT, &[&run.uuid(), &accounts.vendors, &accounts.of_house()]).await
}
