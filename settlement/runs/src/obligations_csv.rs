//! The one reader of obligations as CSV, for `scriphouse net` and `scriphouse import` alike.
//!
//! Shape: a header that names `debtor`, `creditor` and `amount` in any order, other columns ignored; then one obligation a line,
//! streamed. A byte-order mark, blank lines, CRLF and a missing last line end are tolerated; nothing else is repaired. Every
//! refusal names its line, and its column where one cell is to blame.
//!
//! Never: a guess at an amount or a name, a row left out, or more memory than one line, whatever the size of the input.

pub use crate::csv_lines::LINE_BYTES_MAX;
use crate::csv_lines::{CsvLines, LineError};
use scrip::{Micro, Scale, money::AmountError};
use std::{
    fmt,
    io::{self, Read},
};

/// The most characters of a name.
pub const NAME_CHARS_MAX: usize = 64;

/// A column that must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Who owes.
    Debtor,
    /// Who is owed.
    Creditor,
    /// How much, in whole units of the currency.
    Amount,
}

impl Column {
    /// The name in the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debtor => "debtor",
            Self::Creditor => "creditor",
            Self::Amount => "amount",
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One obligation, as it stands in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The line, from 1.
    pub line: u64,
    /// Who owes.
    pub debtor: &'a str,
    /// Who is owed; another than the debtor.
    pub creditor: &'a str,
    /// More than zero.
    pub amount: Micro,
}

/// Why the input is not a list of obligations. After an error, reading on makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum ObligationsCsvError {
    /// The input itself failed.
    #[error("the input cannot be read: {0}")]
    Read(#[from] io::Error),
    /// A whole line is wrong.
    #[error("line {line}: {problem}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// One cell of a line is wrong.
    #[error("line {line}, column {column}: {problem}")]
    Cell {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: Column,
        /// What is wrong with it.
        problem: CellProblem,
    },
}

/// What can be wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineProblem {
    /// There is no header.
    #[error("the input is empty, but must begin with the header debtor,creditor,amount")]
    HeaderMissing,
    /// The header lacks a column.
    #[error("the header has no column {0}")]
    ColumnMissing(Column),
    /// The header has a column that differs in capitals or outer spaces only.
    #[error("the header has no column {0}; one is called nearly so, but it must be {0} exactly, in small letters and without spaces")]
    ColumnMiswritten(Column),
    /// The header is one cell with another separator in it.
    #[error("the columns are separated by {found:?}, but must be separated by commas")]
    SeparatorNotComma {
        /// What separates them.
        found: char,
    },
    /// The header names a column twice, so it is unclear which is meant.
    #[error("the header has the column {0} more than once")]
    ColumnTwice(Column),
    /// Too many cells or too few.
    #[error("the header has {expected} columns, but the row {found}")]
    Ragged {
        /// The header's cells.
        expected: usize,
        /// The row's cells.
        found: usize,
    },
    /// A cell begins with a quotation mark and does not end in its line.
    #[error("a quotation mark is not closed in its line")]
    QuoteOpen,
    /// Longer than [`LINE_BYTES_MAX`].
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
}

/// What can be wrong with a cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellProblem {
    /// Some other encoding.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// No name.
    #[error("the name is empty")]
    NameEmpty,
    /// Longer than [`NAME_CHARS_MAX`].
    #[error("the name is longer than {NAME_CHARS_MAX} characters")]
    NameTooLong,
    /// It could not be shown as it is.
    #[error("the name holds a control character")]
    NameHasControl,
    /// It would look like another party's name.
    #[error("the name begins or ends with a space")]
    NameHasOuterSpace,
    /// Debtor and creditor in one.
    #[error("{party} cannot owe itself")]
    SelfDebt {
        /// The party.
        party: String,
    },
    /// No amount.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

/// Reads obligations from `R`, one by one.
#[derive(Debug)]
pub struct ObligationsCsv<R> {
    lines: CsvLines<R>,
    columns: Columns,
    rows: u64,
    decimals: Scale,
}

/// Where the header has what.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    debtor: usize,
    creditor: usize,
    amount: usize,
    all: usize,
}

