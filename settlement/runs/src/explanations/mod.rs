//! Explanations: what is behind each transfer and each position of a run, to the obligation and the swap, and what a failure to pay
//! would come to.
//!
//! Shape: [`Explanations`] is the service. It reads a run within one snapshot (`case`), nets it again exactly as `verify` does, and holds the
//! result against what is stored; `transfers` tells the loops behind a transfer, `positions` what became of each obligation of a vendor, `pieces` carries the
//! whole of either out as CSV; `queue` says what of that which no run settles could settle at once. The arithmetic is [`netting::explain`], [`netting::clearing`] and
//! [`netting::gridlock`]. Nothing is kept: each page is made anew, and
//! is the same each time, because what a run was netted from never changes.
//!
//! Bounds: so many explanations at once, each on a connection of its own and on threads that nobody else waits for; the single obligations of
//! runs with at most [`OBLIGATIONS_MAX`] of them, otherwise the sums per debtor and creditor; and some time, after which a place is free
//! again whatever became of the caller. Never: a write, or a lock that a swap could wait for.

mod case;
mod pieces;
mod positions;
mod queue;
mod store;
mod transfers;

use crate::renetting::NettedFrom;
use crate::runs::{self, Run};
use case::{Case, Explained};
use ledger::obligations::Source;
use ledger::{Db, Failure, Fault, Tx};
use netting::ALGORITHM_VERSION;
use netting::clearing::{self, DEFAULTERS_MAX, Defaulter, FailureError, Rule};
pub use pieces::{Broken, Pieces};
pub use positions::{ExplainedItem, ExplainedPosition, POSITION_COLUMNS, Sums};
use queue::Queue;
pub use queue::{Gridlock, QueuedVendor, Tally};
use scrip::{Micro, RunId, SchemeId};
use std::sync::Arc;
use std::time::Duration;
pub(crate) use store::STATEMENTS;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
pub use transfers::{ExplainedLoop, ExplainedPart, ExplainedStep, ExplainedTransfer, LINES_SHOWN_MAX, TRANSFER_COLUMNS};
use uuid::Uuid;

/// The most obligations that are explained one by one: some 250 MB while that lasts, where 425,000 pairs owe each other.
pub const OBLIGATIONS_MAX: i64 = 1_000_000;

/// How long the loops behind a transfer are told before the place is given to somebody else.
pub const TELL_TIME_MAX: Duration = Duration::from_secs(60);

/// What an explanation goes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// To each obligation.
    Obligations,
    /// To the sum of what one vendor owes another, because the run has more than [`OBLIGATIONS_MAX`] obligations.
    Pairs,
}

impl Level {
    /// As shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Obligations => "obligations",
            Self::Pairs => "pairs",
        }
    }
}

/// Where an obligation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Its id, as statements name it.
    pub obligation: Uuid,
    /// What made it.
    pub source: Source,
    /// The swap, or the import, run or dispute that made it.
    pub operation: Uuid,
}

impl Origin {
    /// The obligation and what made it, as text.
    fn ids(self) -> (String, String) {
        (self.obligation.to_string(), self.operation.to_string())
    }
}

/// Which part of a long list is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// So many are left out at its beginning.
    pub after: usize,
    /// At most so many are told.
    pub limit: usize,
}

/// What a failure would come to in a run.
#[derive(Debug, Clone)]
pub struct WhatIfDefault {
    /// The run.
    pub run: Run,
    /// Who fails, in the order in which they were named, and what the house holds of theirs.
    pub collateral: Vec<(String, Micro)>,
    /// What everybody's position comes to.
    pub what_if: clearing::WhatIf,
}

