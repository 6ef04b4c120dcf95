//! Runs: closed windows become positions, transfers, files, and what is carried into the next window.
//!
//! Shape: [`Runs`] is the service. [`Runs::settle`] closes the window for a slot in one tx, then computes every closed window of
//! the scheme that asks for a run, in order of their numbers, each in a tx of its own (`compute`). A run also takes the windows
//! before its own that no run settles: those that were closed to be held ([`Runs::hold`]), and those of voided runs. A crash between
//! the two leaves a closed window without a run, which [`Runs::resume`] or the next call picks up; ids and files follow from what is
//! stored, so the run has the same bytes whoever computes it. [`Runs::preview`] is the same without an effect. It never changes an
//! obligation and never reopens a window.

mod compute;
mod holdings;
mod pairs;
mod records;
mod store;

use crate::calendars::{self, CalendarRefusal, ClosedDays, Kept};
use crate::disputes::{self, Dispute, DisputeRefusal, DisputeState};
use crate::exclusions::{self, ExclusionRefusal};
use crate::ids::run_id;
use crate::schedules::{self, NewSchedule, Schedule, ScheduleId, ScheduleRefusal};
use crate::seals::Hash;
use crate::steps::{self, Actor, NewVoid, StepRefusal};
use crate::windows::{self, CloseRefusal, Closed, Closing};
pub use compute::{Comparison, Preview};
use jiff::Timestamp;
use ledger::{Clock, Db, Failure, Fault, Tx, lock_scheme_runs};
pub use records::{Position, Run, Transfer, WindowSummary};
use scrip::{Code, RunId, SchemeId, VendorId, WindowId};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
pub use store::STATEMENTS;
pub(crate) use store::{find_scheme, list_not_netted, widen};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

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
    /// Apart, so that a long netting holds up nothing but other nettings.
    computing: Db,
    gates: Gates,
    clock: Clock,
}

/// Runs of different schemes that can be computed at once.
const COMPUTED_AT_ONCE: usize = 4;

/// A gate per scheme, at which whoever waits for its run lock waits first: without a connection, of which there are few.
#[derive(Debug, Clone, Default)]
struct Gates(Arc<Mutex<HashMap<SchemeId, Arc<tokio::sync::Mutex<()>>>>>);

impl Gates {
    async fn enter(&self, scheme: SchemeId) -> OwnedMutexGuard<()> {
        let gate = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(scheme).or_default());
        gate.lock_owned().await
    }
}

