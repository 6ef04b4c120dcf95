//! What a transfer may become, as a table. Pure. The database holds the same table (the function `transfer_may_become`) and refuses
//! whatever is not in it.
//!
//! ```text
//! instructed -> sent -> received
//!      \          \
//!       +----------+-> failed -> retried -> sent | received | failed
//!                           \-> rolled | written_off
//! ```
//!
//! Whatever is not final can be `disputed`; the dispute ends in the state that it began in. A retry is the same transfer, one attempt later.

use TransferState::{Disputed, Failed, Instructed, Received, Retried, Rolled, Sent, WrittenOff};
use std::fmt;

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransferState {
    /// It stands in the files of its run; nobody has said anything yet.
    Instructed,
    /// The payer's money is on its way.
    Sent,
    /// The payee has it. Final.
    Received,
    /// It did not arrive, and is not on its way.
    Failed,
    /// It has failed and is tried again.
    Retried,
    /// It has failed, and is owed again in the scheme's open window. Final.
    Rolled,
    /// It has failed, and nobody will pay it. Final.
    WrittenOff,
    /// Payer and payee disagree; nothing happens to it until they agree.
    Disputed,
}

/// Every step but the end of a dispute, which leads back to where the dispute began.
const STEPS: [(TransferState, &[TransferState]); 8] = [
    (Instructed, &[Sent, Received, Failed, Disputed]),
    (Sent, &[Received, Failed, Disputed]),
    (Received, &[]),
    (Failed, &[Retried, Rolled, WrittenOff, Disputed]),
    (Retried, &[Sent, Received, Failed, Disputed]),
    (Rolled, &[]),
    (WrittenOff, &[]),
    (Disputed, &[]),
];

impl TransferState {
    /// As stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Instructed => "instructed",
            Sent => "sent",
            Received => "received",
            Failed => "failed",
            Retried => "retried",
            Rolled => "rolled",
            WrittenOff => "written_off",
            Disputed => "disputed",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        STEPS.iter().map(|(state, _)| *state).find(|state| state.as_str() == name)
    }

    /// Nothing follows.
    pub fn is_final(self) -> bool {
        match self {
            Received | Rolled | WrittenOff => true,
            Instructed | Sent | Failed | Retried | Disputed => false,
        }
    }
}

impl fmt::Display for TransferState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a transfer stands, and what a dispute interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: TransferState,
    /// Of a disputed transfer: the state that the dispute began in, and the only one that it can end in.
    pub disputed_from: Option<TransferState>,
    /// How often it has been instructed: 1, and one more with every retry.
    pub attempt: i32,
}

impl Standing {
    /// Where every transfer begins.
    pub const FIRST: Self = Self { state: Instructed, disputed_from: None, attempt: 1 };

    /// What the transfer may become now, in the order of the table.
    pub fn may_become(&self) -> Vec<TransferState> {
        let listed = STEPS.iter().find(|(from, _)| *from == self.state).map(|(_, to)| *to).unwrap_or_default();
        listed.iter().copied().chain(self.disputed_from).collect()
    }

    /// The transfer one step further; none where the table has no such step.
    #[must_use]
    pub fn become_state(&self, to: TransferState) -> Option<Self> {
        if !self.may_become().contains(&to) {
            return None;
        }
        let attempt = if to == Retried && self.state == Failed { self.attempt.checked_add(1)? } else { self.attempt };
        Some(Self { state: to, disputed_from: (to == Disputed).then_some(self.state), attempt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The steps in their order, as words; where the table has none, what may follow instead.
    fn walk(steps: &str) -> String {
        let mut standing = Standing::FIRST;
        for step in steps.split_whitespace() {
            match standing.become_state(TransferState::parse(step).expect("a state")) {
                Some(next) => standing = next,
                None => return format!("no {step} after {}: {:?}", standing.state, standing.may_become()),
            }
        }
        format!("{} {}", standing.state, standing.attempt)
    }

    #[test]
    fn the_table_is_the_one_that_is_documented() {
        assert_eq!(walk("sent received"), "received 1");
        assert_eq!(walk("received"), "received 1");
        assert_eq!(walk("sent failed retried sent received"), "received 2");
        assert_eq!(walk("failed retried failed retried received"), "received 3");
        assert_eq!(walk("failed rolled"), "rolled 1");
        assert_eq!(walk("failed written_off"), "written_off 1");
        assert_eq!(walk("sent rolled"), "no rolled after sent: [Received, Failed, Disputed]");
        assert_eq!(walk("sent sent"), "no sent after sent: [Received, Failed, Disputed]");
        assert_eq!(walk("received failed"), "no failed after received: []");
        assert_eq!(walk("retried"), "no retried after instructed: [Sent, Received, Failed, Disputed]");
        assert_eq!(walk("instructed"), "no instructed after instructed: [Sent, Received, Failed, Disputed]");
    }

    #[test]
    fn a_dispute_ends_where_it_began() {
        assert_eq!(walk("disputed instructed sent"), "sent 1");
        assert_eq!(walk("sent disputed sent received"), "received 1");
        assert_eq!(walk("failed retried disputed retried sent"), "sent 2");
        assert_eq!(walk("sent disputed received"), "no received after disputed: [Sent]");
        assert_eq!(walk("failed disputed disputed"), "no disputed after disputed: [Failed]");
    }

    #[test]
    fn a_state_has_one_name() {
        for (state, _) in STEPS {
            assert_eq!(TransferState::parse(state.as_str()), Some(state));
        }
        assert_eq!(TransferState::parse("paid"), None);
    }

    proptest! {
        #[test]
        fn nothing_follows_a_final_state_and_something_every_other(steps in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
            let mut standing = Standing::FIRST;
            for step in steps {
                let may = standing.may_become();
                prop_assert_eq!(may.is_empty(), standing.state.is_final());
                prop_assert_eq!(standing.disputed_from.is_some(), standing.state == Disputed);
                if may.is_empty() {
                    break;
                }
                standing = standing.become_state(*step.get(&may)).expect("what may follow follows");
            }
        }
    }
}
