//! Failures on a whiteboard, and payments that clear held against every way in which they could.

#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows panics, as it should")]

mod replaced;

use super::*;
use crate::{
    GROSS_MAX, Netting, Terms,
    outcome::Carry,
    whiteboard::{self, written},
};
use proptest::prelude::*;
use scrip::Scale;

const EXAMPLE: &str = "A>B 60, A>C 40, B>C 70, C>D 50, D>A 20";

/// Reads `A 50, B 0`.
fn defaulters(text: &str) -> Vec<Defaulter<'_>> {
    let collateral = |text: &str| if text == "0" { Micro::ZERO } else { Micro::parse(text).unwrap() };
    text.split(", ")
        .map(|d| d.split_once(' ').unwrap())
        .map(|(party, amount)| Defaulter { party, collateral: collateral(amount) })
        .collect()
}

fn transfers(text: &str) -> Vec<Transfer> {
    let transfer = |(payer, payee, amount)| Transfer { payer: Party::named(payer), payee: Party::named(payee), amount };
    whiteboard::debts(text).into_iter().map(transfer).collect()
}

fn digits(digits: i64) -> Scale {
    Scale::try_new(digits).unwrap()
}

/// What a failure comes to where positions are paid directly.
fn what_if(debts: &str, failing: &str, rule: Rule, decimals: i64) -> WhatIf {
    let network = whiteboard::network(debts);
    let terms = Terms { strategy: crate::Strategy::Direct, digits: digits(decimals), min_transfer: Micro::ZERO };
    let netting = Netting::compute(&network, terms).unwrap();
    what_if_default(&network, &netting.transfers, &defaulters(failing), rule, terms.digits).unwrap()
}

/// One transfer with the house for everybody who is to pay, of all that it is to pay.
fn to_the_house(network: &Network) -> Vec<Transfer> {
    let terms = Terms { strategy: crate::Strategy::Hub, digits: digits(6), min_transfer: Micro::ZERO };
    Netting::compute(network, terms).unwrap().transfers
}

fn check(rule: Rule, debts: &str, failing: &str, outcome: &str, shortfall: &str) {
    check_rounded(rule, 6, debts, failing, outcome, shortfall);
}

fn check_rounded(rule: Rule, decimals: i64, debts: &str, failing: &str, outcome: &str, shortfall: &str) {
    let what_if = what_if(debts, failing, rule, decimals);
    let effects: Vec<String> = what_if.effects.iter().map(|e| format!("{} {}", e.party, written(e.outcome))).collect();
    assert_eq!(effects.join(", "), outcome);
    assert_eq!(written(what_if.shortfall), shortfall);
}

#[test]
fn the_rest_is_netted_again_without_the_defaulter() {
    check(Rule::ExcludeAndRenet, EXAMPLE, "A 0", "A 0, B -70, C 20, D 50", "100");
    let rest = exclude(&whiteboard::network(EXAMPLE), &defaulters("A 0")).unwrap();
    assert_eq!(rest, whiteboard::network("B>C 70, C>D 50"));
}

#[test]
fn collateral_pays_first_and_receivers_share_the_loss_in_proportion() {
    check(Rule::CollateralThenLossShare, EXAMPLE, "A 50", "A -50, B -10, C 40, D 20", "30");
    check(Rule::CollateralThenLossShare, EXAMPLE, "A 80", "A -80, B -10, C 60, D 30", "0");
    check(Rule::CollateralThenLossShare, EXAMPLE, "A 500", "A -80, B -10, C 60, D 30", "0");
    check(Rule::CollateralThenLossShare, EXAMPLE, "A 0, B 0", "A 0, B 0, C 0, D 0", "90");
}

#[test]
fn a_loss_that_does_not_divide_goes_by_largest_remainder_then_by_name() {
    let debts = "A>B 0.000003, A>C 0.000003, A>D 0.000003";
    check(Rule::CollateralThenLossShare, debts, "A 0.000001", "A -0.000001, B 0, C 0, D 0.000001", "0.000008");
    check(Rule::CollateralThenLossShare, debts, "A 0.000005", "A -0.000005, B 0.000001, C 0.000002, D 0.000002", "0.000004");
}

