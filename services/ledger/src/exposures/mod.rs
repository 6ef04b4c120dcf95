//! What vendors owe and are owed over everything unsettled: what caps are held against.
//!
//! Every obligation counts from the tx that writes it until its window is released, which is when the window's run is settled: whole, and
//! not transfer by transfer, so that nobody owes more than it may while money is still on its way. The sums are those of `positions`,
//! which are proven equal to the obligations.
//!
//! The posting engine reads them for its own batches, under locks; what is read here is for people to see, and may have changed since.

pub(crate) mod store;

use crate::{Fault, TermsChange, Tx};
use scrip::WindowId;
use scrip::posting::{ExposureKey, Exposures};
pub(crate) use store::STATEMENTS;

/// What these owe and are owed. As whoever the tx is: a vendor sees its own part, which is all of what it owes and is owed.
pub async fn read_exposures(tx: &Tx<'_>, keys: impl IntoIterator<Item = ExposureKey>) -> Result<Exposures, Fault> {
    store::read(tx, keys).await
}

/// What the window held is settled: from the commit on it counts in no exposure, of whichever process. Says whether it counted until now.
///
/// It is a change of terms, because what closed windows hold is remembered like terms. A window that is open is a fault.
pub async fn release_window(tx: &TermsChange<'_, '_>, window: WindowId) -> Result<bool, Fault> {
    store::release(tx, window).await
}
