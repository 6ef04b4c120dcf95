//! The statement camt.053.001.08 and the notification camt.054.001.08: what was booked on an account.
//!
//! Both list entries, and in each the payments that it is made of. Money that leaves the payer's account is sent, money that comes to the
//! payee's is received, and what is returned or reversed has failed, whichever account it is seen on.

use super::entry::{
    ConfirmationError, Entry, IBAN_CHARS_MAX, INFORMATION_CHARS_MAX, REFERENCE_CHARS_MAX, Said, Stated, bounded, is_reference, read_day,
};
use super::read::Entries;
use super::xml::{Elements, Piece};
use crate::transfers::Reason;
use jiff::civil::Date;

/// An entry of the account.
#[derive(Debug, Default)]
struct Booking {
    line: u64,
    /// The IBAN of the account.
    account: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    direction: Option<Direction>,
    is_reversal: bool,
    /// `BOOK`, or something that is not booked yet.
    status: Option<String>,
    booked_on: Option<Date>,
    bank_reference: Option<String>,
    /// How many entries there were before its first payment.
    entries_before: usize,
    payments: usize,
}

/// A payment of an entry; what it does not say, the entry says.
#[derive(Debug, Default)]
struct Payment {
    line: u64,
    end_to_end_id: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    direction: Option<Direction>,
    bank_reference: Option<String>,
    is_return: bool,
    reason_code: Option<String>,
    reason_text: Option<String>,
}

/// How the account sees the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

/// Reads a document whose entries have this path.
pub(super) fn read(elements: &mut Elements<'_>, entry_path: &str, entries: &mut Entries) -> Result<(), ConfirmationError> {
    let payment_path = format!("{entry_path}/NtryDtls/TxDtls");
    // Of the statement, before its entries.
    let statement_path = entry_path.trim_end_matches("/Ntry");
    let account_path = format!("{statement_path}/Acct/Id/IBAN");
    let (mut booking, mut payment, mut account) = (Booking::default(), Payment::default(), None);
    while let Some(piece) = elements.next()? {
        match piece {
            Piece::Open { path, .. } if path == statement_path => account = None,
            Piece::Open { path, line } if path == entry_path => {
                booking = Booking { line, account: account.clone(), entries_before: entries.len(), ..Booking::default() };
            }
            Piece::Open { path, line } if path == payment_path => payment = Payment { line, ..Payment::default() },
            Piece::Open { .. } => (),
            Piece::Close { path, .. } if path == entry_path => {
                if booking.payments == 0 {
                    entries.push(Payment { line: booking.line, ..Payment::default() }.into_entry(&booking)?)?;
                }
                booking.complete_only_payment(entries);
            }
            Piece::Close { path, .. } if path == payment_path => {
                booking.payments = booking.payments.saturating_add(1);
                entries.push(std::mem::take(&mut payment).into_entry(&booking)?)?;
            }
            Piece::Close { path, text, line, .. } if path == account_path => account = Some(bounded(text, "IBAN", IBAN_CHARS_MAX, line)?),
            Piece::Close { path, text, currency, line } => {
                if let Some(field) = path.strip_prefix(&payment_path) {
                    payment.read(field, text, currency, line)?;
                } else if let Some(field) = path.strip_prefix(entry_path) {
                    booking.read(field, text, currency, line)?;
                }
            }
        }
    }
    Ok(())
}

impl Booking {
    fn read(&mut self, field: &str, text: &str, currency: Option<&str>, line: u64) -> Result<(), ConfirmationError> {
        match field {
            "/Amt" => {
                self.amount = Some(bounded(text, "Amt", REFERENCE_CHARS_MAX, line)?);
                self.currency = currency.map(|currency| bounded(currency, "Ccy", 3, line)).transpose()?;
            }
            "/CdtDbtInd" => self.direction = Some(direction(text, line)?),
            "/RvslInd" => self.is_reversal = is_true(text, line)?,
            // An element that holds others has a text of spaces.
            "/Sts" | "/Sts/Cd" if !text.trim().is_empty() => self.status = Some(only(self.status.take(), text, line)?),
            "/BookgDt/Dt" | "/BookgDt/DtTm" => self.booked_on = Some(read_day(text, "BookgDt", line)?),
            "/AcctSvcrRef" => self.bank_reference = Some(bounded(text, "AcctSvcrRef", REFERENCE_CHARS_MAX, line)?),
            _ => (),
        }
        Ok(())
    }