#[test]
fn collateral_pays_whole_minor_units_and_what_is_cut_off_is_lost() {
    let shares = Rule::CollateralThenLossShare;
    check_rounded(shares, 2, EXAMPLE, "A 50.009", "A -50, B -10, C 40, D 20", "30");
    // C would have 46.653333 of it and D 13.326667: the cent that they would share stays where it is.
    check_rounded(shares, 2, EXAMPLE, "A 59.98", "A -59.97, B -10, C 46.65, D 23.32", "20.03");
    check_rounded(shares, 0, EXAMPLE, "A 59.98", "A -59, B -10, C 46, D 23", "21");
    let draws = |decimals| {
        let draws = what_if(EXAMPLE, "A 59.98", shares, decimals).draws;
        draws.iter().map(|draw| format!("{}>{} {}", draw.party, draw.payee, written(draw.amount))).collect::<Vec<_>>().join(", ")
    };
    assert_eq!([draws(0), draws(2), draws(6)], ["A>C 46, A>D 13", "A>C 46.65, A>D 13.32", "A>C 46.653333, A>D 13.326667"]);
    // It pays C alone; B, which is hit as well, pays both C and D.
    check_rounded(Rule::ProRata, 0, EXAMPLE, "A 30.9", "A -30, B -39.46, C 39.46, D 30", "50");
}

#[test]
fn what_rounding_leaves_owed_is_no_failure() {
    // A owes 80.004 and transfers 80.00: the rest is carried, whoever fails, and takes nothing from the collateral.
    let debts = "A>C 60.003, A>D 20.001";
    check_rounded(Rule::CollateralThenLossShare, 2, debts, "A 80", "A -80.004, C 60.003, D 20.001", "0");
}

#[test]
fn where_the_house_is_not_paid_a_rule_is_about_positions() {
    let network = whiteboard::network(EXAMPLE);
    let what_if =
        what_if_default(&network, &to_the_house(&network), &defaulters("A 50"), Rule::CollateralThenLossShare, digits(2)).unwrap();
    let outcomes: Vec<String> = what_if.effects.iter().map(|e| written(e.outcome)).collect();
    assert_eq!(outcomes, ["-50", "-10", "40", "20"]);
}

#[test]
fn a_defaulter_that_is_to_be_paid_fails_nobody() {
    check(Rule::CollateralThenLossShare, EXAMPLE, "C 0", "A -80, B -10, C 60, D 30", "0");
}

#[test]
fn all_that_a_defaulter_owes_is_paid_at_one_rate() {
    check(Rule::ProRata, EXAMPLE, "A 0", "A 0, B -58, C 28, D 30", "80");
    check(Rule::ProRata, EXAMPLE, "A 30", "A -30, B -40, C 40, D 30", "50");
    check(Rule::ProRata, EXAMPLE, "A 500", "A -80, B -10, C 60, D 30", "0");
}

#[test]
fn a_failure_spreads_to_whoever_has_too_little() {
    check(Rule::ProRata, "A>B 100, B>C 100", "A 40, B 0", "A -40, B 0, C 40", "60");
    check(Rule::ProRata, "A>B 100, B>C 100", "A 40, B 90", "A -40, B -60, C 100", "0");
}

#[test]
fn a_circle_without_cash_pays_itself_in_full() {
    check(Rule::ProRata, "A>B 5, B>C 5, C>A 5", "A 0, B 0, C 0", "A 0, B 0, C 0", "0");
    let payments = pro_rata(&whiteboard::network("A>B 5, B>A 5"), &defaulters("A 0, B 0")).unwrap();
    assert!(payments.iter().all(|p| p.pays == p.owes && p.receives == p.owes), "{payments:?}");
}

/// A owes C next to nothing beside its circle with B, and yet nothing goes round when there is nothing to pay C with.
#[test]
fn the_smallest_debt_that_leaves_a_circle_empties_it() {
    let payments = pro_rata(&whiteboard::network("A>B 1000000, A>C 0.000001, B>A 1000000"), &defaulters("A 0, B 0")).unwrap();
    assert!(payments.iter().all(|p| p.pays == Micro::ZERO && p.receives == Micro::ZERO), "{payments:?}");
}

#[test]
fn shares_of_micro_units_are_rounded_once_and_sum_to_zero() {
    check(Rule::ProRata, "A>B 3, A>C 3, A>D 3", "A 1", "A -1, B 0.333334, C 0.333333, D 0.333333", "8");
}

#[test]
fn the_largest_remainder_gets_the_odd_micro_unit() {
    let debts = "A>B 0.000005, A>C 0.000003, A>D 0.000001";
    check(Rule::ProRata, debts, "A 0.000004", "A -0.000004, B 0.000002, C 0.000001, D 0.000001", "0.000005");
}

