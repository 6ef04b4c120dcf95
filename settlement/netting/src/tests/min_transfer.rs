//! The smallest transfer that is made, and what becomes of those that are not.

use super::*;

fn with_minimum(strategy: Strategy, decimals: i64, debts: &Network, min_transfer: Micro) -> Netting {
    Netting::compute(debts, Terms { min_transfer, ..terms(strategy, decimals) }).unwrap()
}

fn check_minimum(strategy: Strategy, min_transfer: &str, debts: &str, expected: &str, carried: &str) {
    let netting = with_minimum(strategy, 2, &network(debts), Micro::parse(min_transfer).unwrap());
    assert_eq!((transfers(&netting), carries(&netting)), (expected.to_owned(), carried.to_owned()));
}

#[test]
fn a_debt_that_is_too_small_to_pay_stays_owed_by_the_same_to_the_same() {
    check_minimum(Strategy::Gross, "5", "A>B 5, B>A 4.999, C>A 4", "A>B 5", "B>A 4.999, C>A 4");
    check_minimum(Strategy::Bilateral, "5", "A>B 9, B>A 4, C>A 6, A>C 2", "A>B 5", "C>A 4");
    check_minimum(Strategy::Conservative, "5", "A>B 5, B>C 12.001, C>A 5, D>A 1", "B>C 7", "B>C 0.001, D>A 1");
}

#[test]
fn a_transfer_that_is_too_small_stays_owed_by_its_payer_to_its_payee() {
    check_minimum(Strategy::Direct, "4", "A>X 3, B>X 2, B>Y 6, C>Z 1", "B>Y 6", "B>X 2, A>X 3, C>Z 1");
    check_minimum(Strategy::Fewest, "4", "A>X 6, A>Y 4, B>Y 1, B>Z 2, C>Z 3", "A>Y 5, A>Z 5", "B>X 3, C>X 3");
}

#[test]
fn what_rounding_leaves_between_the_same_two_is_one_carry_with_it() {
    check_minimum(Strategy::Direct, "5", "A>B 3.004, C>D 9", "C>D 9", "A>B 3.004");
    // B has been rounded up, so A is owed its odd half cent by the one that owes A's creditor.
    check_minimum(Strategy::Direct, "100", "A>D 10.005, B>D 10.005, C>D 10.005", "", "A>D 10.01, B>D 10, C>D 10.005, B>A 0.005");
}

#[test]
fn the_minimum_is_met_in_whole_minor_units() {
    check_minimum(Strategy::Gross, "5.001", "A>B 5.009, A>C 5.01", "A>C 5.01", "A>B 5.009");
    check_minimum(Strategy::Hub, "5.001", "A>B 5.009, A>C 5.01", "A>HOUSE 5.01, HOUSE>C 5.01", "A>B 5.009");
}

#[test]
fn the_hub_leaves_out_whoever_is_below_the_minimum_on_both_sides_alike() {
    // C's 2 are too little to collect, so 2 less are paid out, to the last of the payees.
    check_minimum(Strategy::Hub, "3", "A>X 10, B>Y 7, C>Y 2", "A>HOUSE 10, B>HOUSE 7, HOUSE>X 10, HOUSE>Y 7", "C>Y 2");
}

#[test]
fn the_hub_leaves_no_leg_below_the_minimum() {
    // 11 can be collected, but to pay the second payee 1 of it would be too little: it is paid 4, and 3 less go to the first.
    check_minimum(Strategy::Hub, "4", "A>X 10, A>Y 1, B>Y 3, C>Y 3", "A>HOUSE 11, HOUSE>X 7, HOUSE>Y 4", "B>X 3, C>Y 3");
    // One payer of 10 cannot pay two of 9 at least 6 each, and one of them is paid no more than 9.
    check_minimum(Strategy::Hub, "6", "A>X 5, A>Y 5, B>X 4, B>Y 4", "A>HOUSE 10, B>HOUSE 8, HOUSE>X 9, HOUSE>Y 9", "");
    check_minimum(Strategy::Hub, "6", "A>X 5, A>Y 5, B>X 4, C>Y 4", "A>HOUSE 9, HOUSE>X 9", "B>Y 4, C>Y 4, A>Y 1");
}

#[test]
fn nothing_is_paid_where_everything_is_too_small() {
    let debts = network("A>B 60, B>C 70, C>D 50, A>C 40");
    for strategy in Strategy::ALL {
        let netting = with_minimum(strategy, 2, &debts, Micro::new(i64::MAX));
        assert_eq!((transfers(&netting), netting.total), (String::new(), Micro::ZERO), "{strategy}");
        assert_eq!(netting.carried(), netting.remaining, "{strategy}");
    }
}

#[test]
fn a_minimum_below_zero_is_refused() {
    let debts = network("A>B 1");
    for strategy in Strategy::ALL {
        let refused = Netting::compute(&debts, Terms { min_transfer: Micro::new(-1), ..terms(strategy, 2) });
        assert_eq!(refused, Err(NettingError::MinTransferNegative));
    }
}

