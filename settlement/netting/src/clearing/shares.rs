//! `collateral_then_loss_share`: a defaulter's collateral pays first, and those who were to be paid share what is missing then.
//!
//! Everybody else pays and is paid its position. A defaulter that is to be paid on balance owes nothing, so nothing fails with it: it is paid,
//! and bears its share of what others do not pay. The loss is never more than what is to be paid out, so nobody ends up paying.

use super::Failing;
use std::cmp::Reverse;

/// By party number: payers pay in full or, if they fail, what their collateral covers; payees get their nets less their shares of the loss.
pub(super) fn outcome(nets: &[i64], failing: &Failing) -> Vec<i64> {
    let mut outcome = nets.to_vec();
    let mut loss = 0_i64;
    for (position, collateral) in outcome.iter_mut().zip(&failing.collateral) {
        if let Some(collateral) = collateral
            && *position < 0
        {
            let paid = position.strict_neg().min(*collateral);
            loss = loss.strict_add(position.strict_neg().strict_sub(paid));
            *position = paid.strict_neg();
        }
    }
    let to_receive: Vec<i64> = nets.iter().map(|net| (*net).max(0)).collect();
    for (position, share) in outcome.iter_mut().zip(shared(loss, &to_receive)) {
        *position = position.strict_sub(share);
    }
    outcome
}

/// `total` in proportion to `weights`, in whole numbers, by largest remainder (ties by place): the shares sum to the total, and as long as
/// the total is not more than the weights sum to, no share is more than its weight.
pub(super) fn shared(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum = weights.iter().fold(0_i128, |sum, weight| sum.strict_add(i128::from(*weight)));
    if total == 0 {
        return vec![0; weights.len()];
    }
    // Both are at most half of what 64 bits hold, so the product fits.
    let product = |weight: &i64| i128::from(total).strict_mul(i128::from(*weight));
    let whole = |share: i128| i64::try_from(share).expect("a share is at most the total");
    let mut shares: Vec<i64> = weights.iter().map(|weight| whole(product(weight).strict_div(sum))).collect();
    let mut remainders: Vec<(Reverse<i128>, usize)> =
        weights.iter().map(|weight| Reverse(product(weight).strict_rem(sum))).zip(0..).filter(|(Reverse(rest), _)| *rest > 0).collect();
    remainders.sort_unstable();
    let missing = shares.iter().fold(total, |missing, share| missing.strict_sub(*share));
    let missing = usize::try_from(missing).expect("fewer units are missing than there are remainders");
    for (_, place) in remainders.into_iter().take(missing) {
        shares[place] = shares[place].strict_add(1);
    }
    shares
}