#[test]
fn failed_transfers_become_debts_of_the_next_window() {
    let direct = "A>C 60, A>D 20, B>D 10";
    check(Rule::CarryOver, EXAMPLE, "A 0", "A 0, B -10, C 0, D 10", "80");
    let carries = carry_over(&whiteboard::network(EXAMPLE), &transfers(direct), &defaulters("A 0")).unwrap();
    let carry = |(debtor, creditor, amount)| Carry { debtor: Party::named(debtor), creditor: Party::named(creditor), amount };
    assert_eq!(carries, whiteboard::debts("A>C 60, A>D 20").into_iter().map(carry).collect::<Vec<_>>());
}

#[test]
fn the_house_lends_nothing() {
    let network = whiteboard::network("A>B 5");
    let hub = transfers("A>HOUSE 5, HOUSE>B 5");
    assert_eq!(carry_over(&network, &hub, &defaulters("A 0")), Err(FailureError::HouseIsCreditor));
    assert_eq!(carry_over(&network, &hub, &defaulters("B 0")), Ok(Vec::new()));
}

#[test]
fn who_is_hit_hardest_comes_first() {
    let what_if = what_if(EXAMPLE, "A 0", Rule::ExcludeAndRenet, 2);
    let hit = |most| what_if.hardest_hit(most).into_iter().map(|e| format!("{} {}", e.party, written(e.short))).collect::<Vec<_>>();
    assert_eq!(hit(5), ["B 60", "C 40"]);
    assert_eq!(hit(1), ["B 60"]);
}

#[test]
fn only_parties_fail_each_once_and_with_collateral_not_below_zero() {
    let network = whiteboard::network("A>B 5");
    let refused = |defaulters: &[Defaulter<'_>]| what_if_default(&network, &[], defaulters, Rule::ProRata, digits(2)).unwrap_err();
    let fails = |party, units| Defaulter { party, collateral: Micro::new(units) };
    assert_eq!(refused(&[fails("X", 0)]), FailureError::UnknownParty { party: "X".to_owned() });
    assert_eq!(refused(&[fails("A", 0), fails("A", 0)]), FailureError::NamedTwice { party: "A".to_owned() });
    assert_eq!(refused(&[fails("A", -1)]), FailureError::CollateralNegative { party: "A".to_owned() });
    assert_eq!(refused(&[fails("A", 0); DEFAULTERS_MAX + 1]), FailureError::TooManyDefaulters);
}

#[test]
fn the_largest_amounts_are_shared_exactly() {
    let half = Micro::new(GROSS_MAX.units() / 2);
    let network = Network::build([("A", "B", half), ("A", "C", half)]).unwrap();
    let failed = ["B", "C"].map(|payee| Transfer { payer: Party::named("A"), payee: Party::named(payee), amount: half });
    for rule in Rule::ALL {
        for collateral in [0, 1, GROSS_MAX.units(), i64::MAX] {
            let failing = [Defaulter { party: "A", collateral: Micro::new(collateral) }];
            what_if_default(&network, &failed, &failing, rule, digits(6)).unwrap();
        }
    }
}

#[test]
fn as_many_as_may_fail_are_solved_for() {
    let names: Vec<String> = (0..=DEFAULTERS_MAX).map(|n| format!("P{n:02}")).collect();
    // All the party's debts go on to the next two; nobody has cash, the first is owed by one who pays.
    let debt = |n: usize, step: usize| {
        (names[n].as_str(), names[(n + step).min(DEFAULTERS_MAX)].as_str(), Micro::new(1_000_000_007 + 13 * i64::try_from(n).unwrap()))
    };
    let debts = (0..DEFAULTERS_MAX).flat_map(|n| [debt(n, 1), debt(n, 2)]).chain([("payer", "P00", Micro::new(1_000))]);
    let network = Network::build(debts).unwrap();
    let failing: Vec<Defaulter<'_>> = names[..DEFAULTERS_MAX].iter().map(|party| Defaulter { party, collateral: Micro::ZERO }).collect();
    let payments = pro_rata(&network, &failing).unwrap();
    let last = payments.iter().find(|p| p.party.as_str() == names[DEFAULTERS_MAX]).unwrap();
    assert_eq!(last.receives.units(), 1_000, "what comes in at one end comes out at the other");
}

#[test]
fn rules_are_named_as_they_are_shown() {
    for rule in Rule::ALL {
        assert_eq!(rule.to_string().parse(), Ok(rule));
    }
    assert!("Pro_rata".parse::<Rule>().is_err());
}

const NAMES: [&str; 4] = ["A", "B", "C", "D"];
const PAIRS: [(usize, usize); 12] = [(0, 1), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3), (2, 0), (2, 1), (2, 3), (3, 0), (3, 1), (3, 2)];

