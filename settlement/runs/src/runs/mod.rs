//! Runs: a closed window becomes positions, transfers, files, and what is carried into the next window.
//!
//! Shape: [`Runs`] is the service. [`Runs::settle`] closes the window for a slot in one tx, then computes every closed window of
//! the scheme that has no run yet, in order of their numbers, each in a tx of its own (`compute`). A crash between the two leaves
//! a closed window without a run, which [`Runs::resume`] or the next call picks up; ids and files follow from what is stored, so
//! the run has the same bytes whoever computes it. It never changes an obligation and never reopens a window.

mod compute;
mod pairs;
mod store;

use crate::ids::run_id;
use crate::schedules::{self, NewSchedule, Schedule, ScheduleId, ScheduleRefusal};
use crate::seals::Hash;
use crate::windows::{self, CloseRefusal, Window};
use jiff::Timestamp;
use ledger::{Clock, Db, Failure, Fault, Tx, lock_scheme_runs};
use netting::Strategy;
use scrip::{Micro, RunId, Scale, SchemeId, WindowId};
use std::collections::BTreeSet;
pub use store::STATEMENTS;
use uuid::Uuid;

/// The netting of one slot of a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Follows from scheme and slot.
    pub id: RunId,
    /// The scheme's code.
    pub scheme: String,
    /// What closed the window: a scheduled instant, `manual:` and somebody's key, or `threshold:` and the window's number.
    pub slot: String,
    /// `computed`, and what becomes of it.
    pub state: String,
    /// The currency of every figure.
    pub currency: String,
    /// The decimals that transfers have.
    pub digits: Scale,
    /// How it was netted.
    pub strategy: Strategy,
    /// Which version of that.
    pub algorithm_version: i32,
    /// How many obligations went in.
    pub obligation_count: i64,
    /// Their sum.
    pub gross: Micro,
    /// What two by two set-off would leave to pay.
    pub bilateral: Micro,
    /// The least money that could settle everything.
    pub net: Micro,
    /// What the strategy leaves to be paid of the debts, before rounding.
    pub remaining: Micro,
    /// What the transfers move.
    pub total: Micro,
    /// How many transfers there are.
    pub transfer_count: i64,
    /// Over the window's debts by debtor and creditor.
    pub input_hash: Hash,
    /// Over transfers and carries.
    pub output_hash: Hash,
    /// The cut-off that it is computed as of: the end of its window.
    pub computed_at: Timestamp,
}

impl Run {
    /// What set-off cancels, so that nobody has to pay it. What rounding carries into the next window is not saved, only late.
    pub fn saved(&self) -> Micro {
        Micro::new(self.gross.units().saturating_sub(self.remaining.units()))
    }
}

/// What a slot led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The run.
    pub run: Run,
    /// Whether this call closed the window; false: the slot had been claimed before.
    pub closed_now: bool,
}

/// How far a run has come, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The window is being closed.
    Close,
    /// The obligations are being summed, and the positions proven equal to them.
    Prove,
    /// The window's leaves are being hashed.
    Seal,
    /// The debts are being netted.
    Net,
    /// Positions and transfers are being stored.
    Record,
    /// The files are being written.
    Write {
        /// So many obligations stand in their statements.
        obligations: i64,
        /// Of so many.
        of: i64,
    },
    /// What rounding left is being carried into the open window.
    Carry,
    /// The run is there.
    Done,
}

/// Why nothing was settled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettleRefusal {
    /// There is no such scheme.
    #[error("there is no such scheme")]
    SchemeNotFound,
    /// A slot has 1 to 300 characters.
    #[error("a slot has 1 to {} characters", SLOT_LENGTH_MAX)]
    SlotMalformed,
}

/// Room for the longest idempotency key and what precedes it.
const SLOT_LENGTH_MAX: usize = 300;

/// The service: schedules, windows, runs and their files.
#[derive(Debug, Clone)]
pub struct Runs {
    db: Db,
    clock: Clock,
}

