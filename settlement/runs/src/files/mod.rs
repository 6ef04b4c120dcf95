//! Settlement files: what finance teams download. Written once with the run, never again.
//!
//! Shape: [`write_all`] makes the files of a run from what is stored of it, each row on its way from the database to a [`shelf`]
//! that keeps bytes in pieces; `tables` is transfers.csv and positions.csv, `statements` one statement per vendor, `manifest` the list
//! of all with their hashes. [`find`], [`list`] and [`read_pieces`] give them back, to whomever row security lets see them. Memory
//! does not grow with a file, nor with the number of files. Nothing here computes an amount.

mod amounts;
mod bank;
mod carries;
mod journal;
mod manifest;
mod page;
mod rows;
mod set_offs;
mod shelf;
mod statements;
mod store;
mod tables;
mod workbook;

use crate::scheme::Scheme;
use crate::seals::{Hash, Seal};
pub(crate) use amounts::{exact, paid, parse_exact};
pub use bank::{Account, STATEMENTS as BANK_STATEMENTS};
pub(crate) use bank::{latin, remittance};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil::Date};
use ledger::{Fault, Tx};
pub(crate) use manifest::Manifest;
use netting::{Netting, Strategy};
pub use page::StatementPage;
pub(crate) use rows::{Head as ManifestHead, SealedWindow};
use scrip::{Micro, RunId, WindowId};
pub(crate) use set_offs::PairLines;
use shelf::Shelf;
pub(crate) use statements::{Line, Side, push_begin, push_end};
pub(crate) use store::{EndLine, Obligation, Rows, read_obligations};
pub use store::{Pieces, STATEMENTS};
pub(crate) use tables::{position_cells, position_names, transfer_cells, transfer_names};
use uuid::Uuid;

/// The list of a run's files.
pub const MANIFEST: &str = "manifest.json";
/// The transfers to be paid.
pub const TRANSFERS: &str = "transfers.csv";
/// Every vendor's position.
pub const POSITIONS: &str = "positions.csv";

/// The transfers for Excel where the comma is the decimal sign.
pub const TRANSFERS_EXCEL: &str = "transfers-excel.csv";
/// The positions for Excel where the comma is the decimal sign.
pub const POSITIONS_EXCEL: &str = "positions-excel.csv";
/// Transfers and positions as a workbook.
pub const WORKBOOK: &str = "settlement.xlsx";
/// The run as double entries, for beancount.
pub const JOURNAL_BEANCOUNT: &str = "journal.beancount";
/// The run as double entries, for hledger.
pub const JOURNAL_HLEDGER: &str = "journal.hledger";
/// What the run leaves owed, by pair; only where it leaves something.
pub const CARRIES: &str = "carries.csv";
/// What circles cancelled of each debt; only of a run by `conservative`.
pub const SET_OFFS: &str = "setoffs.csv";
/// The transfers as the payers' banks take them, ISO 20022; of those that have bank details.
pub const PAIN_001: &str = "pain.001.001.09.xml";
/// The transfers between institutions, ISO 20022.
pub const PACS_009: &str = "pacs.009.001.08.xml";
/// The transfers that lack bank details of payer or payee.
pub const WITHOUT_ACCOUNT: &str = "transfers-without-account.csv";

const CSV: &str = "text/csv; charset=utf-8; header=present";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Whether a bank would pay by the file: it is given out only once its run is exported.
pub fn is_instruction(name: &str) -> bool {
    [PAIN_001, PACS_009].contains(&name)
}

/// The name of a vendor's statement.
pub fn statement_name(code: &str) -> String {
    format!("statement-{code}.csv")
}

/// A stored file without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHead {
    /// Its id, for [`read_pieces`].
    pub id: Uuid,
    /// Its name within the run.
    pub name: String,
    /// How to read it.
    pub media_type: String,
    /// Its length.
    pub size_bytes: i64,
    /// Over its bytes.
    pub sha256: Hash,
}

