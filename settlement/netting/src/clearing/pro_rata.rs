//! `pro_rata`: whoever cannot pay everything pays all it has, every obligation at the same rate; and what others receive less may leave
//! them unable to pay in turn. The payments at which all of this agrees are a clearing vector.
//!
//! Eisenberg and Noe, "Systemic Risk in Financial Systems", Management Science 47 (2001), pages 236-249: with owes(i) the sum of what i owes,
//! cash(i) what it has besides, and L(j,i) what j owes i, payments p clear if `p(i) = min(owes(i), cash(i) + sum over j of L(j,i) *
//! p(j) / owes(j))`. There is always a greatest such p, and what everybody has afterwards is the same with all. It is found by their
//! fictitious default algorithm: let all pay in full; whoever is short then pays at an unknown rate; solve for the rates; whoever is short
//! because of that joins, until nobody does. At most one round per party, as nobody leaves again.
//!
//! The rates solve `owes(i) y(i) - sum over short j of L(j,i) y(j) = cash(i) + what the others owe i`. This has exactly one solution: a set of
//! parties that owe only each other has, taken together, what it needs to pay itself, so never are all of them short. Hence the matrix is
//! a nonsingular M-matrix, its leading minors are positive, and elimination never has to look for a pivot. Elimination is free of
//! fractions (Bareiss 1968, in the form of Gauss and Jordan): every rate ends as a whole number over one common denominator, exactly.
//!
//! Rounding happens once, at the end: the positions (received less paid), which sum to zero, are cut down to whole micro-units, and what is
//! missing goes to the largest remainders, ties by name. A party that is short has a position of exactly minus its cash, so rounding never
//! makes it pay more than it has; others move by less than one micro-unit.
#![expect(clippy::arithmetic_side_effects, reason = "large integers grow instead of overflowing")]

use super::{Defaulter, Failing, FailureError};
use crate::{
    debts::Debts,
    network::{Network, Party, at},
};
use num_bigint::{BigInt, Sign};
use scrip::Micro;
use std::cmp::Reverse;

/// What one party pays and receives when payments clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    /// Whose.
    pub party: Party,
    /// The sum of what it owes others.
    pub owes: Micro,
    /// What it pays of that, cut down to whole micro-units: `owes`, or all it has.
    pub pays: Micro,
    /// What it is paid: `pays + position`. The sum over all parties is the sum of what they pay.
    pub receives: Micro,
}

