//! One batch: from requests to commits.

use super::memory::Memory;
use super::store::{self, Answers, StoredAnswer};
use super::{Answer, PostRefusal, Posted, Request};
use crate::obligations::LEAF_KEY;
use crate::{Claim, Clock, Db, Failure, Fault, new_id};
use scrip::posting::{self, Levels, Posting, Receipt, Refusal};
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_postgres::error::SqlState;

/// A batch that lost against another writer is tried again this often.
const ATTEMPTS_MAX: u32 = 10;

/// Running sums are kept in this many rows per pair, so that as many writers can post without waiting for one row.
const WRITERS: i16 = 16;

/// A key that is used twice breaks this.
const KEY_USED_ONCE: &str = "idempotency_pkey";

/// After a used key, this many batches look for used keys before they write.
const LOOK_FIRST: u32 = 100;

/// What one writer may put into one window.
const WINDOW_BOUND: &str = "window_totals_gross_within_bounds";

/// Commits batches; the only code that moves tokens in the database.
#[derive(Debug)]
pub(super) struct Writer {
    db: Db,
    clock: Clock,
    /// Which running sums it adds to. Two writers with one number merely wait for each other.
    number: i16,
    memory: Mutex<Memory>,
    /// How many more batches look for used keys first.
    look_first: AtomicU32,
}

/// A number for each writer of this process, beginning anywhere, so that two processes seldom share one.
pub(super) fn writer_numbers() -> impl Iterator<Item = i16> {
    let [.., random] = *new_id().as_bytes();
    let first = i16::from(random);
    (0..WRITERS).cycle().map(move |n| first.wrapping_add(n).rem_euclid(WRITERS))
}

type Outcome = Result<Posted, PostRefusal>;

impl Writer {
    pub(super) fn new(db: Db, clock: Clock, number: i16) -> Self {
        Self { db, clock, number, memory: Mutex::default(), look_first: AtomicU32::default() }
    }

    /// Commits the requests as one tx and answers each. Where one posting's figures do not fit the database, the batch is
    /// committed posting by posting, so that the others are not held back by it.
    pub(super) async fn commit(&self, requests: &[Request]) -> Vec<Answer> {
        self.commit_looking(requests, self.looks_first()).await
    }

    async fn commit_looking(&self, requests: &[Request], looks_first: bool) -> Vec<Answer> {
        match self.commit_persistently(requests, looks_first).await {
            Ok(outcomes) => outcomes.into_iter().map(|o| o.map_err(Failure::Refused)).collect(),
            Err(fault) if does_not_fit(&fault) && requests.len() > 1 => {
                let mut answers = Vec::with_capacity(requests.len());
                for request in requests {
                    answers.extend(Box::pin(self.commit_looking(std::slice::from_ref(request), true)).await);
                }
                answers
            }
            Err(fault) if does_not_fit(&fault) => {
                requests.iter().map(|r| Err(Failure::Refused(too_much(&fault, &r.posting).into()))).collect()
            }
            Err(fault) => {
                let fault = Arc::new(fault);
                requests.iter().map(|_| Err(Failure::Fault(Fault::Batch(Arc::clone(&fault))))).collect()
            }
        }
    }

    /// Tries again when another writer was in the way, or when what did not fit may have been the forecast, or a request that was granted
    /// before. Whatever is tried again looks for used keys first: what it says of a request is then the last word.
    async fn commit_persistently(&self, requests: &[Request], mut looks_first: bool) -> Result<Vec<Outcome>, Fault> {
        let mut forecast = self.memory().forecast(requests);
        let mut attempts_left = ATTEMPTS_MAX;
        loop {
            match self.commit_batch(requests, &forecast.changes, looks_first).await {
                Err(fault) if (lost_a_race(&fault) || (forecast.is_guess || !looks_first) && does_not_fit(&fault)) && attempts_left > 1 => {
                    tracing::info!(attempts_left, %fault, "a batch is tried again");
                    attempts_left = attempts_left.saturating_sub(1);
                    if fault.constraint() == Some(KEY_USED_ONCE) {
                        self.look_first.store(LOOK_FIRST, Relaxed);
                    }
                    looks_first = true;
                    // Without a guess all accounts are locked in key order, so that two batches cannot wait for each other in a circle.
                    forecast = Memory::default().forecast(requests);
                }
                result => return result,
            }
        }
    }

    /// Phases: lock and read (the accounts, changed as forecast; terms and open windows; what capped vendors owe), decide, write, commit.
    ///
    /// Used keys: of a granted request the database vouches that its key is new, or the batch fails and is tried again; one that the rules
    /// refuse may have been granted before, so its key is looked for. While used keys are met, all are looked for first. It is done under
    /// the locks: whoever used a key for the same request in another process has committed by then.
    async fn commit_batch(&self, requests: &[Request], forecast: &store::Forecast, looks_first: bool) -> Result<Vec<Outcome>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_posting()?;
        // Taken, so that a batch that comes to nothing leaves no memory of what it thought it had learnt.
        let mut memory = mem::take(&mut *self.memory());
        let found = store::read(&tx, self.number, requests, forecast, &mut memory, self.clock.now()).await?;
        let store::Found { mut book, stored, mut exposures, terms } = found;
        let levels = exposures.levels(&terms.caps);
        let mut used = Answers::default();
        if looks_first {
            used = store::find_answers(&tx, requests.iter().map(|request| &request.claim)).await?;
        }
        let (replays, fresh) = split(requests, &used);

