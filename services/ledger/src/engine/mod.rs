//! The posting engine: every movement of tokens goes through here.
//!
//! Shape: callers [`Engine::post`] (or [`Engine::post_many`]) into bounded queues, one per writer; a writer takes all that wait (up to
//! a limit) and commits them as one database tx, then answers each. One fsync serves thousands of swaps, and a hot row is touched once
//! per batch. A user's postings always go to the same writer, so two writers seldom want the same account; nothing rests on that:
//! rows are locked, so several writers and several server processes may post to one database at once.
//!
//! A full queue answers `Overloaded` at once. A refused posting never spoils its neighbours; a fault fails the batch whole.

mod batch;
mod in_flight;
mod memory;
mod queue;
mod store;

use crate::{Claim, Clock, Db, Failure, Fault};
use batch::Writer;
use memory::Memory;
use queue::{Batch, Lane, Queue};
use scrip::posting::{self, Posting, Receipt, Refusal, SwapOrder, Swapped};
use std::sync::Arc;
pub use store::STATEMENTS;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// How much may wait, how much is committed at once, and by how many.
#[derive(Debug, Clone, Copy)]
pub struct EngineLimits {
    /// Postings that may be waiting or under way; the next one is refused as `Overloaded`.
    pub queue_max: usize,
    /// Postings in one database tx.
    pub batch_max: usize,
    /// Batches that are committed at the same time, each on a connection of its own.
    pub writers: usize,
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

/// A writer commits one batch after the other.
const CONNECTIONS_PER_WRITER: usize = 1;
/// To look up the answers of used keys.
const RECALL_CONNECTIONS: usize = 1;
/// To look at what a swap would come to: whoever looks waits for others that do, and nobody who posts waits for any of them.
const PREVIEW_CONNECTIONS: usize = 1;
/// So many may look or wait for it; one more is refused as `Overloaded`.
const PREVIEWS_MAX: usize = 64;

type Answer = Result<Posted, Failure<PostRefusal>>;

/// A handle to the posting engine; clones share it. It stops when the last clone is gone and the queues are empty.
#[derive(Debug, Clone)]
pub struct Engine {
    queue: Queue,
    db: Db,
    previews: Db,
    preview_places: Arc<Semaphore>,
    clock: Clock,
}

#[derive(Debug)]
struct Request {
    claim: Claim,
    posting: Posting,
}

impl Engine {
    /// Starts the writers, each on a thread of its own, and with connections of its own: posting waits for nobody, neither for readers
    /// nor for the runs of a scheme that wait for each other.
    ///
    /// # Panics
    /// Outside of a tokio runtime, and where the system has no room for a thread.
    pub fn start(db: &Db, clock: Clock, limits: EngineLimits) -> Self {
        let EngineLimits { queue_max, batch_max, writers } = limits;
        let (queue, lanes) = Queue::open(queue_max.max(1), batch_max.max(1), writers.max(1));
        for (lane, number) in lanes.into_iter().zip(batch::writer_numbers()) {
            start_writer(lane, Writer::new(db.apart(CONNECTIONS_PER_WRITER), clock.clone(), number));
        }
        Self {
            queue,
            db: db.apart(RECALL_CONNECTIONS),
            previews: db.apart(PREVIEW_CONNECTIONS),
            preview_places: Arc::new(Semaphore::new(PREVIEWS_MAX)),
            clock,
        }
    }

    /// Posts, and answers after the commit. Dropping the future does not take the posting back.
    pub async fn post(&self, claim: Claim, posting: Posting) -> Answer {
        self.post_many(vec![(claim, posting)]).await.pop().unwrap_or(Err(Failure::Fault(Fault::EngineGone)))
    }

    /// Posts each on its own, as if they had come one after the other, and answers in their order after the last commit. They may end
    /// up in several batches. When the queue has no room for all of them none is posted, and each answers `Overloaded`.
    pub async fn post_many(&self, postings: Vec<(Claim, Posting)>) -> Vec<Answer> {
        self.queue.ask(postings.into_iter().map(|(claim, posting)| Request { claim, posting }).collect()).await
    }

    /// What the swap would come to if it were made now, or why it would not be: decided by the same rules on what is there. Nothing is
    /// written, and what another one does meanwhile may make it come to something else.
    pub async fn preview_swap(&self, order: SwapOrder) -> Result<Swapped, Failure<PostRefusal>> {
        let _place = self.preview_places.try_acquire().map_err(|_| Failure::Refused(PostRefusal::Overloaded))?;
        let posting = Posting::Swap(order);
        let mut connection = self.previews.connection().await?;
        let tx = connection.begin_preview()?;
        let mut memory = Memory::default();
        let (mut book, mut exposures, terms) = store::look(&tx, &posting, &mut memory, self.clock.now()).await?;
        match posting::decide([&posting], &mut book, &mut exposures, terms).outcomes.pop() {
            Some(Ok(Receipt::Swapped(swapped))) => Ok(*swapped),
            Some(Err(refusal)) => Err(Failure::Refused(refusal.into())),
            Some(Ok(_)) | None => Err(Fault::Unreadable("what a swap would come to".to_owned()).into()),
        }
    }

    /// The first answer of a key that was used before, if it was for the same request; asked before a request is validated.
    pub async fn recall(&self, claim: &Claim) -> Result<Option<Posted>, Failure<PostRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_posting()?;
        let found = store::find_answers(&tx, [claim].into_iter()).await?;
        match found.get(claim) {
            None => Ok(None),
            Some(stored) => batch::replay(claim, stored).map(Some).map_err(Failure::Refused),
        }
    }
}

/// On a thread and a runtime of its own, with its connection: between two batches a writer waits for the database, and never for its turn
/// among the requests that were just answered.
fn start_writer(lane: Lane, writer: Writer) {
    let callers = Handle::current();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the system has room for a runtime");
    let started =
        std::thread::Builder::new().name("posting".to_owned()).spawn(move || runtime.block_on(write_batches(lane, writer, callers)));
    started.expect("the system has room for a thread");
}

/// The callers of one batch are told of it when the next one is on its way to the database, which would otherwise have nothing to do
/// while they are. Where no batch is ready, they are told at once.
async fn write_batches(mut lane: Lane, writer: Writer, callers: Handle) {
    let writer = Arc::new(writer);
    let mut ended = None;
    loop {
        if !lane.is_ready() {
            answer(&callers, ended.take());
        }
        let Some((batch, requests)) = lane.next().await else { return };
        let count = requests.len();
        let at_work = Arc::clone(&writer);
        // In a task of its own: a bug that panics ends its batch, and not the engine.
        let committing = tokio::spawn(async move { at_work.commit(&requests).await });
        // It begins, and what it sends goes out.
        tokio::task::yield_now().await;
        answer(&callers, ended.take());
        let answers = committing.await.unwrap_or_else(|panic| {
            tracing::error!(%panic, count, "a batch of postings met a bug; nothing of it was kept");
            (0..count).map(|_| Err(Failure::Fault(Fault::EngineGone))).collect()
        });
        ended = Some((batch, answers));
    }
}

/// On the callers' own threads, where waking them is cheap.
fn answer(callers: &Handle, ended: Option<(Batch, Vec<Answer>)>) {
    if let Some((batch, answers)) = ended {
        callers.spawn(async move { batch.answer(answers) });
    }
}
