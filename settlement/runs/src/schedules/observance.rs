//! How a schedule goes by a calendar: what becomes of the slots that its cron text names on closed days. Pure.
//!
//! A slot on a closed day is left out (`skip`), or moved to the next open day (`following`, which finance calls the following business
//! day convention) at the same time of the wall clock, so that a change of the clock between the two days does not show. The slots of
//! an open day are therefore its own and those of the closed days right before it; slots that fall on one instant are one slot.
//!
//! Moving keeps no order: Friday 18:00 comes on Monday after Monday's own 09:00. So both searches look at one open day after another, at
//! all slots of each, and a day that has none costs one look. They look at so many days at most.

use super::plan::Plan;
use crate::calendars::ClosedDays;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use scrip::Code;

/// How many days a search looks at. Each closed day may cost a look, and a calendar has 4,000 of them and the weekends between; a cron
/// text that falls on closed days more often in a row never fires.
const LOOKS_MAX: usize = 10_000;

/// Cron texts are as fine as seconds.
const LAST_SECOND: Time = Time::constant(23, 59, 59, 0);

/// What becomes of a slot on a closed day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClosed {
    /// It is left out.
    Skip,
    /// It is moved to the next open day, at the same time of the wall clock.
    Following,
}

impl OnClosed {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Skip, Self::Following];

    /// Its name in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Following => "following",
        }
    }

    /// Reads its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|on_closed| on_closed.as_str() == text)
    }
}

/// How a schedule goes by a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observance {
    /// The calendar's code.
    pub calendar: Code,
    /// The calendar's days, as they are now.
    pub closed_days: ClosedDays,
    /// What becomes of slots on them.
    pub on_closed: OnClosed,
}

impl Observance {
    /// The first slot after an instant; none if there is no other.
    pub(super) fn next_after(&self, plan: &Plan, after: Timestamp) -> Option<Timestamp> {
        let mut day = self.closed_days.open_from(plan.date(after))?;
        for _ in 0..LOOKS_MAX {
            if let Some(slot) = self.first_on(plan, day, after) {
                return Some(slot);
            }
            let planned = plan.next_on_clock(day.to_datetime(LAST_SECOND))?;
            day = self.closed_days.open_from(planned.date())?;
        }
        None
    }

    /// The last slot at or before an instant.
    pub(super) fn last_until(&self, plan: &Plan, until: Timestamp) -> Option<Timestamp> {
        let mut day = self.closed_days.open_until(plan.date(until))?;
        for _ in 0..LOOKS_MAX {
            if let Some(slot) = self.last_on(plan, day, until) {
                return Some(slot);
            }
            // What was planned since the open day before is this day's.
            let before = self.closed_days.open_until(day.yesterday().ok()?)?;
            let planned = plan.last_on_clock(before.to_datetime(LAST_SECOND))?;
            day = self.closed_days.open_from(planned.date())?;
        }
        None
    }

    /// The open day's first slot after an instant.
    fn first_on(&self, plan: &Plan, day: Date, after: Timestamp) -> Option<Timestamp> {
        let moved = self.moved_from(plan, day).and_then(|closed| {
            let from = match passed(plan, day, after) {
                Some(time) => closed.to_datetime(time),
                None => closed.yesterday().ok()?.to_datetime(LAST_SECOND),
            };
            moved(plan, plan.next_on_clock(from)?, closed, day)
        });
        plan.first_on(day, after).into_iter().chain(moved.filter(|slot| *slot > after)).min()
    }

    /// The open day's last slot that is not after an instant.
    fn last_on(&self, plan: &Plan, day: Date, until: Timestamp) -> Option<Timestamp> {
        let moved = self.moved_from(plan, day).and_then(|closed| {
            let until = closed.to_datetime(passed(plan, day, until)?);
            moved(plan, plan.last_on_clock(until)?, closed, day)
        });
        plan.last_on(day, until).into_iter().chain(moved.filter(|slot| *slot <= until)).max()
    }

    /// A closed day whose slots are moved to the open day. A cron text names the same times on every day that it names, so the nearest one
    /// stands for all of them.
    fn moved_from(&self, plan: &Plan, day: Date) -> Option<Date> {
        if self.on_closed == OnClosed::Skip {
            return None;
        }
        let named = plan.last_on_clock(day.yesterday().ok()?.to_datetime(LAST_SECOND))?.date();
        (self.closed_days.open_from(named)? == day).then_some(named)
    }
}

/// How much of the day has passed at an instant; none before the day begins.
fn passed(plan: &Plan, day: Date, at: Timestamp) -> Option<Time> {
    let clock = plan.clock_at(at)?;
    if clock.date() > day { Some(LAST_SECOND) } else { Some(clock.time()).filter(|_| clock.date() == day) }
}

