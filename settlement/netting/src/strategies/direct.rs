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
};
use std::cmp::Reverse;

pub(super) fn plan(debts: &Debts, grain: i64) -> Plan {
    let Rounded { settled, carried } = rounding::rounded(&debts.nets(), grain);
    Plan { transfers: paired(&settled), carries: paired(&carried), remaining: debts.net_internal_debt(), optimal: true }
}

/// Flows from negative to positive balances that leave everybody at zero.
pub(super) fn paired(balances: &[i64]) -> Vec<Flow> {
    let mut payers = largest_first(balances, -1).into_iter();
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
fn largest_first(balances: &[i64], sign: i64) -> Vec<(i64, u32)> {
    let mut row: Vec<(i64, u32)> = balances.iter().map(|b| b.strict_mul(sign)).zip(0..).filter(|(magnitude, _)| *magnitude > 0).collect();
    row.sort_unstable_by_key(|(magnitude, party)| (Reverse(*magnitude), *party));
    row
}