impl Runs {
    /// The service on a database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { computing: db.apart(COMPUTED_AT_ONCE), db, gates: Gates::default(), clock }
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
        progress(Step::Close);
        let closed = self.close(scheme, slot, Closing::Run).await?;
        self.compute_until(scheme, closed.number, &progress).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let run = store::find(&tx, run_id(scheme, slot)).await?;
        let run = run.ok_or_else(|| Fault::Unreadable(format!("window {} has a run of another slot", closed.number)))?;
        progress(Step::Done);
        Ok(Settled { run, closed_now: closed.closed_now })
    }

    /// Closes the scheme's window for the slot without netting it: it waits for the scheme's next run, which nets it with its own.
    pub async fn hold(&self, scheme: SchemeId, slot: &str) -> Result<Closed, Failure<SettleRefusal>> {
        self.close(scheme, slot, Closing::Hold).await
    }

    async fn close(&self, scheme: SchemeId, slot: &str, closing: Closing) -> Result<Closed, Failure<SettleRefusal>> {
        if slot.is_empty() || slot.len() > SLOT_LENGTH_MAX {
            return Err(Failure::Refused(SettleRefusal::SlotMalformed));
        }
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let closed = windows::close(&tx, scheme, slot, closing).await.map_err(|failure| match failure {
            Failure::Refused(CloseRefusal::SchemeNotFound) => Failure::Refused(SettleRefusal::SchemeNotFound),
            Failure::Fault(fault) => Failure::Fault(fault),
        })?;
        tx.commit().await?;
        Ok(closed)
    }

    /// What a run of the scheme would come to if its window were closed now. Nothing is closed, stored or locked.
    pub async fn preview(&self, scheme: SchemeId) -> Result<Preview, Failure<SettleRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_snapshot().await?;
        compute::preview(&tx, scheme).await?.ok_or(Failure::Refused(SettleRefusal::SchemeNotFound))
    }

    /// What every strategy would make of what a run would net now. Nothing is closed, stored or locked.
    pub async fn compare(&self, scheme: SchemeId) -> Result<Comparison, Failure<SettleRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_snapshot().await?;
        compute::compare(&tx, scheme).await?.ok_or(Failure::Refused(SettleRefusal::SchemeNotFound))
    }

    /// Lays a run before a second person.
    pub async fn propose(&self, run: RunId, actor: &Actor) -> Result<Run, Failure<StepRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        steps::propose(&tx, run, actor).await?;
        finish_step(tx, run).await
    }

    /// Agrees to the result that the hash names; not by whoever proposed it.
    pub async fn approve(&self, run: RunId, output_hash: &Hash, actor: &Actor) -> Result<Run, Failure<StepRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        steps::approve(&tx, run, output_hash, actor, self.clock.now()).await?;
        finish_step(tx, run).await
    }

    /// From now on the transfers of an approved run are to be paid.
    pub async fn export(&self, run: RunId, actor: &Actor) -> Result<Run, Failure<StepRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        steps::export(&tx, run, actor).await?;
        finish_step(tx, run).await
    }

    /// Takes a run back of which no transfer has been confirmed; the scheme's next run nets its windows again.
    pub async fn void(&self, run: RunId, void: &NewVoid, actor: &Actor) -> Result<Run, Failure<StepRefusal>> {
        let scheme = self.find_scheme_of(run).await?.ok_or(Failure::Refused(StepRefusal::RunNotFound))?;
        let _gate = self.gates.enter(scheme).await;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        steps::void(&tx, scheme, run, void, actor).await?;
        finish_step(tx, run).await
    }

    async fn find_scheme_of(&self, run: RunId) -> Result<Option<SchemeId>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        steps::find_scheme(&tx, run).await
    }

    /// A vendor agrees to what a run says of it.
    pub async fn acknowledge(&self, run: RunId, vendor: VendorId) -> Result<(), Failure<DisputeRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        disputes::acknowledge(&tx, run, vendor, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// A vendor does not agree to an obligation of a run.
    pub async fn raise_dispute(
        &self,
        run: RunId,
        vendor: VendorId,
        obligation: Uuid,
        reason: &str,
    ) -> Result<Dispute, Failure<DisputeRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let dispute = disputes::raise(&tx, run, vendor, obligation, reason, self.clock.now()).await?;
        tx.commit().await?;
        Ok(dispute)
    }

    /// Ends a dispute one way or the other.
    pub async fn end_dispute(&self, dispute: Uuid, to: DisputeState, actor: &Actor) -> Result<Dispute, Failure<DisputeRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let ended = disputes::end(&tx, dispute, to, actor, self.clock.now()).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Leaves a vendor out of the scheme's next runs.
    pub async fn exclude(&self, scheme: SchemeId, vendor: &str, reason: &str, actor: &Actor) -> Result<(), Failure<ExclusionRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        exclusions::exclude(&tx, scheme, vendor, reason, actor, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Lets a vendor take part again.
    pub async fn lift_exclusion(&self, scheme: SchemeId, vendor: &str, actor: &Actor) -> Result<(), Failure<ExclusionRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        exclusions::lift(&tx, scheme, vendor, actor, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Approves what schemes that approve by themselves have proposed, once no vendor can dispute it any longer.
    pub async fn approve_due(&self, now: Timestamp) -> Result<usize, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let approved = steps::approve_due(&tx, now).await?;
        tx.commit().await?;
        Ok(approved)
    }

    /// Computes what a crash left behind: every closed window that asked for a run and has had none. A scheme that cannot be computed is logged and
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

    /// Computes the runs that the scheme's closed windows up to a number ask for, the oldest first, each in a tx of its own under the
    /// scheme's run lock.
    async fn compute_until(&self, scheme: SchemeId, number: i64, progress: &(impl Fn(Step) + Send + Sync)) -> Result<Vec<RunId>, Fault> {
        let mut runs = Vec::new();
        loop {
            let _gate = self.gates.enter(scheme).await;
            let mut connection = self.computing.connection().await?;
            let tx = connection.begin_house().await?;
            lock_scheme_runs(&tx, scheme).await?;
            let Some(window) = store::find_pending(&tx, scheme, number).await? else { return Ok(runs) };
            let run = compute::compute(&self.computing, &tx, scheme, &window, progress).await?;
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

    /// Makes a calendar, or replaces it if it is at the version that somebody means, and plans every schedule that goes by it anew.
    pub async fn keep_calendar(
        &self,
        code: Code,
        closed_days: ClosedDays,
        is_expected: Option<impl Fn(i64) -> bool>,
    ) -> Result<Kept, Failure<CalendarRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let kept = calendars::keep(&tx, code, closed_days, is_expected).await?;
        schedules::plan_anew(&tx, &kept.calendar.code, self.clock.now()).await?;
        tx.commit().await?;
        Ok(kept)
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

async fn finish_step(tx: Tx<'_>, run: RunId) -> Result<Run, Failure<StepRefusal>> {
    let stepped = find(&tx, run).await?.ok_or(Failure::Refused(StepRefusal::RunNotFound))?;
    tx.commit().await?;
    Ok(stepped)
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

/// The position of the vendor with this code in a run, if it has one there that the tx may see.
pub async fn find_position(tx: &Tx<'_>, run: RunId, vendor: &str) -> Result<Option<Position>, Fault> {
    store::find_position(tx, run, vendor).await
}

/// A scheme's windows with a number below `before`, newest first. For the house only.
pub async fn list_windows(tx: &Tx<'_>, scheme: SchemeId, before: i64, limit: i64) -> Result<Vec<WindowSummary>, Fault> {
    store::list_windows(tx, scheme, before, limit).await
}

/// A closed window that asks for a run and has had none.
#[derive(Debug, Clone)]
pub(crate) struct PendingWindow {
    pub(crate) number: i64,
    pub(crate) slot: String,
    /// The instant that everything about the run bears, so that computing it later or again gives the same rows.
    pub(crate) closed_at: Timestamp,
}

/// A window that a run nets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NettedWindow {
    pub(crate) id: WindowId,
    pub(crate) number: i64,
}
