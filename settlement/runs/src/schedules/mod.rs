//! Schedules: when a scheme settles by itself.
//!
//! Shape: [`slots`] is the pure part (cron text and zone are the [`plan`], a calendar is an [`observance`], and then missed slots);
//! [`create`], [`list`], [`update`] keep the table, [`plan_anew`] keeps it in step with a calendar; [`claim`]
//! takes one due schedule, closes the window for each slot that must run and sets the next instant, all in one tx. Whoever
//! beats, and however often, a slot is claimed once: the row is locked, others skip it, and the slot closes one window only.
//! It never computes a run: a window that is closed will be, now or after a crash.
//!
//! A schedule is read only after its row is locked, by a statement of its own: what waits for a lock gets the row as it is then, and all
//! else, such as the calendar, as it was before.

mod observance;
mod plan;
pub mod slots;
mod store;

use crate::calendars::{self, CalendarRefusal};
use crate::windows::{self, CloseRefusal, Closing};
use jiff::Timestamp;
use ledger::{Failure, Fault, Tx, new_id};
pub use observance::{Observance, OnClosed};
use scrip::{Code, SchemeId, WindowId};
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
    /// The calendar that it goes by, if any.
    pub observance: Option<Observance>,
    /// Whether it fires.
    pub enabled: bool,
    /// The next slot.
    pub next_at: Timestamp,
}

impl Schedule {
    /// Up to `count` slots from the next one on; none while it is disabled.
    pub fn next_occurrences(&self, count: usize) -> Vec<Timestamp> {
        match self.timetable() {
            Ok(timetable) if self.enabled => {
                std::iter::successors(Some(self.next_at), |at| timetable.next_after(*at)).take(count).collect()
            }
            Ok(_) | Err(_) => Vec::new(),
        }
    }

    fn timetable(&self) -> Result<Timetable<'_>, ScheduleRefusal> {
        Timetable::parse(&self.cron, &self.zone, self.observance.as_ref())
    }

    /// The first slot after an instant.
    fn plan_after(&self, after: Timestamp) -> Result<Timestamp, ScheduleRefusal> {
        self.timetable()?.next_after(after).ok_or(ScheduleRefusal::ScheduleNeverFires)
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
    /// No date matches, such as the 30th of February, or only days on which banks are closed.
    #[error("no instant to come matches the cron text, or only instants on days that the calendar closes")]
    ScheduleNeverFires,
    /// There is no such calendar.
    #[error("there is no calendar {calendar:?}")]
    CalendarNotFound {
        /// What was asked for.
        calendar: String,
    },
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
    /// The calendar to go by, if any, and what becomes of slots on its days.
    pub observance: Option<(Code, OnClosed)>,
}

pub(crate) async fn create(tx: &Tx<'_>, new: NewSchedule, now: Timestamp) -> Result<Schedule, Failure<ScheduleRefusal>> {
    let NewSchedule { scheme, cron, zone, misfire, observance } = new;
    let observance = match observance {
        Some((code, on_closed)) => Some(observe(tx, code, on_closed).await?),
        None => None,
    };
    let mut schedule = Schedule { id: ScheduleId(new_id()), scheme, cron, zone, misfire, observance, enabled: true, next_at: now };
    schedule.next_at = schedule.plan_after(now).map_err(Failure::Refused)?;
    match store::insert(tx, &schedule, now).await {
        Err(fault) if fault.constraint() == Some("schedules_scheme_exists") => Err(Failure::Refused(ScheduleRefusal::SchemeNotFound)),
        Err(fault) => Err(Failure::Fault(fault)),
        Ok(()) => Ok(schedule),
    }
}

/// The calendar stays locked until the tx ends, so that it is not replaced before the schedule can be seen.
async fn observe(tx: &Tx<'_>, code: Code, on_closed: OnClosed) -> Result<Observance, Failure<ScheduleRefusal>> {
    match calendars::lock(tx, &code).await? {
        Some(calendar) => Ok(Observance { calendar: calendar.code, closed_days: calendar.closed_days, on_closed }),
        None => Err(Failure::Refused(ScheduleRefusal::CalendarNotFound { calendar: code.to_string() })),
    }
}