impl Runs {
    /// The service on a database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Closes the scheme's window for the slot and nets it; the same slot again answers with the same run.
    ///
    /// Dropped half-way, it leaves at most a closed window, which the next call, here or in another process, completes.
    pub async fn settle(
        &self,
        scheme: SchemeId,
        slot: &str,
        progress: impl Fn(Step) + Send + Sync,
    ) -> Result<Settled, Failure<SettleRefusal>> {
        if slot.is_empty() || slot.len() > SLOT_LENGTH_MAX {
            return Err(Failure::Refused(SettleRefusal::SlotMalformed));
        }
        progress(Step::Close);
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let closed = windows::close(&tx, scheme, slot).await.map_err(|failure| match failure {
            Failure::Refused(CloseRefusal::SchemeNotFound) => Failure::Refused(SettleRefusal::SchemeNotFound),
            Failure::Fault(fault) => Failure::Fault(fault),
        })?;
        tx.commit().await?;
        drop(connection);

        self.compute_until(scheme, closed.number, &progress).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let run = store::find(&tx, run_id(scheme, slot)).await?;
        let run = run.ok_or_else(|| Fault::Unreadable(format!("window {} has a run of another slot", closed.number)))?;
        progress(Step::Done);
        Ok(Settled { run, closed_now: closed.closed_now })
    }

    /// Computes what a crash left behind: every closed window without a run. A scheme that cannot be computed is logged and
    /// does not keep the others waiting.
    pub async fn resume(&self) -> Result<Vec<RunId>, Fault> {
        Ok(self.compute_each(self.list_pending().await?).await)
    }

    /// Closes the windows of all schedules that are due, and nets them. Any number of processes may beat at once.
    pub async fn beat(&self, now: Timestamp) -> Result<Vec<RunId>, Fault> {
        // First every cut-off, so that no scheme's waits for the netting of another; what is closed stays so.
        let mut schemes = BTreeSet::new();
        while let Some(claimed) = self.claim(now).await? {
            if !claimed.windows.is_empty() {
                schemes.insert(claimed.scheme);
            }
        }
        Ok(self.compute_each(schemes).await)
    }

    /// Closes the open windows in which a vendor owes more on balance than their scheme's threshold, and nets them. Each window is closed
    /// once, however many processes see it.
    pub async fn settle_above_thresholds(&self) -> Result<Vec<RunId>, Fault> {
        let mut connection = self.db.connection().await?;
        let above = windows::list_above_threshold(&connection.begin_house().await?).await?;
        drop(connection);
        let mut schemes = BTreeSet::new();
        for (scheme, number) in above {
            if self.close_above_threshold(scheme, number).await? {
                tracing::info!(%scheme, number, "a window is settled because a vendor owes more than the scheme's threshold");
                schemes.insert(scheme);
            }
        }
        Ok(self.compute_each(schemes).await)
    }

    async fn close_above_threshold(&self, scheme: SchemeId, number: i64) -> Result<bool, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let closed = windows::close_above_threshold(&tx, scheme, number).await.map_err(|failure| match failure {
            Failure::Refused(CloseRefusal::SchemeNotFound) => Fault::Unreadable(format!("scheme {scheme} has no open window")),
            Failure::Fault(fault) => fault,
        })?;
        tx.commit().await?;
        Ok(closed)
    }

    /// Nets the closed windows of each scheme in a task of its own: what fails there, or a bug that panics, keeps no other scheme
    /// waiting, and is `resume`'s to try again.
    async fn compute_each(&self, schemes: impl IntoIterator<Item = SchemeId>) -> Vec<RunId> {
        let mut runs = Vec::new();
        for scheme in schemes {
            let service = self.clone();
            let computed = tokio::spawn(async move { service.compute_until(scheme, i64::MAX, &|_step| ()).await }).await;
            match computed {
                Ok(Ok(computed)) => runs.extend(computed),
                Ok(Err(fault)) => tracing::error!(%scheme, %fault, "a closed window cannot be netted"),
                Err(panic) => tracing::error!(%scheme, %panic, "netting a closed window met a bug"),
            }
        }
        runs
    }

    /// One schedule per tx, so that no two schemes' window locks are held at once.
    async fn claim(&self, now: Timestamp) -> Result<Option<schedules::Claimed>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let claimed = schedules::claim(&tx, now).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    async fn list_pending(&self) -> Result<Vec<SchemeId>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        store::list_pending(&tx).await
    }

    /// Computes the scheme's closed windows up to a number, the oldest first, each in a tx of its own under the scheme's run lock.
    async fn compute_until(&self, scheme: SchemeId, number: i64, progress: &(impl Fn(Step) + Send + Sync)) -> Result<Vec<RunId>, Fault> {
        let mut runs = Vec::new();
        loop {
            let mut connection = self.db.connection().await?;
            let tx = connection.begin_house().await?;
            lock_scheme_runs(&tx, scheme).await?;
            let Some(window) = store::find_pending(&tx, scheme, number).await? else { return Ok(runs) };
            let run = compute::compute(&self.db, &tx, scheme, &window, progress).await?;
            tx.commit().await?;
            tracing::info!(%run, %scheme, window = window.number, slot = window.slot, "netted");
            runs.push(run);
        }
    }

    /// Keeps a schedule.
    pub async fn create_schedule(&self, new: NewSchedule) -> Result<Schedule, Failure<ScheduleRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let schedule = schedules::create(&tx, new, self.clock.now()).await?;
        tx.commit().await?;
        Ok(schedule)
    }

    /// The scheme's schedules, the oldest first.
    pub async fn list_schedules(&self, scheme: SchemeId) -> Result<Vec<Schedule>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        schedules::list(&tx, scheme).await
    }

    /// Enables or disables a schedule.
    pub async fn update_schedule(&self, id: ScheduleId, enabled: bool) -> Result<Schedule, Failure<ScheduleRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let schedule = schedules::update(&tx, id, enabled, self.clock.now()).await?;
        tx.commit().await?;
        Ok(schedule)
    }
}

