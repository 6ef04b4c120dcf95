//! A rule brought to bear on transfers that are not made: what it takes from whom, and what collateral pays of what is then missing. The one place
//! that decides it, for [`super::what_if_default`] as for [`super::replace`], so that the answer before a failure is the answer after it.
//!
//! What of a defaulter's position has not failed is settled elsewhere: it was paid, carried, or owed again or written off before. So it has paid
//! that, and what is left of the rule is about the rest. Collateral pays whole minor units: what falls to each of those who are paid out of it is cut
//! down to them, and what is cut off stays with the defaulter, who goes on owing it.

use super::{Failing, Rule, exclude, pro_rata, shares};
use crate::{
    debts::Debts,
    network::{Flow, Network, at},
    rounding,
    strategies::paired,
};
use scrip::Scale;
use std::collections::BTreeMap;

/// What a rule makes of a failure.
pub(super) struct Ruling {
    /// What it takes from each party, by number: the position if all pay, less the one under the rule, to the micro-unit. Sums to zero.
    pub(super) borne: Vec<i64>,
    /// What is then still missing to everybody's position, from whom to whom.
    pub(super) missing: Vec<Missing>,
}

/// What is missing between two.
pub(super) struct Missing {
    pub(super) flow: Flow,
    /// What of it collateral would pay if it paid in micro-units.
    share: i64,
    /// What of that it pays: whole minor units.
    pub(super) drawn: i64,
}

impl Missing {
    /// What the rule has collateral pay and collateral cannot, because it is no whole minor unit.
    pub(super) fn cut_off(&self) -> i64 {
        self.share.strict_sub(self.drawn)
    }
}

impl Ruling {
    /// `unpaid` is what each party would have been paid by the transfers that are not made, less what it would have paid; it sums to zero.
    pub(super) fn of(network: &Network, rule: Rule, failing: &Failing, unpaid: &[i64], digits: Scale) -> Self {
        let outcome: fn(&Debts, &Failing) -> Vec<i64> = match rule {
            Rule::CarryOver => return Self { borne: unpaid.to_vec(), missing: Vec::new() },
            Rule::ExcludeAndRenet => exclude::outcome,
            Rule::CollateralThenLossShare => |debts, failing| shares::outcome(&debts.nets(), failing),
            Rule::ProRata => pro_rata::outcome,
        };
        let debts = Debts::of(network);
        let before = debts.nets();
        let elsewhere: Vec<i64> = unpaid.iter().zip(&before).map(|(unpaid, before)| unpaid.strict_sub(*before).max(0)).collect();
        let after = outcome(&debts, &failing.with(&elsewhere));
        let drawable = |party: usize| match failing.collateral[party] {
            Some(collateral) => after[party].strict_neg().strict_sub(elsewhere[party]).clamp(0, collateral),
            None => 0,
        };
        let borne: Vec<i64> = before.iter().zip(&after).map(|(before, after)| before.strict_sub(*after)).collect();
        let missing: Vec<i64> = unpaid.iter().zip(&borne).map(|(unpaid, borne)| unpaid.strict_sub(*borne)).collect();
        let mut of_payers: BTreeMap<u32, Vec<Flow>> = BTreeMap::new();
        for flow in paired(&missing) {
            of_payers.entry(flow.from).or_default().push(flow);
        }
        let drawn = |(payer, flows): (u32, Vec<Flow>)| draw(drawable(at(payer)), &flows, rounding::grain(digits));
        Self { borne, missing: of_payers.into_iter().flat_map(drawn).collect() }
    }
}

/// So much of one party's collateral over what it is to pay to each of the others, in proportion.
fn draw(drawable: i64, flows: &[Flow], grain: i64) -> Vec<Missing> {
    let amounts: Vec<i64> = flows.iter().map(|flow| flow.amount).collect();
    let all = amounts.iter().fold(0_i64, |sum, amount| sum.strict_add(*amount));
    let drawable = drawable.min(all);
    let part = |amount: i64| {
        let part = i128::from(drawable).strict_mul(i128::from(amount)).strict_div(i128::from(all));
        let part = i64::try_from(part).expect("a part of an amount is no larger");
        part.strict_sub(part.strict_rem(grain))
    };
    let shares = shares::shared(drawable, &amounts);
    flows.iter().zip(shares).map(|(flow, share)| Missing { flow: *flow, share, drawn: part(flow.amount) }).collect()
}
