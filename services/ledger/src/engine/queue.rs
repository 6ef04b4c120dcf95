//! What waits to be posted: one lane per writer, bounded together.
//!
//! Shape: [`Queue::ask`] finds room, puts each request into its user's lane as part of a parcel, and gathers the answers;
//! [`Lane::next`] hands a writer all that waits, up to a batch, and [`Batch::answer`] brings the outcomes back. A request's key stays
//! in flight, and its room taken, until its batch is answered, even when the caller has gone away.

use super::in_flight::{InFlight, InFlightKey};
use super::{Answer, PostRefusal, Request};
use crate::{Failure, Fault};
use std::mem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

/// As long as no more than this many requests wait or are under way, one writer takes them all: a batch costs as much as some dozens of
/// rows, so a few large batches cost less than many small ones.
const FEW: usize = 256;

/// How long a batch waits for more when the two before it had far more; callers that were answered together ask again together.
const GATHER: Duration = Duration::from_millis(1);
/// It waits for this part of what those two had together: half of an average batch.
const GATHER_PART: usize = 4;

/// The way in; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    lanes: Arc<[mpsc::UnboundedSender<Parcel>]>,
    /// One permit per request that waits or is under way: this bounds the lanes.
    room: Arc<Semaphore>,
    queue_max: usize,
    in_flight: InFlight,
    parcel_max: usize,
}

/// Requests of one caller that go to one writer together.
#[derive(Debug)]
struct Parcel {
    requests: Vec<Request>,
    ticket: Ticket,
}

/// Where the outcomes of a parcel go.
#[derive(Debug)]
struct Ticket {
    answer: oneshot::Sender<Vec<Answer>>,
    keys: Vec<InFlightKey>,
    room: OwnedSemaphorePermit,
}

/// A parcel that is being packed; each request with its place in the caller's list.
#[derive(Debug, Default)]
struct Packing {
    places: Vec<usize>,
    requests: Vec<Request>,
    keys: Vec<InFlightKey>,
}

/// A parcel under way: whose answers come back.
struct Asked {
    places: Vec<usize>,
    answered: oneshot::Receiver<Vec<Answer>>,
}

impl Queue {
    /// As many lanes as there are writers.
    pub(super) fn open(queue_max: usize, batch_max: usize, writers: usize) -> (Self, Vec<Lane>) {
        let (lanes, ends): (Vec<_>, Vec<_>) = (0..writers).map(|_| mpsc::unbounded_channel()).unzip();
        let queue_max = queue_max.min(Semaphore::MAX_PERMITS);
        let queue = Self {
            lanes: lanes.into(),
            room: Arc::new(Semaphore::new(queue_max)),
            queue_max,
            in_flight: InFlight::default(),
            // A few parcels to a batch, so that many requests of one caller do not hold up everybody else's.
            parcel_max: batch_max.div_ceil(4),
        };
        (queue, ends.into_iter().map(|parcels| Lane { parcels, batch_max, last_two: [0; 2] }).collect())
    }

    /// Asks for each request and gathers the answers in their order.
    pub(super) async fn ask(&self, requests: Vec<Request>) -> Vec<Answer> {
        let refused = |refusal: PostRefusal| requests.iter().map(|_| Err(Failure::Refused(refusal.clone()))).collect();
        let room = u32::try_from(requests.len()).ok().and_then(|count| Arc::clone(&self.room).try_acquire_many_owned(count).ok());
        let Some(room) = room else { return refused(PostRefusal::Overloaded) };

        // What is not sent is what is already in flight; every other answer is put in its place.
        let mut answers: Vec<Answer> = refused(PostRefusal::IdempotencyKeyInUse);
        for Asked { places, answered } in self.send(requests, room) {
            let outcomes = answered.await.unwrap_or_default();
            let gone = std::iter::repeat_with(|| Err(Failure::Fault(Fault::EngineGone)));
            for (place, outcome) in places.into_iter().zip(outcomes.into_iter().chain(gone)) {
                answers[place] = outcome;
            }
        }
        answers
    }