impl<R: Read> ObligationsCsv<R> {
    /// Reads the header.
    pub fn open(input: R) -> Result<Self, ObligationsCsvError> {
        let mut csv = Self {
            lines: CsvLines::new(input),
            columns: Columns::default(),
            rows: 0,
            decimals: Scale::try_new(0).expect("a scale may be zero"),
        };
        if !csv.next_record()? {
            return Err(ObligationsCsvError::Line { line: 1, problem: LineProblem::HeaderMissing });
        }
        csv.columns = csv.header()?;
        Ok(csv)
    }

    /// The next obligation, or `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, ObligationsCsvError> {
        if !self.next_record()? {
            return Ok(None);
        }
        let Columns { debtor, creditor, amount, all } = self.columns;
        let (record, line) = (self.lines.record(), self.lines.line());
        if record.len() != all {
            return Err(self.refused(LineProblem::Ragged { expected: all, found: record.len() }));
        }
        let refused = |column, problem| ObligationsCsvError::Cell { line, column, problem };
        let name_of = |column, index| name(&record[index]).map_err(|problem| refused(column, problem));
        let (debtor, creditor) = (name_of(Column::Debtor, debtor)?, name_of(Column::Creditor, creditor)?);
        if debtor == creditor {
            return Err(refused(Column::Creditor, CellProblem::SelfDebt { party: debtor.to_owned() }));
        }
        let (amount, decimals) = micro(&record[amount]).map_err(|problem| refused(Column::Amount, problem))?;

        self.rows = self.rows.saturating_add(1);
        self.decimals = self.decimals.max(decimals);
        Ok(Some(Row { line, debtor, creditor, amount }))
    }

    /// How many obligations were read so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The most decimals that an amount had so far, zeros at its end included.
    pub fn decimals_seen(&self) -> Scale {
        self.decimals
    }

    fn header(&self) -> Result<Columns, ObligationsCsvError> {
        let record = self.lines.record();
        let other_separator =
            [';', '\t'].into_iter().find(|separator| record.len() == 1 && text(&record[0]).is_ok_and(|cell| cell.contains(*separator)));
        if let Some(found) = other_separator {
            return Err(self.refused(LineProblem::SeparatorNotComma { found }));
        }
        let is_nearly = |name: &[u8], column: Column| name.trim_ascii().eq_ignore_ascii_case(column.name().as_bytes());
        let index_of = |column: Column| {
            let mut places = (0..).zip(record).filter(|(_, name)| *name == column.name().as_bytes()).map(|(index, _)| index);
            match (places.next(), places.next()) {
                (Some(index), None) => Ok(index),
                (Some(_), Some(_)) => Err(self.refused(LineProblem::ColumnTwice(column))),
                (None, _) if record.iter().any(|name| is_nearly(name, column)) => Err(self.refused(LineProblem::ColumnMiswritten(column))),
                (None, _) => Err(self.refused(LineProblem::ColumnMissing(column))),
            }
        };
        Ok(Columns {
            debtor: index_of(Column::Debtor)?,
            creditor: index_of(Column::Creditor)?,
            amount: index_of(Column::Amount)?,
            all: record.len(),
        })
    }

    /// Parses the next line that is not blank; false at the end.
    fn next_record(&mut self) -> Result<bool, ObligationsCsvError> {
        self.lines.advance().map_err(|error| match error {
            LineError::Read(error) => ObligationsCsvError::Read(error),
            LineError::QuoteOpen => self.refused(LineProblem::QuoteOpen),
            LineError::TooLong => self.refused(LineProblem::TooLong),
        })
    }

    fn refused(&self, problem: LineProblem) -> ObligationsCsvError {
        ObligationsCsvError::Line { line: self.lines.line(), problem }
    }
}

pub(crate) fn text(cell: &[u8]) -> Result<&str, CellProblem> {
    std::str::from_utf8(cell).map_err(|_| CellProblem::NotUtf8)
}

pub(crate) fn name(cell: &[u8]) -> Result<&str, CellProblem> {
    let name = text(cell)?;
    if name.is_empty() {
        Err(CellProblem::NameEmpty)
    } else if name.chars().nth(NAME_CHARS_MAX).is_some() {
        Err(CellProblem::NameTooLong)
    } else if name.contains(char::is_control) {
        Err(CellProblem::NameHasControl)
    } else if name.trim() != name {
        Err(CellProblem::NameHasOuterSpace)
    } else {
        Ok(name)
    }
}

