//! Refusals of unit values and rates.

use crate::amount::AmountRefusal;
use crate::http::problem::Problem;
use crate::names::case_reminder;
use crate::refusal::Refusal;
use jiff::Timestamp;

/// Why a unit value is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitValueRefusal {
    /// Not an amount of money.
    #[error(transparent)]
    Amount(#[from] AmountRefusal),
    /// It does not divide evenly among the token's smallest units.
    #[error("the unit value must be a multiple of {step}, so that each smallest unit of the token is worth whole millionths")]
    NotWhole {
        /// The smallest unit value of the token, in currency units.
        step: String,
    },
    /// It cannot begin then.
    #[error(transparent)]
    Start(#[from] StartRefusal),
}

impl Refusal for UnitValueRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::Amount(refusal) => refusal.problem(),
            Self::NotWhole { step } => {
                Problem::unprocessable("unit_value_not_whole", self).fact("field", "unit_value").fact("step", step.as_str())
            }
            Self::Start(refusal) => refusal.problem(),
        }
    }
}

/// Why something cannot begin at an instant. What has begun is never edited, so nothing begins in the past.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartRefusal {
    /// Swaps may have been made since.
    #[error("starts_at is in the past; it is {now} now")]
    StartsInThePast {
        /// The database's time.
        now: Timestamp,
    },
    /// Another one begins at the same instant.
    #[error("another one begins at the same instant, and it cannot be replaced")]
    StartsAtTaken,
}

impl Refusal for StartRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::StartsInThePast { now } => {
                Problem::unprocessable("starts_in_the_past", self).fact("field", "starts_at").fact("now", now.to_string())
            }
            Self::StartsAtTaken => Problem::conflict("starts_at_taken", self).fact("field", "starts_at"),
        }
    }
}

/// Why a rate is not set, or why there is none to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateRefusal {
    /// No vendor has that code. In the URL of a question it is 404, in a body 422.
    #[error("there is no vendor {code}{}", case_reminder(.code))]
    VendorNotFound {
        /// What was asked for.
        code: String,
        /// Where.
        named_in: NamedIn,
    },
    /// A token has no rate to itself.
    #[error("a token cannot be exchanged for itself")]
    SameVendor,
    /// A margin of a whole would leave nothing.
    #[error("margin_bps is 0 to 9999 hundredths of a percent")]
    MarginOutOfRange,
    /// Half of a ratio is none.
    #[error("a fixed rate needs both send and receive: so much of theirs buys so much of yours")]
    FixedRateIncomplete,
    /// A ratio where none belongs.
    #[error("send and receive are only for a fixed rate, and a closed pair has no margin")]
    FixedRateOnly,
    /// Not an amount of the token.
    #[error(transparent)]
    Amount(#[from] AmountRefusal),
    /// It cannot begin then.
    #[error(transparent)]
    Start(#[from] StartRefusal),
    /// The pair is closed, or a vendor has no unit value yet.
    #[error("there is no rate between these tokens now")]
    NoRate,
    /// Nothing would settle the debt.
    #[error("the two vendors have no settlement scheme in common")]
    NoCommonScheme,
}

/// Where a vendor was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedIn {
    /// In the query, as this parameter.
    Url(&'static str),
    /// In the body, as this field.
    Body(&'static str),
}

impl Refusal for RateRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::VendorNotFound { code, named_in: NamedIn::Url(field) } => {
                Problem::not_found("vendor_not_found", self).fact("field", *field).fact("vendor", code.as_str())
            }
            Self::VendorNotFound { code, named_in: NamedIn::Body(field) } => {
                Problem::unprocessable("vendor_not_found", self).fact("field", *field).fact("vendor", code.as_str())
            }
            Self::SameVendor => Problem::unprocessable("same_vendor", self),
            Self::MarginOutOfRange => Problem::unprocessable("margin_out_of_range", self).fact("field", "margin_bps"),
            Self::FixedRateIncomplete => Problem::unprocessable("fixed_rate_incomplete", self),
            Self::FixedRateOnly => Problem::unprocessable("fixed_rate_only", self),
            Self::Amount(refusal) => refusal.problem(),
            Self::Start(refusal) => refusal.problem(),
            Self::NoRate => Problem::unprocessable("no_rate", self).retryable(),
            Self::NoCommonScheme => Problem::unprocessable("no_common_scheme", self),
        }
    }
}
