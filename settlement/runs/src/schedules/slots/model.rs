//! Timetables that go by a calendar against a model that knows no search: it moves everything that a month names, and sorts it.

use super::*;
use crate::calendars::ClosedDays;
use crate::schedules::OnClosed;
use croner::Cron;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use scrip::Code;
use std::collections::BTreeSet;
use std::str::FromStr;

/// All times of these texts, and all changes of the clock in these zones, fall on whole five minutes.
const STEP: SignedDuration = SignedDuration::from_mins(5);
const CRONS: &[&str] = &[
    "0 18 * * *",
    "0 9,18 * * MON-FRI",
    "0 9 * * MON",
    "30 2 * * *",
    "15 2 * * SUN",
    "30 0 * * *",
    "*/30 * * * *",
    "*/5 0-3 * * *",
    "15 */6 * * *",
    "0 0 * * *",
    "55 23 * * *",
    "0 12 * * SAT,SUN",
    "45 1-3 25-31 * *",
    "0 12 28 3 *",
    "0 0 12 L * *",
];
/// The clocks of Cairo and Beirut skip or repeat midnight; those of Lord Howe change by half an hour.
const ZONES: &[&str] = &["Europe/Berlin", "UTC", "America/New_York", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe"];
/// From here on the clocks of one or another of the zones change.
const BEGINS: &[Date] =
    &[date(2026, 3, 3), date(2026, 3, 23), date(2026, 3, 31), date(2026, 4, 19), date(2026, 10, 20), date(2026, 10, 26)];
/// How many days may be closed one by one; more than as many follow in which weekends alone may.
const DAYS: usize = 12;

#[derive(Debug)]
struct Case {
    cron: &'static str,
    zone: &'static str,
    begin: Date,
    observance: Observance,
}

fn cases() -> impl Strategy<Value = Case> {
    let on_closed = prop::sample::select(&[OnClosed::Skip, OnClosed::Following][..]);
    let named = (prop::sample::select(CRONS), prop::sample::select(ZONES), prop::sample::select(BEGINS));
    let closed = prop::collection::vec(prop::bool::weighted(0.6), DAYS);
    (named, closed, any::<bool>(), on_closed).prop_map(|((cron, zone, begin), closed, weekends, on_closed)| {
        let dates = closed.iter().enumerate().filter(|(_, closed)| **closed).map(|(day, _)| plus(begin, day));
        let closed_days = ClosedDays::new(dates, weekends);
        Case { cron, zone, begin, observance: Observance { calendar: Code::parse("BANKS").unwrap(), closed_days, on_closed } }
    })
}

fn plus(day: Date, days: usize) -> Date {
    day.checked_add(i64::try_from(days).unwrap().days()).unwrap()
}

impl Case {
    fn timetable(&self) -> Timetable<'_> {
        Timetable::parse(self.cron, self.zone, Some(&self.observance)).unwrap()
    }

    fn is_open(&self, day: Date) -> bool {
        !self.observance.closed_days.contains(day)
    }

    /// Every five minutes from some days before the first closed one, and what the wall clock shows then.
    fn instants(&self) -> Vec<(Timestamp, DateTime)> {
        let zone = TimeZone::get(self.zone).unwrap();
        let first = self.begin.checked_sub(5.days()).unwrap().to_zoned(zone.clone()).unwrap().timestamp();
        let instants = std::iter::successors(Some(first), |at| at.checked_add(STEP).ok());
        instants.take((DAYS + 15) * 24 * 12).map(|at| (at, zone.to_datetime(at))).collect()
    }

    /// All slots of that time.
    fn slots(&self, instants: &[(Timestamp, DateTime)]) -> BTreeSet<Timestamp> {
        let planned = Timetable::parse(self.cron, self.zone, None).unwrap();
        let before = instants[0].0.checked_sub(STEP).unwrap();
        let own = std::iter::successors(planned.next_after(before), |at| planned.next_after(*at))
            .take_while(|at| *at <= instants.last().unwrap().0);
        let zone = TimeZone::get(self.zone).unwrap();
        let mut slots: BTreeSet<Timestamp> = own.filter(|at| self.is_open(zone.to_datetime(*at).date())).collect();
        if self.observance.on_closed == OnClosed::Following {
            let cron = Cron::from_str(self.cron).unwrap();
            let days: BTreeSet<Date> = instants.iter().map(|(_, clock)| clock.date()).collect();
            for closed in days.iter().filter(|day| !self.is_open(**day)) {
                let Some(open) = days.range(*closed..).find(|day| self.is_open(**day)) else { continue };
                for minute in (0..24 * 60).step_by(5) {
                    let time = Time::midnight().checked_add(minute.minutes()).unwrap();
                    let clock = closed.to_datetime(time).to_zoned(TimeZone::UTC).unwrap();
                    if cron.is_time_matching(&clock).unwrap() {
                        // The first moment at which the clock shows that time, or has gone past it.
                        slots.extend(instants.iter().find(|(_, clock)| *clock >= open.to_datetime(time)).map(|(at, _)| *at));
                    }
                }
            }
        }
        slots
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn slots_are_those_of_the_model(case in cases(), picks in prop::collection::vec(any::<prop::sample::Index>(), 12)) {
        let (timetable, instants) = (case.timetable(), case.instants());
        let slots = case.slots(&instants);
        // What comes before or after is not all in the model.
        let (first, last) = (instants[4 * 24 * 12].0, instants[(DAYS + 10) * 24 * 12].0);
        let found: Vec<Timestamp> =
            std::iter::successors(timetable.next_after(first), |at| timetable.next_after(*at)).take_while(|at| *at <= last).collect();
        prop_assert_eq!(&found, &slots.iter().copied().filter(|at| first < *at && *at <= last).collect::<Vec<_>>());

        for pick in picks {
            let (at, _) = *pick.get(&instants);
            if at <= first || at > last {
                continue;
            }
            for at in [at, at.checked_add(SignedDuration::from_millis(500)).unwrap(), at.checked_sub(SignedDuration::from_secs(1)).unwrap()] {
                let after = at.checked_add(SignedDuration::from_nanos(1)).unwrap();
                if let Some(next) = slots.range(after..).next() {
                    prop_assert_eq!(timetable.next_after(at), Some(*next), "after {}", at);
                }
                if let Some(previous) = slots.range(first..=at).next_back() {
                    prop_assert_eq!(timetable.last_until(at), Some(*previous), "until {}", at);
                }
            }
        }
    }

    #[test]
    fn missed_slots_follow_the_policy_through_closed_days(case in cases(), pick in any::<prop::sample::Index>()) {
        let (timetable, instants) = (case.timetable(), case.instants());
        let slots = case.slots(&instants);
        let Some(first) = timetable.next_after(instants[4 * 24 * 12].0) else { return Ok(()) };
        let now = pick.get(&instants[..(DAYS + 8) * 24 * 12]).0.max(first).checked_add(SignedDuration::from_secs(20)).unwrap();
        let missed: Vec<Timestamp> = slots.range(first..=now).copied().collect();
        prop_assume!(missed.first() == Some(&first));
        let next_at = slots.range(now..).next().copied();
        prop_assume!(next_at.is_some());

        let latest = *missed.last().unwrap();
        prop_assert_eq!(timetable.due(Misfire::RunOnce, first, now), Due { run: vec![latest], next_at });
        let on_time = if now.duration_since(latest) <= ON_TIME { vec![latest] } else { Vec::new() };
        prop_assert_eq!(timetable.due(Misfire::Skip, first, now), Due { run: on_time, next_at });
        let made_up: Vec<Timestamp> = missed.iter().copied().take(CATCH_UP_MAX).collect();
        let then = made_up.last().unwrap().checked_add(SignedDuration::from_nanos(1)).unwrap();
        let next_at = slots.range(then..).next().copied();
        prop_assert_eq!(timetable.due(Misfire::RunAll, first, now), Due { run: made_up, next_at });
    }
}
