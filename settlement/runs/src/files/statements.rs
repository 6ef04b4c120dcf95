//! One statement per vendor with a position: how the run came to its figures, tying out to the micro-unit.
//!
//! Each line has a kind, and counts `owed - owes`, as the vendor sees it:
//!
//! ```text
//! opening_carry + obligation..   = counterparty.. = net
//! net - held_back.. + rounding   = transfer..
//! net - transfer..               = closing_carry  = held_back.. - rounding
//! ```
//!
//! Held back is what is disputed, and all that a vendor owes and is owed that the scheme leaves out; there is a line for each counterparty
//! where there is something. Rounding is also what a transfer that is too small would have moved.
//!
//! The first equation holds for the column `owed` and for the column `owes`, and both are those of the vendor's position.
//!
//! Where every debtor pays its own creditors (`conservative`), two more hold. The first is one of each counterparty, in either column:
//!
//! ```text
//! counterparty = set_off + transfer + carry
//! carry..      = closing_carry
//! ```
//!
//! An obligation that an earlier run carried over is part of the opening carry and of its counterparty's sum, and not listed again.
//! All statements are written in one pass over the obligations, in order of their ids: each goes into the files of its two vendors,
//! which are open all at once and share one bound of memory.

use super::amounts::{exact, push_exact};
use super::set_offs::PairLines;
use super::shelf::{OpenFile, PIECE_BYTES_MAX, Shelf};
use super::store::{self, EndLine, Obligation, Opening, PiecesIn};
use super::{CSV, Netted, statement_name};
use crate::csv_text::push_row;
use crate::ids::reference;
use jiff::Timestamp;
use ledger::obligations::Source;
use ledger::{Fault, Tx};
use scrip::{Micro, RunId, VendorId};
use std::collections::HashMap;
use std::io::Write;
use uuid::Uuid;

const HEADER: [&str; 9] = ["kind", "counterparty", "reference", "source", "operation", "booked_at", "owed", "owes", "currency"];

/// What the texts of all open statements may hold together. Above it they are cut into smaller pieces.
const OPEN_BYTES_MAX: usize = 32 * 1024 * 1024;

/// So many obligations at a time, so that other work on the same thread gets its turn.
const TURN: i64 = 2_000;

pub(super) async fn write_all(shelf: &mut Shelf<'_>, closed: &Tx<'_>, netted: &Netted<'_>, progress: impl Fn(i64)) -> Result<(), Fault> {
    let openings = store::list_statements(shelf.tx, netted.run, &netted.contents.ids()).await?;
    let mut statements = Statements::begin(openings, &netted.scheme.currency);
    write_obligations(&mut statements, shelf.tx, closed, netted, progress).await?;
    write_ends(statements, shelf, netted).await
}

/// Every obligation but those that an earlier run carried over, and none that is not under the seal.
async fn write_obligations(
    statements: &mut Statements<'_>,
    tx: &Tx<'_>,
    closed: &Tx<'_>,
    netted: &Netted<'_>,
    progress: impl Fn(i64),
) -> Result<(), Fault> {
    let mut pieces = PiecesIn::begin(tx).await?;
    let mut written = 0_i64;
    for (window, seal) in &netted.contents.windows {
        let mut obligations = store::read_obligations(closed, *window).await?;
        let (mut count, mut gross) = (0_i64, 0_i64);
        while let Some(obligation) = obligations.next().await? {
            count = count.saturating_add(1);
            gross = gross.saturating_add(obligation.amount.units());
            if obligation.source != Source::Carry {
                statements.add(&obligation, &mut pieces).await?;
            }
            written = written.saturating_add(1);
            if written % TURN == 0 {
                progress(written);
                tokio::task::yield_now().await;
            }
        }
        if (count, gross) != (seal.obligation_count, seal.gross.units()) {
            return Err(Fault::Unreadable(format!("window {window}: {gross} in {count} obligations are not what is sealed")));
        }
    }
    pieces.finish().await
}

/// What follows the obligations, vendor by vendor, in the order of the open files.
async fn write_ends(statements: Statements<'_>, shelf: &mut Shelf<'_>, netted: &Netted<'_>) -> Result<(), Fault> {
    let pairs = PairLines::of(netted.netting);
    let mut files = statements.files.into_iter().zip(&statements.codes);
    let mut open = files.next();
    let rows = store::read_ends(shelf.tx, netted.run, &netted.contents.ids()).await?;
    while let Some(lines) = rows.next(shelf.tx, store::to_end_line).await? {
        for line in lines {
            while let Some((finished, _)) = open.take_if(|(file, _)| file.vendor != Some(line.vendor)) {
                shelf.close(finished).await?;
                open = files.next();
            }
            let (file, code) = open.as_mut().ok_or_else(|| Fault::Unreadable(format!("vendor {} has no statement", line.vendor)))?;
            for pair in pairs.before(line.kind, line.vendor, code) {
                push_end(&mut file.text, &pair, netted.run, &netted.scheme.currency);
            }
            push_end(&mut file.text, &line, netted.run, &netted.scheme.currency);
        }
    }
    for (finished, _) in open.into_iter().chain(files) {
        shelf.close(finished).await?;
    }
    Ok(())
}

/// The header, and what earlier runs carried over.
pub(crate) fn push_begin(text: &mut Vec<u8>, owed: Micro, owes: Micro, currency: &str) {
    push_row(text, HEADER);
    push_row(text, ["opening_carry", "", "", "", "", "", &exact(owed), &exact(owes), currency]);
}

