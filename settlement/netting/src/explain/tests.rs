//! Explanations on a whiteboard, and what holds for the explanation of any netting at all.

#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows panics, as it should")]

use super::*;
use crate::{
    Network, Strategy, Terms, Transfer,
    whiteboard::{debts, written},
};
use proptest::{prelude::*, strategy::Strategy as _};
use scrip::Scale;
use std::collections::{BTreeMap, BTreeSet};

fn netted(network: &Network, strategy: Strategy, decimals: i64) -> Netting {
    let digits = Scale::try_new(decimals).unwrap();
    Netting::compute(network, Terms { strategy, digits, min_transfer: Micro::ZERO }).unwrap()
}

/// The obligations of a whiteboard, numbered from 0 in the order in which they are written.
fn explained(text: &str, strategy: Strategy, decimals: i64) -> (Netting, Explanation) {
    let obligations =
        (0..).zip(debts(text)).map(|(reference, (debtor, creditor, amount))| Obligation { reference, debtor, creditor, amount });
    let netting = netted(&crate::whiteboard::network(text), strategy, decimals);
    let explanation = Explanation::try_new(obligations, &netting).unwrap();
    (netting, explanation)
}

/// `5: A>B C>D [A>D]` is: A owes B, C owes D, and so A pays D 5. A carry stands in `{}`.
fn told(told: &Loop) -> String {
    let steps = told.steps.iter().map(|step| match step {
        Step::Owed { debtor, creditor, .. } => format!(" {debtor}>{creditor}"),
        Step::Paid { payer, payee, payment: Payment::Transfer(_) } => format!(" [{payer}>{payee}]"),
        Step::Paid { payer, payee, payment: Payment::Carry(_) } => format!(" {{{payer}>{payee}}}"),
    });
    format!("{}:{}", written(told.amount), steps.collect::<String>())
}

fn check(strategy: Strategy, decimals: i64, text: &str, loops: &[&str]) {
    let (_, explanation) = explained(text, strategy, decimals);
    assert_eq!(explanation.loops().map(|l| told(&l)).collect::<Vec<_>>(), loops);
}

#[test]
fn a_transfer_is_explained_by_a_chain_of_debts() {
    check(Strategy::Direct, 6, "A>B 5, B>C 5", &["5: A>B B>C [A>C]"]);
}

#[test]
fn what_a_payer_owes_its_payee_itself_comes_first() {
    check(
        Strategy::Direct,
        6,
        "A>B 60, A>C 40, B>C 70, C>D 50, D>A 20",
        &["40: A>C [A>C]", "20: A>B B>C [A>C]", "20: A>B B>C C>D [A>D]", "10: B>C C>D [B>D]", "20: A>B B>C C>D D>A"],
    );
}

#[test]
fn strangers_who_pay_each_other_are_an_exchange() {
    let text = "A>D 5, B>C 5";
    check(Strategy::Direct, 6, text, &["5: A>D [B>D] B>C [A>C]"]);
    let (_, explanation) = explained(text, Strategy::Direct, 6);
    let exchange = explanation.loops().next().unwrap();
    let debts = |steps: Vec<&Step>| told(&Loop { amount: Micro::ZERO, steps: steps.into_iter().cloned().collect() });
    assert_eq!(debts(exchange.owed_by_payer(Payment::Transfer(0))), "0: A>D");
    assert_eq!(debts(exchange.owed_to_payee(Payment::Transfer(0))), "0: B>C");
    assert_eq!(debts(exchange.owed_by_payer(Payment::Transfer(1))), "0: B>C");
    assert_eq!(debts(exchange.owed_to_payee(Payment::Transfer(1))), "0: A>D");
    assert_eq!(debts(exchange.owed_to_payee(Payment::Transfer(2))), "0:");
}

#[test]
fn the_legs_of_the_hub_are_one_payment() {
    check(Strategy::Hub, 6, "A>B 5, B>C 5, D>C 1", &["5: A>B B>C [HOUSE>C] [A>HOUSE]", "1: D>C [HOUSE>C] [D>HOUSE]"]);
}

