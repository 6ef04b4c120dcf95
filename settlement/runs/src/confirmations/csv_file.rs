//! The house's own confirmations as CSV, for banks that send none of the other kinds. Pure.
//!
//! One header, one payment a line. It is strict, as every reader of the house: what cannot be read refuses the whole.

use super::entry::{ConfirmationError, Entry, REFERENCE_CHARS_MAX, Said, Stated, bounded, is_reference, read_day};
use super::read::Entries;
use crate::csv_lines::{CsvLines, LINE_BYTES_MAX, LineError};
use crate::steps::REASON_LENGTH_MAX;
use crate::transfers::{Reason, ReasonCode};
use csv::ByteRecord;
use scrip::Micro;

/// The columns, all of them and in this order.
pub(super) const HEADER: [&str; 7] = ["reference", "amount", "currency", "result", "reason", "bank_reference", "booked_on"];

pub(super) fn read(text: &str, entries: &mut Entries) -> Result<(), ConfirmationError> {
    let mut lines = CsvLines::new(text.as_bytes());
    if !lines.advance().map_err(|error| unreadable(&error, lines.line()))? {
        return Err(ConfirmationError::Empty);
    }
    check_header(&cells(lines.record(), lines.line())?, lines.line())?;
    while lines.advance().map_err(|error| unreadable(&error, lines.line()))? {
        let line = lines.line();
        let cells = cells(lines.record(), line)?;
        let [reference, amount, currency, result, reason, bank_reference, booked_on] = cells[..] else {
            return Err(malformed(line, "the row", &format!("it has {} cells, but the header has {}", cells.len(), HEADER.len())));
        };
        let said = Said::parse(result).ok_or_else(|| malformed(line, "result", "it is sent, received, failed or pending"))?;
        entries.push(Entry {
            line,
            reference: Some(bounded(reference, "reference", REFERENCE_CHARS_MAX, line)?).filter(|text| is_reference(text)),
            amount: Stated::Amount(Micro::parse(amount).map_err(|problem| ConfirmationError::Amount { line, problem })?),
            currency: Some(read_currency(currency, line)?),
            said,
            reason: read_reason(reason, said, line)?,
            bank_reference: Some(bounded(bank_reference, "bank_reference", REFERENCE_CHARS_MAX, line)?).filter(|text| !text.is_empty()),
            booked_on: if booked_on.is_empty() { None } else { Some(read_whole_day(booked_on, line)?) },
            account: None,
        })?;
    }
    Ok(())
}

fn cells(record: &ByteRecord, line: u64) -> Result<Vec<&str>, ConfirmationError> {
    record.iter().map(|cell| std::str::from_utf8(cell).map_err(|_| ConfirmationError::NotUtf8 { line })).collect()
}

fn check_header(cells: &[&str], line: u64) -> Result<(), ConfirmationError> {
    if *cells == HEADER {
        return Ok(());
    }
    let found = cells.join(",").chars().take(100).map(|c| if c.is_control() { ' ' } else { c }).collect();
    Err(ConfirmationError::FormatUnknown { line, found })
}

fn read_currency(text: &str, line: u64) -> Result<String, ConfirmationError> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(text.to_owned())
    } else {
        Err(malformed(line, "currency", "it is three capital letters, such as EUR"))
    }
}

/// A code of the list, or the bank's own words; only of what failed.
fn read_reason(text: &str, said: Said, line: u64) -> Result<Option<Reason>, ConfirmationError> {
    let text = bounded(text, "reason", REASON_LENGTH_MAX, line)?;
    match (said, text.is_empty()) {
        (Said::Failed, true) => Ok(Some(Reason::of_bank(None, None))),
        (Said::Failed, false) if ReasonCode::find(&text).is_some() => Ok(Some(Reason::of_bank(Some(&text), None))),
        (Said::Failed, false) => Ok(Some(Reason::of_bank(None, Some(text)))),
        (Said::Sent | Said::Received | Said::Pending, true) => Ok(None),
        (Said::Sent | Said::Received | Said::Pending, false) => Err(malformed(line, "reason", "only what failed has one")),
    }
}

fn read_whole_day(text: &str, line: u64) -> Result<jiff::civil::Date, ConfirmationError> {
    if text.len() == 10 { read_day(text, "booked_on", line) } else { Err(malformed(line, "booked_on", "a day looks like 2026-11-23")) }
}

fn malformed(line: u64, what: &'static str, problem: &str) -> ConfirmationError {
    ConfirmationError::Malformed { line, what, problem: problem.to_owned() }
}

fn unreadable(error: &LineError, line: u64) -> ConfirmationError {
    match error {
        LineError::QuoteOpen => malformed(line, "the row", "a quotation mark is not closed in its line"),
        LineError::TooLong => malformed(line, "the row", &format!("it is longer than {LINE_BYTES_MAX} bytes")),
        LineError::Read(error) => malformed(line, "the row", &error.to_string()),
    }
}
