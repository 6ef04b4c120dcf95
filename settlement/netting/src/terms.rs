//! What a netting is asked for, besides the obligations.

use crate::{outcome::NettingError, rounding, strategy::Strategy};
use scrip::{Micro, Scale};

/// How a network is netted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Terms {
    /// How debts become transfers.
    pub strategy: Strategy,
    /// The currency's decimals, to which transfers are rounded; 6 rounds nothing.
    pub digits: Scale,
    /// No transfer is smaller than this: what a smaller one would have moved is carried. Zero: every transfer is made.
    pub min_transfer: Micro,
}

impl Terms {
    pub(crate) fn payable(&self) -> Result<Payable, NettingError> {
        if self.min_transfer < Micro::ZERO {
            return Err(NettingError::MinTransferNegative);
        }
        let grain = rounding::grain(self.digits);
        let grains_below = self.min_transfer.units().max(1).strict_sub(1).strict_div(grain);
        // More than any figure of a network where it would not fit.
        Ok(Payable { grain, least: grains_below.strict_add(1).saturating_mul(grain) })
    }
}

/// Which amounts are transferred, in micro-units: whole grains, and no less than the least.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payable {
    /// The currency's minor unit.
    pub(crate) grain: i64,
    /// The smallest transfer that is made: at least one grain.
    pub(crate) least: i64,
}

impl Payable {
    pub(crate) fn is_made(self, amount: i64) -> bool {
        amount >= self.least
    }
}
