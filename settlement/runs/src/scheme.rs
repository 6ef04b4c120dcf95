//! The terms of a scheme that its runs and files need.

use netting::{Strategy, Terms};
use scrip::{Micro, Scale, SchemeId};

/// What a scheme says about its runs.
#[derive(Debug, Clone)]
pub(crate) struct Scheme {
    pub(crate) id: SchemeId,
    pub(crate) code: String,
    pub(crate) currency: String,
    pub(crate) digits: Scale,
    pub(crate) strategy: Strategy,
    /// No transfer is smaller; zero: every one is made.
    pub(crate) min_transfer: Micro,
    pub(crate) approval: Approval,
    /// How long after its cut-off a run may be disputed; 0: not at all.
    pub(crate) dispute_hours: i32,
}

/// Who agrees to a run's result before it is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// A second person, after one has proposed it.
    SecondPerson,
    /// Nobody.
    Auto,
}

impl Approval {
    /// Both.
    pub const ALL: [Self; 2] = [Self::SecondPerson, Self::Auto];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SecondPerson => "second_person",
            Self::Auto => "auto",
        }
    }

    /// What is stored under this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|approval| approval.as_str() == name)
    }
}

impl Scheme {
    /// How its windows are netted.
    pub(crate) fn netting_terms(&self) -> Terms {
        Terms { strategy: self.strategy, digits: self.digits, min_transfer: self.min_transfer }
    }
}
