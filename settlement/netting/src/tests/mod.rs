//! The strategies on a whiteboard, and what holds for any network at all.

#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows panics, as it should")]

use crate::{Digest, GROSS_MAX, Netting, NettingError, Network, NetworkError, Strategy};
use proptest::{prelude::*, strategy::Strategy as _};
use scrip::{Micro, Scale};
use std::collections::BTreeMap;

/// Reads `A>B 10, B>A 4`.
fn network(debts: &str) -> Network {
    let read = |debt| {
        let (pair, amount): (&str, &str) = str::split_once(debt, ' ').unwrap();
        let (debtor, creditor) = pair.split_once('>').unwrap();
        (debtor, creditor, Micro::parse(amount).unwrap())
    };
    Network::build(debts.split(", ").filter(|d| !d.is_empty()).map(read)).unwrap()
}

fn digits(decimals: i64) -> Scale {
    Scale::try_new(decimals).unwrap()
}

fn flows<'a>(flows: impl Iterator<Item = (&'a str, &'a str, Micro)>) -> String {
    flows.map(|(from, to, amount)| format!("{from}>{to} {}", amount.display_at_least(digits(0)))).collect::<Vec<_>>().join(", ")
}

fn transfers(netting: &Netting) -> String {
    flows(netting.transfers.iter().map(|t| (t.payer.as_str(), t.payee.as_str(), t.amount)))
}

fn carries(netting: &Netting) -> String {
    flows(netting.carries.iter().map(|c| (c.debtor.as_str(), c.creditor.as_str(), c.amount)))
}

fn check(strategy: Strategy, debts: &str, expected: &str) {
    let netting = Netting::compute(&network(debts), strategy, digits(6)).unwrap();
    assert_eq!(transfers(&netting), expected);
    assert_eq!(carries(&netting), "", "six digits leave nothing to round");
}

fn check_rounded(strategy: Strategy, decimals: i64, debts: &str, expected: &str, carried: &str) {
    let netting = Netting::compute(&network(debts), strategy, digits(decimals)).unwrap();
    assert_eq!(transfers(&netting), expected);
    assert_eq!(carries(&netting), carried);
}

#[test]
fn gross_pays_every_pair_once() {
    check(Strategy::Gross, "B>A 4, A>B 10, A>B 1", "A>B 11, B>A 4");
}

#[test]
fn opposite_obligations_cancel() {
    check(Strategy::Bilateral, "A>B 10, B>A 4", "A>B 6");
    check(Strategy::Bilateral, "A>B 4, B>A 10, C>B 1", "B>A 6, C>B 1");
}

#[test]
fn equal_opposite_obligations_need_no_money() {
    check(Strategy::Bilateral, "A>B 5, B>A 3, B>A 2", "");
}

#[test]
fn a_full_circle_needs_no_money() {
    check(Strategy::Direct, "A>B 5, B>C 5, C>A 5", "");
    check(Strategy::Hub, "A>B 5, B>C 5, C>A 5", "");
}

#[test]
fn bilateral_does_not_see_circles() {
    check(Strategy::Bilateral, "A>B 5, B>C 5, C>A 5", "A>B 5, B>C 5, C>A 5");
}

#[test]
fn circles_of_any_length_are_set_off_and_the_rest_is_paid_as_owed() {
    check(Strategy::Conservative, "A>B 5, B>C 7, C>A 5", "B>C 2");
    check(Strategy::Conservative, "A>B 10, B>A 4", "A>B 6");
    check(Strategy::Conservative, "A>B 5, B>C 5", "A>B 5, B>C 5");
}

/// What A owes B can be set off against what B owes A, or around the longer circle, which leaves less.
#[test]
fn the_largest_set_off_is_found_where_two_at_a_time_would_miss_it() {
    check(Strategy::Conservative, "A>B 1, B>A 1, B>C 1, C>A 1", "B>A 1");
}

#[test]
fn whoever_is_in_between_is_spared() {
    check(Strategy::Direct, "A>B 5, B>C 5", "A>C 5");
}