    /// An entry with one payment may leave its amount to the entry.
    fn complete_only_payment(&self, entries: &mut Entries) {
        if self.payments > 1 {
            return;
        }
        for entry in entries.since(self.entries_before).filter(|entry| entry.amount == Stated::Nothing) {
            entry.amount = Stated::read(self.amount.as_deref());
            entry.currency.clone_from(&self.currency);
        }
    }
}

impl Payment {
    fn read(&mut self, field: &str, text: &str, currency: Option<&str>, line: u64) -> Result<(), ConfirmationError> {
        let reference = |what| bounded(text, what, REFERENCE_CHARS_MAX, line).map(Some);
        match field {
            "/Refs/EndToEndId" => self.end_to_end_id = reference("EndToEndId")?,
            "/Refs/AcctSvcrRef" => self.bank_reference = reference("AcctSvcrRef")?,
            "/Amt" | "/AmtDtls/TxAmt/Amt" if self.amount.is_none() => {
                self.amount = reference("Amt")?;
                self.currency = currency.map(|currency| bounded(currency, "Ccy", 3, line)).transpose()?;
            }
            "/CdtDbtInd" => self.direction = Some(direction(text, line)?),
            "/RtrInf" => self.is_return = true,
            "/RtrInf/Rsn/Cd" | "/RtrInf/Rsn/Prtry" => self.reason_code = reference("Rsn")?,
            "/RtrInf/AddtlInf" if self.reason_text.is_none() => {
                self.reason_text = Some(bounded(text, "AddtlInf", INFORMATION_CHARS_MAX, line)?).filter(|text| !text.is_empty());
            }
            _ => (),
        }
        Ok(())
    }

    fn into_entry(self, booking: &Booking) -> Result<Entry, ConfirmationError> {
        let direction = self.direction.or(booking.direction).ok_or(ConfirmationError::Missing { line: booking.line, what: "CdtDbtInd" })?;
        let said = match direction {
            _ if booking.status.as_deref() != Some("BOOK") => Said::Pending,
            _ if self.is_return || booking.is_reversal => Said::Failed,
            Direction::In => Said::Received,
            Direction::Out => Said::Sent,
        };
        let reason = (said == Said::Failed).then(|| Reason::of_bank(self.reason_code.as_deref(), self.reason_text));
        Ok(Entry {
            line: self.line,
            reference: self.end_to_end_id.filter(|text| is_reference(text)),
            amount: Stated::read(self.amount.as_deref()),
            currency: self.currency,
            said,
            reason,
            bank_reference: self.bank_reference.or_else(|| booking.bank_reference.clone()).filter(|text| is_reference(text)),
            booked_on: booking.booked_on,
            account: booking.account.clone().filter(|iban| !iban.is_empty()),
        })
    }
}

/// A flag of XML, which has four spellings and no others.
fn is_true(text: &str, line: u64) -> Result<bool, ConfirmationError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(ConfirmationError::Malformed { line, what: "RvslInd", problem: "it is true or false".to_owned() }),
    }
}

/// The status, which an entry has once.
fn only(before: Option<String>, text: &str, line: u64) -> Result<String, ConfirmationError> {
    match before {
        Some(other) if other != text => {
            Err(ConfirmationError::Malformed { line, what: "Sts", problem: "an entry has one status, and this one has two".to_owned() })
        }
        Some(_) | None => bounded(text, "Sts", REFERENCE_CHARS_MAX, line),
    }
}

fn direction(text: &str, line: u64) -> Result<Direction, ConfirmationError> {
    match text {
        "CRDT" => Ok(Direction::In),
        "DBIT" => Ok(Direction::Out),
        _ => Err(ConfirmationError::Malformed { line, what: "CdtDbtInd", problem: "it is CRDT or DBIT".to_owned() }),
    }
}
