//! Draws: what a default pays to others out of the vendor's collateral. A person pays them; here they get their names, and are said to be paid.

use super::{Answer, DefaultRefusal, Defaults, draws_store, store};
use crate::csv_text::{push_row, safe_cell};
use crate::files::Account;
use crate::ids::message_id;
use crate::steps::Actor;
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
    /// More than zero, in whole minor units.
    pub amount: Micro,
    /// What the bank is to call it: at most 35 characters that every payment system takes. No confirmation is matched on it.
    pub reference: String,
    /// Where the payee is to be paid, as far as whoever looks may see that and it has said so; none once it is paid.
    pub account: Option<Account>,
    /// Since when and how it is paid; none: it is still to be paid.
    pub paid: Option<Paid>,
}

/// How a draw was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// When that was said.
    pub at: Timestamp,
    /// What the bank calls the payment.
    pub bank_reference: Option<String>,
    /// The day that the bank booked it.
    pub booked_on: Option<Date>,
}

/// How somebody says that a draw was paid, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    /// What the bank calls the payment: one line of at most 35 characters.
    pub bank_reference: Option<String>,
    /// The day that the bank booked it: `2026-11-23`.
    pub booked_on: Option<String>,
}

/// The reference of a default's draw of that number. Only the first default of a run draws on collateral, so the run and the number name it.
pub(super) fn draw_reference(run: RunId, number: i64) -> String {
    message_id(run, &format!("D{number}"))
}

impl Defaults {
    /// Says that what the default of the vendor pays to the payee is paid. Said again in the same words, it stays as it is.
    pub async fn pay_draw(&self, run: RunId, vendor: &str, payee: &str, payment: &NewPayment, actor: &Actor) -> Answer<()> {
        let refused = |refusal| Err(Failure::Refused(refusal));
        let NewPayment { bank_reference, booked_on } = payment;
        if bank_reference.as_ref().is_some_and(|text| !is_bank_reference(text)) {
            return refused(DefaultRefusal::BankReferenceMalformed);
        }
        let day = |text: &String| days::read(text).ok_or(Failure::Refused(DefaultRefusal::BookedOnMalformed));
        let booked_on = booked_on.as_ref().map(day).transpose()?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        if store::find_terms(&tx, run).await?.is_none() {
            return refused(DefaultRefusal::RunNotFound);
        }
        let Some(draw) = draws_store::lock(&tx, run, vendor, payee).await? else { return refused(DefaultRefusal::DrawNotFound) };
        match draw.paid {
            None => draws_store::pay(&tx, &draw, bank_reference.as_deref(), booked_on, actor, read_time(&tx).await?).await?,
            Some((ref reference, on)) if *reference == *bank_reference && on == booked_on => return Ok(()),
            Some(_) => return refused(DefaultRefusal::DrawPaid),
        }
        tx.commit().await?;
        tracing::info!(%run, vendor, payee, %actor, "what is paid out of collateral was paid");
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
        let Draw { payee, amount, reference, account, paid } = draw;
        let account = |of: fn(&Account) -> &str| account.as_ref().map_or("", of);
        let bank_reference = paid.as_ref().and_then(|paid| paid.bank_reference.as_deref()).unwrap_or_default();
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
                &paid.as_ref().and_then(|paid| paid.booked_on).map(|day| day.to_string()).unwrap_or_default(),
            ],
        );
    }
    text
}
