//! The refusal of an amount.

use crate::http::problem::Problem;
use crate::refusal::Refusal;
use scrip::AmountError;

/// A text is not an amount of the token that it should be one of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {error}")]
pub struct AmountRefusal {
    /// The field of the body.
    pub field: &'static str,
    /// What is wrong with it.
    pub error: AmountError,
}

impl Refusal for AmountRefusal {
    fn problem(&self) -> Problem {
        let problem = match self.error {
            AmountError::Malformed => Problem::unprocessable("amount_malformed", self),
            AmountError::Zero => Problem::unprocessable("amount_zero", self),
            AmountError::TooManyDecimals { max } => Problem::unprocessable("amount_too_many_decimals", self).fact("max", max.decimals()),
            AmountError::TooLarge => Problem::unprocessable("amount_too_large", self),
        };
        problem.fact("field", self.field)
    }
}
