//! What happens to everybody if some do not pay: four rules, and who is short by how much under each.
//!
//! Shape: [`what_if_default`] takes a network, who fails, and a [`Rule`]; each rule has a module, which says what every party's position comes
//! to: figures to look at before a rule is chosen, or before a run is approved. [`replace`] carries a rule out: it says what takes the place of
//! transfers that have failed. Both ask `ruling`, which puts a rule to transfers that are not made. Nothing is posted here.
//!
//! Only money is distributed, never made: whatever the rule, the positions after a failure sum to zero, as they did before. Amounts are
//! micro-units, and so are shares; what collateral pays is cut down to whole minor units. All else is rounded to them where everything is, in the
//! netting of what comes out.

mod exclude;
mod pro_rata;
mod replacement;
mod roll;
mod ruling;
mod shares;
#[cfg(test)]
mod tests;

pub use exclude::exclude;
pub use pro_rata::{Cleared, pro_rata};
pub use replacement::{Missed, Payment, Replacement, replace};
pub use roll::carry_over;
use ruling::Ruling;

use crate::{
    network::{Network, Party, at},
    outcome::Transfer,
};
use scrip::{Micro, Scale};
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, fmt, str::FromStr};

/// The most parties that may fail at once. `pro_rata` solves equations in as many unknowns, exactly: its numbers grow with them.
pub const DEFAULTERS_MAX: usize = 32;

/// Who bears it when somebody does not pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Whatever a defaulter owes or is owed is taken out, and the rest is netted again. Who was owed most by the defaulter is hit most.
    ExcludeAndRenet,
    /// A defaulter's collateral pays first; what is missing then is shared by those who were to be paid, in proportion.
    CollateralThenLossShare,
    /// Every obligation of a defaulter is paid at the same rate, from its collateral and what it receives itself.
    ProRata,
    /// The transfers that a defaulter does not make stay owed, and become debts of the next window.
    CarryOver,
}

impl Rule {
    /// Every rule, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::ExcludeAndRenet, Self::CollateralThenLossShare, Self::ProRata, Self::CarryOver];

    /// The name in commands and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExcludeAndRenet => "exclude_and_renet",
            Self::CollateralThenLossShare => "collateral_then_loss_share",
            Self::ProRata => "pro_rata",
            Self::CarryOver => "carry_over",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No rule has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rule is one of exclude_and_renet, collateral_then_loss_share, pro_rata and carry_over, not {name:?}")]
pub struct UnknownRule {
    /// The name that was given.
    pub name: String,
}

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(name: &str) -> Result<Self, UnknownRule> {
        Self::ALL.into_iter().find(|rule| rule.name() == name).ok_or_else(|| UnknownRule { name: name.to_owned() })
    }
}

/// A party that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaulter<'a> {
    /// Which.
    pub party: &'a str,
    /// What there is to pay with, in micro-units, not below zero. Two rules look at it: `collateral_then_loss_share` and `pro_rata`.
    pub collateral: Micro,
}

/// What a failure comes to for one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Which.
    pub party: Party,
    /// Whether it is one of those who fail.
    pub defaults: bool,
    /// Its position if all pay. Positive: was to receive. Negative: was to pay.
    pub expected: Micro,
    /// Its position under the rule. Of a defaulter, minus what is paid out of its collateral, and what of its position was no transfer.
    pub outcome: Micro,
    /// `expected - outcome` where that is more than zero: what it receives less, or pays more.
    pub short: Micro,
}

/// What a failure has a defaulter's collateral pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// Whose collateral.
    pub party: Party,
    /// Who is paid.
    pub payee: Party,
    /// More than zero, in whole minor units.
    pub amount: Micro,
}

/// What a failure comes to for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatIf {
    /// By which rule.
    pub rule: Rule,
    /// One per party, in byte order of their names. The `expected` sum to zero, and the `outcome` do.
    pub effects: Vec<Effect>,
    /// What is paid at once out of collateral, in the order of both names.
    pub draws: Vec<Draw>,
    /// By how much those who do not fail are short, in all.
    pub shortfall: Micro,
}

/// Why there is no answer to what if.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FailureError {
    /// It neither owes nor is owed anything.
    #[error("{party} neither owes nor is owed anything here")]
    UnknownParty {
        /// The name that was given.
        party: String,
    },
    /// A party fails once.
    #[error("{party} is named twice")]
    NamedTwice {
        /// The name that was given.
        party: String,
    },
    /// Collateral is not less than nothing.
    #[error("the collateral of {party} is less than zero")]
    CollateralNegative {
        /// Whose.
        party: String,
    },
    /// More than [`DEFAULTERS_MAX`].
    #[error("at most {DEFAULTERS_MAX} parties can fail at once")]
    TooManyDefaulters,
    /// With the hub, the house is who is not paid.
    #[error("the house lends nothing: what is owed to it cannot be carried over")]
    HouseIsCreditor,
}

