//! transfers-without-account.csv: what somebody has to pay by other means, or after asking for bank details.

use super::store::{self, Accounts};
use crate::csv_text::push_row;
use crate::files::amounts::paid;
use crate::files::shelf::{OpenFile, Shelf};
use crate::files::store::to_transfer_line;
use crate::files::{CSV, WITHOUT_ACCOUNT};
use crate::ids::reference;
use crate::scheme::Scheme;
use ledger::Fault;

/// `missing` says whose bank details: the payer's, the payee's, or both.
pub(super) async fn write(shelf: &mut Shelf<'_>, scheme: &Scheme, accounts: &Accounts) -> Result<(), Fault> {
    let mut file = OpenFile::new(WITHOUT_ACCOUNT.to_owned(), None, CSV);
    push_row(&mut file.text, ["number", "reference", "payer", "payee", "amount", "currency", "missing"]);
    let rows = store::read_without_account(shelf.tx, shelf.run, accounts).await?;
    while let Some(transfers) = rows.next(shelf.tx, to_transfer_line).await? {
        for t in transfers {
            let (number, reference, amount) = (t.number.to_string(), reference(shelf.run, t.number), paid(t.amount, scheme.digits));
            let missing = match (accounts.of(&t.payer), accounts.of(&t.payee)) {
                (None, None) => "both",
                (None, Some(_)) => "payer",
                (Some(_), _) => "payee",
            };
            push_row(&mut file.text, [&number, &reference, &t.payer.code, &t.payee.code, &amount, &scheme.currency, missing]);
        }
        shelf.keep(&mut file).await?;
    }
    shelf.close(file).await
}
