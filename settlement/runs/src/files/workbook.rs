//! settlement.xlsx: the run's tables for people who work in a spreadsheet.
//!
//! A row waits in a temporary file of the system's, not in memory, and the workbook streams into the shelf. Its bytes follow from the rows:
//! the instant that it bears is the run's. Text is text: a spreadsheet neither runs `=1+1` nor makes a number of `1E5`.

use super::shelf::{OpenFile, PIECE_BYTES_MAX, Shelf};
use super::tables::Cell;
use jiff::Timestamp;
use ledger::Fault;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use std::io::{self, BufWriter, Write};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// How many rows a sheet of a spreadsheet has; the first is the header.
const SHEET_ROWS_MAX: u32 = 1_048_576;

/// A cell's number has 53 bits, and spreadsheets show 15 digits of it. A figure of more is written as text, so that none is lost.
const NUMBER_DIGITS_MAX: usize = 15;

/// So many pieces wait between the thread that compresses and the shelf.
const PIECES_WAITING_MAX: usize = 4;

/// One table, on as many sheets as it needs.
pub(super) struct Sheets {
    name: &'static str,
    columns: &'static [Column],
    count: usize,
    row: u32,
}

/// What stands above a column, and how wide it is in characters.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) width: u16,
}

/// A workbook under way.
pub(super) struct Book {
    workbook: Workbook,
    heading: Format,
    /// By number of decimals.
    numbers: Vec<Format>,
}

impl Book {
    pub(super) fn begin(at: Timestamp) -> Result<Self, Fault> {
        let mut workbook = Workbook::new();
        let created = ExcelDateTime::from_timestamp(at.as_second()).map_err(unwritten)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
        let numbers = (0..=6).map(|decimals| if decimals == 0 { "#,##0".to_owned() } else { format!("#,##0.{}", "0".repeat(decimals)) });
        let numbers = numbers.map(|shown| Format::new().set_num_format(shown)).collect();
        Ok(Self { workbook, heading: Format::new().set_bold(), numbers })
    }

    /// Begins a table; the one before is complete.
    pub(super) fn table(&mut self, name: &'static str, columns: &'static [Column]) -> Result<Sheets, Fault> {
        let mut sheets = Sheets { name, columns, count: 0, row: 0 };
        self.add_sheet(&mut sheets).map_err(unwritten)?;
        Ok(sheets)
    }

    fn add_sheet(&mut self, sheets: &mut Sheets) -> Result<(), XlsxError> {
        sheets.count = sheets.count.strict_add(1);
        let name = if sheets.count == 1 { sheets.name.to_owned() } else { format!("{} {}", sheets.name, sheets.count) };
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?.set_freeze_panes(1, 0)?;
        for (place, column) in (0..).zip(sheets.columns) {
            sheet.set_column_width(place, column.width)?;
            sheet.write_string_with_format(0, place, column.name, &self.heading)?;
        }
        sheets.row = 1;
        Ok(())
    }

    /// Adds a row to the table that was begun last.
    pub(super) fn push(&mut self, sheets: &mut Sheets, cells: &[Cell<'_>]) -> Result<(), Fault> {
        self.push_row(sheets, cells).map_err(unwritten)
    }

    fn push_row(&mut self, sheets: &mut Sheets, cells: &[Cell<'_>]) -> Result<(), XlsxError> {
        if sheets.row == SHEET_ROWS_MAX {
            self.add_sheet(sheets)?;
        }
        let Self { workbook, heading: _, numbers } = self;
        let sheet = workbook.worksheets_mut().last_mut().expect("a table has a sheet");
        for (place, cell) in (0..).zip(cells) {
            push_cell(sheet, (sheets.row, place), cell, numbers)?;
        }
        sheets.row = sheets.row.strict_add(1);
        Ok(())
    }

    /// Compresses the workbook into a file, on a thread of its own, as fast as the shelf takes it.
    pub(super) async fn write(self, shelf: &mut Shelf<'_>, mut file: OpenFile) -> Result<(), Fault> {
        let Self { mut workbook, heading: _, numbers: _ } = self;
        let (sender, mut pieces) = mpsc::channel(PIECES_WAITING_MAX);
        let compressing = spawn_blocking(move || {
            let mut out = BufWriter::with_capacity(PIECE_BYTES_MAX, Pipe { pieces: sender });
            workbook.save_to_writer(&mut out)?;
            Ok(out.flush()?)
        });
        while let Some(piece) = pieces.recv().await {
            file.text.extend_from_slice(&piece);
            shelf.keep(&mut file).await?;
        }
        compressing.await.map_err(|error| Fault::Unwritten(error.to_string()))?.map_err(unwritten)?;
        shelf.close(file).await
    }
}

fn push_cell(sheet: &mut Worksheet, (row, column): (u32, u16), cell: &Cell<'_>, numbers: &[Format]) -> Result<(), XlsxError> {
    match cell {
        Cell::Text(text) => sheet.write_string(row, column, *text)?,
        Cell::Number(figure) => match (number(figure), numbers.get(decimals(figure))) {
            (Some(number), Some(format)) => sheet.write_number_with_format(row, column, number, format)?,
            (_, _) => sheet.write_string(row, column, *figure)?,
        },
    };
    Ok(())
}

/// The number that shows exactly this figure; none if no cell's number does. Nothing is computed with it here.
fn number(figure: &str) -> Option<f64> {
    let significant = if figure.contains('.') { figure.trim_end_matches('0') } else { figure };
    let significant = significant.trim_start_matches(['-', '0', '.']);
    let digits = significant.bytes().filter(u8::is_ascii_digit).count();
    if digits <= NUMBER_DIGITS_MAX { figure.parse().ok() } else { None }
}

fn decimals(figure: &str) -> usize {
    figure.split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

fn unwritten(error: XlsxError) -> Fault {
    Fault::Unwritten(error.to_string())
}

/// From the thread that compresses to the shelf. It breaks when the shelf takes no more.
struct Pipe {
    pieces: mpsc::Sender<Vec<u8>>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pieces.blocking_send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::amounts::exact;
    use super::*;
    use scrip::Micro;

    #[test]
    fn a_figure_is_a_number_only_if_every_digit_survives() {
        for (figure, is_number) in [
            ("0.000000", true),
            ("-12.500000", true),
            ("999999999.999999", true),
            ("1000000000.000001", false),
            ("9007199254.500000", true),
            ("9223372036854.775807", false),
            ("-9223372036854.775808", false),
            ("9000000000000000000", false),
            ("100", true),
        ] {
            assert_eq!(number(figure).is_some(), is_number, "{figure}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_number_says_what_the_figure_says(units in proptest::num::i64::ANY, shift in 0_u32..63) {
            let figure = exact(Micro::new(units >> shift));
            if let Some(number) = number(&figure) {
                // To as many digits as spreadsheets show of it.
                let shown = figure.trim_end_matches('0').trim_end_matches('.');
                let decimals = shown.split_once('.').map_or(0, |(_whole, decimals)| decimals.len());
                proptest::prop_assert_eq!(format!("{number:.decimals$}"), shown);
            }
        }
    }
}
