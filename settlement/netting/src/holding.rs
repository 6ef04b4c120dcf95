//! Debts that a netting leaves as they are: disputed ones, and those of a party that is held out.
//!
//! They are part of what the parties owe, so they stand in gross, nets and positions; no transfer settles them, no circle sets them off,
//! and they come out as carries, whole.

use crate::network::{Flow, Network, at};
use crate::outcome::NettingError;
use scrip::Micro;
use std::collections::BTreeMap;

/// So much of what one party owes another is held back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holding {
    /// Who owes.
    pub debtor: String,
    /// Who is owed.
    pub creditor: String,
    /// More than zero, and no more than the one owes the other in all.
    pub amount: Micro,
}

/// A network parted in what is netted and what is held back, both by pair and with the parties of the whole.
pub(crate) struct Parted {
    pub(crate) netted: Network,
    pub(crate) held: Vec<Flow>,
}

/// Holds back so much of the pairs' debts. Several holdings of a pair add up.
pub(crate) fn part(network: &Network, pairs: &[Flow], holdings: &[Holding]) -> Result<Parted, NettingError> {
    let mut held: BTreeMap<(u32, u32), i64> = BTreeMap::new();
    for Holding { debtor, creditor, amount } in holdings {
        let unfit = || NettingError::HeldMoreThanOwed { debtor: debtor.clone(), creditor: creditor.clone() };
        let (from, to) = (network.number_of(debtor).ok_or_else(unfit)?, network.number_of(creditor).ok_or_else(unfit)?);
        let sum = held.entry((from, to)).or_default();
        *sum = sum.checked_add(amount.units()).filter(|sum| *sum > 0 && *amount > Micro::ZERO).ok_or_else(unfit)?;
    }
    let mut netted = Vec::with_capacity(pairs.len());
    let mut left = held.clone();
    for pair in pairs {
        let kept = left.remove(&(pair.from, pair.to)).unwrap_or_default();
        match pair.amount.strict_sub(kept) {
            0 => {}
            amount if amount > 0 => netted.push(Flow { amount, ..*pair }),
            _less => return Err(more_than_owed(network, pair.from, pair.to)),
        }
    }
    if let Some((from, to)) = left.into_keys().next() {
        return Err(more_than_owed(network, from, to));
    }
    let held = held.into_iter().map(|((from, to), amount)| Flow { from, to, amount }).collect();
    Ok(Parted { netted: network.with_obligations(netted), held })
}

fn more_than_owed(network: &Network, from: u32, to: u32) -> NettingError {
    let name = |party: u32| network.parties()[at(party)].to_string();
    NettingError::HeldMoreThanOwed { debtor: name(from), creditor: name(to) }
}

/// What is held back joins what is carried: at most one carry from one party to another.
pub(crate) fn join(mut carries: Vec<Flow>, held: Vec<Flow>) -> Vec<Flow> {
    let places: BTreeMap<(u32, u32), usize> = carries.iter().map(|carry| (carry.from, carry.to)).zip(0..).collect();
    for flow in held {
        match places.get(&(flow.from, flow.to)) {
            Some(place) => carries[*place].amount = carries[*place].amount.strict_add(flow.amount),
            None => carries.push(flow),
        }
    }
    carries
}

