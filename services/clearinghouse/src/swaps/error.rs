//! Refusals of swaps that the posting rules do not know.

use crate::http::problem::Problem;
use crate::names::case_reminder;
use crate::refusal::Refusal;

/// Why there is no swap to post or to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwapRefusal {
    /// No vendor has that code.
    #[error("{field}: there is no vendor {vendor}{}", case_reminder(.vendor))]
    VendorNotFound {
        /// The field of the body.
        field: &'static str,
        /// What was asked for.
        vendor: String,
    },
    /// Nobody has that handle or id.
    #[error("{field}: there is no such user")]
    UserNotFound {
        /// The field of the body.
        field: &'static str,
    },
    /// Both sides or none.
    #[error("fix exactly one side: either send or receive")]
    OneSideFixed,
    /// Not there, or not the caller's.
    #[error("there is no such swap")]
    SwapNotFound,
}

impl Refusal for SwapRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::VendorNotFound { field, vendor } => {
                Problem::unprocessable("vendor_not_found", self).fact("field", *field).fact("vendor", vendor.as_str())
            }
            Self::UserNotFound { field } => Problem::unprocessable("user_not_found", self).fact("field", *field),
            Self::OneSideFixed => Problem::unprocessable("one_side_fixed", self),
            Self::SwapNotFound => Problem::not_found("not_found", self),
        }
    }
}
