//! What vendors owe and are owed over everything unsettled: what caps are held against.
//!
//! Every obligation counts from the tx that writes it until its window is released, which is when the window's run is settled: whole, and
//! not transfer by transfer, so that nobody owes more than it may while money is still on its way. Once a run has netted it, a vendor counts as what
//! the run's transfers are to move for it, which is the same but for what the run carries; and from the export on two vendors count as the
//! transfers between them, because that is what they then owe each other. What a run carries, and what has failed and is owed again, counts once:
//! where it is owed now, and no longer in the run.
//!
//! So whoever lets a run's transfers be paid, rolls one, or carries, changes terms, and what is owed again is written under the scheme's window
//! lock held exclusively: no batch counts it in one place as it was and in the other as it is.
//!
//! In windows that no run has netted, the sums are those of `positions`, which are proven equal to the obligations. People are shown these. A batch
//! cannot add up one for each counterparty of each of its vendors, so those with a net debit cap have running sums of their own in `exposures`, written in the tx that
//! writes the obligation, read under lock, and proven equal to the positions. What one vendor owes one other is one position for each writer.

pub(crate) mod store;

use crate::{Fault, TermsChange, Tx};
use jiff::Timestamp;
use scrip::posting::{ExposureKey, Exposures};
use scrip::{Micro, VendorId, WindowId};
pub(crate) use store::STATEMENTS;

/// What these owe and are owed. As whoever the tx is: a vendor sees its own part, which is all of what it owes and is owed.
pub async fn read_exposures(tx: &Tx<'_>, keys: impl IntoIterator<Item = ExposureKey>) -> Result<Exposures, Fault> {
    store::read(tx, keys).await
}

/// Sets the vendor's net debit cap, or takes it away, and begins or ends to sum up what it owes. The caller holds its scheme's window lock
/// exclusively, so that no batch is under way that knows nothing of it.
pub async fn set_debit_cap(tx: &TermsChange<'_, '_>, vendor: VendorId, cap: Option<Micro>, at: Timestamp) -> Result<(), Fault> {
    store::upsert_debit_cap(tx, vendor, cap, at).await?;
    store::forget(tx, vendor).await?;
    match cap {
        Some(_) => store::track(tx, vendor).await,
        None => Ok(()),
    }
}

/// Makes one sum a vendor of those of all writers, in the tx that closes the window: from then on they stay as they are.
pub async fn merge_exposures(tx: &Tx<'_>, window: WindowId) -> Result<(), Fault> {
    store::merge(tx, window).await
}

/// What the window held is settled: from the commit on it counts in no exposure, of whichever process. Says whether it counted until now.
///
/// It is a change of terms, because what closed windows hold is remembered like terms. A window that is open is a fault.
pub async fn release_window(tx: &TermsChange<'_, '_>, window: WindowId) -> Result<bool, Fault> {
    store::release(tx, window).await
}
