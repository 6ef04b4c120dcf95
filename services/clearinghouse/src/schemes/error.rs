//! Refusals of schemes.

use crate::amount::AmountRefusal;
use crate::http::problem::Problem;
use crate::names::case_reminder;
use crate::refusal::Refusal;
use axum::http::StatusCode;
use netting::clearing::{Rule, UnknownRule};
use netting::{Strategy, UnknownStrategy};
use runs::Approval;

/// Why a scheme is not made, changed or shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemeRefusal {
    /// Not a code.
    #[error("a code is 2 to 32 characters of A-Z, 0-9, _ and -, begins with a letter or digit, and is not HOUSE")]
    CodeMalformed,
    /// Another scheme has the code.
    #[error("another scheme has the code {code}")]
    CodeTaken {
        /// The code.
        code: String,
    },
    /// Not a currency's code.
    #[error("a currency is three capital letters (ISO 4217), such as EUR")]
    CurrencyMalformed,
    /// No strategy has this name.
    #[error("{0}")]
    StrategyUnknown(UnknownStrategy),
    /// The smallest transfer, the threshold or the collateral is no amount of money.
    #[error(transparent)]
    Amount(#[from] AmountRefusal),
    /// Nobody approves in this way.
    #[error("approval is second_person or auto")]
    ApprovalUnknown,
    /// Neither too long nor less than nothing.
    #[error("dispute_hours is 0 to {}: a year", super::HOURS_MAX)]
    DisputeHoursOutOfRange,
    /// Neither too long nor less than nothing.
    #[error("grace_hours is 0 to {}: a year", super::HOURS_MAX)]
    GraceHoursOutOfRange,
    /// No rule has this name.
    #[error(transparent)]
    FailureRuleUnknown(UnknownRule),
    /// The change was made for an older version.
    #[error("the scheme has changed since you read it; it is at version {version} now")]
    VersionMismatch {
        /// The version that is there.
        version: i64,
    },
    /// Likewise of collateral, which a default changes as well.
    #[error("the collateral has changed since you read it; it is at version {version} now")]
    CollateralChanged {
        /// The version that is there.
        version: i64,
    },
    /// A currency has 0 to 6 decimals.
    #[error("digits is the number of decimals that payments have: 0 to 6")]
    DigitsOutOfRange,
    /// What rounding leaves would be settled again and again.
    #[error("settle_threshold is at least the smallest payment of the scheme's currency: {min}")]
    ThresholdTooSmall {
        /// That payment, in whole currency units.
        min: String,
    },
    /// More members at once than one request makes.
    #[error("a scheme is made with at most {max} members; add the others one by one")]
    TooManyMembers {
        /// How many it takes.
        max: usize,
    },
    /// No vendor has that code.
    #[error("there is no vendor {vendor}{}", case_reminder(.vendor))]
    VendorNotFound {
        /// What was asked for.
        vendor: String,
    },
    /// A vendor settles in one scheme, because its unit value is one number in one currency.
    #[error("{vendor} settles in a scheme already, and a vendor settles in one")]
    AlreadyMember {
        /// The vendor's code.
        vendor: String,
    },
    /// No scheme has that code.
    #[error("there is no such scheme")]
    SchemeNotFound,
    /// The vendor settles elsewhere, or is none.
    #[error("no vendor of that code settles in this scheme")]
    NotMember,
}

impl Refusal for SchemeRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::CodeMalformed => Problem::unprocessable("code_malformed", self).fact("field", "code"),
            Self::CodeTaken { code } => Problem::conflict("scheme_code_taken", self).fact("scheme", code.as_str()),
            Self::CurrencyMalformed => Problem::unprocessable("currency_malformed", self).fact("field", "currency"),
            Self::StrategyUnknown(_) => {
                Problem::unprocessable("strategy_unknown", self).fact("field", "strategy").fact("known", known_strategies())
            }
            Self::Amount(refusal) => refusal.problem(),
            Self::ApprovalUnknown => Problem::unprocessable("approval_unknown", self)
                .fact("field", "approval")
                .fact("known", Approval::ALL.map(Approval::as_str).to_vec()),
            Self::DisputeHoursOutOfRange => Problem::unprocessable("dispute_hours_out_of_range", self).fact("field", "dispute_hours"),
            Self::GraceHoursOutOfRange => Problem::unprocessable("grace_hours_out_of_range", self).fact("field", "grace_hours"),
            Self::FailureRuleUnknown(_) => Problem::unprocessable("failure_rule_unknown", self)
                .fact("field", "failure_rule")
                .fact("known", Rule::ALL.map(Rule::name).to_vec()),
            Self::VersionMismatch { version } | Self::CollateralChanged { version } => {
                Problem::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", self).fact("version", *version)
            }
            Self::DigitsOutOfRange => Problem::unprocessable("digits_out_of_range", self).fact("field", "digits"),
            Self::ThresholdTooSmall { min } => {
                Problem::unprocessable("threshold_too_small", self).fact("field", "settle_threshold").fact("min", min.as_str())
            }
            Self::TooManyMembers { max } => Problem::unprocessable("too_many_members", self).fact("field", "members").fact("max", *max),
            Self::VendorNotFound { vendor } => Problem::unprocessable("vendor_not_found", self).fact("vendor", vendor.as_str()),
            Self::AlreadyMember { vendor } => Problem::conflict("already_member", self).fact("vendor", vendor.as_str()),
            Self::SchemeNotFound => Problem::not_found("scheme_not_found", self),
            Self::NotMember => Problem::not_found("not_member", self),
        }
    }
}

fn known_strategies() -> Vec<&'static str> {
    Strategy::ALL.into_iter().map(Strategy::name).collect()
}
