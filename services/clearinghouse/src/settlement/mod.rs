//! Settlement as it is asked for: runs and their steps, windows, disputes, files, schedules, calendars; [`transfers`], [`payments`],
//! [`defaults`] and [`confirmations`] have rooms of their own.
//!
//! Shape: each function finds out what is meant (a scheme's code, a run that the caller may see) and asks the crate `runs`, which has
//! the rules and the SQL. What a vendor sees is decided by row security: its methods take a [`Viewer`], and a vendor's tx finds only
//! the vendor's own part, so somebody else's run or file is not there.

mod confirmations;
mod defaults;
mod error;
mod explanations;
mod forecasts;
pub mod http;
mod payments;
mod transfers;

use crate::refusal::{self, of_any};
use crate::schemes;
pub use error::SettlementRefusal;
use ledger::{Connection, Db, Failure, Fault, Tx};
use runs::bundles::{Bundle, BundleRefusal, Bundles};
use runs::calendars::{self, Calendar, CalendarHead, CalendarRefusal, ClosedDays, Kept};
use runs::confirmations::Confirmations;
use runs::defaults::Defaults;
use runs::disputes::{Dispute, DisputeRefusal, DisputeState};
use runs::exclusions::{Exclusion, ExclusionRefusal};
use runs::explanations::Explanations;
use runs::files::FileHead;
use runs::runs::{Position, Transfer, WindowSummary};
use runs::schedules::{Misfire, NewSchedule, OnClosed, Schedule, ScheduleId, ScheduleRefusal};
use runs::steps::{self, Step};
use runs::transfers::Transfers;
use runs::{Actor, Comparison, NewVoid, Preview, Run, Runs, SettleRefusal, Settled, StepRefusal};
use scrip::{Code, RunId, SchemeId, VendorId};
use std::sync::Arc;
use tokio::sync::Semaphore;
use uuid::Uuid;

type Answer<T> = Result<T, Failure<SettlementRefusal>>;

/// Whose eyes read a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// The operator: everything.
    House,
    /// A vendor: its own part.
    Vendor(VendorId),
}

impl Viewer {
    pub(crate) async fn begin(self, connection: &mut Connection) -> Result<Tx<'_>, Fault> {
        match self {
            Self::House => connection.begin_house().await,
            Self::Vendor(vendor) => connection.begin_vendor(vendor).await,
        }
    }

    /// The vendor, if it is one.
    fn vendor(self) -> Option<VendorId> {
        match self {
            Self::House => None,
            Self::Vendor(vendor) => Some(vendor),
        }
    }
}

/// When a scheme shall settle by itself, once it is known what is meant by each name.
#[derive(Debug)]
pub(crate) struct ScheduleTerms {
    pub(crate) cron: String,
    pub(crate) zone: String,
    pub(crate) misfire: Misfire,
    /// The calendar to go by, and what becomes of slots on its days.
    pub(crate) observance: Option<(Code, OnClosed)>,
}

/// The settlements of the house.
#[derive(Debug, Clone)]
pub struct Settlement {
    db: Db,
    runs: Runs,
    transfers: Transfers,
    defaults: Defaults,
    confirmations: Confirmations,
    /// For uploads, which are large.
    places: Arc<Semaphore>,
    bundles: Bundles,
    explanations: Explanations,
    /// Apart, so that no vendor keeps the operator waiting.
    explanations_for_vendors: Explanations,
}

impl Settlement {
    /// Settlements in this database.
    pub fn new(
        db: Db,
        runs: Runs,
        transfers: Transfers,
        defaults: Defaults,
        bundles: Bundles,
        explanations: Explanations,
        explanations_for_vendors: Explanations,
    ) -> Self {
        Self {
            confirmations: Confirmations::new(db.clone()),
            places: Arc::new(Semaphore::new(confirmations::UPLOADS_MAX)),
            db,
            runs,
            transfers,
            defaults,
            bundles,
            explanations,
            explanations_for_vendors,
        }
    }

    /// Closes the scheme's window for somebody's key and nets it. The key is resolved before it is judged what was asked with it.
    pub(crate) async fn settle<T>(&self, scheme: &str, key: &str, asked: refusal::Answer<T>) -> refusal::Answer<Settled> {
        match asked {
            Ok(_) => self.settle_slot(scheme, key).await.map_err(of_any),
            Err(unreadable) => {
                self.judge_key(scheme, key).await.map_err(of_any)?;
                Err(unreadable)
            }
        }
    }