/// What everybody's position comes to if `defaulters` make none of their transfers.
///
/// `transfers` are those of the netting of `network`, rounded to `digits`. Where they are with the house, which is not what a rule is for, everybody's
/// whole position counts as not paid. Takes a pass over the pairs, and for `pro_rata` some d^3 steps with large numbers a round, d being those who
/// cannot pay in full. Panics if the outcome does not sum to zero: that would be a bug.
pub fn what_if_default(
    network: &Network,
    transfers: &[Transfer],
    defaulters: &[Defaulter<'_>],
    rule: Rule,
    digits: Scale,
) -> Result<WhatIf, FailureError> {
    let failing = Failing::read(network, defaulters)?;
    let nets = nets(network);
    let unpaid = match roll::unpaid(network, transfers, &failing) {
        Err(FailureError::HouseIsCreditor) if rule != Rule::CarryOver => nets.clone(),
        unpaid => unpaid?,
    };
    let ruling = Ruling::of(network, rule, &failing, &unpaid, digits);
    let what_if = WhatIf::of(network, rule, &failing, &nets, &ruling);
    what_if.assert_consistent(&failing, &unpaid);
    Ok(what_if)
}

/// What each party is owed less what it owes, by number.
fn nets(network: &Network) -> Vec<i64> {
    let mut nets = vec![0_i64; network.parties().len()];
    for flow in network.flows() {
        nets[at(flow.from)] = nets[at(flow.from)].strict_sub(flow.amount);
        nets[at(flow.to)] = nets[at(flow.to)].strict_add(flow.amount);
    }
    nets
}

impl WhatIf {
    fn of(network: &Network, rule: Rule, failing: &Failing, nets: &[i64], ruling: &Ruling) -> Self {
        let mut outcomes: Vec<i64> = nets.iter().zip(&ruling.borne).map(|(net, borne)| net.strict_sub(*borne)).collect();
        let name = |party: u32| network.parties()[at(party)].clone();
        let mut draws = Vec::new();
        for missing in &ruling.missing {
            let (from, to) = (missing.flow.from, missing.flow.to);
            outcomes[at(from)] = outcomes[at(from)].strict_add(missing.cut_off());
            outcomes[at(to)] = outcomes[at(to)].strict_sub(missing.cut_off());
            if missing.drawn > 0 {
                draws.push(Draw { party: name(from), payee: name(to), amount: Micro::new(missing.drawn) });
            }
        }
        draws.sort_unstable_by(|one, other| (&one.party, &one.payee).cmp(&(&other.party, &other.payee)));
        let mut effects = Vec::with_capacity(nets.len());
        let mut shortfall = 0_i64;
        for (number, party) in network.parties().iter().enumerate() {
            let (expected, outcome) = (nets[number], outcomes[number]);
            let short = expected.strict_sub(outcome).max(0);
            let defaults = failing.includes(number);
            if !defaults {
                shortfall = shortfall.strict_add(short);
            }
            let [expected, outcome, short] = [expected, outcome, short].map(Micro::new);
            effects.push(Effect { party: party.clone(), defaults, expected, outcome, short });
        }
        Self { rule, effects, draws, shortfall: Micro::new(shortfall) }
    }

    /// The parties that are hit hardest, those who fail left out: largest shortage first, ties by name; at most so many.
    pub fn hardest_hit(&self, effects_max: usize) -> Vec<&Effect> {
        let mut hit: Vec<&Effect> = self.effects.iter().filter(|e| !e.defaults && e.short > Micro::ZERO).collect();
        hit.sort_by_key(|e| (Reverse(e.short), &e.party));
        hit.truncate(effects_max);
        hit
    }

    /// Looks at the result alone, not at how it came about.
    fn assert_consistent(&self, failing: &Failing, unpaid: &[i64]) {
        let sum = |figure: fn(&Effect) -> Micro| self.effects.iter().fold(0_i128, |sum, e| sum.strict_add(figure(e).units().into()));
        assert!(sum(|e| e.expected) == 0 && sum(|e| e.outcome) == 0, "a failure makes no money and loses none");
        if self.rule == Rule::CarryOver {
            return; // What rounding leaves owed is part of a position, and no money that anybody would have to have.
        }
        for ((Effect { party, expected, outcome, .. }, collateral), unpaid) in self.effects.iter().zip(&failing.collateral).zip(unpaid) {
            let Some(collateral) = collateral else { continue };
            let elsewhere = unpaid.strict_sub(expected.units()).max(0);
            let paid_max = expected.units().min(0).strict_neg().max(collateral.saturating_add(elsewhere));
            assert!(outcome.units() >= paid_max.strict_neg(), "{party} pays neither more than it has nor more than it was to");
        }
    }
}

/// Who fails, by party number, and with what collateral.
struct Failing {
    collateral: Vec<Option<i64>>,
}

impl Failing {
    fn read(network: &Network, defaulters: &[Defaulter<'_>]) -> Result<Self, FailureError> {
        if defaulters.len() > DEFAULTERS_MAX {
            return Err(FailureError::TooManyDefaulters);
        }
        let mut collateral = vec![None; network.parties().len()];
        for Defaulter { party, collateral: amount } in defaulters {
            let party = || (*party).to_owned();
            let number = number_of(network, &party()).ok_or_else(|| FailureError::UnknownParty { party: party() })?;
            if *amount < Micro::ZERO {
                return Err(FailureError::CollateralNegative { party: party() });
            }
            if collateral[number].replace(amount.units()).is_some() {
                return Err(FailureError::NamedTwice { party: party() });
            }
        }
        Ok(Self { collateral })
    }

    /// The same, with so much more to pay with; more than any debt, where it would not fit.
    fn with(&self, more: &[i64]) -> Self {
        let collateral = self.collateral.iter().zip(more);
        Self { collateral: collateral.map(|(collateral, more)| collateral.map(|amount| amount.saturating_add(*more))).collect() }
    }

    fn includes(&self, party: usize) -> bool {
        self.collateral[party].is_some()
    }
}

fn number_of(network: &Network, party: &str) -> Option<usize> {
    network.parties().binary_search_by(|p| p.as_str().cmp(party)).ok()
}
