//! The terms of a scheme that its runs and files need.

use netting::Strategy;
use scrip::{Scale, SchemeId};

/// What a scheme says about its runs.
#[derive(Debug, Clone)]
pub(crate) struct Scheme {
    pub(crate) id: SchemeId,
    pub(crate) code: String,
    pub(crate) currency: String,
    pub(crate) digits: Scale,
    pub(crate) strategy: Strategy,
}
