//! Queues on a whiteboard, and the largest set held against every set there is.

#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows panics, as it should")]

use super::*;
use crate::whiteboard::{debts, written};
use proptest::prelude::*;

/// `funds` reads `A 15, B 0/-20`: a balance, and a floor where it is not zero.
fn check(funds: &str, queue: &str, settles: &[usize], after: &str) {
    let amount = |text: &str| match text.strip_prefix('-') {
        Some(positive) => Micro::new(-Micro::parse(positive).unwrap().units()),
        None if text == "0" => Micro::ZERO,
        None => Micro::parse(text).unwrap(),
    };
    let funds = funds.split(", ").filter(|f| !f.is_empty()).map(|fund| {
        let (party, rest) = fund.split_once(' ').unwrap();
        let (balance, floor) = rest.split_once('/').unwrap_or((rest, "0"));
        Funds { party, balance: amount(balance), floor: amount(floor) }
    });
    let queue = debts(queue).into_iter().map(|(debtor, creditor, amount)| Queued { debtor, creditor, amount });
    let resolution = resolve(funds, queue).unwrap();
    assert_eq!(resolution.settles, settles);
    let balances: Vec<String> = resolution.balances.iter().map(|b| format!("{} {}", b.party, written(b.after))).collect();
    assert_eq!(balances.join(", "), after);
}

#[test]
fn three_settle_together_and_the_last_waits() {
    check("A 15", "A>B 30, B>C 25, C>A 20, A>C 10", &[0, 1, 2], "A 5, B 5, C 5");
}

#[test]
fn a_full_circle_settles_without_any_funds() {
    check("", "A>B 5, B>C 5, C>A 5", &[0, 1, 2], "A 0, B 0, C 0");
}

#[test]
fn what_waits_makes_others_wait() {
    check("", "A>B 5, B>C 5, C>A 4", &[], "A 0, B 0, C 0");
    check("A 1", "A>B 5, B>C 5, C>A 4", &[0, 1, 2], "A 0, B 0, C 1");
}

#[test]
fn nobody_overtakes_in_its_own_queue() {
    check("A 10", "A>B 11, A>B 1, A>C 1", &[], "A 10, B 0, C 0");
    check("A 10", "A>B 1, A>B 11, A>C 1", &[0], "A 9, B 1, C 0");
}

#[test]
fn a_cap_lets_a_balance_fall_below_zero_and_no_further() {
    check("A 0/-20", "A>B 15, A>B 5, A>B 1", &[0, 1], "A -20, B 20");
}

#[test]
fn who_is_below_its_floor_may_receive_but_not_pay() {
    check("A -5, B 3", "B>A 3, A>B 1", &[0], "A -2, B 0");
    check("A -5, B 9", "B>A 9, A>B 1", &[0, 1], "A 3, B 1");
}

#[test]
fn nothing_queued_leaves_everything_as_it_is() {
    check("A 3", "", &[], "A 3");
}

#[test]
fn a_queue_takes_only_debts_and_one_balance_of_each() {
    let fund = |units| Funds { party: "A", balance: Micro::new(units), floor: Micro::ZERO };
    let owed = |debtor, creditor, units| Queued { debtor, creditor, amount: Micro::new(units) };
    let refused = |funds: &[Funds<'static>], queue: &[Queued<'static>]| resolve(funds.to_vec(), queue.to_vec()).unwrap_err();
    let zero = NetworkError::AmountNotPositive { debtor: "A".to_owned(), creditor: "B".to_owned() };
    assert_eq!(refused(&[], &[owed("A", "B", 0)]), zero.into());
    assert_eq!(refused(&[], &[owed("A", "A", 1)]), NetworkError::SelfDebt { party: "A".to_owned() }.into());
    assert_eq!(refused(&[], &[owed("A", "B", GROSS_MAX.units()), owed("A", "B", 1)]), NetworkError::GrossTooLarge.into());
    assert_eq!(refused(&[fund(1), fund(1)], &[]), QueueError::FundsGivenTwice { party: "A".to_owned() });
    for units in [i64::MIN, i64::MAX] {
        assert_eq!(refused(&[fund(units)], &[]), QueueError::FundsTooLarge { party: "A".to_owned() });
    }
    let largest = resolve([fund(GROSS_MAX.units())], [owed("B", "A", GROSS_MAX.units())]).unwrap();
    assert_eq!(largest.waits, [0]);
}

