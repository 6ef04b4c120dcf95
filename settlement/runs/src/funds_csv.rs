//! The reader of what parties have to pay with, as CSV, for `scriphouse gridlock`.
//!
//! Shape: the header `party,balance,floor` in any order, other columns ignored; then one party a line, streamed. Names and lines are as in
//! [`crate::obligations_csv`]; balance and floor may be zero or, with a minus before them, less.

use crate::csv_lines::{CsvLines, LineError};
use crate::obligations_csv::{CellProblem, LINE_BYTES_MAX, name, text};
use scrip::{Micro, money::AmountError};
use std::io::{self, Read};

const COLUMNS: [&str; 3] = ["party", "balance", "floor"];

/// What one party has, as it stands in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// Whose.
    pub party: &'a str,
    /// What it has.
    pub balance: Micro,
    /// What its balance may not fall below by paying.
    pub floor: Micro,
}

/// Why the input is not a list of funds. After an error, reading on makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum FundsCsvError {
    /// The input itself failed.
    #[error("the input cannot be read: {0}")]
    Read(#[from] io::Error),
    /// The header is another.
    #[error("line {line}: the header must name the columns party, balance and floor once each, in small letters and separated by commas")]
    HeaderWrong {
        /// The line, from 1.
        line: u64,
    },
    /// Too many cells or too few.
    #[error("line {line}: the header has {expected} columns, but the row {found}")]
    Ragged {
        /// The line, from 1.
        line: u64,
        /// The header's cells.
        expected: usize,
        /// The row's cells.
        found: usize,
    },
    /// A cell begins with a quotation mark and does not end in its line.
    #[error("line {line}: a quotation mark is not closed in its line")]
    QuoteOpen {
        /// The line, from 1.
        line: u64,
    },
    /// Longer than a line may be.
    #[error("line {line}: the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong {
        /// The line, from 1.
        line: u64,
    },
    /// One cell of a line is wrong.
    #[error("line {line}, column {column}: {problem}")]
    Cell {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        problem: CellProblem,
    },
    /// One figure of a line is wrong.
    #[error("line {line}, column {column}: this is an amount such as 12.50, 0 or, below zero, -12.50; {error}")]
    Figure {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        error: AmountError,
    },
}

/// Reads funds from `R`, party by party.
#[derive(Debug)]
pub struct FundsCsv<R> {
    lines: CsvLines<R>,
    /// Where the header has party, balance and floor.
    places: [usize; 3],
    columns: usize,
}

impl<R: Read> FundsCsv<R> {
    /// Reads the header.
    pub fn open(input: R) -> Result<Self, FundsCsvError> {
        let mut csv = Self { lines: CsvLines::new(input), places: [0; 3], columns: 0 };
        let is_there = csv.advance()?;
        let wrong = || FundsCsvError::HeaderWrong { line: csv.lines.line().max(1) };
        let record = csv.lines.record();
        let place = |column: &str| {
            let mut places = record.iter().enumerate().filter(|(_, cell)| *cell == column.as_bytes()).map(|(place, _)| place);
            places.next().filter(|_| is_there && places.next().is_none()).ok_or_else(wrong)
        };
        let [party, balance, floor] = COLUMNS.map(place);
        let (places, columns) = ([party?, balance?, floor?], record.len());
        Ok(Self { places, columns, ..csv })
    }

    /// The next party, or `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, FundsCsvError> {
        if !self.advance()? {
            return Ok(None);
        }
        let (line, record) = (self.lines.line(), self.lines.record());
        if record.len() != self.columns {
            return Err(FundsCsvError::Ragged { line, expected: self.columns, found: record.len() });
        }
        let [party, balance, floor] = self.places;
        let [party_column, balance_column, floor_column] = COLUMNS;
        let figure = |column, place: usize| {
            let text = text(&record[place]).map_err(|problem| FundsCsvError::Cell { line, column, problem })?;
            Micro::parse_signed(text).map_err(|error| FundsCsvError::Figure { line, column, error })
        };
        let party = name(&record[party]).map_err(|problem| FundsCsvError::Cell { line, column: party_column, problem })?;
        Ok(Some(Row { party, balance: figure(balance_column, balance)?, floor: figure(floor_column, floor)? }))
    }

    fn advance(&mut self) -> Result<bool, FundsCsvError> {
        self.lines.advance().map_err(|error| match error {
            LineError::Read(error) => FundsCsvError::Read(error),
            LineError::QuoteOpen => FundsCsvError::QuoteOpen { line: self.lines.line() },
            LineError::TooLong => FundsCsvError::TooLong { line: self.lines.line() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(input: &[u8]) -> Result<Vec<String>, String> {
        let mut csv = FundsCsv::open(input).map_err(|e| e.to_string())?;
        let mut rows = Vec::new();
        while let Some(Row { party, balance, floor }) = csv.next_row().map_err(|e| e.to_string())? {
            rows.push(format!("{party} {} {}", balance.units(), floor.units()));
        }
        Ok(rows)
    }

    #[test]
    fn funds_may_be_zero_or_less() {
        let rows = read(b"floor,note,party,balance\r\n-5,x,A,1.5\r\n0,,B,-0.000001\n");
        assert_eq!(rows.unwrap(), ["A 1500000 -5000000", "B -1 0"]);
        assert_eq!(read(b"party,balance,floor\n").unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        for (input, sentence) in [
            (&b""[..], "line 1: the header must"),
            (b"party;balance;floor\n", "line 1: the header must"),
            (b"party,balance\n", "line 1: the header must"),
            (b"party,balance,floor,floor\n", "line 1: the header must"),
            (b"party,balance,floor\nA,1\n", "line 2: the header has 3 columns, but the row 2"),
            (b"party,balance,floor\nA,1,\"0\n", "line 2: a quotation mark"),
            (b"party,balance,floor\nA,+1,0\n", "line 2, column balance: this is an amount such as"),
            (b"party,balance,floor\nA,1,1e3\n", "line 2, column floor: this is an amount such as"),
            (b"party,balance,floor\nA,-0,0\n", "line 2, column balance: "),
            (b"party,balance,floor\nA,\xff,0\n", "line 2, column balance: the text is not UTF-8"),
            (b"party,balance,floor\n,1,0\n", "line 2, column party: the name is empty"),
        ] {
            let error = read(input).unwrap_err();
            assert!(error.starts_with(sentence), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_input_makes_the_reader_panic(rows in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&rows);
            let _ = read(&[b"party,balance,floor\n", &*rows].concat());
        }
    }
}
