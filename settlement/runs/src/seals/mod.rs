//! Seals: what makes a closed window tamper-evident.
//!
//! Shape: [`Tree`] is fed the window's obligations in order of their ids and keeps one hash per level, so a window of any size
//! costs a few hundred bytes; [`seal`] chains its root to the seal of the window before. Pure but for `store`, which streams the
//! obligations. The tree is that of RFC 6962: leaves and nodes are hashed under different first bytes, so that no node can be
//! passed off as a leaf.

mod store;

use jiff::Timestamp;
use ledger::{Fault, Tx};
use scrip::{Micro, OperationId, SchemeId, VendorId, WindowId};
use sha2::{Digest, Sha256};
pub use store::STATEMENTS;
pub(crate) use store::{find, to_hash};
use store::{find_previous, insert};
use uuid::Uuid;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What the first window of a scheme is chained to.
pub const FIRST: Hash = [0; 32];

/// An obligation as the seal covers it: everything that is stored of it, the window apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaf {
    pub(crate) user: Uuid,
    pub(crate) id: Uuid,
    pub(crate) debtor: VendorId,
    pub(crate) creditor: VendorId,
    pub(crate) amount: Micro,
    pub(crate) source: LeafSource,
    pub(crate) operation: OperationId,
    pub(crate) booked_at: Timestamp,
}

/// Where an obligation comes from, as one byte of its leaf; the numbers never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafSource {
    Swap = 1,
    Fee = 2,
    Reversal = 3,
    Carry = 4,
    Import = 5,
}

impl LeafSource {
    fn byte(self) -> u8 {
        match self {
            Self::Swap => 1,
            Self::Fee => 2,
            Self::Reversal => 3,
            Self::Carry => 4,
            Self::Import => 5,
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [("swap", Self::Swap), ("fee", Self::Fee), ("reversal", Self::Reversal), ("carry", Self::Carry), ("import", Self::Import)]
            .into_iter()
            .find_map(|(name, source)| (name == text).then_some(source))
    }
}

impl Leaf {
    /// SHA-256 over 0x00 and the fields, each of a fixed length, whole numbers with the highest byte first.
    fn hash(&self) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update([0x00]);
        hasher.update(self.id.as_bytes());
        hasher.update(self.user.as_bytes());
        hasher.update(self.debtor.uuid().as_bytes());
        hasher.update(self.creditor.uuid().as_bytes());
        hasher.update(self.amount.units().to_be_bytes());
        hasher.update([self.source.byte()]);
        hasher.update(self.operation.uuid().as_bytes());
        hasher.update(self.booked_at.as_microsecond().to_be_bytes());
        hasher.finalize().into()
    }
}

/// A hash tree that grows leaf by leaf; it keeps only the roots of its complete subtrees, the largest first.
#[derive(Debug, Default)]
struct Tree {
    roots: Vec<Hash>,
    leaf_count: u64,
}

impl Tree {
    fn push(&mut self, leaf: Hash) {
        // As in adding one to a binary number: each trailing 1 is a complete subtree that the new one joins.
        let mut joined = leaf;
        for _ in 0..self.leaf_count.trailing_ones() {
            let Some(left) = self.roots.pop() else { break };
            joined = node(&left, &joined);
        }
        self.roots.push(joined);
        self.leaf_count = self.leaf_count.saturating_add(1);
    }

    fn root(mut self) -> Hash {
        let Some(mut root) = self.roots.pop() else { return Sha256::digest([]).into() };
        while let Some(left) = self.roots.pop() {
            root = node(&left, &root);
        }
        root
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// What a seal says of a window, summed while its tree was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) obligation_count: i64,
    pub(crate) gross: Micro,
    pub(crate) root: Hash,
}

/// The seal of a closed window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
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
    let Contents { obligation_count, gross, root } = contents;
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(window.uuid().as_bytes());
    hasher.update(number.to_be_bytes());
    hasher.update(obligation_count.to_be_bytes());
    hasher.update(gross.units().to_be_bytes());
    hasher.update(root);
    Seal { obligation_count, gross, root, seal: hasher.finalize().into() }
}

/// Reads the window's obligations once, in order of their ids, and says what they come to.
pub(crate) async fn read_contents(tx: &Tx<'_>, window: WindowId, mut progress: impl FnMut(i64)) -> Result<Contents, Fault> {
    let mut tree = Tree::default();
    let mut gross = 0_i64;
    let mut obligation_count = 0_i64;
    let mut leaves = store::read_leaves(tx, window).await?;
    while let Some(batch) = leaves.next(tx).await? {
        for leaf in batch {
            tree.push(leaf.hash());
            gross = gross.checked_add(leaf.amount.units()).ok_or(Fault::PositionTooLarge)?;
            obligation_count = obligation_count.saturating_add(1);
        }
        progress(obligation_count);
    }
    Ok(Contents { obligation_count, gross: Micro::new(gross), root: tree.root() })
}

/// Seals a closed window, the window before it being sealed already.
pub(crate) async fn seal_window(
    tx: &Tx<'_>,
    scheme: SchemeId,
    window: WindowId,
    number: i64,
    at: Timestamp,
    progress: impl FnMut(i64),
) -> Result<Seal, Fault> {
    let previous = match number {
        1 => FIRST,
        _later => {
            find_previous(tx, scheme, number).await?.ok_or_else(|| Fault::Unreadable(format!("window {number} follows an unsealed one")))?
        }
    };
    let contents = read_contents(tx, window, progress).await?;
    let sealed = seal(&previous, window, number, contents);
    insert(tx, scheme, window, number, &sealed, at).await?;
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 6962, section 2.1, word for word.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _more => {
                let split = leaves.len().next_power_of_two() / 2;
                node(&naive(&leaves[..split]), &naive(&leaves[split..]))
            }
        }
    }

    fn grown(leaves: &[Hash]) -> Hash {
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        tree.root()
    }

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|i| Sha256::digest([0x00, i]).into()).collect()
    }

    #[test]
    fn the_tree_that_grows_is_the_tree_of_the_definition() {
        for count in 0..=130 {
            assert_eq!(grown(&leaves(count)), naive(&leaves(count)), "{count} leaves");
        }
    }

    #[test]
    fn known_roots() {
        // The test vectors of the certificate transparency reference implementation: its first three leaves.
        let inputs: [&[u8]; 3] = [b"", &[0x00], &[0x10]];
        let hashed: Vec<Hash> = inputs.iter().map(|data| Sha256::digest([&[0x00], *data].concat()).into()).collect();
        let table = [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        ];
        for (count, root) in table {
            assert_eq!(hex::encode(grown(&hashed[..count])), root, "{count} leaves");
        }
    }

    #[test]
    fn a_seal_depends_on_all_that_it_covers() {
        let contents = Contents { obligation_count: 2, gross: Micro::new(7), root: [9; 32] };
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

    proptest! {
        #[test]
        fn a_changed_leaf_changes_the_root(count in 1_u8..100, at in any::<prop::sample::Index>()) {
            let honest = leaves(count);
            let mut forged = honest.clone();
            forged[at.index(usize::from(count))] = [0xff; 32];
            prop_assert_ne!(grown(&honest), grown(&forged));
        }
    }
}