/// The expected hash was made by another program from the description in the module `hash`, as an auditor would.
#[test]
fn the_output_hash_covers_the_minimum() {
    let netting = with_minimum(Strategy::Direct, 2, &network("A>B 5, C>D 1"), Micro::parse("2.5").unwrap());
    assert_eq!(netting.output_hash.to_string(), "fe969990434ae57ea4f170b04482c3016b76deb8e035b8a657ba8e039771d459");
}

/// The largest total that a side can make of legs between the minimum and its nets, by trying every leg of every net.
fn totals(nets: &[i64], minimum: i64) -> std::collections::BTreeSet<i64> {
    nets.iter().fold([0].into(), |sums, net| {
        sums.iter().flat_map(|sum| std::iter::once(*sum).chain((minimum..=*net).map(move |leg| sum + leg))).collect()
    })
}

proptest! {
    #[test]
    fn every_position_is_settled_or_carried_and_no_transfer_is_too_small(
        debts in any_debts(30_000_000, 40), strategy in any_strategy(), decimals in 0..=6_i64, min_transfer in prop_oneof![1..5_i64, 1..60_000_000_i64],
    ) {
        let netting = with_minimum(strategy, decimals, &built(&debts), Micro::new(min_transfer));
        let whole = Netting::compute(&built(&debts), terms(strategy, decimals)).unwrap();
        prop_assert!(netting.transfers.iter().all(|t| t.amount.units() >= min_transfer));
        for (position, (party, net)) in netting.positions.iter().zip(nets(&debts)) {
            prop_assert_eq!((position.party.as_str(), i128::from(position.net.units())), (party.as_str(), net));
            prop_assert_eq!(position.settled.checked_add(position.carry), Some(position.net));
        }
        prop_assert_eq!((netting.remaining, netting.set_off, netting.optimal), (whole.remaining, whole.set_off, whole.optimal));
        prop_assert!(netting.total <= whole.total);
        let mut twos: Vec<_> = netting.carries.iter().map(|c| (&c.debtor, &c.creditor)).collect();
        twos.sort_unstable();
        twos.dedup();
        prop_assert_eq!(twos.len(), netting.carries.len(), "one carry from one to another");
    }

    /// What is paid is what is paid without a minimum, less what is too small; each of the others is carried between the same two.
    #[test]
    fn all_but_the_hub_make_the_transfers_that_are_large_enough(
        debts in any_debts(30_000_000, 40), strategy in any_strategy(), decimals in 0..=6_i64, min_transfer in 1..60_000_000_i64,
    ) {
        prop_assume!(strategy != Strategy::Hub);
        let netting = with_minimum(strategy, decimals, &built(&debts), Micro::new(min_transfer));
        let whole = Netting::compute(&built(&debts), terms(strategy, decimals)).unwrap();
        let (made, held): (Vec<_>, Vec<_>) = whole.transfers.into_iter().partition(|t| t.amount.units() >= min_transfer);
        prop_assert_eq!(netting.transfers, made);
        for held in held {
            prop_assert!(netting.carries.iter().any(|c| (&c.debtor, &c.creditor) == (&held.payer, &held.payee)), "{:?}", held);
        }
    }

    #[test]
    fn a_minimum_of_one_minor_unit_changes_nothing_but_the_hash(
        debts in any_debts(30_000_000, 40), strategy in any_strategy(), decimals in 0..=6_i64,
    ) {
        let whole = Netting::compute(&built(&debts), terms(strategy, decimals)).unwrap();
        let minor = Micro::new(1_000_000 / digits(decimals).units_per_whole());
        let netting = with_minimum(strategy, decimals, &built(&debts), minor);
        prop_assert_ne!(netting.output_hash, whole.output_hash);
        prop_assert_eq!(Netting { min_transfer: Micro::ZERO, output_hash: whole.output_hash, ..netting }, whole);
    }

    /// Tries every leg of every party: no legs of at least the minimum settle more through the house.
    #[test]
    fn no_legs_of_at_least_the_minimum_settle_more(debts in any_debts(12, 12), minimum in 1..14_i64) {
        let netting = with_minimum(Strategy::Hub, 6, &built(&debts), Micro::new(minimum));
        let side = |sign: i128| nets(&debts).into_values().map(|net| i64::try_from(net * sign).unwrap()).filter(|net| *net > 0).collect::<Vec<_>>();
        let (collected, paid_out) = (totals(&side(-1), minimum), totals(&side(1), minimum));
        let most = collected.intersection(&paid_out).max().copied();
        prop_assert_eq!(Some(netting.total.units() / 2), most);
        for position in &netting.positions {
            let (settled, net) = (position.settled.units(), position.net.units());
            prop_assert!(settled * net >= 0 && settled.abs() <= net.abs() && (settled == 0 || settled.abs() >= minimum));
        }
    }
}
