//! The most groups there are, by a table over all sets of the balances.
//!
//! Put the balances of a set into a row: whenever those so far sum to zero, a group ends. The best row of a set is the best row of the set
//! without its last balance, and one group more if the whole sums to zero; the last may be any of them. So the table is filled from small
//! sets to large ones, O(2^n n).

use super::Balance;

/// The groups of at most [`super::EXACT_MAX`] balances, which sum to zero. No other way of grouping has more.
pub(super) fn grouped(balances: &[Balance]) -> Vec<Vec<Balance>> {
    let sets = 1_usize.strict_shl(u32::try_from(balances.len()).expect("at most twenty balances"));
    let mut sums = vec![0_i64; sets];
    let mut most = vec![0_u8; sets];
    for set in 1..sets {
        let sum = sums[set & set.strict_sub(1)].strict_add(first(balances, set).amount);
        sums[set] = sum;
        most[set] = singles(set).map(|single| most[set ^ single]).max().unwrap_or_default().strict_add(u8::from(sum == 0));
    }

    let mut groups = Vec::new();
    let mut set = sets.strict_sub(1);
    while set != 0 {
        assert!(sums[set] == 0, "what is left of balances that sum to zero, less groups that do, sums to zero");
        let mut group = Vec::new();
        let mut wanted = most[set].strict_sub(1);
        loop {
            let single = singles(set).find(|single| most[set ^ single] == wanted).expect("the table was filled from one of them");
            group.push(first(balances, single));
            set ^= single;
            if sums[set] == 0 {
                break;
            }
            wanted = most[set];
        }
        groups.push(group);
    }
    groups
}

/// The set's first balance.
fn first(balances: &[Balance], set: usize) -> Balance {
    balances[usize::try_from(set.trailing_zeros()).expect("a set has few members")]
}

/// The sets of one that a set consists of, in order.
fn singles(set: usize) -> impl Iterator<Item = usize> {
    let mut left = set;
    std::iter::from_fn(move || {
        let single = left & left.wrapping_neg();
        left ^= single;
        (single != 0).then_some(single)
    })
}
