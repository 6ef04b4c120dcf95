//! Refusals of accounts.

use crate::http::problem::Problem;
use crate::refusal::Refusal;

/// Why there is no account to show or open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountRefusal {
    /// No vendor has that code.
    #[error("there is no such vendor")]
    VendorNotFound,
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
            Self::VendorNotFound => Problem::unprocessable("vendor_not_found", self).fact("field", "vendor"),
            Self::AccountNotFound => Problem::not_found("account_not_found", self),
            Self::AlreadyOpen => Problem::conflict("account_already_open", self),
        }
    }
}
