//! CSV line by line, under every reader of CSV that comes from outside.
//!
//! The parser is given one line at a time, with its end: so every record has its true line, and an open quotation mark cannot swallow
//! the lines after it. A byte-order mark, blank lines, CRLF and a missing last line end are tolerated; nothing else is repaired.
//! Memory is that of one line.

use csv::{ByteRecord, ReaderBuilder, Terminator};
use std::io::{self, BufRead, BufReader, Cursor, Read};

/// The most bytes of a line: far more than the cells of any of our files need, so that extra columns fit.
pub const LINE_BYTES_MAX: u64 = 65_536;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why there is no next record.
#[derive(Debug)]
pub(crate) enum LineError {
    /// The input itself failed.
    Read(io::Error),
    /// A cell begins with a quotation mark and does not end in its line.
    QuoteOpen,
    /// Longer than [`LINE_BYTES_MAX`].
    TooLong,
}

impl From<io::Error> for LineError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// Reads records from `R`, one line each.
#[derive(Debug)]
pub(crate) struct CsvLines<R> {
    input: BufReader<R>,
    parser: csv::Reader<Cursor<Vec<u8>>>,
    record: ByteRecord,
    line: u64,
}

impl<R: Read> CsvLines<R> {
    pub(crate) fn new(input: R) -> Self {
        let parser =
            ReaderBuilder::new().has_headers(false).flexible(true).terminator(Terminator::Any(b'\n')).from_reader(Cursor::default());
        Self { input: BufReader::new(input), parser, record: ByteRecord::new(), line: 0 }
    }

    /// Parses the next line that is not blank; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, LineError> {
        if !self.next_line()? {
            return Ok(false);
        }
        self.parser.read_byte_record(&mut self.record).map_err(io::Error::from)?;
        if self.record.iter().any(|cell| cell.contains(&b'\n')) { Err(LineError::QuoteOpen) } else { Ok(true) }
    }

    /// The record that was parsed last.
    pub(crate) fn record(&self) -> &ByteRecord {
        &self.record
    }

    /// The line that was read last, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Hands the parser the next line that is not blank, ended by a single line feed; false at the end.
    fn next_line(&mut self) -> Result<bool, LineError> {
        let cursor = self.parser.get_mut();
        cursor.set_position(0);
        let line = cursor.get_mut();
        loop {
            line.clear();
            if (&mut self.input).take(LINE_BYTES_MAX.saturating_add(1)).read_until(b'\n', line)? == 0 {
                return Ok(false);
            }
            self.line = self.line.saturating_add(1);
            if u64::try_from(line.len()).map_or(true, |length| length > LINE_BYTES_MAX) {
                return Err(LineError::TooLong);
            }
            if self.line == 1 && line.starts_with(BYTE_ORDER_MARK) {
                line.drain(..BYTE_ORDER_MARK.len());
            }
            line.pop_if(|last| *last == b'\n');
            line.pop_if(|last| *last == b'\r');
            if !line.is_empty() {
                line.push(b'\n');
                return Ok(true);
            }
        }
    }
}