#[test]
fn the_largest_payer_pays_the_largest_payee_first() {
    check(Strategy::Direct, "A>X 3, B>X 2, B>Y 6, C>Z 1", "B>Y 6, B>X 2, A>X 3, C>Z 1");
}

#[test]
fn ties_are_broken_by_name_in_byte_order() {
    check(Strategy::Direct, "b>x 5, B>X 5, É>Y 5", "B>X 5, b>Y 5, É>x 5");
}

#[test]
fn the_hub_collects_before_it_pays_out() {
    check(Strategy::Hub, "A>B 10, B>A 4, C>A 1", "A>HOUSE 5, C>HOUSE 1, HOUSE>B 6");
}

#[test]
fn nothing_owed_is_a_nil_return() {
    for strategy in Strategy::ALL {
        check(strategy, "", "");
    }
}

#[test]
fn the_hub_refuses_a_party_named_house() {
    let debts = network("A>HOUSE 1");
    assert_eq!(Netting::compute(&debts, Strategy::Hub, digits(6)), Err(NettingError::HouseIsParty));
    assert!(Netting::compute(&debts, Strategy::Direct, digits(6)).is_ok());
}

#[test]
fn figures_are_what_the_design_defines() {
    let debts = network("A>B 60, B>A 10, A>C 40, B>C 70, C>D 50, D>A 20");
    let figures = |strategy| {
        let n = Netting::compute(&debts, strategy, digits(6)).unwrap();
        [n.gross, n.bilateral, n.net, n.total, n.set_off, n.remaining].map(|m| m.units() / 1_000_000)
    };
    assert_eq!(figures(Strategy::Gross), [250, 230, 90, 250, 0, 250]);
    assert_eq!(figures(Strategy::Bilateral), [250, 230, 90, 230, 20, 230]);
    assert_eq!(figures(Strategy::Conservative), [250, 230, 90, 150, 100, 150]);
    assert_eq!(figures(Strategy::Direct), [250, 230, 90, 90, 160, 90]);
    assert_eq!(figures(Strategy::Hub), [250, 230, 90, 180, 160, 90]);
}

#[test]
fn half_cents_are_settled_by_largest_remainder_and_carried() {
    let debts = "A>D 10.005, B>D 10.005, C>D 10.005";
    check_rounded(Strategy::Direct, 2, debts, "A>D 10.01, B>D 10, C>D 10", "B>A 0.005, C>D 0.005");
    check_rounded(Strategy::Hub, 2, debts, "A>HOUSE 10.01, B>HOUSE 10, C>HOUSE 10, HOUSE>D 30.01", "B>A 0.005, C>D 0.005");
    let netting = Netting::compute(&network(debts), Strategy::Direct, digits(2)).unwrap();
    let settled: Vec<_> = netting.positions.iter().map(|p| format!("{} {} {}", p.party, p.settled.units(), p.carry.units())).collect();
    assert_eq!(settled, ["A -10010000 5000", "B -10000000 -5000", "C -10000000 -5000", "D 30010000 5000"]);
}

#[test]
fn the_larger_remainder_grows_before_the_earlier_name() {
    check_rounded(Strategy::Direct, 0, "A>D 1.3, B>D 1.8, C>D 1.9", "B>D 2, C>D 2, A>D 1", "A>B 0.2, A>C 0.1");
}

#[test]
fn payees_grow_when_they_are_the_short_side() {
    check_rounded(Strategy::Direct, 0, "D>A 1.5, D>B 1.5, D>C 1", "D>A 2, D>B 1, D>C 1", "A>B 0.5");
}

#[test]
fn pairs_are_cut_down_and_the_rest_stays_owed() {
    check_rounded(Strategy::Gross, 2, "A>B 10.005, B>A 0.009", "A>B 10", "A>B 0.005, B>A 0.009");
    check_rounded(Strategy::Bilateral, 2, "A>B 10.005, B>A 0.009", "A>B 9.99", "A>B 0.006");
}

