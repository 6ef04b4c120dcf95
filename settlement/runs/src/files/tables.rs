//! transfers.csv and positions.csv: the whole run, for the operator.

use super::amounts::{exact, paid};
use super::shelf::{OpenFile, Shelf};
use super::{CSV, POSITIONS, TRANSFERS, store};
use crate::csv_text::{push_row, safe_cell};
use crate::ids::reference;
use crate::scheme::Scheme;
use ledger::Fault;
use scrip::{Micro, RunId};

/// Payer and payee are columns, so no amount has a sign. Amounts have the currency's decimals: this is what is paid.
pub(super) async fn write_transfers(shelf: &mut Shelf<'_>, scheme: &Scheme) -> Result<(), Fault> {
    let mut file = OpenFile::new(TRANSFERS.to_owned(), None, CSV);
    push_row(
        &mut file.text,
        ["number", "reference", "payer", "payee", "amount", "currency", "payee_account_holder", "payee_iban", "payee_bic"],
    );
    let rows = store::read_transfers(shelf.tx, shelf.run).await?;
    while let Some(transfers) = rows.next(shelf.tx, store::to_transfer_line).await? {
        for t in transfers {
            let cells = transfer_cells(shelf.run, t.number, &t.payer, &t.payee, paid(t.amount, scheme.digits), &scheme.currency);
            let [number, reference, payer, payee, amount, currency] = &cells;
            // The only text that somebody typed freely.
            let holder = safe_cell(&t.account_holder);
            push_row(&mut file.text, [number, reference, payer, payee, amount, currency, holder.as_ref(), &t.iban, &t.bic]);
        }
        shelf.keep(&mut file).await?;
    }
    shelf.close(file).await
}

/// The cells of a transfer that follow from the run; those about the payee's bank come after them.
pub(crate) fn transfer_cells(run: RunId, number: i64, payer: &str, payee: &str, amount: String, currency: &str) -> [String; 6] {
    [number.to_string(), reference(run, number), payer.to_owned(), payee.to_owned(), amount, currency.to_owned()]
}

/// Amounts have all six decimals: what rounding takes off stands in the carry.
pub(super) async fn write_positions(shelf: &mut Shelf<'_>, scheme: &Scheme) -> Result<(), Fault> {
    let mut file = OpenFile::new(POSITIONS.to_owned(), None, CSV);
    push_positions_header(&mut file.text);
    let rows = store::read_positions(shelf.tx, shelf.run).await?;
    while let Some(positions) = rows.next(shelf.tx, store::to_position_line).await? {
        for p in positions {
            push_position(&mut file.text, &p.vendor, [p.owed, p.owes, p.net, p.settled, p.carry], &scheme.currency);
        }
        shelf.keep(&mut file).await?;
    }
    shelf.close(file).await
}

pub(crate) fn push_positions_header(text: &mut Vec<u8>) {
    push_row(text, ["vendor", "owed", "owes", "net", "settled", "carry", "currency"]);
}

/// The row of a vendor that is owed, owes, nets, settles and carries so much.
pub(crate) fn push_position(text: &mut Vec<u8>, vendor: &str, figures: [Micro; 5], currency: &str) {
    let [owed, owes, net, settled, carry] = figures.map(exact);
    push_row(text, [vendor, &owed, &owes, &net, &settled, &carry, currency]);
}
