//! Every strategy side by side.

use super::*;
use crate::{Alternative, Figures, LargestPayer, WhatIf};

fn what_if(debts: &Network) -> WhatIf {
    WhatIf::compute(debts, digits(2), Micro::ZERO).unwrap()
}

/// As `strategy transfers total largest-payer pays largest-transfer`.
fn line(alternative: &Alternative) -> String {
    let whole = |amount: Micro| amount.display_at_least(digits(0));
    let figures = match &alternative.figures {
        Err(refusal) => return format!("{} {refusal:?}", alternative.strategy),
        Ok(figures) => figures,
    };
    let payer = figures.largest_payer.as_ref().map_or("-".to_owned(), |LargestPayer { party, pays }| format!("{party} {}", whole(*pays)));
    format!("{} {} {} {payer} {}", alternative.strategy, figures.transfers, whole(figures.total), whole(figures.largest_transfer))
}

#[test]
fn strategies_stand_side_by_side() {
    let compared = what_if(&network("A>B 60, B>A 10, A>C 40, B>C 70, C>D 50, D>A 20"));
    let top = [compared.gross, compared.bilateral, compared.conservative, compared.net].map(|amount| amount.units() / 1_000_000);
    assert_eq!((compared.obligations, compared.parties, top), (6, 4, [250, 230, 150, 90]));
    assert_eq!(
        compared.alternatives.iter().map(line).collect::<Vec<_>>(),
        [
            "gross 6 250 A 100 70",
            "bilateral 5 230 A 90 70",
            "conservative 4 150 A 70 50",
            "direct 3 90 A 70 60",
            "fewest 3 90 A 70 60",
            "hub 4 180 A 70 70",
        ]
    );
}

#[test]
fn a_strategy_that_refuses_says_so_in_its_place() {
    let compared = what_if(&network("A>HOUSE 5, HOUSE>B 9"));
    let lines: Vec<String> = compared.alternatives.iter().map(line).collect();
    assert_eq!((&*lines[0], &*lines[5]), ("gross 2 14 HOUSE 9 9", "hub HouseIsParty"));
}

#[test]
fn of_equal_payers_the_first_by_name_is_the_largest() {
    assert_eq!(line(&what_if(&network("B>C 5, A>C 5")).alternatives[0]), "gross 2 10 A 5 5");
}

#[test]
fn nothing_owed_has_no_largest_payer() {
    for alternative in what_if(&network("")).alternatives {
        assert_eq!(line(&alternative), format!("{} 0 0 - 0", alternative.strategy));
    }
}

#[test]
fn a_minimum_below_zero_is_refused_for_all() {
    assert_eq!(WhatIf::compute(&network("A>B 1"), digits(2), Micro::new(-1)), Err(NettingError::MinTransferNegative));
}

proptest! {
    #[test]
    fn figures_are_those_of_the_netting_itself(debts in any_debts(3_000_000, 40), decimals in 0..=6_i64, minimum in 0..2_000_000_i64) {
        let (network, min_transfer) = (built(&debts), Micro::new(minimum));
        let compared = WhatIf::compute(&network, digits(decimals), min_transfer).unwrap();
        prop_assert_eq!(compared.alternatives.iter().map(|a| a.strategy).collect::<Vec<_>>(), Strategy::ALL);
        for Alternative { strategy, figures } in compared.alternatives {
            let netting = Netting::compute(&network, Terms { strategy, digits: digits(decimals), min_transfer }).unwrap();
            let Figures { transfers, total, remaining, set_off, carried, largest_payer, largest_transfer, optimal, transfers_needed } = figures.unwrap();
            prop_assert_eq!((transfers, total, remaining, set_off), (netting.transfers.len(), netting.total, netting.remaining, netting.set_off));
            prop_assert_eq!((carried, optimal, transfers_needed), (netting.carried(), netting.optimal, netting.transfers_needed));
            prop_assert!(largest_payer.map(|payer| payer.pays).unwrap_or_default() >= netting.positions.iter().map(|p| -p.settled.units()).max().map_or(Micro::ZERO, Micro::new).max(Micro::ZERO));
            prop_assert!(netting.transfers.iter().all(|t| t.amount <= largest_transfer));
        }
    }
}
