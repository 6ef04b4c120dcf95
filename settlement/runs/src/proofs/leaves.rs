//! The leaves that batches left, made again from the obligations: the base that every seal stands on.
//!
//! Shape: obligations and leaves come in one order, batch by batch, and walk side by side; memory is that of one tree.

use super::note;
use crate::seals::{BatchLeaf, Batches, Obligation, Obligations, Sums, Version};
use jiff::Timestamp;
use ledger::proofs::Proof;
use ledger::{Fault, Tx};
use scrip::WindowId;
use std::collections::VecDeque;

/// Which batch: the key of its leaf.
type Key = (WindowId, Timestamp, i16);

/// Holds every leaf against the obligations of its batch, in open windows too.
pub(super) async fn prove(tx: &Tx<'_>) -> Result<Proof, Fault> {
    let mut leaves = Leaves { portal: Batches::all(tx).await?, waiting: VecDeque::new(), violations: Vec::new() };
    let obligations = Obligations::all(tx).await?;
    let mut open: Option<(Key, Sums)> = None;
    while let Some(rows) = obligations.next(tx).await? {
        for Obligation { window, writer, leaf } in rows {
            let key = (window, leaf.booked_at, writer);
            let mut sums = match open.take() {
                Some((batch, sums)) if batch == key => sums,
                Some((batch, sums)) => {
                    leaves.meet(tx, batch, sums).await?;
                    Sums::default()
                }
                None => Sums::default(),
            };
            sums.add(leaf.hash(), 1, leaf.amount)?;
            open = Some((key, sums));
        }
    }
    if let Some((batch, sums)) = open {
        leaves.meet(tx, batch, sums).await?;
    }
    Ok(Proof { name: "every batch of obligations has its leaf, and every leaf its batch", violations: leaves.finish(tx).await? })
}

/// The stored leaves, in order of their keys.
struct Leaves {
    portal: Batches,
    waiting: VecDeque<(Key, BatchLeaf)>,
    violations: Vec<String>,
}

impl Leaves {
    /// Holds the leaf of a batch against what its obligations come to. Leaves before it have no obligations.
    async fn meet(&mut self, tx: &Tx<'_>, batch: Key, sums: Sums) -> Result<(), Fault> {
        while let Some((orphan, _leaf)) = self.next_if(tx, |key| key < batch).await? {
            self.note(orphan, "has a leaf and no obligations");
        }
        let expected = sums.contents(Version::Obligations);
        match self.next_if(tx, |key| key == batch).await? {
            None => self.note(batch, "has obligations and no leaf"),
            Some((_key, leaf))
                if (leaf.obligation_count, leaf.gross, leaf.root) != (expected.obligation_count, expected.gross, expected.root) =>
            {
                self.note(batch, "has another leaf than its obligations make");
            }
            Some(_) => (),
        }
        Ok(())
    }

    /// The next leaf, if its key is wanted.
    async fn next_if(&mut self, tx: &Tx<'_>, wanted: impl Fn(Key) -> bool) -> Result<Option<(Key, BatchLeaf)>, Fault> {
        if self.waiting.is_empty() {
            let leaves = self.portal.next(tx).await?.unwrap_or_default();
            self.waiting.extend(leaves.into_iter().map(|(window, leaf)| ((window, leaf.booked_at, leaf.writer), leaf)));
        }
        Ok(self.waiting.pop_front_if(|(key, _leaf)| wanted(*key)))
    }

    async fn finish(mut self, tx: &Tx<'_>) -> Result<Vec<String>, Fault> {
        while let Some((orphan, _leaf)) = self.next_if(tx, |_key| true).await? {
            self.note(orphan, "has a leaf and no obligations");
        }
        Ok(self.violations)
    }

    fn note(&mut self, (window, booked_at, writer): Key, what: &str) {
        note(&mut self.violations, format!("window {window}: the batch of writer {writer} at {booked_at} {what}"));
    }
}
