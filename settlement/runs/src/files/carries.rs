//! What the run leaves owed, by pair: carries.csv.

use super::amounts::exact;
use super::shelf::{OpenFile, Shelf};
use super::{CARRIES, CSV};
use crate::csv_text::push_row;
use ledger::Fault;
use netting::Carry;

/// So many rows at a time are handed to the shelf.
const ROWS: usize = 1_000;

/// One row per debtor and creditor, in the order of the run's carries; no file where nothing is left.
pub(super) async fn write(shelf: &mut Shelf<'_>, carries: &[Carry]) -> Result<(), Fault> {
    if carries.is_empty() {
        return Ok(());
    }
    let mut file = OpenFile::new(CARRIES.to_owned(), None, CSV);
    push_row(&mut file.text, ["debtor", "creditor", "amount"]);
    for rows in carries.chunks(ROWS) {
        for Carry { debtor, creditor, amount } in rows {
            push_row(&mut file.text, [debtor.as_str(), creditor.as_str(), &exact(*amount)]);
        }
        shelf.keep(&mut file).await?;
    }
    shelf.close(file).await
}
