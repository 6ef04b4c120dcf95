//! One netting: the figures, the positions, the transfers, and the proof that they belong together.

use crate::{
    debts::Debts,
    hash::{self, Digest},
    holding::{self, Holding, Parted},
    network::{Flow, Network, Party, at},
    outcome::{Carry, NettingError, Position, SetOff, Transfer},
    rounding,
    strategies::{self, Plan},
    strategy::Strategy,
    terms::Terms,
};
use scrip::{Micro, Scale};
use std::collections::BTreeMap;

/// Obligations turned into transfers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Netting {
    /// How.
    pub strategy: Strategy,
    /// The currency's decimals, to which transfers are rounded; 6 rounds nothing.
    pub digits: Scale,
    /// The smallest transfer that is made; zero where every one is.
    pub min_transfer: Micro,
    /// How many obligations went in.
    pub obligations: usize,
    /// How many parties owe or are owed.
    pub parties: usize,
    /// The sum of all obligations.
    pub gross: Micro,
    /// What would be left to pay if only two parties at a time set off what they owe each other.
    pub bilateral: Micro,
    /// The net internal debt: the sum of the positive nets, the least money that can settle everything.
    pub net: Micro,
    /// What the transfers move, after rounding. The hub moves everything twice: into the house, and out of it.
    pub total: Micro,
    /// What the strategy cancels without money: `gross - remaining`.
    pub set_off: Micro,
    /// What the strategy leaves to be paid of the parties' debts, before rounding. The hub leaves the net internal debt, as `direct` does.
    pub remaining: Micro,
    /// What was held back of what is owed; all of it is carried.
    pub held_back: Micro,
    /// Whether the strategy provably reached its goal. Only `fewest` may have to say no, where it had to stop its search early.
    pub optimal: bool,
    /// How many transfers it takes at least to settle the rounded nets, where the strategy is `fewest`; else none. A smallest transfer holds
    /// some of them back.
    pub transfers_needed: Option<usize>,
    /// One per party, in byte order of their names.
    pub positions: Vec<Position>,
    /// In the order of the strategy.
    pub transfers: Vec<Transfer>,
    /// What rounding and the smallest transfer leave owed, to become obligations of the next window; at most one from one party to another.
    pub carries: Vec<Carry>,
    /// One per debtor and creditor, in their order, where the strategy is `conservative`; else none.
    pub set_offs: Vec<SetOff>,
    /// See [`Digest`] and the module `hash`: over the obligations.
    pub input_hash: Digest,
    /// Over strategy, algorithm version, digits, transfers, carries, and the smallest transfer if there is one.
    pub output_hash: Digest,
}

impl Netting {
    /// Nets `network` by these terms.
    ///
    /// Takes the time of sorting, O(n log n) in the number of obligations; `conservative` searches circles besides, and `fewest` groups that
    /// sum to zero. Panics if the result does not give every party its position: that would be a bug, and no money may move because of it.
    pub fn compute(network: &Network, terms: Terms) -> Result<Self, NettingError> {
        Self::of(network, &Debts::of(network), hash::input(network), terms)
    }

    /// Nets all but what is held back, which is carried whole. The hash of the input covers everything that is owed.
    pub fn compute_holding(network: &Network, holdings: &[Holding], terms: Terms) -> Result<Self, NettingError> {
        let (debts, input_hash) = (Debts::of(network), hash::input(network));
        if holdings.is_empty() {
            return Self::of(network, &debts, input_hash, terms);
        }
        let Parted { netted, held } = holding::part(network, &debts.pairs, holdings)?;
        let held_back = held.iter().fold(0_i64, |sum, flow| sum.strict_add(flow.amount));
        let mut plan = strategies::plan(&netted, &Debts::of(&netted), &terms)?;
        plan.carries = holding::join(plan.carries, held);
        plan.remaining = plan.remaining.strict_add(held_back);
        Ok(Self::result(network, &debts, input_hash, terms, plan, Micro::new(held_back)))
    }

    /// The same, where debts and hash are known.
    pub(crate) fn of(network: &Network, debts: &Debts, input_hash: Digest, terms: Terms) -> Result<Self, NettingError> {
        let plan = strategies::plan(network, debts, &terms)?;
        Ok(Self::result(network, debts, input_hash, terms, plan, Micro::ZERO))
    }

    fn result(network: &Network, debts: &Debts, input_hash: Digest, terms: Terms, plan: Plan, held_back: Micro) -> Self {
        let Plan { transfers, carries, remaining, optimal, transfers_needed } = plan;
        let Terms { strategy, digits, min_transfer } = terms;

        let positions = positions(network, debts, &transfers, &carries);
        let set_offs = if strategy == Strategy::Conservative { set_offs(network, debts, &transfers, &carries) } else { Vec::new() };
        let name = |party: u32| network.parties().get(at(party)).cloned().unwrap_or_else(Party::house);
        let total = sum(transfers.iter().map(|t| t.amount));
        let transfers: Vec<Transfer> =
            transfers.iter().map(|t| Transfer { payer: name(t.from), payee: name(t.to), amount: Micro::new(t.amount) }).collect();
        let carries: Vec<Carry> =
            carries.iter().map(|c| Carry { debtor: name(c.from), creditor: name(c.to), amount: Micro::new(c.amount) }).collect();
        let netting = Self {
            strategy,
            digits,
            min_transfer,
            obligations: network.flows().len(),
            parties: network.parties().len(),
            gross: network.gross(),
            bilateral: Micro::new(sum(debts.differences.iter().map(|d| d.amount))),
            net: Micro::new(debts.net_internal_debt()),
            total: Micro::new(total),
            set_off: Micro::new(network.gross().units().strict_sub(remaining)),
            remaining: Micro::new(remaining),
            held_back,
            optimal,
            transfers_needed,
            input_hash,
            output_hash: hash::output(&terms, &transfers, &carries),
            positions,
            transfers,
            carries,
            set_offs,
        };
        netting.assert_consistent();
        netting
    }

