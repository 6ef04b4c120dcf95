//! The load generator: connections that each send one request, wait for its answer, look at it, and send the next.
//!
//! It runs on one thread of its own, in another process than the servers. A turn begins with a while that is not counted. A request that was
//! under way at the begin or the end counts by the part of its time that lies within the turn, so that a few long requests measure as
//! finely as many short ones. An answer that the turn does not expect ends it: a figure of refusals is none.

mod bulk;
mod singles;

use crate::client::{Answer, Connection};
use crate::figures::Taken;
use crate::market::{Draw, Market};
use crate::seed::House;
use crate::usage::{Shares, Watched};
use crate::{BenchError, number};
use bytes::Bytes;
use fastrand::Rng;
use http_body_util::Full;
use hyper::Request;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Numbers every request of this process, so that no two bear one idempotency key.
static NEXT_REQUEST: AtomicU64 = AtomicU64::new(0);

/// Counted where there was no answer, or a 503 that does not say when to come back.
pub(crate) const UNANSWERED: u16 = 0;

/// What a connection sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One swap a request.
    Singles,
    /// So many swaps a request.
    Bulk {
        /// How many.
        lines: u32,
    },
}

/// Which answers a turn is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Every swap is made.
    Made,
    /// Whatever comes is counted: the server is offered more than it can do.
    Anything,
}

/// One turn.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) kind: Kind,
    pub(crate) connections: u32,
    pub(crate) draw: Draw,
    pub(crate) expect: Expect,
    pub(crate) warm: Duration,
    pub(crate) take: Duration,
    /// How long a connection waits from one request to the next, at least; none: it sends as soon as it is answered.
    pub(crate) pace: Option<Duration>,
    pub(crate) watched: Watched,
    /// The servers; connections are dealt out to them in turn.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// What a turn came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offered {
    pub(crate) taken: Taken,
    /// Swaps (not requests) by the HTTP status that each was answered with.
    pub(crate) statuses: BTreeMap<u16, f64>,
}

impl Load {
    /// Offers the load to the house's servers.
    pub(crate) async fn offer(&self, house: &House) -> Result<Offered, BenchError> {
        let (load, house) = (self.clone(), house.clone());
        let driven = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(BenchError::io("the load generator's thread"))?.block_on(load.drive(house))
        });
        driven.await.map_err(|panic| BenchError::Unreadable(format!("the load generator ended early: {panic}")))?
    }

    async fn drive(self, house: House) -> Result<Offered, BenchError> {
        let mut open = Vec::new();
        for (number, address) in (0..self.connections).zip(self.addresses.iter().cycle()) {
            open.push((number, *address, Connection::open(*address).await?));
        }
        let begin = Instant::now() + self.warm;
        let shared = Arc::new(Shared { begin, end: begin + self.take, expect: self.expect, draw: self.draw, pace: self.pace, house });
        let mut driven = JoinSet::new();
        for (number, address, connection) in open {
            let (shared, kind) = (Arc::clone(&shared), self.kind);
            driven.spawn(async move {
                let seed = NEXT_REQUEST.load(Ordering::Relaxed) + u64::from(number);
                let driver = Driver { address, connection, rng: Rng::with_seed(seed), next: begin, shared, tally: Tally::default() };
                match kind {
                    Kind::Singles => driver.singles().await,
                    Kind::Bulk { lines } => driver.bulk(lines).await,
                }
            });
        }
        let shares = watch(&self.watched, begin, self.take).await;
        let mut all = Tally::default();
        while let Some(tally) = driven.join_next().await {
            all.add(tally.map_err(|panic| BenchError::Unreadable(format!("a connection ended early: {panic}")))??);
        }
        let made = all.statuses.get(&201).copied().unwrap_or_default();
        if all.latencies.is_empty() {
            return Err(BenchError::Unreadable("no request was answered within a turn; make the turns longer with --seconds".to_owned()));
        }
        Ok(Offered { taken: Taken::from_latencies(all.latencies, made, self.take, shares), statuses: all.statuses })
    }
}

async fn watch(watched: &Watched, begin: Instant, take: Duration) -> Shares {
    tokio::time::sleep_until(begin.into()).await;
    let before = watched.sample();
    tokio::time::sleep_until((begin + take).into()).await;
    before.until(&watched.sample())
}

/// What all connections of a turn know.
struct Shared {
    begin: Instant,
    end: Instant,
    expect: Expect,
    draw: Draw,
    pace: Option<Duration>,
    house: House,
}

/// One connection at work.
struct Driver {
    address: SocketAddr,
    connection: Connection,
    rng: Rng,
    /// When it may send again.
    next: Instant,
    shared: Arc<Shared>,
    tally: Tally,
}

/// What a connection counted.
#[derive(Debug, Default)]
struct Tally {
    /// Of requests, in microseconds.
    latencies: Vec<u32>,
    /// Of swaps.
    statuses: BTreeMap<u16, f64>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        for (status, swaps) in other.statuses {
            *self.statuses.entry(status).or_default() += swaps;
        }
    }
}

impl Driver {
    fn market(&self) -> Market {
        self.shared.house.market
    }

    /// Counts one request, as far as it lies within the turn, with the swaps in it by status.
    fn count(&mut self, sent: Instant, statuses: impl IntoIterator<Item = (u16, u64)>) {
        let answered = Instant::now();
        let Shared { begin, end, .. } = *self.shared;
        let part = part_within((sent, answered), (begin, end));
        if part <= 0.0 {
            return;
        }
        self.tally.latencies.push(number::micros(answered.duration_since(sent)));
        for (status, swaps) in statuses {
            *self.tally.statuses.entry(status).or_default() += part * number::real(swaps);
        }
    }

    /// Waits for the connection's next turn, where it has a pace; whoever is behind does not wait.
    async fn keep_pace(&mut self) {
        if let Some(pace) = self.shared.pace {
            tokio::time::sleep_until(self.next.into()).await;
            self.next = Instant::now().max(self.next + pace);
        }
    }

    /// Whether this is an answer that the turn is about.
    fn expects(&self, status: u16) -> bool {
        status == 201 || self.shared.expect == Expect::Anything
    }

    /// Sends. Where anything is expected, a broken connection is an answer too, and is opened again.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, BenchError> {
        match self.connection.send(request).await {
            Err(BenchError::Broken(_)) if self.shared.expect == Expect::Anything => {
                self.connection = Connection::open(self.address).await?;
                Ok(Answer { status: UNANSWERED, body: Bytes::new() })
            }
            answered => answered,
        }
    }
}

/// A key that no other request of this process bears.
fn next_key() -> String {
    format!("bench-{}-{}", std::process::id(), NEXT_REQUEST.fetch_add(1, Ordering::Relaxed))
}

/// Which part of the first span lies within the second.
fn part_within((from, to): (Instant, Instant), (begin, end): (Instant, Instant)) -> f64 {
    let within = to.min(end).saturating_duration_since(from.max(begin));
    within.as_secs_f64() / to.duration_since(from).as_secs_f64().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_by_its_part_of_the_turn() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let turn = (at(10), at(20));
        let spans = [(at(11), at(12)), (at(8), at(12)), (at(19), at(23)), (at(0), at(40)), (at(5), at(10)), (at(20), at(21))];
        assert_eq!(spans.map(|span| part_within(span, turn)), [1.0, 0.5, 0.25, 0.25, 0.0, 0.0]);
    }
}