/// A window as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowSummary {
    /// The window.
    pub window: Window,
    /// Of a window that has been netted.
    pub netted: Option<Netted>,
}

/// What became of a closed window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Netted {
    /// The run that netted it.
    pub run: RunId,
    /// How many obligations it held.
    pub obligation_count: i64,
    /// Their sum.
    pub gross: Micro,
    /// Its seal.
    pub seal: Hash,
}

/// A vendor in a run: `net = owed - owes = settled + carry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The vendor's code.
    pub vendor: String,
    /// What others owe it.
    pub owed: Micro,
    /// What it owes others.
    pub owes: Micro,
    /// Positive: to be paid; negative: to pay.
    pub net: Micro,
    /// What the transfers settle of it.
    pub settled: Micro,
    /// What is carried into the next window.
    pub carry: Micro,
}

/// Money that one party pays another because of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its id.
    pub id: Uuid,
    /// Counts the run's transfers from 1.
    pub number: i64,
    /// What payer, payee and their banks call it.
    pub reference: String,
    /// A vendor's code, or `HOUSE`.
    pub payer: String,
    /// A vendor's code, or `HOUSE`.
    pub payee: String,
    /// In whole minor units of the currency.
    pub amount: Micro,
    /// `instructed`, and what becomes of it.
    pub state: String,
}

// What follows reads as whoever the tx is: the house sees everything, a vendor what row security leaves it.

/// The run, if it is there and the tx may see it.
pub async fn find(tx: &Tx<'_>, run: RunId) -> Result<Option<Run>, Fault> {
    store::find(tx, run).await
}

/// Runs, newest first, after the one given; of one scheme or of all.
pub async fn list(tx: &Tx<'_>, scheme: Option<SchemeId>, after: Option<RunId>, limit: i64) -> Result<Vec<Run>, Fault> {
    store::list(tx, scheme, after, limit).await
}

/// A run's transfers with a number above `after`, in order.
pub async fn list_transfers(tx: &Tx<'_>, run: RunId, after: i64, limit: i64) -> Result<Vec<Transfer>, Fault> {
    store::list_transfers(tx, run, after, limit).await
}

/// A run's positions of vendors with a code above `after`, in byte order.
pub async fn list_positions(tx: &Tx<'_>, run: RunId, after: &str, limit: i64) -> Result<Vec<Position>, Fault> {
    store::list_positions(tx, run, after, limit).await
}

/// A scheme's windows with a number below `before`, newest first. For the house only.
pub async fn list_windows(tx: &Tx<'_>, scheme: SchemeId, before: i64, limit: i64) -> Result<Vec<WindowSummary>, Fault> {
    store::list_windows(tx, scheme, before, limit).await
}

/// A closed window that has no run yet.
#[derive(Debug, Clone)]
pub(crate) struct PendingWindow {
    pub(crate) id: WindowId,
    pub(crate) number: i64,
    pub(crate) slot: String,
    /// The instant that everything about the run bears, so that computing it later or again gives the same rows.
    pub(crate) closed_at: Timestamp,
}