#[test]
fn a_network_takes_only_debts() {
    let build = |debtor, creditor, micro| Network::build([(debtor, creditor, Micro::new(micro))]);
    for micro in [0, -1, i64::MIN] {
        let refused = NetworkError::AmountNotPositive { debtor: "A".to_owned(), creditor: "B".to_owned() };
        assert_eq!(build("A", "B", micro), Err(refused));
    }
    assert_eq!(build("A", "A", 1), Err(NetworkError::SelfDebt { party: "A".to_owned() }));
    assert_eq!(build("A", "B", GROSS_MAX.units() + 1), Err(NetworkError::GrossTooLarge));
    assert_eq!(Network::build([("A", "B", GROSS_MAX), ("B", "A", Micro::new(1))]), Err(NetworkError::GrossTooLarge));
}

#[test]
fn the_largest_network_that_is_taken_nets_without_overflow() {
    let debts = Network::build([("A", "B", GROSS_MAX)]).unwrap();
    for strategy in Strategy::ALL {
        for decimals in 0..=6 {
            Netting::compute(&debts, strategy, digits(decimals)).unwrap();
        }
    }
}

/// The expected hashes were made by another program from the description in the module `hash`, as an auditor would.
#[test]
fn hashes_are_over_length_prefixed_fields() {
    let netting = Netting::compute(&network("B>A 2, A>B 1"), Strategy::Direct, digits(2)).unwrap();
    assert_eq!(netting.input_hash.to_string(), "df7af99a58e21d5861766a27983c1cdb8dc542dd1a50954c66fc10f6c059d693");
    assert_eq!(netting.output_hash.to_string(), "a22a566b5107e31032df578ebaa5249fa724d8b4942302c59726b921fbf456e3");
}

#[test]
fn strategies_are_named_as_they_are_shown() {
    for strategy in Strategy::ALL {
        assert_eq!(strategy.to_string().parse(), Ok(strategy));
    }
    assert!("Direct".parse::<Strategy>().is_err());
    assert!("".parse::<Strategy>().is_err());
}

type Debt = (String, String, Micro);

fn built(debts: &[Debt]) -> Network {
    Network::build(debts.iter().map(|(debtor, creditor, amount)| (debtor.as_str(), creditor.as_str(), *amount))).unwrap()
}

/// Up to nine parties with names of unequal length; amounts of all sizes, many of them equal.
fn any_debts(amount_max: i64, rows_max: usize) -> impl proptest::prelude::Strategy<Value = Vec<Debt>> {
    let name = |n: u8| "P".repeat(usize::from(n % 3)) + &n.to_string();
    let debt = (0..9_u8, 0..9_u8, prop_oneof![1..=amount_max, 1..=amount_max.min(4)])
        .prop_filter("nobody owes itself", |(debtor, creditor, _)| debtor != creditor)
        .prop_map(move |(debtor, creditor, micro)| (name(debtor), name(creditor), Micro::new(micro)));
    prop::collection::vec(debt, 0..rows_max)
}

fn any_strategy() -> impl proptest::prelude::Strategy<Value = Strategy> {
    prop::sample::select(&Strategy::ALL[..])
}