    fn send(&self, requests: Vec<Request>, mut room: OwnedSemaphorePermit) -> Vec<Asked> {
        let mut packing: Vec<Packing> = self.lanes.iter().map(|_| Packing::default()).collect();
        let mut asked = Vec::new();
        let under_way = self.queue_max.saturating_sub(self.room.available_permits());
        let lanes = if under_way <= FEW { 1 } else { self.lanes.len() };
        for (place, request) in requests.into_iter().enumerate() {
            let Some(key) = self.in_flight.enter(&request.claim) else { continue };
            let lane = lane_of(request.posting.first_user().uuid(), lanes);
            packing[lane].add(place, request, key);
            if packing[lane].places.len() >= self.parcel_max {
                asked.extend(mem::take(&mut packing[lane]).send(&self.lanes[lane], &mut room));
            }
        }
        asked.extend(packing.into_iter().zip(self.lanes.iter()).filter_map(|(packing, lane)| packing.send(lane, &mut room)));
        asked
    }
}

impl Packing {
    fn add(&mut self, place: usize, request: Request, key: InFlightKey) {
        self.places.push(place);
        self.requests.push(request);
        self.keys.push(key);
    }

    fn send(self, lane: &mpsc::UnboundedSender<Parcel>, room: &mut OwnedSemaphorePermit) -> Option<Asked> {
        let Self { places, requests, keys } = self;
        if places.is_empty() {
            return None;
        }
        let room = room.split(places.len())?;
        let (answer, answered) = oneshot::channel();
        // A lane whose writer has ended drops the parcel, and with it the way back: the engine is gone.
        lane.send(Parcel { requests, ticket: Ticket { answer, keys, room } }).ok();
        Some(Asked { places, answered })
    }
}

/// The random tail of a user's id says which writer posts for them.
fn lane_of(user: Uuid, lanes: usize) -> usize {
    let [.., a, b] = *user.as_bytes();
    usize::from(u16::from_be_bytes([a, b])).checked_rem(lanes).unwrap_or_default()
}

/// A writer's end of its lane.
#[derive(Debug)]
pub(super) struct Lane {
    parcels: mpsc::UnboundedReceiver<Parcel>,
    batch_max: usize,
    /// How many requests the last two batches had.
    last_two: [usize; 2],
}

impl Lane {
    /// Whether so many wait that [`Lane::next`] will not. Of bulk requests, which come many to a parcel, it says so less often than it might.
    pub(super) fn is_ready(&self) -> bool {
        self.parcels.len() >= self.enough().max(1)
    }

    /// A batch of so many requests waits for no more.
    fn enough(&self) -> usize {
        let [before, last] = self.last_two;
        before.saturating_add(last).div_ceil(GATHER_PART)
    }

    /// Waits for a request, then takes all that are there, up to a batch. None when nobody will ask again.
    pub(super) async fn next(&mut self) -> Option<(Batch, Vec<Request>)> {
        let (mut batch, mut requests) = (Batch::default(), Vec::new());
        let mut next = Some(self.parcels.recv().await?);
        let gathered_by = Instant::now().checked_add(GATHER)?;
        let enough = self.enough();
        while let Some(Parcel { requests: some, ticket }) = next {
            batch.tickets.push((some.len(), ticket));
            requests.extend(some);
            if requests.len() >= self.batch_max {
                break;
            }
            next = match self.parcels.try_recv() {
                Ok(parcel) => Some(parcel),
                Err(_) if requests.len() >= enough => None,
                Err(_) => tokio::time::timeout_at(gathered_by, self.parcels.recv()).await.ok().flatten(),
            };
        }
        self.last_two = [self.last_two[1], requests.len()];
        Some((batch, requests))
    }
}

/// Who waits for the requests of a batch, in their order.
#[derive(Debug, Default)]
pub(super) struct Batch {
    tickets: Vec<(usize, Ticket)>,
}

impl Batch {
    /// Brings each caller its outcomes.
    pub(super) fn answer(self, outcomes: Vec<Answer>) {
        let mut outcomes = outcomes.into_iter();
        for (count, Ticket { answer, keys, room }) in self.tickets {
            // First the keys and the room, so that whoever hears of it may ask again at once.
            drop((keys, room));
            // A caller that has gone away finds the answer under its key.
            answer.send(outcomes.by_ref().take(count).collect()).ok();
        }
    }
}
