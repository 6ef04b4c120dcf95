//! Scopes: what a vendor's key may do beyond reading the vendor's own things.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// One permission of a vendor key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Issue tokens to users.
    #[serde(rename = "issue")]
    Issue,
    /// Set unit values and rates.
    #[serde(rename = "rates")]
    Rates,
    /// List, make and revoke keys.
    #[serde(rename = "keys")]
    Keys,
    /// Read runs and download settlement files.
    #[serde(rename = "settlement:read")]
    SettlementRead,
    /// Say what became of the vendor's transfers.
    #[serde(rename = "settlement:confirm")]
    SettlementConfirm,
    /// Swap for the holders of the vendor's own token.
    #[serde(rename = "swaps")]
    Swaps,
    /// Change the vendor's name, switches, payout details, and what it accepts of its debtors.
    #[serde(rename = "vendor")]
    Vendor,
}

impl Scope {
    /// Every scope; what a vendor's first key has.
    pub const ALL: [Self; 7] =
        [Self::Issue, Self::Rates, Self::Keys, Self::SettlementRead, Self::SettlementConfirm, Self::Swaps, Self::Vendor];

    /// As it is written in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Rates => "rates",
            Self::Keys => "keys",
            Self::SettlementRead => "settlement:read",
            Self::SettlementConfirm => "settlement:confirm",
            Self::Swaps => "swaps",
            Self::Vendor => "vendor",
        }
    }

    /// The scope of that name. One that this program does not know permits nothing.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn a_scope_has_one_name_in_json_and_in_the_database() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
            assert_eq!(Scope::find(scope.as_str()), Some(scope));
        }
        assert_eq!(Scope::find("everything"), None);
    }
}
