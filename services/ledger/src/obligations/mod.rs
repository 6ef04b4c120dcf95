//! Obligations: how they are written, whoever writes them, and the leaves that make them tamper-evident.
//!
//! Shape: the posting engine writes those of swaps, [`record`] those that come from elsewhere: imported ones, what a run carries
//! into the next window, transfers that failed and are owed again, and what took the place of others. Both go through `store`: the rows, their running sums and their [`leaves`] in the same tx.

pub mod leaves;
pub(crate) mod store;

use crate::{Fault, Tx, new_id};
use jiff::Timestamp;
use scrip::{Micro, OperationId, Tokens, VendorId, WindowId};
pub use store::STATEMENTS;
use uuid::Uuid;

/// One vendor owes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewObligation {
    /// Who owes.
    pub debtor: VendorId,
    /// Who is owed.
    pub creditor: VendorId,
    /// How much; at least one micro-unit.
    pub amount: Micro,
}

/// Where an obligation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A swap.
    Swap,
    /// The house's fee of a swap.
    Fee,
    /// Something that was taken back: a swap, what a voided run had carried over, what was rightly disputed.
    Reversal,
    /// Left owed by an earlier run.
    Carry,
    /// Read from a file.
    Import,
    /// A transfer of an earlier run that failed.
    Rolled,
    /// What took the place of failed transfers, by the rule of the scheme.
    Default,
}

impl Source {
    const ALL: [Self; 7] = [Self::Swap, Self::Fee, Self::Reversal, Self::Carry, Self::Import, Self::Rolled, Self::Default];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Swap => "swap",
            Self::Fee => "fee",
            Self::Reversal => "reversal",
            Self::Carry => "carry",
            Self::Import => "import",
            Self::Rolled => "rolled",
            Self::Default => "default",
        }
    }

    /// The source that is stored under this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }

    /// The source within a leaf; the numbers never change.
    fn byte(self) -> u8 {
        match self {
            Self::Swap => 1,
            Self::Fee => 2,
            Self::Reversal => 3,
            Self::Carry => 4,
            Self::Import => 5,
            Self::Rolled => 6,
            Self::Default => 7,
        }
    }
}

/// The constraint that a batch breaks when another one with its writer number has written into the window in the same microsecond.
/// Nothing of it was kept, and it will succeed when it is tried again.
pub const LEAF_KEY: &str = "window_leaves_pkey";

/// Who writes obligations beside the posting engines, whose numbers are 0 and above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorder {
    /// An import of a file.
    Import,
    /// A run that carries over what it leaves owed.
    Run,
    /// What a voided run had carried over, or a vendor rightly disputed, is taken back.
    Reversal,
    /// A transfer that failed and is owed again.
    Roll,
    /// A vendor that has not paid, and the rule of its scheme.
    Default,
}

impl Recorder {
    /// Its writer number. (-3 is whatever was written before there were leaves, -4 what closed windows add to issuances.)
    fn writer(self) -> i16 {
        match self {
            Self::Import => -1,
            Self::Run => -2,
            Self::Reversal => -5,
            Self::Roll => -6,
            Self::Default => -7,
        }
    }

    fn source(self) -> Source {
        match self {
            Self::Import => Source::Import,
            Self::Run => Source::Carry,
            Self::Reversal => Source::Reversal,
            Self::Roll => Source::Rolled,
            Self::Default => Source::Default,
        }
    }
}

/// Writes the obligations into the window, with their positions and their leaf. The caller holds the scheme's window lock, and does
/// this once in its tx.
pub async fn record(
    tx: &Tx<'_>,
    window: WindowId,
    recorder: Recorder,
    operation: OperationId,
    booked_at: Timestamp,
    obligations: &[NewObligation],
) -> Result<(), Fault> {
    let origin = store::Origin { writer: recorder.writer(), source: recorder.source(), booked_at };
    let rows: Vec<store::Row> = obligations
        .iter()
        .map(|o| store::Row {
            user: Uuid::nil(),
            id: new_id(),
            window,
            debtor: o.debtor,
            creditor: o.creditor,
            amount: o.amount,
            send: Tokens::ZERO,
            receive: Tokens::ZERO,
            operation,
        })
        .collect();
    for step in store::insert_obligations(origin, &rows, |_vendor| true)? {
        step.execute(tx).await?;
    }
    Ok(())
}