    /// It goes on although the caller leaves, who may ask again.
    async fn settle_slot(&self, scheme: &str, key: &str) -> Answer<Settled> {
        let scheme = self.get_scheme_id(scheme).await?;
        let (runs, slot) = (self.runs.clone(), manual_slot(key));
        let settled = tokio::spawn(async move { runs.settle(scheme, &slot, |_step| ()).await }).await;
        match settled {
            Ok(Ok(settled)) => Ok(settled),
            Ok(Err(failure)) => Err(refuse_settling(failure)),
            Err(bug) => std::panic::resume_unwind(bug.into_panic()),
        }
    }

    /// Whether the key is still free for a run.
    async fn judge_key(&self, scheme: &str, key: &str) -> Answer<()> {
        let run = runs::run_id(self.get_scheme_id(scheme).await?, &manual_slot(key));
        match self.get_run(Viewer::House, run).await {
            Ok(_) => Err(Failure::Refused(SettlementRefusal::KeyReused)),
            Err(Failure::Refused(_)) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Closes the scheme's window for somebody's key without netting it.
    pub(crate) async fn hold_window(&self, scheme: &str, key: &str) -> Answer<(WindowSummary, bool)> {
        let id = self.get_scheme_id(scheme).await?;
        let closed = self.runs.hold(id, &format!("held:{key}")).await.map_err(refuse_settling)?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let found = runs::runs::list_windows(&tx, id, closed.number.saturating_add(1), 1).await?.pop();
        let window = found.ok_or_else(|| Fault::Unreadable(format!("window {} is gone", closed.number)))?;
        Ok((window, closed.closed_now))
    }

    /// What a run of the scheme would come to now.
    pub(crate) async fn preview(&self, scheme: &str) -> Answer<Preview> {
        let scheme = self.get_scheme_id(scheme).await?;
        self.runs.preview(scheme).await.map_err(refuse_settling)
    }

    /// What every strategy would make of what a run of the scheme would net now.
    pub(crate) async fn compare(&self, scheme: &str) -> Answer<Comparison> {
        let scheme = self.get_scheme_id(scheme).await?;
        self.runs.compare(scheme).await.map_err(refuse_settling)
    }

    pub(crate) async fn propose(&self, run: RunId, operator: Uuid) -> Answer<Run> {
        self.runs.propose(run, &Actor::Operator(operator)).await.map_err(refuse_step)
    }

    /// The hash is that of the result which the approver has seen, in hexadecimal.
    pub(crate) async fn approve(&self, run: RunId, output_hash: &str, operator: Uuid) -> Answer<Run> {
        let malformed = Failure::Refused(SettlementRefusal::OutputHashMalformed);
        let mut hash = [0; 32];
        if hex::decode_to_slice(output_hash, &mut hash).is_err() {
            return Err(malformed);
        }
        self.runs.approve(run, &hash, &Actor::Operator(operator)).await.map_err(refuse_step)
    }

    pub(crate) async fn export(&self, run: RunId, operator: Uuid) -> Answer<Run> {
        self.runs.export(run, &Actor::Operator(operator)).await.map_err(refuse_step)
    }

    pub(crate) async fn void(&self, run: RunId, void: &NewVoid, operator: Uuid) -> Answer<Run> {
        self.runs.void(run, void, &Actor::Operator(operator)).await.map_err(refuse_step)
    }

    pub(crate) async fn acknowledge(&self, run: RunId, vendor: VendorId) -> Answer<()> {
        self.runs.acknowledge(run, vendor).await.map_err(refuse_dispute)
    }

    pub(crate) async fn raise_dispute(&self, run: RunId, vendor: VendorId, obligation: Uuid, reason: &str) -> Answer<Dispute> {
        self.runs.raise_dispute(run, vendor, obligation, reason).await.map_err(refuse_dispute)
    }

    pub(crate) async fn end_dispute(&self, dispute: Uuid, to: DisputeState, actor: &Actor) -> Answer<Dispute> {
        self.runs.end_dispute(dispute, to, actor).await.map_err(refuse_dispute)
    }

    /// The disputes about a run's obligations, with an id above `after`.
    pub(crate) async fn list_disputes(&self, viewer: Viewer, run: RunId, after: Option<Uuid>, limit: i64) -> Answer<Vec<Dispute>> {
        self.get_run(viewer, run).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(runs::disputes::list(&tx, run, viewer.vendor(), after, limit).await?)
    }

    pub(crate) async fn exclude(&self, scheme: &str, vendor: &str, reason: &str, operator: Uuid) -> Answer<()> {
        let scheme = self.get_scheme_id(scheme).await?;
        self.runs.exclude(scheme, vendor, reason, &Actor::Operator(operator)).await.map_err(refuse_exclusion)
    }

    pub(crate) async fn lift_exclusion(&self, scheme: &str, vendor: &str, operator: Uuid) -> Answer<()> {
        let scheme = self.get_scheme_id(scheme).await?;
        self.runs.lift_exclusion(scheme, vendor, &Actor::Operator(operator)).await.map_err(refuse_exclusion)
    }

    /// Whom the scheme's runs leave out, with a code above `after`.
    pub(crate) async fn list_exclusions(&self, scheme: &str, after: Option<String>, limit: i64) -> Answer<Vec<Exclusion>> {
        let scheme = self.get_scheme_id(scheme).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(runs::exclusions::list(&tx, scheme, after.as_deref().unwrap_or_default(), limit).await?)
    }

    /// The run's history, the oldest step first.
    pub(crate) async fn list_steps(&self, run: RunId) -> Answer<Vec<Step>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        find_run(&tx, run).await?;
        Ok(steps::list(&tx, run).await?)
    }

    async fn get_scheme_id(&self, code: &str) -> Answer<SchemeId> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        schemes::find_scheme_id(&tx, code).await?.ok_or(Failure::Refused(SettlementRefusal::SchemeNotFound))
    }

