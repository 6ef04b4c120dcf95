//! One statement per vendor with a position: how the run came to its figures, tying out to the micro-unit.
//!
//! Each line has a kind, and counts `owed - owes`, as the vendor sees it:
//!
//! ```text
//! opening_carry + obligation.. = counterparty.. = net
//! net + rounding               = transfer..
//! net - transfer..             = closing_carry  = -rounding
//! ```
//!
//! The first equation holds for the column `owed` and for the column `owes`, and both are those of the vendor's position.
//!
//! An obligation that an earlier run carried over is part of the opening carry and of its counterparty's sum, and not listed again.
//! All statements come from one pass over sorted rows, so tens of thousands of them cost one query.

use super::amounts::exact;
use super::shelf::{OpenFile, Shelf};
use super::store::{StatementLine, read_statements, to_statement_line};
use super::{CSV, statement_name};
use crate::csv_text::push_row;
use crate::ids::reference;
use crate::scheme::Scheme;
use ledger::Fault;

pub(super) async fn write_all<P: Fn(i64)>(shelf: &mut Shelf<'_, P>, scheme: &Scheme) -> Result<(), Fault> {
    let mut open: Option<(String, OpenFile)> = None;
    let rows = read_statements(shelf.tx, shelf.run).await?;
    while let Some(lines) = rows.next(shelf.tx, to_statement_line).await? {
        for line in lines {
            let mut file = match open.take() {
                Some((vendor, file)) if vendor == line.vendor => file,
                Some((_vendor, finished)) => {
                    shelf.close(finished).await?;
                    begin(&line)
                }
                None => begin(&line),
            };
            push_line(&mut file.text, &line, shelf, scheme);
            shelf.keep(&mut file).await?;
            open = Some((line.vendor, file));
        }
    }
    match open {
        Some((_vendor, last)) => shelf.close(last).await,
        None => Ok(()),
    }
}

fn begin(line: &StatementLine) -> OpenFile {
    let mut file = OpenFile::new(statement_name(&line.vendor), Some(line.vendor_id), CSV);
    push_row(&mut file.text, ["kind", "counterparty", "reference", "source", "operation", "booked_at", "owed", "owes", "currency"]);
    file
}

fn push_line<P: Fn(i64)>(text: &mut Vec<u8>, line: &StatementLine, shelf: &Shelf<'_, P>, scheme: &Scheme) {
    let named = match (line.transfer, line.obligation) {
        (Some(number), _) => reference(shelf.run, number),
        (None, Some(id)) => id.to_string(),
        (None, None) => String::new(),
    };
    let operation = line.operation.map(|id| id.to_string()).unwrap_or_default();
    let booked_at = line.booked_at.map(|at| at.to_string()).unwrap_or_default();
    let (owed, owes) = (exact(line.owed), exact(line.owes));
    let cells = [&line.kind, &line.counterparty, &named, &line.source, &operation, &booked_at, &owed, &owes, &scheme.currency];
    push_row(text, cells.map(String::as_str));
}
