//! The rows of draws.

use super::draws::{Booking, Correction, Draw, Paid, draw_reference};
use super::store::{id_of, to_actor};
use crate::files::Account;
use crate::steps::Actor;
use jiff::Timestamp;
use ledger::{Fault, Tx};
use netting::clearing::Payment;
use scrip::{Micro, RunId, VendorId};
use std::collections::HashMap;
use tokio_postgres::Row;
use uuid::Uuid;

/// Every statement of this file, for the test that prepares them all.
pub const STATEMENTS: &[&str] = &[INSERT, LIST, LOCK, PAY, CORRECT, INSERT_CORRECTION, LIST_CORRECTIONS];

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

const CORRECT: &str = "
    UPDATE default_draws
    SET bank_reference = $3, booked_on = $4
    WHERE default_id = $1 AND number = $2";

// The draw is locked: nobody else counts.
const INSERT_CORRECTION: &str = "
    INSERT INTO draw_corrections (default_id, number, seq, bank_reference_before, booked_on_before, bank_reference, booked_on, reason, corrected_by,
                                  corrected_at)
    SELECT $1, $2, (count(*) + 1)::integer, $3, $4, $5, $6, $7, $8, $9
    FROM draw_corrections
    WHERE default_id = $1 AND number = $2";

const LIST_CORRECTIONS: &str = "
    SELECT default_id, number, bank_reference_before, booked_on_before, bank_reference, booked_on, reason, corrected_by, corrected_at
    FROM draw_corrections
    WHERE default_id = ANY ($1::uuid[])
    ORDER BY default_id, number, seq";

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
            Some(at) => Some(Paid { at, booking: to_booking(&row, 9)? }),
            None => None,
        };
        let number = row.try_get(2)?;
        let draw = Draw {
            payee: row.try_get(3)?,
            number,
            amount: Micro::new(row.try_get(4)?),
            reference: draw_reference(RunId::new(row.try_get(1)?), number),
            account,
            paid,
            corrections: None,
        };
        draws.entry(row.try_get(0)?).or_default().push(draw);
    }
    Ok(draws)
}

/// The bank's reference in this column, and the day in the next.
fn to_booking(row: &Row, index: usize) -> Result<Booking, Fault> {
    Ok(Booking { bank_reference: row.try_get(index)?, booked_on: row.try_get(index.saturating_add(1))? })
}

/// By default and number of the draw, in order. For the house only.
pub(super) async fn list_corrections(tx: &Tx<'_>, ids: &[Uuid]) -> Result<HashMap<(Uuid, i64), Vec<Correction>>, Fault> {
    let mut corrections: HashMap<(Uuid, i64), Vec<Correction>> = HashMap::new();
    for row in tx.query(LIST_CORRECTIONS, &[&ids]).await? {
        let correction = Correction {
            before: to_booking(&row, 2)?,
            after: to_booking(&row, 4)?,
            reason: row.try_get(6)?,
            actor: to_actor(row.try_get(7)?)?,
            at: row.try_get(8)?,
        };
        corrections.entry((row.try_get(0)?, row.try_get(1)?)).or_default().push(correction);
    }
    Ok(corrections)
}

/// A draw that nobody else changes.
#[derive(Debug)]
pub(super) struct Locked {
    default: Uuid,
    number: i64,
    /// What is said of its payment, if it is paid.
    pub(super) booking: Option<Booking>,
}

pub(super) async fn lock(tx: &Tx<'_>, run: RunId, vendor: &str, payee: &str) -> Result<Option<Locked>, Fault> {
    // PostgreSQL takes no NUL, and no code has one.
    if vendor.contains('\0') || payee.contains('\0') {
        return Ok(None);
    }
    let Some(row) = tx.query_opt(LOCK, &[&run.uuid(), &vendor, &payee]).await? else { return Ok(None) };
    let booking = if row.try_get(2)? { Some(to_booking(&row, 3)?) } else { None };
    Ok(Some(Locked { default: row.try_get(0)?, number: row.try_get(1)?, booking }))
}

pub(super) async fn pay(tx: &Tx<'_>, draw: &Locked, booking: &Booking, actor: &Actor, at: Timestamp) -> Result<(), Fault> {
    let Booking { bank_reference, booked_on } = booking;
    tx.execute(PAY, &[&draw.default, &draw.number, &at, &actor.to_string(), bank_reference, booked_on]).await?;
    Ok(())
}

/// What was said before is kept.
pub(super) async fn correct(tx: &Tx<'_>, draw: &Locked, correction: &Correction) -> Result<(), Fault> {
    let Correction { before, after, reason, actor, at } = correction;
    let (key, by) = ((draw.default, draw.number), actor.to_string());
    tx.execute(CORRECT, &[&key.0, &key.1, &after.bank_reference, &after.booked_on]).await?;
    tx.execute(
        INSERT_CORRECTION,
        &[&key.0, &key.1, &before.bank_reference, &before.booked_on, &after.bank_reference, &after.booked_on, reason, &by, at],
    )
    .await?;
    Ok(())
}
