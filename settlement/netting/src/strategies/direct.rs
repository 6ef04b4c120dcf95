//! `direct`: net payers pay net payees; the total is the net internal debt.
//!
//! Payers and payees stand in two rows, largest first, ties by name. The heads of the rows meet: the smaller of the two amounts is
//! paid, and whoever is done steps out of the row. Every transfer finishes a payer or a payee and the last one both, so there are
//! at most payers + payees - 1. The rows are sorted once and walked once: O(n log n), and the same for any order of input.

use super::Plan;
use crate::{
    debts::Debts,
    network::Flow,
    rounding::{self, Rounded},
    terms::Payable,
};
use std::cmp::Reverse;

pub(super) fn plan(debts: &Debts, payable: Payable) -> Plan {
    let Rounded { settled, carried } = rounding::rounded(&debts.nets(), payable.grain);
    let (transfers, carries) = super::hold_back(paired(&settled), paired(&carried), payable);
    Plan { transfers, carries, remaining: debts.net_internal_debt(), optimal: true, transfers_needed: None }
}

/// Flows from negative to positive balances, by party number, that leave everybody at zero.
pub(crate) fn paired(balances: &[i64]) -> Vec<Flow> {
    paired_among(balances.iter().copied().zip(0..))
}

/// The same among some parties only: `(balance, party)`.
pub(super) fn paired_among(balances: impl Iterator<Item = (i64, u32)> + Clone) -> Vec<Flow> {
    let mut payers = largest_first(balances.clone(), -1).into_iter();
    let mut payees = largest_first(balances, 1).into_iter();
    let mut flows = Vec::with_capacity(payers.len().strict_add(payees.len()));
    let (mut payer, mut payee) = (payers.next(), payees.next());
    while let (Some((owes, from)), Some((owed, to))) = (payer, payee) {
        let amount = owes.min(owed);
        flows.push(Flow { from, to, amount });
        payer = if owes == amount { payers.next() } else { Some((owes.strict_sub(amount), from)) };
        payee = if owed == amount { payees.next() } else { Some((owed.strict_sub(amount), to)) };
    }
    assert!(payer.is_none() && payee.is_none(), "balances sum to zero, so both rows end together");
    flows
}

/// The balances of one sign, as `(magnitude, party)`.
pub(super) fn largest_first(balances: impl Iterator<Item = (i64, u32)>, sign: i64) -> Vec<(i64, u32)> {
    let of_sign = balances.map(|(balance, party)| (balance.strict_mul(sign), party));
    let mut row: Vec<(i64, u32)> = of_sign.filter(|(magnitude, _)| *magnitude > 0).collect();
    row.sort_unstable_by_key(|(magnitude, party)| (Reverse(*magnitude), *party));
    row
}