/// The greatest clearing vector, where `limited` parties have their collateral and what they receive, and all others can pay what they owe.
///
/// One payment per party, in byte order of their names.
pub fn pro_rata(network: &Network, limited: &[Defaulter<'_>]) -> Result<Vec<Cleared>, FailureError> {
    let failing = Failing::read(network, limited)?;
    let debts = Debts::of(network);
    let clearing = Clearing::of(&debts, &failing);
    let positions = clearing.positions(&debts);
    let payment = |((party, tally), (pays, position)): ((&Party, &crate::debts::Tally), (i64, i64))| Cleared {
        party: party.clone(),
        owes: Micro::new(tally.owes),
        pays: Micro::new(pays),
        receives: Micro::new(pays.strict_add(position)),
    };
    let figures = clearing.payments(&debts).into_iter().zip(positions);
    Ok(network.parties().iter().zip(&debts.tallies).zip(figures).map(payment).collect())
}

/// What everybody receives less what it pays, by party number.
pub(super) fn outcome(debts: &Debts, failing: &Failing) -> Vec<i64> {
    Clearing::of(debts, failing).positions(debts)
}

/// The rates at which payments clear: numerators over one denominator.
struct Clearing {
    /// By party number; none of a party that pays in full.
    rates: Vec<Option<BigInt>>,
    /// More than zero.
    denominator: BigInt,
}

impl Clearing {
    /// The fictitious default algorithm.
    fn of(debts: &Debts, failing: &Failing) -> Self {
        let mut short: Vec<usize> = Vec::new();
        loop {
            let clearing = Self::solve(debts, failing, &short);
            let receives = clearing.receives(debts);
            let joins = |party: &usize| {
                let owes = BigInt::from(debts.tallies[*party].owes) * &clearing.denominator;
                let has = failing.collateral[*party].map(|cash| &receives[*party] + BigInt::from(cash) * &clearing.denominator);
                clearing.rates[*party].is_none() && has.is_some_and(|has| has < owes)
            };
            let joining: Vec<usize> = (0..debts.tallies.len()).filter(joins).collect();
            if joining.is_empty() {
                clearing.assert_clears(debts, failing, &receives);
                return clearing;
            }
            short.extend(joining);
            short.sort_unstable();
        }
    }

    /// The rates of those who are short, when all others pay in full.
    fn solve(debts: &Debts, failing: &Failing, short: &[usize]) -> Self {
        let mut rows = equations(debts, failing, short);
        let mut denominator = BigInt::from(1);
        for step in 0..rows.len() {
            let pivot_row = rows[step].clone();
            let pivot = &pivot_row[step];
            assert!(pivot.sign() == Sign::Plus, "those who are short owe somebody besides each other");
            for row in rows.iter_mut().enumerate().filter(|(at, _)| *at != step).map(|(_, row)| row) {
                let factor = row[step].clone();
                for (cell, above) in row.iter_mut().zip(&pivot_row) {
                    *cell = (&*cell * pivot - &factor * above) / &denominator;
                }
            }
            denominator = pivot.clone();
        }
        let mut rates = vec![None; debts.tallies.len()];
        for (party, mut row) in short.iter().zip(rows) {
            rates[*party] = row.pop();
        }
        Self { rates, denominator }
    }

    /// Puts the rates into the definition: everybody pays in full or all it has, whichever is less.
    fn assert_clears(&self, debts: &Debts, failing: &Failing, receives: &[BigInt]) {
        for (party, pays) in self.pays(debts).into_iter().enumerate() {
            let owes = BigInt::from(debts.tallies[party].owes) * &self.denominator;
            let has = failing.collateral[party].map(|cash| &receives[party] + BigInt::from(cash) * &self.denominator);
            assert!(pays == has.map_or(owes.clone(), |has| has.min(owes)), "what is paid clears");
        }
    }

    /// What everybody receives, over the denominator.
    fn receives(&self, debts: &Debts) -> Vec<BigInt> {
        let mut in_full = vec![0_i64; debts.tallies.len()];
        let mut in_part = vec![BigInt::ZERO; debts.tallies.len()];
        for pair in &debts.pairs {
            match &self.rates[at(pair.from)] {
                Some(rate) => in_part[at(pair.to)] += rate * pair.amount,
                None => in_full[at(pair.to)] = in_full[at(pair.to)].strict_add(pair.amount),
            }
        }
        in_full.into_iter().zip(in_part).map(|(in_full, in_part)| in_part + &self.denominator * in_full).collect()
    }

    /// What everybody pays, over the denominator.
    fn pays(&self, debts: &Debts) -> Vec<BigInt> {
        let rate = |party: usize| self.rates[party].as_ref().unwrap_or(&self.denominator);
        debts.tallies.iter().enumerate().map(|(party, tally)| rate(party) * tally.owes).collect()
    }

    /// What everybody pays, cut down to whole micro-units.
    fn payments(&self, debts: &Debts) -> Vec<i64> {
        self.pays(debts).iter().map(|pays| whole(&(pays / &self.denominator))).collect()
    }

    /// Received less paid, in whole micro-units that sum to zero.
    fn positions(&self, debts: &Debts) -> Vec<i64> {
        let exact = self.receives(debts).into_iter().zip(self.pays(debts)).map(|(receives, pays)| receives - pays);
        let (mut positions, mut remainders) = (Vec::with_capacity(debts.tallies.len()), Vec::new());
        for (party, position) in exact.enumerate() {
            let mut floor = &position / &self.denominator;
            if &floor * &self.denominator > position {
                floor -= 1;
            }
            let remainder = position - &floor * &self.denominator;
            if remainder.sign() == Sign::Plus {
                remainders.push((Reverse(remainder), party));
            }
            positions.push(whole(&floor));
        }
        remainders.sort_unstable();
        let missing = positions.iter().fold(0_i64, |missing, position| missing.strict_sub(*position));
        let missing = usize::try_from(missing).expect("what is cut down sums to zero or less");
        for (_, party) in remainders.into_iter().take(missing) {
            positions[party] = positions[party].strict_add(1);
        }
        positions
    }
}

/// One row for each party that is short: what multiplies the rates, and last what it has besides.
fn equations(debts: &Debts, failing: &Failing, short: &[usize]) -> Vec<Vec<BigInt>> {
    let mut rows = vec![vec![BigInt::ZERO; short.len().strict_add(1)]; short.len()];
    for (row, party) in short.iter().enumerate() {
        rows[row][row] += debts.tallies[*party].owes;
        rows[row][short.len()] += failing.collateral[*party].unwrap_or_default();
    }
    let place = |party: u32| short.binary_search(&at(party)).ok();
    for pair in &debts.pairs {
        if let Some(row) = place(pair.to) {
            match place(pair.from) {
                Some(column) => rows[row][column] -= pair.amount,
                None => rows[row][short.len()] += pair.amount,
            }
        }
    }
    rows
}

fn whole(number: &BigInt) -> i64 {
    i64::try_from(number).expect("nobody pays or receives more than is owed")
}
