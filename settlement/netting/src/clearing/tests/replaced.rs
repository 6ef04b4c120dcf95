//! What takes the place of failed transfers, and that it is what was said before they failed.

use super::*;

/// Of transfers like `A>C 60`, what is paid to whom.
fn payments(text: &str) -> Vec<Payment> {
    transfers(text).into_iter().map(|t| Payment { payee: t.payee.to_string(), amount: t.amount }).collect()
}

/// What takes the place of `failed` when the one of `failing` has not paid it: draws, then what is owed.
fn replaced(rule: Rule, failing: &str, failed: &str) -> (String, String) {
    let [Defaulter { party, collateral }] = defaulters(failing)[..] else { panic!("one fails") };
    let missed = Missed { party, collateral, failed: &payments(failed) };
    let replacement = replace(&whiteboard::network(EXAMPLE), rule, &missed, digits(2)).unwrap();
    let draws: Vec<String> = replacement.draws.iter().map(|draw| format!("{} {}", draw.payee, written(draw.amount))).collect();
    let owed: Vec<String> = replacement.owed.iter().map(|c| format!("{}>{} {}", c.debtor, c.creditor, written(c.amount))).collect();
    (draws.join(", "), owed.join(", "))
}

fn check_replaced(rule: Rule, failing: &str, failed: &str, draws: &str, owed: &str) {
    assert_eq!(replaced(rule, failing, failed), (draws.to_owned(), owed.to_owned()), "{rule} {failing}");
}

#[test]
fn what_takes_the_place_of_failed_transfers_brings_everybody_where_the_rule_says() {
    let check = |rule, failing: &str, draws: &str, owed: &str| check_replaced(rule, failing, "A>C 60, A>D 20", draws, owed);
    check(Rule::CarryOver, "A 50", "", "A>C 60, A>D 20");
    check(Rule::ExcludeAndRenet, "A 50", "", "A>B 60, A>C 40, B>C 20, B>D 40, D>A 20");
    check(Rule::CollateralThenLossShare, "A 0", "", "A>C 53.333333, A>D 26.666667, D>C 6.666667");
    check(Rule::CollateralThenLossShare, "A 50", "C 40, D 10", "A>C 20, A>D 10");
    check(Rule::CollateralThenLossShare, "A 80", "C 60, D 20", "");
    check(Rule::CollateralThenLossShare, "A 500", "C 60, D 20", "");
    // A cent cannot be parted: the rest of the collateral stays where it is, and what it would have paid is owed.
    check(Rule::CollateralThenLossShare, "A 50.009", "C 40, D 10", "A>C 20, A>D 10");
    check(Rule::ProRata, "A 0", "", "A>B 48, A>C 32, B>C 28, B>D 20");
}

#[test]
fn what_has_not_failed_is_paid_before_the_rule_takes_anything() {
    let shares = Rule::CollateralThenLossShare;
    // D has its 20, whoever gave it to it; it gives up as much of that as of what it would have got.
    check_replaced(shares, "A 0", "A>C 60", "", "A>C 40, A>D 20, D>C 20");
    check_replaced(shares, "A 50", "A>C 60", "C 50", "A>C 6.666667, A>D 3.333333, D>C 3.333333");
    check_replaced(shares, "A 60", "A>C 60", "C 60", "");
}

#[test]
fn who_was_paid_as_well_gives_that_back_first() {
    // By gross, A is paid 20 by D, and fails the 60 and the 40 that it owes.
    let check = |rule, failing: &str, draws: &str, owed: &str| check_replaced(rule, failing, "A>B 60, A>C 40", draws, owed);
    check(Rule::ExcludeAndRenet, "A 50", "", "A>B 60, A>C 40");
    check(Rule::ProRata, "A 50", "B 30, C 20", "A>B 30, A>C 20");
    check(Rule::CarryOver, "A 50", "", "A>B 60, A>C 40");
}

