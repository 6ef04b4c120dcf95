//! A bundle on its way from the database to whoever takes it. Memory is that of some parts of a table, however many there are.

use super::archive::{self, Block, ZEROS};
use super::cells::Text;
use super::records::{
    BUNDLE, CarryRow, ConfirmationRow, DefaultDebtRow, DefaultDrawRow, DefaultRow, DrawCorrectionRow, FILES, FORMAT, HoldingRow, LeafRow,
    Listing, Member, ObligationRow, PART_ROWS_MAX, RUN, STEPS, SwapRow, TransferRow, TransferStepRow, VendorRow, WINDOWS, part_name,
    to_json,
};
use super::store::{self, Scope, Stored};
use super::{Broken, records};
use crate::files;
use crate::runs::widen;
use bytes::Bytes;
use ledger::{Fault, Tx};
use scrip::RunId;
use sha2::{Digest, Sha256};
use std::mem;
use tokio::sync::mpsc::Sender;

/// What is sent at a time, or a whole part of a table.
const CHUNK_BYTES: usize = 256 * 1024;

/// Heads of files at a time.
const FILES_PER_FETCH: i64 = 1_000;

/// Writes the bundle of a run that is there, as this tx sees it.
pub(super) async fn write(tx: &Tx<'_>, run: RunId, out: &Sender<Bytes>) -> Result<(), Broken> {
    widen(tx).await?;
    let record = store::find_run(tx, run).await?.ok_or_else(|| Fault::Unreadable(format!("run {run} is gone")))?;
    let mut packer = Packer { out, at_second: archive::second(record.computed_at.0), members: Vec::new(), waiting: Vec::new() };
    packer.member(RUN, &to_json(&record)).await?;
    let windows = store::list_windows(tx, run).await?;
    packer.member(WINDOWS, &to_json(&windows)).await?;
    packer.member(STEPS, &to_json(&store::list_steps(tx, run).await?)).await?;
    let of_run = [Scope::Run(run)];
    let of_windows: Vec<Scope> = windows.iter().map(|window| Scope::Window { id: window.id.0, number: window.number }).collect();
    // The tables, in the order in which `verify` expects them.
    packer.table::<VendorRow>(tx, &of_run).await?;
    packer.table::<LeafRow>(tx, &of_windows).await?;
    packer.table::<ObligationRow>(tx, &of_windows).await?;
    packer.table::<SwapRow>(tx, &of_windows).await?;
    packer.table::<HoldingRow>(tx, &of_run).await?;
    packer.table::<TransferRow>(tx, &of_run).await?;
    packer.table::<CarryRow>(tx, &of_run).await?;
    packer.table::<TransferStepRow>(tx, &of_run).await?;
    packer.table::<ConfirmationRow>(tx, &of_run).await?;
    packer.table::<DefaultRow>(tx, &of_run).await?;
    packer.table::<DefaultDebtRow>(tx, &of_run).await?;
    packer.table::<DefaultDrawRow>(tx, &of_run).await?;
    packer.table::<DrawCorrectionRow>(tx, &of_run).await?;
    packer.files(tx, run).await?;
    packer.finish(run).await
}

/// The archive while it is written.
struct Packer<'a> {
    out: &'a Sender<Bytes>,
    at_second: u64,
    members: Vec<Member>,
    /// Bytes that are not sent yet: a run may have tens of thousands of small files.
    waiting: Vec<u8>,
}

impl Packer<'_> {
    async fn push(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Broken> {
        self.out.send(mem::take(&mut self.waiting).into()).await.map_err(|_| Broken::Left)
    }

    fn header(&self, name: &str, size_bytes: u64) -> Result<Block, Broken> {
        archive::header(name, size_bytes, self.at_second).ok_or_else(|| Broken::TooLarge { member: name.to_owned() })
    }

    /// A member whose bytes are at hand.
    async fn member(&mut self, name: &str, bytes: &[u8]) -> Result<(), Broken> {
        let size_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.push(&self.header(name, size_bytes)?).await?;
        self.members.push(Member { name: name.to_owned(), size_bytes, sha256: Text(Sha256::digest(bytes).into()) });
        self.push(bytes).await?;
        self.push(&ZEROS[..archive::padding(size_bytes)]).await
    }

    /// A table in parts of as many rows as a part may have; the last one has fewer, and one is there even if there is no row.
    async fn table<R: Stored>(&mut self, tx: &Tx<'_>, scopes: &[Scope]) -> Result<(), Broken> {
        let mut part = Part::begin::<R>(1);
        for scope in scopes {
            let rows = store::read::<R>(tx, scope).await?;
            while let Some(rows) = rows.next(tx, R::of).await? {
                for row in rows {
                    if part.row_count == PART_ROWS_MAX {
                        let next = Part::begin::<R>(part.number.saturating_add(1));
                        let full = mem::replace(&mut part, next);
                        self.member(&part_name(R::TABLE, full.number), &full.text).await?;
                    }
                    row.push(&mut part.text);
                    part.row_count = part.row_count.saturating_add(1);
                }
            }
        }
        self.member(&part_name(R::TABLE, part.number), &part.text).await
    }

    /// Every file of the run, as it is downloaded.
    async fn files(&mut self, tx: &Tx<'_>, run: RunId) -> Result<(), Broken> {
        let mut pieces = files::read_all(tx, run).await?;
        let mut waiting = Vec::new().into_iter();
        let mut after = String::new();
        loop {
            let heads = files::list(tx, run, &after, FILES_PER_FETCH).await?;
            let Some(last) = heads.last() else { return Ok(()) };
            after.clone_from(&last.name);
            for head in heads {
                let torn = || Fault::Unreadable(format!("file {} is not as long as it says", head.name));
                let name = format!("{FILES}{}", head.name);
                let size_bytes = u64::try_from(head.size_bytes).map_err(|_| torn())?;
                self.push(&self.header(&name, size_bytes)?).await?;
                let (mut hasher, mut left) = (Sha256::new(), size_bytes);
                loop {
                    let Some((of, bytes)) = waiting.next() else {
                        waiting = pieces.next(tx).await?.ok_or_else(torn)?.into_iter();
                        continue;
                    };
                    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    left = left.checked_sub(length).filter(|_| of == head.name).ok_or_else(torn)?;
                    hasher.update(&bytes);
                    self.push(&bytes).await?;
                    if left == 0 {
                        break;
                    }
                }
                self.push(&ZEROS[..archive::padding(size_bytes)]).await?;
                self.members.push(Member { name, size_bytes, sha256: Text(hasher.finalize().into()) });
            }
        }
    }

    /// The list of all members, and the end.
    async fn finish(mut self, run: RunId) -> Result<(), Broken> {
        let listing = Listing { format: FORMAT, run: Text(run), members: mem::take(&mut self.members) };
        self.member(BUNDLE, &to_json(&listing)).await?;
        self.push(&[ZEROS, ZEROS].concat()).await?;
        self.flush().await
    }
}

/// Rows of a table that become a member.
struct Part {
    number: usize,
    row_count: usize,
    text: Vec<u8>,
}

impl Part {
    fn begin<R: records::Record>(number: usize) -> Self {
        let mut text = Vec::new();
        R::push_header(&mut text);
        Self { number, row_count: 0, text }
    }
}
