//! How many tokens each vendor has issued and retired.
//!
//! What is issued to users is added to `issuances`. What swaps issue and retire is summed in the positions of the open windows, which
//! change with every swap anyway, and added to `issuances` when a window closes. The view `token_totals` is the sum of both.

pub(crate) mod store;

use crate::{Fault, Tx};
use scrip::WindowId;
pub(crate) use store::STATEMENTS;

/// Adds what the swaps of the window issued and retired, in the tx that closes it: from then on its positions do not count any more.
pub async fn add_closed_window(tx: &Tx<'_>, window: WindowId) -> Result<(), Fault> {
    store::add_window(tx, window).await
}