/// The instant on the open day of what was planned on the closed one; none if it was planned on another.
fn moved(plan: &Plan, planned: DateTime, closed: Date, open: Date) -> Option<Timestamp> {
    if planned.date() == closed { plan.instant(open.to_datetime(planned.time())) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedules::slots::Timetable;
    use jiff::civil::date;

    /// Christmas 2026 is a Friday; Easter 2027 is the 28th of March, the day on which the clocks of Berlin change.
    fn observance(closed: &[Date], weekends: bool, on_closed: OnClosed) -> Observance {
        Observance { calendar: Code::parse("BANKS").unwrap(), closed_days: ClosedDays::new(closed.iter().copied(), weekends), on_closed }
    }

    fn days_from(first: Date, count: usize) -> Vec<Date> {
        std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(count).collect()
    }

    fn banks(on_closed: OnClosed) -> Observance {
        let easter = [date(2027, 3, 26), date(2027, 3, 29)];
        observance(&[&[date(2026, 12, 25), date(2027, 1, 1)], &easter[..]].concat(), true, on_closed)
    }

    /// The slots of a cron text in Berlin after an instant.
    fn check(observance: &Observance, cron: &str, after: &str, expected: &[&str]) {
        let timetable = Timetable::parse(cron, "Europe/Berlin", Some(observance)).unwrap();
        let slots: Vec<String> = std::iter::successors(timetable.next_after(after.parse().unwrap()), |at| timetable.next_after(*at))
            .take(expected.len())
            .map(|at| at.to_string())
            .collect();
        assert_eq!(slots, expected, "{cron} after {after}");
    }

    #[test]
    fn slots_on_closed_days_are_left_out_or_moved() {
        let expected = ["2026-12-24T17:00:00Z", "2026-12-28T17:00:00Z", "2026-12-29T17:00:00Z"];
        check(&banks(OnClosed::Skip), "0 18 * * *", "2026-12-24T12:00:00Z", &expected);
        check(&banks(OnClosed::Following), "0 18 * * *", "2026-12-24T12:00:00Z", &expected);
        check(&banks(OnClosed::Skip), "0 18 * * FRI", "2026-12-24T12:00:00Z", &["2027-01-08T17:00:00Z"]);
        check(&banks(OnClosed::Following), "0 18 * * FRI", "2026-12-24T12:00:00Z", &["2026-12-28T17:00:00Z", "2027-01-04T17:00:00Z"]);
    }

    #[test]
    fn a_moved_slot_comes_after_an_earlier_one_of_its_new_day() {
        let cron = "0 9,18 * * MON,FRI";
        let monday = ["2026-12-28T08:00:00Z", "2026-12-28T17:00:00Z", "2027-01-04T08:00:00Z"];
        check(&banks(OnClosed::Following), cron, "2026-12-24T12:00:00Z", &monday);
        check(&banks(OnClosed::Following), "0 9 * * MON", "2026-12-24T12:00:00Z", &["2026-12-28T08:00:00Z"]);
        // A month's last day on a weekend is moved into the next month.
        check(&banks(OnClosed::Following), "30 6 31 * *", "2027-01-30T00:00:00Z", &["2027-02-01T05:30:00Z"]);
    }

    #[test]
    fn a_moved_slot_keeps_its_wall_clock_when_the_clocks_change() {
        // Good Friday at 17:00 UTC; on Tuesday after Easter it is summer, and 18:00 is 16:00 UTC.
        check(&banks(OnClosed::Following), "0 18 * * FRI", "2027-03-25T00:00:00Z", &["2027-03-30T16:00:00Z"]);
        // Half past two does not exist on Easter Sunday, and does on the Tuesday that it is moved to.
        check(&banks(OnClosed::Following), "30 2 28 3 *", "2027-03-25T00:00:00Z", &["2027-03-30T00:30:00Z"]);
        // Moved onto the Sunday on which it does not exist, it fires right after the gap.
        let saturday = observance(&[date(2027, 3, 27)], false, OnClosed::Following);
        check(&saturday, "30 2 27 3 *", "2027-03-25T00:00:00Z", &["2027-03-28T01:00:00Z"]);
        // Moved onto one on which it exists twice, it fires the first time.
        let saturday = observance(&[date(2026, 10, 24)], false, OnClosed::Following);
        check(&saturday, "30 2 24 10 *", "2026-10-20T00:00:00Z", &["2026-10-25T00:30:00Z", "2027-10-24T00:30:00Z"]);
        // A quarter past two for the second time: that slot is over, and the day's others are not.
        let second_pass = "2026-10-25T01:15:00Z";
        check(&saturday, "30 2,18 24 10 *", second_pass, &["2026-10-25T17:30:00Z", "2027-10-24T00:30:00Z"]);
        let plan = Plan::parse("30 2,18 24 10 *", "Europe/Berlin").unwrap();
        assert_eq!(saturday.last_until(&plan, second_pass.parse().unwrap()), Some("2026-10-25T00:30:00Z".parse().unwrap()));
    }

    #[test]
    fn a_text_that_falls_on_closed_days_alone_never_fires() {
        let after = "2026-11-23T12:00:00Z".parse().unwrap();
        let year = days_from(date(2027, 1, 1), 365);
        for (observance, cron) in [
            (banks(OnClosed::Skip), "0 9 * * SAT"),
            (banks(OnClosed::Skip), "* * * * * SAT,SUN"),
            (observance(&year, false, OnClosed::Skip), "0 0 9 * * * 2027"),
            (banks(OnClosed::Following), "0 0 30 2 *"),
        ] {
            assert_eq!(Timetable::parse(cron, "Europe/Berlin", Some(&observance)).unwrap().next_after(after), None, "{cron}");
        }
        // Moved, a whole year comes on the first day after it.
        let moved = observance(&year, false, OnClosed::Following);
        let timetable = Timetable::parse("0 0 9 * * * 2027", "Europe/Berlin", Some(&moved)).unwrap();
        assert_eq!(timetable.next_after(after), Some("2028-01-01T08:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_calendar_that_is_closed_for_decades_is_bridged() {
        let after: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let closed = days_from(date(2026, 11, 23), 4_000);
        for on_closed in OnClosed::ALL {
            let observance = observance(&closed, true, on_closed);
            let timetable = Timetable::parse("0 9 * * *", "UTC", Some(&observance)).unwrap();
            let opens = "2037-11-05T09:00:00Z".parse().unwrap();
            assert_eq!(timetable.next_after(after), Some(opens), "{on_closed:?}");
            assert_eq!(
                observance.last_until(&Plan::parse("0 9 * * *", "UTC").unwrap(), after),
                Some("2026-11-20T09:00:00Z".parse().unwrap())
            );
        }
    }
}