/// Why nothing is explained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplanationRefusal {
    /// There is no such run.
    #[error("there is no such run")]
    RunNotFound,
    /// The run has no transfer of that number.
    #[error("there is no such transfer in this run")]
    TransferNotFound,
    /// The vendor has no position in the run.
    #[error("the vendor has no position in this run")]
    PositionNotFound,
    /// An earlier release may have chosen other transfers.
    #[error("the run was netted by version {version} of the algorithm, and only runs of version {ALGORITHM_VERSION} can be explained")]
    AlgorithmDiffers {
        /// The run's.
        version: i32,
    },
    /// As many as may be are under way.
    #[error("as many explanations as the house makes at once are under way; try again shortly")]
    Overloaded,
    /// The vendor has no part in the run.
    #[error("{vendor} neither owes nor is owed anything in this run")]
    VendorNotInRun {
        /// The code that was given.
        vendor: String,
    },
    /// It went on for longer than [`TELL_TIME_MAX`].
    #[error("explaining this takes longer than the {} seconds that the house gives it; the CSV has more time", TELL_TIME_MAX.as_secs())]
    TakesTooLong,
    /// More than fit in memory at once.
    #[error("{count} obligations wait to be settled, and at most {max} of them can be looked at")]
    TooManyObligations {
        /// How many there are.
        count: i64,
        /// How many there may be.
        max: i64,
    },
    /// A vendor fails once.
    #[error("{vendor} is named twice")]
    VendorNamedTwice {
        /// The code that was given.
        vendor: String,
    },
    /// More than can be looked at.
    #[error("1 to {DEFAULTERS_MAX} vendors can fail at once")]
    DefaultersOutOfRange,
    /// Under the hub strategy the house is who is not paid.
    #[error("the house lends nothing: with the hub strategy, what is owed to the house cannot be carried over")]
    HouseIsCreditor,
}

type Answer<T> = Result<T, Failure<ExplanationRefusal>>;

/// The service: explanations of the runs in a database.
#[derive(Debug, Clone)]
pub struct Explanations {
    db: Db,
    places: Arc<Semaphore>,
    obligations_max: i64,
}

impl Explanations {
    /// So many at once, each on a connection of its own; runs with more obligations than that are explained by pairs.
    pub fn new(db: &Db, explanations_max: usize, obligations_max: i64) -> Self {
        Self { db: db.apart(explanations_max), places: Arc::new(Semaphore::new(explanations_max)), obligations_max }
    }

    /// The loops behind a transfer.
    pub async fn explain_transfer(&self, run: RunId, number: i64, slice: Slice) -> Answer<ExplainedTransfer> {
        let (place, explained) = self.open_transfer(run, number).await?;
        let (_place, told) = on_own_thread(place, move || transfers::tell(&explained, number, slice)).await?;
        Ok(told)
    }

    /// All of them, as CSV with the columns [`TRANSFER_COLUMNS`].
    pub async fn write_transfer(&self, run: RunId, number: i64) -> Answer<Pieces> {
        let (place, explained) = self.open_transfer(run, number).await?;
        Ok(Pieces::begin(place, move |sink| transfers::write(&explained, number, sink)))
    }

    async fn open_transfer(&self, run: RunId, number: i64) -> Answer<(OwnedSemaphorePermit, Explained)> {
        let check = |run: &Run| {
            if (1..=run.transfer_count).contains(&number) { Ok(()) } else { Err(Failure::Refused(ExplanationRefusal::TransferNotFound)) }
        };
        self.open(run, check).await
    }

    /// What became of each obligation that a vendor owes or is owed.
    pub async fn explain_position(&self, run: RunId, vendor: &str, slice: Slice) -> Answer<ExplainedPosition> {
        let (place, explained) = self.open(run, |_run| Ok(())).await?;
        let party = explained.find_party(vendor).ok_or(Failure::Refused(ExplanationRefusal::PositionNotFound))?;
        let (_place, told) = on_own_thread(place, move || Ok(positions::tell(&explained, party, slice))).await?;
        Ok(told)
    }

    /// All of them, as CSV with the columns [`POSITION_COLUMNS`].
    pub async fn write_position(&self, run: RunId, vendor: &str) -> Answer<Pieces> {
        let (place, explained) = self.open(run, |_run| Ok(())).await?;
        let party = explained.find_party(vendor).ok_or(Failure::Refused(ExplanationRefusal::PositionNotFound))?;
        Ok(Pieces::begin(place, move |sink| positions::write(&explained, party, sink)))
    }

