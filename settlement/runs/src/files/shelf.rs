//! Where files are put while they are written: bytes go in, pieces and hashes come out, stored many files at a time.

use super::rows::{NewHead, NewPiece};
use super::store;
use jiff::Timestamp;
use ledger::{Fault, Tx, new_id};
use scrip::{RunId, VendorId};
use sha2::{Digest, Sha256};
use std::mem;
use uuid::Uuid;

/// No piece is longer.
pub(super) const PIECE_BYTES_MAX: usize = 64 * 1024;
/// Pieces wait until they come to this much, so that tens of thousands of small files take a few hundred statements.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The files of one run while they are written, one after the other.
pub(super) struct Shelf<'a> {
    pub(super) tx: &'a Tx<'a>,
    pub(super) run: RunId,
    at: Timestamp,
    heads: Vec<NewHead>,
    pieces: Vec<NewPiece>,
    waiting_bytes: usize,
}

/// A file under way. Its text is appended to `text` and handed over by [`Shelf::keep`].
pub(super) struct OpenFile {
    id: Uuid,
    name: String,
    pub(super) vendor: Option<VendorId>,
    media_type: &'static str,
    pub(super) text: Vec<u8>,
    seq: i32,
    size_bytes: i64,
    hasher: Sha256,
}

impl OpenFile {
    /// A file of the operator's, or of one vendor's.
    pub(super) fn new(name: String, vendor: Option<VendorId>, media_type: &'static str) -> Self {
        Self { id: new_id(), name, vendor, media_type, text: Vec::new(), seq: 0, size_bytes: 0, hasher: Sha256::new() }
    }

    /// Takes the first bytes of the text as the next piece. The room that they took is kept for what follows.
    pub(super) fn cut(&mut self, length: usize) -> Result<NewPiece, Fault> {
        let bytes: Vec<u8> = self.text.drain(..length).collect();
        let too_large = || Fault::Unreadable(format!("{} is too large", self.name));
        self.seq = self.seq.checked_add(1).ok_or_else(too_large)?;
        self.size_bytes = i64::try_from(bytes.len()).ok().and_then(|size| self.size_bytes.checked_add(size)).ok_or_else(too_large)?;
        self.hasher.update(&bytes);
        Ok(NewPiece { file: self.id, seq: self.seq, vendor: self.vendor, bytes })
    }
}

impl<'a> Shelf<'a> {
    pub(super) fn new(tx: &'a Tx<'a>, run: RunId, at: Timestamp) -> Self {
        Self { tx, run, at, heads: Vec::new(), pieces: Vec::new(), waiting_bytes: 0 }
    }

    /// Takes the full pieces of a file under way. To be called after every few rows.
    pub(super) async fn keep(&mut self, file: &mut OpenFile) -> Result<(), Fault> {
        while file.text.len() >= PIECE_BYTES_MAX {
            let piece = file.cut(PIECE_BYTES_MAX)?;
            self.wait(piece).await?;
        }
        Ok(())
    }

    /// Takes the rest of a file.
    pub(super) async fn close(&mut self, mut file: OpenFile) -> Result<(), Fault> {
        self.keep(&mut file).await?;
        if !file.text.is_empty() {
            let piece = file.cut(file.text.len())?;
            self.wait(piece).await?;
        }
        let OpenFile { id, name, vendor, media_type, text: _, seq: _, size_bytes, hasher } = file;
        self.heads.push(NewHead { id, name, vendor, media_type, size_bytes, sha256: hasher.finalize().into() });
        Ok(())
    }

    async fn wait(&mut self, piece: NewPiece) -> Result<(), Fault> {
        self.waiting_bytes = self.waiting_bytes.saturating_add(piece.bytes.len());
        self.pieces.push(piece);
        if self.waiting_bytes >= WAITING_BYTES_MAX { self.flush().await } else { Ok(()) }
    }

    /// Stores what waits. A file's pieces may be stored before the file: the constraint between them is checked at commit.
    pub(super) async fn flush(&mut self) -> Result<(), Fault> {
        store::insert_heads(self.tx, self.run, self.at, &mem::take(&mut self.heads)).await?;
        store::insert_pieces(self.tx, &mem::take(&mut self.pieces)).await?;
        self.waiting_bytes = 0;
        Ok(())
    }
}
