//! The names of the strategies.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How debts become transfers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// One transfer per debtor and creditor: nothing is set off.
    Gross,
    /// One transfer per two parties: the difference of what they owe each other.
    Bilateral,
    /// What is owed in circles is set off, as much of it as there is; every debtor pays the rest to its own creditor.
    Conservative,
    /// Net payers pay net payees, largest first: the least money that can settle everything.
    Direct,
    /// Net payers pay net payees in as few transfers as there can be, or as few as were found.
    Fewest,
    /// Every party pays its net to the house, or receives it from the house.
    Hub,
}

impl Strategy {
    /// Every strategy, in the order of the documentation.
    pub const ALL: [Self; 6] = [Self::Gross, Self::Bilateral, Self::Conservative, Self::Direct, Self::Fewest, Self::Hub];

    /// The name in commands, JSON, the database and the output hash.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gross => "gross",
            Self::Bilateral => "bilateral",
            Self::Conservative => "conservative",
            Self::Direct => "direct",
            Self::Fewest => "fewest",
            Self::Hub => "hub",
        }
    }
}

/// No strategy has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the strategy is one of gross, bilateral, conservative, direct, fewest and hub, not {name:?}")]
pub struct UnknownStrategy {
    /// The name that was given.
    pub name: String,
}

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, UnknownStrategy> {
        Self::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| UnknownStrategy { name: name.to_owned() })
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
