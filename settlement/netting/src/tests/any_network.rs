//! What holds for any network at all.

use super::*;

/// The largest circulation within `amounts`, tried pair by pair; none if no way of filling the rest makes up for what has flowed so far.
fn largest(pairs: &[(usize, usize)], amounts: &[i64], flowed: [i64; 4]) -> Option<i64> {
    let (Some((&(from, to), pairs)), Some((&most, amounts))) = (pairs.split_first(), amounts.split_first()) else {
        return (flowed == [0; 4]).then_some(0);
    };
    (0..=most)
        .filter_map(|amount| {
            let mut after = flowed;
            after[from] -= amount;
            after[to] += amount;
            largest(pairs, amounts, after).map(|rest| rest + amount)
        })
        .max()
}

proptest! {
    #[test]
    fn transfers_and_carries_give_every_party_its_net(
        debts in any_debts(3_000_000_000, 60), strategy in any_strategy(), decimals in 0..=6_i64,
    ) {
        let netting = Netting::compute(&built(&debts), terms(strategy, decimals)).unwrap();
        let mut left = nets(&debts);
        prop_assert_eq!(left.len(), netting.parties);
        let mut house = 0_i128;
        let moves = netting.transfers.iter().map(|t| (&t.payer, &t.payee, t.amount));
        for (from, to, amount) in moves.chain(netting.carries.iter().map(|c| (&c.debtor, &c.creditor, c.amount))) {
            *left.get_mut(from.as_str()).unwrap_or(&mut house) += i128::from(amount.units());
            *left.get_mut(to.as_str()).unwrap_or(&mut house) -= i128::from(amount.units());
        }
        prop_assert!(house == 0 && left.values().all(|net| *net == 0), "{:?}", left);
    }

    #[test]
    fn the_order_of_input_changes_nothing(
        (debts, shuffled) in any_debts(3_000_000_000, 40).prop_flat_map(|d| (Just(d.clone()), Just(d).prop_shuffle())),
        strategy in any_strategy(), decimals in 0..=6_i64,
    ) {
        let compute = |debts: &[Debt]| Netting::compute(&built(debts), terms(strategy, decimals)).unwrap();
        prop_assert_eq!(compute(&debts), compute(&shuffled));
    }

    #[test]
    fn direct_moves_the_net_internal_debt_in_few_transfers(debts in any_debts(3_000_000_000, 60)) {
        let netting = Netting::compute(&built(&debts), terms(Strategy::Direct, 6)).unwrap();
        let nets = nets(&debts);
        let payers = nets.values().filter(|net| **net < 0).count();
        let payees = nets.values().filter(|net| **net > 0).count();
        prop_assert_eq!(i128::from(netting.net.units()), nets.values().filter(|net| **net > 0).sum::<i128>());
        prop_assert_eq!(netting.total, netting.net);
        prop_assert!(netting.transfers.len() <= (payers + payees).saturating_sub(1));
    }

    #[test]
    fn every_strategy_keeps_its_total_and_its_bound(debts in any_debts(3_000_000_000, 60)) {
        let compute = |strategy| Netting::compute(&built(&debts), terms(strategy, 6)).unwrap();
        let [gross, bilateral, conservative, direct, fewest, hub] = Strategy::ALL.map(compute);
        prop_assert_eq!(gross.total, gross.gross);
        prop_assert_eq!(bilateral.total, bilateral.bilateral);
        prop_assert!(gross.total >= bilateral.total && bilateral.total >= conservative.total && conservative.total >= direct.total);
        prop_assert_eq!(hub.total.units(), 2 * direct.total.units());
        prop_assert_eq!(fewest.total, direct.total);
        prop_assert!(fewest.transfers.len() <= direct.transfers.len() && fewest.optimal);
        prop_assert!(hub.transfers.len() <= hub.parties);
        prop_assert!(bilateral.transfers.len() <= gross.transfers.len());
        for netting in [gross, bilateral, conservative, direct, fewest, hub] {
            prop_assert_eq!(netting.set_off.checked_add(netting.remaining), Some(netting.gross));
        }
    }

    #[test]
    fn rounding_moves_nobody_by_a_minor_unit(
        debts in any_debts(30_000_000, 60), strategy in prop::sample::select(vec![Strategy::Direct, Strategy::Fewest, Strategy::Hub]), decimals in 0..=6_i64,
    ) {
        let netting = Netting::compute(&built(&debts), terms(strategy, decimals)).unwrap();
        let minor = 1_000_000 / digits(decimals).units_per_whole();
        for position in &netting.positions {
            prop_assert_eq!(position.settled.units() % minor, 0);
            prop_assert!(position.carry.units().abs() < minor, "{:?}", position);
            prop_assert!(position.settled.units().signum() * position.net.units().signum() >= 0, "{:?}", position);
        }
        prop_assert_eq!(netting.positions.iter().map(|p| p.settled.units()).sum::<i64>(), 0);
        let moved = netting.positions.iter().map(|p| p.settled.units().max(0)).sum::<i64>();
        prop_assert!(moved <= netting.net.units());
    }

    #[test]
    fn different_debts_have_different_hashes(debts in any_debts(1_000, 8), others in any_debts(1_000, 8)) {
        let hash = |debts: &[Debt]| -> Digest { Netting::compute(&built(debts), terms(Strategy::Direct, 6)).unwrap().input_hash };
        prop_assert_eq!(hash(&debts) == hash(&others), built(&debts) == built(&others));
    }

    /// Tries every way in which three parties could pay each other: none that gives them their positions moves less money.
    #[test]
    fn no_payments_at_all_settle_three_parties_with_less(amounts in prop::array::uniform6(0..3_i64)) {
        let pairs = [("A", "B"), ("A", "C"), ("B", "A"), ("B", "C"), ("C", "A"), ("C", "B")];
        let effect = |amounts: [i64; 6]| {
            let [ab, ac, ba, bc, ca, cb] = amounts;
            [ba + ca - ab - ac, ab + cb - ba - bc]
        };
        let debts = pairs.iter().zip(amounts).filter(|(_, a)| *a > 0).map(|((from, to), a)| (*from, *to, Micro::new(a)));
        let netting = Netting::compute(&Network::build(debts).unwrap(), terms(Strategy::Direct, 6)).unwrap();

        let least = (0..5_i64.pow(6)).map(|n| std::array::from_fn(|i| (0..i).fold(n, |n, _| n / 5) % 5))
            .filter(|tried| effect(*tried) == effect(amounts)).map(|tried| tried.iter().sum::<i64>()).min().unwrap();
        prop_assert_eq!(netting.total.units(), least);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Tries every circulation within the debts of four parties: none sets off more.
    #[test]
    fn no_circulation_sets_off_more(amounts in prop::array::uniform12(0..3_i64)) {
        let pairs: Vec<(usize, usize)> = (0..4).flat_map(|a| (0..4).map(move |b| (a, b))).filter(|(a, b)| a != b).collect();
        let names = ["A", "B", "C", "D"];
        let debts = pairs.iter().zip(amounts).filter(|(_, a)| *a > 0).map(|((a, b), amount)| (names[*a], names[*b], Micro::new(amount)));
        let netting = Netting::compute(&Network::build(debts).unwrap(), terms(Strategy::Conservative, 6)).unwrap();

        prop_assert_eq!(netting.set_off.units(), largest(&pairs, &amounts, [0; 4]).unwrap());
    }
}