#[test]
fn a_loop_says_what_it_tells() {
    let kinds = |text, strategy, decimals| explained(text, strategy, decimals).1.loops().map(|l| l.kind()).collect::<Vec<_>>();
    assert_eq!(kinds("A>B 5, B>C 5", Strategy::Direct, 6), [Kind::Path]);
    assert_eq!(kinds("A>B 5, B>C 5", Strategy::Hub, 6), [Kind::Path]);
    assert_eq!(kinds("A>B 5, B>A 5", Strategy::Direct, 6), [Kind::Circle]);
    assert_eq!(kinds("A>D 5, B>C 5", Strategy::Direct, 6), [Kind::Exchange]);
    // A pays C 1 for both: 0.4 of it because B, who pays nothing now, owes A so much from now on.
    assert_eq!(kinds("A>C 0.6, B>C 0.6", Strategy::Direct, 0), [Kind::Path, Kind::Path, Kind::Path]);
}

#[test]
fn what_is_too_small_to_be_paid_is_explained_as_a_carry() {
    let text = "A>B 5, B>C 3";
    let netting = Netting::compute(
        &crate::whiteboard::network(text),
        Terms { strategy: Strategy::Gross, digits: Scale::try_new(2).unwrap(), min_transfer: Micro::parse("4").unwrap() },
    );
    let obligations =
        (0..).zip(debts(text)).map(|(reference, (debtor, creditor, amount))| Obligation { reference, debtor, creditor, amount });
    let explanation = Explanation::try_new(obligations, &netting.unwrap()).unwrap();
    assert_eq!(explanation.loops().map(|l| told(&l)).collect::<Vec<_>>(), ["5: A>B [A>B]", "3: B>C {B>C}"]);
}

#[test]
fn bilateral_sets_off_circles_of_two_and_pays_the_difference() {
    check(Strategy::Bilateral, 6, "A>B 10, B>A 4, B>C 1", &["6: A>B [A>B]", "1: B>C [B>C]", "4: A>B B>A"]);
}

#[test]
fn conservative_pays_own_creditors_and_sets_off_circles() {
    check(Strategy::Conservative, 6, "A>B 5, B>C 7, C>A 5", &["2: B>C [B>C]", "5: A>B B>C C>A"]);
}

#[test]
fn gross_pays_every_debt_by_itself() {
    check(Strategy::Gross, 2, "A>B 10.005, B>A 4", &["10: A>B [A>B]", "4: B>A [B>A]", "0.005: A>B {A>B}"]);
}

/// A pays half a cent more than it owed; B, who pays so much less, owes it to A from now on.
#[test]
fn what_rounding_shifts_is_told_too() {
    check(
        Strategy::Direct,
        2,
        "A>D 10.005, B>D 10.005, C>D 10.005",
        &["10.005: A>D [A>D]", "10: B>D [B>D]", "10: C>D [C>D]", "0.005: C>D {C>D}", "0.005: {B>A} B>D [A>D]"],
    );
}

#[test]
fn the_obligations_of_a_pair_are_used_up_in_order() {
    let (netting, explanation) = explained("A>B 3, A>B 4, B>C 5, B>A 1, A>B 2", Strategy::Direct, 6);
    assert_eq!(netting.transfers.len(), 2);
    let parts = |payment| -> Vec<(u64, String)> {
        let loops = explanation.of_payment(payment).unwrap();
        let steps = loops.flat_map(|l| l.steps).filter_map(|step| match step {
            Step::Owed { parts, .. } => Some(parts),
            Step::Paid { .. } => None,
        });
        steps.flatten().map(|part| (part.reference, written(part.amount))).collect()
    };
    let expected = |parts: &[(u64, &str)]| parts.iter().map(|(reference, amount)| (*reference, (*amount).to_owned())).collect::<Vec<_>>();
    // Of the 9 that A owes B, the 3 that it pays B come first, then the 5 that B owes C.
    assert_eq!(parts(Payment::Transfer(1)), expected(&[(0, "3")]));
    assert_eq!(parts(Payment::Transfer(0)), expected(&[(1, "4"), (4, "1"), (2, "5")]));
}

#[test]
fn every_obligation_is_paid_carried_or_set_off() {
    let shares = |text, strategy, decimals| -> Vec<String> {
        let (_, explanation) = explained(text, strategy, decimals);
        let told = |s: Share| format!("{}: {} {} {}", s.reference, written(s.paid), written(s.carried), written(s.set_off));
        explanation.shares().into_iter().map(told).collect()
    };
    assert_eq!(shares("A>B 6, A>B 4.005, B>A 4", Strategy::Bilateral, 2), ["0: 6 0 0", "1: 0 0.005 4", "2: 0 0 4"]);
    assert_eq!(shares("B>C 7, A>B 5, C>A 5", Strategy::Conservative, 6), ["1: 0 0 5", "0: 2 0 5", "2: 0 0 5"]);
}

