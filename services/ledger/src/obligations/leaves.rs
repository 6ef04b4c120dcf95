//! The hashes that make obligations tamper-evident. Pure: the ledger makes them while it posts, `verify` makes them again.
//!
//! Shape: an obligation is hashed into a [`Leaf`]; a [`Tree`] over the leaves of one batch gives the batch's root, which is stored
//! with its sums as a [`BatchLeaf`]; the tree over those is what seals a window. Both trees are that of RFC 6962. Leaves, nodes and
//! batches are hashed under different first bytes, so that none can be passed off as another.

use super::Source;
use jiff::Timestamp;
use scrip::{Micro, OperationId, VendorId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A SHA-256.
pub type Hash = [u8; 32];

const OBLIGATION: u8 = 0x00;
const NODE: u8 = 0x01;
const BATCH: u8 = 0x02;

/// An obligation as its leaf covers it: everything that is stored of it, the window and the writer apart.
#[derive(Debug, Clone, Copy)]
pub struct Leaf {
    /// The swap's payer; nil where there is none.
    pub user: Uuid,
    /// Its id.
    pub id: Uuid,
    /// Who owes.
    pub debtor: VendorId,
    /// Who is owed.
    pub creditor: VendorId,
    /// How much.
    pub amount: Micro,
    /// Where it comes from.
    pub source: Source,
    /// What it comes from.
    pub operation: OperationId,
    /// When it was booked.
    pub booked_at: Timestamp,
}

impl Leaf {
    /// SHA-256 over 0x00 and the fields, each of a fixed length, whole numbers with the highest byte first.
    pub fn hash(&self) -> Hash {
        let mut text = Fixed::<98>::begin(OBLIGATION);
        text.put(self.id.as_bytes());
        text.put(self.user.as_bytes());
        text.put(self.debtor.uuid().as_bytes());
        text.put(self.creditor.uuid().as_bytes());
        text.put(&self.amount.units().to_be_bytes());
        text.put(&[self.source.byte()]);
        text.put(self.operation.uuid().as_bytes());
        text.put(&self.booked_at.as_microsecond().to_be_bytes());
        text.hash()
    }
}

/// What one batch left in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLeaf {
    /// When its obligations were booked.
    pub booked_at: Timestamp,
    /// Who wrote them.
    pub writer: i16,
    /// How many there are.
    pub obligation_count: i64,
    /// Their sum.
    pub gross: Micro,
    /// The root of the tree over their leaves, in order of their ids.
    pub root: Hash,
}

impl BatchLeaf {
    /// SHA-256 over 0x02 and the fields, each of a fixed length, whole numbers with the highest byte first.
    pub fn hash(&self) -> Hash {
        let Self { booked_at, writer, obligation_count, gross, root } = self;
        let mut text = Fixed::<59>::begin(BATCH);
        text.put(&booked_at.as_microsecond().to_be_bytes());
        text.put(&writer.to_be_bytes());
        text.put(&obligation_count.to_be_bytes());
        text.put(&gross.units().to_be_bytes());
        text.put(root);
        text.hash()
    }
}

/// A hash tree that grows leaf by leaf; it keeps only the roots of its complete subtrees, the largest first.
#[derive(Debug, Default)]
pub struct Tree {
    roots: Vec<Hash>,
    leaf_count: u64,
}

impl Tree {
    /// Adds a leaf on the right.
    pub fn push(&mut self, leaf: Hash) {
        // As in adding one to a binary number: each trailing 1 is a complete subtree that the new one joins.
        let mut joined = leaf;
        for _ in 0..self.leaf_count.trailing_ones() {
            let Some(left) = self.roots.pop() else { break };
            joined = node(&left, &joined);
        }
        self.roots.push(joined);
        self.leaf_count = self.leaf_count.saturating_add(1);
    }

    /// The root; that of no leaves is the hash of nothing.
    #[must_use]
    pub fn root(mut self) -> Hash {
        let Some(mut root) = self.roots.pop() else { return Sha256::digest([]).into() };
        while let Some(left) = self.roots.pop() {
            root = node(&left, &root);
        }
        root
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut text = Fixed::<65>::begin(NODE);
    text.put(left);
    text.put(right);
    text.hash()
}

/// The bytes that are hashed, on the stack: one call of the hash per leaf or node.
struct Fixed<const LENGTH: usize> {
    bytes: [u8; LENGTH],
    filled: usize,
}

impl<const LENGTH: usize> Fixed<LENGTH> {
    fn begin(domain: u8) -> Self {
        let mut text = Self { bytes: [0; LENGTH], filled: 0 };
        text.put(&[domain]);
        text
    }

    fn put(&mut self, field: &[u8]) {
        let end = self.filled.saturating_add(field.len());
        if let Some(place) = self.bytes.get_mut(self.filled..end) {
            place.copy_from_slice(field);
        }
        self.filled = end;
    }

    fn hash(self) -> Hash {
        assert!(self.filled == LENGTH, "the fields have their fixed lengths");
        Sha256::digest(self.bytes).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let grown: String = grown(&hashed[..count]).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(grown, root, "{count} leaves");
        }
    }

    #[test]
    fn a_changed_leaf_changes_the_root() {
        for count in 1..=40 {
            for at in 0..usize::from(count) {
                let honest = leaves(count);
                let mut forged = honest.clone();
                forged[at] = [0xff; 32];
                assert_ne!(grown(&honest), grown(&forged), "leaf {at} of {count}");
            }
        }
    }

    #[test]
    fn a_leaf_covers_every_field_of_its_obligation() {
        let id = |n| Uuid::from_u128(n);
        let original = Leaf {
            user: id(1),
            id: id(2),
            debtor: VendorId::new(id(3)),
            creditor: VendorId::new(id(4)),
            amount: Micro::new(5),
            source: Source::Swap,
            operation: OperationId::new(id(6)),
            booked_at: Timestamp::UNIX_EPOCH,
        };
        let others = [
            Leaf { user: id(9), ..original },
            Leaf { id: id(9), ..original },
            Leaf { debtor: VendorId::new(id(9)), ..original },
            Leaf { creditor: VendorId::new(id(9)), ..original },
            Leaf { amount: Micro::new(9), ..original },
            Leaf { source: Source::Import, ..original },
            Leaf { operation: OperationId::new(id(9)), ..original },
            Leaf { booked_at: Timestamp::from_microsecond(9).unwrap(), ..original },
        ];
        assert!(others.iter().all(|other| other.hash() != original.hash()));
    }

    #[test]
    fn a_batch_covers_every_field_of_its_leaf() {
        let original = BatchLeaf { booked_at: Timestamp::UNIX_EPOCH, writer: 0, obligation_count: 1, gross: Micro::new(2), root: [3; 32] };
        let others = [
            BatchLeaf { booked_at: Timestamp::from_microsecond(9).unwrap(), ..original },
            BatchLeaf { writer: -1, ..original },
            BatchLeaf { obligation_count: 9, ..original },
            BatchLeaf { gross: Micro::new(9), ..original },
            BatchLeaf { root: [9; 32], ..original },
        ];
        assert!(others.iter().all(|other| other.hash() != original.hash()));
    }
}
