//! Seals: what makes a closed window tamper-evident.
//!
//! Shape: every batch left a leaf over the obligations that it wrote ([`ledger::obligations::leaves`]); [`find_or_seal_window`] makes the
//! window's root from its leaves and chains it to the seal of the window before. A window of millions of obligations is sealed by
//! some thousands of leaves, which `verify` makes again from the obligations. Pure but for `store`.

mod store;

use jiff::Timestamp;
use ledger::obligations::leaves::Tree;
pub use ledger::obligations::leaves::{BatchLeaf, Hash, Leaf};
use ledger::{Fault, Tx};
use scrip::{Micro, SchemeId, WindowId};
use sha2::{Digest, Sha256};
pub use store::STATEMENTS;
pub(crate) use store::{Batches, Obligation, Obligations, find, to_hash, to_seal};
use store::{find_previous, insert};

/// What the first window of a scheme is chained to.
pub const FIRST: Hash = [0; 32];

/// What the root of a seal is made from; the numbers are stored and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 1: the window's obligations, in order of their ids. Made by the first release.
    Obligations,
    /// 2: the window's leaves, in order of their keys.
    Leaves,
}

impl Version {
    pub(crate) fn number(self) -> i16 {
        match self {
            Self::Obligations => 1,
            Self::Leaves => 2,
        }
    }

    pub(crate) fn parse(number: i16) -> Option<Self> {
        [Self::Obligations, Self::Leaves].into_iter().find(|version| version.number() == number)
    }
}

/// What a seal says of a window, summed while its tree was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) version: Version,
    pub(crate) obligation_count: i64,
    pub(crate) gross: Micro,
    pub(crate) root: Hash,
}

/// The seal of a closed window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// What the root is made from.
    pub version: Version,
    /// How many obligations the window holds.
    pub obligation_count: i64,
    /// Their sum.
    pub gross: Micro,
    /// The root of the hash tree over them.
    pub root: Hash,
    /// The root chained to the seal of the window before.
    pub seal: Hash,
}

/// SHA-256 over the seal before, the window's id and number, and its contents.
pub(crate) fn seal(previous: &Hash, window: WindowId, number: i64, contents: Contents) -> Seal {
    let Contents { version, obligation_count, gross, root } = contents;
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(window.uuid().as_bytes());
    hasher.update(number.to_be_bytes());
    hasher.update(obligation_count.to_be_bytes());
    hasher.update(gross.units().to_be_bytes());
    hasher.update(root);
    Seal { version, obligation_count, gross, root, seal: hasher.finalize().into() }
}

/// The sums of a window and its tree, while they are made.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    tree: Tree,
    obligation_count: i64,
    gross: i64,
}

impl Sums {
    pub(crate) fn add(&mut self, leaf: Hash, obligation_count: i64, gross: Micro) -> Result<(), Fault> {
        self.tree.push(leaf);
        self.obligation_count = self.obligation_count.checked_add(obligation_count).ok_or(Fault::PositionTooLarge)?;
        self.gross = self.gross.checked_add(gross.units()).ok_or(Fault::PositionTooLarge)?;
        Ok(())
    }

    pub(crate) fn obligation_count(&self) -> i64 {
        self.obligation_count
    }

    pub(crate) fn contents(self, version: Version) -> Contents {
        let Self { tree, obligation_count, gross } = self;
        Contents { version, obligation_count, gross: Micro::new(gross), root: tree.root() }
    }
}

/// What a window comes to, read the way in which its seal was made.
pub(crate) async fn read_contents(tx: &Tx<'_>, window: WindowId, version: Version) -> Result<Contents, Fault> {
    let mut sums = Sums::default();
    match version {
        Version::Leaves => {
            let leaves = Batches::of_window(tx, window).await?;
            while let Some(batches) = leaves.next(tx).await? {
                batches.iter().try_for_each(|(_window, batch)| sums.add(batch.hash(), batch.obligation_count, batch.gross))?;
            }
        }
        Version::Obligations => {
            let obligations = Obligations::of_window(tx, window).await?;
            while let Some(rows) = obligations.next(tx).await? {
                rows.iter().try_for_each(|row| sums.add(row.leaf.hash(), 1, row.leaf.amount))?;
            }
        }
    }
    Ok(sums.contents(version))
}

/// The seal of a closed window, which is made now unless an earlier run, voided since, has made it. The window before is sealed already.
pub(crate) async fn find_or_seal_window(
    tx: &Tx<'_>,
    scheme: SchemeId,
    window: WindowId,
    number: i64,
    at: Timestamp,
) -> Result<Seal, Fault> {
    if let Some(sealed) = find(tx, window).await? {
        return Ok(sealed);
    }
    let previous = match number {
        1 => FIRST,
        _later => {
            find_previous(tx, scheme, number).await?.ok_or_else(|| Fault::Unreadable(format!("window {number} follows an unsealed one")))?
        }
    };
    let contents = read_contents(tx, window, Version::Leaves).await?;
    let sealed = seal(&previous, window, number, contents);
    insert(tx, scheme, window, number, &sealed, at).await?;
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_seal_depends_on_all_that_it_covers() {
        let contents = Contents { version: Version::Leaves, obligation_count: 2, gross: Micro::new(7), root: [9; 32] };
        let window = WindowId::new(Uuid::from_u128(1));
        let original = seal(&FIRST, window, 1, contents).seal;
        let others = [
            seal(&[1; 32], window, 1, contents),
            seal(&FIRST, WindowId::new(Uuid::from_u128(2)), 1, contents),
            seal(&FIRST, window, 2, contents),
            seal(&FIRST, window, 1, Contents { obligation_count: 3, ..contents }),
            seal(&FIRST, window, 1, Contents { gross: Micro::new(8), ..contents }),
            seal(&FIRST, window, 1, Contents { root: [8; 32], ..contents }),
        ];
        assert!(others.iter().all(|other| other.seal != original));
    }

    #[test]
    fn versions_keep_their_numbers() {
        assert_eq!([Version::Obligations, Version::Leaves].map(Version::number), [1, 2]);
        assert_eq!([0, 1, 2, 3].map(Version::parse), [None, Some(Version::Obligations), Some(Version::Leaves), None]);
    }
}
