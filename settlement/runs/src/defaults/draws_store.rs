//! The rows of draws.

use super::draws::{Draw, Paid, draw_reference};
use super::store::id_of;
use crate::files::Account;
use crate::steps::Actor;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::{Fault, Tx};
use netting::clearing::Payment;
use scrip::{Micro, RunId, VendorId};
use std::collections::HashMap;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[INSERT, LIST, LOCK, PAY];

const INSERT: &str = "
    INSERT INTO default_draws (default_id, number, payee_id, amount_micro)
    SELECT $1, number, payee_id, amount_micro
    FROM unnest($2::uuid[], $3::bigint[]) WITH ORDINALITY AS u(payee_id, amount_micro, number)";

// Of the accounts, a vendor sees its own. Where a payee is paid now says nothing of where it was.
const LIST: &str = "
    SELECT w.default_id, d.run_id, w.number, v.code, w.amount_micro, p.account_holder, p.iban, p.bic, w.paid_at, w.bank_reference, w.booked_on
    FROM default_draws w
    JOIN defaults d ON d.id = w.default_id
    JOIN vendors v ON v.id = w.payee_id
    LEFT JOIN payouts p ON p.vendor_id = w.payee_id AND w.paid_at IS NULL
    WHERE w.default_id = ANY ($1::uuid[])
    ORDER BY w.default_id, v.code";

const LOCK: &str = "
    SELECT w.default_id, w.number, w.paid_at IS NOT NULL, w.bank_reference, w.booked_on
    FROM default_draws w
    JOIN defaults d ON d.id = w.default_id
    JOIN vendors v ON v.id = d.vendor_id
    JOIN vendors payee ON payee.id = w.payee_id
    WHERE d.run_id = $1 AND v.code = $2 AND payee.code = $3
    FOR NO KEY UPDATE OF w";

const PAY: &str = "
    UPDATE default_draws
    SET paid_at = $3, paid_by = $4, bank_reference = $5, booked_on = $6
    WHERE default_id = $1 AND number = $2";

pub(super) async fn insert(tx: &Tx<'_>, id: Uuid, draws: &[Payment], ids: &HashMap<String, VendorId>) -> Result<(), Fault> {
    let payees: Vec<Uuid> = draws.iter().map(|draw| Ok(id_of(ids, &draw.payee)?.uuid())).collect::<Result<_, Fault>>()?;
    let amounts: Vec<i64> = draws.iter().map(|draw| draw.amount.units()).collect();
    tx.execute(INSERT, &[&id, &payees, &amounts]).await?;
    Ok(())
}

/// By default, in the order of the payees' codes.
pub(super) async fn list(tx: &Tx<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Draw>>, Fault> {
    let mut draws: HashMap<Uuid, Vec<Draw>> = HashMap::new();
    for row in tx.query(LIST, &[&ids]).await? {
        let account = match (row.try_get(5)?, row.try_get(6)?) {
            (Some(holder), Some(iban)) => Some(Account { holder, iban, bic: row.try_get(7)? }),
            (_, _) => None,
        };
        let paid = match row.try_get(8)? {
            Some(at) => Some(Paid { at, bank_reference: row.try_get(9)?, booked_on: row.try_get(10)? }),
            None => None,
        };
        let draw = Draw {
            payee: row.try_get(3)?,
            amount: Micro::new(row.try_get(4)?),
            reference: draw_reference(RunId::new(row.try_get(1)?), row.try_get(2)?),
            account,
            paid,
        };
        draws.entry(row.try_get(0)?).or_default().push(draw);
    }
    Ok(draws)
}

/// A draw that nobody else changes.
#[derive(Debug)]
pub(super) struct Locked {
    default: Uuid,
    number: i64,
    /// The bank's reference and day, if it is paid.
    pub(super) paid: Option<(Option<String>, Option<Date>)>,
}

pub(super) async fn lock(tx: &Tx<'_>, run: RunId, vendor: &str, payee: &str) -> Result<Option<Locked>, Fault> {
    // PostgreSQL takes no NUL, and no code has one.
    if vendor.contains('\0') || payee.contains('\0') {
        return Ok(None);
    }
    let Some(row) = tx.query_opt(LOCK, &[&run.uuid(), &vendor, &payee]).await? else { return Ok(None) };
    let paid = if row.try_get(2)? { Some((row.try_get(3)?, row.try_get(4)?)) } else { None };
    Ok(Some(Locked { default: row.try_get(0)?, number: row.try_get(1)?, paid }))
}

pub(super) async fn pay(
    tx: &Tx<'_>,
    draw: &Locked,
    bank_reference: Option<&str>,
    booked_on: Option<Date>,
    actor: &Actor,
    at: Timestamp,
) -> Result<(), Fault> {
    tx.execute(PAY, &[&draw.default, &draw.number, &at, &actor.to_string(), &bank_reference, &booked_on]).await?;
    Ok(())
}
