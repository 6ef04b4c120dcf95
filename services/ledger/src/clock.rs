//! The program's time. Tests move it; nothing else in the workspace may ask the system.
//!
//! It decides what people experience as time: sessions, keys, offers, schedules. The instants in the books (`booked_at`, and
//! which window an obligation falls into) are the database's own, so that several server processes agree.

use jiff::{SignedDuration, Timestamp, Unit};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the time comes from.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until it is moved; its clones move with it.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(start))))
    }

    /// The time, to the microsecond: what the database keeps of it, so that an instant reads back as it was written.
    pub fn now(&self) -> Timestamp {
        let now = match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
            Source::System => Timestamp::now(),
            Source::Manual(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        };
        now.round(Unit::Microsecond).unwrap_or(now)
    }

    /// Moves a manual clock; the system's cannot be moved.
    ///
    /// # Panics
    /// When the clock is the system's, or the instant leaves the calendar.
    pub fn advance(&self, by: SignedDuration) {
        let Source::Manual(at) = &self.0 else { panic!("only a manual clock can be moved") };
        let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
        *at = at.checked_add(by).expect("the clock stays within the calendar");
    }
}
