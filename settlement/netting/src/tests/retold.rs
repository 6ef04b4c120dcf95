//! The same debts told in another way: what must stay as it is, and what must change with them. For every strategy.

use super::*;

/// What one netting comes to, and in how many transfers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    gross: i64,
    bilateral: i64,
    net: i64,
    set_off: i64,
    remaining: i64,
    total: i64,
    transfers: usize,
}

fn told(netting: &Netting) -> Told {
    let [gross, bilateral, net, set_off, remaining, total] =
        [netting.gross, netting.bilateral, netting.net, netting.set_off, netting.remaining, netting.total].map(Micro::units);
    Told { gross, bilateral, net, set_off, remaining, total, transfers: netting.transfers.len() }
}

fn netted(debts: &[Debt], strategy: Strategy) -> Netting {
    Netting::compute(&built(debts), terms(strategy, 6)).unwrap()
}

/// Payer, payee and micro-units of every transfer, in order.
fn moved(netting: &Netting) -> Vec<(String, String, i64)> {
    netting.transfers.iter().map(|t| (t.payer.to_string(), t.payee.to_string(), t.amount.units())).collect()
}

fn retold(debts: &[Debt], tell: impl Fn(&Debt) -> Debt) -> Vec<Debt> {
    debts.iter().map(tell).collect()
}

fn some_debts() -> impl proptest::prelude::Strategy<Value = Vec<Debt>> {
    any_debts(1_000_000, 50)
}

proptest! {
    #[test]
    fn names_in_the_same_order_change_only_the_names(debts in some_debts(), strategy in any_strategy(), decimals in 0..=6_i64) {
        let compute = |debts: &[Debt]| Netting::compute(&built(debts), terms(strategy, decimals)).unwrap();
        let renamed = |name: &str| if name == "HOUSE" { name.to_owned() } else { format!("Z-{name}") };
        let (before, after) = (compute(&debts), compute(&retold(&debts, |(a, b, amount)| (renamed(a), renamed(b), *amount))));
        let expected: Vec<_> = moved(&before).into_iter().map(|(payer, payee, amount)| (renamed(&payer), renamed(&payee), amount)).collect();
        prop_assert_eq!(moved(&after), expected);
        prop_assert_eq!(told(&after), told(&before));
    }

    /// Ties may be broken otherwise, but no figure changes.
    #[test]
    fn names_in_another_order_change_no_figure(debts in some_debts(), strategy in any_strategy()) {
        let renamed = |name: &str| name.chars().rev().chain("x".chars()).collect::<String>();
        let after = netted(&retold(&debts, |(a, b, amount)| (renamed(a), renamed(b), *amount)), strategy);
        let before = netted(&debts, strategy);
        // Of equally small remainders, one may leave fewer debts than another.
        let transfers = if strategy == Strategy::Conservative { after.transfers.len() } else { before.transfers.len() };
        prop_assert_eq!(told(&after), Told { transfers, ..told(&before) });
    }

    #[test]
    fn an_obligation_in_two_parts_is_the_same_obligation(debts in some_debts(), at in 0..50_usize, strategy in any_strategy(), decimals in 0..=6_i64) {
        let mut split = debts.clone();
        if let Some((a, b, amount)) = split.get(at).cloned().filter(|(_, _, amount)| amount.units() > 1) {
            split[at].2 = Micro::new(1);
            split.push((a, b, Micro::new(amount.units() - 1)));
        }
        let compute = |debts: &[Debt]| Netting::compute(&built(debts), terms(strategy, decimals)).unwrap();
        let (before, after) = (compute(&debts), compute(&split));
        prop_assert_eq!(after.output_hash, before.output_hash);
        prop_assert_eq!(told(&after), told(&before));
        prop_assert_eq!(after.positions, before.positions);
    }

    #[test]
    fn a_circle_on_top_adds_nothing_to_what_has_to_be_paid(debts in some_debts(), amount in 1..1_000_i64, strategy in any_strategy()) {
        let circle = ["0", "P1", "PP2"].map(str::to_owned);
        let more = (0..3).map(|i| (circle[i].clone(), circle[(i + 1) % 3].clone(), Micro::new(amount)));
        let (before, after) = (netted(&debts, strategy), netted(&debts.iter().cloned().chain(more).collect::<Vec<_>>(), strategy));
        prop_assert_eq!((after.gross.units(), after.net), (before.gross.units() + 3 * amount, before.net));
        match strategy {
            Strategy::Gross => prop_assert_eq!(after.remaining, after.gross),
            Strategy::Bilateral => prop_assert!(after.remaining.units() <= before.remaining.units() + 3 * amount),
            // More debts are more ways to set off.
            Strategy::Conservative => prop_assert!(after.remaining <= before.remaining),
            Strategy::Direct | Strategy::Fewest | Strategy::Hub => prop_assert_eq!(moved(&after), moved(&before)),
        }
    }

    #[test]
    fn a_hundredfold_of_all_debts_is_a_hundredfold_of_all_transfers(debts in some_debts(), strategy in any_strategy()) {
        let before = netted(&debts, strategy);
        let after = netted(&retold(&debts, |(a, b, amount)| (a.clone(), b.clone(), Micro::new(amount.units() * 100))), strategy);
        let expected: Vec<_> = moved(&before).into_iter().map(|(payer, payee, amount)| (payer, payee, amount * 100)).collect();
        prop_assert_eq!(moved(&after), expected);
        prop_assert_eq!((after.set_off.units(), after.remaining.units()), (before.set_off.units() * 100, before.remaining.units() * 100));
    }

    #[test]
    fn all_debts_the_other_way_are_all_positions_the_other_way(debts in some_debts(), strategy in any_strategy()) {
        let before = netted(&debts, strategy);
        let after = netted(&retold(&debts, |(a, b, amount)| (b.clone(), a.clone(), *amount)), strategy);
        let transfers = if strategy == Strategy::Conservative { after.transfers.len() } else { before.transfers.len() };
        prop_assert_eq!(told(&after), Told { transfers, ..told(&before) });
        for (before, after) in before.positions.iter().zip(&after.positions) {
            prop_assert_eq!((&after.party, after.net.units(), after.owed), (&before.party, -before.net.units(), before.owes));
        }
    }

    #[test]
    fn two_networks_without_a_common_party_are_netted_as_if_alone(debts in any_debts(1_000_000, 25), strategy in any_strategy()) {
        let beside = retold(&debts, |(a, b, amount)| (format!("y{a}"), format!("y{b}"), *amount));
        let (one, both) = (told(&netted(&debts, strategy)), told(&netted(&[debts, beside].concat(), strategy)));
        let Told { gross, bilateral, net, set_off, remaining, total, transfers } = one;
        // Payers of the one may pay payees of the other, which takes fewer transfers or, by their size alone, more.
        prop_assert!(strategy != Strategy::Fewest || both.transfers <= 2 * transfers);
        let transfers = if matches!(strategy, Strategy::Direct | Strategy::Fewest) { both.transfers } else { 2 * transfers };
        let expected = Told {
            gross: 2 * gross,
            bilateral: 2 * bilateral,
            net: 2 * net,
            set_off: 2 * set_off,
            remaining: 2 * remaining,
            total: 2 * total,
            transfers,
        };
        prop_assert_eq!(both, expected);
    }
}
