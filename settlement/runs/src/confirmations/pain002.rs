//! The payment status report pain.002.001.10: what the payer's bank does with each instruction.
//!
//! A transaction that is listed is an entry. A report that lists none speaks of the whole message, or of one batch of it: it becomes one
//! entry without a reference, for people to look at.

use super::entry::{ConfirmationError, Entry, INFORMATION_CHARS_MAX, REFERENCE_CHARS_MAX, Said, Stated, bounded, read_day};
use super::read::Entries;
use super::xml::{Elements, Piece};
use crate::transfers::Reason;
use jiff::civil::Date;

const GROUP: &str = "/Document/CstmrPmtStsRpt/OrgnlGrpInfAndSts";
const BATCH: &str = "/Document/CstmrPmtStsRpt/OrgnlPmtInfAndSts";
const TRANSACTION: &str = "/Document/CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts";

/// What is said at one level: of the message, of a batch, of a transaction.
#[derive(Debug, Default)]
struct Level {
    line: u64,
    status: Option<Said>,
    /// A batch or a message without a status of its own says nothing.
    entries_before: usize,
    end_to_end_id: Option<String>,
    instruction_id: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    reason_code: Option<String>,
    reason_text: Option<String>,
    bank_reference: Option<String>,
    accepted_on: Option<Date>,
}

pub(super) fn read(elements: &mut Elements<'_>, entries: &mut Entries) -> Result<(), ConfirmationError> {
    let (mut group, mut batch, mut transaction) = (Level::default(), Level::default(), Level::default());
    while let Some(piece) = elements.next()? {
        match piece {
            Piece::Open { path: GROUP, line } => group = Level { line, ..Level::default() },
            Piece::Open { path: BATCH, line } => batch = Level { line, entries_before: entries.len(), ..Level::default() },
            Piece::Open { path: TRANSACTION, line } => transaction = Level { line, ..Level::default() },
            Piece::Open { .. } => (),
            Piece::Close { path: TRANSACTION, .. } => entries.push(std::mem::take(&mut transaction).into_entry()?)?,
            Piece::Close { path: BATCH, .. } => {
                let batch = std::mem::take(&mut batch);
                if batch.status.is_some() && batch.entries_before == entries.len() {
                    entries.push(batch.into_entry()?)?;
                }
            }
            Piece::Close { path, text, currency, line } => {
                if let Some(field) = path.strip_prefix(TRANSACTION) {
                    transaction.read(field, text, currency, line)?;
                } else if let Some(field) = path.strip_prefix(BATCH) {
                    batch.read(field, text, currency, line)?;
                } else if let Some(field) = path.strip_prefix(GROUP) {
                    group.read(field, text, currency, line)?;
                }
            }
        }
    }
    if group.status.is_some() && entries.len() == 0 {
        entries.push(group.into_entry()?)?;
    }
    Ok(())
}

impl Level {
    fn read(&mut self, field: &str, text: &str, currency: Option<&str>, line: u64) -> Result<(), ConfirmationError> {
        let reference = |what| bounded(text, what, REFERENCE_CHARS_MAX, line).map(Some);
        match field {
            "/TxSts" | "/PmtInfSts" | "/GrpSts" => self.status = Some(said(text)),
            "/OrgnlEndToEndId" => self.end_to_end_id = reference("OrgnlEndToEndId")?,
            "/OrgnlInstrId" => self.instruction_id = reference("OrgnlInstrId")?,
            "/OrgnlTxRef/Amt/InstdAmt" => {
                self.amount = reference("InstdAmt")?;
                self.currency = currency.map(|currency| bounded(currency, "Ccy", 3, line)).transpose()?;
            }
            "/StsRsnInf/Rsn/Cd" | "/StsRsnInf/Rsn/Prtry" if self.reason_code.is_none() => self.reason_code = reference("Rsn")?,
            "/StsRsnInf/AddtlInf" if self.reason_text.is_none() => {
                self.reason_text = Some(bounded(text, "AddtlInf", INFORMATION_CHARS_MAX, line)?).filter(|text| !text.is_empty());
            }
            "/AcctSvcrRef" => self.bank_reference = reference("AcctSvcrRef")?,
            "/AccptncDtTm" => self.accepted_on = Some(read_day(text, "AccptncDtTm", line)?),
            _ => (),
        }
        Ok(())
    }

    fn into_entry(self) -> Result<Entry, ConfirmationError> {
        let said = self.status.ok_or(ConfirmationError::Missing { line: self.line, what: "TxSts" })?;
        let reason = (said == Said::Failed).then(|| Reason::of_bank(self.reason_code.as_deref(), self.reason_text));
        Ok(Entry {
            line: self.line,
            reference: self.end_to_end_id.or(self.instruction_id).filter(|text| !text.is_empty()),
            amount: Stated::read(self.amount.as_deref()),
            currency: self.currency,
            said,
            reason,
            bank_reference: self.bank_reference.filter(|text| !text.is_empty()),
            booked_on: self.accepted_on,
            account: None,
        })
    }
}

/// A status means that the money is on its way only from the bank's acceptance on; that it arrived says the payee's bank alone.
fn said(status: &str) -> Said {
    match status {
        "ACCP" | "ACSP" | "ACSC" | "ACCC" => Said::Sent,
        "RJCT" | "CANC" => Said::Failed,
        // Received, pending, technically accepted, partly accepted, and whatever codes there will be: nothing has been decided.
        _ => Said::Pending,
    }
}