    /// What the carries come to.
    pub fn carried(&self) -> Micro {
        Micro::new(sum(self.carries.iter().map(|c| c.amount.units())))
    }

    /// Looks at the result alone, not at how it came about.
    fn assert_consistent(&self) {
        let grain = rounding::grain(self.digits);
        for Position { party, owed, owes, net, settled, carry } in &self.positions {
            assert!(owed.checked_sub(*owes) == Some(*net), "the net of {party} is what it is owed less what it owes");
            assert!(settled.checked_add(*carry) == Some(*net), "transfers and carries give {party} its net");
        }
        let of_all = |figure: fn(&Position) -> Micro| sum(self.positions.iter().map(|p| figure(p).units()));
        assert!(of_all(|p| p.net) == 0, "the positions sum to zero");
        assert!(of_all(|p| p.settled) == 0, "the house keeps nothing");
        assert!(of_all(|p| p.owed) == self.gross.units(), "what is owed is the gross");
        for Transfer { payer, payee, amount } in &self.transfers {
            assert!(payer != payee && *amount > Micro::ZERO, "a transfer moves something from {payer} to another than {payee}");
            assert!(amount.units().strict_rem(grain) == 0, "a transfer is in whole minor units");
            assert!(*amount >= self.min_transfer, "no transfer is too small");
        }
        for Carry { debtor, creditor, amount } in &self.carries {
            assert!(debtor != creditor && *amount > Micro::ZERO, "a carry is a debt of {debtor} to another than {creditor}");
        }
        assert!(self.gross >= self.bilateral && self.bilateral >= self.net, "gross >= bilateral >= net");
        assert!(self.gross >= self.remaining && self.remaining >= self.net, "gross >= remaining >= net");
        if self.min_transfer == Micro::ZERO {
            assert!(self.transfers_needed.is_none_or(|needed| needed <= self.transfers.len()), "what is needed is not beaten");
        }
        if self.strategy == Strategy::Conservative {
            for SetOff { debtor, creditor, amount, set_off, remaining } in &self.set_offs {
                let is_split = set_off.checked_add(*remaining) == Some(*amount) && *set_off >= Micro::ZERO && *remaining >= Micro::ZERO;
                assert!(is_split, "{debtor} pays {creditor} no more than it owes");
            }
            assert!(sum(self.set_offs.iter().map(|s| s.remaining.units())) == self.remaining.units(), "nobody pays whom it does not owe");
            // What is held back of a pair remains, and so does as much of the other direction that it could have set off.
            let most = i128::from(self.bilateral.units()).strict_add(i128::from(self.held_back.units()).strict_mul(2));
            assert!(i128::from(self.remaining.units()) <= most, "circles of two are circles");
        }
    }
}

/// What is owed and owes from the obligations; what is settled and carried from the result.
fn positions(network: &Network, debts: &Debts, transfers: &[Flow], carries: &[Flow]) -> Vec<Position> {
    let settled = received(network, transfers);
    let carried = received(network, carries);
    let mut positions = Vec::with_capacity(network.parties().len());
    for (index, (party, tally)) in network.parties().iter().zip(&debts.tallies).enumerate() {
        positions.push(Position {
            party: party.clone(),
            owed: Micro::new(tally.owed),
            owes: Micro::new(tally.owes),
            net: Micro::new(tally.net()),
            settled: Micro::new(settled[index]),
            carry: Micro::new(carried[index]),
        });
    }
    positions
}

/// What the result leaves of each pair's debts: what is transferred and carried between just these two.
fn set_offs(network: &Network, debts: &Debts, transfers: &[Flow], carries: &[Flow]) -> Vec<SetOff> {
    let mut left: BTreeMap<(u32, u32), i64> = BTreeMap::new();
    for Flow { from, to, amount } in transfers.iter().chain(carries) {
        let sum = left.entry((*from, *to)).or_default();
        *sum = sum.strict_add(*amount);
    }
    let name = |party: u32| network.parties()[at(party)].clone();
    let of_pair = |pair: &Flow| {
        let remaining = left.get(&(pair.from, pair.to)).copied().unwrap_or_default();
        SetOff {
            debtor: name(pair.from),
            creditor: name(pair.to),
            amount: Micro::new(pair.amount),
            set_off: Micro::new(pair.amount.strict_sub(remaining)),
            remaining: Micro::new(remaining),
        }
    };
    debts.pairs.iter().map(of_pair).collect()
}

/// What the flows bring each party, less what they take; the last is the house.
fn received(network: &Network, flows: &[Flow]) -> Vec<i64> {
    let mut sums = vec![0_i64; network.parties().len().strict_add(1)];
    for Flow { from, to, amount } in flows {
        sums[at(*from)] = sums[at(*from)].strict_sub(*amount);
        sums[at(*to)] = sums[at(*to)].strict_add(*amount);
    }
    sums
}

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    let total = amounts.fold(0_i128, |sum, amount| sum.strict_add(i128::from(amount)));
    i64::try_from(total).expect("every figure is at most twice the gross, which is bounded")
}
