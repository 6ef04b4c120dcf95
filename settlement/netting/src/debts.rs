//! What every strategy starts from: each party's sums, and the debts added up by pair.

use crate::network::{Flow, Network, at};

/// What one party is owed and owes in all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) owed: i64,
    pub(crate) owes: i64,
}

impl Tally {
    pub(crate) fn net(self) -> i64 {
        self.owed.strict_sub(self.owes)
    }
}

/// The debts of a network, summed.
#[derive(Debug)]
pub(crate) struct Debts {
    /// By party number.
    pub(crate) tallies: Vec<Tally>,
    /// One flow per debtor and creditor, in their order: what the one owes the other in all.
    pub(crate) pairs: Vec<Flow>,
    /// One flow per two parties that do not owe each other the same, in the order of payer and payee: the difference.
    pub(crate) differences: Vec<Flow>,
}

impl Debts {
    pub(crate) fn of(network: &Network) -> Self {
        let mut tallies = vec![Tally::default(); network.parties().len()];
        let mut pairs: Vec<Flow> = Vec::new();
        for obligation in network.flows() {
            let (debtor, creditor) = (at(obligation.from), at(obligation.to));
            tallies[debtor].owes = tallies[debtor].owes.strict_add(obligation.amount);
            tallies[creditor].owed = tallies[creditor].owed.strict_add(obligation.amount);
            match pairs.last_mut() {
                Some(pair) if (pair.from, pair.to) == (obligation.from, obligation.to) => {
                    pair.amount = pair.amount.strict_add(obligation.amount);
                }
                Some(_) | None => pairs.push(*obligation),
            }
        }
        let differences = differences(&pairs);
        Self { tallies, pairs, differences }
    }

    pub(crate) fn nets(&self) -> Vec<i64> {
        self.tallies.iter().map(|t| t.net()).collect()
    }

    /// The sum of the positive nets.
    pub(crate) fn net_internal_debt(&self) -> i64 {
        self.tallies.iter().fold(0, |sum, t| sum.strict_add(t.net().max(0)))
    }
}

fn differences(pairs: &[Flow]) -> Vec<Flow> {
    // Both directions of a pair are written low to high, the one from high to low as a negative amount, and so meet when sorted.
    let mut signed: Vec<Flow> = pairs.iter().map(|p| if p.from < p.to { *p } else { reversed(*p) }).collect();
    signed.sort_unstable();
    let mut merged: Vec<Flow> = Vec::with_capacity(signed.len());
    for flow in signed {
        match merged.last_mut() {
            Some(last) if (last.from, last.to) == (flow.from, flow.to) => last.amount = last.amount.strict_add(flow.amount),
            Some(_) | None => merged.push(flow),
        }
    }
    merged.retain(|flow| flow.amount != 0);
    for flow in &mut merged {
        if flow.amount < 0 {
            *flow = reversed(*flow);
        }
    }
    merged.sort_unstable();
    merged
}

fn reversed(flow: Flow) -> Flow {
    Flow { from: flow.to, to: flow.from, amount: flow.amount.strict_neg() }
}
