//! How fast a position changes, and where it leads. Pure.

use jiff::{SignedDuration, Timestamp};

/// Less than this says nothing of what follows.
const WATCHED_MIN: SignedDuration = SignedDuration::from_mins(1);
/// Further ahead nothing is said.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// So many micro-units within so many microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    change: i128,
    /// At least [`WATCHED_MIN`].
    within: i128,
}

impl Pace {
    /// The change between two instants; none where they are too near to each other.
    pub(super) fn observed(change: i128, from: Timestamp, to: Timestamp) -> Option<Self> {
        let watched = to.duration_since(from);
        (watched >= WATCHED_MIN).then(|| Self { change, within: watched.as_micros() })
    }

    pub(super) fn per_day(self) -> i128 {
        self.over(DAY)
    }

    /// What it comes to from one instant to another, rounded towards zero; nothing, if the other is over.
    pub(super) fn until(self, from: Timestamp, to: Timestamp) -> i128 {
        self.over(to.duration_since(from).max(SignedDuration::ZERO))
    }

    /// When the position will have fallen by so much: at once, where that is nothing; never, where it does not fall.
    pub(super) fn falls_by(self, amount: i128, from: Timestamp) -> Option<Timestamp> {
        if amount <= 0 {
            return Some(from);
        }
        let falling = self.change.checked_neg().filter(|falling| *falling > 0)?;
        // Rounded up: not before it has.
        let micros = amount.checked_mul(self.within)?.checked_add(falling.checked_sub(1)?)?.checked_div(falling)?;
        let ahead = SignedDuration::from_micros(i64::try_from(micros).ok()?);
        from.checked_add(ahead).ok().filter(|_| ahead <= AHEAD_MAX)
    }

    fn over(self, time: SignedDuration) -> i128 {
        self.change.saturating_mul(time.as_micros()).checked_div(self.within).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Timestamp, time: SignedDuration) -> Timestamp {
        start.checked_add(time).unwrap()
    }

    fn at(minutes: i64) -> Timestamp {
        after("2027-01-15T08:00:00Z".parse().unwrap(), SignedDuration::from_mins(minutes))
    }

    #[test]
    fn a_position_goes_on_as_it_has() {
        let pace = Pace::observed(-600, at(0), at(60)).unwrap();
        assert_eq!((pace.per_day(), pace.until(at(60), at(90)), pace.until(at(60), at(60))), (-14_400, -300, 0));
        assert_eq!(pace.until(at(60), at(30)), 0, "what is over adds nothing");
        assert_eq!(Pace::observed(7, at(0), at(60)).unwrap().until(at(60), at(64)), 0, "towards zero");
        assert_eq!(Pace::observed(-17, at(0), at(60)).unwrap().until(at(60), at(64)), -1);
    }

    #[test]
    fn a_cap_is_reached_when_so_much_has_been_added() {
        let pace = Pace::observed(-600, at(0), at(60)).unwrap();
        assert_eq!(pace.falls_by(300, at(60)), Some(at(90)));
        assert_eq!(pace.falls_by(0, at(60)), Some(at(60)), "it is reached");
        assert_eq!(pace.falls_by(-5, at(60)), Some(at(60)));
        let third = Pace::observed(-3, at(0), at(1)).unwrap().falls_by(1, at(1)).unwrap();
        assert_eq!(third, after(at(1), SignedDuration::from_secs(20)));
        assert_eq!(
            Pace::observed(-7, at(0), at(1)).unwrap().falls_by(1, at(1)).unwrap(),
            after(at(1), SignedDuration::from_micros(8_571_429))
        );
    }

    #[test]
    fn nothing_is_said_too_early_nor_too_far_ahead() {
        assert_eq!(Pace::observed(600, at(0), after(at(0), SignedDuration::from_secs(59))), None);
        assert_eq!(Pace::observed(600, at(1), at(0)), None, "a clock that went back");
        let still = Pace::observed(0, at(0), at(1)).unwrap();
        assert_eq!((still.falls_by(1, at(1)), Pace::observed(9, at(0), at(1)).unwrap().falls_by(1, at(1))), (None, None));
        let slow = Pace::observed(-1, at(0), at(60)).unwrap();
        assert_eq!((slow.falls_by(366 * 24, at(60)).is_some(), slow.falls_by(366 * 24 + 1, at(60))), (true, None));
        assert_eq!(slow.falls_by(i128::MAX, at(60)), None);
        let fast = Pace::observed(i128::MIN, at(0), at(60)).unwrap();
        assert_eq!((fast.per_day() < 0, fast.falls_by(1, at(60))), (true, None), "what no window can hold");
    }
}