fn network(names: [&str; 4], amounts: [i64; 12]) -> Network {
    let debts = PAIRS.iter().zip(amounts).filter(|(_, amount)| *amount > 0);
    Network::build(debts.map(|((from, to), amount)| (names[*from], names[*to], Micro::new(amount)))).unwrap()
}

/// Those of the parties that are in the network, with their cash; a party that is given none pays in full.
fn limited<'a>(names: [&'a str; 4], network: &Network, cash: [Option<i64>; 4]) -> Vec<Defaulter<'a>> {
    let known = |name: &str| network.parties().iter().any(|p| p.as_str() == name);
    let limited = names.into_iter().zip(cash).filter(|(name, _)| known(name));
    limited.filter_map(|(party, cash)| cash.map(|c| Defaulter { party, collateral: Micro::new(c) })).collect()
}

/// The determinant by expansion along the first row.
fn determinant(matrix: &[Vec<i128>]) -> i128 {
    let Some((first, rest)) = matrix.split_first() else { return 1 };
    let without = |column: usize| -> Vec<Vec<i128>> {
        rest.iter().map(|row| row.iter().enumerate().filter(|(at, _)| *at != column).map(|(_, cell)| *cell).collect()).collect()
    };
    (0_u32..).zip(first).map(|(column, cell)| (-1_i128).pow(column) * cell * determinant(&without(usize::try_from(column).unwrap()))).sum()
}

/// Every clearing vector that has exactly one solution for its set of parties that are short, as rates over one denominator, by Cramer's rule.
fn clearing_vectors(amounts: [i64; 12], cash: [Option<i64>; 4]) -> Vec<([i128; 4], i128)> {
    let owed = |from: usize, to: usize| PAIRS.iter().position(|pair| *pair == (from, to)).map_or(0, |at| i128::from(amounts[at]));
    let owes: [i128; 4] = std::array::from_fn(|from| (0..4).map(|to| owed(from, to)).sum());
    let mut found = Vec::new();
    for set in 0..16_usize {
        let short: Vec<usize> = (0..4).filter(|party| set >> party & 1 == 1).collect();
        if short.iter().any(|party| cash[*party].is_none()) {
            continue;
        }
        let has = |party: usize| {
            let from_others: i128 = (0..4).filter(|from| !short.contains(from)).map(|from| owed(from, party)).sum();
            i128::from(cash[party].unwrap_or_default()) + from_others
        };
        let cell = |row: usize, column: usize| if row == column { owes[row] } else { -owed(column, row) };
        let matrix: Vec<Vec<i128>> = short.iter().map(|row| short.iter().map(|column| cell(*row, *column)).collect()).collect();
        let denominator = determinant(&matrix);
        if denominator == 0 {
            continue;
        }
        let mut rates = [denominator; 4];
        for (at, party) in short.iter().enumerate() {
            let mut replaced = matrix.clone();
            for (row, other) in replaced.iter_mut().zip(&short) {
                row[at] = has(*other);
            }
            rates[*party] = determinant(&replaced);
        }
        let sign = denominator.signum();
        let (rates, denominator) = (rates.map(|rate| rate * sign), denominator * sign);
        let clears = |party: usize| {
            let received: i128 = (0..4).map(|from| owed(from, party) * rates[from]).sum();
            let Some(cash) = cash[party] else { return true };
            rates[party] * owes[party] == (owes[party] * denominator).min(i128::from(cash) * denominator + received)
        };
        if (0..4).all(clears) {
            found.push((rates, denominator));
        }
    }
    found
}

fn any_cash() -> impl Strategy<Value = [Option<i64>; 4]> {
    prop::array::uniform4(prop_oneof![1 => Just(None), 3 => (0..4_i64).prop_map(Some)])
}

