//! Settlement files: what finance teams download. Written once with the run, never again.
//!
//! Shape: [`write_all`] makes the files of a run from what is stored of it, each row on its way from the database to a [`shelf`]
//! that keeps bytes in pieces; `tables` is transfers.csv and positions.csv, `statements` one statement per vendor, `manifest` the list
//! of all with their hashes. [`find`], [`list`] and [`read_pieces`] give them back, to whomever row security lets see them. Memory
//! does not grow with a file, nor with the number of files. Nothing here computes an amount.

mod amounts;
mod manifest;
mod rows;
mod shelf;
mod statements;
mod store;
mod tables;

use crate::scheme::Scheme;
use crate::seals::{Hash, Seal};
pub(crate) use amounts::{exact, paid, parse_exact};
use jiff::Timestamp;
use ledger::{Fault, Tx};
pub(crate) use manifest::Manifest;
pub(crate) use rows::{Head as ManifestHead, SealedWindow};
use scrip::{Micro, RunId, WindowId};
use shelf::Shelf;
pub(crate) use statements::{Line, Side, push_begin, push_end};
pub(crate) use store::{EndLine, Obligation, Rows};
pub use store::{Pieces, STATEMENTS};
pub(crate) use tables::{push_position, push_positions_header, transfer_cells};
use uuid::Uuid;

/// The list of a run's files.
pub const MANIFEST: &str = "manifest.json";
/// The transfers to be paid.
pub const TRANSFERS: &str = "transfers.csv";
/// Every vendor's position.
pub const POSITIONS: &str = "positions.csv";

const CSV: &str = "text/csv; charset=utf-8; header=present";
const JSON: &str = "application/json";

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

/// Writes all files of a run. `closed` is a tx of another connection, which sees the obligations of the closed windows: they stream
/// from there while the files go out through `tx`.
///
/// The bytes follow from the rows alone: no clock, no new id, no order that the database is free to choose.
pub(crate) async fn write_all(tx: &Tx<'_>, closed: &Tx<'_>, netted: &Netted<'_>, progress: impl Fn(i64)) -> Result<(), Fault> {
    let mut shelf = Shelf::new(tx, netted.run, netted.at);
    tables::write_transfers(&mut shelf, netted.scheme).await?;
    tables::write_positions(&mut shelf, netted.scheme).await?;
    shelf.flush().await?;
    statements::write_all(&mut shelf, closed, netted, progress).await?;
    shelf.flush().await?;
    manifest::write(&mut shelf, netted.scheme).await?;
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
