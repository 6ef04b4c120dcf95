//! Transfers and positions, the whole run, for the operator; each as CSV, as CSV for Excel, and as a sheet of settlement.xlsx.

use super::amounts::{exact, paid};
use super::bank::Accounts;
use super::shelf::{OpenFile, Shelf};
use super::workbook::{Book, Column, Sheets};
use super::{CSV, POSITIONS, POSITIONS_EXCEL, TRANSFERS, TRANSFERS_EXCEL, WORKBOOK, XLSX, store};
use crate::csv_text::{BYTE_ORDER_MARK, push_excel_row, push_row, safe_cell};
use crate::ids::reference;
use crate::scheme::Scheme;
use jiff::Timestamp;
use ledger::Fault;
use scrip::{Micro, RunId};

pub(super) async fn write_all(shelf: &mut Shelf<'_>, scheme: &Scheme, at: Timestamp, accounts: &Accounts) -> Result<(), Fault> {
    let mut book = Book::begin(at)?;
    write_transfers(shelf, &mut book, scheme, accounts).await?;
    write_positions(shelf, &mut book, scheme).await?;
    book.write(shelf, OpenFile::new(WORKBOOK.to_owned(), None, XLSX)).await
}

const TRANSFER_COLUMNS: [Column; 9] = [
    Column { name: "number", width: 8 },
    Column { name: "reference", width: 22 },
    Column { name: "payer", width: 18 },
    Column { name: "payee", width: 18 },
    Column { name: "amount", width: 18 },
    Column { name: "currency", width: 9 },
    Column { name: "payee_account_holder", width: 30 },
    Column { name: "payee_iban", width: 32 },
    Column { name: "payee_bic", width: 14 },
];

/// Payer and payee are columns, so no amount has a sign. Amounts have the currency's decimals: this is what is paid.
async fn write_transfers(shelf: &mut Shelf<'_>, book: &mut Book, scheme: &Scheme, accounts: &Accounts) -> Result<(), Fault> {
    let mut table = Table::begin(book, "Transfers", [TRANSFERS, TRANSFERS_EXCEL], &TRANSFER_COLUMNS)?;
    let rows = store::read_transfers(shelf.tx, shelf.run).await?;
    while let Some(transfers) = rows.next(shelf.tx, store::to_transfer_line).await? {
        for t in transfers {
            let cells = transfer_cells(shelf.run, t.number, &t.payer.code, &t.payee.code, paid(t.amount, scheme.digits), &scheme.currency);
            let [number, reference, payer, payee, amount, currency] = &cells;
            let account = accounts.of(&t.payee);
            let holder = account.map_or("", |account| &account.holder);
            let (iban, bic) = account.map_or(("", ""), |account| (&account.iban, account.bic.as_deref().unwrap_or_default()));
            table.push([
                Cell::Number(number),
                Cell::Text(reference),
                Cell::Text(payer),
                Cell::Text(payee),
                Cell::Number(amount),
                Cell::Text(currency),
                Cell::Text(holder),
                Cell::Text(iban),
                Cell::Text(bic),
            ])?;
        }
        table.keep(shelf).await?;
    }
    table.close(shelf).await
}

/// The names of the columns of transfers.csv that follow from the run.
pub(crate) fn transfer_names() -> [&'static str; 6] {
    let [number, reference, payer, payee, amount, currency, ..] = TRANSFER_COLUMNS.map(|column| column.name);
    [number, reference, payer, payee, amount, currency]
}

/// The cells of a transfer that follow from the run; those about the payee's bank come after them.
pub(crate) fn transfer_cells(run: RunId, number: i64, payer: &str, payee: &str, amount: String, currency: &str) -> [String; 6] {
    [number.to_string(), reference(run, number), payer.to_owned(), payee.to_owned(), amount, currency.to_owned()]
}

const POSITION_COLUMNS: [Column; 7] = [
    Column { name: "vendor", width: 18 },
    Column { name: "owed", width: 20 },
    Column { name: "owes", width: 20 },
    Column { name: "net", width: 20 },
    Column { name: "settled", width: 20 },
    Column { name: "carry", width: 12 },
    Column { name: "currency", width: 9 },
];

/// The names of the columns of positions.csv.
pub(crate) fn position_names() -> [&'static str; 7] {
    POSITION_COLUMNS.map(|column| column.name)
}

/// The cells of a vendor that is owed, owes, nets, settles and carries so much.
pub(crate) fn position_cells(vendor: &str, figures: [Micro; 5], currency: &str) -> [String; 7] {
    let [owed, owes, net, settled, carry] = figures.map(exact);
    [vendor.to_owned(), owed, owes, net, settled, carry, currency.to_owned()]
}

/// Amounts have all six decimals: what rounding takes off stands in the carry.
async fn write_positions(shelf: &mut Shelf<'_>, book: &mut Book, scheme: &Scheme) -> Result<(), Fault> {
    let mut table = Table::begin(book, "Positions", [POSITIONS, POSITIONS_EXCEL], &POSITION_COLUMNS)?;
    let rows = store::read_positions(shelf.tx, shelf.run).await?;
    while let Some(positions) = rows.next(shelf.tx, store::to_position_line).await? {
        for p in positions {
            let cells = position_cells(&p.vendor, [p.owed, p.owes, p.net, p.settled, p.carry], &scheme.currency);
            let [vendor, figures @ .., currency] = &cells;
            let [owed, owes, net, settled, carry] = figures.each_ref().map(|figure| Cell::Number(figure));
            table.push([Cell::Text(vendor), owed, owes, net, settled, carry, Cell::Text(currency)])?;
        }
        table.keep(shelf).await?;
    }
    table.close(shelf).await
}

/// What stands in one place of a table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Text(&'a str),
    /// A decimal with a point, and a minus before it if it is negative.
    Number(&'a str),
}

/// One table in its three forms.
struct Table<'a> {
    csv: OpenFile,
    excel: OpenFile,
    book: &'a mut Book,
    sheets: Sheets,
}

impl<'a> Table<'a> {
    fn begin<const N: usize>(
        book: &'a mut Book,
        sheet: &'static str,
        [csv, excel]: [&str; 2],
        columns: &'static [Column; N],
    ) -> Result<Self, Fault> {
        let [mut csv, mut excel] = [csv, excel].map(|name| OpenFile::new(name.to_owned(), None, CSV));
        let names = columns.each_ref().map(|column| column.name);
        push_row(&mut csv.text, names);
        excel.text.extend_from_slice(BYTE_ORDER_MARK);
        push_excel_row(&mut excel.text, names);
        let sheets = book.table(sheet, columns)?;
        Ok(Self { csv, excel, book, sheets })
    }

    fn push<const N: usize>(&mut self, cells: [Cell<'_>; N]) -> Result<(), Fault> {
        push_row(
            &mut self.csv.text,
            cells.map(|cell| match cell {
                Cell::Text(text) => safe_cell(text),
                Cell::Number(figure) => figure.into(),
            }),
        );
        push_excel_row(
            &mut self.excel.text,
            cells.map(|cell| match cell {
                Cell::Text(text) => safe_cell(text),
                Cell::Number(figure) => figure.replace('.', ",").into(),
            }),
        );
        self.book.push(&mut self.sheets, &cells)
    }

    async fn keep(&mut self, shelf: &mut Shelf<'_>) -> Result<(), Fault> {
        shelf.keep(&mut self.csv).await?;
        shelf.keep(&mut self.excel).await
    }

    async fn close(self, shelf: &mut Shelf<'_>) -> Result<(), Fault> {
        shelf.close(self.csv).await?;
        shelf.close(self.excel).await
    }
}
