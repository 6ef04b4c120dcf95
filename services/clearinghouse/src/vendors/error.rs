//! Refusals of vendors.

use crate::amount::AmountRefusal;
use crate::http::problem::Problem;
use crate::names::case_reminder;
use crate::rates::UnitValueRefusal;
use crate::refusal::Refusal;
use axum::http::StatusCode;

/// Why a vendor is not made, changed or shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorRefusal {
    /// Not a code.
    #[error("a code is 2 to 32 characters of A-Z, 0-9, _ and -, begins with a letter or digit, and is not HOUSE")]
    CodeMalformed,
    /// Another vendor has the code; codes are never given twice.
    #[error("another vendor has the code {code}")]
    CodeTaken {
        /// The code.
        code: String,
    },
    /// Not a name.
    #[error("a vendor's name is 1 to 200 characters on one line")]
    NameMalformed,
    /// A token has 0 to 6 decimals.
    #[error("scale is the number of decimals of the token: 0 to 6")]
    ScaleOutOfRange,
    /// The unit value cannot be used.
    #[error(transparent)]
    UnitValue(#[from] UnitValueRefusal),
    /// No scheme has that code.
    #[error("there is no scheme {scheme}")]
    SchemeNotFound {
        /// What was asked for.
        scheme: String,
    },
    /// Not the name of an account holder.
    #[error("an account holder is 1 to 140 characters on one line")]
    AccountHolderMalformed,
    /// The IBAN's form, length or check digits are wrong.
    #[error("the IBAN is not valid: {why}")]
    IbanInvalid {
        /// What is wrong with it.
        why: String,
    },
    /// The BIC's form is wrong.
    #[error("the BIC is not valid: {why}")]
    BicInvalid {
        /// What is wrong with it.
        why: String,
    },
    /// No vendor has that code.
    #[error("there is no vendor {vendor}{}", case_reminder(.vendor))]
    VendorNotFound {
        /// What was asked for.
        vendor: String,
    },
    /// Somebody changed the vendor since it was read.
    #[error("the vendor has changed since you read it; it is at version {version} now")]
    VersionMismatch {
        /// The version that is there.
        version: i64,
    },
}

impl From<AmountRefusal> for VendorRefusal {
    fn from(refusal: AmountRefusal) -> Self {
        Self::UnitValue(refusal.into())
    }
}

impl Refusal for VendorRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::CodeMalformed => Problem::unprocessable("code_malformed", self).fact("field", "code"),
            Self::CodeTaken { code } => Problem::conflict("vendor_code_taken", self).fact("vendor", code.as_str()),
            Self::NameMalformed => Problem::unprocessable("name_malformed", self).fact("field", "name"),
            Self::ScaleOutOfRange => Problem::unprocessable("scale_out_of_range", self).fact("field", "scale"),
            Self::UnitValue(refusal) => refusal.problem(),
            Self::SchemeNotFound { scheme } => {
                Problem::unprocessable("scheme_not_found", self).fact("field", "scheme").fact("scheme", scheme.as_str())
            }
            Self::AccountHolderMalformed => Problem::unprocessable("account_holder_malformed", self).fact("field", "payout.account_holder"),
            Self::IbanInvalid { .. } => Problem::unprocessable("iban_invalid", self).fact("field", "payout.iban"),
            Self::BicInvalid { .. } => Problem::unprocessable("bic_invalid", self).fact("field", "payout.bic"),
            Self::VendorNotFound { vendor } => Problem::not_found("vendor_not_found", self).fact("vendor", vendor.as_str()),
            Self::VersionMismatch { version } => {
                Problem::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", self).fact("version", *version)
            }
        }
    }
}
