//! The terms of a scheme that its runs and files need.

use netting::Strategy;
use scrip::{Scale, SchemeId};

/// What a scheme says about its runs.
#[derive(Debug, Clone)]
pub(crate) struct Scheme {
    pub(crate) id: SchemeId,
    pub(crate) code: String,
    pub(crate) currency: String,
    pub(crate) digits: Scale,
    pub(crate) strategy: Strategy,
    pub(crate) approval: Approval,
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
