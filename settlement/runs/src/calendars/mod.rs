//! Calendars: the days on which banks are closed, by name, so that schedules can go by them.
//!
//! Shape: [`ClosedDays`] is the pure part; [`keep`] makes a calendar or replaces it whole, for the version that somebody read; [`find`]
//! and [`list`] show them. A calendar knows no schedule: whoever replaces one has the schedules that go by it planned anew in the same tx.

mod closed_days;
mod store;

use crate::versions::{self, VersionRefusal};
pub use closed_days::{ClosedDays, DATES_MAX};
use jiff::civil::Date;
use ledger::{Failure, Fault, Tx};
use scrip::Code;
pub use store::STATEMENTS;
pub(crate) use store::to_code;
use uuid::Uuid;

/// The days on which banks are closed, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// What people call it, for ever.
    pub code: Code,
    /// Its days.
    pub closed_days: ClosedDays,
    /// Begins at 1 and grows with each change.
    pub version: i64,
}

/// A calendar without its dates, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarHead {
    /// What people call it.
    pub code: Code,
    /// Whether Saturdays and Sundays are closed.
    pub weekends: bool,
    /// How many single dates it has.
    pub date_count: i32,
    /// The first of them.
    pub first_on: Option<Date>,
    /// The last of them.
    pub last_on: Option<Date>,
    /// Begins at 1 and grows with each change.
    pub version: i64,
}

/// A calendar as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The calendar.
    pub calendar: Calendar,
    /// Whether it was not there before.
    pub made_now: bool,
}

/// Why a calendar is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarRefusal {
    /// Not a date, or of a year that nobody means.
    #[error("{date:?} is no date such as 2026-12-25, of the years 2000 to 2199")]
    DateMalformed {
        /// What was sent; the first 40 characters of it.
        date: String,
    },
    /// More dates than a calendar has.
    #[error("a calendar has at most {} dates", DATES_MAX)]
    TooManyDates,
    /// A change is for a version, and there is no such calendar.
    #[error("there is no such calendar")]
    CalendarNotFound,
    /// The calendar is there, and nobody said which version of it is to be replaced.
    #[error("the calendar is there already; say which version of it is to be replaced")]
    VersionRequired,
    /// The change was made for an older version.
    #[error("the calendar has changed since you read it; it is at version {version} now")]
    VersionMismatch {
        /// The version that is there.
        version: i64,
    },
    /// An enabled schedule would never fire again.
    #[error("the schedule {schedule} ({cron}) would never fire again; disable it, or leave it a day")]
    StopsSchedule {
        /// Its id.
        schedule: Uuid,
        /// Its cron text.
        cron: String,
    },
}

impl From<VersionRefusal> for CalendarRefusal {
    fn from(refusal: VersionRefusal) -> Self {
        match refusal {
            VersionRefusal::NotThere => Self::CalendarNotFound,
            VersionRefusal::Required => Self::VersionRequired,
            VersionRefusal::Mismatch(version) => Self::VersionMismatch { version },
        }
    }
}

/// Makes the calendar, or replaces it if it is at the version that somebody means. Without a version it is only made.
///
/// A calendar that is there stays locked until the tx ends, so that no schedule begins to go by what it was.
pub(crate) async fn keep(
    tx: &Tx<'_>,
    code: Code,
    closed_days: ClosedDays,
    is_expected: Option<impl Fn(i64) -> bool>,
) -> Result<Kept, Failure<CalendarRefusal>> {
    let there = store::lock_version(tx, &code).await?;
    let next = versions::next(there, is_expected).map_err(|refusal| Failure::Refused(refusal.into()))?;
    let calendar = Calendar { code, closed_days, version: next.unwrap_or(1) };
    if next.is_some() {
        store::update(tx, &calendar).await?;
    } else if !store::insert(tx, &calendar).await? {
        // Somebody else has made it meanwhile.
        return Err(Failure::Refused(CalendarRefusal::VersionRequired));
    }
    Ok(Kept { calendar, made_now: next.is_none() })
}

/// The calendar of that name, which nobody replaces until the tx ends.
pub(crate) async fn lock(tx: &Tx<'_>, code: &Code) -> Result<Option<Calendar>, Fault> {
    store::lock(tx, code).await
}

/// The calendar of that name. For the house only.
pub async fn find(tx: &Tx<'_>, code: &Code) -> Result<Option<Calendar>, Fault> {
    store::find(tx, code).await
}

/// Calendars with a code above `after`, in byte order. For the house only.
pub async fn list(tx: &Tx<'_>, after: &str, limit: i64) -> Result<Vec<CalendarHead>, Fault> {
    store::list(tx, after, limit).await
}