#[test]
fn nothing_owed_needs_no_explanation() {
    for strategy in Strategy::ALL {
        check(strategy, 6, "", &[]);
    }
}

#[test]
fn what_is_not_there_is_not_explained() {
    let (_, explanation) = explained("A>B 5", Strategy::Hub, 6);
    assert!(explanation.of_payment(Payment::Transfer(2)).is_none());
    assert!(explanation.of_payment(Payment::Carry(0)).is_none());
    assert!(explanation.of_party("C").is_none());
    assert!(explanation.of_party("HOUSE").is_none(), "the house has no position");
    assert_eq!(explanation.of_party("A").unwrap().count(), 1);
}

#[test]
fn other_obligations_do_not_explain_a_netting() {
    let netting = netted(&crate::whiteboard::network("A>B 5, B>C 5"), Strategy::Direct, 6);
    let refused = |debtor: &str, creditor: &str, units| {
        Explanation::try_new([Obligation { reference: 0, debtor, creditor, amount: Micro::new(units) }], &netting).unwrap_err()
    };
    let other = |party: &str| ExplainError::OtherObligations { party: party.to_owned() };
    assert_eq!(refused("A", "C", 5_000_000), other("B"), "the nets are the same, the obligations are not");
    assert_eq!(refused("A", "X", 1), other("X"));
    assert_eq!(refused("A", "A", 1), NetworkError::SelfDebt { party: "A".to_owned() }.into());
    assert_eq!(refused("A", "B", 0), NetworkError::AmountNotPositive { debtor: "A".to_owned(), creditor: "B".to_owned() }.into());
}

/// Names, amounts; the reference is the place.
type Debts = Vec<(String, String, i64)>;

fn any_debts(parties: u8, amount_max: i64, rows_max: usize) -> impl proptest::strategy::Strategy<Value = Debts> {
    let name = |n: u8| "P".repeat(usize::from(n % 3)) + &n.to_string();
    let debt = (0..parties, 0..parties, prop_oneof![1..=amount_max, 1..=amount_max.min(4)])
        .prop_filter("nobody owes itself", |(debtor, creditor, _)| debtor != creditor)
        .prop_map(move |(debtor, creditor, micro)| (name(debtor), name(creditor), micro));
    prop::collection::vec(debt, 0..rows_max)
}

fn any_strategy() -> impl proptest::strategy::Strategy<Value = Strategy> {
    prop::sample::select(&Strategy::ALL[..])
}

fn explanation_of(debts: &[(usize, &(String, String, i64))], strategy: Strategy, decimals: i64) -> (Netting, Explanation) {
    let network = Network::build(debts.iter().map(|(_, (a, b, micro))| (a.as_str(), b.as_str(), Micro::new(*micro)))).unwrap();
    let netting = netted(&network, strategy, decimals);
    let obligations = debts.iter().map(|(place, (debtor, creditor, micro))| Obligation {
        reference: u64::try_from(*place).unwrap(),
        debtor,
        creditor,
        amount: Micro::new(*micro),
    });
    let explanation = Explanation::try_new(obligations, &netting).unwrap();
    (netting, explanation)
}