/// The nets by a second reckoning, which knows nothing of networks.
fn nets(debts: &[Debt]) -> BTreeMap<String, i128> {
    let mut nets = BTreeMap::new();
    for (debtor, creditor, amount) in debts {
        *nets.entry(debtor.clone()).or_default() -= i128::from(amount.units());
        *nets.entry(creditor.clone()).or_default() += i128::from(amount.units());
    }
    nets
}

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
        let netting = Netting::compute(&built(&debts), strategy, digits(decimals)).unwrap();
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
        let compute = |debts: &[Debt]| Netting::compute(&built(debts), strategy, digits(decimals)).unwrap();
        prop_assert_eq!(compute(&debts), compute(&shuffled));
    }

    #[test]
    fn direct_moves_the_net_internal_debt_in_few_transfers(debts in any_debts(3_000_000_000, 60)) {
        let netting = Netting::compute(&built(&debts), Strategy::Direct, digits(6)).unwrap();
        let nets = nets(&debts);
        let payers = nets.values().filter(|net| **net < 0).count();
        let payees = nets.values().filter(|net| **net > 0).count();
        prop_assert_eq!(i128::from(netting.net.units()), nets.values().filter(|net| **net > 0).sum::<i128>());
        prop_assert_eq!(netting.total, netting.net);
        prop_assert!(netting.transfers.len() <= (payers + payees).saturating_sub(1));
    }

    #[test]
    fn every_strategy_keeps_its_total_and_its_bound(debts in any_debts(3_000_000_000, 60)) {
        let compute = |strategy| Netting::compute(&built(&debts), strategy, digits(6)).unwrap();
        let [gross, bilateral, conservative, direct, hub] = Strategy::ALL.map(compute);
        prop_assert_eq!(gross.total, gross.gross);
        prop_assert_eq!(bilateral.total, bilateral.bilateral);
        prop_assert!(gross.total >= bilateral.total && bilateral.total >= conservative.total && conservative.total >= direct.total);
        prop_assert_eq!(hub.total.units(), 2 * direct.total.units());
        prop_assert!(hub.transfers.len() <= hub.parties);
        prop_assert!(bilateral.transfers.len() <= gross.transfers.len());
        for netting in [gross, bilateral, conservative, direct, hub] {
            prop_assert_eq!(netting.set_off.checked_add(netting.remaining), Some(netting.gross));
        }
    }

    #[test]
    fn rounding_moves_nobody_by_a_minor_unit(
        debts in any_debts(30_000_000, 60), strategy in prop::sample::select(vec![Strategy::Direct, Strategy::Hub]), decimals in 0..=6_i64,
    ) {
        let netting = Netting::compute(&built(&debts), strategy, digits(decimals)).unwrap();
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
        let hash = |debts: &[Debt]| -> Digest { Netting::compute(&built(debts), Strategy::Direct, digits(6)).unwrap().input_hash };
        prop_assert_eq!(hash(&debts) == hash(&others), built(&debts) == built(&others));
    }

    /// The same debts under other names, backwards, a hundredfold, with one of them split: the set-off is the same, or a hundredfold.
    #[test]
    fn what_circles_cancel_does_not_depend_on_how_debts_are_told(debts in any_debts(1_000_000, 60), at in 0..60_usize) {
        let set_off = |debts: &[Debt]| Netting::compute(&built(debts), Strategy::Conservative, digits(6)).unwrap().set_off.units();
        let told = |tell: &dyn Fn(&Debt) -> Debt| debts.iter().map(tell).collect::<Vec<_>>();
        let base = set_off(&debts);
        let renamed = told(&|(a, b, amount)| (a.chars().rev().chain("x".chars()).collect(), b.chars().rev().chain("x".chars()).collect(), *amount));
        prop_assert_eq!(set_off(&renamed), base);
        prop_assert_eq!(set_off(&told(&|(a, b, amount)| (b.clone(), a.clone(), *amount))), base);
        prop_assert_eq!(set_off(&told(&|(a, b, amount)| (a.clone(), b.clone(), Micro::new(amount.units() * 100)))), base * 100);
        let mut split = debts.clone();
        if let Some((a, b, amount)) = split.get(at).cloned().filter(|(_, _, amount)| amount.units() > 1) {
            split[at].2 = Micro::new(1);
            split.push((a, b, Micro::new(amount.units() - 1)));
        }
        prop_assert_eq!(set_off(&split), base);
        // Another network beside it, and a circle on top, add what they can set off by themselves.
        let beside = debts.iter().map(|(a, b, amount)| (format!("y{a}"), format!("y{b}"), *amount));
        let union: Vec<Debt> = debts.iter().cloned().chain(beside).collect();
        prop_assert_eq!(set_off(&union), base * 2);
        let circle = ["q1", "q2", "q3"].map(str::to_owned);
        let more = (0..3).map(|i| (circle[i].clone(), circle[(i + 1) % 3].clone(), Micro::new(7)));
        let circled: Vec<Debt> = debts.iter().cloned().chain(more).collect();
        prop_assert_eq!(set_off(&circled), base + 21);
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
        let netting = Netting::compute(&Network::build(debts).unwrap(), Strategy::Direct, digits(6)).unwrap();

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
        let netting = Netting::compute(&Network::build(debts).unwrap(), Strategy::Conservative, digits(6)).unwrap();

        prop_assert_eq!(netting.set_off.units(), largest(&pairs, &amounts, [0; 4]).unwrap());
    }
}
