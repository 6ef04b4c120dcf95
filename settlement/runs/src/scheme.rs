//! The terms of a scheme that its runs and files need.

use netting::{Strategy, Terms};
use scrip::{Micro, Scale, SchemeId};

/// What a scheme says about its runs.
#[derive(Debug, Clone)]
pub(crate) struct Scheme {
    pub(crate) id: SchemeId,
    pub(crate) code: String,
    pub(crate) currency: String,
    pub(crate) digits: Scale,
    pub(crate) strategy: Strategy,
}

impl Scheme {
    /// How its windows are netted. Every transfer is made, however small.
    pub(crate) fn netting_terms(&self) -> Terms {
        Terms { strategy: self.strategy, digits: self.digits, min_transfer: Micro::ZERO }
    }
}
