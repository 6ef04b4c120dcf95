//! Obligations that come from elsewhere than a swap: imported ones, and what a run carries into the next window.
//!
//! They are written as the posting engine writes its own: the rows by binary COPY, their running sums in the same tx.

pub(crate) mod store;

use crate::{Fault, Tx, new_id};
use jiff::Timestamp;
use scrip::{Micro, OperationId, VendorId, WindowId};
use std::collections::BTreeMap;
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

/// Where an obligation without a swap comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Rounded away by an earlier run.
    Carry,
    /// Read from a file.
    Import,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Carry => "carry",
            Self::Import => "import",
        }
    }
}

/// The writer number of everything that is not a posting engine.
const WRITER: i16 = -1;

/// Writes the obligations into the window, with their positions. The caller holds the scheme's window lock.
pub async fn record(
    tx: &Tx<'_>,
    window: WindowId,
    source: Source,
    operation: OperationId,
    booked_at: Timestamp,
    obligations: &[NewObligation],
) -> Result<(), Fault> {
    let mut sums = BTreeMap::new();
    for NewObligation { debtor, creditor, amount } in obligations {
        let sum: &mut store::PairSum = sums.entry((window, *debtor, *creditor)).or_default();
        sum.add(*amount);
    }
    let rows = obligations.iter().map(|o| store::Row {
        user: Uuid::nil(),
        id: new_id(),
        window,
        debtor: o.debtor,
        creditor: o.creditor,
        amount: o.amount,
        source: source.as_str(),
        operation,
        booked_at,
    });
    store::insert_obligations(tx, rows).await?;
    store::add_positions(tx, WRITER, &sums).await
}
