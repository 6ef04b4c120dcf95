//! Micro-units to the currency's minor units: the one place where a run rounds. What is rounded away is never lost: it is carried.

use crate::{network::Flow, terms::Payable};
use scrip::{Scale, money::MICRO_SCALE};
use std::cmp::Reverse;

/// How many micro-units the currency's minor unit has: 10,000 for two digits, 1 for six.
pub(crate) fn grain(digits: Scale) -> i64 {
    MICRO_SCALE.units_per_whole().strict_div(digits.units_per_whole())
}

/// Positions split into what is settled now and what is carried, by party number.
pub(crate) struct Rounded {
    /// Whole grains; sums to zero.
    pub(crate) settled: Vec<i64>,
    /// Less than a grain each; sums to zero.
    pub(crate) carried: Vec<i64>,
}

/// Positions in whole grains that still sum to zero, by largest remainder.
///
/// Every position is first cut towards zero. That leaves one side, payers or payees, with the smaller sum; on that side the
/// positions with the largest remainders grow by one grain each (ties by name) until both sides agree. So nobody is moved by a
/// full grain, nobody changes sides, and together the parties never pay more than they owe.
pub(crate) fn rounded(nets: &[i64], grain: i64) -> Rounded {
    let remainder = |net: &i64| net.strict_rem(grain);
    let mut settled: Vec<i64> = nets.iter().map(|net| net.strict_sub(remainder(net))).collect();
    let surplus = settled.iter().fold(0_i64, |sum, s| sum.strict_add(*s));
    let grown_by = surplus.signum().strict_mul(grain).strict_neg();
    let mut short_side: Vec<(Reverse<u64>, usize)> = (0..)
        .zip(nets)
        .filter(|(_, net)| remainder(net).signum() == grown_by.signum() && grown_by != 0)
        .map(|(party, net)| (Reverse(remainder(net).unsigned_abs()), party))
        .collect();
    short_side.sort_unstable();
    let growing = usize::try_from(surplus.strict_div(grain).unsigned_abs()).expect("fewer grains are missing than there are parties");
    for (_, party) in short_side.into_iter().take(growing) {
        settled[party] = settled[party].strict_add(grown_by);
    }
    let carried = nets.iter().zip(&settled).map(|(net, settled)| net.strict_sub(*settled)).collect();
    Rounded { settled, carried }
}

/// Each flow cut down to whole grains, and the rests, which stay owed in the same direction; of a flow that is too small, all of it.
pub(crate) fn cut(flows: &[Flow], payable: Payable) -> (Vec<Flow>, Vec<Flow>) {
    let paid = |flow: &Flow| {
        let whole = flow.amount.strict_sub(flow.amount.strict_rem(payable.grain));
        if payable.is_made(whole) { whole } else { 0 }
    };
    let part = |amount_of: &dyn Fn(&Flow) -> i64| {
        flows.iter().map(|flow| Flow { amount: amount_of(flow), ..*flow }).filter(|flow| flow.amount > 0).collect()
    };
    (part(&paid), part(&|flow| flow.amount.strict_sub(paid(flow))))
}