pub(crate) async fn list(tx: &Tx<'_>, scheme: SchemeId) -> Result<Vec<Schedule>, Fault> {
    store::list(tx, scheme).await
}

/// Enables or disables. A schedule that is enabled again owes nothing for the time that it was off.
pub(crate) async fn update(tx: &Tx<'_>, id: ScheduleId, enabled: bool, now: Timestamp) -> Result<Schedule, Failure<ScheduleRefusal>> {
    let locked = store::lock(tx, id).await?;
    let mut schedule = if locked { store::find(tx, id).await? } else { None }.ok_or(Failure::Refused(ScheduleRefusal::ScheduleNotFound))?;
    if enabled && !schedule.enabled {
        schedule.next_at = schedule.plan_after(now).map_err(Failure::Refused)?;
    }
    schedule.enabled = enabled;
    store::update(tx, id, schedule.enabled, schedule.next_at).await?;
    Ok(schedule)
}

/// Plans every schedule that goes by the calendar anew, after the tx has replaced it. A slot that is due stays due: it was promised by
/// the calendar as it was. A schedule that would have no slot to come is refused, unless it is disabled.
pub(crate) async fn plan_anew(tx: &Tx<'_>, calendar: &Code, now: Timestamp) -> Result<(), Failure<CalendarRefusal>> {
    // Disabled ones are locked too, so that none is enabled by what the calendar was.
    for id in store::lock_by_calendar(tx, calendar).await? {
        let schedule = store::find(tx, id).await?.ok_or_else(|| Fault::Unreadable(format!("schedule {} is gone", id.0)))?;
        let next_at = match schedule.plan_after(now) {
            Ok(next_at) => next_at,
            Err(ScheduleRefusal::ScheduleNeverFires) if schedule.enabled => {
                return Err(Failure::Refused(CalendarRefusal::StopsSchedule { schedule: id.0, cron: schedule.cron }));
            }
            // Whatever else is wrong with it is no matter of the calendar's: enabling it or the next beat finds out.
            Err(_) => continue,
        };
        if schedule.enabled && schedule.next_at > now {
            store::update(tx, id, true, next_at).await?;
        }
    }
    Ok(())
}

/// What a claimed schedule asks for.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) scheme: SchemeId,
    pub(crate) windows: Vec<WindowId>,
}

/// Claims one due schedule, if there is one that nobody else is claiming, and closes the windows of its slots.
pub(crate) async fn claim(tx: &Tx<'_>, now: Timestamp) -> Result<Option<Claimed>, Fault> {
    let Some((id, scheme)) = store::claim_due(tx, now).await? else { return Ok(None) };
    let found = store::find(tx, id).await;
    let schedule = match &found {
        Ok(Some(schedule)) => schedule,
        Ok(None) => return Err(Fault::Unreadable(format!("schedule {} is gone", id.0))),
        Err(fault) => return disable(tx, id, scheme, fault).await,
    };
    let timetable = match schedule.timetable() {
        Ok(timetable) => timetable,
        Err(refusal) => return disable(tx, id, scheme, &refusal).await,
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

/// The schedule was readable when it was made: a time zone database has lost its zone, or its row or its calendar's is damaged. The
/// other schedules must not wait for it. A fault of the tx or the connection disables nothing, because then this fails too.
async fn disable(tx: &Tx<'_>, id: ScheduleId, scheme: SchemeId, reason: &impl std::error::Error) -> Result<Option<Claimed>, Fault> {
    tracing::error!(schedule = %id.0, %reason, "a schedule cannot be read and is disabled");
    store::disable(tx, id).await?;
    Ok(Some(Claimed { scheme, windows: Vec::new() }))
}