        let decided = posting::decide(fresh.iter().map(|(_, request)| &request.posting), &mut book, &mut exposures, terms);

        let refused = fresh.iter().zip(&decided.outcomes).filter(|(_, outcome)| outcome.is_err() && !looks_first);
        let granted_before = store::find_answers(&tx, refused.map(|((_, request), _)| &request.claim)).await?;
        if !used.is_empty() || !granted_before.is_empty() {
            self.look_first.store(LOOK_FIRST, Relaxed);
        }

        // From here on nothing may be refused; only a fault can stop it, and then nothing is kept.
        let granted = fresh.iter().zip(&decided.outcomes).filter_map(|((_, request), o)| Some((&request.claim, o.as_ref().ok()?)));
        store::write(tx, self.number, &decided.journal, &book, &stored, granted, terms).await?;
        warn_of(&exposures.crossings(&terms.caps, &levels));
        *self.memory() = memory;
        Ok(join(requests.len(), replays, fresh, decided.outcomes, &granted_before))
    }

    /// Whether used keys were met lately.
    fn looks_first(&self) -> bool {
        self.look_first.try_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Replays = Vec<(usize, Outcome)>;
type Fresh<'a> = Vec<(usize, &'a Request)>;

/// Requests whose key has an answer, and those still to be decided; each with its place in the batch.
fn split<'a>(requests: &'a [Request], used: &Answers) -> (Replays, Fresh<'a>) {
    let (mut replays, mut fresh) = (Vec::new(), Vec::new());
    for (place, request) in requests.iter().enumerate() {
        match used.get(&request.claim) {
            Some(stored) => replays.push((place, replay(&request.claim, stored))),
            None => fresh.push((place, request)),
        }
    }
    (replays, fresh)
}

fn join(
    count: usize,
    replays: Replays,
    fresh: Fresh<'_>,
    decided: Vec<Result<Receipt, Refusal>>,
    granted_before: &Answers,
) -> Vec<Outcome> {
    let new = fresh.into_iter().zip(decided).map(|((place, request), outcome)| {
        let outcome = match (outcome, granted_before.get(&request.claim)) {
            (_, Some(stored)) => replay(&request.claim, stored),
            (Ok(receipt), None) => Ok(Posted { receipt, replayed: false }),
            (Err(refusal), None) => Err(refusal.into()),
        };
        (place, outcome)
    });
    let mut outcomes: Vec<(usize, Outcome)> = replays.into_iter().chain(new).collect();
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    assert_eq!(outcomes.len(), count, "every request of a batch is answered once");
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Warns of each vendor that came to or over 70 or 90 % of a cap, or to all of it, with this batch. What it owed before was read under
/// lock, so each crossing is said once, by the process whose batch it was.
fn warn_of(crossings: &Levels) {
    for (key, level) in crossings {
        let (vendor, level) = (key.debtor, level.as_str());
        match key.creditor {
            None => tracing::warn!(%vendor, level, "a vendor is near its net debit cap"),
            Some(creditor) => tracing::warn!(%vendor, %creditor, level, "a vendor is near what a creditor accepts"),
        }
    }
}

/// The first answer again, if the request is the same.
pub(super) fn replay(claim: &Claim, stored: &StoredAnswer) -> Outcome {
    if stored.request_hash == claim.request_hash {
        Ok(Posted { receipt: stored.receipt.clone(), replayed: true })
    } else {
        Err(PostRefusal::IdempotencyKeyReused)
    }
}

/// A deadlock, the same idempotency key used in another process, or another batch with this writer's number in the same microsecond.
fn lost_a_race(fault: &Fault) -> bool {
    let raced = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
    fault.sql_state().is_some_and(|state| raced.contains(state))
        || fault.constraint().is_some_and(|name| [KEY_USED_ONCE, LEAF_KEY].contains(&name))
}

fn does_not_fit(fault: &Fault) -> bool {
    matches!(fault, Fault::PositionTooLarge)
        || fault.sql_state() == Some(&SqlState::NUMERIC_VALUE_OUT_OF_RANGE)
        || fault.constraint() == Some(WINDOW_BOUND)
}

/// What the database's own guard says no to. The rules say the same before it, unless another process with the same writer number
/// has filled the window meanwhile.
fn too_much(fault: &Fault, posting: &Posting) -> Refusal {
    match posting.pair().filter(|_| fault.constraint() == Some(WINDOW_BOUND)) {
        Some((from, to)) => Refusal::WindowFull { from, to },
        None => Refusal::AmountTooLarge,
    }
}