/// The amount, and how many decimals it was written with.
fn micro(cell: &[u8]) -> Result<(Micro, Scale), CellProblem> {
    let text = text(cell)?;
    let amount = Micro::parse(text)?;
    let written = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let decimals = i64::try_from(written).ok().and_then(Scale::try_new).expect("the parser takes at most six decimals");
    Ok((amount, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv_text::push_row;
    use proptest::prelude::*;

    /// Every row as `line debtor>creditor micro-units`, and the decimals seen.
    fn read(input: &[u8]) -> Result<(Vec<String>, u8), ObligationsCsvError> {
        let mut csv = ObligationsCsv::open(input)?;
        let mut rows = Vec::new();
        while let Some(Row { line, debtor, creditor, amount }) = csv.next_row()? {
            rows.push(format!("{line} {debtor}>{creditor} {}", amount.units()));
        }
        assert_eq!(csv.rows(), u64::try_from(rows.len()).unwrap());
        Ok((rows, csv.decimals_seen().decimals()))
    }

    fn check(input: impl AsRef<[u8]>, rows: &[&str], decimals: u8) {
        let (found, seen) = read(input.as_ref()).unwrap();
        assert_eq!(found, rows);
        assert_eq!(seen, decimals);
    }

    fn check_refused(input: impl AsRef<[u8]>, sentence: &str) {
        assert_eq!(read(input.as_ref()).unwrap_err().to_string(), sentence);
    }

    #[test]
    fn rows_are_read_with_their_lines() {
        check("debtor,creditor,amount\nA,B,10\nB,C,0.50\n", &["2 A>B 10000000", "3 B>C 500000"], 2);
        check("debtor,creditor,amount\n", &[], 0);
    }

    #[test]
    fn columns_are_found_by_name_and_others_are_ignored() {
        check("note,amount,creditor,when,debtor\n\"x, \"\"y\"\"\",1.5,B,,A\n", &["2 A>B 1500000"], 1);
        check(b"debtor,creditor,amount,\xFF\nA,B,1,\xFF\n", &["2 A>B 1000000"], 0);
    }

    #[test]
    fn a_byte_order_mark_and_any_line_end_are_tolerated() {
        check("\u{feff}debtor,creditor,amount\r\nA,B,1\r\n\r\nB,A,2", &["2 A>B 1000000", "4 B>A 2000000"], 0);
        check("\n\ndebtor,creditor,amount\n\nA,\"B\",\"1\"\n\n\n", &["5 A>B 1000000"], 0);
        check("\"debtor\",creditor,\"amount\"\nA,B,1\n", &["2 A>B 1000000"], 0);
    }

    #[test]
    fn names_may_be_anything_that_can_be_shown() {
        let long = "é".repeat(64);
        check(
            format!("debtor,creditor,amount\n{long},\"O'Neill, Ltd\",1\n=1,a,1\n"),
            &[&format!("2 {long}>O'Neill, Ltd 1000000"), "3 =1>a 1000000"],
            0,
        );
    }

    #[test]
    fn a_wrong_header_is_refused() {
        check_refused("", "line 1: the input is empty, but must begin with the header debtor,creditor,amount");
        check_refused("\n\r\n", "line 1: the input is empty, but must begin with the header debtor,creditor,amount");
        check_refused("A,B,10\n", "line 1: the header has no column debtor");
        let nearly = |column: &str| {
            format!(
                "line 1: the header has no column {column}; one is called nearly so, but it must be {column} exactly, in small letters and without spaces"
            )
        };
        check_refused("debtor,creditor,Amount\n", &nearly("amount"));
        check_refused("Debtor,Creditor,Amount\n", &nearly("debtor"));
        check_refused("debtor, creditor, amount\n", &nearly("creditor"));
        check_refused("debtor;creditor;amount\n", "line 1: the columns are separated by ';', but must be separated by commas");
        check_refused("debtor\tcreditor\tamount\n", "line 1: the columns are separated by '\\t', but must be separated by commas");
        check_refused("debtor,creditor,amount,debtor\n", "line 1: the header has the column debtor more than once");
    }

    #[test]
    fn a_wrong_line_is_refused_by_its_number() {
        let after = |lines: &str| format!("debtor,creditor,amount\r\n\r\nA,B,1\r\n{lines}");
        check_refused(after("A,B\r\n"), "line 4: the header has 3 columns, but the row 2");
        check_refused(after("A,B,1,5\r\n"), "line 4: the header has 3 columns, but the row 4");
        check_refused(after("\r\n \r\n"), "line 5: the header has 3 columns, but the row 1");
        check_refused(after("A,B,\"1\r\nB,C,1\r\n"), "line 4: a quotation mark is not closed in its line");
        check_refused(after("A,B,\"1"), "line 4: a quotation mark is not closed in its line");
        check_refused(after(&format!("A,B,{}", "1".repeat(70_000))), "line 4: the line is longer than 65536 bytes");
    }

    #[test]
    fn a_wrong_name_is_refused_by_line_and_column() {
        let row = |debtor: &str, creditor: &str| format!("debtor,creditor,amount\n{debtor},{creditor},1\n");
        check_refused(row("", "B"), "line 2, column debtor: the name is empty");
        check_refused(row("A", "\"\""), "line 2, column creditor: the name is empty");
        check_refused(row("A", &"b".repeat(65)), "line 2, column creditor: the name is longer than 64 characters");
        check_refused(row("A\t", "B"), "line 2, column debtor: the name holds a control character");
        check_refused(row("A", "B\0"), "line 2, column creditor: the name holds a control character");
        check_refused(row("A", " B"), "line 2, column creditor: the name begins or ends with a space");
        check_refused(row("A", "A"), "line 2, column creditor: A cannot owe itself");
        check_refused(b"debtor,creditor,amount\nA,\xFF,1\n", "line 2, column creditor: the text is not UTF-8");
    }

    #[test]
    fn a_wrong_amount_is_refused_by_line_and_column() {
        let malformed = AmountError::Malformed.to_string();
        for (amount, problem) in [
            ("1e3", &*malformed),
            ("-5", &*malformed),
            ("+1", &*malformed),
            ("\"1,5\"", &*malformed),
            ("1_000", &*malformed),
            ("NaN", &*malformed),
            ("", &*malformed),
            (" 1", &*malformed),
            ("0", "the amount is zero"),
            ("0.0000001", "the amount has more than 6 decimals"),
            (&"9".repeat(40), "the amount is too large"),
        ] {
            check_refused(format!("debtor,creditor,amount\nA,B,1\nA,B,{amount}\n"), &format!("line 3, column amount: {problem}"));
        }
    }

    #[test]
    fn a_failing_input_is_not_an_end() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let input = "debtor,creditor,amount\nA,B,1\n".as_bytes().chain(Broken);
        let mut csv = ObligationsCsv::open(input).unwrap();
        assert!(csv.next_row().unwrap().is_some());
        assert_eq!(csv.next_row().unwrap_err().to_string(), "the input cannot be read: the disk is gone");
    }

    proptest! {
        #[test]
        fn no_input_makes_the_reader_panic(rows in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&rows);
            let _ = read(&[b"debtor,creditor,amount\n", &*rows].concat());
        }

        #[test]
        fn no_row_is_lost(rows in prop::collection::vec(("[A-E\"', ]{1,4}x", "[F-J\"', ]{1,4}x", 1..=i64::MAX), 0..20)) {
            let mut text = Vec::new();
            push_row(&mut text, ["debtor", "creditor", "amount"]);
            let mut expected = Vec::new();
            for (line, (debtor, creditor, units)) in (2..).zip(&rows) {
                let (debtor, creditor) = (debtor.trim(), creditor.trim());
                push_row(&mut text, [debtor, creditor, &Micro::new(*units).display(scrip::money::MICRO_SCALE).to_string()]);
                expected.push(format!("{line} {debtor}>{creditor} {units}"));
            }
            prop_assume!(rows.iter().all(|(debtor, creditor, _)| debtor.trim() != creditor.trim()));
            prop_assert_eq!(read(&text).unwrap().0, expected);
        }
    }
}
