//! Groups of balances that sum to zero: as many as there are.
//!
//! A group of k balances is settled among itself by k - 1 transfers, so whoever finds most groups needs fewest transfers. To find most is
//! NP-hard (subset sum is a part of it).
//!
//! Shape: first two that are equal and opposite, which costs no other group: were each of the two in a group of its own, what is left of
//! the two groups would sum to zero too. What then remains is solved exactly if it is small (`exact`); else small groups are searched for
//! within a bound (`search`), and exactly among the rest if that is small by then. Order of parties breaks ties.

mod exact;
mod search;

/// The most balances that are solved exactly: 2^20 sets of them, nine bytes each.
const EXACT_MAX: usize = 20;

/// One party's balance, not zero, in any unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Balance {
    pub(crate) party: u32,
    pub(crate) amount: i64,
}

/// Balances in groups.
#[derive(Debug)]
pub(crate) struct Groups {
    /// Each sums to zero. A group that was not searched to its end may hold smaller ones.
    pub(crate) groups: Vec<Vec<Balance>>,
    /// No way of grouping has more.
    pub(crate) at_most: usize,
}

/// Groups the balances that are not zero; together they sum to zero. In order of each group's first party.
///
/// Takes some 10^7 steps and 9 MiB where at most twenty balances are left of the pairs, at most some 10^8 steps otherwise, besides sorting.
pub(crate) fn grouped(balances: &[i64]) -> Groups {
    let (mut groups, rest) = pairs(balances);
    let payers = rest.iter().filter(|balance| balance.amount < 0).count();
    let at_most = if rest.len() <= EXACT_MAX {
        groups.extend(exact::grouped(&rest));
        groups.len()
    } else {
        // No two of the rest make a group, and each group has somebody who pays and somebody who is paid.
        let at_most = groups.len().strict_add(rest.len().strict_div(3).min(payers).min(rest.len().strict_sub(payers)));
        let (found, rest) = search::found(&rest);
        groups.extend(found);
        groups.extend(if rest.len() <= EXACT_MAX { exact::grouped(&rest) } else { vec![rest] });
        at_most
    };
    groups.sort_unstable_by_key(|group| group.iter().map(|balance| balance.party).min());
    Groups { groups, at_most }
}

/// Two and two that are equal and opposite; and the rest, in order of parties.
fn pairs(balances: &[i64]) -> (Vec<Vec<Balance>>, Vec<Balance>) {
    let all = (0_u32..).zip(balances).map(|(party, amount)| Balance { party, amount: *amount });
    let (mut payers, mut payees): (Vec<_>, Vec<_>) = all.filter(|balance| balance.amount != 0).partition(|balance| balance.amount < 0);
    let order = |balance: &Balance| (balance.amount.unsigned_abs(), balance.party);
    payers.sort_unstable_by_key(order);
    payees.sort_unstable_by_key(order);

    let (mut groups, mut rest) = (Vec::new(), Vec::new());
    let (mut payers, mut payees) = (payers.into_iter().peekable(), payees.into_iter().peekable());
    while let (Some(payer), Some(payee)) = (payers.peek(), payees.peek()) {
        match payer.amount.strict_add(payee.amount) {
            0 => groups.push(payers.next().into_iter().chain(payees.next()).collect()),
            1.. => rest.extend(payers.next()),
            _ => rest.extend(payees.next()),
        }
    }
    rest.extend(payers.chain(payees));
    rest.sort_unstable_by_key(|balance| balance.party);
    (groups, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The groups as their amounts.
    fn amounts(balances: &[i64]) -> Vec<Vec<i64>> {
        grouped(balances).groups.iter().map(|group| group.iter().map(|balance| balance.amount).collect()).collect()
    }

    #[test]
    fn equal_and_opposite_balances_are_a_group() {
        assert_eq!(amounts(&[5, -3, 0, 3, -5, 5, -5]), [[-5, 5], [-3, 3], [-5, 5]]);
    }

    #[test]
    fn most_groups_are_found_where_the_largest_first_would_find_one() {
        assert_eq!(amounts(&[-10, -3, -3, 6, 5, 5]), [[-10, 5, 5], [-3, -3, 6]]);
    }

    #[test]
    fn what_does_not_split_is_one_group() {
        assert_eq!(amounts(&[-7, 4, 2, 1]), [[-7, 4, 2, 1]]);
        assert_eq!(amounts(&[]), Vec::<Vec<i64>>::new());
    }

    /// Thirty balances of which no three but those that belong together sum to zero: more than are solved exactly.
    #[test]
    fn groups_of_three_are_found_among_more_than_are_solved_exactly() {
        let balances: Vec<i64> = (0..10_u32).flat_map(|n| [7_i64.pow(n) + 40_000_000_000 * i64::from(n), 7_i64.pow(n) * 3]).collect();
        let balances: Vec<i64> = balances.chunks(2).flat_map(|two| [two[0], two[1], -two[0] - two[1]]).collect();
        let Groups { groups, at_most } = grouped(&balances);
        assert_eq!((groups.len(), at_most), (10, 10));
        assert!(groups.iter().all(|group| group.len() == 3 && group.iter().map(|b| b.amount).sum::<i64>() == 0));
    }

    /// Every group found by searching is one, nobody is in two, and nobody is left out.
    #[test]
    fn every_balance_is_in_one_group() {
        let mut balances: Vec<i64> = (1..400).map(|n: i64| (n * n * 7919 % 100_003 - 50_000) * 3 + n % 3).filter(|n| *n != 0).collect();
        balances.push(-balances.iter().sum::<i64>());
        let Groups { groups, at_most } = grouped(&balances);
        assert!(groups.len() > 50 && groups.len() <= at_most, "{}", groups.len());
        assert!(groups.iter().all(|group| group.iter().map(|b| b.amount).sum::<i64>() == 0));
        let mut parties: Vec<u32> = groups.iter().flatten().map(|b| b.party).collect();
        parties.sort_unstable();
        assert!(parties.into_iter().eq(0..u32::try_from(balances.len()).unwrap()));
    }
}
