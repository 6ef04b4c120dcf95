//! Small groups, found within a bound.
//!
//! A group is looked for from its largest balance: the others are tried from the largest down, and the last is looked up. So a balance
//! that is large meets an opposite one of nearly its size, and the small difference is what there is most of. Every size of group in turn,
//! smallest first; a group that was found stays.

use super::Balance;

/// The largest groups that are looked for.
const SIZE_MAX: usize = 5;

/// How many balances are tried in all for groups of one size. Up to some hundred balances that is every group of three and four.
const TRIES: usize = 1_000_000;

/// Some groups that sum to zero, and whoever is in none of them, in order of parties. No two of the balances are equal and opposite.
pub(super) fn found(balances: &[Balance]) -> (Vec<Vec<Balance>>, Vec<Balance>) {
    let tries = TRIES.strict_div(balances.len().max(1)).max(1);
    let mut stock = Stock::of(balances);
    let mut groups = Vec::new();
    for size in 3..=SIZE_MAX {
        for largest in (0..stock.values.len()).rev() {
            while let Some(places) = stock.find(largest, size, tries) {
                groups.push(places.into_iter().map(|place| stock.take(place)).collect());
            }
        }
        stock.values.retain(|value| !value.parties.is_empty());
    }
    (groups, stock.into_rest())
}

/// An amount, and who has it.
#[derive(Debug)]
struct Value {
    amount: i64,
    /// In reverse order, so that the last one is taken first.
    parties: Vec<u32>,
}

/// Values by their size; no two have the same.
#[derive(Debug)]
struct Stock {
    values: Vec<Value>,
}

impl Stock {
    fn of(balances: &[Balance]) -> Self {
        let mut sorted = balances.to_vec();
        sorted.sort_unstable_by_key(|balance| (balance.amount.unsigned_abs(), std::cmp::Reverse(balance.party)));
        let same = |a: &Balance, b: &Balance| a.amount == b.amount;
        let value = |run: &[Balance]| Value { amount: run[0].amount, parties: run.iter().map(|balance| balance.party).collect() };
        Self { values: sorted.chunk_by(same).map(value).collect() }
    }

    /// The places of a group of this size with none larger than the one at `largest`.
    fn find(&self, largest: usize, size: usize, mut tries: usize) -> Option<Vec<usize>> {
        let value = &self.values[largest];
        let mut group = vec![largest];
        let is_found = !value.parties.is_empty() && self.complete(&mut group, value.amount, size.strict_sub(1), &mut tries);
        is_found.then_some(group)
    }

    /// Adds as many places as are `missing` to the group, which sums to `sum`, so that it sums to zero; or leaves it as it is.
    fn complete(&self, group: &mut Vec<usize>, sum: i64, missing: usize, tries: &mut usize) -> bool {
        let up_to = group.last().copied().expect("a group begins with its largest");
        if missing == 1 {
            let place = self.values[..=up_to].binary_search_by_key(&sum.unsigned_abs(), |value| value.amount.unsigned_abs());
            let place = place.ok().filter(|place| self.values[*place].amount == sum.strict_neg() && self.is_free(*place, group));
            group.extend(place);
            return place.is_some();
        }
        for place in (0..=up_to).rev() {
            let amount = self.values[place].amount;
            let reach = u64::try_from(missing).map_or(u64::MAX, |missing| amount.unsigned_abs().saturating_mul(missing));
            if *tries == 0 || reach < sum.unsigned_abs() {
                return false;
            }
            *tries = tries.strict_sub(1);
            if self.is_free(place, group) {
                group.push(place);
                if self.complete(group, sum.strict_add(amount), missing.strict_sub(1), tries) {
                    return true;
                }
                group.pop();
            }
        }
        false
    }

    /// Whether somebody has this value who is not in the group.
    fn is_free(&self, place: usize, group: &[usize]) -> bool {
        group.iter().filter(|taken| **taken == place).count() < self.values[place].parties.len()
    }

    fn take(&mut self, place: usize) -> Balance {
        let Value { amount, parties } = &mut self.values[place];
        Balance { party: parties.pop().expect("only who is free is in a group"), amount: *amount }
    }

    fn into_rest(self) -> Vec<Balance> {
        let of = |value: Value| value.parties.into_iter().map(move |party| Balance { party, amount: value.amount });
        let mut rest: Vec<Balance> = self.values.into_iter().flat_map(of).collect();
        rest.sort_unstable_by_key(|balance| balance.party);
        rest
    }
}
