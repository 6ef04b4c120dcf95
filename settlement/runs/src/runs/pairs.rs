//! What the vendors of a window owe each other, proven: one pass over its obligations, held against all that was summed up
//! while they were posted. Nothing may be settled on sums that are not the obligations'.

use super::{NettedWindow, store};
use crate::seals::Seal;
use ledger::{Fault, Tx};
use store::Pair;

/// The sums of the window's obligations by debtor and creditor, equal to its positions and to its total.
pub(super) async fn prove(tx: &Tx<'_>, window: &NettedWindow) -> Result<Vec<Pair>, Fault> {
    let pairs = store::list_pairs(tx, window.id).await?;
    if let Some(pair) = pairs.iter().find(|pair| (pair.amount, pair.count) != (pair.position_amount, pair.position_count)) {
        let Pair { debtor, creditor, amount, count, position_amount, position_count, .. } = pair;
        return Err(violation(
            window,
            &format!(
                "the positions are not the obligations: {debtor} owes {creditor} {} in {count} obligations, the position says {} in {position_count}",
                amount.units(),
                position_amount.units(),
            ),
        ));
    }
    let (gross, total) = (sum(&pairs).1, store::read_total(tx, window.id).await?);
    if gross != i128::from(total.units()) {
        return Err(violation(window, &format!("its obligations sum to {gross}, its total says {}", total.units())));
    }
    Ok(pairs)
}

/// The leaves under the seal must come to as many obligations and as much as the pairs do.
pub(super) fn prove_seal(pairs: &[Pair], seal: &Seal, window: &NettedWindow) -> Result<(), Fault> {
    let (count, gross) = sum(pairs);
    if (count, gross) == (i128::from(seal.obligation_count), i128::from(seal.gross.units())) {
        return Ok(());
    }
    let (leaf_count, leaf_gross) = (seal.obligation_count, seal.gross.units());
    Err(violation(window, &format!("the leaves are not the obligations: {leaf_gross} in {leaf_count}, not {gross} in {count}")))
}

/// How many obligations, and how much.
fn sum(pairs: &[Pair]) -> (i128, i128) {
    let count = pairs.iter().map(|pair| i128::from(pair.count)).sum();
    let gross = pairs.iter().map(|pair| i128::from(pair.amount.units())).sum();
    (count, gross)
}

fn violation(window: &NettedWindow, what: &str) -> Fault {
    Fault::Unreadable(format!("window {}: {what}", window.number))
}
