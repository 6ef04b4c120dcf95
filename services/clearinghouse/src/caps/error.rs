//! Refusals of caps.

use crate::amount::AmountRefusal;
use crate::http::problem::Problem;
use crate::names::case_reminder;
use crate::refusal::Refusal;
use axum::http::StatusCode;

/// Why a cap is not set or shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapRefusal {
    /// The cap is no amount of money.
    #[error(transparent)]
    Amount(#[from] AmountRefusal),
    /// No vendor has that code.
    #[error("there is no vendor {vendor}{}", case_reminder(.vendor))]
    VendorNotFound {
        /// What was asked for.
        vendor: String,
    },
    /// Without a scheme it owes nothing, in no currency.
    #[error("{vendor} settles in no scheme, so there is nothing to cap")]
    NoScheme {
        /// The vendor's code.
        vendor: String,
    },
    /// A vendor owes only to vendors that it settles with.
    #[error("{debtor} and {creditor} have no settlement scheme in common, so one never owes the other")]
    NoCommonScheme {
        /// The code of who would owe.
        debtor: String,
        /// The code of who would be owed.
        creditor: String,
    },
    /// Nobody owes itself.
    #[error("a vendor does not owe itself")]
    SameVendor {
        /// The vendor's code.
        vendor: String,
    },
    /// Somebody changed the cap since it was read.
    #[error("the cap has changed since you read it; it is at version {version} now")]
    VersionMismatch {
        /// The version that is there.
        version: i64,
    },
}

impl Refusal for CapRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::Amount(refusal) => refusal.problem(),
            Self::VendorNotFound { vendor } => Problem::not_found("vendor_not_found", self).fact("vendor", vendor.as_str()),
            Self::NoScheme { vendor } => Problem::unprocessable("no_scheme", self).fact("vendor", vendor.as_str()),
            Self::NoCommonScheme { debtor, creditor } => {
                Problem::unprocessable("no_common_scheme", self).fact("debtor", debtor.as_str()).fact("creditor", creditor.as_str())
            }
            Self::SameVendor { vendor } => Problem::unprocessable("same_vendor", self).fact("vendor", vendor.as_str()),
            Self::VersionMismatch { version } => {
                Problem::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", self).fact("version", *version)
            }
        }
    }
}