/// Everything that a party owes and is owed, to hold it out.
pub fn all_of(network: &Network, party: &str) -> Vec<Holding> {
    let mut sums: BTreeMap<(&str, &str), Micro> = BTreeMap::new();
    for (debtor, creditor, amount) in network.obligations().filter(|(d, c, _)| d.as_str() == party || c.as_str() == party) {
        let sum = sums.entry((debtor.as_str(), creditor.as_str())).or_default();
        *sum = sum.checked_add(amount).expect("no pair owes more than the gross");
    }
    sums.into_iter().map(|((d, c), amount)| Holding { debtor: d.to_owned(), creditor: c.to_owned(), amount }).collect()
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows panics, as it should")]
mod tests {
    use super::*;
    use crate::whiteboard::network;
    use crate::{Netting, NetworkBuilder, Strategy, Terms};
    use proptest::prelude::*;
    use scrip::Scale;

    fn hold(debtor: &str, creditor: &str, amount: &str) -> Holding {
        Holding { debtor: debtor.to_owned(), creditor: creditor.to_owned(), amount: Micro::parse(amount).unwrap() }
    }

    fn terms(strategy: Strategy) -> Terms {
        Terms { strategy, digits: Scale::try_new(2).unwrap(), min_transfer: Micro::ZERO }
    }

    /// Transfers, then carries.
    fn shown(netting: &Netting) -> (String, String) {
        let digits = Scale::try_new(2).unwrap();
        let flow = |from: &crate::Party, to: &crate::Party, amount: Micro| format!("{from}>{to} {}", amount.display_at_least(digits));
        let transfers: Vec<String> = netting.transfers.iter().map(|t| flow(&t.payer, &t.payee, t.amount)).collect();
        let carries: Vec<String> = netting.carries.iter().map(|c| flow(&c.debtor, &c.creditor, c.amount)).collect();
        (transfers.join(", "), carries.join(", "))
    }

    #[test]
    fn what_is_disputed_is_neither_paid_nor_set_off() {
        let owed = network("A>B 10, B>A 4, B>C 5");
        let netting = Netting::compute_holding(&owed, &[hold("A", "B", "7")], terms(Strategy::Bilateral)).unwrap();
        assert_eq!(shown(&netting), ("B>A 1.00, B>C 5.00".to_owned(), "A>B 7.00".to_owned()));
        assert_eq!(netting.gross, Micro::parse("19").unwrap());
        let a = &netting.positions[0];
        assert_eq!((a.net, a.settled, a.carry), (Micro::new(-6_000_000), Micro::new(1_000_000), Micro::new(-7_000_000)));
    }

    #[test]
    fn a_vendor_that_is_held_out_neither_pays_nor_is_paid() {
        let owed = network("A>B 60, A>C 40, B>C 70, C>D 50, D>A 20");
        let netting = Netting::compute_holding(&owed, &all_of(&owed, "A"), terms(Strategy::Direct)).unwrap();
        assert_eq!(shown(&netting), ("B>D 50.00, B>C 20.00".to_owned(), "A>B 60.00, A>C 40.00, D>A 20.00".to_owned()));
    }

    #[test]
    fn no_more_is_held_back_than_is_owed() {
        let owed = network("A>B 10");
        for bad in [hold("A", "B", "10.01"), hold("B", "A", "1"), hold("A", "Z", "1")] {
            let refusal = Netting::compute_holding(&owed, std::slice::from_ref(&bad), terms(Strategy::Gross)).unwrap_err();
            assert_eq!(refusal, NettingError::HeldMoreThanOwed { debtor: bad.debtor, creditor: bad.creditor });
        }
        let twice = [hold("A", "B", "6"), hold("A", "B", "4")];
        assert_eq!(shown(&Netting::compute_holding(&owed, &twice, terms(Strategy::Gross)).unwrap()).0, "");
        assert!(Netting::compute_holding(&owed, &[hold("A", "B", "6"), hold("A", "B", "5")], terms(Strategy::Gross)).is_err());
    }

    proptest! {
        /// Transfers are those of the rest alone, and what is held back comes out whole.
        #[test]
        fn holding_back_is_netting_the_rest(
            debts in prop::collection::btree_map((0_u8..5, 0_u8..5), 1_i64..5_000_000, 1..12),
            shares in prop::collection::vec(0_i64..=4, 12),
        ) {
            let debts: Vec<_> = debts.into_iter().filter(|((from, to), _)| from != to).collect();
            prop_assume!(!debts.is_empty());
            let name = |party: u8| char::from(b'A' + party).to_string();
            let (mut whole, mut rest, mut holdings) = (NetworkBuilder::default(), NetworkBuilder::default(), Vec::new());
            for (((from, to), amount), share) in debts.iter().zip(&shares) {
                let (debtor, creditor, held) = (name(*from), name(*to), amount * share / 4);
                whole.add(&debtor, &creditor, Micro::new(*amount)).unwrap();
                if held > 0 {
                    holdings.push(Holding { debtor: debtor.clone(), creditor: creditor.clone(), amount: Micro::new(held) });
                }
                if amount - held > 0 {
                    rest.add(&debtor, &creditor, Micro::new(amount - held)).unwrap();
                }
            }
            let (whole, rest) = (whole.build(), rest.build());
            for strategy in Strategy::ALL {
                let held = Netting::compute_holding(&whole, &holdings, terms(strategy)).unwrap();
                let alone = Netting::compute(&rest, terms(strategy)).unwrap();
                prop_assert_eq!(&held.transfers, &alone.transfers);
                let carried = alone.carried().units() + holdings.iter().map(|h| h.amount.units()).sum::<i64>();
                prop_assert_eq!(held.carried().units(), carried);
                prop_assert_eq!(held.gross, whole.gross());
                if holdings.is_empty() {
                    prop_assert_eq!(held.output_hash, alone.output_hash);
                }
            }
        }
    }
}
