//! What vendors owe and are owed over everything unsettled: what caps are held against.
//!
//! Every obligation counts from the tx that writes it until its window is released, which is when the window's run is settled: whole, and
//! not transfer by transfer, so that nobody owes more than it may while money is still on its way. But what a run carries, and what has failed
//! and is owed again, counts once: where it is owed now, and no longer in the run's windows.
//!
//! The sums are those of `positions`, which are proven equal to the obligations. People are shown these. A batch cannot add up one for each
//! counterparty of each of its vendors, so those with a net debit cap have running sums of their own in `exposures`, written in the tx that
//! writes the obligation, read under lock, and proven equal to the positions. What one vendor owes one other is one position for each writer.

pub(crate) mod store;

use crate::obligations::NewObligation;
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

/// These debts of a closed window are owed in a later one from the commit on, as they are or in another shape, and count only there.
///
/// The caller holds the scheme's window lock exclusively, so that no batch counts them in one place as they were and in the other as they are.
pub async fn move_debts(tx: &TermsChange<'_, '_>, from: WindowId, debts: &[NewObligation]) -> Result<(), Fault> {
    store::move_on(tx, from, debts).await
}

/// Whatever has moved on from the window counts there again: it is owed back elsewhere. Under the same lock.
pub async fn move_debts_back(tx: &TermsChange<'_, '_>, to: WindowId) -> Result<(), Fault> {
    store::forget_moved(tx, to).await
}
