//! transfers.csv and positions.csv: the whole run, for the operator.

use super::amounts::{exact, paid};
use super::bank::Accounts;
use super::shelf::{OpenFile, Shelf};
use super::{CSV, POSITIONS, TRANSFERS, store};
use crate::csv_text::{push_row, safe_cell};
use crate::ids::reference;
use crate::scheme::Scheme;
use ledger::Fault;

/// Payer and payee are columns, so no amount has a sign. Amounts have the currency's decimals: this is what is paid.
pub(super) async fn write_transfers(shelf: &mut Shelf<'_>, scheme: &Scheme, accounts: &Accounts) -> Result<(), Fault> {
    let mut file = OpenFile::new(TRANSFERS.to_owned(), None, CSV);
    push_row(
        &mut file.text,
        ["number", "reference", "payer", "payee", "amount", "currency", "payee_account_holder", "payee_iban", "payee_bic"],
    );
    let rows = store::read_transfers(shelf.tx, shelf.run).await?;
    while let Some(transfers) = rows.next(shelf.tx, store::to_transfer_line).await? {
        for t in transfers {
            let (number, reference, amount) = (t.number.to_string(), reference(shelf.run, t.number), paid(t.amount, scheme.digits));
            let account = accounts.of(&t.payee);
            // The only text that somebody typed freely.
            let holder = safe_cell(account.map_or("", |account| &account.holder));
            let (iban, bic) = account.map_or(("", ""), |account| (&account.iban, account.bic.as_deref().unwrap_or_default()));
            push_row(
                &mut file.text,
                [&number, &reference, &t.payer.code, &t.payee.code, &amount, &scheme.currency, holder.as_ref(), iban, bic],
            );
        }
        shelf.keep(&mut file).await?;
    }
    shelf.close(file).await
}

/// Amounts have all six decimals: what rounding takes off stands in the carry.
pub(super) async fn write_positions(shelf: &mut Shelf<'_>, scheme: &Scheme) -> Result<(), Fault> {
    let mut file = OpenFile::new(POSITIONS.to_owned(), None, CSV);
    push_row(&mut file.text, ["vendor", "owed", "owes", "net", "settled", "carry", "currency"]);
    let rows = store::read_positions(shelf.tx, shelf.run).await?;
    while let Some(positions) = rows.next(shelf.tx, store::to_position_line).await? {
        for p in positions {
            let [owed, owes, net, settled, carry] = [p.owed, p.owes, p.net, p.settled, p.carry].map(exact);
            push_row(&mut file.text, [&p.vendor, &owed, &owes, &net, &settled, &carry, &scheme.currency]);
        }
        shelf.keep(&mut file).await?;
    }
    shelf.close(file).await
}