const NAMES: [&str; 4] = ["A", "B", "C", "D"];

type Case = (Vec<(i64, i64)>, Vec<(usize, usize, i64)>);

fn any_case() -> impl Strategy<Value = Case> {
    let owed = (0..4_usize, 0..4_usize, 1..8_i64).prop_filter("nobody owes itself", |(debtor, creditor, _)| debtor != creditor);
    (prop::collection::vec((-2..6_i64, -3..=0_i64), 4), prop::collection::vec(owed, 0..8))
}

fn resolved(names: [&str; 4], (funds, queue): &Case) -> Resolution {
    let funds = names.into_iter().zip(funds).map(|(party, (balance, floor))| Funds {
        party,
        balance: Micro::new(*balance),
        floor: Micro::new(*floor),
    });
    let queue = queue.iter().map(|(debtor, creditor, amount)| Queued {
        debtor: names[*debtor],
        creditor: names[*creditor],
        amount: Micro::new(*amount),
    });
    resolve(funds, queue).unwrap()
}

/// Every choice of how far each debtor goes in its queue that can settle, as the places that settle.
fn all_that_can_settle((funds, queue): &Case) -> Vec<Vec<usize>> {
    let queues: Vec<Vec<usize>> = (0..4).map(|party| (0..queue.len()).filter(|place| queue[*place].0 == party).collect()).collect();
    let mut choices: Vec<Vec<usize>> = vec![Vec::new()];
    for queue in &queues {
        choices = choices.iter().flat_map(|chosen| (0..=queue.len()).map(move |n| [chosen, &queue[..n]].concat())).collect();
    }
    choices.retain(|chosen| {
        (0..4).all(|party| {
            let sum = |of: fn(&(usize, usize, i64)) -> usize| {
                chosen.iter().map(|place| &queue[*place]).filter(|owed| of(owed) == party).map(|owed| owed.2).sum::<i64>()
            };
            let paid = sum(|owed| owed.0);
            paid == 0 || funds[party].0 + sum(|owed| owed.1) - paid >= funds[party].1
        })
    });
    for chosen in &mut choices {
        chosen.sort_unstable();
    }
    choices
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// No other set is larger, in number or in money, and every other set is part of this one.
    #[test]
    fn every_set_that_can_settle_is_within_the_one_that_does(case in any_case()) {
        let resolution = resolved(NAMES, &case);
        let possible = all_that_can_settle(&case);
        prop_assert!(possible.contains(&resolution.settles));
        for chosen in possible {
            prop_assert!(chosen.iter().all(|place| resolution.settles.contains(place)), "{:?} and {:?}", chosen, resolution.settles);
        }
    }
}

proptest! {
    #[test]
    fn names_and_the_order_of_other_queues_change_nothing(case in any_case()) {
        let resolution = resolved(NAMES, &case);
        let renamed = resolved(["z", "É", "B", "a"], &case);
        prop_assert_eq!(&renamed.settles, &resolution.settles);

        // Sorted by debtor, with everybody's own order kept.
        let mut places: Vec<usize> = (0..case.1.len()).collect();
        places.sort_by_key(|place| case.1[*place].0);
        let sorted: Case = (case.0.clone(), places.iter().map(|place| case.1[*place]).collect());
        let resolution_sorted = resolved(NAMES, &sorted);
        let mut settles: Vec<usize> = resolution_sorted.settles.iter().map(|place| places[*place]).collect();
        settles.sort_unstable();
        prop_assert_eq!(settles, resolution.settles);
        prop_assert_eq!(resolution_sorted.balances, resolution.balances);
    }

    #[test]
    fn more_funds_settle_no_less(case in any_case(), party in 0..4_usize, more in 1..5_i64) {
        let before = resolved(NAMES, &case).settles;
        let (mut funds, queue) = case;
        funds[party].0 += more;
        let after = resolved(NAMES, &(funds, queue)).settles;
        prop_assert!(before.iter().all(|place| after.contains(place)));
    }
}
