//! What takes the place of the transfers that a party has not made, so that everybody's position comes to what the rule says.
//!
//! Three things are put together, by pair. The defaulter goes on owing each of the others what the rule takes from it (or is owed by those whom
//! the rule spares something). The others owe each other what is then still missing to their positions. And of what the defaulter would
//! owe in that second part, its collateral pays as much as the rule has it pay, in whole minor units.
//!
//! None of this moves money by itself: for every party, what is owed and drawn comes to what it would have been paid by the failed transfers. Nothing is
//! forgiven and nothing is lent. What the rule takes and what collateral pays, [`Ruling`] says.

use super::{Defaulter, Failing, FailureError, Rule, Ruling, number_of};
use crate::{
    network::{Network, at},
    outcome::Carry,
};
use scrip::{Micro, Scale};
use std::collections::BTreeMap;

/// A party that has not paid, as far as its run is over for it.
#[derive(Debug, Clone, Copy)]
pub struct Missed<'a> {
    /// Which.
    pub party: &'a str,
    /// What there is of its to pay with, in micro-units, not below zero.
    pub collateral: Micro,
    /// What it was to pay and has not paid.
    pub failed: &'a [Payment],
}

/// What one party pays another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Who is paid.
    pub payee: String,
    /// More than zero, in whole minor units.
    pub amount: Micro,
}

/// What takes the place of failed transfers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// Paid at once, out of the collateral; in byte order of the payees. In all no more than the collateral.
    pub draws: Vec<Payment>,
    /// Owed from now on, in the order of debtor and creditor; at most one of two parties owes the other.
    pub owed: Vec<Carry>,
}

/// What takes the place of the transfers that `missed` has not made.
///
/// `network` is what was netted, without what was held back. Takes the time of [`super::what_if_default`]. Panics if what comes out does not move
/// what the failed transfers would have: that would be a bug.
pub fn replace(network: &Network, rule: Rule, missed: &Missed<'_>, digits: Scale) -> Result<Replacement, FailureError> {
    let count = network.parties().len();
    let find = |party: &str| number_of(network, party);
    let defaulter = find(missed.party).ok_or_else(|| FailureError::UnknownParty { party: missed.party.to_owned() })?;
    let mut unpaid = vec![0_i64; count];
    for Payment { payee, amount } in missed.failed {
        let payee = find(payee).ok_or(FailureError::HouseIsCreditor)?;
        unpaid[payee] = unpaid[payee].strict_add(amount.units());
        unpaid[defaulter] = unpaid[defaulter].strict_sub(amount.units());
    }
    let failing = Failing::read(network, &[Defaulter { party: missed.party, collateral: missed.collateral }])?;
    let Ruling { borne, missing } = Ruling::of(network, rule, &failing, &unpaid, digits);

    let mut sums = Sums::default();
    for party in (0..count).filter(|party| *party != defaulter) {
        sums.add(defaulter, party, borne[party]);
    }
    let mut draws = BTreeMap::new();
    for missing in missing {
        let (from, to, drawn) = (at(missing.flow.from), at(missing.flow.to), missing.drawn);
        if drawn > 0 {
            draws.insert(to, drawn);
        }
        sums.add(from, to, missing.flow.amount.strict_sub(drawn));
    }
    sums.assert_moves(&unpaid, defaulter, &draws);

    let name = |party: usize| network.parties()[party].clone();
    let owed = sums.owed().map(|(debtor, creditor, amount)| Carry { debtor: name(debtor), creditor: name(creditor), amount });
    let draw = |(payee, amount): (usize, i64)| Payment { payee: name(payee).to_string(), amount: Micro::new(amount) };
    Ok(Replacement { owed: owed.collect(), draws: draws.into_iter().map(draw).collect() })
}

/// What parties owe each other, by pair, the lower number first: positive is owed by it.
#[derive(Default)]
struct Sums(BTreeMap<(usize, usize), i64>);

impl Sums {
    /// `debtor` owes `creditor` so much more; less where the amount is below zero.
    fn add(&mut self, debtor: usize, creditor: usize, amount: i64) {
        let (pair, amount) = if debtor < creditor { ((debtor, creditor), amount) } else { ((creditor, debtor), amount.strict_neg()) };
        let sum = self.0.entry(pair).or_default();
        *sum = sum.strict_add(amount);
    }

    /// Debtor, creditor, amount; in the order of both.
    fn owed(&self) -> impl Iterator<Item = (usize, usize, Micro)> {
        let mut owed: Vec<_> = self
            .0
            .iter()
            .filter(|(_, sum)| **sum != 0)
            .map(|((low, high), sum)| {
                let (debtor, creditor) = if *sum > 0 { (*low, *high) } else { (*high, *low) };
                (debtor, creditor, Micro::new(sum.strict_abs()))
            })
            .collect();
        owed.sort_unstable();
        owed.into_iter()
    }

    /// Looks at the result alone, not at how it came about.
    fn assert_moves(&self, unpaid: &[i64], defaulter: usize, draws: &BTreeMap<usize, i64>) {
        let mut left = unpaid.to_vec();
        let drawn = draws.iter().map(|(payee, amount)| (defaulter, *payee, Micro::new(*amount)));
        for (debtor, creditor, amount) in self.owed().chain(drawn) {
            left[creditor] = left[creditor].strict_sub(amount.units());
            left[debtor] = left[debtor].strict_add(amount.units());
        }
        assert!(left.iter().all(|amount| *amount == 0), "what takes the place of transfers moves what they would have moved");
    }
}