pub(crate) fn push_end(text: &mut Vec<u8>, line: &EndLine, run: RunId, currency: &str) {
    let named = line.transfer.map(|number| reference(run, number)).unwrap_or_default();
    let (owed, owes) = (exact(line.owed), exact(line.owes));
    push_row(text, [line.kind, &line.counterparty, &named, "", "", "", &owed, &owes, currency]);
}

/// The statements of a run while obligations are added to them, by the vendors' codes.
struct Statements<'a> {
    files: Vec<OpenFile>,
    codes: Vec<String>,
    places: HashMap<VendorId, usize>,
    line: Line<'a>,
    /// The room that the texts of all files take.
    open_bytes: usize,
}

impl<'a> Statements<'a> {
    fn begin(openings: Vec<Opening>, currency: &'a str) -> Self {
        let mut statements = Self {
            files: Vec::with_capacity(openings.len()),
            codes: Vec::with_capacity(openings.len()),
            places: HashMap::with_capacity(openings.len()),
            line: Line::new(currency),
            open_bytes: 0,
        };
        for Opening { vendor, code, owed, owes } in openings {
            let mut file = OpenFile::new(statement_name(&code), Some(vendor), CSV);
            push_begin(&mut file.text, owed, owes, currency);
            statements.open_bytes = statements.open_bytes.saturating_add(file.text.capacity());
            statements.places.insert(vendor, statements.files.len());
            statements.files.push(file);
            statements.codes.push(code);
        }
        statements
    }

    /// Lists the obligation in the statements of both its vendors.
    async fn add(&mut self, obligation: &Obligation, pieces: &mut PiecesIn) -> Result<(), Fault> {
        let place = |vendor| self.places.get(vendor).copied().ok_or_else(|| Fault::Unreadable(format!("vendor {vendor} has no statement")));
        let (debtor, creditor) = (place(&obligation.debtor)?, place(&obligation.creditor)?);
        self.line.read(obligation);
        for (side, own, other) in [(Side::Owed, creditor, debtor), (Side::Owes, debtor, creditor)] {
            let file = &mut self.files[own];
            let before = file.text.capacity();
            self.line.push(&mut file.text, side, &self.codes[other]);
            self.open_bytes = self.open_bytes.saturating_sub(before).saturating_add(file.text.capacity());
            if file.text.len() >= PIECE_BYTES_MAX {
                pieces.add(&file.cut(PIECE_BYTES_MAX)?).await?;
            }
        }
        if self.open_bytes > OPEN_BYTES_MAX { self.shrink(pieces).await } else { Ok(()) }
    }

    /// Cuts the texts that take at least half as much room as they do on average: together that is more than half of all.
    async fn shrink(&mut self, pieces: &mut PiecesIn) -> Result<(), Fault> {
        let enough = self.open_bytes.checked_div(self.files.len().saturating_mul(2)).unwrap_or_default();
        for file in self.files.iter_mut().filter(|file| file.text.capacity() >= enough && !file.text.is_empty()) {
            pieces.add(&file.cut(file.text.len())?).await?;
            self.open_bytes = self.open_bytes.saturating_sub(file.text.capacity());
            file.text = Vec::new();
        }
        Ok(())
    }
}

/// As whom a statement sees an obligation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    /// Its vendor is the creditor.
    Owed,
    /// Its vendor is the debtor.
    Owes,
}

/// The line of an obligation, as far as it is the same in both statements. Written without `push_row`, which allocates for each cell:
/// nothing here can hold a comma, a quotation mark or a line break.
pub(crate) struct Line<'a> {
    /// From the comma behind the counterparty to the one before the amounts.
    middle: Vec<u8>,
    amount: Vec<u8>,
    currency: &'a str,
    /// The obligations of a batch share their instant.
    booked_at: Option<Timestamp>,
    booked_at_text: Vec<u8>,
}

impl<'a> Line<'a> {
    pub(crate) fn new(currency: &'a str) -> Self {
        Self { middle: Vec::new(), amount: Vec::new(), currency, booked_at: None, booked_at_text: Vec::new() }
    }

    pub(crate) fn read(&mut self, obligation: &Obligation) {
        if self.booked_at != Some(obligation.booked_at) {
            self.booked_at = Some(obligation.booked_at);
            self.booked_at_text.clear();
            write!(self.booked_at_text, "{}", obligation.booked_at).expect("memory takes any text");
        }
        let mut id = Uuid::encode_buffer();
        self.middle.clear();
        self.middle.push(b',');
        self.middle.extend_from_slice(obligation.id.hyphenated().encode_lower(&mut id).as_bytes());
        self.middle.push(b',');
        self.middle.extend_from_slice(obligation.source.as_str().as_bytes());
        self.middle.push(b',');
        self.middle.extend_from_slice(obligation.operation.hyphenated().encode_lower(&mut id).as_bytes());
        self.middle.push(b',');
        self.middle.extend_from_slice(&self.booked_at_text);
        self.middle.push(b',');
        self.amount.clear();
        push_exact(&mut self.amount, obligation.amount);
    }

    pub(crate) fn push(&self, text: &mut Vec<u8>, side: Side, counterparty: &str) {
        text.extend_from_slice(b"obligation,");
        text.extend_from_slice(counterparty.as_bytes());
        text.extend_from_slice(&self.middle);
        match side {
            Side::Owed => {
                text.extend_from_slice(&self.amount);
                text.extend_from_slice(b",0.000000,");
            }
            Side::Owes => {
                text.extend_from_slice(b"0.000000,");
                text.extend_from_slice(&self.amount);
                text.push(b',');
            }
        }
        text.extend_from_slice(self.currency.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
}
