//! Cron text, time zone and calendar to slots, and what to do about those that were missed. Pure: the time is an argument.
//!
//! A slot is an instant, so a wall-clock time that a change of the clock skips or repeats is one slot: one that does not exist
//! fires at the first instant after the gap, one that exists twice fires the first time. A text that repeats through the hour
//! (`*/15 * * * *`) goes on evenly in real time instead, which is what somebody who writes it means.

use super::observance::Observance;
use super::plan::Plan;
use super::{Misfire, ScheduleRefusal};
use jiff::{SignedDuration, Timestamp};

/// A slot that is found this late counts as missed: longer than a restart takes, shorter than people notice.
const ON_TIME: SignedDuration = SignedDuration::from_secs(60);

/// How many missed slots one beat makes up for under `run_all`; the rest wait for the next beat.
const CATCH_UP_MAX: usize = 100;

/// A cron text read in a time zone, and the calendar that it goes by, if any.
#[derive(Debug, Clone)]
pub struct Timetable<'a> {
    plan: Plan,
    observance: Option<&'a Observance>,
}

/// What is due: the slots to run now, and the next one; none when the cron text has run out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// In order of time.
    pub run: Vec<Timestamp>,
    /// The next slot.
    pub next_at: Option<Timestamp>,
}

impl<'a> Timetable<'a> {
    /// Reads both texts.
    pub fn parse(cron: &str, zone: &str, observance: Option<&'a Observance>) -> Result<Self, ScheduleRefusal> {
        Ok(Self { plan: Plan::parse(cron, zone)?, observance })
    }

