//! One module per strategy. Each answers who pays whom, and what rounding and the smallest transfer leave owed.

mod bilateral;
mod conservative;
mod direct;
mod fewest;
mod gross;
mod hub;

pub(crate) use direct::paired;

use crate::{
    debts::Debts,
    network::{Flow, Network},
    outcome::NettingError,
    strategy::Strategy,
    terms::{Payable, Terms},
};
use std::collections::BTreeMap;

/// What a strategy decides. Parties by number; the number after the last party's is the house.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) transfers: Vec<Flow>,
    /// At most one from one party to another.
    pub(crate) carries: Vec<Flow>,
    /// What is left to pay of the debts, before rounding.
    pub(crate) remaining: i64,
    pub(crate) optimal: bool,
    /// How many transfers it takes at least to settle the rounded nets, where the strategy asks.
    pub(crate) transfers_needed: Option<usize>,
}

pub(crate) fn plan(network: &Network, debts: &Debts, terms: &Terms) -> Result<Plan, NettingError> {
    let payable = terms.payable()?;
    match terms.strategy {
        Strategy::Gross => Ok(gross::plan(debts, payable)),
        Strategy::Bilateral => Ok(bilateral::plan(debts, payable)),
        Strategy::Conservative => Ok(conservative::plan(debts, payable)),
        Strategy::Direct => Ok(direct::plan(debts, payable)),
        Strategy::Fewest => Ok(fewest::plan(debts, payable)),
        Strategy::Hub => hub::plan(network, debts, payable),
    }
}

/// Debts that are paid one by one: each is cut to minor units, its rest stays owed in the same direction, and so does all of it where
/// the transfer would be too small.
fn each_paid(debts: &[Flow], payable: Payable) -> Plan {
    let (transfers, carries) = crate::rounding::cut(debts, payable);
    let remaining = debts.iter().fold(0_i64, |sum, d| sum.strict_add(d.amount));
    Plan { transfers, carries, remaining, optimal: true, transfers_needed: None }
}

/// Transfers that are too small are not made: the payer goes on owing the payee what they would have moved, first of the carries. What
/// rounding leaves between the same two, less than a grain, is one carry with it.
fn hold_back(transfers: Vec<Flow>, by_rounding: Vec<Flow>, payable: Payable) -> (Vec<Flow>, Vec<Flow>) {
    let (made, mut carries): (Vec<Flow>, Vec<Flow>) = transfers.into_iter().partition(|transfer| payable.is_made(transfer.amount));
    let places: BTreeMap<(u32, u32), usize> = carries.iter().map(|held| (held.from, held.to)).zip(0..).collect();
    for carry in by_rounding {
        if let Some(place) = places.get(&(carry.from, carry.to)) {
            carries[*place].amount = carries[*place].amount.strict_add(carry.amount);
        } else if let Some(place) = places.get(&(carry.to, carry.from)) {
            carries[*place].amount = carries[*place].amount.strict_sub(carry.amount);
        } else {
            carries.push(carry);
        }
    }
    (made, carries)
}