#[test]
fn nothing_takes_the_place_of_what_the_house_is_not_paid() {
    let failed = payments("A>HOUSE 5");
    let missed = Missed { party: "A", collateral: Micro::ZERO, failed: &failed };
    for rule in Rule::ALL {
        let refused = replace(&whiteboard::network("A>B 5"), rule, &missed, digits(2));
        assert_eq!(refused, Err(FailureError::HouseIsCreditor));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// That it moves what the transfers would have is asserted wherever something is replaced, whatever the strategy. Here: nothing but
    /// collateral is drawn, in whole grains, and by the rules that say so; and where positions are paid, the defaulter owes each of the others
    /// what the rule takes from it and nothing else, and pays with its collateral what the rule has it pay.
    #[test]
    fn what_takes_the_place_of_transfers_is_what_the_rule_takes(
        amounts in any_amounts(9),
        collateral in 0..120_000_i64,
        rule in prop::sample::select(&Rule::ALL[..]),
        strategy in prop::sample::select(&crate::Strategy::ALL[..]).prop_filter("the house lends nothing", |s| *s != crate::Strategy::Hub),
        decimals in prop::sample::select(&[2_i64, 6][..]),
        fails in prop::array::uniform4(any::<bool>()),
    ) {
        let network = network(NAMES, amounts.map(|amount| amount * 7_001));
        let terms = Terms { strategy, digits: digits(decimals), min_transfer: Micro::ZERO };
        let netting = Netting::compute(&network, terms).unwrap();
        let Some(party) = netting.transfers.first().map(|transfer| transfer.payer.clone()) else { return Ok(()) };
        let to_pay = netting.transfers.iter().filter(|transfer| transfer.payer == party).zip(fails);
        let (failed, made): (Vec<_>, Vec<_>) = to_pay.partition(|(_, fails)| *fails);
        let failed: Vec<Payment> = failed.into_iter().map(|(t, _)| Payment { payee: t.payee.to_string(), amount: t.amount }).collect();
        let missed = Missed { party: party.as_str(), collateral: Micro::new(collateral), failed: &failed };
        let replacement = replace(&network, rule, &missed, terms.digits).unwrap();

        let drawn: i64 = replacement.draws.iter().map(|draw| draw.amount.units()).sum();
        let grain = if decimals == 2 { 10_000 } else { 1 };
        prop_assert!(drawn <= collateral && replacement.draws.iter().all(|draw| draw.amount.units() > 0 && draw.amount.units() % grain == 0));
        prop_assert!(drawn == 0 || matches!(rule, Rule::CollateralThenLossShare | Rule::ProRata));
        let pays_positions = matches!(strategy, crate::Strategy::Direct | crate::Strategy::Fewest) && decimals == 6;
        if !pays_positions || rule == Rule::CarryOver || rule == Rule::ExcludeAndRenet && !made.is_empty() {
            return Ok(());
        }

        let paid: i64 = made.iter().map(|(t, _)| t.amount.units()).sum();
        let failing = [Defaulter { party: party.as_str(), collateral: Micro::new(collateral + paid) }];
        let what_if = what_if_default(&network, &netting.transfers, &failing, rule, terms.digits).unwrap();
        let owed = |debtor: &Party, creditor: &Party| {
            replacement.owed.iter().filter(|c| c.debtor == *debtor && c.creditor == *creditor).map(|c| c.amount.units()).sum::<i64>()
        };
        for effect in what_if.effects.iter().filter(|effect| !effect.defaults) {
            let borne = effect.expected.units() - effect.outcome.units();
            // Shares of the collateral are cut to a micro-unit.
            prop_assert!((owed(&party, &effect.party) - owed(&effect.party, &party) - borne).abs() <= 3);
        }
        let pays = what_if.effects.iter().find(|effect| effect.defaults).map_or(0, |effect| -effect.outcome.units());
        prop_assert!((drawn - (pays - paid).max(0)).abs() <= 3);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// What is said before a failure is what comes of it: the same draws, and everybody short by what the defaulter goes on owing it, to the unit.
    #[test]
    fn what_a_failure_would_come_to_is_what_it_comes_to(
        amounts in any_amounts(9),
        collateral in 0..200_000_i64,
        rule in prop::sample::select(&Rule::ALL[..]),
        strategy in prop::sample::select(&crate::Strategy::ALL[..]).prop_filter("the house lends nothing", |s| *s != crate::Strategy::Hub),
        decimals in prop::sample::select(&[0_i64, 2, 6][..]),
        smallest in prop::sample::select(&[0_i64, 20_000][..]),
    ) {
        // Some two minor units a debt where there are two digits, some millions of them where there are six.
        let network = network(NAMES, amounts.map(|amount| amount * 7_001));
        let terms = Terms { strategy, digits: digits(decimals), min_transfer: Micro::new(smallest) };
        let netting = Netting::compute(&network, terms).unwrap();
        let Some(party) = netting.transfers.first().map(|transfer| transfer.payer.clone()) else { return Ok(()) };
        let to_pay = netting.transfers.iter().filter(|transfer| transfer.payer == party);
        let failed: Vec<Payment> = to_pay.map(|t| Payment { payee: t.payee.to_string(), amount: t.amount }).collect();
        let collateral = Micro::new(collateral);

        let failing = [Defaulter { party: party.as_str(), collateral }];
        let before = what_if_default(&network, &netting.transfers, &failing, rule, terms.digits).unwrap();
        let after = replace(&network, rule, &Missed { party: party.as_str(), collateral, failed: &failed }, terms.digits).unwrap();

        let draws: Vec<Payment> = before.draws.iter().map(|draw| Payment { payee: draw.payee.to_string(), amount: draw.amount }).collect();
        prop_assert_eq!(draws, after.draws.clone());
        let drawn: i64 = after.draws.iter().map(|draw| draw.amount.units()).sum();
        let defaulter = before.effects.iter().find(|effect| effect.defaults).unwrap();
        let elsewhere = -failed.iter().map(|t| t.amount.units()).sum::<i64>() - defaulter.expected.units();
        let draws_on_collateral = matches!(rule, Rule::CollateralThenLossShare | Rule::ProRata);
        // Who is paid more than it fails by gives that back first, and owes it until it does.
        if rule == Rule::ExcludeAndRenet || elsewhere < 0 {
            return Ok(());
        }
        if draws_on_collateral {
            prop_assert_eq!(-defaulter.outcome.units(), drawn + elsewhere);
        }
        for Effect { party: other, expected, outcome, .. } in before.effects.iter().filter(|effect| !effect.defaults) {
            let owed = |debtor: &Party, creditor: &Party| {
                after.owed.iter().filter(|c| c.debtor == *debtor && c.creditor == *creditor).map(|c| c.amount.units()).sum::<i64>()
            };
            prop_assert_eq!(expected.units() - outcome.units(), owed(&party, other) - owed(other, &party));
        }
    }
}
