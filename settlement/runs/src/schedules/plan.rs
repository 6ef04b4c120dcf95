//! A cron text read in a time zone, before any calendar: the instants that it names, and the times of the wall clock. Pure.
//!
//! [`Plan::next_after`] and [`Plan::last_until`] are about instants, with what changes of the clock do to them; `_on_clock` about the
//! wall clock alone, which neither skips nor repeats. [`Plan::instant`] and [`Plan::clock_at`] lead from one to the other.

use super::ScheduleRefusal;
use croner::Cron;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};
use std::str::FromStr;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A cron text and the zone that it is read in.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    cron: Cron,
    zone: TimeZone,
}

impl Plan {
    /// Reads both texts.
    pub(super) fn parse(cron: &str, zone: &str) -> Result<Self, ScheduleRefusal> {
        if cron.len() > 200 {
            return Err(ScheduleRefusal::CronMalformed { reason: "it is longer than 200 characters".to_owned() });
        }
        let unknown = || ScheduleRefusal::ZoneUnknown { zone: zone.chars().take(100).collect() };
        let cron = Cron::from_str(cron).map_err(|e| ScheduleRefusal::CronMalformed { reason: e.to_string() })?;
        let zone = TimeZone::get(zone).ok().filter(|_| zone.len() <= 100).ok_or_else(unknown)?;
        Ok(Self { cron, zone })
    }

    /// The first instant after another; none if there is no other.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.cron.find_next_occurrence(&after.to_zoned(self.zone.clone()), false).ok().map(|at| at.timestamp())
    }

    /// The last instant at or before another.
    pub(super) fn last_until(&self, until: Timestamp) -> Option<Timestamp> {
        self.cron.find_previous_occurrence(&until.to_zoned(self.zone.clone()), true).ok().map(|at| at.timestamp())
    }

    /// The first instant of the day that is after another.
    pub(super) fn first_on(&self, day: Date, after: Timestamp) -> Option<Timestamp> {
        // From the second before, as a time that the day's first moment skips belongs to the day.
        let before = self.begin(day)?.checked_sub(SECOND).ok()?;
        self.next_after(after.max(before)).filter(|at| self.date(*at) == day)
    }

    /// The last instant of the day that is not after another.
    pub(super) fn last_on(&self, day: Date, until: Timestamp) -> Option<Timestamp> {
        let end = self.begin(day.tomorrow().ok()?)?.checked_sub(SECOND).ok()?;
        self.last_until(until.min(end)).filter(|at| self.date(*at) == day)
    }

    /// The first time of the wall clock after another.
    pub(super) fn next_on_clock(&self, after: DateTime) -> Option<DateTime> {
        self.cron.find_next_occurrence(&without_changes(after)?, false).ok().map(|at| at.datetime())
    }

    /// The last time of the wall clock at or before another.
    pub(super) fn last_on_clock(&self, until: DateTime) -> Option<DateTime> {
        self.cron.find_previous_occurrence(&without_changes(until)?, true).ok().map(|at| at.datetime())
    }

    /// The first instant at which the wall clock shows that time, or a later one where a change skips it. A later time has never an
    /// earlier instant.
    pub(super) fn instant(&self, clock: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(clock).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(clock).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(clock).ok(),
            AmbiguousOffset::Gap { before, .. } => self.change_until(before.to_timestamp(clock).ok()?),
        }
    }

    /// The last time of the wall clock, in whole seconds, whose instant has come: in the second pass through a time that a change
    /// repeats, the end of the first.
    pub(super) fn clock_at(&self, at: Timestamp) -> Option<DateTime> {
        let clock = self.zone.to_datetime(at);
        match self.zone.to_ambiguous_timestamp(clock).offset() {
            AmbiguousOffset::Fold { before, after } if self.zone.to_offset(at) == after => {
                before.to_datetime(self.change_until(at)?).checked_sub(SECOND).ok()
            }
            AmbiguousOffset::Fold { .. } | AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => Some(clock),
        }
    }

    /// The day that it is at an instant.
    pub(super) fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The first instant of the day.
    fn begin(&self, day: Date) -> Option<Timestamp> {
        self.instant(day.to_datetime(jiff::civil::Time::midnight()))
    }

    /// When the clock was last changed, at an instant or before it.
    fn change_until(&self, at: Timestamp) -> Option<Timestamp> {
        let past = at.checked_add(SECOND).ok()?;
        self.zone.preceding(past).map(|change| change.timestamp()).find(|change| *change <= at)
    }
}

/// The wall clock as one that is never changed.
fn without_changes(clock: DateTime) -> Option<Zoned> {
    clock.to_zoned(TimeZone::UTC).ok()
}
