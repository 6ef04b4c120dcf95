//! Refusals of trades that the posting rules do not know.

use crate::http::problem::Problem;
use crate::names::case_reminder;
use crate::refusal::Refusal;
use axum::http::StatusCode;

/// Why there is no trade to post or to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TradeRefusal {
    /// No vendor has that code.
    #[error("{field}: there is no vendor {vendor}{}", case_reminder(.vendor))]
    VendorNotFound {
        /// The field of the body.
        field: &'static str,
        /// What was asked for.
        vendor: String,
    },
    /// Nobody has that handle or id.
    #[error("with: there is no such user")]
    UserNotFound,
    /// Not a time that a proposal may wait.
    #[error("expires_in_seconds is 1 to {max}")]
    ExpiryOutOfRange {
        /// The longest.
        max: i64,
    },
    /// The acceptor accepts and declines, the proposer cancels.
    #[error("only the user to whom a trade is proposed accepts or declines it, and only its proposer cancels it")]
    NotYours,
    /// Not there, or not the caller's.
    #[error("there is no such trade")]
    TradeNotFound,
}

impl Refusal for TradeRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::VendorNotFound { field, vendor } => {
                Problem::unprocessable("vendor_not_found", self).fact("field", *field).fact("vendor", vendor.as_str())
            }
            Self::UserNotFound => Problem::unprocessable("user_not_found", self).fact("field", "with"),
            Self::ExpiryOutOfRange { max } => Problem::unprocessable("expiry_out_of_range", self).fact("max", *max),
            Self::NotYours => Problem::new(StatusCode::FORBIDDEN, "trade_not_yours", self),
            Self::TradeNotFound => Problem::not_found("not_found", self),
        }
    }
}