/// A run whose positions, transfers and seals are stored already, and what its statements must come to.
pub(crate) struct Netted<'a> {
    pub(crate) run: RunId,
    pub(crate) scheme: &'a Scheme,
    pub(crate) contents: &'a Contents,
    /// For what circles cancelled of each debt, which is stored nowhere and follows from the same rows, and for what is left owed.
    pub(crate) netting: &'a Netting,
    /// The instant that the files bear.
    pub(crate) at: Timestamp,
}

/// The windows that a run nets, in order, and what is sealed of them.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    windows: Vec<(WindowId, Seal)>,
    obligation_count: i64,
    gross: Micro,
}

impl Contents {
    pub(crate) fn add(&mut self, window: WindowId, seal: &Seal) -> Result<(), Fault> {
        self.obligation_count = self.obligation_count.checked_add(seal.obligation_count).ok_or(Fault::PositionTooLarge)?;
        self.gross = self.gross.checked_add(seal.gross).ok_or(Fault::PositionTooLarge)?;
        self.windows.push((window, seal.clone()));
        Ok(())
    }

    pub(crate) fn obligation_count(&self) -> i64 {
        self.obligation_count
    }

    pub(crate) fn gross(&self) -> Micro {
        self.gross
    }

    /// For a statement that asks for the rows of all of them.
    fn ids(&self) -> Vec<Uuid> {
        self.windows.iter().map(|(window, _seal)| window.uuid()).collect()
    }
}

impl Netted<'_> {
    /// The day of the run's instant, in UTC: on which books are kept.
    fn day(&self) -> Date {
        self.at.to_zoned(TimeZone::UTC).date()
    }

    /// The day on which files ask to pay: that of the run, or the one on which vendors can no longer dispute it.
    fn pay_day(&self) -> Date {
        let until = self.at.checked_add(SignedDuration::from_hours(self.scheme.dispute_hours.into()));
        until.unwrap_or(self.at).to_zoned(TimeZone::UTC).date()
    }
}

/// Writes all files of a run. `closed` is a tx of another connection, which sees the obligations of the closed windows: they stream
/// from there while the files go out through `tx`.
///
/// The bytes follow from the rows alone: no clock, no new id, no order that the database is free to choose.
pub(crate) async fn write_all(tx: &Tx<'_>, closed: &Tx<'_>, netted: &Netted<'_>, progress: impl Fn(i64)) -> Result<(), Fault> {
    let mut shelf = Shelf::new(tx, netted.run, netted.at);
    let accounts = bank::list_accounts(tx, netted.run).await?;
    tables::write_all(&mut shelf, netted.scheme, netted.at, &accounts).await?;
    if netted.scheme.strategy == Strategy::Conservative {
        set_offs::write(&mut shelf, netted.netting).await?;
    }
    carries::write(&mut shelf, &netted.netting.carries).await?;
    let without_account = bank::write_all(&mut shelf, netted, &accounts).await?;
    journal::write_all(&mut shelf, netted).await?;
    shelf.flush().await?;
    statements::write_all(&mut shelf, closed, netted, progress).await?;
    shelf.flush().await?;
    manifest::write(&mut shelf, netted.scheme, without_account).await?;
    shelf.flush().await
}

/// A run's file of that name, if there is one that the tx may see.
pub async fn find(tx: &Tx<'_>, run: RunId, name: &str) -> Result<Option<FileHead>, Fault> {
    store::find(tx, run, name).await
}

/// A run's files with a name above `after`, in byte order.
pub async fn list(tx: &Tx<'_>, run: RunId, after: &str, limit: i64) -> Result<Vec<FileHead>, Fault> {
    store::list(tx, run, after, limit).await
}

/// The next pieces of a file's bytes, after so many: a few hundred kilobytes at a time, none after the last. Pieces are never changed,
/// so each call may have a tx of its own, and a slow reader holds no connection.
pub async fn read_pieces(tx: &Tx<'_>, file: Uuid, after: i32) -> Result<Vec<Vec<u8>>, Fault> {
    store::read_pieces(tx, file, after).await
}

/// The bytes of all files of a run, by name and in order, for whoever copies them all at once.
pub async fn read_all(tx: &Tx<'_>, run: RunId) -> Result<Pieces, Fault> {
    store::read_all(tx, run).await
}