    /// What everybody's position would come to if these vendors did not pay; by the scheme's rule where none is named.
    pub async fn what_if_default(&self, run: RunId, vendors: Vec<String>, rule: Option<Rule>) -> Answer<WhatIfDefault> {
        if !(1..=DEFAULTERS_MAX).contains(&vendors.len()) {
            return Err(Failure::Refused(ExplanationRefusal::DefaultersOutOfRange));
        }
        let place = self.take_place()?;
        let (run, from, rule, collateral) = {
            let mut connection = self.db.connection().await?;
            let tx = connection.begin_snapshot().await?;
            let run = find_run(&tx, run).await?;
            runs::widen(&tx).await?;
            let rule = match rule {
                Some(rule) => rule,
                None => store::get_rule(&tx, run.id).await?,
            };
            let held = store::list_collateral(&tx, run.id, &vendors).await?;
            let of = |vendor: &String| held.iter().find(|(code, _)| code == vendor).map_or(Micro::ZERO, |(_, amount)| *amount);
            let collateral: Vec<(String, Micro)> = vendors.iter().map(|vendor| (vendor.clone(), of(vendor))).collect();
            let from = NettedFrom::read(&tx, run.id).await?;
            (run, from, rule, collateral)
        };
        let (_place, what_if) = on_own_thread(place, move || fail(run, &from, rule, collateral)).await?;
        Ok(what_if)
    }

    /// What of a scheme's unsettled obligations could settle at once within what the house holds of its vendors'.
    pub async fn resolve_queue(&self, scheme: SchemeId) -> Answer<Gridlock> {
        let place = self.take_place()?;
        let queue = {
            let mut connection = self.db.connection().await?;
            let tx = connection.begin_snapshot().await?;
            Queue::read(&tx, scheme, self.obligations_max).await?
        };
        let (_place, gridlock) = on_own_thread(place, move || Ok(queue.resolve()?)).await?;
        Ok(gridlock)
    }

    /// A run ready to be explained, and the place that this takes.
    async fn open(&self, run: RunId, check: impl FnOnce(&Run) -> Answer<()>) -> Answer<(OwnedSemaphorePermit, Explained)> {
        let place = self.take_place()?;
        let case = {
            let mut connection = self.db.connection().await?;
            let tx = connection.begin_snapshot().await?;
            let run = find_run(&tx, run).await?;
            check(&run)?;
            Case::read(&tx, run, self.obligations_max).await?
        };
        on_own_thread(place, move || Ok(case.explain()?)).await
    }

    /// Refuses rather than waits.
    fn take_place(&self) -> Answer<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().map_err(|_| Failure::Refused(ExplanationRefusal::Overloaded))
    }
}

async fn find_run(tx: &Tx<'_>, run: RunId) -> Answer<Run> {
    let run = runs::find(tx, run).await?.ok_or(Failure::Refused(ExplanationRefusal::RunNotFound))?;
    if run.algorithm_version == ALGORITHM_VERSION {
        Ok(run)
    } else {
        Err(Failure::Refused(ExplanationRefusal::AlgorithmDiffers { version: run.algorithm_version }))
    }
}

fn fail(run: Run, from: &NettedFrom, rule: Rule, collateral: Vec<(String, Micro)>) -> Answer<WhatIfDefault> {
    let (_everything, netting) = case::net_again(&run, from)?;
    let network = from.netted().map_err(|e| Fault::Unreadable(format!("run {}: {e}", run.id)))?;
    let defaulters: Vec<Defaulter<'_>> =
        collateral.iter().map(|(vendor, amount)| Defaulter { party: vendor, collateral: *amount }).collect();
    let refused = |error| match error {
        FailureError::UnknownParty { party } => Failure::Refused(ExplanationRefusal::VendorNotInRun { vendor: party }),
        FailureError::NamedTwice { party } => Failure::Refused(ExplanationRefusal::VendorNamedTwice { vendor: party }),
        FailureError::TooManyDefaulters => Failure::Refused(ExplanationRefusal::DefaultersOutOfRange),
        FailureError::HouseIsCreditor => Failure::Refused(ExplanationRefusal::HouseIsCreditor),
        FailureError::CollateralNegative { .. } => Failure::Fault(Fault::Unreadable(error.to_string())),
    };
    let what_if = clearing::what_if_default(&network, &netting.transfers, &defaulters, rule, run.digits).map_err(refused)?;
    Ok(WhatIfDefault { run, collateral, what_if })
}

/// Work of seconds. Whoever asked may leave: the place is taken until the work is done.
async fn on_own_thread<T: Send + 'static>(
    place: OwnedSemaphorePermit,
    work: impl FnOnce() -> Answer<T> + Send + 'static,
) -> Answer<(OwnedSemaphorePermit, T)> {
    match tokio::task::spawn_blocking(move || work().map(|done| (place, done))).await {
        Ok(answer) => answer,
        Err(bug) => std::panic::resume_unwind(bug.into_panic()),
    }
}
