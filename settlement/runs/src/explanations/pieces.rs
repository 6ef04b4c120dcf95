//! The CSV of an explanation on its way: rows are made on a thread of their own while whoever asked takes the pieces.
//!
//! What breaks off says so, so that half an explanation is never taken for a whole one. A reader that leaves ends the writing with the next piece,
//! one that is too slow after [`WRITE_TIME_MAX`].

use crate::csv_text::push_row;
use bytes::Bytes;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// How long an explanation may be under way; it keeps its memory and its place that long.
const WRITE_TIME_MAX: Duration = Duration::from_secs(10 * 60);

const PIECE_BYTES: usize = 64 * 1024;

/// Pieces that wait for a slow reader.
const PIECES_WAITING_MAX: usize = 4;

/// Why an explanation that was begun has no end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It was not taken in time.
    #[error("the explanation was not taken within {} minutes", WRITE_TIME_MAX.as_secs().div_euclid(60))]
    TooSlow,
    /// Nobody takes it any more.
    #[error("nobody takes the explanation")]
    Left,
    /// The writer met a bug.
    #[error("writing the explanation met a bug")]
    Bug,
}

/// An explanation on its way. Dropped, it is written no further.
#[derive(Debug)]
pub struct Pieces {
    pieces: Receiver<Bytes>,
    writer: Option<JoinHandle<Result<(), Broken>>>,
}

impl Pieces {
    pub(super) fn begin(place: OwnedSemaphorePermit, write: impl FnOnce(&mut Sink) -> Result<(), Broken> + Send + 'static) -> Self {
        let (sender, pieces) = mpsc::channel(PIECES_WAITING_MAX);
        let until = Instant::now().checked_add(WRITE_TIME_MAX).expect("the clock goes on for minutes");
        let writer = tokio::task::spawn_blocking(move || {
            let mut sink = Sink { text: Vec::new(), sender, until };
            let written = write(&mut sink).and_then(|()| sink.flush());
            drop(place);
            written
        });
        Self { pieces, writer: Some(writer) }
    }

    /// The next bytes; none after the last.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        if let Some(piece) = self.pieces.recv().await {
            return Ok(Some(piece));
        }
        match self.writer.take() {
            Some(writer) => writer.await.unwrap_or(Err(Broken::Bug)).map(|()| None),
            None => Ok(None),
        }
    }
}

/// Where the rows go.
pub(super) struct Sink {
    text: Vec<u8>,
    sender: Sender<Bytes>,
    until: Instant,
}

impl Sink {
    /// One row of CSV. Waits for a reader that is slower; only for threads that may wait.
    pub(super) fn row<const N: usize>(&mut self, cells: [&str; N]) -> Result<(), Broken> {
        push_row(&mut self.text, cells);
        if self.text.len() >= PIECE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Broken> {
        if self.text.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.text));
        match Handle::current().block_on(timeout_at(self.until, self.sender.send(piece))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_closed)) => Err(Broken::Left),
            Err(_elapsed) => Err(Broken::TooSlow),
        }
    }
}
