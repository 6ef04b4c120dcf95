//! One network, netted by every strategy side by side.

use crate::{
    debts::Debts,
    hash,
    netting::Netting,
    network::{Network, Party},
    outcome::{NettingError, Transfer},
    strategy::Strategy,
    terms::Terms,
};
use scrip::{Micro, Scale};
use std::collections::BTreeMap;

/// What a network would come to by each strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatIf {
    /// The currency's decimals, to which transfers are rounded.
    pub digits: Scale,
    /// The smallest transfer that is made; zero where every one is.
    pub min_transfer: Micro,
    /// How many obligations went in.
    pub obligations: usize,
    /// How many parties owe or are owed.
    pub parties: usize,
    /// The sum of all obligations.
    pub gross: Micro,
    /// What is left to pay where two parties at a time set off.
    pub bilateral: Micro,
    /// What is left to pay where circles are set off.
    pub conservative: Micro,
    /// The net internal debt.
    pub net: Micro,
    /// One per strategy, in the order of [`Strategy::ALL`].
    pub alternatives: Vec<Alternative>,
}

/// One strategy's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// Which.
    pub strategy: Strategy,
    /// What it comes to, or why the strategy does not take this network.
    pub figures: Result<Figures, NettingError>,
}

/// The figures of one netting; the same words as in [`Netting`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// How many transfers there are.
    pub transfers: usize,
    /// What the transfers move; by the hub everything twice.
    pub total: Micro,
    /// What the strategy leaves to be paid, before rounding.
    pub remaining: Micro,
    /// What the strategy cancels without money.
    pub set_off: Micro,
    /// What the carries come to.
    pub carried: Micro,
    /// None where nobody pays.
    pub largest_payer: Option<LargestPayer>,
    /// Zero where there is none. The house's own transfers count.
    pub largest_transfer: Micro,
    /// Whether the strategy provably reached its goal.
    pub optimal: bool,
    /// How many transfers it takes at least, where the strategy is `fewest`; else none.
    pub transfers_needed: Option<usize>,
}

/// The party, not the house, that pays most in all; the first of those by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargestPayer {
    /// Who.
    pub party: Party,
    /// The sum of its transfers.
    pub pays: Micro,
}

impl WhatIf {
    /// Nets `network` by every strategy. Only terms that no strategy takes are refused.
    pub fn compute(network: &Network, digits: Scale, min_transfer: Micro) -> Result<Self, NettingError> {
        let (debts, input_hash) = (Debts::of(network), hash::input(network));
        let by = |strategy| Netting::of(network, &debts, input_hash, Terms { strategy, digits, min_transfer });
        // One netting at a time is in memory.
        let alternatives =
            Strategy::ALL.map(|strategy| Alternative { strategy, figures: by(strategy).map(|netting| Figures::of(&netting)) });
        let remaining = |strategy| {
            let alternative = alternatives.iter().find(|alternative| alternative.strategy == strategy).expect("every strategy was tried");
            alternative.figures.as_ref().map(|figures| figures.remaining).map_err(Clone::clone)
        };
        Ok(Self {
            digits,
            min_transfer,
            obligations: network.flows().len(),
            parties: network.parties().len(),
            gross: network.gross(),
            bilateral: remaining(Strategy::Bilateral)?,
            conservative: remaining(Strategy::Conservative)?,
            net: remaining(Strategy::Direct)?,
            alternatives: alternatives.to_vec(),
        })
    }
}

impl Figures {
    fn of(netting: &Netting) -> Self {
        Self {
            transfers: netting.transfers.len(),
            total: netting.total,
            remaining: netting.remaining,
            set_off: netting.set_off,
            carried: netting.carried(),
            largest_payer: largest_payer(netting),
            largest_transfer: netting.transfers.iter().map(|t| t.amount).max().unwrap_or_default(),
            optimal: netting.optimal,
            transfers_needed: netting.transfers_needed,
        }
    }
}

fn largest_payer(netting: &Netting) -> Option<LargestPayer> {
    let mut paid: BTreeMap<&Party, Micro> = BTreeMap::new();
    for Transfer { payer, payee: _, amount } in &netting.transfers {
        // Only in the hub is this name the house's.
        if netting.strategy != Strategy::Hub || !payer.is_house() {
            let sum = paid.entry(payer).or_default();
            *sum = sum.checked_add(*amount).expect("nobody pays more than the gross");
        }
    }
    // Of equal sums the last in this order is taken, which is the first by name.
    let (party, pays) = paid.into_iter().rev().max_by_key(|(_, pays)| *pays)?;
    Some(LargestPayer { party: party.clone(), pays })
}
