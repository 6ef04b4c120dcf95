//! Schedules: when a scheme settles by itself.
//!
//! Shape: [`slots`] is the pure part (cron text, zone, missed slots); [`create`], [`list`], [`update`] keep the table; [`claim`]
//! takes one due schedule, closes the window for each slot that must run and sets the next instant, all in one tx. Whoever
//! beats, and however often, a slot is claimed once: the row is locked, others skip it, and the slot closes one window only.
//! It never computes a run: a window that is closed will be, now or after a crash.

pub mod slots;
mod store;

use crate::windows::{self, CloseRefusal, Closing};
use jiff::Timestamp;
use ledger::{Failure, Fault, Tx, new_id};
use scrip::{SchemeId, WindowId};
use slots::{Due, Timetable};
pub use store::STATEMENTS;
use uuid::Uuid;

/// A schedule's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleId(pub Uuid);

/// When a scheme settles by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// The scheme that it settles.
    pub scheme: SchemeId,
    /// The cron text, five fields or six with seconds.
    pub cron: String,
    /// The IANA zone that the cron text is read in.
    pub zone: String,
    /// What to do about slots that nobody was awake for.
    pub misfire: Misfire,
    /// Whether it fires.
    pub enabled: bool,
    /// The next slot.
    pub next_at: Timestamp,
}

impl Schedule {
    /// Up to `count` slots from the next one on; none while it is disabled.
    pub fn next_occurrences(&self, count: usize) -> Vec<Timestamp> {
        match Timetable::parse(&self.cron, &self.zone) {
            Ok(timetable) if self.enabled => {
                std::iter::successors(Some(self.next_at), |at| timetable.next_after(*at)).take(count).collect()
            }
            Ok(_) | Err(_) => Vec::new(),
        }
    }
}

/// What to do about slots that nobody was awake for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfire {
    /// One run for all of them.
    RunOnce,
    /// None; the next slot is in the future.
    Skip,
    /// One run each, the oldest first.
    RunAll,
}

impl Misfire {
    const ALL: [Self; 3] = [Self::RunOnce, Self::Skip, Self::RunAll];

    /// Its name in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunOnce => "run_once",
            Self::Skip => "skip",
            Self::RunAll => "run_all",
        }
    }

    /// Reads its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|misfire| misfire.as_str() == text)
    }
}

/// Why a schedule is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleRefusal {
    /// The cron text cannot be read.
    #[error("the cron text cannot be read: {reason}")]
    CronMalformed {
        /// What the cron parser says of it.
        reason: String,
    },
    /// No such zone in the time zone database.
    #[error("{zone} is no IANA time zone, such as Europe/Berlin")]
    ZoneUnknown {
        /// What was asked for.
        zone: String,
    },
    /// No date matches, such as the 30th of February.
    #[error("no instant to come matches the cron text")]
    ScheduleNeverFires,
    /// There is no such scheme.
    #[error("there is no such scheme")]
    SchemeNotFound,
    /// There is no such schedule.
    #[error("there is no such schedule")]
    ScheduleNotFound,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSchedule {
    /// The scheme to settle.
    pub scheme: SchemeId,
    /// Five fields, or six with seconds.
    pub cron: String,
    /// An IANA zone.
    pub zone: String,
    /// What to do about slots that nobody was awake for.
    pub misfire: Misfire,
}

pub(crate) async fn create(tx: &Tx<'_>, new: NewSchedule, now: Timestamp) -> Result<Schedule, Failure<ScheduleRefusal>> {
    let timetable = Timetable::parse(&new.cron, &new.zone).map_err(Failure::Refused)?;
    let next_at = timetable.next_after(now).ok_or(Failure::Refused(ScheduleRefusal::ScheduleNeverFires))?;
    let NewSchedule { scheme, cron, zone, misfire } = new;
    let schedule = Schedule { id: ScheduleId(new_id()), scheme, cron, zone, misfire, enabled: true, next_at };
    match store::insert(tx, &schedule, now).await {
        Err(fault) if fault.constraint() == Some("schedules_scheme_exists") => Err(Failure::Refused(ScheduleRefusal::SchemeNotFound)),
        Err(fault) => Err(Failure::Fault(fault)),
        Ok(()) => Ok(schedule),
    }
}

pub(crate) async fn list(tx: &Tx<'_>, scheme: SchemeId) -> Result<Vec<Schedule>, Fault> {
    store::list(tx, scheme).await
}

/// Enables or disables. A schedule that is enabled again owes nothing for the time that it was off.
pub(crate) async fn update(tx: &Tx<'_>, id: ScheduleId, enabled: bool, now: Timestamp) -> Result<Schedule, Failure<ScheduleRefusal>> {
    let mut schedule = store::lock(tx, id).await?.ok_or(Failure::Refused(ScheduleRefusal::ScheduleNotFound))?;
    if enabled && !schedule.enabled {
        let timetable = Timetable::parse(&schedule.cron, &schedule.zone).map_err(Failure::Refused)?;
        schedule.next_at = timetable.next_after(now).ok_or(Failure::Refused(ScheduleRefusal::ScheduleNeverFires))?;
    }
    schedule.enabled = enabled;
    store::update(tx, id, schedule.enabled, schedule.next_at).await?;
    Ok(schedule)
}

/// What a claimed schedule asks for.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) scheme: SchemeId,
    pub(crate) windows: Vec<WindowId>,
}

/// Claims one due schedule, if there is one that nobody else is claiming, and closes the windows of its slots.
pub(crate) async fn claim(tx: &Tx<'_>, now: Timestamp) -> Result<Option<Claimed>, Fault> {
    let Some(schedule) = store::claim_due(tx, now).await? else { return Ok(None) };
    let timetable = match Timetable::parse(&schedule.cron, &schedule.zone) {
        Ok(timetable) => timetable,
        Err(refusal) => {
            // It was readable when it was made: a time zone database has lost the zone. The other schedules must not wait for it.
            tracing::error!(schedule = %schedule.id.0, %refusal, "a schedule cannot be read and is disabled");
            store::update(tx, schedule.id, false, schedule.next_at).await?;
            return Ok(Some(Claimed { scheme: schedule.scheme, windows: Vec::new() }));
        }
    };
    let Due { run, next_at } = timetable.due(schedule.misfire, schedule.next_at, now);

    let mut closed = Vec::new();
    for slot in run {
        match windows::close(tx, schedule.scheme, &slot.to_string(), Closing::Run).await {
            Ok(window) => closed.push(window.window),
            Err(Failure::Fault(fault)) => return Err(fault),
            Err(Failure::Refused(CloseRefusal::SchemeNotFound)) => {
                return Err(Fault::Unreadable(format!("scheme {} has a schedule and no window", schedule.scheme)));
            }
        }
    }
    // A cron text with a year may run out; then there is nothing left to claim.
    store::update(tx, schedule.id, next_at.is_some(), next_at.unwrap_or(schedule.next_at)).await?;
    Ok(Some(Claimed { scheme: schedule.scheme, windows: closed }))
}