fn ends(step: &Step) -> (&Party, &Party) {
    match step {
        Step::Owed { debtor, creditor, .. } => (debtor, creditor),
        Step::Paid { payer, payee, .. } => (payee, payer),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Every obligation and every payment is in the loops to the unit and no further, and every loop closes, through no party twice.
    #[test]
    fn the_loops_are_the_obligations_and_the_payments(
        debts in any_debts(9, 3_000_000, 40), strategy in any_strategy(), decimals in 0..=6_i64, looks_max in prop_oneof![0..60_u64, Just(LOOKS_MAX)],
    ) {
        let (netting, mut explanation) = explanation_of(&debts.iter().enumerate().collect::<Vec<_>>(), strategy, decimals);
        explanation.looks_max = looks_max;
        let mut owed: Vec<i64> = debts.iter().map(|(_, _, micro)| *micro).collect();
        let mut transfers: Vec<i64> = netting.transfers.iter().map(|t| t.amount.units()).collect();
        let mut carries: Vec<i64> = netting.carries.iter().map(|c| c.amount.units()).collect();
        for told in explanation.loops() {
            let has_debts = told.steps.iter().any(|step| matches!(step, Step::Owed { .. }));
            prop_assert!(has_debts && (told.kind() == Kind::Circle) == (told.payments().count() == 0));
            let Loop { amount, steps } = told;
            prop_assert!(amount > Micro::ZERO && steps.len() > 1);
            let begins: Vec<&Party> = steps.iter().map(|step| ends(step).0).collect();
            prop_assert!(steps.iter().zip(begins.iter().cycle().skip(1)).all(|(step, next)| ends(step).1 == *next), "{:?}", steps);
            prop_assert_eq!(begins.iter().collect::<BTreeSet<_>>().len(), steps.len());
            for step in &steps {
                match step {
                    Step::Owed { debtor, creditor, parts } => {
                        prop_assert_eq!(parts.iter().map(|p| p.amount.units()).sum::<i64>(), amount.units());
                        for part in parts {
                            let place = usize::try_from(part.reference).unwrap();
                            prop_assert!(part.amount > Micro::ZERO && debts[place].0 == debtor.as_str() && debts[place].1 == creditor.as_str());
                            owed[place] -= part.amount.units();
                        }
                    }
                    Step::Paid { payer, payee, payment: Payment::Transfer(place) } => {
                        prop_assert!(&netting.transfers[*place].payer == payer && &netting.transfers[*place].payee == payee);
                        transfers[*place] -= amount.units();
                    }
                    Step::Paid { payer, payee, payment: Payment::Carry(place) } => {
                        prop_assert!(&netting.carries[*place].debtor == payer && &netting.carries[*place].creditor == payee);
                        carries[*place] -= amount.units();
                    }
                }
            }
        }
        prop_assert!(owed.iter().chain(&transfers).chain(&carries).all(|left| *left == 0));
    }

    /// Asking for one payment gives those of all loops that have it; what its payer owed and what its payee was owed sum to it.
    #[test]
    fn a_payment_has_its_loops_and_two_sides(debts in any_debts(7, 3_000_000, 30), strategy in any_strategy(), decimals in 0..=6_i64) {
        let (netting, explanation) = explanation_of(&debts.iter().enumerate().collect::<Vec<_>>(), strategy, decimals);
        let all: Vec<Loop> = explanation.loops().collect();
        let transfers = netting.transfers.iter().map(|t| (&t.payer, &t.payee, t.amount)).enumerate();
        let carries = netting.carries.iter().map(|c| (&c.debtor, &c.creditor, c.amount)).enumerate();
        let payments = transfers.map(|(n, p)| (Payment::Transfer(n), p)).chain(carries.map(|(n, p)| (Payment::Carry(n), p)));
        for (payment, (payer, payee, amount)) in payments {
            let loops: Vec<Loop> = explanation.of_payment(payment).unwrap().collect();
            let expected: Vec<Loop> = all.iter().filter(|l| l.payments().any(|p| p == payment)).cloned().collect();
            prop_assert_eq!(&loops, &expected);
            prop_assert_eq!(loops.iter().map(|l| l.amount.units()).sum::<i64>(), amount.units());
            for l in &loops {
                let (owed, due) = (l.owed_by_payer(payment), l.owed_to_payee(payment));
                prop_assert!(owed.first().is_none_or(|step| ends(step).0 == payer));
                prop_assert!(due.last().is_none_or(|step| ends(step).1 == payee));
                prop_assert!(l.payments().count() > 1 || (owed == due && l.kind() == Kind::Path));
                let is_rounded = l.payments().any(|p| matches!(p, Payment::Carry(_)));
                let is_leg = payer.is_house() || payee.is_house();
                prop_assert!(is_rounded || is_leg || (!owed.is_empty() && !due.is_empty()), "{:?}", l);
            }
        }
        for position in &netting.positions {
            let loops: Vec<Loop> = explanation.of_party(position.party.as_str()).unwrap().collect();
            let through = |l: &&Loop| l.steps.iter().any(|step| ends(step).0 == &position.party);
            prop_assert_eq!(&loops, &all.iter().filter(through).cloned().collect::<Vec<_>>());
        }
    }

    /// Where everybody pays its own creditor, nothing but own debts explains a payment, and nothing but circles is left.
    #[test]
    fn who_pays_its_own_creditors_pays_its_own_debts(debts in any_debts(9, 3_000_000, 40), decimals in 0..=6_i64,
        strategy in prop::sample::select(vec![Strategy::Gross, Strategy::Bilateral, Strategy::Conservative])) {
        let (_, explanation) = explanation_of(&debts.iter().enumerate().collect::<Vec<_>>(), strategy, decimals);
        for l in explanation.loops() {
            prop_assert!(l.kind() == Kind::Circle || (l.kind() == Kind::Path && l.steps.len() == 2), "{:?}", l);
            prop_assert!(l.steps.len() == 2 || strategy == Strategy::Conservative || strategy == Strategy::Gross, "{:?}", l);
        }
        for (share, micro) in explanation.shares().iter().map(|s| (s, debts[usize::try_from(s.reference).unwrap()].2)) {
            prop_assert_eq!(share.paid.units() + share.carried.units() + share.set_off.units(), micro);
        }
    }

    /// The shares are those that the loops tell.
    #[test]
    fn shares_are_told_by_the_loops(debts in any_debts(7, 3_000_000, 30), strategy in any_strategy(), decimals in 0..=6_i64) {
        let (_, explanation) = explanation_of(&debts.iter().enumerate().collect::<Vec<_>>(), strategy, decimals);
        let mut told: BTreeMap<u64, [i64; 3]> = BTreeMap::new();
        for l in explanation.loops() {
            for (place, step) in l.steps.iter().enumerate() {
                let ends_in = l.steps.iter().skip(place).find_map(|step| match step {
                    Step::Paid { payment, .. } => Some(*payment),
                    Step::Owed { .. } => None,
                });
                let kind = match ends_in {
                    Some(Payment::Transfer(_)) => 0,
                    Some(Payment::Carry(_)) => 1,
                    None => 2,
                };
                if let Step::Owed { parts, .. } = step {
                    for part in parts {
                        told.entry(part.reference).or_default()[kind] += part.amount.units();
                    }
                }
            }
        }
        let shares = explanation.shares();
        prop_assert_eq!(shares.len(), told.len());
        for share in shares {
            prop_assert_eq!([share.paid, share.carried, share.set_off].map(Micro::units), told[&share.reference]);
        }
    }

    #[test]
    fn the_order_of_input_and_longer_names_change_nothing(
        (debts, shuffled) in any_debts(9, 3_000_000, 30).prop_flat_map(|d| {
            let numbered: Vec<(usize, (String, String, i64))> = d.into_iter().enumerate().collect();
            (Just(numbered.clone()), Just(numbered).prop_shuffle())
        }),
        strategy in any_strategy(), decimals in 0..=6_i64,
    ) {
        let loops = |debts: &[(usize, (String, String, i64))]| -> Vec<Loop> {
            let debts: Vec<_> = debts.iter().map(|(place, debt)| (*place, debt)).collect();
            explanation_of(&debts, strategy, decimals).1.loops().collect()
        };
        let all = loops(&debts);
        prop_assert_eq!(&loops(&shuffled), &all);
        let renamed: Vec<_> = debts.iter().map(|(place, (a, b, micro))| (*place, (format!("Ä{a}"), format!("Ä{b}"), *micro))).collect();
        let told = |l: &Loop| told(l).replace('Ä', "");
        // The house does not move with the others in the order of names; only its own name is asked for.
        prop_assert_eq!(loops(&renamed).iter().map(told).collect::<Vec<_>>(), all.iter().map(told).collect::<Vec<_>>());
    }

    /// No exchange where a path would do: what own debts leave of the first payment follows debts from payer to payee if any lead there.
    #[test]
    fn a_chain_of_debts_is_found_if_there_is_one(debts in any_debts(7, 9, 14)) {
        let (netting, explanation) = explanation_of(&debts.iter().enumerate().collect::<Vec<_>>(), Strategy::Direct, 6);
        let mut left: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for (debtor, creditor, micro) in &debts {
            *left.entry((debtor, creditor)).or_default() += micro;
        }
        let mut unpaid = Vec::new();
        for transfer in &netting.transfers {
            let own = left.entry((transfer.payer.as_str(), transfer.payee.as_str())).or_default();
            let paid = transfer.amount.units().min(*own);
            *own -= paid;
            unpaid.push(transfer.amount.units() - paid);
        }
        let Some(first) = unpaid.iter().position(|micro| *micro > 0) else { return Ok(()) };

        let Transfer { payer, payee, .. } = &netting.transfers[first];
        let mut reached = BTreeSet::from([payer.as_str()]);
        for _ in 0..debts.len() {
            let further = left.iter().filter(|((debtor, _), micro)| **micro > 0 && reached.contains(debtor)).map(|((_, creditor), _)| *creditor);
            let further: Vec<&str> = further.collect();
            reached.extend(further);
        }
        let longer = explanation.of_payment(Payment::Transfer(first)).unwrap().find(|l| l.steps.len() > 2).unwrap();
        prop_assert_eq!(longer.payments().count() == 1, reached.contains(payee.as_str()), "{:?}", longer);
    }
}
