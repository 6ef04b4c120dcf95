//! Refusals of accounts.

use crate::http::problem::Problem;
use crate::names::case_reminder;
use crate::refusal::Refusal;

/// Why there is no account to show or open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountRefusal {
    /// No vendor has that code.
    #[error("there is no vendor {vendor}{}", case_reminder(.vendor))]
    VendorNotFound {
        /// What was asked for.
        vendor: String,
    },
    /// The user has none with this vendor.
    #[error("you have no account with this vendor; open one with POST /v1/accounts")]
    AccountNotFound,
    /// One per vendor.
    #[error("you already have an account with this vendor")]
    AlreadyOpen,
}

impl Refusal for AccountRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::VendorNotFound { vendor } => {
                Problem::unprocessable("vendor_not_found", self).fact("field", "vendor").fact("vendor", vendor.as_str())
            }
            Self::AccountNotFound => Problem::not_found("account_not_found", self),
            Self::AlreadyOpen => Problem::conflict("account_already_open", self),
        }
    }
}
