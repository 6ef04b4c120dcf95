//! The fewest transfers: on the whiteboard, against every way of grouping, and where there are too many to be sure.

use super::*;

/// Nets as debts: payers owe `Z`, `Z` owes payees, and comes to nothing itself.
fn of_nets(nets: &[i64]) -> Network {
    let names: Vec<String> = (0..nets.len()).map(|n| format!("P{n:03}")).collect();
    let debt = |(name, net): (&'_ String, &i64)| match net.signum() {
        -1 => Some((name.clone(), "Z".to_owned(), Micro::new(-net))),
        1 => Some(("Z".to_owned(), name.clone(), Micro::new(*net))),
        _ => None,
    };
    built(&names.iter().zip(nets).filter_map(debt).collect::<Vec<_>>())
}

fn fewest(nets: &[i64]) -> Netting {
    Netting::compute(&of_nets(nets), terms(Strategy::Fewest, 6)).unwrap()
}

fn direct(nets: &[i64]) -> Netting {
    Netting::compute(&of_nets(nets), terms(Strategy::Direct, 6)).unwrap()
}

#[test]
fn whoever_can_settle_among_themselves_does() {
    let debts = "A>X 6, A>Y 4, B>Y 1, B>Z 2, C>Z 3";
    check(Strategy::Direct, debts, debts);
    check(Strategy::Fewest, debts, "A>Y 5, A>Z 5, B>X 3, C>X 3");
}

#[test]
fn where_direct_takes_no_more_its_transfers_are_made() {
    let debts = "A>X 3, B>X 2, B>Y 6, C>Z 1";
    check(Strategy::Fewest, debts, "B>Y 6, B>X 2, A>X 3, C>Z 1");
}

#[test]
fn positions_are_rounded_before_they_are_grouped() {
    let debts = "A>X 6.001, A>Y 4.002, B>Y 0.999, B>Z 2.001, C>Z 3";
    check_rounded(Strategy::Fewest, 2, debts, "A>Y 5, A>Z 5, B>X 3, C>X 3", "A>X 0.001, A>Y 0.001, A>Z 0.001");
}

/// As many as are solved exactly, none of which are equal and opposite: ten groups would need pairs, and six of three are planted.
#[test]
fn twenty_nets_are_solved_exactly() {
    let nets =
        [-1_000, 400, 600, -2_000, 900, 1_100, -3_010, 3_000, 10, -4_000, 3_980, 20, -5_007, 5_000, 7, -6_001, 2_000 - 1, 4_002, -77, 77];
    let netting = fewest(&nets);
    assert_eq!((netting.transfers.len(), netting.optimal, netting.transfers_needed), (13, true, Some(13)));
    assert!(direct(&nets).transfers.len() > 13);
}

/// Forty triples: each group is found, and as no group can be smaller it is known that there are no more of them.
#[test]
fn many_small_groups_are_found_and_known_to_be_all() {
    let nets: Vec<i64> = (0..40_i64).flat_map(|n| [-(10_000 + 701 * n * n), 9_000 + 701 * n * n - n, 1_000 + n]).collect();
    let netting = fewest(&nets);
    assert_eq!((netting.transfers.len(), netting.optimal), (80, true));
    assert_eq!(direct(&nets).transfers.len(), 119);
}

#[test]
fn what_is_not_known_to_be_fewest_says_so() {
    let mut nets: Vec<i64> = (1..=60_i64).map(|n| if n % 2 == 0 { 3_i64.pow(u32::try_from(n / 2).unwrap()) } else { -n }).collect();
    nets.push(-nets.iter().sum::<i64>());
    let netting = fewest(&nets);
    let needed = netting.transfers_needed.unwrap();
    assert!(!netting.optimal && needed < netting.transfers.len(), "{needed}");
    assert!(netting.transfers.len() <= direct(&nets).transfers.len());
}

/// The most groups that sum to zero, by trying every way of putting one net after another into a group.
fn most_groups(nets: &[i64], sums: &mut Vec<i64>) -> usize {
    let Some((net, nets)) = nets.split_first() else {
        return if sums.iter().all(|sum| *sum == 0) { sums.len() } else { 0 };
    };
    let mut most = 0;
    for group in 0..sums.len() {
        sums[group] += net;
        most = most.max(most_groups(nets, sums));
        sums[group] -= net;
    }
    sums.push(*net);
    most = most.max(most_groups(nets, sums));
    sums.pop();
    most
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn no_grouping_takes_fewer_transfers(mut nets in prop::collection::vec(-6..=6_i64, 0..6)) {
        nets.push(-nets.iter().sum::<i64>());
        let netting = fewest(&nets);
        nets.retain(|net| *net != 0);
        prop_assert_eq!(netting.transfers.len(), nets.len() - most_groups(&nets, &mut Vec::new()));
        prop_assert!(netting.optimal);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn more_than_can_be_solved_exactly_take_no_more_transfers_than_direct(mut nets in prop::collection::vec(-3_000..=3_000_i64, 24..90)) {
        nets.push(-nets.iter().sum::<i64>());
        let (netting, direct) = (fewest(&nets), direct(&nets));
        prop_assert!(netting.transfers.len() <= direct.transfers.len());
        prop_assert!(netting.transfers_needed.unwrap() <= netting.transfers.len());
        prop_assert_eq!(netting.optimal, netting.transfers_needed == Some(netting.transfers.len()));
        prop_assert_eq!(netting.total, direct.total);
    }
}
