//! `exclude_and_renet`: whatever a defaulter owes or is owed is taken out of the run, and the rest is netted again.

use super::{Defaulter, Failing, FailureError};
use crate::{
    debts::Debts,
    network::{Network, NetworkBuilder, at},
};

/// The network without the obligations from and to `defaulters`, to be netted again by any strategy.
///
/// A party that had obligations with defaulters only is not in it any more.
pub fn exclude(network: &Network, defaulters: &[Defaulter<'_>]) -> Result<Network, FailureError> {
    Failing::read(network, defaulters)?;
    let fails = |party: &str| defaulters.iter().any(|d| d.party == party);
    let mut rest = NetworkBuilder::default();
    for (debtor, creditor, amount) in network.obligations() {
        if !fails(debtor.as_str()) && !fails(creditor.as_str()) {
            rest.add(debtor.as_str(), creditor.as_str(), amount).expect("a part of a network is a network");
        }
    }
    Ok(rest.build())
}

/// The nets of what is left, by party number.
pub(super) fn outcome(debts: &Debts, failing: &Failing) -> Vec<i64> {
    let mut nets = vec![0_i64; debts.tallies.len()];
    for pair in debts.pairs.iter().filter(|pair| !failing.includes(at(pair.from)) && !failing.includes(at(pair.to))) {
        nets[at(pair.from)] = nets[at(pair.from)].strict_sub(pair.amount);
        nets[at(pair.to)] = nets[at(pair.to)].strict_add(pair.amount);
    }
    nets
}
