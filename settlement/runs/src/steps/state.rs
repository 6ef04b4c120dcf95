//! The states of a run, which leads to which, and who brought it there. Pure.

use jiff::Timestamp;
use scrip::VendorId;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunState {
    /// It is there, with all its files.
    Computed,
    /// It waits for a second person.
    Proposed,
    /// Its result is agreed to.
    Approved,
    /// Its transfers are to be paid.
    Exported,
    /// The first of them has been confirmed.
    Settling,
    /// All of them have come to their end.
    Settled,
    /// It was taken back; its windows are another run's.
    Voided,
}

impl RunState {
    /// Every state, in the order of a run's life.
    pub const ALL: [Self; 7] =
        [Self::Computed, Self::Proposed, Self::Approved, Self::Exported, Self::Settling, Self::Settled, Self::Voided];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Computed => "computed",
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Exported => "exported",
            Self::Settling => "settling",
            Self::Settled => "settled",
            Self::Voided => "voided",
        }
    }

    /// The state that is stored under this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether one step leads from here to there. The database has the same table.
    pub fn may_become(self, to: Self) -> bool {
        match self {
            Self::Computed => matches!(to, Self::Proposed | Self::Voided),
            Self::Proposed => matches!(to, Self::Approved | Self::Voided),
            Self::Approved => matches!(to, Self::Exported | Self::Voided),
            Self::Exported => matches!(to, Self::Settling | Self::Voided),
            Self::Settling => matches!(to, Self::Settled),
            Self::Settled | Self::Voided => false,
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who takes a step: `operator:` or `vendor:` and an id, or `house`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The operator, by the id of a key; a key stands for a person.
    Operator(Uuid),
    /// A vendor.
    Vendor(VendorId),
    /// The program itself, where nobody need be asked.
    House,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(key) => write!(f, "operator:{key}"),
            Self::Vendor(vendor) => write!(f, "vendor:{vendor}"),
            Self::House => f.write_str("house"),
        }
    }
}

/// Not an actor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no actor: {0}")]
pub struct UnknownActor(String);

impl FromStr for Actor {
    type Err = UnknownActor;

    fn from_str(text: &str) -> Result<Self, UnknownActor> {
        let unknown = || UnknownActor(text.to_owned());
        match text.split_once(':') {
            None if text == "house" => Ok(Self::House),
            Some(("operator", key)) => Uuid::parse_str(key).map(Self::Operator).map_err(|_| unknown()),
            Some(("vendor", vendor)) => Uuid::parse_str(vendor).map(|id| Self::Vendor(VendorId::new(id))).map_err(|_| unknown()),
            None | Some(_) => Err(unknown()),
        }
    }
}

/// One step of a run, as its history keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Counts the run's steps from 1.
    pub seq: i32,
    /// Where it began.
    pub from: RunState,
    /// Where it led.
    pub to: RunState,
    /// Who took it.
    pub actor: Actor,
    /// Why; always there where a run was voided.
    pub reason: Option<String>,
    /// When.
    pub stepped_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_one_way() {
        let legal: Vec<String> = RunState::ALL
            .into_iter()
            .flat_map(|from| RunState::ALL.into_iter().filter(move |to| from.may_become(*to)).map(move |to| format!("{from}>{to}")))
            .collect();
        let expected = [
            "computed>proposed",
            "computed>voided",
            "proposed>approved",
            "proposed>voided",
            "approved>exported",
            "approved>voided",
            "exported>settling",
            "exported>voided",
            "settling>settled",
        ];
        assert_eq!(legal, expected);
    }

    #[test]
    fn states_and_actors_are_read_as_they_are_written() {
        assert!(RunState::ALL.into_iter().all(|state| RunState::parse(state.as_str()) == Some(state)));
        let id = Uuid::from_u128(7);
        for actor in [Actor::Operator(id), Actor::Vendor(VendorId::new(id)), Actor::House] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        for bad in ["", "house:", "operator:", "user:00000000-0000-0000-0000-000000000007"] {
            assert!(bad.parse::<Actor>().is_err(), "{bad}");
        }
    }
}
