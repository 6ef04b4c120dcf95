//! The posting engine: every movement of tokens goes through here.
//!
//! Shape: callers [`Engine::post`] into a bounded queue; one writer takes all that wait (up to a limit) and commits them as one
//! database tx, then answers each. One fsync serves thousands of swaps, and a hot row is touched once per batch. Nothing rests
//! on there being one writer: rows are locked, so several server processes may post to one database at once.
//!
//! A full queue answers `Overloaded` at once. A refused posting never spoils its neighbours; a fault fails the batch whole.

mod batch;
mod in_flight;
mod store;

use crate::{Claim, Clock, Db, Failure, Fault};
use batch::Writer;
use in_flight::{InFlight, InFlightKey};
use scrip::posting::{Posting, Receipt, Refusal};
use std::sync::Arc;
pub use store::STATEMENTS;
use tokio::sync::{mpsc, oneshot};

/// How much may wait, and how much is committed at once.
#[derive(Debug, Clone, Copy)]
pub struct EngineLimits {
    /// Postings that may wait; the next one is refused as `Overloaded`.
    pub queue_max: usize,
    /// Postings in one database tx.
    pub batch_max: usize,
}

/// What became of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// What it left.
    pub receipt: Receipt,
    /// The key had been used for the same request before: this is the first answer, and nothing moved now.
    pub replayed: bool,
}

/// Why a posting was not made. Nothing moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostRefusal {
    /// The posting rules say no.
    #[error(transparent)]
    Rule(#[from] Refusal),
    /// The key was used for another request.
    #[error("this idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// A request with this key is being worked on.
    #[error("a request with this idempotency key is still running")]
    IdempotencyKeyInUse,
    /// The queue is full.
    #[error("the server has more to do than it can; try again shortly")]
    Overloaded,
}

type Answer = Result<Posted, Failure<PostRefusal>>;

/// A handle to the posting engine; clones share it. It stops when the last clone is gone and the queue is empty.
#[derive(Debug, Clone)]
pub struct Engine {
    queue: mpsc::Sender<Waiting>,
    in_flight: InFlight,
    db: Db,
}

/// A posting in the queue. Its key stays in flight until the batch has ended, even when the caller has gone away.
#[derive(Debug)]
struct Waiting {
    request: Arc<Request>,
    answer: oneshot::Sender<Answer>,
    _key: InFlightKey,
}

#[derive(Debug)]
struct Request {
    claim: Claim,
    posting: Posting,
}

impl Engine {
    /// Starts the writer on the current runtime.
    pub fn start(db: Db, clock: Clock, limits: EngineLimits) -> Self {
        let (queue, waiting) = mpsc::channel(limits.queue_max.max(1));
        tokio::spawn(write_batches(waiting, Writer::new(db.clone(), clock), limits.batch_max.max(1)));
        Self { queue, in_flight: InFlight::default(), db }
    }

    /// Posts, and answers after the commit. Dropping the future does not take the posting back.
    pub async fn post(&self, claim: Claim, posting: Posting) -> Answer {
        let Some(key) = self.in_flight.enter(&claim) else { return Err(Failure::Refused(PostRefusal::IdempotencyKeyInUse)) };
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { request: Arc::new(Request { claim, posting }), answer, _key: key };
        match self.queue.try_send(waiting) {
            Ok(()) => answered.await.unwrap_or(Err(Failure::Fault(Fault::EngineGone))),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Failure::Refused(PostRefusal::Overloaded)),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Failure::Fault(Fault::EngineGone)),
        }
    }

    /// The first answer of a key that was used before, if it was for the same request; asked before a request is validated.
    pub async fn recall(&self, claim: &Claim) -> Result<Option<Posted>, Failure<PostRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let found = store::find_answers(&tx, &[claim]).await?;
        match found.get(&(claim.actor, claim.key.clone())) {
            None => Ok(None),
            Some(stored) => batch::replay(claim, stored).map(Some).map_err(Failure::Refused),
        }
    }
}

async fn write_batches(mut queue: mpsc::Receiver<Waiting>, writer: Writer, batch_max: usize) {
    let writer = Arc::new(writer);
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, batch_max).await > 0 {
        let requests: Vec<Arc<Request>> = batch.iter().map(|w| Arc::clone(&w.request)).collect();
        let answers = commit_apart(&writer, requests).await;
        for (Waiting { request: _, answer, _key: key }, outcome) in batch.drain(..).zip(answers) {
            // First the key, so that whoever hears of a refusal may repeat the request at once.
            drop(key);
            // A caller that has gone away finds the answer under its key.
            answer.send(outcome).ok();
        }
    }
}

/// Commits in a task of its own: a bug that panics ends its batch, and not the engine.
async fn commit_apart(writer: &Arc<Writer>, requests: Vec<Arc<Request>>) -> Vec<Answer> {
    let (writer, count) = (Arc::clone(writer), requests.len());
    let committed = tokio::spawn(async move { writer.commit(&requests).await }).await;
    committed.unwrap_or_else(|panic| {
        tracing::error!(%panic, count, "a batch of postings met a bug; nothing of it was kept");
        (0..count).map(|_| Err(Failure::Fault(Fault::EngineGone))).collect()
    })
}
