//! Draws: what a default pays to others out of the vendor's collateral. A person pays them; here they get their names, and are said to be paid.
//! What was said can be put right; what it was before stays.

use super::{Answer, DefaultRefusal, Defaults, draws_store, store};
use crate::csv_text::{push_row, safe_cell};
use crate::files::Account;
use crate::ids::message_id;
use crate::steps::{Actor, check_reason};
use crate::transfers::is_bank_reference;
use crate::{Run, days};
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::{Failure, read_time};
use scrip::{Micro, RunId};

/// A payment out of collateral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// Who is paid.
    pub payee: String,
    /// Counts the default's draws from 1.
    pub number: i64,
    /// More than zero, in whole minor units.
    pub amount: Micro,
    /// What the bank is to call it: at most 35 characters that every payment system takes. No confirmation is matched on it.
    pub reference: String,
    /// Where the payee is to be paid, as far as whoever looks may see that and it has said so; none once it is paid.
    pub account: Option<Account>,
    /// Since when and how it is paid; none: it is still to be paid.
    pub paid: Option<Paid>,
    /// How that was put right, in order; only for the house.
    pub corrections: Option<Vec<Correction>>,
}

/// How a draw was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// When that was said first.
    pub at: Timestamp,
    /// What is said of it now.
    pub booking: Booking,
}

/// What a bank made of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// What it calls it.
    pub bank_reference: Option<String>,
    /// The day that it booked it.
    pub booked_on: Option<Date>,
}

/// What was said of a payment, put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// What was said.
    pub before: Booking,
    /// What has been said since.
    pub after: Booking,
    /// Why.
    pub reason: String,
    /// Who put it right.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

/// How somebody says that a draw was paid, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    /// What the bank calls the payment: one line of at most 35 characters.
    pub bank_reference: Option<String>,
    /// The day that the bank booked it: `2026-11-23`.
    pub booked_on: Option<String>,
    /// Why what was said before is put right; none where it is said for the first time.
    pub reason: Option<String>,
}

impl NewPayment {
    fn read(&self, now: Timestamp) -> Result<Booking, DefaultRefusal> {
        let Self { bank_reference, booked_on, reason } = self;
        if bank_reference.as_ref().is_some_and(|text| !is_bank_reference(text)) {
            return Err(DefaultRefusal::BankReferenceMalformed);
        }
        let booked_on = booked_on.as_ref().map(|day| days::read(day).ok_or(DefaultRefusal::BookedOnMalformed)).transpose()?;
        if booked_on.is_some_and(|day| !days::has_begun(day, now)) {
            return Err(DefaultRefusal::BookedOnInFuture);
        }
        if reason.as_ref().is_some_and(|reason| check_reason(reason).is_err()) {
            return Err(DefaultRefusal::ReasonMalformed);
        }
        Ok(Booking { bank_reference: bank_reference.clone(), booked_on })
    }
}

/// The reference of a default's draw of that number. Only the first default of a run draws on collateral, so the run and the number name it.
pub(crate) fn draw_reference(run: RunId, number: i64) -> String {
    message_id(run, &format!("D{number}"))
}

impl Defaults {
    /// Says that what the default of the vendor pays to the payee is paid; with a reason, puts right what was said of that. Said again in the same
    /// words, it stays as it is.
    pub async fn pay_draw(&self, run: RunId, vendor: &str, payee: &str, payment: &NewPayment, actor: &Actor) -> Answer<()> {
        let refused = |refusal| Err(Failure::Refused(refusal));
        let booking = payment.read(self.clock.now()).map_err(Failure::Refused)?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        if store::find_terms(&tx, run).await?.is_none() {
            return refused(DefaultRefusal::RunNotFound);
        }
        let Some(draw) = draws_store::lock(&tx, run, vendor, payee).await? else { return refused(DefaultRefusal::DrawNotFound) };
        let at = read_time(&tx).await?;
        match (&draw.booking, &payment.reason) {
            (Some(before), _) if *before == booking => return Ok(()),
            (None, None) => draws_store::pay(&tx, &draw, &booking, actor, at).await?,
            (Some(before), Some(reason)) => {
                let correction = Correction { before: before.clone(), after: booking, reason: reason.clone(), actor: *actor, at };
                draws_store::correct(&tx, &draw, &correction).await?;
            }
            (None, Some(_)) => return refused(DefaultRefusal::DrawNotPaid),
            (Some(_), None) => return refused(DefaultRefusal::DrawPaid),
        }
        tx.commit().await?;
        tracing::info!(%run, vendor, payee, %actor, "it was said how a draw was paid");
        Ok(())
    }
}

/// What is to be paid and was paid out of collateral in a run, as a file for whoever pays: a row for each draw.
pub fn draws_csv(run: &Run, defaults: &[super::Default]) -> Vec<u8> {
    let mut text = Vec::new();
    push_row(
        &mut text,
        ["vendor", "payee", "amount", "currency", "reference", "account_holder", "iban", "bic", "paid_at", "bank_reference", "booked_on"],
    );
    for (default, draw) in defaults.iter().flat_map(|default| default.draws.iter().map(move |draw| (default, draw))) {
        let Draw { payee, number: _, amount, reference, account, paid, corrections: _ } = draw;
        let account = |of: fn(&Account) -> &str| account.as_ref().map_or("", of);
        let booking = paid.as_ref().map(|paid| &paid.booking);
        let bank_reference = booking.and_then(|booking| booking.bank_reference.as_deref()).unwrap_or_default();
        push_row(
            &mut text,
            [
                default.vendor.as_str(),
                payee,
                &amount.display_at_least(run.digits),
                &run.currency,
                reference,
                &safe_cell(account(|account| &account.holder)),
                account(|account| &account.iban),
                account(|account| account.bic.as_deref().unwrap_or_default()),
                &paid.as_ref().map(|paid| paid.at.to_string()).unwrap_or_default(),
                &safe_cell(bank_reference),
                &booking.and_then(|booking| booking.booked_on).map(|day| day.to_string()).unwrap_or_default(),
            ],
        );
    }
    text
}
