//! One run, ready to be explained: its obligations with what they come from, and its netting made again.

use super::{Level, Origin, store};
use crate::files;
use crate::renetting::{NettedFrom, is_result};
use crate::runs::{Run, widen};
use ledger::{Fault, Tx};
use netting::explain::{Explanation, Obligation};
use netting::{Netting, Network, Terms};
use scrip::{Micro, VendorId};
use std::collections::HashMap;

/// An obligation, or all obligations of one vendor to another as one sum; vendors by number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) debtor: usize,
    pub(super) creditor: usize,
    pub(super) amount: Micro,
    /// None of a sum.
    pub(super) origin: Option<Origin>,
}

/// What is stored of a run.
pub(super) struct Case {
    run: Run,
    level: Level,
    /// The vendors' codes, in byte order.
    codes: Vec<String>,
    /// In the order in which they were booked.
    items: Vec<Item>,
    from: NettedFrom,
}

/// A run whose netting has been made again and is the one that was stored.
pub(super) struct Explained {
    pub(super) run: Run,
    pub(super) level: Level,
    pub(super) codes: Vec<String>,
    pub(super) items: Vec<Item>,
    pub(super) netting: Netting,
    /// An item's reference is its place.
    pub(super) explanation: Explanation,
}

impl Case {
    /// Reads at most so many obligations, some 60 bytes each, or the sums of the pairs.
    pub(super) async fn read(tx: &Tx<'_>, run: Run, obligations_max: i64) -> Result<Self, Fault> {
        widen(tx).await?;
        let from = NettedFrom::read(tx, run.id).await?;
        let (vendors, codes): (Vec<VendorId>, Vec<String>) = store::list_parties(tx, run.id).await?.into_iter().unzip();
        let (level, items) = if run.obligation_count <= obligations_max {
            (Level::Obligations, read_obligations(tx, &run, &vendors).await?)
        } else {
            (Level::Pairs, sums(&from, &codes)?)
        };
        Ok(Self { run, level, codes, items, from })
    }

    /// Takes seconds where there is much to explain.
    pub(super) fn explain(self) -> Result<Explained, Fault> {
        let Self { run, level, codes, items, from } = self;
        let (_, netting) = net_again(&run, &from)?;
        // Its text is in the way of what comes now.
        drop(from);
        let obligations = (0_u64..).zip(&items).map(|(reference, item)| Obligation {
            reference,
            debtor: &codes[item.debtor],
            creditor: &codes[item.creditor],
            amount: item.amount,
        });
        let explanation = Explanation::try_new(obligations, &netting).map_err(|e| unreadable(&run, &e.to_string()))?;
        Ok(Explained { run, level, codes, items, netting, explanation })
    }
}

impl Explained {
    /// What the explanation refers to.
    ///
    /// # Panics
    /// For a reference that the explanation was not given.
    pub(super) fn item(&self, reference: u64) -> &Item {
        usize::try_from(reference).ok().and_then(|place| self.items.get(place)).expect("a reference is the place of an item")
    }

    /// The number of the vendor with this code, if it has a position.
    pub(super) fn find_party(&self, code: &str) -> Option<usize> {
        self.codes.binary_search_by(|known| known.as_str().cmp(code)).ok()
    }
}

/// The run's debts and its netting; a fault where that is not the netting that was stored.
pub(super) fn net_again(run: &Run, from: &NettedFrom) -> Result<(Network, Netting), Fault> {
    let terms = Terms { strategy: run.strategy, digits: run.digits, min_transfer: run.min_transfer };
    let (network, netting) = from.net_again(terms).map_err(|e| unreadable(run, &e.to_string()))?;
    if is_result(&netting, &run.input_hash, &run.output_hash) {
        Ok((network, netting))
    } else {
        Err(unreadable(run, "netting its obligations again gives another result"))
    }
}

fn unreadable(run: &Run, what: &str) -> Fault {
    Fault::Unreadable(format!("run {}: {what}", run.id))
}

async fn read_obligations(tx: &Tx<'_>, run: &Run, vendors: &[VendorId]) -> Result<Vec<Item>, Fault> {
    let numbers: HashMap<VendorId, usize> = vendors.iter().copied().zip(0..).collect();
    let number =
        |vendor: VendorId| numbers.get(&vendor).copied().ok_or_else(|| unreadable(run, &format!("vendor {vendor} has no position")));
    let mut items = Vec::with_capacity(usize::try_from(run.obligation_count).unwrap_or_default());
    for window in store::list_windows(tx, run.id).await? {
        let mut obligations = files::read_obligations(tx, window).await?;
        while let Some(obligation) = obligations.next().await? {
            let (debtor, creditor) = (number(obligation.debtor)?, number(obligation.creditor)?);
            let origin = Origin { obligation: obligation.id, source: obligation.source, operation: obligation.operation };
            items.push(Item { debtor, creditor, amount: obligation.amount, origin: Some(origin) });
        }
    }
    Ok(items)
}

fn sums(from: &NettedFrom, codes: &[String]) -> Result<Vec<Item>, Fault> {
    let number = |code: &String| codes.binary_search(code).map_err(|_| Fault::Unreadable(format!("vendor {code} has no position")));
    let item = |(debtor, creditor, amount): &(String, String, Micro)| {
        Ok(Item { debtor: number(debtor)?, creditor: number(creditor)?, amount: *amount, origin: None })
    };
    from.debts.iter().map(item).collect()
}
