//! The strategies on a whiteboard, and (one room each) what holds for any network, however it is told, with a smallest transfer, for the
//! fewest transfers, and side by side.

#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows panics, as it should")]

use crate::{Digest, GROSS_MAX, Netting, NettingError, Network, NetworkError, Strategy, Terms};
use proptest::{prelude::*, strategy::Strategy as _};
use scrip::{Micro, Scale};
use std::collections::BTreeMap;

mod any_network;
mod fewest;
mod min_transfer;
mod retold;
mod what_if;

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

/// Every transfer is made.
fn terms(strategy: Strategy, decimals: i64) -> Terms {
    Terms { strategy, digits: digits(decimals), min_transfer: Micro::ZERO }
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
    let netting = Netting::compute(&network(debts), terms(strategy, 6)).unwrap();
    assert_eq!(transfers(&netting), expected);
    assert_eq!(carries(&netting), "", "six digits leave nothing to round");
}

fn check_rounded(strategy: Strategy, decimals: i64, debts: &str, expected: &str, carried: &str) {
    let netting = Netting::compute(&network(debts), terms(strategy, decimals)).unwrap();
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
    check(Strategy::Fewest, "A>B 5, B>C 5, C>A 5", "");
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
    assert_eq!(Netting::compute(&debts, terms(Strategy::Hub, 6)), Err(NettingError::HouseIsParty));
    assert!(Netting::compute(&debts, terms(Strategy::Direct, 6)).is_ok());
}

#[test]
fn figures_are_what_the_design_defines() {
    let debts = network("A>B 60, B>A 10, A>C 40, B>C 70, C>D 50, D>A 20");
    let figures = |strategy| {
        let n = Netting::compute(&debts, terms(strategy, 6)).unwrap();
        [n.gross, n.bilateral, n.net, n.total, n.set_off, n.remaining].map(|m| m.units() / 1_000_000)
    };
    assert_eq!(figures(Strategy::Gross), [250, 230, 90, 250, 0, 250]);
    assert_eq!(figures(Strategy::Bilateral), [250, 230, 90, 230, 20, 230]);
    assert_eq!(figures(Strategy::Conservative), [250, 230, 90, 150, 100, 150]);
    assert_eq!(figures(Strategy::Direct), [250, 230, 90, 90, 160, 90]);
    assert_eq!(figures(Strategy::Fewest), [250, 230, 90, 90, 160, 90]);
    assert_eq!(figures(Strategy::Hub), [250, 230, 90, 180, 160, 90]);
}

#[test]
fn half_cents_are_settled_by_largest_remainder_and_carried() {
    let debts = "A>D 10.005, B>D 10.005, C>D 10.005";
    check_rounded(Strategy::Direct, 2, debts, "A>D 10.01, B>D 10, C>D 10", "B>A 0.005, C>D 0.005");
    check_rounded(Strategy::Hub, 2, debts, "A>HOUSE 10.01, B>HOUSE 10, C>HOUSE 10, HOUSE>D 30.01", "B>A 0.005, C>D 0.005");
    let netting = Netting::compute(&network(debts), terms(Strategy::Direct, 2)).unwrap();
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
            Netting::compute(&debts, terms(strategy, decimals)).unwrap();
        }
    }
}

/// The expected hashes were made by another program from the description in the module `hash`, as an auditor would.
#[test]
fn hashes_are_over_length_prefixed_fields() {
    let netting = Netting::compute(&network("B>A 2, A>B 1"), terms(Strategy::Direct, 2)).unwrap();
    assert_eq!(netting.input_hash.to_string(), "df7af99a58e21d5861766a27983c1cdb8dc542dd1a50954c66fc10f6c059d693");
    assert_eq!(netting.output_hash.to_string(), "a22a566b5107e31032df578ebaa5249fa724d8b4942302c59726b921fbf456e3");
}

/// The hashes that runs have in their books since before there was a smallest transfer.
#[test]
fn results_without_a_smallest_transfer_keep_their_hashes() {
    let debts = network("A>B 60.005, B>A 10, A>C 40.01, B>C 70.009, C>D 50, D>A 20");
    for (strategy, output_hash) in [
        (Strategy::Gross, "569cef3769fc9473e0ada4e7c584763e835f87d223bd4329b12fef18f62bc051"),
        (Strategy::Bilateral, "9f4f61396c3057a45bb089b2bf1d103ef4c6cfe514cd1bcdfd15699a53ff20d0"),
        (Strategy::Conservative, "008f645d1a380ce30da377f3d9cb1db0d000744ee1962c63b042301077ab700f"),
        (Strategy::Direct, "6ebdd2680c21a9ff9a63669aec82254d726c7bb8ffd15c9616a44bf563da8e2a"),
        (Strategy::Hub, "6e95142d81faffdaeadf691796dc369cbb88e2eaeafd7c71d04e7cf350010594"),
    ] {
        let netting = Netting::compute(&debts, terms(strategy, 2)).unwrap();
        assert_eq!(netting.input_hash.to_string(), "5f9a6797abc3fa2556085b5a951bc435c3273cf0abaee6c6b6d3b5b2df8add51");
        assert_eq!(netting.output_hash.to_string(), output_hash, "{strategy}");
    }
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