/// Debts of four parties, half of them none.
fn any_amounts(amount_max: i64) -> impl Strategy<Value = [i64; 12]> {
    prop::array::uniform12(prop_oneof![Just(0), 1..=amount_max])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// The greatest of all clearing vectors, to the micro-unit, and positions that are nowhere a micro-unit off.
    #[test]
    fn no_other_payments_that_clear_are_greater(amounts in any_amounts(9), cash in any_cash()) {
        let network = network(NAMES, amounts);
        let payments = pro_rata(&network, &limited(NAMES, &network, cash)).unwrap();
        let vectors = clearing_vectors(amounts, cash);
        let owes = |from: usize| PAIRS.iter().zip(amounts).filter(|(pair, _)| pair.0 == from).map(|(_, a)| i128::from(a)).sum::<i128>();
        let is_greatest = |(rates, denominator): &([i128; 4], i128)| {
            vectors.iter().all(|(others, by)| (0..4).all(|party| owes(party) == 0 || others[party] * denominator <= rates[party] * by))
        };
        let (rates, denominator) = vectors.iter().find(|vector| is_greatest(vector)).expect("there is a greatest clearing vector");

        for payment in &payments {
            let party = NAMES.iter().position(|name| *name == payment.party.as_str()).unwrap();
            prop_assert_eq!(i128::from(payment.pays.units()), (rates[party] * owes(party)).div_euclid(*denominator));
            let received: i128 = PAIRS.iter().zip(amounts).filter(|(pair, _)| pair.1 == party).map(|(pair, a)| rates[pair.0] * i128::from(a)).sum();
            let position = i128::from(payment.receives.units() - payment.pays.units()) * denominator;
            prop_assert!((position - (received - rates[party] * owes(party))).abs() < *denominator);
            if let Some(cash) = cash[party] {
                prop_assert!(payment.pays.units() <= cash + payment.receives.units());
            }
        }
        prop_assert_eq!(payments.iter().map(|p| p.pays.units()).sum::<i64>(), payments.iter().map(|p| p.receives.units()).sum::<i64>());
    }
}

proptest! {
    /// Under other names in another order, told in halves, and a millionfold: the same for everybody, or a millionfold.
    #[test]
    fn a_failure_does_not_depend_on_how_debts_are_told(amounts in any_amounts(9), cash in any_cash(), rule in prop::sample::select(&Rule::ALL[..])) {
        let outcomes = |names: [&str; 4], network: &Network, cash: [Option<i64>; 4]| {
            let transfers = if rule == Rule::CarryOver { Vec::new() } else { to_the_house(network) };
            let what_if = what_if_default(network, &transfers, &limited(names, network, cash), rule, digits(6)).unwrap();
            let outcome = |name| what_if.effects.iter().find(|e| e.party.as_str() == name).map(|e| e.outcome.units());
            (names.map(outcome), what_if.shortfall.units())
        };
        // Twelve times a thousand, so that no share is cut anywhere near a micro-unit twice.
        let base = network(NAMES, amounts.map(|a| a * 12_000));
        let cash = cash.map(|c| c.map(|c| c * 12_000));
        let (expected, shortfall) = outcomes(NAMES, &base, cash);
        let close = |left: Option<i64>, right: Option<i64>| left.unwrap_or_default().abs_diff(right.unwrap_or_default()) <= 1;

        let renamed = ["z", "É", "B", "a"];
        let (outcome, _) = outcomes(renamed, &network(renamed, amounts.map(|a| a * 12_000)), cash);
        prop_assert!(outcome.into_iter().zip(expected).all(|(left, right)| close(left, right)), "{:?} {:?}", outcome, expected);

        let halves = base.obligations().flat_map(|(from, to, amount)| [(from, to, amount.units() / 2); 2]);
        let told: Vec<_> = halves.map(|(from, to, units)| (from.as_str(), to.as_str(), Micro::new(units))).collect();
        prop_assert_eq!(outcomes(NAMES, &Network::build(told.into_iter().rev()).unwrap(), cash), (expected, shortfall));
    }

    #[test]
    fn nobody_is_short_of_more_than_it_would_get_when_losses_are_shared(amounts in any_amounts(1_000_000), cash in any_cash()) {
        let network = network(NAMES, amounts);
        let (transfers, failing) = (to_the_house(&network), limited(NAMES, &network, cash));
        let what_if = what_if_default(&network, &transfers, &failing, Rule::CollateralThenLossShare, digits(6)).unwrap();
        for effect in &what_if.effects {
            let (expected, outcome) = (effect.expected.units(), effect.outcome.units());
            let is_between = if expected > 0 { (0..=expected).contains(&outcome) } else { (expected..=0).contains(&outcome) };
            prop_assert!(is_between);
            prop_assert!(effect.defaults || expected > 0 || outcome == expected);
        }
    }

    /// Large numbers, all four short: what is paid is what is received, and more cash never leaves anybody with less.
    #[test]
    fn more_cash_pays_everybody_no_less(amounts in any_amounts(1_000_000_000_000), cash in prop::array::uniform4(0..1_000_000_000_000_i64), party in 0..4_usize) {
        let network = network(NAMES, amounts);
        let pays = |cash: [i64; 4]| {
            let payments = pro_rata(&network, &limited(NAMES, &network, cash.map(Some))).unwrap();
            payments.into_iter().map(|p| p.pays).collect::<Vec<_>>()
        };
        let mut more = cash;
        more[party] *= 2;
        prop_assert!(pays(cash).iter().zip(pays(more)).all(|(less, more)| *less <= more));
    }
}