    pub(crate) async fn list_windows(&self, scheme: &str, before: Option<i64>, limit: i64) -> Answer<Vec<WindowSummary>> {
        let scheme = self.get_scheme_id(scheme).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(runs::runs::list_windows(&tx, scheme, before.unwrap_or(i64::MAX), limit).await?)
    }

    /// The scheme's runs, newest first.
    pub(crate) async fn list_runs_of_scheme(&self, scheme: &str, after: Option<RunId>, limit: i64) -> Answer<Vec<Run>> {
        let scheme = self.get_scheme_id(scheme).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(runs::runs::list(&tx, Some(scheme), after, limit).await?)
    }

    /// All runs that the viewer may see, newest first.
    pub(crate) async fn list_runs(&self, viewer: Viewer, after: Option<RunId>, limit: i64) -> Result<Vec<Run>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        runs::runs::list(&tx, None, after, limit).await
    }

    pub(crate) async fn get_run(&self, viewer: Viewer, run: RunId) -> Answer<Run> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        find_run(&tx, run).await
    }

    /// The run, and its transfers with a number above `after`.
    pub(crate) async fn list_transfers(&self, viewer: Viewer, run: RunId, after: Option<i64>, limit: i64) -> Answer<(Run, Vec<Transfer>)> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        let found = find_run(&tx, run).await?;
        Ok((found, runs::runs::list_transfers(&tx, run, after.unwrap_or(0), limit).await?))
    }

    /// The run, and its positions of vendors with a code above `after`.
    pub(crate) async fn list_positions(
        &self,
        viewer: Viewer,
        run: RunId,
        after: Option<String>,
        limit: i64,
    ) -> Answer<(Run, Vec<Position>)> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        let found = find_run(&tx, run).await?;
        Ok((found, runs::runs::list_positions(&tx, run, after.as_deref().unwrap_or_default(), limit).await?))
    }

    /// The run's files with a name above `after`.
    pub(crate) async fn list_files(&self, viewer: Viewer, run: RunId, after: Option<String>, limit: i64) -> Answer<Vec<FileHead>> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        find_run(&tx, run).await?;
        Ok(runs::files::list(&tx, run, after.as_deref().unwrap_or_default(), limit).await?)
    }

    /// A file of the run. Those by which a bank would pay are given out only once the run is exported.
    pub(crate) async fn get_file(&self, viewer: Viewer, run: RunId, name: &str) -> Answer<FileHead> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        // PostgreSQL takes no NUL, and no file has one in its name.
        let found = if name.contains('\0') { None } else { runs::files::find(&tx, run, name).await? };
        let file = found.ok_or(Failure::Refused(SettlementRefusal::FileNotFound))?;
        let state = find_run(&tx, run).await?.state;
        if runs::files::is_instruction(name) && !state.is_released() {
            return Err(Failure::Refused(SettlementRefusal::RunNotExported { state }));
        }
        Ok(file)
    }

    /// The run, and the vendor's statement of it.
    pub(crate) async fn get_statement(&self, viewer: Viewer, run: RunId, vendor: &str) -> Answer<(Run, FileHead)> {
        let statement = self.get_file(viewer, run, &runs::files::statement_name(vendor)).await?;
        Ok((self.get_run(viewer, run).await?, statement))
    }

    /// The next pieces of a file's bytes, after so many; none after the last. It holds a connection for no longer than that.
    pub(crate) async fn read_pieces(&self, viewer: Viewer, file: Uuid, after: i32) -> Result<Vec<Vec<u8>>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        runs::files::read_pieces(&tx, file, after).await
    }

    /// Everything that proves the run, for an auditor.
    pub(crate) async fn open_bundle(&self, run: RunId) -> Answer<Bundle> {
        self.bundles.open(run).await.map_err(refuse_bundle)
    }

    /// Lets the scheme settle by itself.
    pub(crate) async fn create_schedule(&self, scheme: &str, terms: ScheduleTerms) -> Answer<Schedule> {
        let scheme = self.get_scheme_id(scheme).await?;
        let ScheduleTerms { cron, zone, misfire, observance } = terms;
        self.runs.create_schedule(NewSchedule { scheme, cron, zone, misfire, observance }).await.map_err(refuse_schedule)
    }

    /// The scheme's schedules, the oldest first.
    pub(crate) async fn list_schedules(&self, scheme: &str) -> Answer<Vec<Schedule>> {
        let scheme = self.get_scheme_id(scheme).await?;
        Ok(self.runs.list_schedules(scheme).await?)
    }

    /// Switches a schedule on or off.
    pub(crate) async fn update_schedule(&self, id: ScheduleId, enabled: bool) -> Answer<Schedule> {
        self.runs.update_schedule(id, enabled).await.map_err(refuse_schedule)
    }

    /// Makes a calendar, or replaces it if it is at the version that somebody means.
    pub(crate) async fn keep_calendar(
        &self,
        code: &str,
        is_expected: Option<impl Fn(i64) -> bool>,
        closed_days: ClosedDays,
    ) -> Answer<Kept> {
        let code = Code::parse(code).map_err(|_| Failure::Refused(SettlementRefusal::CodeMalformed))?;
        self.runs.keep_calendar(code, closed_days, is_expected).await.map_err(refuse_calendar)
    }

    pub(crate) async fn get_calendar(&self, code: &str) -> Answer<Calendar> {
        let not_found = || Failure::Refused(SettlementRefusal::Calendar(CalendarRefusal::CalendarNotFound));
        let code = Code::parse(code).map_err(|_| not_found())?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        calendars::find(&tx, &code).await?.ok_or_else(not_found)
    }

    /// Calendars with a code above `after`.
    pub(crate) async fn list_calendars(&self, after: Option<String>, limit: i64) -> Result<Vec<CalendarHead>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        calendars::list(&tx, after.as_deref().unwrap_or_default(), limit).await
    }
}

/// The slot of a run that somebody asked for; a schedule's slot is an instant and never looks like this.
fn manual_slot(key: &str) -> String {
    format!("manual:{key}")
}

async fn find_run(tx: &Tx<'_>, run: RunId) -> Answer<Run> {
    runs::runs::find(tx, run).await?.ok_or(Failure::Refused(SettlementRefusal::RunNotFound))
}

fn refuse_settling(failure: Failure<SettleRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(SettleRefusal::SchemeNotFound) => Failure::Refused(SettlementRefusal::SchemeNotFound),
        Failure::Refused(SettleRefusal::SlotMalformed) => Failure::Refused(SettlementRefusal::SlotMalformed),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}

fn refuse_step(failure: Failure<StepRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Step(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}

fn refuse_dispute(failure: Failure<DisputeRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Dispute(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}

fn refuse_exclusion(failure: Failure<ExclusionRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Exclusion(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}

fn refuse_bundle(failure: Failure<BundleRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Bundle(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}

fn refuse_schedule(failure: Failure<ScheduleRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Schedule(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}

fn refuse_calendar(failure: Failure<CalendarRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Calendar(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}
