//! `carry_over`: the transfers that a defaulter does not make stay owed, and become debts of the next window.
//!
//! Nobody else pays more for it; who was to be paid waits. The transfers are those of the strategy, so under `direct` the one who waits may
//! never have had an obligation of the defaulter's.

use super::{Defaulter, Failing, FailureError, number_of};
use crate::{
    network::Network,
    outcome::{Carry, Transfer},
};

/// The debts of the next window: one per transfer of a defaulter, in the order of the transfers.
///
/// Refused where the house is not paid: under the hub strategy others are owed by the house, and it lends nothing.
pub fn carry_over(network: &Network, transfers: &[Transfer], defaulters: &[Defaulter<'_>]) -> Result<Vec<Carry>, FailureError> {
    let failing = Failing::read(network, defaulters)?;
    let failed = failed(network, transfers, &failing)?;
    Ok(failed.into_iter().map(|(_, _, t)| Carry { debtor: t.payer.clone(), creditor: t.payee.clone(), amount: t.amount }).collect())
}

/// By party number: what the transfers that are not made would have paid it, less what it would have paid by them.
pub(super) fn unpaid(network: &Network, transfers: &[Transfer], failing: &Failing) -> Result<Vec<i64>, FailureError> {
    let mut unpaid = vec![0_i64; network.parties().len()];
    for (payer, payee, transfer) in failed(network, transfers, failing)? {
        let amount = transfer.amount.units();
        unpaid[payer] = unpaid[payer].strict_sub(amount);
        unpaid[payee] = unpaid[payee].strict_add(amount);
    }
    Ok(unpaid)
}

/// The transfers that are not made, with payer and payee by number.
fn failed<'a>(network: &Network, transfers: &'a [Transfer], failing: &Failing) -> Result<Vec<(usize, usize, &'a Transfer)>, FailureError> {
    let mut failed = Vec::new();
    for transfer in transfers {
        let payer = number_of(network, transfer.payer.as_str()).filter(|payer| failing.includes(*payer));
        let Some(payer) = payer else { continue };
        let payee = number_of(network, transfer.payee.as_str()).ok_or(FailureError::HouseIsCreditor)?;
        failed.push((payer, payee, transfer));
    }
    Ok(failed)
}
