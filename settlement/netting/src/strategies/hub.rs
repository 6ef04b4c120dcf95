//! `hub`: every party has one transfer with the house; first what the house collects, then what it pays out, each by name.
//!
//! The house keeps nothing, so both sides come to one total. Where transfers have a minimum, it is the largest total that both sides can
//! make of transfers no smaller than that, none of them more than the party's rounded net. A side makes it from its largest nets on, as few
//! as reach it, and what these are too much for is left off the smallest of them, each down to the minimum. The rest is carried.

use super::{Plan, direct};
use crate::{
    debts::Debts,
    network::{Flow, Network, at},
    outcome::NettingError,
    rounding::{self, Rounded},
    terms::Payable,
};

pub(super) fn plan(network: &Network, debts: &Debts, payable: Payable) -> Result<Plan, NettingError> {
    if network.parties().binary_search_by(|party| party.as_str().cmp(scrip::code::HOUSE)).is_ok() {
        return Err(NettingError::HouseIsParty);
    }
    let house = u32::try_from(network.parties().len()).expect("the network leaves a number for the house");
    let nets = debts.nets();
    let Rounded { settled, .. } = rounding::rounded(&nets, payable.grain);
    let side = |sign: i64| Side::of(&settled, sign, payable.least);
    let (payers, payees) = (side(-1), side(1));
    let total = common_total(&payers, &payees);
    let collected = payers.making(total).into_iter().map(|(amount, from)| Flow { from, to: house, amount });
    let paid_out = payees.making(total).into_iter().map(|(amount, to)| Flow { from: house, to, amount });
    let transfers: Vec<Flow> = collected.chain(paid_out).collect();

    let mut left = nets;
    for Flow { from, to, amount } in &transfers {
        // The house has no place among the nets: what it collects it pays out.
        let (party, owed) = if *to == house { (*from, *amount) } else { (*to, amount.strict_neg()) };
        left[at(party)] = left[at(party)].strict_add(owed);
    }
    Ok(Plan { transfers, carries: direct::paired(&left), remaining: debts.net_internal_debt(), optimal: true, transfers_needed: None })
}

/// Those who pay the house, or those whom it pays.
struct Side {
    /// Rounded nets that are no smaller than the least transfer, and whose; largest first.
    nets: Vec<(i64, u32)>,
    /// What the first one, the first two and so on come to.
    sums: Vec<i64>,
    least: i64,
}

impl Side {
    fn of(settled: &[i64], sign: i64, least: i64) -> Self {
        let mut nets = direct::largest_first(settled.iter().copied().zip(0..), sign);
        nets.retain(|(net, _)| *net >= least);
        let add = |sum: &mut i64, (net, _): &(i64, u32)| {
            *sum = sum.strict_add(*net);
            Some(*sum)
        };
        let sums = nets.iter().scan(0, add).collect();
        Self { nets, sums, least }
    }

    /// The largest total up to this one that the side can make: k transfers make everything from k times the least to the k largest nets.
    fn largest_total(&self, up_to: i64) -> i64 {
        let count = usize::try_from(up_to.strict_div(self.least)).map_or(self.nets.len(), |fitting| fitting.min(self.nets.len()));
        let largest = count.checked_sub(1).map_or(0, |last| self.sums[last]);
        largest.min(up_to)
    }

    /// Transfers that make this total, by party.
    fn making(mut self, total: i64) -> Vec<(i64, u32)> {
        let count = self.sums.iter().take_while(|sum| **sum < total).count().strict_add(usize::from(total > 0));
        self.nets.truncate(count);
        let sum = count.checked_sub(1).map_or(0, |last| self.sums[last]);
        let mut too_much = sum.strict_sub(total);
        for (amount, _) in self.nets.iter_mut().rev() {
            let left_off = too_much.min(amount.strict_sub(self.least));
            *amount = amount.strict_sub(left_off);
            too_much = too_much.strict_sub(left_off);
        }
        assert!(too_much == 0, "the side can make the total");
        self.nets.sort_unstable_by_key(|(_, party)| *party);
        self.nets
    }
}

/// The largest total that both sides can make.
fn common_total(payers: &Side, payees: &Side) -> i64 {
    let mut total = i64::MAX;
    loop {
        let smaller = payees.largest_total(payers.largest_total(total));
        if smaller == total {
            return total;
        }
        total = smaller;
    }
}