    /// The first slot after an instant; none if there is no other.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        match self.observance {
            Some(observance) => observance.next_after(&self.plan, after),
            None => self.plan.next_after(after),
        }
    }

    /// The last slot at or before an instant.
    fn last_until(&self, until: Timestamp) -> Option<Timestamp> {
        match self.observance {
            Some(observance) => observance.last_until(&self.plan, until),
            None => self.plan.last_until(until),
        }
    }

    /// Of the slots from `first` until `now`, those that the policy runs.
    pub fn due(&self, misfire: Misfire, first: Timestamp, now: Timestamp) -> Due {
        if first > now {
            return Due { run: Vec::new(), next_at: Some(first) };
        }
        let latest = self.last_until(now).map_or(first, |last| last.max(first));
        match misfire {
            Misfire::RunOnce => Due { run: vec![latest], next_at: self.next_after(latest.max(now)) },
            Misfire::Skip => {
                let on_time = now.duration_since(latest) <= ON_TIME;
                Due { run: if on_time { vec![latest] } else { Vec::new() }, next_at: self.next_after(latest.max(now)) }
            }
            Misfire::RunAll => {
                let run: Vec<Timestamp> =
                    std::iter::successors(Some(first), |at| self.next_after(*at)).take_while(|at| *at <= now).take(CATCH_UP_MAX).collect();
                let next_at = run.last().and_then(|last| self.next_after(*last));
                Due { run, next_at }
            }
        }
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The slots of a cron text in Berlin after an instant.
    fn check(cron: &str, after: &str, expected: &[&str]) {
        let timetable = Timetable::parse(cron, "Europe/Berlin", None).unwrap();
        let slots: Vec<String> = std::iter::successors(timetable.next_after(at(after)), |at| timetable.next_after(*at))
            .take(expected.len())
            .map(|at| at.to_string())
            .collect();
        assert_eq!(slots, expected, "{cron} after {after}");
    }

    fn due(cron: &str, misfire: Misfire, first: &str, now: &str) -> (Vec<String>, Option<String>) {
        let due = Timetable::parse(cron, "UTC", None).unwrap().due(misfire, at(first), at(now));
        (due.run.iter().map(Timestamp::to_string).collect(), due.next_at.map(|at| at.to_string()))
    }

    #[test]
    fn a_zone_keeps_the_wall_clock_through_the_year() {
        check("0 18 * * *", "2026-03-27T12:00:00Z", &["2026-03-27T17:00:00Z", "2026-03-28T17:00:00Z", "2026-03-29T16:00:00Z"]);
    }

    #[test]
    fn a_time_that_spring_skips_fires_once_right_after_the_gap() {
        check("30 2 * * *", "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
    }

    #[test]
    fn a_time_that_autumn_repeats_fires_once() {
        check("30 2 * * *", "2026-10-24T12:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    }

    #[test]
    fn every_half_hour_stays_every_half_hour_through_the_changes() {
        check("*/30 * * * *", "2026-03-29T00:15:00Z", &["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]);
        check("*/30 * * * *", "2026-10-25T00:15:00Z", &["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"]);
    }

    #[test]
    fn six_fields_begin_with_seconds() {
        check("*/20 * * * * *", "2026-11-23T12:00:00Z", &["2026-11-23T12:00:20Z", "2026-11-23T12:00:40Z"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let refusal = |cron, zone| Timetable::parse(cron, zone, None).unwrap_err();
        for bad in ["", "* * * *", "61 * * * *", "every day", "* * * * * * * *", "@never"] {
            assert!(matches!(refusal(bad, "UTC"), ScheduleRefusal::CronMalformed { .. }), "{bad:?}");
        }
        for bad in ["", "Mars/Olympus", "+01:00", "Europe/Berlin "] {
            assert_eq!(refusal("0 0 * * *", bad), ScheduleRefusal::ZoneUnknown { zone: bad.to_owned() });
        }
    }

    #[test]
    fn a_date_that_does_not_exist_never_fires() {
        assert_eq!(Timetable::parse("0 0 30 2 *", "Europe/Berlin", None).unwrap().next_after(at("2026-11-23T12:00:00Z")), None);
        assert_eq!(Timetable::parse("0 0 0 1 1 * 2020", "UTC", None).unwrap().next_after(at("2026-11-23T12:00:00Z")), None);
    }

    #[test]
    fn missed_slots_follow_the_policy() {
        let night = ("2026-11-23T00:00:00Z", "2026-11-23T03:10:00Z");
        let next = Some("2026-11-23T04:00:00Z".to_owned());
        assert_eq!(due("0 * * * *", Misfire::RunOnce, night.0, night.1), (vec!["2026-11-23T03:00:00Z".to_owned()], next.clone()));
        assert_eq!(due("0 * * * *", Misfire::Skip, night.0, night.1), (vec![], next.clone()));
        let (all, all_next) = due("0 * * * *", Misfire::RunAll, night.0, night.1);
        assert_eq!((all.len(), all.first().map(String::as_str), all_next), (4, Some("2026-11-23T00:00:00Z"), next));
    }

    #[test]
    fn a_slot_that_is_on_time_runs_under_every_policy() {
        for misfire in Misfire::ALL {
            let (run, next_at) = due("0 * * * *", misfire, "2026-11-23T03:00:00Z", "2026-11-23T03:00:01Z");
            assert_eq!((run, next_at), (vec!["2026-11-23T03:00:00Z".to_owned()], Some("2026-11-23T04:00:00Z".to_owned())), "{misfire:?}");
        }
    }

    #[test]
    fn nothing_runs_before_its_time() {
        let early = due("0 * * * *", Misfire::RunAll, "2026-11-23T03:00:00Z", "2026-11-23T02:59:59Z");
        assert_eq!(early, (vec![], Some("2026-11-23T03:00:00Z".to_owned())));
    }

    #[test]
    fn a_long_sleep_is_made_up_for_in_steps() {
        let (run, next_at) = due("* * * * *", Misfire::RunAll, "2026-11-23T00:00:00Z", "2026-11-23T12:00:00Z");
        assert_eq!((run.len(), next_at), (100, Some("2026-11-23T01:40:00Z".to_owned())));
    }
}
