//! One module per strategy. Each answers who pays whom, and what rounding leaves owed.

mod bilateral;
mod conservative;
mod direct;
mod gross;
mod hub;

use crate::{
    debts::Debts,
    network::{Flow, Network},
    outcome::NettingError,
    strategy::Strategy,
};

/// What a strategy decides. Parties by number; the number after the last party's is the house.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) transfers: Vec<Flow>,
    pub(crate) carries: Vec<Flow>,
    /// What is left to pay of the debts, before rounding.
    pub(crate) remaining: i64,
    pub(crate) optimal: bool,
}

pub(crate) fn plan(network: &Network, debts: &Debts, strategy: Strategy, grain: i64) -> Result<Plan, NettingError> {
    match strategy {
        Strategy::Gross => Ok(gross::plan(debts, grain)),
        Strategy::Bilateral => Ok(bilateral::plan(debts, grain)),
        Strategy::Conservative => Ok(conservative::plan(debts, grain)),
        Strategy::Direct => Ok(direct::plan(debts, grain)),
        Strategy::Hub => hub::plan(network, debts, grain),
    }
}

/// Debts that are paid one by one: each is cut to minor units, its rest stays owed in the same direction.
fn each_paid(debts: &[Flow], grain: i64) -> Plan {
    let (transfers, carries) = crate::rounding::cut(debts, grain);
    Plan { transfers, carries, remaining: debts.iter().fold(0, |sum, d| sum.strict_add(d.amount)), optimal: true }
}
